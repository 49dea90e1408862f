"""A head as tissue fractions on 1 mm voxels: brain from the template, the rest by geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.phantoms.anatomy import HEAD_GRID, PatientAnatomy, warp_to_template
from PCNSLSurvivalLib.phantoms.face import paint_face
from PCNSLSurvivalLib.phantoms.lesions import LesionPlan, grow
from PCNSLSurvivalLib.phantoms.random_fields import smooth_noise, stream
from PCNSLSurvivalLib.phantoms.shapes import Box, HeadSpace, Painter, Volume
from PCNSLSurvivalLib.phantoms.skull import head_surfaces, paint_meninges, paint_skull_and_scalp
from PCNSLSurvivalLib.phantoms.template import brain_template
from PCNSLSurvivalLib.phantoms.tissues import BRAIN_TISSUES, Tissue

# The template is an average of 152 brains, so its cortex is blurred; raising the odds of the likelier tissue
# to this power gives back borders as sharp as one person's.
_SHARPNESS = 2.8
_FOLDING = 0.9
BRAIN_BOX: Box = (slice(52, 226), slice(36, 236), slice(14, 178))


@dataclass(frozen=True)
class Head:
    """Tissue of one person and disease in the head frame (LPS, 1 mm, origin at the anterior commissure).

    Attributes:
        grid: The 1 mm grid.
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
    painter = Painter(HeadSpace(HEAD_GRID).shape)
    parenchyma = gray + white
    painter.fill(Tissue.ENHANCING_TUMOR, shares.tumor * parenchyma, BRAIN_BOX)
    painter.fill(Tissue.NECROSIS, shares.necrosis * parenchyma, BRAIN_BOX)
    painter.fill(Tissue.EDEMA, shares.edema, BRAIN_BOX)
    healthy = 1.0 - shares.tumor - shares.necrosis
    painter.fill(Tissue.WHITE_MATTER, np.maximum(white * healthy - shares.edema, 0.0), BRAIN_BOX)
    painter.fill(Tissue.GRAY_MATTER, gray * healthy, BRAIN_BOX)
    painter.fill(Tissue.CSF, fluid, BRAIN_BOX)
    brain_share = _padded(brain, HEAD_GRID)
    if not brain_only:
        surfaces = head_surfaces(brain_share, anatomy)
        space = HeadSpace(HEAD_GRID, scale=float(np.mean(anatomy.size)))
        paint_meninges(painter, surfaces, space)
        paint_face(painter, surfaces, space, anatomy)
        paint_skull_and_scalp(painter, surfaces, space, anatomy)
    for tissue in BRAIN_TISSUES:
        painter.fractions.setdefault(tissue, np.zeros(painter.rest.shape, np.uint8))
    return Head(HEAD_GRID, painter.fractions, brain_share)


def _brain_tissue(anatomy: PatientAnatomy, plan: LesionPlan, grid: Grid) -> tuple[Volume, Volume, Volume, Volume]:
    """Gray matter, white matter, fluid and their sum, as shares of each voxel of ``grid``."""
    template = brain_template()
    warp = warp_to_template(anatomy, template, plan.lesions)
    maps = sitk.Compose(template.gray_matter, template.white_matter, template.brain)
    warped = sitk.GetArrayFromImage(resample(maps, grid, transform=warp))
    gray, white, brain = (cast(Volume, np.ascontiguousarray(warped[..., n])) for n in range(3))
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


def _sub_grid(grid: Grid, box: Box) -> Grid:
    k, j, i = box
    origin = grid.index_to_lps(np.array([i.start, j.start, k.start], dtype=float))
    size = (i.stop - i.start, j.stop - j.start, k.stop - k.start)
    return Grid(size, grid.spacing_mm, (origin[0], origin[1], origin[2]), grid.direction_lps)


def _padded(brain: Volume, grid: Grid) -> NDArray[np.uint8]:
    i, j, k = grid.size
    whole = np.zeros((k, j, i), np.uint8)
    whole[BRAIN_BOX] = np.rint(255 * brain)
    return whole
