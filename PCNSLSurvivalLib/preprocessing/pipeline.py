"""One case from scans to network input: the steps in their order, timed, judged, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.errors import GridMismatchError, PreparationError
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, resample
from PCNSLSurvivalLib.imaging.quality import Finding, check_scan
from PCNSLSurvivalLib.preprocessing.bias_field import correct_bias_field
from PCNSLSurvivalLib.preprocessing.brain_extraction import extract_brain
from PCNSLSurvivalLib.preprocessing.normalization import normalize
from PCNSLSurvivalLib.preprocessing.recipe import Recipe
from PCNSLSurvivalLib.preprocessing.registration import head_points, mean_movement_mm, register_rigid
from PCNSLSurvivalLib.preprocessing.resampling import even_grid, network_grid, to_even_grid, to_network
from PCNSLSurvivalLib.preprocessing.sampling import coarser, head_mask
from PCNSLSurvivalLib.progress import StepClock
from PCNSLSurvivalLib.terms import Sequence, Step

Scans = Mapping[Sequence, sitk.Image]


@dataclass(frozen=True, kw_only=True)
class PreparedCase:
    """What preprocessing made of one patient, every stage kept in the patient's millimeters."""

    native: Scans
    """The scans as they came, voxel axes toward left, posterior, superior."""
    corrected: Scans
    """Without bias field, on their own grids, in their own units."""
    transforms: Mapping[Sequence, sitk.Transform]
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

    def network_input(self, sequences: tuple[Sequence, ...]) -> NDArray[np.float32]:
        """The scans on the network's block.

        Args:
            sequences: The channels, in the model's order.

        Returns:
            (C, I, J, K) ``float32``; the indices run to left, posterior, superior.

        Raises:
            PreparationError: The model needs a scan that was not given.
        """
        absent = [sequence.label for sequence in sequences if sequence not in self.preprocessed]
        if absent:
            raise PreparationError(
                f"This model also needs {' and '.join(absent)}. Add the missing scan, or choose a model for T1Gd alone."
            )
        return np.stack([to_network(self.preprocessed[sequence], self.network_grid) for sequence in sequences])


def prepare_case(
    scans: Scans,
    *,
    recipe: Recipe,
    clock: StepClock,
    brain_mask: sitk.Image | None = None,
    already_stripped: bool = False,
    already_corrected: bool = False,
    already_registered: bool = False,
    override_quality: bool = False,
) -> PreparedCase:
    """Prepare one patient for the network: bias field, registration, brain, normalization, resampling.

    Args:
        scans: 3-D ``float32`` volumes, LPS; T1Gd is needed, others are registered to it.
        recipe: All parameters.
        clock: Announces and times the steps.
        brain_mask: A mask on the voxels of T1Gd to use instead of brain extraction.
        already_stripped: The scans show the brain alone, 0 outside: neither stripped nor corrected again.
        already_corrected: The scans have no bias field.
        already_registered: The scans lie over T1Gd in millimeters.
        override_quality: Go on after a finding that makes a scan unusable; the finding is kept.

    Returns:
        The prepared case.

    Raises:
        PreparationError: A step gave no usable result, or T1Gd is missing.
        UnusableScanError: A scan holds no usable image.
        GridMismatchError: ``brain_mask`` is not on the voxels of T1Gd.
        MissingFilesError: The brain extractor is not installed.
    """
    if Sequence.T1GD not in scans:
        raise PreparationError("No T1Gd was given. The prediction reads the post-contrast T1; choose one.")
    native = {sequence: canonical(sitk.Cast(image, sitk.sitkFloat32)) for sequence, image in scans.items()}
    findings: list[Finding] = []
    for sequence, image in native.items():
        findings += check_scan(image, sequence)

    corrected = _correct(native, recipe, clock, skip=already_corrected or already_stripped)
    transforms = _register(corrected, recipe, clock, skip=already_registered)
    mask = _brain_mask(corrected[Sequence.T1GD], recipe, clock, brain_mask, already_stripped)
    with clock.step(Step.NORMALIZATION):
        normalized = {
            sequence: normalize(
                image, _mask_for(mask, image, transforms[sequence]), recipe.normalization, name=sequence.label
            )
            for sequence, image in corrected.items()
        }
    with clock.step(Step.RESAMPLING):
        even = even_grid(mask, recipe.resampling)
        # The share of brain in each voxel, cut at one half, is smoother than the nearest voxel of a thick slice.
        share = resample(sitk.Cast(mask, sitk.sitkFloat32), even)
        mask_1mm = sitk.Cast(share >= 0.5, sitk.sitkUInt8)
        preprocessed = {
            sequence: to_even_grid(image, even, mask_1mm, recipe.resampling, transforms[sequence])
            for sequence, image in normalized.items()
        }
    with clock.step(Step.NETWORK_GRID):
        grid = network_grid(mask_1mm, recipe.network_grid)
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
    )


def _correct(native: Scans, recipe: Recipe, clock: StepClock, *, skip: bool) -> dict[Sequence, sitk.Image]:
    if skip:
        clock.skip(Step.BIAS_FIELD, "the scans are said to be corrected already")
        return dict(native)
    corrected = {}
    for sequence, image in native.items():
        with clock.step(Step.BIAS_FIELD, sequence.label):
            corrected[sequence], _ = correct_bias_field(image, recipe.bias_field, name=sequence.label)
    return corrected


def _register(corrected: Scans, recipe: Recipe, clock: StepClock, *, skip: bool) -> dict[Sequence, sitk.Transform]:
    t1gd = corrected[Sequence.T1GD]
    transforms = {sequence: sitk.Transform(3, sitk.sitkIdentity) for sequence in corrected}
    others = [sequence for sequence in corrected if sequence is not Sequence.T1GD]
    if not others or skip:
        clock.skip(Step.REGISTRATION, "the scans lie over T1Gd already" if others else "T1Gd is the only scan")
        return transforms
    for sequence in others:
        with clock.step(Step.REGISTRATION, sequence.label):
            found = register_rigid(t1gd, corrected[sequence], recipe.registration, name=sequence.label)
            points = head_points(head_mask(coarser(t1gd, 6.0)))
            if mean_movement_mm(found, points) >= recipe.registration.aligned_below_mm:
                transforms[sequence] = found
    return transforms


def _brain_mask(
    t1gd: sitk.Image, recipe: Recipe, clock: StepClock, given: sitk.Image | None, already_stripped: bool
) -> sitk.Image:
    if given is not None:
        clock.skip(Step.BRAIN_EXTRACTION, "a brain mask was given")
        mask = sitk.Cast(canonical(given) != 0, sitk.sitkUInt8)
        if not Grid.of(mask).matches(Grid.of(t1gd), tolerance_mm=0.01):
            raise GridMismatchError("The brain mask", "T1Gd")
        return resample(mask, Grid.of(t1gd), interpolation="nearest")
    if already_stripped:
        clock.skip(Step.BRAIN_EXTRACTION, "already skull-stripped")
        return sitk.BinaryFillhole(sitk.Cast(t1gd != 0, sitk.sitkUInt8), True)
    with clock.step(Step.BRAIN_EXTRACTION):
        return extract_brain(t1gd, recipe.brain_extraction)


def _mask_for(mask: sitk.Image, image: sitk.Image, transform: sitk.Transform) -> sitk.Image:
    """The brain of T1Gd on the voxels of another scan."""
    if Grid.of(mask).matches(Grid.of(image)) and transform.GetName() == "IdentityTransform":
        return mask
    return resample(mask, Grid.of(image), interpolation="nearest", transform=transform.GetInverse())
