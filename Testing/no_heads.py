"""Objects that are no adult human head, as MR scans: fruit, scanner phantoms, a knee, a spine, noise.

Made, not measured: spheres, cylinders and shells of tissue-like signal with Rician noise, as large as a head.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid

Volume = NDArray[np.float64]


def _sphere(i: Volume, j: Volume, k: Volume, _: Volume) -> Volume:
    return 600.0 * (i**2 + j**2 + k**2 < 80**2)


def _cylinder(i: Volume, j: Volume, k: Volume, _: Volume) -> Volume:
    return 600.0 * ((np.hypot(i, j) < 85) & (abs(k) < 80))


def _resolution_phantom(i: Volume, j: Volume, k: Volume, _: Volume) -> Volume:
    holes = sum((np.hypot(i - x, j - y) < 14) * (abs(k) < 50) for x in (-40, 0, 40) for y in (-40, 0, 40))
    return _cylinder(i, j, k, _) - 400.0 * (holes > 0)


def _orange(i: Volume, j: Volume, k: Volume, _: Volume) -> Volume:
    radius, turn = np.sqrt(i**2 + j**2 + k**2), np.arctan2(j, i)
    wall = (np.abs((10 * turn / (2 * np.pi)) % 1 - 0.5) > 0.46) | (np.hypot(i, j) < 8)
    flesh = np.where(wall, 150.0, 500 + 60 * np.sin(k / 5) * np.cos(8 * turn))
    return np.select([radius < 78, radius < 84, radius < 90], [flesh, 60.0, 350.0], 0.0)


def _watermelon(i: Volume, j: Volume, k: Volume, texture: Volume) -> Volume:
    depth = np.sqrt((i / 66) ** 2 + (j / 82) ** 2 + (k / 62) ** 2)
    return np.select([depth < 1, depth < 1.1, depth < 1.2], [500 + 60 * texture, 180.0, 420.0], 0.0)


def _pineapple(i: Volume, j: Volume, k: Volume, texture: Volume) -> Volume:
    inside = np.sqrt((i / 60) ** 2 + (j / 60) ** 2 + (k / 90) ** 2) < 1
    return np.where(inside, 400 + 120 * texture + 200 * (np.hypot(i, j) < 12), 0.0)


def _knee(i: Volume, j: Volume, k: Volume, _: Volume) -> Volume:
    leg, bone, radius = np.hypot(i, j), np.hypot(i, j - 10), 28 + 14 * np.exp(-((k / 25) ** 2))
    marrow = np.where(abs(k) < 4, 150.0, 620.0)
    inner = np.select([bone < radius, bone < radius + 4], [marrow, 60.0], 260.0)
    return np.select([leg < 62, leg < 75], [inner, 700.0], 0.0)


def _spine(i: Volume, j: Volume, k: Volume, _: Volume) -> Volume:
    body = np.hypot(i / 105, j / 85)
    vertebra = np.where(np.abs(k % 35 - 17) < 4, 180.0, 550.0)
    inner = np.select([np.hypot(i, j - 40) < 7, np.hypot(i, j - 10) < 20], [400.0, vertebra], 250.0)
    return np.select([body < 0.85, body < 1], [inner, 700.0], 0.0)


def _layered_ellipsoid(i: Volume, j: Volume, k: Volume, texture: Volume) -> Volume:
    depth = np.sqrt((i / 66) ** 2 + (j / 82) ** 2 + (k / 62) ** 2)
    return np.select([depth < 1, depth < 1.12, depth < 1.25], [500 + 130 * texture, 60.0, 700.0], 0.0)


def _nothing(i: Volume, _: Volume, __: Volume, ___: Volume) -> Volume:
    return 0.0 * i


NO_HEADS: dict[str, Callable[[Volume, Volume, Volume, Volume], Volume]] = {
    "spherical phantom": _sphere,
    "cylindrical phantom": _cylinder,
    "resolution phantom": _resolution_phantom,
    "orange": _orange,
    "watermelon": _watermelon,
    "pineapple": _pineapple,
    "knee": _knee,
    "spine": _spine,
    "layered ellipsoid": _layered_ellipsoid,
    "noise": _nothing,
}


def no_head(name: str, *, spacing_mm: float = 1.5, seed: int = 5) -> sitk.Image:
    """The scan of one of ``NO_HEADS``: ``float32``, 216 x 240 x 228 mm.

    Args:
        name: Which object.
        spacing_mm: Voxel edge.
        seed: Of its texture and its noise.
    """
    draw = np.random.default_rng(seed)
    size = (round(216 / spacing_mm), round(240 / spacing_mm), round(228 / spacing_mm))
    grid = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=size, spacing_mm=(spacing_mm,) * 3)
    k, j, i = np.meshgrid(*[(np.arange(n) - (n - 1) / 2) * spacing_mm for n in size[::-1]], indexing="ij")
    texture = gaussian_filter(draw.normal(size=i.shape), 5 / spacing_mm)
    signal = NO_HEADS[name](i, j, k, texture / texture.std())
    noise = draw.normal(0, 15, (2, *i.shape))
    return image_on_grid(np.hypot(signal + noise[0], noise[1]).astype(np.float32), grid)


def object_mask(scan: sitk.Image) -> sitk.Image:
    """The object itself, as an outline that follows its surface: ``uint8`` on the grid of ``scan``."""
    smooth = sitk.SmoothingRecursiveGaussian(scan, 3.0)
    return sitk.BinaryFillhole(sitk.Cast(smooth > 100.0, sitk.sitkUInt8), True)
