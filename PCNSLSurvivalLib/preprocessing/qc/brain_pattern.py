"""Is the pattern of bright and dark tissue that of a T1-weighted brain scan, and is the brain the right way up?

Ventricles, deep gray matter and white matter have their places. They are compared with an average brain after both
were brought to the same center and extent, and after slow changes of brightness were taken out. Dark where bright
belongs means another sequence (T2, or an inverted image); a better fit after turning means wrong axes. Limits and error
rates: docs/decisions/no-head-no-number.md.

The average is coarse: 19 x 19 x 19 cells of the MNI152 2009a T1 template, written by ``Testing/average_brain.py``.
Copyright (C) 1993-2009 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, McGill
University. Permission to use, copy, modify, and distribute the template for any purpose and without fee is granted,
provided that this notice appears in all copies.
"""

from __future__ import annotations

import functools
import itertools
from importlib import resources

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from PCNSLSurvivalLib.core.findings import Finding, judged
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict

AVERAGE = "average_brain.npy"
OUTSIDE = -128
"""What the file holds in cells outside the average brain."""
PATTERN_CHECK, PATTERN_UNUSABLE = 0.18, 0.0
TURNED_CHECK, TURNED_UNUSABLE = -0.06, -0.09
_PATTERN = {
    Verdict.GOOD: Message("brain.tissue_pattern"),
    Verdict.CHECK: Message("brain.weak_tissue_pattern"),
    Verdict.UNUSABLE: Message("brain.no_tissue_pattern"),
}
_ORIENTATION = {
    Verdict.GOOD: Message("brain.orientation"),
    Verdict.CHECK: Message("brain.maybe_turned"),
    Verdict.UNUSABLE: Message("brain.turned"),
}
_FITS = 0.22
"""How well a turned brain must fit before its axes are doubted; other images fit a little better in some pose, too."""
_CELLS = np.linspace(-2.1, 2.1, 19)
"""Places along each axis, in standard deviations of the mask."""
_FINE_MM, _SLOW_MM = 4.0, 20.0
_FEWEST_CELLS = 200

Cells = NDArray[np.float64]


def judge_brain_pattern(
    signal_kji: NDArray[np.float32], inside_kji: NDArray[np.bool_], edge_mm: float
) -> tuple[Finding, ...]:
    """Compare where a brain is bright and dark with the average brain, as it lies and turned.

    Args:
        signal_kji: T1Gd on cells of equal edges, axes toward left, posterior, superior.
        inside_kji: The brain mask on the same cells.
        edge_mm: Edge of a cell.

    Returns:
        Findings ``tissue_pattern`` (rank correlation with the average) and ``orientation`` (this correlation minus the
        best one of all turned and mirrored poses; unusable only where that pose is an error that files make); none for
        a mask that is nearly empty.
    """
    if inside_kji.sum() < _FEWEST_CELLS or not np.argwhere(inside_kji).std(axis=0).all():
        return ()
    cells, inside = pattern_cells(signal_kji, inside_kji, edge_mm)
    average = _average()
    own, turned, kept_axes = -1.0, -1.0, 3
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            steps = tuple(slice(None, None, sign) for sign in signs)
            fit = _agreement(np.transpose(cells, order)[steps], np.transpose(inside, order)[steps], average)
            # Left and right are too much alike to be told apart.
            if order == (0, 1, 2) and signs[:2] == (1, 1):
                own = max(own, fit)
            elif fit > turned:
                turned, kept_axes = fit, sum(axis == place for place, axis in enumerate(order))
    verdict = judged(own, check=PATTERN_CHECK, unusable=PATTERN_UNUSABLE)
    findings = [brain_finding("tissue_pattern", verdict, own, _PATTERN[verdict])]
    lead = own - turned
    verdict = Verdict.GOOD
    if turned >= _FITS:
        verdict = judged(lead, check=TURNED_CHECK, unusable=TURNED_UNUSABLE)
        if verdict is Verdict.UNUSABLE and not _is_error_of_file(kept_axes, own):
            verdict = Verdict.CHECK
    return (*findings, brain_finding("orientation", verdict, lead, _ORIENTATION[verdict]))


def tissue_pattern(signal_kji: NDArray[np.float32], inside_kji: NDArray[np.bool_], edge_mm: float) -> float:
    """Rank correlation of any sequence with the average T1 as it lies; 0 for a mask that is nearly empty.

    Args:
        signal_kji: Scan on cells of equal edges, axes toward left, posterior, superior.
        inside_kji: The brain mask on the same cells.
        edge_mm: Edge of a cell.
    """
    if inside_kji.sum() < _FEWEST_CELLS or not np.argwhere(inside_kji).std(axis=0).all():
        return 0.0
    cells, inside = pattern_cells(signal_kji, inside_kji, edge_mm)
    return max(_agreement(cells[:, :, ::sign], inside[:, :, ::sign], _average()) for sign in (1, -1))


def _is_error_of_file(kept_axes: int, own: float) -> bool:
    """Whether the best pose is upside down or back to front, or has two axes exchanged in a brain that fits poorly.

    Very large ventricles fit better with all three axes exchanged, and now and then with two.
    """
    return kept_axes == 3 or (kept_axes == 1 and own < PATTERN_CHECK)


def pattern_cells(
    signal_kji: NDArray[np.float32], inside_kji: NDArray[np.bool_], edge_mm: float
) -> tuple[Cells, NDArray[np.bool_]]:
    """Signal against its surroundings of 20 mm, in cells that move and stretch with the mask.

    Args:
        signal_kji: Scan on cells of equal edges.
        inside_kji: Mask on the same cells.
        edge_mm: Edge of a cell.

    Returns:
        (19, 19, 19) differences in the unit of ``signal_kji``, and which of the cells lie in the mask.
    """
    low, high = np.quantile(signal_kji[inside_kji], (0.02, 0.98))
    clipped = np.where(inside_kji, np.clip(signal_kji, low, high) - low, 0.0)
    share = inside_kji.astype(np.float64)

    def smoothed(mm: float) -> Cells:
        near: Cells = gaussian_filter(clipped, mm / edge_mm) / np.maximum(gaussian_filter(share, mm / edge_mm), 0.05)
        return near

    local = np.where(inside_kji, smoothed(_FINE_MM) - smoothed(_SLOW_MM), 0.0)
    kji = np.argwhere(inside_kji)
    steps = np.stack(np.meshgrid(_CELLS, _CELLS, _CELLS, indexing="ij"))
    places = steps * kji.std(axis=0)[:, None, None, None] + kji.mean(axis=0)[:, None, None, None]
    return map_coordinates(local, places, order=1), map_coordinates(share, places, order=1) > 0.5


@functools.cache
def _average() -> NDArray[np.int8]:
    with resources.files(__package__).joinpath(AVERAGE).open("rb") as stream:
        stored: NDArray[np.int8] = np.load(stream, allow_pickle=False)
    return stored


def _agreement(cells: Cells, inside: NDArray[np.bool_], average: NDArray[np.int8]) -> float:
    """Rank correlation in the cells that both brains fill; 0 where one of them is uniform."""
    both = inside & (average != OUTSIDE)
    if both.sum() < _FEWEST_CELLS or np.ptp(cells[both]) == 0:
        return 0.0
    return float(np.corrcoef(_ranks(cells[both]), _ranks(average[both]))[0, 1])


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks with ties averaged; scipy.stats has them too, but its import takes longer than the whole check."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(count) - (count - 1) / 2)[place]
    return ranks


def brain_finding(measure: str, verdict: Verdict, value: float, message: Message) -> Finding:
    """A finding on the brain in T1Gd; a value that is infinite or not a number counts as 100."""
    return Finding(
        measure=measure,
        step=Step.BRAIN_EXTRACTION,
        sequence=MRSequence.T1GD,
        verdict=verdict,
        value=round(min(value, 100.0), 3) if np.isfinite(value) else 100.0,
        unit="",
        message=message,
    )
