"""Are the values of a scan still those that the scanner wrote?

Slices that were scaled one by one, cut off at one brightest value, copied over missing ones, and numbers that wrapped
around still look like a head, and change the answer. Each leaves a trace. Limits, error rates, and which scanners leave
the same trace: docs/decisions/intensities.md.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.geometry import as_float32

SCALED_CHECK = 0.5
"""Share of the slices with the same brightest value, mean or spread."""
_SAME = 0.005
"""Two numbers are the same if they differ by this share or less: whole numbers and JPEG round that much."""
_FULL = 0.2
"""Slices with less than this share of the signal of the fullest one are not compared."""
_FEWEST_SLICES = 8
_WRAP = 65536.0
_WRAPPED_SHARES = (1e-6, 0.01)
"""Of the neighbors: where numbers reach far below the corners, and where they do not, as beside a bright vessel."""

Values = NDArray[np.float32]


def judge_intensities(image: sitk.Image, sequence: MRSequence) -> tuple[Finding, ...]:
    """Look for what programs do to the values of a scan on their way from the scanner.

    Args:
        image: 3-D scalar volume, arbitrary units.
        sequence: Which scan it is.

    Returns:
        Findings "scaled_slices" (share of the slices that have one brightest value, mean or spread),
        "repeated_slices" (number of slices that equal the slice before) and "wrapped_values" (share of neighbors that
        differ by 65536; only this one makes a scan unusable).
    """
    values = sitk.GetArrayFromImage(as_float32(image))
    values -= _at_corners(values)
    absolute = np.abs(values)
    full = [_full(absolute, axis) for axis in range(3)]
    del absolute
    wrapped, scaled, repeated = _share_wrapped(values), _share_scaled(values, full), _count_repeated(values, full)
    judged = (
        (
            "scaled_slices",
            scaled,
            Message("scan.slices_scaled", sequence=sequence) if scaled >= SCALED_CHECK else None,
            Message("scan.slices_unscaled", sequence=sequence),
        ),
        (
            "repeated_slices",
            repeated,
            Message("scan.slices_repeated", sequence=sequence, count=repeated) if repeated else None,
            Message("scan.slices_all_different", sequence=sequence),
        ),
        (
            "wrapped_values",
            wrapped,
            Message("scan.wrapped", sequence=sequence) if wrapped else None,
            Message("scan.numbers_in_order", sequence=sequence),
        ),
    )
    return tuple(
        Finding(
            measure=measure,
            step=Step.READ,
            sequence=sequence,
            verdict=(Verdict.UNUSABLE if measure == "wrapped_values" else Verdict.CHECK) if fault else Verdict.GOOD,
            value=round(float(value), 6),
            unit="",
            message=fault or sound,
        )
        for measure, value, fault, sound in judged
    )


def _at_corners(values: Values) -> np.float32:
    """The value around the head: the middle one of the eight corners, since one may hold a burnt mark."""
    k, j, i = (max(1, size - 1) for size in values.shape)
    middle: np.float32 = np.sort(values[::k, ::j, ::i], axis=None)[3]
    return middle


def _share_scaled(values: Values, full_slices: list[NDArray[np.bool_]]) -> float:
    """Largest share of slices, over three axes, that have one brightest value, mean or spread; the corners are 0."""
    largest, squares = 0.0, values * values
    for axis, full in enumerate(full_slices):
        others = tuple(other for other in range(3) if other != axis)
        if np.count_nonzero(full) < _FEWEST_SLICES:
            continue
        total, square = (np.sum(one, axis=others, dtype=np.float64) for one in (values, squares))
        inside = np.maximum(np.count_nonzero(values, axis=others), 1)
        measures = [values.max(axis=others).astype(float)]
        for count in (values.size / len(inside), inside):
            mean = total / count
            measures += [mean, np.sqrt(np.maximum(square / count - mean**2, 0.0))]
        for measure in measures:
            middle = float(np.median(measure[full]))
            if middle > 0.0:
                largest = max(largest, float((np.abs(measure[full] - middle) <= _SAME * middle).mean()))
    return largest


def _count_repeated(values: Values, full_slices: list[NDArray[np.bool_]]) -> int:
    """Number of full slices that equal the slice before, along the axis with most of them."""
    most = 0
    for axis, full in enumerate(full_slices):
        slices = np.moveaxis(values, axis, 0)
        most = max(most, sum(bool(full[k] and np.array_equal(slices[k], slices[k - 1])) for k in range(1, len(slices))))
    return most


def _full(absolute: Values, axis: int) -> NDArray[np.bool_]:
    """Which slices along an axis hold much signal."""
    signal = absolute.sum(axis=tuple(other for other in range(3) if other != axis), dtype=np.float64)
    full: NDArray[np.bool_] = signal > _FULL * signal.max()
    return full


def _share_wrapped(values: Values) -> float:
    """Share of neighbors that differ by nearly 65536, where signed numbers were read as unsigned ones or inversely.

    Numbers that span more than 16 bits can hold did not wrap at 16 bits.
    """
    low, high = float(values.min()), float(values.max())
    if not 0.75 * _WRAP <= high - low < _WRAP or not np.array_equal(values, np.rint(values)):
        return 0.0
    share = float((np.abs(np.diff(values, axis=2)) > 0.75 * _WRAP).mean())
    return share if share > _WRAPPED_SHARES[0 if low < -0.25 * _WRAP else 1] else 0.0
