"""A head as tissue fractions on 1 mm voxels: brain from the template, the rest by geometry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.phantoms.anatomy.face import paint_face
from PCNSLSurvivalLib.phantoms.anatomy.individual import HEAD_GRID, PatientAnatomy, warp_to_template
from PCNSLSurvivalLib.phantoms.anatomy.shapes import WHOLE, Box, HeadSpace, Painter, Volume
from PCNSLSurvivalLib.phantoms.anatomy.skull import head_surfaces, paint_meninges, paint_skull_and_scalp
from PCNSLSurvivalLib.phantoms.anatomy.template import BrainTemplate, brain_template
from PCNSLSurvivalLib.phantoms.anatomy.tissues import BRAIN_TISSUES, Tissue
from PCNSLSurvivalLib.phantoms.disease.lesions import LesionPlan, grow
from PCNSLSurvivalLib.phantoms.random_fields import refine, smooth_noise, stream

# The template is an average of 152 brains, so its cortex is blurred; raising the odds of the likelier tissue
# to this power gives back borders as sharp as one person's.
_SHARPNESS = 2.8
_FOLDING = 0.9
BRAIN_BOX: Box = (slice(52, 226), slice(36, 236), slice(14, 178))


@dataclass(frozen=True)
class Head:
    """Tissue of one person and disease in the head frame (LPS, 1 mm, origin at the anterior commissure).

    Attributes:
        grid: The 1 mm grid; the brain's part of it where there is nothing else.
        fractions: For each tissue, (K, J, I) ``uint8`` in 255ths; what is missing to 255 is air.
        brain: (K, J, I) ``uint8`` in 255ths: parenchyma, lesion and the fluid between the folds.
    """

    grid: Grid
    fractions: dict[Tissue, NDArray[np.uint8]]
    brain: NDArray[np.uint8]

    @property
    def lesion(self) -> NDArray[np.uint8]:
        """(K, J, I) share of tumor, enhancing or necrotic, in 255ths."""
        tumor = self.fractions[Tissue.ENHANCING_TUMOR]
        return cast(NDArray[np.uint8], tumor + self.fractions[Tissue.NECROSIS])

    def volume_ml(self, tissue: Tissue) -> float:
        """Volume of one tissue in mL, partial voxels counted by their share."""
        return float(self.fractions[tissue].sum(dtype=np.int64)) / 255 * self.grid.voxel_volume_ml


def build_head(anatomy: PatientAnatomy, plan: LesionPlan, *, brain_only: bool = False) -> Head:
    """Give a person and a lesion plan their tissue.

    Args:
        anatomy: The person.
        plan: The disease; a plan without lesions gives a healthy head.
        brain_only: Leave out meninges, skull, face and neck; for scans that will be stripped anyway.
    """
    brain_grid = _sub_grid(HEAD_GRID, BRAIN_BOX)
    gray, white, fluid, brain = _brain_tissue(anatomy, plan, brain_grid)
    shares = grow(plan, HeadSpace(brain_grid), gray + white, white)
    grid, box = (brain_grid, WHOLE) if brain_only else (HEAD_GRID, BRAIN_BOX)
    painter = Painter(HeadSpace(grid).shape)
    parenchyma = gray + white
    painter.fill(Tissue.ENHANCING_TUMOR, shares.tumor * parenchyma, box)
    painter.fill(Tissue.NECROSIS, shares.necrosis * parenchyma, box)
    painter.fill(Tissue.EDEMA, shares.edema, box)
    healthy = 1.0 - shares.tumor - shares.necrosis
    painter.fill(Tissue.WHITE_MATTER, np.maximum(white * healthy - shares.edema, 0.0), box)
    painter.fill(Tissue.GRAY_MATTER, gray * healthy, box)
    painter.fill(Tissue.CSF, fluid, box)
    brain_share = np.zeros(painter.rest.shape, np.uint8)
    brain_share[box] = np.rint(255 * brain)
    if not brain_only:
        surfaces = head_surfaces(brain_share, anatomy)
        space = HeadSpace(HEAD_GRID, scale=float(np.mean(anatomy.size)))
        paint_meninges(painter, surfaces, space)
        paint_face(painter, surfaces, space, anatomy)
        paint_skull_and_scalp(painter, surfaces, space, anatomy)
    for tissue in BRAIN_TISSUES:
        painter.fractions.setdefault(tissue, np.zeros(painter.rest.shape, np.uint8))
    return Head(grid, painter.fractions, brain_share)


def _brain_tissue(anatomy: PatientAnatomy, plan: LesionPlan, grid: Grid) -> tuple[Volume, Volume, Volume, Volume]:
    """Gray matter, white matter, fluid and their sum, as shares of each voxel of ``grid``."""
    template = brain_template()
    gray, white, brain = _warped(template, warp_to_template(anatomy, template, plan.lesions), grid)
    draw = stream(anatomy.seed, "folding")
    floor = np.float32(0.004)
    fluid = np.maximum(brain - gray - white, 0.0)
    folds = np.float32(_FOLDING) * smooth_noise(grid, draw, scale_mm=5.0)
    cortex = np.float32(0.5 * _FOLDING) * smooth_noise(grid, draw, scale_mm=6.0)
    odds_gray = (gray + floor) ** _SHARPNESS
    odds_white = (white + floor) ** _SHARPNESS * np.exp(cortex)
    odds_fluid = (fluid + floor) ** _SHARPNESS * np.exp(folds + np.float32(anatomy.atrophy))
    total = odds_gray + odds_white + odds_fluid
    return (
        cast(Volume, brain * odds_gray / total),
        cast(Volume, brain * odds_white / total),
        cast(Volume, brain * odds_fluid / total),
        brain,
    )


def _warped(
    template: BrainTemplate, warp: sitk.DisplacementFieldTransform, grid: Grid
) -> tuple[Volume, Volume, Volume]:
    """Gray matter, white matter and brain of the template on ``grid``, through the warp.

    As one resampling with the warp as its transform, but the smooth field is refined axis by axis, and only voxels
    that the brain can reach are sampled: three times as fast.
    """
    field = warp.GetDisplacementField()
    knots, shift = Grid.of(field), sitk.GetArrayFromImage(field).astype(np.float32)
    to_index = 1.0 / np.asarray(template.brain.GetSpacing(), np.float32)
    space, origin = HeadSpace(grid), template.brain.GetOrigin()
    index = [
        (axis + refine(np.ascontiguousarray(shift[..., n]), knots, grid) - np.float32(origin[n])) * to_index[n]
        for n, axis in enumerate((space.x, space.y, space.z))
    ]
    reach = _reach_of_brain(template)
    nearest = [np.rint(i).astype(np.int32) for i in index]
    inside = np.ones(space.shape, np.bool_)
    for axis, count in zip(nearest, reach.shape[::-1], strict=True):
        inside &= (axis >= 0) & (axis < count)
        np.clip(axis, 0, count - 1, out=axis)
    inside &= reach[nearest[2], nearest[1], nearest[0]]
    points = np.stack([index[2][inside], index[1][inside], index[0][inside]])
    maps = []
    for image in (template.gray_matter, template.white_matter, template.brain):
        values = np.zeros(space.shape, np.float32)
        values[inside] = map_coordinates(sitk.GetArrayViewFromImage(image), points, order=1, mode="nearest")
        maps.append(values)
    return maps[0], maps[1], maps[2]


@lru_cache(maxsize=1)
def _reach_of_brain(template: BrainTemplate) -> NDArray[np.bool_]:
    """(K, J, I) voxels of the template whose surroundings hold brain."""
    return np.asarray(sitk.GetArrayFromImage(sitk.BinaryDilate(template.brain > 0, (2, 2, 2))) > 0)


def _sub_grid(grid: Grid, box: Box) -> Grid:
    k, j, i = box
    origin = grid.index_to_lps(np.array([i.start, j.start, k.start], dtype=float))
    size = (i.stop - i.start, j.stop - j.start, k.stop - k.start)
    return Grid(size, grid.spacing_mm, (origin[0], origin[1], origin[2]), grid.direction_lps)
