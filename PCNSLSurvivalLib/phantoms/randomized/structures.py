"""What enhances without being tumor: sinuses, veins, arteries, dura, choroid plexus, pituitary gland."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.phantoms.anatomy.individual import PatientAnatomy
from PCNSLSurvivalLib.phantoms.anatomy.shapes import HeadSpace, Point, Volume, coverage
from PCNSLSurvivalLib.phantoms.random_fields import smooth_noise, stream

VEINS_PER_MM = 16.0
"""Steps of the map of small veins per mm."""


class Structure(IntEnum):
    """A kind of normal structure that takes up contrast agent."""

    SINUS = 1
    DEEP_VEIN = 2
    ARTERY = 3
    DURA = 4
    PLEXUS = 5
    PITUITARY = 6


_Put = Callable[[Structure, Volume, tuple[slice, slice, slice]], None]


# Courses in the average head, LPS mm from the anterior commissure (left is +x, posterior +y, superior +z).
_SIDED_RODS: tuple[tuple[Structure, tuple[Point, ...], float], ...] = (
    (
        Structure.SINUS,
        ((3, 92, -8), (34, 82, -16), (54, 58, -22), (56, 40, -30), (46, 26, -42)),
        3.6,
    ),  # transverse, sigmoid
    (Structure.SINUS, ((13, 4, -26), (12, 16, -30)), 4.0),  # cavernous
    (Structure.SINUS, ((46, 26, -42), (38, 22, -54)), 3.6),  # bulb of the jugular vein
    (Structure.SINUS, ((46, 40, -26), (16, 20, -32)), 1.4),  # superior petrosal
    (Structure.DEEP_VEIN, ((2, 8, 4), (3, 26, 10), (1, 38, 8)), 1.2),  # internal cerebral
    (Structure.DEEP_VEIN, ((2, 6, 4), (14, 4, 16), (20, 18, 20)), 0.8),  # thalamostriate
    (Structure.DEEP_VEIN, ((12, 2, -18), (18, 20, -14), (8, 36, 0), (1, 40, 8)), 1.0),  # basal (Rosenthal)
    (Structure.ARTERY, ((10, 12, -38), (11, 2, -26), (10, -2, -16)), 2.2),  # internal carotid
    (Structure.ARTERY, ((10, -2, -16), (24, -2, -18), (34, -2, -14), (40, 6, -4), (42, 20, 6)), 1.4),  # middle cerebral
    (Structure.ARTERY, ((10, -2, -16), (3, -14, -14), (1.5, -34, -8), (1.5, -38, 10), (1.5, -18, 26)), 1.0),  # anterior
    (Structure.ARTERY, ((1, 16, -18), (14, 22, -16), (22, 40, -10), (14, 66, -2)), 1.1),  # posterior cerebral
    (Structure.ARTERY, ((1, 24, -46), (8, 30, -60)), 1.4),  # vertebral
)
_MIDLINE_RODS: tuple[tuple[Structure, tuple[Point, ...], float], ...] = (
    (Structure.DEEP_VEIN, ((0, 38, 8), (0, 44, 4)), 2.6),  # great vein of Galen
    (Structure.SINUS, ((0, 44, 4), (0, 90, -8)), 2.6),  # straight sinus
    (Structure.SINUS, ((-12, 9, -30), (12, 9, -30)), 2.6),  # intercavernous
    (Structure.SINUS, ((0, 14, -34), (0, 20, -50)), 2.6),  # basilar plexus
    (Structure.SINUS, ((0, -30, 34), (0, 10, 48), (0, 44, 26)), 0.9),  # inferior sagittal
    (Structure.ARTERY, ((0, 24, -46), (0, 17, -32), (0, 16, -18)), 1.8),  # basilar
)


def paint_structures(
    grid: Grid,
    gray: NDArray[np.uint8],
    white: NDArray[np.uint8],
    brain: NDArray[np.uint8],
    distance_mm: Volume,
    anatomy: PatientAnatomy,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw them by geometry at average positions, wandering by a few millimeters.

    Args:
        grid: 1 mm grid around the brain.
        gray, white, brain: Shares in 255ths.
        distance_mm: Distance to the surface of the brain, negative inside.
        anatomy: Size and seed of the person.

    Returns:
        Number of the structure, its share of the voxel in 255ths, and the distance to the small veins.
    """
    space = HeadSpace(grid, scale=float(np.mean(anatomy.size)))
    draw = stream(anatomy.seed, "structures")
    structure = np.zeros(brain.shape, np.uint8)
    share = np.zeros(brain.shape, np.float32)

    def put(kind: Structure, amount: Volume, box: tuple[slice, slice, slice]) -> None:
        better = amount > share[box]
        structure[box][better] = kind
        np.maximum(share[box], amount, out=share[box])

    fluid = np.clip(brain.astype(np.float32) - gray - white, 0, 255) / np.float32(255)
    solid = 1.0 - fluid
    _paint_membranes(put, space, distance_mm, white.astype(np.float32) / np.float32(255), solid)
    _paint_plexus(put, space, fluid, distance_mm, smooth_noise(grid, draw, scale_mm=4.0))
    _paint_sagittal_sinus(put, space, distance_mm)
    ellipsoid = space.box((-13, -8, -44), (13, 18, -20))
    a, b, c = (r * draw.uniform(0.8, 1.7) for r in (6.5, 4.5, 4.0))
    put(Structure.PITUITARY, coverage(space.ellipsoid((0, 5, -31), (a, b, c), ellipsoid)), ellipsoid)
    for kind, course, radius in _MIDLINE_RODS:
        _paint_course(put, kind, _wandering(course, draw), radius * draw.uniform(0.7, 1.8), space)
    for kind, course, radius in _SIDED_RODS:
        for side in (-1.0, 1.0):
            mirrored = tuple((x * side, y, z) for x, y, z in course)
            # One transverse sinus, and many a vessel, is much wider than its fellow.
            widest = 2.2 if kind is Structure.SINUS else 1.4
            _paint_course(put, kind, _wandering(mirrored, draw), radius * draw.uniform(0.5, widest), space)
    return structure, np.rint(share * 255).astype(np.uint8), _small_veins(grid, draw)


def _wandering(course: tuple[Point, ...], draw: np.random.Generator) -> list[Point]:
    """The course with a bend of its own between any two given points."""
    points = np.asarray(course, float) + draw.normal(0, 1.2, (len(course), 3))
    middle = (points[1:] + points[:-1]) / 2 + draw.normal(0, 1.8, (len(course) - 1, 3))
    every = np.empty((2 * len(course) - 1, 3))
    every[::2], every[1::2] = points, middle
    return [(float(x), float(y), float(z)) for x, y, z in every]


def _paint_course(put: _Put, kind: Structure, course: list[Point], radius: float, space: HeadSpace) -> None:
    for a, b in pairwise(course):
        low, high = (
            tuple(f(p, q) + s * (radius + 2) for p, q in zip(a, b, strict=True)) for f, s in ((min, -1), (max, 1))
        )
        box = space.box(cast(Point, low), cast(Point, high))
        if all(s.stop > s.start for s in box):
            put(kind, coverage(space.capsule(a, b, radius, box)), box)


def _paint_sagittal_sinus(put: _Put, space: HeadSpace, distance_mm: Volume) -> None:
    box = space.box((-9, -100, -30), (9, 120, 110))
    along = space.y[:, box[1]]
    width = 2.0 + 0.02 * np.clip(along + 60, 0, 160)
    near = np.abs(distance_mm[box] + 1.0) - (2.5 + 0.01 * np.clip(along + 60, 0, 160))
    on_top = (space.z[box[0]] > 12) | (along > 20)
    put(Structure.SINUS, coverage(cast(Volume, np.maximum(np.abs(space.x[:, :, box[2]]) - width, near))) * on_top, box)


def _paint_membranes(put: _Put, space: HeadSpace, distance_mm: Volume, white: Volume, solid: Volume) -> None:
    box = space.box((-7, -100, -20), (7, 110, 110))
    bend = 1.2 * np.sin(space.y[:, box[1]] / 23.0 + space.z[box[0]] / 31.0)
    # The falx is shallow in front and reaches down to the corpus callosum behind.
    depth = 16.0 + 0.16 * np.clip(space.y[:, box[1]] + 60, 0, 140)
    sheet = np.maximum(np.abs(space.x[:, :, box[2]] - bend) - 0.5, -distance_mm[box] - depth)
    on_top = (space.z[box[0]] > 4) | (space.y[:, box[1]] > 30)
    put(Structure.DURA, cast(Volume, coverage(cast(Volume, sheet)) * on_top * (1.0 - white[box])), box)
    box = space.box((-58, 22, -34), (58, 96, 10))
    level = 3.0 - 0.2 * np.clip(space.y[:, box[1]] - 38, 0, 60) - 0.38 * np.abs(space.x[:, :, box[2]])
    sheet = np.maximum(
        np.abs(space.z[box[0]] - level) - 0.6, 34 - space.y[:, box[1]] - 0.25 * np.abs(space.x[:, :, box[2]])
    )
    between = np.clip(1.4 - solid[box] * white[box] * 1.4, 0, 1)
    put(Structure.DURA, cast(Volume, coverage(cast(Volume, sheet)) * between), box)


def _paint_plexus(put: _Put, space: HeadSpace, fluid: Volume, distance_mm: Volume, noise: Volume) -> None:
    """Tufts in the trigones and bodies of the lateral ventricles, and in the fourth ventricle."""
    for center, radii in (
        ((22, 36, 8), (10, 12, 9)),
        ((-22, 36, 8), (10, 12, 9)),
        ((10, 18, 18), (6, 16, 4)),
        ((-10, 18, 18), (6, 16, 4)),
        ((0, 48, -32), (9, 6, 5)),
        ((30, 30, -8), (6, 12, 5)),
        ((-30, 30, -8), (6, 12, 5)),
    ):
        low, high = (tuple(c + s * (r + 2) for c, r in zip(center, radii, strict=True)) for s in (-1, 1))
        box = space.box(cast(Point, low), cast(Point, high))
        tuft = coverage(space.ellipsoid(center, radii, box), edge_mm=3.0) * np.clip(0.5 + noise[box], 0, 1)
        deep = distance_mm[box] < -12
        put(Structure.PLEXUS, cast(Volume, tuft * np.clip(fluid[box] * 1.3, 0, 1) * deep), box)


def _small_veins(grid: Grid, draw: np.random.Generator) -> NDArray[np.uint8]:
    """Distance to a net of curves: where two smooth random fields vanish together."""
    fields = [smooth_noise(grid, draw, scale_mm=17.0, cubic=True) for _ in range(2)]
    squared = np.zeros(fields[0].shape, np.float32)
    for field in fields:
        slope = np.sqrt(sum(g * g for g in np.gradient(ndimage.gaussian_filter(field, 2.0))))
        squared += (field / np.maximum(slope, 0.02)) ** 2
    return np.clip(np.rint(np.sqrt(squared) * VEINS_PER_MM), 0, 255).astype(np.uint8)
