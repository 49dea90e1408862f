"""One case from scans to network input: the steps in their order, timed, judged, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.geometry import Box, Grid, as_float32, box_around, canonical, resample
from PCNSLSurvivalLib.imaging.quality import check_scan
from PCNSLSurvivalLib.imaging.same_scan import judge_same_scan
from PCNSLSurvivalLib.imaging.stripped import shows
from PCNSLSurvivalLib.preprocessing.case_steps import CaseSteps, FoundPoses, Scans, mask_on_scan
from PCNSLSurvivalLib.preprocessing.qc.contrast_agent import enhancement_above_white_matter, judge_contrast_agent
from PCNSLSurvivalLib.preprocessing.qc.registration_check import judge_registration
from PCNSLSurvivalLib.preprocessing.qc.step_checks import (
    judge_brain_mask,
    judge_coverage,
    judge_enhancement,
    judge_gray_levels,
    judge_noise,
)
from PCNSLSurvivalLib.preprocessing.qc.weighting import judge_weightings
from PCNSLSurvivalLib.preprocessing.recipe import Recipe
from PCNSLSurvivalLib.preprocessing.scan_state import UNTOUCHED, ScanState
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore
from PCNSLSurvivalLib.preprocessing.steps.normalization import find_normalization
from PCNSLSurvivalLib.preprocessing.steps.resampling import isotropic_grid, network_grid, to_isotropic_grid, to_network


@dataclass(frozen=True, kw_only=True)
class PreparedCase:
    """What preprocessing made of one patient, every stage kept in the patient's millimeters."""

    native: Scans
    """The scans as they came, voxel axes toward left, posterior, superior."""
    corrected: Scans
    """Without bias field, on their own grids, in their own units."""
    transforms: Mapping[MRSequence, sitk.Transform]
    """LPS points of T1Gd to LPS points of each scan; identity for T1Gd."""
    brain_mask: sitk.Image
    """``uint8`` on the grid of ``native[T1GD]``."""
    preprocessed: Scans
    """``float32`` on one even grid: normalized, 0 outside the brain."""
    brain_mask_1mm: sitk.Image
    """``uint8`` on the even grid."""
    network_grid: Grid
    findings: tuple[Finding, ...]
    recipe: Recipe
    known: ScanState
    """What was done to the scans before, as told or, of the skull, as seen."""

    def network_input(self, sequences: tuple[MRSequence, ...]) -> NDArray[np.float32]:
        """The scans on the network's block.

        Args:
            sequences: The channels, in the model's order.

        Returns:
            (C, I, J, K) ``float32``; the indices run to left, posterior, superior.

        Raises:
            PreparationError: The model needs a scan that was not given.
        """
        absent = [sequence for sequence in sequences if sequence not in self.preprocessed]
        if absent:
            raise PreparationError(Message("preparation.scan_missing", absent=tuple(absent)))
        return np.stack([to_network(self.preprocessed[sequence], self.network_grid) for sequence in sequences])


def prepare_case(
    scans: Scans,
    *,
    recipe: Recipe,
    clock: StepClock,
    known: ScanState = UNTOUCHED,
    brain_mask: sitk.Image | None = None,
    moved_before: Mapping[MRSequence, sitk.Transform] | None = None,
    override_quality: bool = False,
    store: StepStore | None = None,
    agent: str | None = None,
) -> PreparedCase:
    """Prepare one patient for the network: brain, bias field, registration, normalization, resampling.

    Args:
        scans: 3-D ``float32`` volumes, LPS; T1Gd is needed, others are registered to it.
        recipe: All parameters.
        clock: Announces and times the steps.
        known: What was done to the scans before.
        brain_mask: A mask on the voxels of T1Gd to use instead of brain extraction.
        moved_before: For scans that someone moved: LPS points where they lie to LPS points where they lay.
        override_quality: Continue after a finding that makes a scan unusable; the finding is kept.
        store: Keeps finished steps on disk, and gives them back to the next run over the same content.
        agent: The contrast agent that the DICOM header of T1Gd names, empty where it names none; None without header.

    Returns:
        The prepared case.

    Raises:
        PreparationError: A step gave no usable result, or T1Gd is missing.
        UnusableScanError: A scan holds no usable image.
        GridMismatchError: ``brain_mask`` is not on the voxels of T1Gd.
        MissingFilesError: The brain extractor is not installed.
    """
    if MRSequence.T1GD not in scans:
        raise PreparationError(Message("preparation.no_t1gd"))
    native = {sequence: canonical(as_float32(image)) for sequence, image in scans.items()}
    findings = [finding for sequence, image in native.items() for finding in check_scan(image, sequence)]
    findings += judge_same_scan(native)
    t1gd = native[MRSequence.T1GD]
    stripped, about_skull = is_stripped(t1gd, said=known.already_stripped)
    findings += about_skull
    known = replace(known, already_stripped=stripped)
    stop_unless_usable(findings, override_quality)

    steps = CaseSteps(recipe=recipe, clock=clock, store=store, known=known)
    mask, corrected, transforms = _brain_field_and_poses(
        steps, native, brain_mask, moved_before or {}, findings, override_quality
    )
    weightings = judge_weightings(corrected, transforms, mask)
    findings += weightings
    stop_unless_usable(findings, override_quality)

    preprocessed, mask_1mm, grid = normalize_and_resample(corrected, transforms, mask, recipe, clock)
    # Another sequence in the place of T1 says nothing about contrast agent.
    doubtful = any(one.verdict is not Verdict.GOOD for one in weightings if one.sequence is MRSequence.T1)
    if MRSequence.T1 in preprocessed and not doubtful:
        findings.append(_enhancement(preprocessed, corrected, transforms, mask))
        stop_unless_usable(findings, override_quality)
    else:
        findings.append(judge_contrast_agent(corrected[MRSequence.T1GD], mask, agent=agent))
    return PreparedCase(
        native=native,
        corrected=corrected,
        transforms=transforms,
        brain_mask=mask,
        preprocessed=preprocessed,
        brain_mask_1mm=mask_1mm,
        network_grid=grid,
        findings=tuple(findings),
        recipe=recipe,
        known=known,
    )


def _enhancement(
    preprocessed: Scans, corrected: Scans, poses: Mapping[MRSequence, sitk.Transform], mask: sitk.Image
) -> Finding:
    """Whether T1Gd is enhanced beside T1, or the two were swapped."""
    t1gd, t1 = corrected[MRSequence.T1GD], corrected[MRSequence.T1]
    on_t1 = mask_on_scan(mask, t1, poses[MRSequence.T1])
    alone = (enhancement_above_white_matter(t1gd, mask), enhancement_above_white_matter(t1, on_t1))
    return judge_enhancement(preprocessed[MRSequence.T1GD], preprocessed[MRSequence.T1], alone=alone)


def _brain_field_and_poses(
    steps: CaseSteps,
    native: Scans,
    brain_mask: sitk.Image | None,
    moved_before: Mapping[MRSequence, sitk.Transform],
    findings: list[Finding],
    override_quality: bool,
) -> tuple[sitk.Image, dict[MRSequence, sitk.Image], dict[MRSequence, sitk.Transform]]:
    """The brain mask, every scan without bias field, and the pose of each; appends to ``findings``."""
    t1gd, stripped = native[MRSequence.T1GD], steps.known.already_stripped
    with ThreadPoolExecutor(1) as beside:
        try:
            # Brain extraction leaves one of two cores idle for half of its time. With one core nothing is gained.
            alone = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == 1
            rough_poses = {} if alone else steps.search_poses(native, beside)
            # The brain comes first: field and pose are found inside it (docs/decisions/order-of-steps.md).
            mask = steps.brain_mask(t1gd, brain_mask)
            findings += judge_brain_mask(mask, t1gd, stripped=stripped)
            findings.append(judge_gray_levels(t1gd, mask, sequence=MRSequence.T1GD))
            if not stripped:
                findings.append(judge_noise(t1gd, mask, sequence=MRSequence.T1GD))
            stop_unless_usable(findings, override_quality)
            corrected, transforms, of_poses = _corrected_and_registered(steps, native, mask, moved_before, rough_poses)
        except BaseException:
            # What is asked to stop, or has failed, waits for no search that has not begun.
            beside.shutdown(wait=False, cancel_futures=True)
            raise
    findings += of_poses
    return mask, corrected, transforms


def _corrected_and_registered(
    steps: CaseSteps,
    native: Scans,
    mask: sitk.Image,
    moved_before: Mapping[MRSequence, sitk.Transform],
    rough_poses: FoundPoses,
) -> tuple[dict[MRSequence, sitk.Image], dict[MRSequence, sitk.Transform], list[Finding]]:
    """Every scan without its bias field, the pose of each over T1Gd, and what there is to say of the poses."""
    if steps.corrected:
        steps.clock.skip(Step.BIAS_FIELD, Message("skipped.no_bias_field"))
    corrected = {MRSequence.T1GD: steps.correct(native[MRSequence.T1GD], mask, MRSequence.T1GD)}
    transforms: dict[MRSequence, sitk.Transform] = {MRSequence.T1GD: sitk.Transform(3, sitk.sitkIdentity)}
    findings: list[Finding] = []
    others = [sequence for sequence in native if sequence is not MRSequence.T1GD]
    if not others or steps.known.already_registered:
        reason = Message("skipped.already_over_t1gd" if others else "skipped.only_t1gd")
        steps.clock.skip(Step.REGISTRATION, reason)
    for sequence in others:
        transforms[sequence], corrected[sequence] = steps.register_to_t1gd(
            sequence, native, corrected[MRSequence.T1GD], mask, rough_poses=rough_poses
        )
        moved = moved_before.get(sequence)
        findings += judge_pose(sequence, corrected, transforms[sequence], mask, moved_before=moved)
    return corrected, transforms, findings


def normalize_and_resample(
    corrected: Scans,
    transforms: Mapping[MRSequence, sitk.Transform],
    mask: sitk.Image,
    recipe: Recipe,
    clock: StepClock,
) -> tuple[dict[MRSequence, sitk.Image], sitk.Image, Grid]:
    """Every scan and the brain mask on the isotropic grid, and the block of it that the network sees."""
    with clock.step(Step.NORMALIZATION):
        normalizations = {
            sequence: find_normalization(
                image, mask_on_scan(mask, image, transforms[sequence]), recipe.normalization, sequence=sequence
            )
            for sequence, image in corrected.items()
        }
    with clock.step(Step.RESAMPLING):
        isotropic = isotropic_grid(mask, recipe.resampling)
        # The share of brain in each voxel, cut at one half, is smoother than the nearest voxel of a thick slice.
        around = box_around(mask, 1) or Box((0, 0, 0), mask.GetSize())
        share = resample(sitk.Cast(around.of(mask), sitk.sitkFloat32), isotropic)
        mask_1mm = sitk.Cast(share >= 0.5, sitk.sitkUInt8)
        preprocessed = {
            sequence: to_isotropic_grid(
                image, normalizations[sequence], isotropic, mask_1mm, recipe.resampling, transforms[sequence]
            )
            for sequence, image in corrected.items()
        }
    with clock.step(Step.NETWORK_GRID):
        grid = network_grid(mask_1mm, recipe.network_grid)
    return preprocessed, mask_1mm, grid


def stop_unless_usable(findings: list[Finding], override: bool) -> None:
    """Stop at findings that make a scan unusable, unless the user goes on at their own risk.

    Raises:
        PreparationError: There is such a finding and ``override`` is off.
    """
    fatal = [finding.message for finding in findings if finding.verdict is Verdict.UNUSABLE]
    if fatal and not override:
        raise PreparationError(Message("quality.stop", findings=tuple(fatal)))


def is_stripped(t1gd: sitk.Image, *, said: bool) -> tuple[bool, tuple[Finding, ...]]:
    """Whether T1Gd is taken for a brain without skull, and what there is to say of it.

    In doubt the brain is extracted: a brain loses a rim by that, while a head taken for a brain loses its meaning.

    Args:
        t1gd: 3-D volume, axes toward left, posterior, superior.
        said: The user, or the layout of the cohort, says that the skull was removed.
    """
    found = shows(t1gd)
    if found == "brain":
        message = Message("scan.already_stripped")
        return True, () if said else (_about_skull("already_stripped", Verdict.GOOD, message),)
    if said and found == "head":
        return True, (_about_skull("skull_found", Verdict.CHECK, Message("scan.skull_found")),)
    if not said and found == "unclear":
        return False, (_about_skull("skull_unclear", Verdict.CHECK, Message("scan.skull_unclear")),)
    return said, ()


def _about_skull(measure: str, verdict: Verdict, message: Message) -> Finding:
    return Finding(
        measure=measure,
        step=Step.READ,
        sequence=MRSequence.T1GD,
        verdict=verdict,
        value=None,
        unit="",
        message=message,
    )


def judge_pose(
    sequence: MRSequence,
    corrected: Scans,
    transform: sitk.Transform,
    mask: sitk.Image,
    *,
    moved_before: sitk.Transform | None = None,
) -> tuple[Finding, ...]:
    """The findings on a scan registered to T1Gd.

    Args:
        sequence: The scan.
        corrected: T1Gd and the scan without bias field, on their own grids.
        transform: LPS points of T1Gd to LPS points of the scan.
        mask: Brain, ``uint8`` on the grid of T1Gd.
        moved_before: LPS points where the scan lies to LPS points where it lay as acquired, if someone moved it.
    """
    t1gd, image = corrected[MRSequence.T1GD], corrected[sequence]
    return (
        judge_coverage(image, transform, mask, sequence=sequence),
        *judge_registration(t1gd, image, transform, mask, sequence=sequence, moved_before=moved_before),
    )
