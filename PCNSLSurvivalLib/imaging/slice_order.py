"""Do the slices of a scan follow one another? Shuffled and wrongly interleaved ones do not.

In a scan of a body a slice resembles its neighbor more than the slice two further on. Each axis is looked at, since a
file may hold slices of any plane. The slice between the halves of the brain is an exception: its two neighbors are
mirror images of each other, and resemble each other more than they resemble it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.geometry import Grid, as_float32, lps_to_ras, place_in_words

IN_PLANE_MM = 4.0
PLACES_CHECK, DISORDER_UNUSABLE = 1, 0.2
"""Number of places, and share of all places."""
_NEARER = 0.8
"""The slice two further on is nearer than the neighbor, if its difference is this share of the neighbor's or less."""
_FULL = 0.3
"""Slices with less than this share of the usual signal lie beyond the head, where nothing can be compared."""
_FEWEST = 6
_MIDDLE_MM, _MIDDLE_SLICES = 5.0, 1.5
"""How far from the middle between left and right, in mm or slices, a slice may lie between the halves of the brain."""

Slices = NDArray[np.float32]
Steps = NDArray[np.float64]


@dataclass(frozen=True)
class _Disorder:
    """In how many of all places of one axis a slice resembles the slice two further on more than its neighbor."""

    places: int = 0
    of: int = 1
    first: int = 0
    """Index of the slice in the middle of the first such place."""

    @property
    def share(self) -> float:
        return self.places / self.of


def judge_slice_order(image: sitk.Image, sequence: MRSequence) -> Finding:
    """Look along each axis whether the slices are in order.

    Args:
        image: 3-D scalar volume, arbitrary units.
        sequence: Which scan it is.

    Returns:
        The largest share, over the axes, of places where a slice resembles the slice two further on more than its
        neighbor. One place is a reason to check.
    """
    scan = as_float32(image)
    spacing_mm = image.GetSpacing()
    left_right = int(np.argmax(np.abs(image.GetDirection()[:3])))
    found = [
        _disorder(slices, first, spacing_mm[axis] if axis == left_right else None)
        for axis, (slices, first) in enumerate(_slices_along_each_axis(scan))
    ]
    axis = max(range(3), key=lambda axis: (found[axis].share, found[axis].places))
    worst = found[axis]
    verdict, message = Verdict.GOOD, Message("scan.slices_in_order", sequence=sequence)
    if worst.share >= DISORDER_UNUSABLE:
        verdict = Verdict.UNUSABLE
        message = Message("scan.slices_in_disorder", sequence=sequence, places=worst.places, count=worst.of)
    elif worst.places >= PLACES_CHECK:
        verdict = Verdict.CHECK
        place = _place(image, axis, worst.first)
        message = Message(
            "scan.slice_out_of_order", sequence=sequence, places=worst.places, count=worst.of, place=place
        )
    return Finding(
        measure="slice_order",
        step=Step.READ,
        sequence=sequence,
        verdict=verdict,
        value=round(worst.share, 3),
        unit="",
        message=message,
    )


def _place(image: sitk.Image, axis: int, index: int) -> str:
    """Where the middle of a slice lies along the axis of the patient that it follows most nearly, such as "I 30"."""
    grid = Grid.of(image)
    middle = (np.asarray(grid.size) - 1) / 2
    middle[axis] = index
    along = np.abs(np.asarray(grid.direction_lps).reshape(3, 3)[:, axis])
    of_patient = int(np.argmax(along))
    return place_in_words(of_patient, float(lps_to_ras(grid.index_to_lps(middle))[of_patient]))


def _disorder(slices: Slices, first: int, left_right_mm: float | None) -> _Disorder:
    """Where the order is wrong; a slice between the halves of the brain counts only where it is nearly empty.

    Args:
        slices: (n, u, v), see ``_shown``.
        first: Index of the first of them in the scan.
        left_right_mm: Distance of the slices if they follow one another from left to right.
    """
    if len(slices) < _FEWEST:
        return _Disorder()
    neighbor, two_on = _difference(slices, 1), _difference(slices, 2)
    wrong = two_on < _NEARER * np.maximum(neighbor[:-1], neighbor[1:])
    if left_right_mm is not None:
        from_middle = np.abs(np.arange(1, len(slices) - 1) - (len(slices) - 1) / 2)
        between_halves = from_middle <= max(_MIDDLE_SLICES, _MIDDLE_MM / left_right_mm)
        signal = slices.sum(axis=(1, 2))[1:-1]
        wrong &= ~(between_halves & (signal > _FULL * np.median(signal)))
    return _Disorder(int(wrong.sum()), len(wrong), first + 1 + int(np.argmax(wrong)))


def _slices_along_each_axis(scan: sitk.Image) -> list[tuple[Slices, int]]:
    """Slices along i, j and k, see ``_shown``; the scan is gone over twice, since that takes the time."""
    i, j, k = (
        min(size, max(1, round(IN_PLANE_MM / mm))) for mm, size in zip(scan.GetSpacing(), scan.GetSize(), strict=True)
    )
    narrow = sitk.BinShrink(scan, [i, 1, 1])
    shrunk = sitk.BinShrink(scan, [1, j, k]), sitk.BinShrink(narrow, [1, 1, k]), sitk.BinShrink(narrow, [1, j, 1])
    return [_shown(sitk.GetArrayFromImage(image), axis) for axis, image in enumerate(shrunk)]


def _shown(coarse_kji: Slices, axis: int) -> tuple[Slices, int]:
    """(n, u, v) slices along an axis with pixels of about 4 mm, from the first to the last one that shows the head.

    The index of the first comes with them.
    """
    low, high = np.quantile(coarse_kji, (0.05, 0.99))
    slices: Slices = np.moveaxis(np.clip(coarse_kji, low, high) - low, 2 - axis, 0)
    signal = slices.reshape(len(slices), -1).sum(axis=1)
    if not signal.max() > 0:
        return slices[:0], 0
    usual = float(np.median(signal[signal > 0.1 * signal.max()]))
    shown = np.flatnonzero(signal > _FULL * usual)
    return slices[shown[0] : shown[-1] + 1], int(shown[0])


def _difference(slices: Slices, apart: int) -> Steps:
    """Difference of slices some places apart, from 0 to 2, after each was brought to the same mean signal."""
    flat = slices.reshape(len(slices), -1).astype(np.float64)
    flat /= np.maximum(flat.sum(axis=1, keepdims=True), 1e-9)
    share: Steps = np.abs(flat[apart:] - flat[:-apart]).sum(axis=1)
    return share
