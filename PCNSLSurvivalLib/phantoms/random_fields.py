"""Random numbers with names, and smooth random fields: everything individual is drawn from these."""

from __future__ import annotations

import zlib
from typing import cast

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, resample


def stream(seed: int, *names: str) -> np.random.Generator:
    """A random generator of its own for each purpose, so that a new draw in one never moves the others."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def smooth_noise(
    grid: Grid, generator: np.random.Generator, *, scale_mm: float, cubic: bool = False
) -> NDArray[np.float32]:
    """Gaussian noise that varies over about ``scale_mm``: mean 0, standard deviation about 1.

    Args:
        grid: Axis-aligned grid to fill.
        generator: Source of the numbers.
        scale_mm: Distance of the random knots between which the field is interpolated.
        cubic: Cubic B-spline instead of linear interpolation; smoother and slower.

    Returns:
        (K, J, I) field on ``grid``.
    """
    knots = grid.with_spacing((scale_mm, scale_mm, scale_mm))
    i, j, k = (n + 3 for n in knots.size)
    origin = knots.index_to_lps(np.array([-1.0, -1.0, -1.0]))
    coarse = Grid((i, j, k), knots.spacing_mm, (origin[0], origin[1], origin[2]), knots.direction_lps)
    values = generator.standard_normal((k, j, i)).astype(np.float32)
    image = resample(image_on_grid(values, coarse), grid, interpolation="bspline" if cubic else "linear")
    # Linear interpolation between independent knots keeps (2/3)^3 of their variance on average.
    gain = 1.0 if cubic else (2.0 / 3.0) ** -1.5
    return cast(NDArray[np.float32], sitk.GetArrayFromImage(image) * np.float32(gain))
