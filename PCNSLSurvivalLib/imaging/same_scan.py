"""Whether one scan was given as two sequences, whatever its files are called and in whatever format they are."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict

_SAMPLES = 100_000
_APART = 0.05
"""Share of the spread of intensities by which a copy may break their order, since it may have been rounded anew. Two
registered sequences of one real head break it by more than the spread itself."""


def judge_same_scan(scans: Mapping[MRSequence, sitk.Image]) -> tuple[Finding, ...]:
    """A finding for every pair of sequences that are one scan.

    Args:
        scans: 3-D volumes in canonical voxel order, arbitrary units.
    """
    return tuple(
        Finding(
            measure="same_scan",
            step=Step.READ,
            sequence=sequence,
            verdict=Verdict.UNUSABLE,
            value=None,
            unit="",
            message=Message("scan.same_scan", sequence=sequence, other=other),
        )
        for other, sequence in combinations(scans, 2)
        if same_picture(*(sitk.GetArrayViewFromImage(scans[one]) for one in (other, sequence)))
    )


def same_picture(a_kji: NDArray[np.generic], b_kji: NDArray[np.generic]) -> bool:
    """Whether one volume is the other in another gray scale: with a gain, a window, fewer gray levels or clipped.

    Args:
        a_kji: (k, j, i) voxels, finite; may be a view.
        b_kji: The same, in the same voxel order.
    """
    if a_kji.shape != b_kji.shape:
        return False
    every = max(1, round((a_kji.size / _SAMPLES) ** (1 / 3)))
    a, b = (values[::every, ::every, ::every].astype(np.float64).ravel() for values in (a_kji, b_kji))
    return _follows(a, b) or _follows(b, a)


def _follows(gray: NDArray[np.float64], known: NDArray[np.float64]) -> bool:
    """Whether a brighter voxel in ``known`` is nowhere darker in ``gray``.

    The spread is that of the distinct values: neither padding far below the scan nor a large background decides it.
    """
    low, high = np.quantile(np.unique(gray), (0.05, 0.95))
    in_order = gray[np.argsort(known, kind="stable")]
    darker = np.maximum.accumulate(in_order) - in_order
    return bool(darker.max() < _APART * (high - low))
