"""Prediction of one patient, from files to a map on the patient's own grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.clinical.findings import read_clinical_findings
from PCNSLSurvivalLib.clinical.scores import ClinicalScores, clinical_scores
from PCNSLSurvivalLib.core.errors import GridMismatchError, PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import Listener, StepClock, silent
from PCNSLSurvivalLib.core.terms import MRSequence, OSClass, Step, Verdict
from PCNSLSurvivalLib.explain.grad_cam import Method
from PCNSLSurvivalLib.explain.overlay import map_on_grid
from PCNSLSurvivalLib.explain.regional_attribution import RegionalAttribution, attribute_by_region, mask_on_network_grid
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, in_voxel_order_of
from PCNSLSurvivalLib.imaging.io import Mask, Scan, read_mask_file, read_scan
from PCNSLSurvivalLib.inference.explanation_checks import ExplanationChecks, check_explanation
from PCNSLSurvivalLib.inference.network import Device, FloatMap, NetworkResult, SurvivalNetwork
from PCNSLSurvivalLib.inference.robustness import Robustness, ask_disturbed, other_outline_of
from PCNSLSurvivalLib.inference.runtime import Precision, RuntimeName
from PCNSLSurvivalLib.inference.segment import LesionProposal, load_reader, propose
from PCNSLSurvivalLib.inference.stop_rule import stop_far_outside
from PCNSLSurvivalLib.inference.without_lesion import WithoutLesion, ask_without_lesion
from PCNSLSurvivalLib.models.familiarity import FamiliarityVerdict
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.models.networks.designs import MAP_BLOCK, Block
from PCNSLSurvivalLib.preprocessing.alignment import read_movements
from PCNSLSurvivalLib.preprocessing.engine_effects import warnings_of_other_engines
from PCNSLSurvivalLib.preprocessing.engines import Engine, PreparedBefore, engines_of, read_prepared_before
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case, stop_unless_usable
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore
from PCNSLSurvivalLib.preprocessing.swap_check import compare_contrast

_RESULT_STAYS = {"changes_result": False}


@dataclass(frozen=True, kw_only=True)
class CaseOptions(ScanState):
    """What the user says about the scans, where to compute, and what to explain."""

    device: Device = field(default="auto", metadata=_RESULT_STAYS)
    runtime: RuntimeName = "auto"
    precision: Precision = "float32"
    tta: bool = False
    """Test-time augmentation: average with the left-right mirrored case."""
    target: OSClass | None = None
    """Class whose map is drawn; the predicted one if left out."""
    block: Block = MAP_BLOCK
    method: Method = "grad_cam"
    lesion_mask: Path | None = None
    """On the voxels of T1Gd; only for the attribution by region and the checks of the explanation."""
    lesion_labels: tuple[int, ...] | None = None
    """Labels of the mask that are lesion; every label but 0 if None."""
    segment: bool = False
    """Propose an outline of the enhancing tumor; it stands in for ``lesion_mask`` where none is given."""
    check_explanation: bool = False
    without_lesion: bool = False
    """Predict again with the lesion filled from its surroundings, and with a control region filled."""
    robustness: bool = False
    """Predict disturbed copies of the case."""
    other_brain_mask: Path | None = None
    """Of another program, on the voxels of T1Gd; one of the disturbed copies takes it."""
    brain_mask: Path | None = None
    alignment: Path | None = None
    """The movements that laid other scans over T1Gd, as ``register`` writes them: judged with the scans."""
    compare_t1: Path | None = None
    """A T1 that the model does not read: only compared with T1Gd, so that swapped scans are noticed."""
    override_quality: bool = False
    prepared: Path | None = None
    """Who prepared the scans before, and the scans as they were loaded: JSON of the Slicer module."""
    cache_dir: Path | None = field(default=None, metadata=_RESULT_STAYS)
    """Folder in which the long steps are kept, and found again."""
    clinical: Path | None = None
    """Clinical findings of the patient as JSON: the published scores are told beside the prediction."""

    def deciding(self) -> dict[str, Any]:
        """The options that can change the result, by name; a new option counts unless its field says otherwise."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.metadata.get("changes_result", True)}


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """Everything a prediction leaves behind, in memory."""

    model: ModelFolder
    scans: Mapping[MRSequence, Scan]
    prepared: PreparedCase
    network: NetworkResult
    brain_mask: sitk.Image
    """``uint8`` on the T1Gd grid, in the file's own voxel order."""
    activation_map: sitk.Image
    """``float32`` on the same grid: raw map over its largest cell, 0 to 1; 0 outside the brain; 0 if empty."""
    other_map: sitk.Image
    """``float32`` as ``activation_map``, for the class that it does not explain, over its own largest cell."""
    attribution: RegionalAttribution
    checks: ExplanationChecks | None
    """Of the explanation, where they were asked for."""
    without_lesion: WithoutLesion | None = None
    """The answers with the lesion and with a control region filled, where they were asked for."""
    robustness: Robustness | None = None
    """The answers to disturbed copies, where they were asked for."""
    proposal: LesionProposal | None = None
    """Of the enhancing tumor, where it was asked for."""
    lesion: sitk.Image | None = None
    """On the grid of the prepared brain mask: the lesion of the attribution and the checks; not 0 inside."""
    options: CaseOptions
    seconds: Mapping[str, float]
    before: PreparedBefore | None = None
    """The engines that prepared the scans before, if this was stated."""
    clinical: ClinicalScores | None = None
    """Published scores, where clinical findings were given."""
    warnings: tuple[Message, ...] = field(default=())
    """Sentences the reader of the result must see first."""

    @property
    def cell_size_mm(self) -> tuple[float, float, float]:
        """Edges of one cell of the activation map: it cannot show anything finer."""
        i, j, k = (self.network.stride_voxels * mm for mm in self.prepared.network_grid.spacing_mm)
        return (i, j, k)

    @property
    def engines(self) -> dict[Step, Engine | None]:
        """Who did the steps that another program may do; None where it is not known who."""
        known = self.prepared.known
        done = {
            Step.BRAIN_EXTRACTION: self.options.brain_mask is not None or known.already_stripped,
            Step.BIAS_FIELD: known.already_corrected or known.already_stripped,
            **({Step.REGISTRATION: known.already_registered} if len(self.scans) > 1 else {}),
        }
        return engines_of(self.prepared.recipe, self.before, done_before=done)

    @property
    def lesion_is_proposed(self) -> bool:
        """Whether the lesion is the proposal of the lesion reader, which is unconfirmed."""
        return self.proposal is not None and self.lesion is self.proposal.mask

    @property
    def brain_volume_ml(self) -> float:
        """Volume of the brain mask."""
        voxels = int(np.count_nonzero(sitk.GetArrayViewFromImage(self.brain_mask)))
        return voxels * Grid.of(self.brain_mask).voxel_volume_ml


def predict_case(
    paths: Mapping[MRSequence, Path],
    model: ModelFolder,
    options: CaseOptions,
    listener: Listener = silent,
    *,
    network: SurvivalNetwork | None = None,
) -> CaseResult:
    """Read, prepare and predict one patient, and explain the prediction.

    Args:
        paths: File or DICOM folder of T1Gd and, if wanted, of other sequences.
        model: Which networks to ask.
        options: What is known about the scans.
        listener: Hears of every step.
        network: The model's networks, loaded already; loaded here if left out.

    Returns:
        The result.

    Raises:
        PCNSLSurvivalError: A scan, the model or the computer does not allow a prediction; its text says why.
    """
    if options.without_lesion and options.lesion_mask is None and not options.segment:
        raise PreparationError(Message("filled.no_lesion"))
    clock = StepClock(listener)
    before = None if options.prepared is None else read_prepared_before(options.prepared)
    clinical = None if options.clinical is None else clinical_scores(read_clinical_findings(options.clinical))
    with clock.step(Step.READ):
        scans = {sequence: read_scan(path, sequence) for sequence, path in paths.items()}
        mask = None if options.brain_mask is None else read_mask_file(options.brain_mask, Message("word.brain_mask"))
        lesion_file = (
            None
            if options.lesion_mask is None
            else read_mask_file(options.lesion_mask, Message("word.lesion_mask"), labels=options.lesion_labels)
        )
        t1gd = scans[MRSequence.T1GD]
        lesion = None if lesion_file is None else _on_t1gd(lesion_file, t1gd, Message("grid.lesion_mask_on_t1gd"))
        other_brain = None
        if options.other_brain_mask is not None:
            other_file = read_mask_file(options.other_brain_mask, Message("word.brain_mask"))
            other_brain = _on_t1gd(other_file, t1gd, Message("grid.brain_mask_on_t1gd"))
        masks = [one for one in (mask, lesion_file) if one is not None]
        t1 = None if options.compare_t1 is None else read_scan(options.compare_t1, MRSequence.T1)
    store = None if options.cache_dir is None else StepStore(options.cache_dir)
    prepared = prepare_case(
        {sequence: canonical(scan.image) for sequence, scan in scans.items()},
        recipe=model.recipe,
        clock=clock,
        brain_mask=None if mask is None else canonical(mask.image),
        known=options,
        override_quality=options.override_quality,
        moved_before=None if options.alignment is None else read_movements(options.alignment),
        store=store,
        agent=scans[MRSequence.T1GD].agent,
    )
    if t1 is not None:
        compared = compare_contrast(prepared, t1.image, clock=clock, store=store)
        stop_unless_usable([compared], options.override_quality)
        # What T1 shows beside T1Gd outweighs what T1Gd shows by itself.
        plain = compared.verdict is Verdict.GOOD
        kept = (one for one in prepared.findings if not (plain and one.measure == "contrast_agent"))
        prepared = replace(prepared, findings=(*kept, compared))
    proposal = None
    if options.segment:
        with clock.step(Step.LESION_OUTLINE):
            proposal = propose(prepared, load_reader(options.device))
        if lesion is None and proposal.foci:
            lesion = proposal.mask
    with clock.step(Step.PREDICTION):
        network_input = prepared.network_input(model.sequences)
        if network is None:
            network = SurvivalNetwork(model, options.device, runtime=options.runtime, precision=options.precision)
        result = network.predict(
            network_input, target=options.target, block=options.block, method=options.method, tta=options.tta
        )
    beyond = stop_far_outside(result.familiarity, override=options.override_quality)
    prepared = replace(prepared, findings=(*prepared.findings, *beyond))
    clock.record(Step.GRAD_CAM, result.seconds_map)
    with clock.step(Step.MAP_TO_PATIENT):
        own_grid = Grid.of(scans[MRSequence.T1GD].image)
        activation = _scaled_map_on(prepared, result.raw_map, result.stride_voxels)
        other = _scaled_map_on(prepared, result.other_map, result.stride_voxels)
        attribution = attribute_by_region(
            result.evidence,
            result.evidence_constant,
            network_grid=prepared.network_grid,
            stride_voxels=result.evidence_stride_voxels,
            brain_mask=prepared.brain_mask,
            lesion_mask=lesion,
            pooling=model.architecture.pooling,
        )
    checks = None
    if options.check_explanation:
        with clock.step(Step.EXPLANATION_CHECKS) as running:
            checks = check_explanation(
                model,
                network,
                network_input,
                result,
                brain=mask_on_network_grid(prepared.brain_mask, prepared.network_grid),
                lesion=None if lesion is None else mask_on_network_grid(lesion, prepared.network_grid),
                device=options.device,
                progress=running,
            )
    without_lesion = None
    if options.without_lesion:
        grid = prepared.network_grid
        with clock.step(Step.WITHOUT_LESION):
            without_lesion = ask_without_lesion(
                network,
                network_input,
                result,
                lesion=None if lesion is None else mask_on_network_grid(lesion, grid),
                brain=mask_on_network_grid(prepared.brain_mask, grid),
                voxel_ml=grid.voxel_volume_ml,
            )
    robustness = None
    if options.robustness:
        with clock.step(Step.ROBUSTNESS) as running:
            robustness = ask_disturbed(
                network,
                prepared,
                result,
                other_outline=other_outline_of(
                    prepared,
                    other_brain,
                    by_another=before is not None and Step.BRAIN_EXTRACTION in before.engines,
                ),
                progress=running,
            )
    return CaseResult(
        model=model,
        scans=scans,
        prepared=prepared,
        network=result,
        brain_mask=in_voxel_order_of(prepared.brain_mask, own_grid),
        activation_map=in_voxel_order_of(activation, own_grid),
        other_map=in_voxel_order_of(other, own_grid),
        attribution=attribution,
        checks=checks,
        without_lesion=without_lesion,
        robustness=robustness,
        proposal=proposal,
        lesion=lesion,
        options=options,
        seconds=clock.seconds,
        before=before,
        clinical=clinical,
        warnings=(
            *_warnings(model, before, (*scans.values(), *masks), prepared, result, attribution, checks),
            *_about_proposal(proposal, used=proposal is not None and lesion is proposal.mask),
        ),
    )


def _on_t1gd(mask: Mask, t1gd: Scan, otherwise: Message) -> sitk.Image:
    """A mask in canonical order, which must lie on the voxels of T1Gd.

    Raises:
        GridMismatchError: It does not; ``otherwise`` is its sentence.
    """
    image = canonical(mask.image)
    if not Grid.of(image).matches(Grid.of(canonical(t1gd.image)), tolerance_mm=0.01):
        raise GridMismatchError(otherwise)
    return image


def _scaled_map_on(prepared: PreparedCase, raw_map: FloatMap, stride_voxels: int) -> sitk.Image:
    """A raw map over its own largest cell, on the canonical T1Gd grid; an empty map stays 0."""
    scale = float(raw_map.max())
    return map_on_grid(
        raw_map / scale if scale > 0 else raw_map,
        prepared.network_grid,
        Grid.of(prepared.brain_mask),
        prepared.brain_mask,
        stride_voxels=stride_voxels,
    )


def _about_proposal(proposal: LesionProposal | None, *, used: bool) -> tuple[Message, ...]:
    if proposal is None:
        return ()
    return (proposal.message, *((Message("lesion.proposal_used"),) if used else ()))


def _warnings(
    model: ModelFolder,
    before: PreparedBefore | None,
    read: Iterable[Scan | Mask],
    prepared: PreparedCase,
    result: NetworkResult,
    attribution: RegionalAttribution,
    checks: ExplanationChecks | None,
) -> tuple[Message, ...]:
    judged = [finding.message for finding in prepared.findings if finding.verdict is not Verdict.GOOD]
    remarks = [remark for one in read for remark in one.remarks]
    others = () if before is None else warnings_of_other_engines(before, f"{model.name} {model.version}")
    foreign = result.familiarity.verdict in (FamiliarityVerdict.UNUSUAL, FamiliarityVerdict.UNLIKE)
    stopped = any(finding.measure == "familiarity" for finding in prepared.findings)
    explained = [
        *others,
        result.familiarity.message if foreign and not stopped else None,
        attribution.warning,
        checks.message if checks is not None and checks.verdict is not Verdict.GOOD else None,
    ]
    return (*judged, *remarks, *(message for message in explained if message is not None), *result.notes)
