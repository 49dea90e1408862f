"""Prediction of one patient, from files to a map on the patient's own grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.clinical.findings import read_clinical_findings
from PCNSLSurvivalLib.clinical.scores import ClinicalScores, clinical_scores
from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import Listener, StepClock, silent
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.explain.overlay import map_on_grid
from PCNSLSurvivalLib.explain.regional_attribution import RegionalAttribution, attribute_by_region, mask_on_network_grid
from PCNSLSurvivalLib.imaging.geometry import (
    Box,
    Grid,
    box_around,
    canonical,
    image_on_grid,
    in_voxel_order_of,
    padded_to,
)
from PCNSLSurvivalLib.imaging.same_scan import judge_same_scan
from PCNSLSurvivalLib.inference.case_files import CaseFiles, Input, read_case_files
from PCNSLSurvivalLib.inference.case_options import CaseOptions
from PCNSLSurvivalLib.inference.explanation_checks import ExplanationChecks, check_explanation
from PCNSLSurvivalLib.inference.network import FloatMap, NetworkResult, SurvivalNetwork
from PCNSLSurvivalLib.inference.robustness import Robustness, ask_disturbed, other_outline_of
from PCNSLSurvivalLib.inference.segment import LesionProposal, load_reader, propose
from PCNSLSurvivalLib.inference.stop_rule import stop_far_outside
from PCNSLSurvivalLib.inference.without_lesion import WithoutLesion, ask_without_lesion
from PCNSLSurvivalLib.models.familiarity import FamiliarityVerdict
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.preprocessing.alignment import read_movements
from PCNSLSurvivalLib.preprocessing.engine_effects import warnings_of_other_engines
from PCNSLSurvivalLib.preprocessing.engines import Engine, PreparedBefore, engines_of, read_prepared_before
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case, stop_unless_usable
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore
from PCNSLSurvivalLib.preprocessing.swap_check import compare_contrast


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """Everything a prediction leaves behind, in memory."""

    model: ModelFolder
    inputs: Mapping[MRSequence, Input]
    prepared: PreparedCase
    network: NetworkResult
    brain_mask: sitk.Image
    """``uint8`` on the T1Gd grid, in the file's own voxel order."""
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
    """Sentences the reader of the result must see first; that of the model is the first of them."""

    @property
    def activation_map(self) -> sitk.Image:
        """``float32`` on the T1Gd grid: raw map over its largest cell, 0 to 1; 0 outside the brain; 0 if empty.

        Made anew by each call: on a fine T1Gd a map has hundreds of megabytes.
        """
        return self._own_map(self.network.raw_map)

    @property
    def map_of_other_class(self) -> sitk.Image:
        """As ``activation_map``, for the class that it does not explain, over its own largest cell."""
        return self._own_map(self.network.other_map)

    def activation_in(self, brain_mask: sitk.Image) -> sitk.Image:
        """``activation_map`` on the grid of a ``uint8`` mask, and 0 outside it."""
        return self._map_in(brain_mask, self.network.raw_map)

    def _own_map(self, raw_map: FloatMap) -> sitk.Image:
        mask, own = self.prepared.brain_mask, Grid.of(self.brain_mask)
        box = box_around(mask) or Box((0, 0, 0), mask.GetSize())
        # Drawn around the brain alone, and from a copy of the mask: the report may be reading it in another thread.
        part = image_on_grid(box.array_of(mask), Grid.of(mask).part(box))
        return padded_to(in_voxel_order_of(self._map_in(part, raw_map), own), own)

    def _map_in(self, brain_mask: sitk.Image, raw_map: FloatMap) -> sitk.Image:
        scale = float(raw_map.max())
        return map_on_grid(
            raw_map / scale if scale > 0 else raw_map,
            self.prepared.network_grid,
            Grid.of(brain_mask),
            brain_mask,
            stride_voxels=self.network.stride_voxels,
        )

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
            **({Step.REGISTRATION: known.already_registered} if len(self.inputs) > 1 else {}),
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
        files = read_case_files(paths, options)
    prepared = _prepared(files, model, options, clock)
    proposal, lesion = _outlined(files, prepared, options, clock)
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
        attribution = _attribution(model, prepared, result, lesion)
    asked = _FurtherQuestions(model, network, network_input, result, prepared, lesion, options, clock)
    checks = asked.explanation() if options.check_explanation else None
    without_lesion = asked.without_lesion() if options.without_lesion else None
    robustness = asked.disturbed(files.other_brain, before) if options.robustness else None
    return CaseResult(
        model=model,
        inputs=files.inputs,
        prepared=prepared,
        network=result,
        brain_mask=in_voxel_order_of(prepared.brain_mask, files.inputs[MRSequence.T1GD].grid),
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
            *_warnings(model, before, files.remarks, prepared, result, attribution, checks),
            *_about_proposal(proposal, lesion),
        ),
    )


def _prepared(files: CaseFiles, model: ModelFolder, options: CaseOptions, clock: StepClock) -> PreparedCase:
    """The case prepared as the model wants it, with the finding of the compared T1 where there is one."""
    mask, t1 = files.brain_mask, files.compared_t1
    twice = (
        () if t1 is None else judge_same_scan({MRSequence.T1GD: files.t1gd.image, MRSequence.T1: canonical(t1.image)})
    )
    stop_unless_usable([*twice], options.override_quality)
    store = None if options.cache_dir is None else StepStore(options.cache_dir)
    prepared = prepare_case(
        {sequence: scan.image for sequence, scan in files.scans.items()},
        recipe=model.recipe,
        clock=clock,
        brain_mask=None if mask is None else canonical(mask.image),
        known=options,
        override_quality=options.override_quality,
        moved_before=None if options.alignment is None else read_movements(options.alignment),
        store=store,
        agent=files.t1gd.agent,
    )
    if t1 is None:
        return prepared
    compared = compare_contrast(prepared, t1.image, clock=clock, store=store)
    stop_unless_usable([compared], options.override_quality)
    # What T1 shows beside T1Gd outweighs what T1Gd shows by itself.
    plain = compared.verdict is Verdict.GOOD
    kept = (one for one in prepared.findings if not (plain and one.measure == "contrast_agent"))
    return replace(prepared, findings=(*twice, *kept, compared))


def _outlined(
    files: CaseFiles, prepared: PreparedCase, options: CaseOptions, clock: StepClock
) -> tuple[LesionProposal | None, sitk.Image | None]:
    """The proposal of a lesion where it was asked for, and the lesion that is used: the given one comes first."""
    if not options.segment:
        return None, files.lesion
    with clock.step(Step.LESION_OUTLINE):
        proposal = propose(prepared, load_reader(options.device, options.runtime))
    return proposal, proposal.mask if files.lesion is None and proposal.foci else files.lesion


@dataclass(frozen=True)
class _FurtherQuestions:
    """What else a network can be asked about a case that it has predicted."""

    model: ModelFolder
    network: SurvivalNetwork
    network_input: FloatMap
    result: NetworkResult
    prepared: PreparedCase
    lesion: sitk.Image | None
    options: CaseOptions
    clock: StepClock

    def explanation(self) -> ExplanationChecks:
        """Whether the map depends on weights and input as an explanation must."""
        with self.clock.step(Step.EXPLANATION_CHECKS) as running:
            return check_explanation(
                self.model,
                self.network,
                self.network_input,
                self.result,
                brain=self._on_network_grid(self.prepared.brain_mask),
                lesion=self._lesion_on_network_grid(),
                device=self.options.device,
                progress=running,
            )

    def without_lesion(self) -> WithoutLesion:
        """The answers with the lesion and with a control region filled."""
        with self.clock.step(Step.WITHOUT_LESION):
            return ask_without_lesion(
                self.network,
                self.network_input,
                self.result,
                lesion=self._lesion_on_network_grid(),
                brain=self._on_network_grid(self.prepared.brain_mask),
                voxel_ml=self.prepared.network_grid.voxel_volume_ml,
            )

    def disturbed(self, other_brain: sitk.Image | None, before: PreparedBefore | None) -> Robustness:
        """The answers to disturbed copies, one of them with the brain mask of another program."""
        with self.clock.step(Step.ROBUSTNESS) as running:
            by_another = before is not None and Step.BRAIN_EXTRACTION in before.engines
            outline = other_outline_of(self.prepared, other_brain, by_another=by_another)
            return ask_disturbed(self.network, self.prepared, self.result, other_outline=outline, progress=running)

    def _lesion_on_network_grid(self) -> NDArray[np.bool_] | None:
        return None if self.lesion is None else self._on_network_grid(self.lesion)

    def _on_network_grid(self, mask: sitk.Image) -> NDArray[np.bool_]:
        return mask_on_network_grid(mask, self.prepared.network_grid)


def _attribution(
    model: ModelFolder, prepared: PreparedCase, result: NetworkResult, lesion: sitk.Image | None
) -> RegionalAttribution:
    """The evidence by region: lesion, rest of the brain, outside."""
    return attribute_by_region(
        result.evidence,
        result.evidence_constant,
        network_grid=prepared.network_grid,
        stride_voxels=result.evidence_stride_voxels,
        brain_mask=prepared.brain_mask,
        lesion_mask=lesion,
        pooling=model.architecture.pooling,
    )


def _about_proposal(proposal: LesionProposal | None, lesion: sitk.Image | None) -> tuple[Message, ...]:
    if proposal is None:
        return ()
    return (proposal.message, *((Message("lesion.proposal_used"),) if lesion is proposal.mask else ()))


def _warnings(
    model: ModelFolder,
    before: PreparedBefore | None,
    remarks: tuple[Message, ...],
    prepared: PreparedCase,
    result: NetworkResult,
    attribution: RegionalAttribution,
    checks: ExplanationChecks | None,
) -> tuple[Message, ...]:
    judged = [finding.message for finding in prepared.findings if finding.verdict is not Verdict.GOOD]
    others = () if before is None else warnings_of_other_engines(before, f"{model.name} {model.version}")
    foreign = result.familiarity.verdict in (FamiliarityVerdict.UNUSUAL, FamiliarityVerdict.UNLIKE)
    stopped = any(finding.measure == "familiarity" for finding in prepared.findings)
    explained = [
        *others,
        result.familiarity.message if foreign and not stopped else None,
        attribution.warning,
        checks.message if checks is not None and checks.verdict is not Verdict.GOOD else None,
    ]
    told = (model.warning, *judged, *remarks, *explained, *result.notes)
    return tuple(message for message in told if message is not None)
