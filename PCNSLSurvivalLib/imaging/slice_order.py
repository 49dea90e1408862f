"""Do the slices of a scan follow one another? Shuffled and wrongly interleaved ones do not.

In a scan of a body a slice resembles the next one more than the one after next. Each axis is looked at, since a file
may hold slices of any plane.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.findings import Finding, judged
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict

IN_PLANE_MM = 4.0
DISORDER_CHECK, DISORDER_UNUSABLE = 0.005, 0.2
_NEARER = 0.8
"""The slice after next is nearer than the next one, if its difference is this share of the next one's or less."""
_FULL = 0.3
"""Slices with less than this share of the usual signal lie beyond the head, where nothing can be compared."""
_FEWEST = 6

Slices = NDArray[np.float32]
Steps = NDArray[np.float64]


def judge_slice_order(image: sitk.Image, sequence: MRSequence) -> Finding:
    """Look along each axis whether the slices are in order.

    Args:
        image: 3-D scalar volume, arbitrary units.
        sequence: Which scan it is.

    Returns:
        The largest share, over the axes, of places where a slice is nearer to the one after next than to the next.
    """
    disorder = max(_disorder(_slices(image, axis)) for axis in range(3))
    verdict = judged(disorder, check=DISORDER_CHECK, unusable=DISORDER_UNUSABLE)
    message = Message("scan.slices_in_disorder", sequence=sequence, percent=100 * disorder)
    if verdict is Verdict.GOOD:
        message = Message("scan.slices_in_order", sequence=sequence)
    return Finding(
        measure="slice_order",
        step=Step.READ,
        sequence=sequence,
        verdict=verdict,
        value=round(disorder, 3),
        unit="",
        message=message,
    )


def _disorder(slices: Slices) -> float:
    if len(slices) < _FEWEST:
        return 0.0
    next_one, after_next = _difference(slices, 1), _difference(slices, 2)
    return float((after_next < _NEARER * np.maximum(next_one[:-1], next_one[1:])).mean())


def _slices(image: sitk.Image, axis: int) -> Slices:
    """(n, u, v) slices along an axis with pixels of about 4 mm, from the first to the last one that shows the head."""
    edges = [1 if own == axis else max(1, round(IN_PLANE_MM / mm)) for own, mm in enumerate(image.GetSpacing())]
    edges = [min(edge, size) for edge, size in zip(edges, image.GetSize(), strict=True)]
    coarse = sitk.GetArrayFromImage(sitk.BinShrink(sitk.Cast(image, sitk.sitkFloat32), edges))
    low, high = np.quantile(coarse, (0.05, 0.99))
    slices: Slices = np.moveaxis(np.clip(coarse, low, high) - low, 2 - axis, 0)
    signal = slices.reshape(len(slices), -1).sum(axis=1)
    if not signal.max() > 0:
        return slices[:0]
    usual = float(np.median(signal[signal > 0.1 * signal.max()]))
    shown = np.flatnonzero(signal > _FULL * usual)
    return slices[shown[0] : shown[-1] + 1]


def _difference(slices: Slices, apart: int) -> Steps:
    """Difference of slices some places apart, from 0 to 2, after each was brought to the same mean signal."""
    flat = slices.reshape(len(slices), -1).astype(np.float64)
    flat /= np.maximum(flat.sum(axis=1, keepdims=True), 1e-9)
    share: Steps = np.abs(flat[apart:] - flat[:-apart]).sum(axis=1)
    return share
