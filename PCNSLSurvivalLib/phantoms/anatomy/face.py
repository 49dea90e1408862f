"""Anatomy in front of and below the brain: eyes, air spaces, face bones, muscles, spinal cord."""

from __future__ import annotations

from typing import cast

import numpy as np

from PCNSLSurvivalLib.phantoms.anatomy.individual import HEAD_GRID, PatientAnatomy
from PCNSLSurvivalLib.phantoms.anatomy.shapes import HeadSpace, Painter, Point, Volume, coverage
from PCNSLSurvivalLib.phantoms.anatomy.skull import HeadSurfaces
from PCNSLSurvivalLib.phantoms.anatomy.tissues import Tissue
from PCNSLSurvivalLib.phantoms.random_fields import smooth_noise, stream

_SIDES = (-1.0, 1.0)


def paint_face(painter: Painter, surfaces: HeadSurfaces, space: HeadSpace, anatomy: PatientAnatomy) -> None:
    """Paint everything between the skull base and the skin except skin and fat.

    The face is drawn by geometry at average positions and belongs to no real person.
    """
    draw = Sketch(painter, space)
    _paint_spine(draw)
    _paint_eyes(draw)
    _paint_air_spaces(draw)
    _paint_frontal_sinus(painter, surfaces, space)
    _paint_face_bones(draw)
    _paint_muscles(painter, surfaces, space, anatomy)


class Sketch:
    """Paints small shapes, each inside its own box."""

    def __init__(self, painter: Painter, space: HeadSpace) -> None:
        self.painter = painter
        self.space = space

    def ellipsoid(self, tissue: Tissue, center: Point, radii: Point, *, edge_mm: float = 1.0) -> None:
        """Fill an ellipsoid."""
        low = (center[0] - radii[0] - 3, center[1] - radii[1] - 3, center[2] - radii[2] - 3)
        high = (center[0] + radii[0] + 3, center[1] + radii[1] + 3, center[2] + radii[2] + 3)
        box = self.space.box(low, high)
        self.painter.paint(tissue, coverage(self.space.ellipsoid(center, radii, box), edge_mm=edge_mm), box)

    def rod(self, tissue: Tissue, a: Point, b: Point, radius: float) -> None:
        """Fill a rod with round ends."""
        low = tuple(min(p, q) - radius - 3 for p, q in zip(a, b, strict=True))
        high = tuple(max(p, q) + radius + 3 for p, q in zip(a, b, strict=True))
        box = self.space.box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
        self.painter.paint(tissue, coverage(self.space.capsule(a, b, radius, box)), box)


def _paint_spine(draw: Sketch) -> None:
    top, bottom = (0.0, 40.0, -66.0), (0.0, 46.0, -150.0)
    draw.rod(Tissue.WHITE_MATTER, top, bottom, 5.0)
    draw.rod(Tissue.CSF, top, bottom, 9.5)
    for number in range(4):
        z = -92.0 - 18.0 * number
        draw.ellipsoid(Tissue.MARROW, (0, 25, z), (11, 8, 7))
        draw.ellipsoid(Tissue.BONE, (0, 25, z), (12.5, 9.5, 8.5))
        draw.ellipsoid(Tissue.BONE, (0, 66, z), (4, 10, 4))
    draw.ellipsoid(Tissue.MARROW, (0, 8, -44), (9, 7, 13))  # clivus
    for side in _SIDES:
        draw.rod(Tissue.ARTERY, (26 * side, 8, -110), (24 * side, 2, -62), 2.6)  # internal carotid
        draw.rod(Tissue.VENOUS_BLOOD, (33 * side, 16, -110), (32 * side, 20, -58), 4.5)  # jugular


def _paint_eyes(draw: Sketch) -> None:
    for side in _SIDES:
        eye = (32.0 * side, -64.0, -34.0)
        draw.ellipsoid(Tissue.MUSCLE, (eye[0], eye[1] - 8.5, eye[2]), (4.5, 2.2, 4.5))  # lens
        draw.ellipsoid(Tissue.VITREOUS, eye, (11.3, 11.3, 11.3))
        draw.ellipsoid(Tissue.MUCOSA, eye, (12.3, 12.3, 12.3))  # choroid and sclera
        draw.rod(Tissue.WHITE_MATTER, (29 * side, -52, -33), (9 * side, -14, -22), 2.0)  # optic nerve
        for dx, dz in ((9, 0), (-9, 0), (0, 9), (0, -9)):
            draw.rod(Tissue.MUSCLE, (eye[0] + dx, -58, eye[2] + dz), (17 * side + dx / 6, -26, -28 + dz / 6), 1.9)
        draw.ellipsoid(Tissue.FAT, (29 * side, -52, -33), (17, 24, 16))


def _paint_air_spaces(draw: Sketch) -> None:
    for side in _SIDES:
        draw.ellipsoid(Tissue.AIR, (28 * side, -56, -64), (12, 15, 15))  # maxillary sinus
        draw.ellipsoid(Tissue.MUCOSA, (28 * side, -56, -64), (13, 16, 16))
        draw.ellipsoid(Tissue.AIR, (7 * side, -42, -34), (6, 22, 10))  # ethmoid cells
        draw.ellipsoid(Tissue.AIR, (8 * side, -6, -34), (7, 10, 8))  # sphenoid sinus
        draw.ellipsoid(Tissue.MUCOSA, (8 * side, -58, -66), (3, 24, 6))  # turbinates
        draw.ellipsoid(Tissue.AIR, (7 * side, -58, -62), (6, 32, 17))  # nasal cavity
        draw.rod(Tissue.AIR, (84 * side, 14, -42), (58 * side, 14, -42), 3.0)  # ear canal
        for x, y, z, r in ((56, 26, -44, 8), (60, 34, -50, 8), (50, 18, -38, 6)):  # mastoid and petrous cells
            draw.ellipsoid(Tissue.AIR, (x * side, y, z), (r, r, r), edge_mm=6.0)
        draw.ellipsoid(Tissue.BONE, (44 * side, 16, -40), (22, 14, 11), edge_mm=3.0)
    draw.ellipsoid(Tissue.MUCOSA, (0, -4, -66), (14, 5, 14))
    draw.rod(Tissue.AIR, (0, -8, -58), (0, 0, -110), 6.5)  # pharynx
    draw.rod(Tissue.AIR, (0, 0, -110), (0, 2, -150), 8.0)


def _paint_frontal_sinus(painter: Painter, surfaces: HeadSurfaces, space: HeadSpace) -> None:
    """Air between the tables of the frontal bone, wherever this person's forehead is."""
    box = space.box((-30, -120, -25), (30, -40, 25))
    sinus = space.ellipsoid((0, -80, -6), (22, 14, 13), box)
    between = np.maximum(surfaces.outer_skull[box] + 1.5, 1.0 - surfaces.inner_skull[box])
    septum = 1.0 - np.abs(space.x[:, :, box[2]] - 2.0)
    air = np.maximum(np.maximum(sinus, between), septum)
    painter.paint(Tissue.AIR, coverage(cast(Volume, air)), box)


def _paint_face_bones(draw: Sketch) -> None:
    for side in _SIDES:
        ramus, angle, chin = (50 * side, -2, -62), (46 * side, -12, -98), (8 * side, -82, -112)
        for a, b in ((ramus, angle), (angle, chin)):
            draw.rod(Tissue.MARROW, (*a,), (*b,), 3.6)
            draw.rod(Tissue.BONE, (*a,), (*b,), 5.4)
        draw.rod(Tissue.BONE, (38 * side, -78, -46), (62 * side, -34, -44), 3.2)  # zygoma
        draw.rod(Tissue.BONE, (26 * side, -62, -84), (8 * side, -88, -84), 5.0)  # upper teeth and jaw
        draw.rod(Tissue.BONE, (26 * side, -60, -96), (8 * side, -84, -96), 4.5)  # lower teeth
    draw.ellipsoid(Tissue.BONE, (0, -52, -81), (26, 32, 2.5))  # palate


def _paint_muscles(painter: Painter, surfaces: HeadSurfaces, space: HeadSpace, anatomy: PatientAnatomy) -> None:
    """Muscles with streaks of fat between them, kept clear of the fat under the skin."""
    streaks = smooth_noise(HEAD_GRID, stream(anatomy.seed, "fat"), scale_mm=6.0)
    texture = np.clip(0.9 + 0.35 * streaks, 0.15, 1.0).astype(np.float32)
    under_skin = surfaces.skin + np.float32(4.5)
    shapes: list[tuple[Point, Point, float]] = [((0, -46, -98), (24, 34, 16), 0.75)]  # tongue
    for side in _SIDES:
        shapes += [
            ((70 * side, -22, -22), (8, 30, 42), 0.95),  # temporalis
            ((55 * side, -24, -78), (10, 24, 32), 0.9),  # masseter
            ((36 * side, -18, -66), (14, 20, 24), 0.85),  # pterygoids
            ((24 * side, 62, -88), (25, 26, 52), 0.9),  # neck extensors
            ((44 * side, 30, -92), (13, 20, 46), 0.85),  # sternomastoid
            ((14 * side, 10, -84), (13, 8, 36), 0.9),  # longus
            ((30 * side, -80, -74), (14, 8, 26), 0.5),  # muscles of expression
            ((22 * side, -20, -104), (16, 22, 14), 0.7),  # floor of the mouth
        ]
    for center, radii, share in shapes:
        low = (center[0] - radii[0] - 3, center[1] - radii[1] - 3, center[2] - radii[2] - 3)
        high = (center[0] + radii[0] + 3, center[1] + radii[1] + 3, center[2] + radii[2] + 3)
        box = space.box(low, high)
        shape = space.ellipsoid(center, radii, box)
        inside = coverage(cast(Volume, np.maximum(shape, under_skin[box])), edge_mm=2.5)
        painter.paint(Tissue.MUSCLE, cast(Volume, inside * texture[box] * np.float32(share)), box)
    # What is left deep in the face and neck is a weave of small muscles, glands and fat.
    below = space.box((-100, -130, -150), (100, 100, -20))
    deep = coverage(cast(Volume, under_skin[below] + np.float32(4.0)), edge_mm=6.0)
    outside_skull = coverage(cast(Volume, np.float32(1.0) - surfaces.outer_skull[below]))
    weave = np.clip(0.55 + 0.55 * streaks[below], 0.0, 0.9)
    painter.paint(Tissue.MUSCLE, cast(Volume, deep * outside_skull * weave), below)
