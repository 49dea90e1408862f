"""Random numbers with names, and smooth random fields: everything individual is drawn from these."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.imaging.geometry import Grid

Volume = NDArray[np.float32]


def stream(seed: int, *names: str) -> np.random.Generator:
    """A random generator of its own for each purpose, so that a new draw in one never moves the others."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def smooth_noise(grid: Grid, generator: np.random.Generator, *, scale_mm: float, cubic: bool = False) -> Volume:
    """Gaussian noise that varies over about ``scale_mm``: mean 0, standard deviation about 1.

    Args:
        grid: Axis-aligned grid to fill.
        generator: Source of the numbers.
        scale_mm: Distance of the random knots between which the field is interpolated.
        cubic: Cubic B-spline instead of linear interpolation: smooth, without creases at the knots.

    Returns:
        (K, J, I) field on ``grid``.
    """
    knots = grid.with_spacing((scale_mm, scale_mm, scale_mm))
    i, j, k = (n + 4 for n in knots.size)
    origin = knots.index_to_lps(np.array([-2.0, -2.0, -2.0]))
    coarse = Grid((i, j, k), knots.spacing_mm, (origin[0], origin[1], origin[2]), knots.direction_lps)
    values = generator.standard_normal((k, j, i)).astype(np.float32)
    # Mean of the squared weights of one axis: what interpolation leaves of the variance between the knots.
    kept = 151.0 / 315.0 if cubic else 2.0 / 3.0
    return refine(values, coarse, grid, cubic=cubic) * np.float32(kept**-1.5)


def refine(values_kji: Volume, coarse: Grid, fine: Grid, *, cubic: bool = False) -> Volume:
    """Interpolate between two grids along the same axes, one axis after the other: faster than resampling.

    Args:
        values_kji: (K, J, I) values on ``coarse``; with ``cubic`` they are B-spline coefficients.
        coarse, fine: Grids with the same directions.
        cubic: Cubic B-spline instead of linear interpolation.

    Returns:
        (K, J, I) values on ``fine``.
    """
    result = values_kji
    # The slow axes come last, when whole rows and slices are moved at once.
    for axis, array_axis in ((0, 2), (1, 1), (2, 0)):
        index = np.zeros((fine.size[axis], 3))
        index[:, axis] = np.arange(fine.size[axis])
        along: NDArray[np.float64] = coarse.lps_to_index(fine.index_to_lps(index))[:, axis]
        result = _along(result, array_axis, along, cubic=cubic)
    return result


def _along(values: Volume, axis: int, index: NDArray[np.float64], *, cubic: bool) -> Volume:
    """Interpolate one axis at continuous indices; beyond the ends the outermost value goes on."""
    count = values.shape[axis]
    first = np.floor(index).astype(int)
    shape = [1, 1, 1]
    shape[axis] = len(index)
    total: Volume | None = None
    for step in (-1, 0, 1, 2) if cubic else (0, 1):
        gap = np.abs(index - (first + step))
        weight = _weight(gap, cubic=cubic).astype(np.float32).reshape(shape)
        part = np.take(values, np.clip(first + step, 0, count - 1), axis=axis)
        part *= weight
        total = part if total is None else np.add(total, part, out=total)
    assert total is not None
    return total


def _weight(gap: NDArray[np.float64], *, cubic: bool) -> NDArray[np.float64]:
    if not cubic:
        return np.maximum(1.0 - gap, 0.0)
    near = 2.0 / 3.0 - gap**2 + gap**3 / 2.0
    return np.where(gap < 1.0, near, np.maximum(2.0 - gap, 0.0) ** 3 / 6.0)
