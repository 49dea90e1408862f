"""N4 on the voxels of a regular grid, where its B-spline fit falls apart into one small matrix per axis.

The algorithm, its constants and its order are those of ITK's ``N4BiasFieldCorrectionImageFilter``. ITK fits scattered
points, each with 64 control points around it; the weights of voxels on a grid are products of three numbers, so that
sums over all voxels become products with three matrices. The same field comes out, about twenty times sooner.

References:
    Tustison et al., N4ITK: Improved N3 Bias Correction, IEEE TMI 29(6), 2010. doi:10.1109/TMI.2010.2046908
    Lee, Wolberg and Shin, Scattered data interpolation with multilevel B-splines, IEEE TVCG 3(3), 1997.
    doi:10.1109/2945.620490
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.preprocessing.recipe import BiasFieldStep, Triple

Floats = NDArray[np.float64]
_Real = TypeVar("_Real", bound=np.floating[Any])

_ORDER = 3
_FULL_WIDTH_AT_HALF_MAXIMUM = 0.15
"""Of the blur, in the logarithm of the intensity, that is taken out of the histogram; ITK's default."""
_WIENER_NOISE = 0.01
"""ITK's default."""
_END_OF_GRID = 1e-3
"""How far before the end of the last span its end is evaluated, as in ITK."""
_SLICES_AT_ONCE = 32
"""Of the field: enough for fast products, few enough that no second volume is held."""


class LogBiasField:
    """A sum of B-spline fields over one block, each on its own lattice; evaluated at any number of voxels.

    Args:
        lattices_kji: One (K, J, I) array of cubic control points for each level of the fit.
    """

    def __init__(self, lattices_kji: list[Floats]) -> None:
        self._lattices = lattices_kji

    def on(self, size: Triple) -> NDArray[np.float32]:
        """(k, j, i) ``float32`` logarithm of the field on a grid of ``size`` voxels along i, j, k over the block."""
        terms = []
        for lattice in self._lattices:
            k, j, i = (_basis(n, p).astype(np.float32) for n, p in zip(size[::-1], lattice.shape, strict=True))
            terms.append((k, j @ (lattice.astype(np.float32) @ i.T)))
        field = np.empty(size[::-1], np.float32)
        for first in range(0, size[2], _SLICES_AT_ONCE):
            part = slice(first, first + _SLICES_AT_ONCE)
            field[part] = sum(np.tensordot(k[part], planes, axes=1) for k, planes in terms)
        return field


def fit_log_bias_field(values_kji: Floats, inside: NDArray[np.bool_], step: BiasFieldStep) -> LogBiasField:
    """Fit the logarithm of the smooth factor that blurs the histogram of a scan.

    Args:
        values_kji: (k, j, i) intensities, above 0 wherever ``inside`` is set.
        inside: Where the fit looks, same shape; at least one voxel.
        step: Parameters of the recipe.

    Returns:
        The field; not finite where the voxels allow no fit.
    """
    measured = np.log(values_kji[inside])
    field, lattices = np.zeros_like(measured), []
    for level, most in enumerate(step.iterations):
        # Every level halves the spans of the one before.
        i, j, k = ((points - _ORDER) * 2**level + _ORDER for points in step.control_points)
        fit = _LatticeFit(inside, (k, j, i))
        lattice, of_coarser_levels = np.zeros((k, j, i)), field
        for _ in range(most):
            logarithm = measured - field
            lattice += fit.control_points(logarithm - _sharpened(logarithm, step.histogram_bins))
            before, field = field, of_coarser_levels + fit.values(lattice)
            if not _variation(np.exp(before - field)) > step.convergence_threshold:
                break
        lattices.append(lattice)
    return LogBiasField(lattices)


class _LatticeFit:
    """Between values at some voxels of a block and the control points of one lattice over it."""

    def __init__(self, inside: NDArray[np.bool_], points_kji: Triple) -> None:
        self._inside = inside
        self._axes = [_basis(count, points) for count, points in zip(inside.shape, points_kji, strict=True)]
        k, j, i = ((axis**2).sum(axis=1) for axis in self._axes)
        self._squares = (k[:, None, None] * j[:, None] * i)[inside]
        self._seen = _along_axes(inside.astype(float), [axis.T**2 for axis in self._axes])

    def control_points(self, values: Floats) -> Floats:
        """The (K, J, I) control points that approximate values, one for each voxel inside (Lee et al. 1997)."""
        spread = np.zeros(self._inside.shape)
        spread[self._inside] = values / self._squares
        sums = _along_axes(spread, [axis.T**3 for axis in self._axes])
        return np.divide(sums, self._seen, out=np.zeros_like(sums), where=self._seen > 0)

    def values(self, lattice_kji: Floats) -> Floats:
        """What a lattice gives at the voxels inside."""
        return _along_axes(lattice_kji, self._axes)[self._inside]


def _sharpened(logarithm: Floats, bins: int) -> Floats:
    """The logarithms expected before the blur of their histogram, which is taken out by Wiener deconvolution."""
    low, high = float(logarithm.min()), float(logarithm.max())
    width = (high - low) / (bins - 1)
    if not width > 0:
        return logarithm
    place = (logarithm - low) / width
    left = np.minimum(place.astype(np.intp), bins - 2)
    share = place - left
    counts = np.bincount(left, 1 - share, bins) + np.bincount(left + 1, share, bins)

    size = 2 ** (math.ceil(math.log2(bins)) + 1)
    first = (size - bins) // 2
    padded = np.zeros(size)
    padded[first : first + bins] = counts
    steps = np.minimum(np.arange(size), size - np.arange(size))
    sigma = _FULL_WIDTH_AT_HALF_MAXIMUM / width / math.sqrt(8 * math.log(2))
    blur = np.fft.rfft(np.exp(-0.5 * (steps / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))).real
    sharp = np.maximum(np.fft.irfft(np.fft.rfft(padded) * blur / (blur**2 + _WIENER_NOISE), size), 0.0)
    centers = low + (np.arange(size) - first) * width
    above, below = (np.fft.irfft(np.fft.rfft(part) * blur, size) for part in (centers * sharp, sharp))
    expected = np.divide(above, below, out=np.zeros(size), where=below != 0)[first : first + bins]
    return np.asarray(expected[left] + (expected[left + 1] - expected[left]) * share)


def _variation(values: Floats) -> float:
    """Coefficient of variation, with the sample's standard deviation."""
    mean = float(values.mean())
    return math.sqrt(float(((values - mean) ** 2).sum()) / max(values.size - 1, 1)) / mean


def _basis(count: int, points: int) -> Floats:
    """(count, points) weights of the control points of one axis at voxels that lie evenly from its start to its end."""
    spans = points - _ORDER
    place = np.linspace(0.0, spans, count)
    place[place > spans - _END_OF_GRID] = spans - _END_OF_GRID
    first = place.astype(np.intp)
    u = place - first
    weights = np.zeros((count, points))
    pieces = ((1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3)
    for number, piece in enumerate(pieces):
        weights[np.arange(count), first + number] = piece / 6
    return weights


def _along_axes(array_kji: NDArray[_Real], matrices: list[NDArray[_Real]]) -> NDArray[_Real]:
    """Multiply every axis of an array with a matrix of its own."""
    k, j, i = matrices
    return np.asarray(np.tensordot(k, j @ (array_kji @ i.T), axes=1))
