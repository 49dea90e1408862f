"""Does an outline look like the brain of an adult human on an MR scan at all?

The networks that outline the brain answer for every object: a fruit, a phantom or a knee gets an outline as well. The
outline of such an object is too round, has the wrong proportions, or is the same in front and behind; a phantom shows
no tissue contrast; on CT, bone outshines the brain. Limits and error rates: docs/decisions/no-head-no-number.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.findings import Finding, judged
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import Verdict
from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.preprocessing.qc.brain_pattern import brain_finding, judge_brain_pattern

_EDGE_MM = 4.0
_FEWEST_CELLS = 200
SHAPE_CHECK, SHAPE_UNUSABLE = 1.3, 1.7
CONTRAST_CHECK, CONTRAST_UNUSABLE = 0.07, 0.05
SKULL_CHECK, SKULL_UNUSABLE = 1.8, 2.4

Points = NDArray[np.float64]


@dataclass(frozen=True)
class _Feature:
    """One number of an outline, and where it lies in adults."""

    name: Message
    low: float
    high: float

    def deviation(self, value: float) -> float:
        """Distance from the middle of the adult range, over half its width."""
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        return abs(value - middle) / half if np.isfinite(value) else np.inf


_FEATURES = (
    _Feature(Message("shape.size"), 28.0, 38.5),
    _Feature(Message("shape.width_to_length"), 0.68, 0.96),
    _Feature(Message("shape.height_to_length"), 0.62, 0.96),
    _Feature(Message("shape.roundness"), 0.855, 0.925),
    _Feature(Message("shape.front_back"), -0.31, -0.11),
    _Feature(Message("shape.left_right"), -0.08, 0.08),
    _Feature(Message("shape.head_foot"), -0.24, 0.12),
)
"""Standard deviation of the voxel positions in mm (geometric mean of three axes), their ratios, the overlap (Dice) with
the ellipsoid of the same second moments, and the skewness toward posterior, left and superior."""


def judge_adult_brain(mask: sitk.Image, t1gd: sitk.Image, *, stripped: bool) -> tuple[Finding, ...]:
    """Judge shape and content of a brain mask: could this be the brain of an adult on an MR scan?

    Args:
        mask: ``uint8`` on the grid of ``t1gd``, voxel axes toward left, posterior, superior.
        t1gd: The scan, arbitrary units.
        stripped: The scan shows no skull, so that the signal around the brain is not judged.
    """
    grid = Grid.of(mask).with_spacing((_EDGE_MM,) * 3)
    share = resample(sitk.Cast(mask, sitk.sitkFloat32), grid)
    coarse = sitk.Cast(share > 0.5, sitk.sitkUInt8)
    depth = sitk.SignedMaurerDistanceMap(coarse, insideIsPositive=True, squaredDistance=False, useImageSpacing=True)
    air = float(np.quantile(sitk.GetArrayViewFromImage(t1gd), 0.001))
    signal = resample(sitk.Cast(t1gd, sitk.sitkFloat32), grid, outside=air)
    depth_kji, signal_kji = sitk.GetArrayFromImage(depth), sitk.GetArrayFromImage(signal)
    inside_kji = sitk.GetArrayViewFromImage(coarse) > 0
    findings = [_shape(grid, inside_kji), _contrast(signal_kji, depth_kji)]
    findings += judge_brain_pattern(signal_kji, inside_kji, _EDGE_MM)
    if not stripped:
        findings.append(_skull(signal_kji, depth_kji))
    return tuple(findings)


def shape_of(grid: Grid, inside_kji: NDArray[np.bool_]) -> tuple[float, ...]:
    """The numbers of ``_FEATURES`` of an outline on a coarse grid, in their order; NaN for one that is nearly empty.

    Args:
        grid: Cells of equal edges; axes toward left, posterior, superior.
        inside_kji: The outline.
    """
    kji = np.argwhere(inside_kji)
    if len(kji) < _FEWEST_CELLS:
        return (float("nan"),) * len(_FEATURES)
    points: Points = kji[:, ::-1] * np.asarray(grid.spacing_mm)
    center, deviation = points.mean(axis=0), points.std(axis=0)
    if not deviation.all():
        return (float("nan"),) * len(_FEATURES)
    standard = (points - center) / deviation
    left, posterior, superior = (standard**3).mean(axis=0)
    width, length, height = deviation
    # A solid ellipsoid fills the places within sqrt(5) standard deviations of its middle.
    within = float(((standard**2).sum(axis=1) < 5.0).sum())
    ellipsoid = 4.0 / 3.0 * np.pi * 5.0**1.5 * float(np.prod(deviation)) / float(np.prod(grid.spacing_mm))
    overlap = 2.0 * within / (len(kji) + ellipsoid)
    size = float(np.prod(deviation)) ** (1 / 3)
    numbers = (size, width / length, height / length, overlap, posterior, left, superior)
    return tuple(float(number) for number in numbers)


def _shape(grid: Grid, inside_kji: NDArray[np.bool_]) -> Finding:
    numbers = shape_of(grid, inside_kji)
    deviations = [feature.deviation(number) for feature, number in zip(_FEATURES, numbers, strict=True)]
    worst = int(np.argmax(deviations))
    value, feature = deviations[worst], _FEATURES[worst]
    verdict = judged(value, check=SHAPE_CHECK, unusable=SHAPE_UNUSABLE)
    message = Message("brain.adult_shape")
    if verdict is Verdict.CHECK:
        message = Message("brain.unusual_shape", feature=feature.name)
    elif verdict is Verdict.UNUSABLE:
        message = Message("brain.no_adult_shape", feature=feature.name)
    return brain_finding("brain_shape", verdict, value, message)


def _contrast(signal_kji: NDArray[np.float32], depth_kji: NDArray[np.float32]) -> Finding:
    """Spread of the signal deep in the mask over its median above the air: gray and white matter and fluid differ."""
    inside = signal_kji[depth_kji > _EDGE_MM]
    value = 0.0
    if inside.size:
        quartiles = np.quantile(inside, (0.05, 0.5, 0.95))
        above_air = float(quartiles[1]) - float(np.quantile(signal_kji, 0.01))
        value = float(quartiles[2] - quartiles[0]) / (2 * 1.645 * above_air) if above_air > 0 else 0.0
    verdict = judged(value, check=CONTRAST_CHECK, unusable=CONTRAST_UNUSABLE)
    message = Message("brain.tissue_contrast")
    if verdict is not Verdict.GOOD:
        message = Message("brain.no_tissue_contrast")
    return brain_finding("tissue_contrast", verdict, value, message)


def _skull(signal_kji: NDArray[np.float32], depth_kji: NDArray[np.float32]) -> Finding:
    """Signal of the skull around the upper half of the brain over that of the brain: dark on MR, bright on CT."""
    middle = np.argwhere(depth_kji > 0)[:, 0].mean() if (depth_kji > 0).any() else 0.0
    upper = (np.arange(len(depth_kji)) > middle)[:, None, None]
    ring = signal_kji[upper & (depth_kji < 0) & (depth_kji >= -6.0)]
    brain = signal_kji[depth_kji > _EDGE_MM]
    value = 0.0
    if ring.size and brain.size:
        air = float(np.quantile(signal_kji, 0.01))
        above_air = float(np.median(brain)) - air
        value = (float(np.median(ring)) - air) / above_air if above_air > 0 else 100.0
    verdict = judged(value, check=SKULL_CHECK, unusable=SKULL_UNUSABLE)
    message = Message("brain.dark_skull")
    if verdict is not Verdict.GOOD:
        message = Message("brain.bright_skull", times=value)
    return brain_finding("skull_signal", verdict, value, message)
