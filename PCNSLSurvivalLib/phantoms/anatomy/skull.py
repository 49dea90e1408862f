"""Meninges, skull and scalp as layers around the brain, thick and thin as in people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.imaging.geometry import image_on_grid, resample
from PCNSLSurvivalLib.phantoms.anatomy.individual import HEAD_GRID, PatientAnatomy
from PCNSLSurvivalLib.phantoms.anatomy.shapes import Box, HeadSpace, Painter, Volume, coverage, smooth_union
from PCNSLSurvivalLib.phantoms.anatomy.tissues import Tissue
from PCNSLSurvivalLib.phantoms.random_fields import refine, smooth_noise, stream

_COARSE_MM = 2.0


@dataclass(frozen=True)
class HeadSurfaces:
    """Signed distances in mm on the 1 mm head grid, negative inside.

    Attributes:
        inner_skull: Inside of the skull: brain, meninges and the fluid around the brain.
        outer_skull: Outside of the skull.
        skin: Surface of the head, face and neck.
    """

    inner_skull: Volume
    outer_skull: Volume
    skin: Volume


def head_surfaces(brain: NDArray[np.uint8], anatomy: PatientAnatomy) -> HeadSurfaces:
    """Lay skull and skin around a brain.

    The inside of the skull follows the brain closely; its outside follows the hull of the brain, so that
    bone fills the hollows of the skull base. Thickness varies smoothly over the head.

    Args:
        brain: (K, J, I) brain share in 255ths on the head grid.
        anatomy: Thickness of skull and scalp, and the seed of their variation.
    """
    coarse = HEAD_GRID.with_spacing((_COARSE_MM,) * 3)
    inside = resample(image_on_grid(brain, HEAD_GRID), coarse) > 127
    tight = _distance(_closed(inside, 5), 1.2)
    hull = _distance(_closed(inside, 15), 2.5)
    draw = stream(anatomy.seed, "skull")
    space = HeadSpace(coarse, scale=float(np.mean(anatomy.size)))
    vary = [smooth_noise(coarse, draw, scale_mm=40.0, cubic=True) for _ in range(3)]
    inner = tight - np.clip(2.2 + 0.5 * vary[0], 1.2, 3.5)
    # The frontal bone and the occiput are thicker than the temples, the forehead's scalp thinner.
    temple = np.exp(-(((space.y + 18) / 38) ** 2)) * np.exp(-(((space.z + 8) / 30) ** 2))
    temple = temple * np.clip(np.abs(space.x) / 62, 0, 1) ** 4
    thick = anatomy.skull_mm * (1.0 - 0.35 * temple) * (1.0 + 0.10 * vary[1])
    outer = np.minimum(hull - 2.2 - thick, inner - 0.6 * thick)
    scalp = anatomy.scalp_mm * (1.0 + 0.12 * vary[2]) + 5.0 * temple
    skin = smooth_union(cast(Volume, outer - scalp), _face_and_neck(space), blend_mm=14.0)
    fields = [np.asarray(field, np.float32) for field in (inner, outer, skin)]
    return HeadSurfaces(*(refine(field, coarse, HEAD_GRID) for field in fields))


def paint_meninges(painter: Painter, surfaces: HeadSurfaces, space: HeadSpace) -> None:
    """Fluid around the brain, dura with falx and tentorium, and the great venous sinuses."""
    inner = surfaces.inner_skull
    rest = painter.rest
    top = space.box((-9, -100, -45), (9, 120, 100))
    depth = inner[top]
    # Superior sagittal sinus: a triangle under the midline of the vault, wider toward the back.
    width = 2.5 + 0.02 * np.clip(space.y[:, top[1]] + 60, 0, 160)
    sinus = np.maximum(np.abs(space.x[:, :, top[2]]) - width - 0.35 * depth, np.abs(depth + 3.0) - 3.2)
    in_back = (space.z[top[0]] > 12) | (space.y[:, top[1]] > 20)
    _replace_fluid(painter, Tissue.VENOUS_BLOOD, coverage(cast(Volume, sinus)) * in_back, top)
    for side in (-1, 1):
        start, end = (4.0 * side, 98.0, -14.0), (52.0 * side, 62.0, -24.0)
        back = space.box((min(0, 60 * side), 55, -35), (max(0, 60 * side), 115, -5))
        on_wall = np.maximum(space.capsule(start, end, 3.4, back), np.abs(inner[back] + 3.0) - 3.5)
        _replace_fluid(painter, Tissue.VENOUS_BLOOD, coverage(cast(Volume, on_wall)), back)
    falx = np.abs(space.x[:, :, top[2]]) - 0.6 + 0.0 * depth
    _replace_fluid(painter, Tissue.DURA, coverage(cast(Volume, np.maximum(falx, depth))) * in_back, top)
    painter.paint(Tissue.DURA, coverage(cast(Volume, np.abs(inner + 0.4) - 0.5)) * (rest > 0))
    painter.paint(Tissue.CSF, coverage(inner))


def paint_skull_and_scalp(painter: Painter, surfaces: HeadSurfaces, space: HeadSpace, anatomy: PatientAnatomy) -> None:
    """Bone with its marrow, then skin, and fat in what is left."""
    inner, outer = surfaces.inner_skull, surfaces.outer_skull
    table = np.float32(1.5)
    marrow = np.maximum(outer + table, table - inner)
    draw = stream(anatomy.seed, "marrow")
    patchy = np.clip(0.75 + 0.35 * smooth_noise(HEAD_GRID, draw, scale_mm=7.0), 0.0, 1.0)
    painter.paint(Tissue.MARROW, coverage(cast(Volume, marrow)) * patchy)
    painter.paint(Tissue.BONE, coverage(outer))
    # Galea and epicranial muscle: a thin dark line in the scalp.
    painter.paint(Tissue.MUSCLE, coverage(cast(Volume, np.abs(outer - 1.0) - 0.5)))
    skin = surfaces.skin
    painter.paint(Tissue.SKIN, coverage(cast(Volume, np.abs(skin + 0.9) - 0.9)))
    painter.paint(Tissue.FAT, coverage(skin))


def _replace_fluid(painter: Painter, tissue: Tissue, share: Volume, box: Box) -> None:
    """Give room that is empty or fluid of the sulci to a structure of the meninges."""
    fluid = painter.fractions[Tissue.CSF][box]
    taken = np.rint(fluid * share).astype(np.uint8)
    fluid -= taken
    painter.rest[box] += taken
    painter.paint(tissue, share, box)


def _face_and_neck(space: HeadSpace) -> Volume:
    face = space.ellipsoid((0, -42, -58), (63, 54, 62))
    jaw = space.ellipsoid((0, -48, -98), (46, 46, 34))
    bridge = space.capsule((0, -90, -28), (0, -108, -56), 7.0)
    wings = space.capsule((-9, -96, -58), (9, -96, -58), 8.0)
    nose = smooth_union(bridge, wings, blend_mm=8.0)
    neck_radius = np.sqrt((space.x / 60.0) ** 2 + ((space.y - 22.0) / 62.0) ** 2)
    neck = np.maximum((neck_radius - 1.0) * 60.0, space.z + 58.0) * space.scale
    shape = smooth_union(face, jaw, blend_mm=20.0)
    shape = smooth_union(shape, nose, blend_mm=8.0)
    shape = smooth_union(shape, cast(Volume, np.asarray(neck, np.float32)), blend_mm=25.0)
    for side in (-1, 1):
        cheek = space.ellipsoid((46.0 * side, 2, -64), (27, 40, 46))
        shape = smooth_union(shape, cheek, blend_mm=12.0)
        ear = space.ellipsoid((80.0 * side, 20, -36), (8, 15, 26))
        shape = smooth_union(shape, ear, blend_mm=5.0)
    return shape


def _closed(inside: sitk.Image, radius_voxels: int) -> sitk.Image:
    """Fill hollows narrower than twice the radius.

    Two distance maps do it, so that a ball of any size costs the same; the margin keeps the grown brain
    clear of the border, beyond which a distance map sees nothing.
    """
    margin = [radius_voxels + 2] * 3
    padded = sitk.ConstantPad(inside, margin, margin, 0)
    grown = sitk.SignedMaurerDistanceMap(padded, False, False, False) <= float(radius_voxels)
    closed = sitk.SignedMaurerDistanceMap(grown, False, False, False) <= -float(radius_voxels)
    return sitk.Crop(closed, margin, margin)


def _distance(inside: sitk.Image, smooth_mm: float) -> Volume:
    distance = sitk.SignedMaurerDistanceMap(inside, False, False, True)
    return cast(Volume, sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(distance, smooth_mm)))
