"""Faults of scans, masks and poses, put into an exam whose truth is known.

Every fault is one function from a sound ``Exam`` to the findings that must notice it. Limits of the findings
are set from what ``measure_quality_limits.py`` prints of them; the tests expect sentence and verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from virtual_exams import canonical_float

from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, resample
from PCNSLSurvivalLib.imaging.quality import check_scan
from PCNSLSurvivalLib.phantoms import VirtualPatient
from PCNSLSurvivalLib.preprocessing.case_steps import mask_on_scan
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
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.steps.brain_mask import depth_in_head
from PCNSLSurvivalLib.preprocessing.steps.normalization import find_normalization
from PCNSLSurvivalLib.preprocessing.steps.resampling import isotropic_grid, to_isotropic_grid

T1GD, T1, T2 = MRSequence.T1GD, MRSequence.T1, MRSequence.T2


@dataclass(frozen=True)
class Exam:
    """What the judgements look at: scans as acquired and without bias field, brain mask, poses."""

    scans: Mapping[MRSequence, sitk.Image]
    corrected: Mapping[MRSequence, sitk.Image]
    mask: sitk.Image
    poses: Mapping[MRSequence, sitk.Transform]


def true_exam(patient: VirtualPatient) -> Exam:
    """A virtual patient as perfect steps would prepare it."""
    scans = {name: canonical_float(image) for name, image in patient.scans.items()}
    return Exam(
        scans=scans,
        corrected={name: image / canonical_float(patient.bias_fields[name]) for name, image in scans.items()},
        mask=sitk.Cast(canonical_float(patient.brain_masks[T1GD]), sitk.sitkUInt8),
        poses={name: patient.true_transform(T1GD, name) for name in scans},
    )


def judge(exam: Exam) -> list[Finding]:
    """Every judgement of the preparation on one exam, in the pipeline's order."""
    found = [finding for name, scan in exam.scans.items() for finding in check_scan(scan, name)]
    found += judge_brain_mask(exam.mask, exam.scans[T1GD], stripped=False)
    found.append(judge_gray_levels(exam.scans[T1GD], exam.mask, sequence=T1GD))
    found.append(judge_noise(exam.scans[T1GD], exam.mask, sequence=T1GD))
    for name in exam.scans:
        if name is not T1GD:
            pose, image = exam.poses[name], exam.corrected[name]
            found.append(judge_coverage(image, pose, exam.mask, sequence=name))
            found += judge_registration(
                exam.corrected[T1GD], image, pose, exam.mask, sequence=name
            )  # fmt: skip
    found += judge_weightings(exam.corrected, exam.poses, exam.mask)
    if T1 in exam.scans:
        found.append(_enhancement(exam))
    found.append(judge_contrast_agent(exam.corrected[T1GD], exam.mask))
    return found


def leaking_mask(exam: Exam) -> list[Finding]:
    """The mask runs into the scalp beside the brain, over the breadth of a thumb."""
    mask = exam.mask
    inside = sitk.GetArrayFromImage(mask) > 0
    kji = np.argwhere(inside)
    grid = Grid.of(mask)
    middle = kji[np.abs(kji[:, 0] - np.quantile(kji[:, 0], 0.65)).argsort()[:2000]]
    outermost = grid.index_to_lps(middle[middle[:, 2].argmax()][::-1].astype(float))
    leak = (_distance(grid, outermost) < 30.0) & _on(_in_head(exam), grid)
    return list(_judge_mask(exam, inside | leak))


def mask_without_its_front(exam: Exam) -> list[Finding]:
    """The mask has lost the foremost fifth of the brain."""
    return list(_judge_mask(exam, _beyond(exam.mask, axis=1, quantile=0.2)))


def mask_without_its_top(exam: Exam) -> list[Finding]:
    """The mask has lost the topmost fifth of the brain."""
    top = _beyond(exam.mask, axis=0, quantile=0.8)
    return list(_judge_mask(exam, (sitk.GetArrayFromImage(exam.mask) > 0) & ~top))


def shrunken_mask(exam: Exam) -> list[Finding]:
    """Only the middle of the brain is left of the mask."""
    depth = sitk.SignedMaurerDistanceMap(exam.mask, insideIsPositive=True, squaredDistance=False, useImageSpacing=True)
    return list(_judge_mask(exam, sitk.GetArrayFromImage(depth) > 14.0))


def mask_in_two_pieces(exam: Exam) -> list[Finding]:
    """A gap of 8 mm between the hemispheres."""
    inside = sitk.GetArrayFromImage(exam.mask) > 0
    middle = int(np.median(np.argwhere(inside)[:, 2]))
    half = math.ceil(4.0 / exam.mask.GetSpacing()[0])
    inside[:, :, middle - half : middle + half] = False
    return list(_judge_mask(exam, inside))


def cut_vertex(exam: Exam, *, below_mm: float = 25.0) -> list[Finding]:
    """The field of view of T1Gd ends some mm below the top of the brain."""
    kji = np.argwhere(sitk.GetArrayFromImage(exam.mask) > 0)
    end = int(kji[:, 0].max()) + 1 - round(below_mm / exam.mask.GetSpacing()[2])
    return _cropped(exam, (slice(None), slice(None), slice(0, end)))


def half_the_head(exam: Exam) -> list[Finding]:
    """The field of view of T1Gd ends in the middle between left and right."""
    kji = np.argwhere(sitk.GetArrayFromImage(exam.mask) > 0)
    return _cropped(exam, (slice(0, int(np.median(kji[:, 2]))), slice(None), slice(None)))


def swapped_scans(exam: Exam) -> list[Finding]:
    """T1 was given as T1Gd and T1Gd as T1."""
    back = exam.poses[T1].GetInverse()
    return [
        _enhancement(
            Exam(
                scans=exam.scans,
                corrected={T1GD: exam.corrected[T1], T1: exam.corrected[T1GD]},
                mask=mask_on_scan(exam.mask, exam.scans[T1], exam.poses[T1]),
                poses={T1: back},
            )
        )
    ]


def no_contrast_agent(exam: Exam) -> list[Finding]:
    """T1 was given as T1Gd as well."""
    t1 = exam.corrected[T1]
    again = sitk.AdditiveGaussianNoise(t1, 0.03 * float(sitk.GetArrayViewFromImage(t1).mean()), 0.0, 7)
    mask = mask_on_scan(exam.mask, t1, exam.poses[T1])
    return [_enhancement(Exam(exam.scans, {T1GD: again, T1: t1}, mask, {T1: _still()}))]


def t1_and_t2_exchanged(exam: Exam) -> list[Finding]:
    """T1 was given as T2 and T2 as T1."""
    return _weighted_as(exam, {T1: T2, T2: T1})


def t1gd_and_t2_exchanged(exam: Exam) -> list[Finding]:
    """T1Gd was given as T2 and T2 as T1Gd; with the brain mask of T1Gd."""
    return _weighted_as(exam, {T1GD: T2, T2: T1GD})


def t2_as_t1(exam: Exam) -> list[Finding]:
    """T2 was given as T1, and no T2."""
    return _weighted_as(exam, {T1GD: T1GD, T1: T2})


def _weighted_as(exam: Exam, given: Mapping[MRSequence, MRSequence]) -> list[Finding]:
    """Every scan where it truly lies, under the name of another sequence."""
    scans, poses = ({name: of[taken] for name, taken in given.items()} for of in (exam.corrected, exam.poses))
    return list(judge_weightings(scans, poses, exam.mask))


def t1_alone(exam: Exam) -> list[Finding]:
    """T1 was given as T1Gd, and nothing else."""
    mask = mask_on_scan(exam.mask, exam.scans[T1], exam.poses[T1])
    return [judge_contrast_agent(exam.corrected[T1], mask)]


def pose_shifted(exam: Exam) -> list[Finding]:
    """Registration ended 10 mm beside the truth."""
    return _displaced(exam, sitk.TranslationTransform(3, (6.0, -6.0, 5.3)))


def pose_turned(exam: Exam) -> list[Finding]:
    """Registration ended 12 degrees beside the truth."""
    turn = sitk.Euler3DTransform()
    turn.SetCenter(Grid.of(exam.mask).center_lps_mm.tolist())
    turn.SetRotation(*(math.radians(angle) for angle in (7.0, -7.0, 7.0)))
    return _displaced(exam, turn)


def pose_mirrored_front_to_back(exam: Exam) -> list[Finding]:
    """Registration ended with the face at the back of the head."""
    turn = sitk.Euler3DTransform()
    turn.SetCenter(Grid.of(exam.mask).center_lps_mm.tolist())
    turn.SetRotation(0.0, 0.0, math.pi)
    return _displaced(exam, turn)


def extreme_noise(exam: Exam) -> list[Finding]:
    """The noise of T1Gd is half of the brain's signal."""
    return _noisy(exam, 0.5)


def strong_noise(exam: Exam) -> list[Finding]:
    """The noise of T1Gd is a sixth of the brain's signal."""
    return _noisy(exam, 1.0 / 6.0)


def ten_mm_slices(exam: Exam) -> list[Finding]:
    """T1Gd in slices that lie at least 10 mm apart."""
    image = exam.scans[T1GD]
    joined = math.ceil(10.0 / image.GetSpacing()[2] - 1e-6)
    return list(check_scan(sitk.BinShrink(image, [1, 1, joined]), T1GD))


def part_of_a_series(exam: Exam) -> list[Finding]:
    """T2 holds the lower half of its slices alone."""
    image = exam.corrected[T2]
    half = image[:, :, : image.GetSize()[2] // 2]
    return [*check_scan(half, T2), judge_coverage(half, exam.poses[T2], exam.mask, sequence=T2)]


def shuffled_slices(exam: Exam) -> list[Finding]:
    """The slices of T1Gd lie in random order."""
    order = np.random.default_rng(7).permutation(exam.scans[T1GD].GetSize()[2])
    return list(check_scan(_reordered(exam.scans[T1GD], order), T1GD))


def interleaved_slices(exam: Exam) -> list[Finding]:
    """The slices of T1Gd were sorted by time: a slice of the upper half follows each of the lower half."""
    half = (exam.scans[T1GD].GetSize()[2] + 1) // 2
    order = [place for low in range(half) for place in (low, low + half)]
    return list(check_scan(_reordered(exam.scans[T1GD], order), T1GD))


def slices_scaled_one_by_one(exam: Exam) -> list[Finding]:
    """Every slice of T1Gd was written with its own brightest value as white."""
    slices = sitk.GetArrayFromImage(exam.scans[T1GD])
    white = slices.max(axis=(1, 2), keepdims=True)
    return list(
        check_scan(image_on_grid(np.rint(255 * slices / white).astype(np.uint8), Grid.of(exam.scans[T1GD])), T1GD)
    )


def values_cut_off(exam: Exam) -> list[Finding]:
    """T1Gd was written in the window of a screen, in which a tenth of the brain is white."""
    image = exam.scans[T1GD]
    white = np.quantile(sitk.GetArrayViewFromImage(image)[sitk.GetArrayViewFromImage(exam.mask) > 0], 0.9)
    return list(check_scan(sitk.Minimum(image, float(white)), T1GD))


def a_missing_slice_filled(exam: Exam) -> list[Finding]:
    """The middle slice of T1Gd was missing, and the one before was copied into its place."""
    slices = sitk.GetArrayFromImage(exam.scans[T1GD])
    slices[len(slices) // 2] = slices[len(slices) // 2 - 1]
    return list(check_scan(image_on_grid(slices, Grid.of(exam.scans[T1GD])), T1GD))


def signed_values_read_as_unsigned(exam: Exam) -> list[Finding]:
    """The noise of the air reaches below 0, and these voxels became bright."""
    image = exam.scans[T1GD]
    noise = np.random.default_rng(7).normal(-2.0, 3.0, image.GetSize()[::-1])
    stored = np.rint(sitk.GetArrayFromImage(image) + noise).astype(np.int16).view(np.uint16)
    return list(check_scan(image_on_grid(stored, Grid.of(image)), T1GD))


def large_values_read_as_signed(exam: Exam) -> list[Finding]:
    """T1Gd used all 16 bits, and its brightest voxels became negative."""
    image = exam.scans[T1GD]
    slices = sitk.GetArrayFromImage(image)
    stored = np.rint(slices * (60_000 / slices.max())).astype(np.uint16).view(np.int16)
    return list(check_scan(image_on_grid(stored, Grid.of(image)), T1GD))


def sixteen_gray_levels(exam: Exam) -> list[Finding]:
    """T1Gd was stored in 16 steps."""
    slices = sitk.GetArrayFromImage(exam.scans[T1GD])
    coarse = image_on_grid(np.rint(15 * slices / slices.max()).astype(np.uint8), Grid.of(exam.scans[T1GD]))
    return [judge_gray_levels(coarse, exam.mask, sequence=T1GD)]


def inverted_scan(exam: Exam) -> list[Finding]:
    """Bright is dark inside the head of T1Gd, and the air stays dark."""
    image = exam.scans[T1GD]
    values = sitk.GetArrayFromImage(image)
    inside = _on(_in_head(exam), Grid.of(image))
    inverted = np.where(inside, np.quantile(values[inside], 0.999) - values, values)
    turned = image_on_grid(np.maximum(inverted, 0).astype(np.float32), Grid.of(image))
    return list(judge_brain_mask(exam.mask, turned, stripped=False))


def t2_as_t1gd(exam: Exam) -> list[Finding]:
    """T2 was given as T1Gd."""
    t2 = exam.scans[T2]
    return list(judge_brain_mask(mask_on_scan(exam.mask, t2, exam.poses[T2]), t2, stripped=False))


def upside_down(exam: Exam) -> list[Finding]:
    """The file of T1Gd exchanges head and foot."""
    scan, mask = (sitk.Flip(image, (False, False, True)) for image in (exam.scans[T1GD], exam.mask))
    for image in (scan, mask):
        image.SetDirection(np.eye(3).ravel())
    return list(judge_brain_mask(mask, scan, stripped=False))


FAULTS: dict[str, tuple[Callable[[Exam], list[Finding]], ...]] = {
    "mask_near_skin": (leaking_mask,),
    "mask_missed": (mask_without_its_front, mask_without_its_top),
    "brain_volume": (shrunken_mask,),
    "mask_pieces": (mask_in_two_pieces,),
    "brain_cut": (cut_vertex, half_the_head),
    "enhancement": (swapped_scans, no_contrast_agent),
    "contrast_agent": (t1_alone,),
    "weighting_t1_t2": (t1_and_t2_exchanged,),
    "weighting_t1gd_t2": (t1gd_and_t2_exchanged,),
    "weighting": (t2_as_t1,),
    "registration_sharpness": (pose_shifted, pose_turned, pose_mirrored_front_to_back),
    "head_turn": (pose_mirrored_front_to_back,),
    "signal_to_noise": (strong_noise, extreme_noise),
    "slice_distance": (ten_mm_slices,),
    "scanned_block": (part_of_a_series,),
    "uncovered_brain": (part_of_a_series,),
    "slice_order": (shuffled_slices, interleaved_slices),
    "scaled_slices": (slices_scaled_one_by_one, values_cut_off),
    "repeated_slices": (a_missing_slice_filled,),
    "wrapped_values": (signed_values_read_as_unsigned, large_values_read_as_signed),
    "gray_levels": (sixteen_gray_levels,),
    "tissue_pattern": (inverted_scan, t2_as_t1gd),
    "orientation": (upside_down,),
}
"""For each measure, by its code, the faults that it must notice."""


def _reordered(image: sitk.Image, order: Sequence[int]) -> sitk.Image:
    slices = sitk.GetArrayViewFromImage(image)
    return image_on_grid(slices[[place for place in order if place < len(slices)]], Grid.of(image))


def _judge_mask(exam: Exam, inside_kji: np.ndarray) -> tuple[Finding, ...]:
    mask = image_on_grid(inside_kji.astype(np.uint8), Grid.of(exam.mask))
    return judge_brain_mask(mask, exam.scans[T1GD], stripped=False)


def _in_head(exam: Exam) -> sitk.Image:
    return sitk.Cast(depth_in_head(exam.scans[T1GD]) > 0.0, sitk.sitkUInt8)


def _on(mask: sitk.Image, grid: Grid) -> np.ndarray:
    return sitk.GetArrayFromImage(resample(mask, grid, interpolation="nearest")) > 0


def _distance(grid: Grid, place_lps_mm: np.ndarray) -> np.ndarray:
    """(K, J, I) mm from a place."""
    index = grid.lps_to_index(place_lps_mm)
    i, j, k = (((np.arange(n) - at) * edge) ** 2 for n, at, edge in zip(grid.size, index, grid.spacing_mm, strict=True))
    return np.sqrt(k[:, None, None] + j[None, :, None] + i[None, None, :])


def _beyond(mask: sitk.Image, *, axis: int, quantile: float) -> np.ndarray:
    """The mask from that quantile of its own voxels on, along an array axis."""
    inside = sitk.GetArrayFromImage(mask) > 0
    border = np.quantile(np.argwhere(inside)[:, axis], quantile)
    shape = [1, 1, 1]
    shape[axis] = -1
    return inside & (np.arange(inside.shape[axis]).reshape(shape) >= border)


def _cropped(exam: Exam, block: tuple[slice, slice, slice]) -> list[Finding]:
    scan, mask = exam.scans[T1GD][block], exam.mask[block]
    return [*check_scan(scan, T1GD), *judge_brain_mask(mask, scan, stripped=False)]


def _displaced(exam: Exam, away: sitk.Transform) -> list[Finding]:
    pose = sitk.CompositeTransform([exam.poses[T2], away])
    fixed, moving = exam.corrected[T1GD], exam.corrected[T2]
    return list(judge_registration(fixed, moving, pose, exam.mask, sequence=T2))


def _noisy(exam: Exam, share: float) -> list[Finding]:
    """Noise of a magnitude image, added to both channels."""
    image = exam.scans[T1GD]
    inside = sitk.GetArrayViewFromImage(exam.mask) > 0
    values = sitk.GetArrayFromImage(image)
    sigma = share * float(np.median(values[inside]))
    draw = np.random.default_rng(7)
    real, imaginary = (draw.normal(0.0, sigma, values.shape) for _ in range(2))
    noisy = image_on_grid(np.hypot(values + real, imaginary).astype(np.float32), Grid.of(image))
    return [judge_noise(noisy, exam.mask, sequence=T1GD)]


def _enhancement(exam: Exam) -> Finding:
    isotropic = isotropic_grid(exam.mask, RECIPE.resampling)
    mask = resample(exam.mask, isotropic, interpolation="nearest")
    prepared, alone = [], []
    for name in (T1GD, T1):
        image = exam.corrected[name]
        pose = exam.poses[name] if name is not T1GD else _still()
        brain = mask_on_scan(exam.mask, image, pose)
        scale = find_normalization(image, brain, RECIPE.normalization, sequence=name)
        prepared.append(to_isotropic_grid(image, scale, isotropic, mask, RECIPE.resampling, pose))
        alone.append(enhancement_above_white_matter(image, brain))
    return judge_enhancement(*prepared, alone=tuple(alone))


def _still() -> sitk.Transform:
    return sitk.Transform(3, sitk.sitkIdentity)
