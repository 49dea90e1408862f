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

_SAMPLES = 500_000
_APART = 0.01
"""Share of the intensity range by which no voxel of a copy differs. A copy in 256 gray levels differs by 0.002, and of
two registered sequences of one real head most voxels differ by more."""


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
    """Whether two volumes hold the same picture, up to a gain and an offset of the intensities.

    Args:
        a_kji: (k, j, i) voxels, finite; may be a view.
        b_kji: The same, in the same voxel order.
    """
    if a_kji.shape != b_kji.shape:
        return False
    every = max(1, round((a_kji.size / _SAMPLES) ** (1 / 3)))
    a, b = (values[::every, ::every, ::every].astype(np.float64).ravel() for values in (a_kji, b_kji))
    a, b = a - a.mean(), b - b.mean()
    spread = float(a @ a)
    if spread == 0:
        return False
    apart = np.abs(b - (a @ b) / spread * a).max()
    low, high = np.quantile(b, (0.005, 0.995))
    return bool(apart < _APART * (high - low))
