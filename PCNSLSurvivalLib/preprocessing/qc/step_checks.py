"""Every step judges itself: measures on masks, noise and intensities, each with a verdict and a message.

The limits lie between what sound exams and injected faults give: docs/decisions/quality-limits.md.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.findings import Finding, judged
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.geometry import Grid, box_around, resample
from PCNSLSurvivalLib.preprocessing.qc.adult_brain import judge_adult_brain
from PCNSLSurvivalLib.preprocessing.qc.contrast_agent import ENHANCED_FROM
from PCNSLSurvivalLib.preprocessing.steps.brain_mask import depth_in_head, largest_piece

LARGE_CHECK_ML, LARGE_UNUSABLE_ML = 2050.0, 2500.0
SMALL_CHECK_ML, SMALL_UNUSABLE_ML = 950.0, 600.0
SKIN_DEPTH_MM, SKIN_CHECK, SKIN_UNUSABLE = 3.0, 0.001, 0.04
DEEP_MM, MISSED_CHECK, MISSED_UNUSABLE = 30.0, 0.03, 0.30
APART_CHECK, APART_UNUSABLE = 0.01, 0.20
CUT_CHECK, CUT_UNUSABLE = 0.12, 0.60
SNR_CHECK, SNR_UNUSABLE = 9.0, 4.0
LEVELS_CHECK = 6
UNCOVERED_CHECK, UNCOVERED_UNUSABLE = 0.03, 0.25
ENHANCED_CHECK, SWAPPED = 0.10, -0.50

_ENDS = (
    (Message("word.right"), Message("word.left")),
    (Message("word.front"), Message("word.back")),
    (Message("word.bottom"), Message("word.top")),
)
"""Where a canonical scan begins and ends along i, j, k."""


def judge_brain_mask(mask: sitk.Image, t1gd: sitk.Image, *, stripped: bool) -> tuple[Finding, ...]:
    """Judge an outline of the brain by volume, shape, content, distance from the skin, and what it leaves out.

    Args:
        mask: ``uint8`` on the grid of ``t1gd``.
        t1gd: The scan; a whole head unless ``stripped``.
        stripped: The scan shows no skin, so that only the mask itself and its content are judged.
    """
    findings = [_volume(mask), _pieces(mask), _cut_by_border(mask)]
    findings += judge_adult_brain(mask, t1gd, stripped=stripped)
    if not stripped:
        depth = depth_in_head(t1gd)
        findings += [_near_skin(mask, depth), _missed(mask, depth)]
    return tuple(findings)


def judge_noise(image: sitk.Image, brain_mask: sitk.Image, *, sequence: MRSequence) -> Finding:
    """Signal-to-noise ratio in the brain.

    The noise is the median absolute response of a mask that no plane or slope excites, in every slice
    (Immerkær 1996, doi:10.1006/cviu.1996.0060); the median keeps edges of the anatomy out.

    Args:
        image: Scan as acquired, 3-D ``float32``.
        brain_mask: ``uint8`` on the same grid.
        sequence: Which scan it is.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)[None]
    air = float(np.quantile(sitk.GetArrayViewFromImage(image), 0.001))
    if (box := box_around(brain_mask, 1)) is not None:
        image, brain_mask = box.of(image), box.of(brain_mask)
    response = sitk.Convolution(image, sitk.GetImageFromArray(kernel))
    inside = sitk.GetArrayViewFromImage(brain_mask) > 0
    noise = float(np.median(np.abs(sitk.GetArrayViewFromImage(response)[inside]))) / (0.6745 * 6.0)
    signal = float(np.median(sitk.GetArrayViewFromImage(image)[inside])) - air
    ratio = signal / noise if noise > 0 else 1000.0
    verdict = judged(ratio, check=SNR_CHECK, unusable=SNR_UNUSABLE)
    return Finding(
        measure="signal_to_noise",
        step=Step.READ,
        sequence=sequence,
        verdict=verdict,
        value=round(ratio, 2),
        unit="",
        message=Message(
            "scan.signal_to_noise" if verdict is Verdict.GOOD else "scan.noisy", sequence=sequence, ratio=ratio
        ),
    )


def judge_gray_levels(image: sitk.Image, brain_mask: sitk.Image, *, sequence: MRSequence) -> Finding:
    """How many different values the middle half of the brain's voxels has, by which the brain is normalized.

    Args:
        image: Scan as acquired, 3-D.
        brain_mask: ``uint8`` on the same grid.
        sequence: Which scan it is.
    """
    inside = sitk.GetArrayViewFromImage(image)[sitk.GetArrayViewFromImage(brain_mask) > 0]
    low, high = np.quantile(inside, (0.25, 0.75)) if inside.size else (0.0, 0.0)
    count = len(np.unique(inside[(inside >= low) & (inside <= high)]))
    verdict = Verdict.CHECK if count < LEVELS_CHECK else Verdict.GOOD
    return Finding(
        measure="gray_levels",
        step=Step.READ,
        sequence=sequence,
        verdict=verdict,
        value=float(count),
        unit="",
        message=Message(
            "scan.gray_levels" if verdict is Verdict.GOOD else "scan.few_gray_levels", sequence=sequence, count=count
        ),
    )


def judge_coverage(
    moving: sitk.Image, transform: sitk.Transform, brain_mask: sitk.Image, *, sequence: MRSequence
) -> Finding:
    """How much of the brain of T1Gd another scan does not show.

    Args:
        moving: The registered scan, on its own grid.
        transform: LPS points of T1Gd to LPS points of ``moving``.
        brain_mask: ``uint8`` on the grid of T1Gd.
        sequence: Which scan ``moving`` is.
    """
    shown = sitk.Image(moving.GetSize(), sitk.sitkUInt8) + 1
    shown.CopyInformation(moving)
    seen = resample(shown, Grid.of(brain_mask), interpolation="nearest", transform=transform)
    inside = sitk.GetArrayViewFromImage(brain_mask) > 0
    missing = 1.0 - float(sitk.GetArrayViewFromImage(seen)[inside].mean())
    verdict = judged(missing, check=UNCOVERED_CHECK, unusable=UNCOVERED_UNUSABLE)
    message = Message("registration.whole_brain", sequence=sequence)
    if verdict is not Verdict.GOOD:
        message = Message("registration.uncovered_brain", sequence=sequence, percent=100 * missing)
    return Finding(
        measure="uncovered_brain",
        step=Step.REGISTRATION,
        sequence=sequence,
        verdict=verdict,
        value=round(missing, 4),
        unit="",
        message=message,
    )


def judge_enhancement(t1gd: sitk.Image, t1: sitk.Image, *, alone: tuple[float, float]) -> Finding:
    """Whether T1Gd looks contrast-enhanced compared with T1, or the two were swapped.

    Contrast agent brightens vessels, plexus and tumor: in the difference of the two normalized scans the
    bright tail is longer than the dark one. The measure is (bright + dark) / (bright - dark) of the 99.5 and
    0.5 percentiles: near +1 enhanced, near -1 swapped, near 0 no difference. A stripped scan with a tumor below that
    half percent shows little else that enhances, and noise can take the measure below 0: by itself, only what is
    clearly negative stops a case. Thick slices and a tumor that is dark in T1Gd bring the measure of real pairs nearer
    to 0. What each scan shows by itself then decides: one has contrast agent and the other has not. Where the two
    contradict each other, as with a bleed that is bright in T1, the case goes on with a warning.

    Args:
        t1gd: Prepared T1Gd, 0 outside the brain.
        t1: Prepared T1 on the same grid.
        alone: ``enhancement_above_white_matter`` of T1Gd and of T1.
    """
    a, b = (sitk.SmoothingRecursiveGaussian(image, 1.5) for image in (t1gd, t1))
    inside = sitk.GetArrayViewFromImage(t1gd) != 0
    difference = sitk.GetArrayViewFromImage(a)[inside] - sitk.GetArrayViewFromImage(b)[inside]
    dark, bright = np.quantile(difference - np.median(difference), (0.005, 0.995))
    measure = float((bright + dark) / (bright - dark)) if bright > dark else 0.0
    seen, seen_in_t1 = (value >= ENHANCED_FROM for value in alone)
    only_in_t1gd, only_in_t1 = seen and not seen_in_t1, seen_in_t1 and not seen
    if measure >= ENHANCED_CHECK or (only_in_t1gd and measure > SWAPPED):
        verdict, message = Verdict.GOOD, Message("enhancement.good")
    elif only_in_t1 or (measure <= SWAPPED and not only_in_t1gd):
        verdict, message = Verdict.UNUSABLE, Message("enhancement.swapped")
    else:
        verdict, message = Verdict.CHECK, Message("enhancement.hardly")
    return Finding(
        measure="enhancement",
        step=Step.NORMALIZATION,
        sequence=MRSequence.T1GD,
        verdict=verdict,
        value=round(measure, 3),
        unit="",
        message=message,
    )


def _volume(mask: sitk.Image) -> Finding:
    volume = Grid.of(mask).voxel_volume_ml * float(np.count_nonzero(sitk.GetArrayViewFromImage(mask)))
    small = judged(volume, check=SMALL_CHECK_ML, unusable=SMALL_UNUSABLE_ML)
    large = judged(volume, check=LARGE_CHECK_ML, unusable=LARGE_UNUSABLE_ML)
    verdict = large if small is Verdict.GOOD else small
    message = Message("brain.volume", ml=volume)
    if verdict is not Verdict.GOOD:
        message = Message("brain.too_large" if small is Verdict.GOOD else "brain.too_small", ml=volume)
    return Finding(
        measure="brain_volume",
        step=Step.BRAIN_EXTRACTION,
        sequence=None,
        verdict=verdict,
        value=round(volume, 1),
        unit="mL",
        message=message,
    )


def _pieces(mask: sitk.Image) -> Finding:
    inside = sitk.GetArrayViewFromImage(mask) > 0
    largest = largest_piece(inside)
    share = 1.0 if largest is None else 1.0 - float(largest.sum()) / float(np.count_nonzero(inside))
    verdict = judged(share, check=APART_CHECK, unusable=APART_UNUSABLE)
    message = Message("brain.one_piece")
    if verdict is not Verdict.GOOD:
        message = Message("brain.apart", percent=100 * share)
    return Finding(
        measure="mask_pieces",
        step=Step.BRAIN_EXTRACTION,
        sequence=None,
        verdict=verdict,
        value=round(share, 4),
        unit="",
        message=message,
    )


def _cut_by_border(mask: sitk.Image) -> Finding:
    """The brain's section on the border of the scan, as a share of its largest section along that axis."""
    inside = sitk.GetArrayViewFromImage(mask) > 0
    worst, side = 0.0, _ENDS[0][0]
    for axis, ends in zip((2, 1, 0), _ENDS, strict=True):
        sections = inside.sum(axis=tuple(other for other in range(3) if other != axis))
        for end, area in zip(ends, (sections[0], sections[-1]), strict=True):
            if area / max(sections.max(), 1) > worst:
                worst, side = float(area / sections.max()), end
    verdict = judged(worst, check=CUT_CHECK, unusable=CUT_UNUSABLE)
    message = Message("brain.inside_scan")
    if verdict is not Verdict.GOOD:
        message = Message("brain.cut_off", side=side, percent=100 * worst)
    return Finding(
        measure="brain_cut",
        step=Step.BRAIN_EXTRACTION,
        sequence=MRSequence.T1GD,
        verdict=verdict,
        value=round(worst, 3),
        unit="",
        message=message,
    )


def _near_skin(mask: sitk.Image, depth: sitk.Image) -> Finding:
    if (box := box_around(mask)) is not None:
        mask = box.of(mask)
    here = resample(depth, Grid.of(mask), outside=100.0)
    inside = sitk.GetArrayViewFromImage(mask) > 0
    share = float((sitk.GetArrayViewFromImage(here)[inside] < SKIN_DEPTH_MM).mean()) if inside.any() else 1.0
    verdict = judged(share, check=SKIN_CHECK, unusable=SKIN_UNUSABLE)
    message = Message("brain.away_from_skin")
    if verdict is not Verdict.GOOD:
        message = Message("brain.near_skin", percent=100 * share, mm=SKIN_DEPTH_MM)
    return Finding(
        measure="mask_near_skin",
        step=Step.BRAIN_EXTRACTION,
        sequence=None,
        verdict=verdict,
        value=round(share, 4),
        unit="",
        message=message,
    )


def _missed(mask: sitk.Image, depth: sitk.Image) -> Finding:
    """Places deep in the upper head that the mask leaves out: above the brain's middle there is only brain.

    Deep is far from the skin and from the end of the scan alike: a block that ends in the vertex shows skull there.
    """
    grid = Grid.of(depth)
    share_image = resample(sitk.Cast(mask, sitk.sitkFloat32), grid)
    shown = sitk.Image(mask.GetSize(), sitk.sitkUInt8) + 1
    shown.CopyInformation(mask)
    scanned = sitk.And(resample(shown, grid, interpolation="nearest"), sitk.Cast(depth > 0, sitk.sitkUInt8))
    below = sitk.SignedMaurerDistanceMap(scanned, insideIsPositive=True, squaredDistance=False, useImageSpacing=True)
    deep = sitk.GetArrayViewFromImage(below) > DEEP_MM
    k = np.arange(deep.shape[0])
    top = int(k[deep.any(axis=(1, 2))].max(initial=0))
    # The highest 45 mm of the deep places: skull base, face and neck lie lower.
    upper = k >= top - round(45.0 / grid.spacing_mm[2])
    judged_here = deep & upper[:, None, None]
    left_out = sitk.GetArrayViewFromImage(share_image)[judged_here] < 0.5
    share = float(left_out.mean()) if left_out.size else 0.0
    verdict = judged(share, check=MISSED_CHECK, unusable=MISSED_UNUSABLE)
    message = Message("brain.holds_deep")
    if verdict is not Verdict.GOOD:
        message = Message("brain.missed", percent=100 * share)
    return Finding(
        measure="mask_missed",
        step=Step.BRAIN_EXTRACTION,
        sequence=None,
        verdict=verdict,
        value=round(share, 4),
        unit="",
        message=message,
    )
