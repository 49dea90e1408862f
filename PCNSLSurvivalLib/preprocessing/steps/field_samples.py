"""A smooth field on samples of a volume, and back on all of its voxels; needs numpy and scipy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from PCNSLSurvivalLib.preprocessing.recipe import Triple

Floats = NDArray[np.float64]


def sampled_indices(count: int, factor: int) -> slice:
    """Which voxels of one axis are taken: every ``factor``-th, as many whole steps as fit, in the middle.

    Args:
        count: Voxels along the axis.
        factor: Voxels per sample, from ``recipe.factors_for``.
    """
    samples = count // factor
    first = (count - 1 - factor * (samples - 1)) // 2
    return slice(first, first + factor * (samples - 1) + 1, factor)


def sampled_part(size: Triple, factors: Triple) -> tuple[slice, slice, slice]:
    """The samples of a volume, as an index of its (k, j, i) array.

    Args:
        size: Voxels along i, j, k.
        factors: Voxels per sample along i, j, k.
    """
    i, j, k = (sampled_indices(count, factor) for count, factor in zip(size, factors, strict=True))
    return k, j, i


def sample_affine(affine: Floats, size: Triple, factors: Triple) -> Floats:
    """The (4, 4) matrix from sample index to mm, where ``affine`` goes from voxel index (i, j, k) to mm."""
    taken = sampled_part(size, factors)[::-1]
    step = np.diag([*(float(axis.step) for axis in taken), 1.0])
    step[:3, 3] = [axis.start for axis in taken]
    return np.asarray(affine @ step)


class SampledField:
    """A field known at samples, anywhere between them as cubic splines: exact where it is one cubic piece.

    Args:
        samples_kji: The field at ``sampled_part(size, factors)``.
        size: Voxels of the volume along i, j, k.
        factors: Voxels per sample along i, j, k.
    """

    def __init__(self, samples_kji: Floats, size: Triple, factors: Triple) -> None:
        self._samples = samples_kji
        self._i, self._j, self._k = (_weights(count, factor) for count, factor in zip(size, factors, strict=True))

    def plane(self, k: int) -> Floats:
        """The (J, I) values of the field on the voxels of slice ``k``."""
        return np.asarray(self._j @ np.tensordot(self._k[k], self._samples, 1) @ self._i.T)


def _weights(count: int, factor: int) -> Floats:
    """(count, samples) matrix that takes the samples of one axis to all of its voxels."""
    taken = np.arange(count)[sampled_indices(count, factor)]
    if factor == 1 or len(taken) < 2:
        return np.ones((count, len(taken))) if len(taken) == 1 else np.eye(count)
    return np.asarray(CubicSpline(taken, np.eye(len(taken)))(np.arange(count)))
