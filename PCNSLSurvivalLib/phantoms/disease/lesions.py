"""Lesions as values, and how a plan becomes tissue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from PCNSLSurvivalLib.phantoms.anatomy.shapes import HeadSpace, Volume, coverage
from PCNSLSurvivalLib.phantoms.random_fields import smooth_noise, stream

Enhancement = Literal["solid", "ring"]


@dataclass(frozen=True, kw_only=True)
class Lesion:
    """One lesion of the plan.

    Attributes:
        center_lps_mm: Where it started to grow, in the head frame.
        volume_ml: Volume inside its half-way boundary.
        boundary_mm: Width over which it fades into the brain: 1 is sharp, 8 is blurred.
        elongation: Length along x, y, z relative to a ball.
        roughness_mm: Standard deviation of the bumps of its surface.
        edema_mm: How far the edema reaches into the white matter around it.
        enhancement: "solid" and homogeneous (lymphoma) or a "ring" around necrosis (glioblastoma).
        rim_mm: Thickness of the enhancing ring.
        mass_effect: Share of its volume that displaced brain instead of infiltrating it.
    """

    center_lps_mm: tuple[float, float, float]
    volume_ml: float
    boundary_mm: float = 2.0
    elongation: tuple[float, float, float] = (1.0, 1.0, 1.0)
    roughness_mm: float = 1.2
    edema_mm: float = 14.0
    enhancement: Enhancement = "solid"
    rim_mm: float = 5.0
    mass_effect: float = 0.3

    @property
    def radius_mm(self) -> float:
        """Radius of the ball of the same volume."""
        return float(np.cbrt(self.volume_ml * 3000.0 / (4.0 * np.pi)))


@dataclass(frozen=True, kw_only=True)
class LesionPlan:
    """All lesions of one patient."""

    seed: int
    lesions: tuple[Lesion, ...]

    @property
    def volume_ml(self) -> float:
        """Planned volume of all lesions together."""
        return sum(lesion.volume_ml for lesion in self.lesions)


@dataclass(frozen=True)
class LesionShares:
    """Share of each voxel's parenchyma, that is solid tumor, necrosis and edema."""

    tumor: Volume
    necrosis: Volume
    edema: Volume


def grow(plan: LesionPlan, space: HeadSpace, tissue: Volume, white: Volume) -> LesionShares:
    """Let the planned lesions grow in the parenchyma.

    Each lesion takes the voxels nearest to its center, by a distance that its elongation stretches and
    random bumps disturb, until the planned volume is reached; CSF is spared. Edema follows the white matter.

    Args:
        plan: The lesions.
        space: Coordinates of the 1 mm grid around the brain.
        tissue: Share of parenchyma (gray and white matter) of each voxel.
        white: Share of white matter of each voxel.
    """
    outside = np.ones_like(tissue)
    intact = np.ones_like(tissue)
    necrosis = np.zeros_like(tissue)
    for number, lesion in enumerate(plan.lesions):
        draw = stream(plan.seed, "lesion", str(number))
        distance = _distance(lesion, space, draw)
        distance -= _radius_for(distance, tissue, lesion.volume_ml)
        solid = coverage(distance, edge_mm=lesion.boundary_mm)
        outside *= 1.0 - solid
        if lesion.enhancement == "ring":
            core = coverage(distance + np.float32(lesion.rim_mm), edge_mm=2.5)
            necrosis = np.maximum(necrosis, core)
        fingers = distance - np.float32(4.0) * smooth_noise(space.grid, draw, scale_mm=14.0)
        reach = np.clip(1.0 - (fingers - 1.0) / np.float32(max(lesion.edema_mm, 1e-3)), 0.0, 1.0)
        intact *= 1.0 - np.sqrt(reach) * (reach > 0)
    lesion_share = 1.0 - outside
    edema = (1.0 - intact) * outside * white * np.float32(0.9)
    return LesionShares(
        tumor=cast(Volume, lesion_share * (1 - necrosis)),
        necrosis=cast(Volume, lesion_share * necrosis),
        edema=cast(Volume, edema),
    )


def _distance(lesion: Lesion, space: HeadSpace, draw: np.random.Generator) -> Volume:
    axes = (space.x, space.y, space.z)
    stretched = [
        ((axis - center) / stretch) ** 2
        for axis, center, stretch in zip(axes, lesion.center_lps_mm, lesion.elongation, strict=True)
    ]
    distance = np.sqrt(stretched[0] + stretched[1] + stretched[2])
    for scale_mm, share in ((12.0, 1.0), (5.0, 0.4)):
        distance += np.float32(lesion.roughness_mm * share) * smooth_noise(space.grid, draw, scale_mm=scale_mm)
    return cast(Volume, distance)


def _radius_for(distance: Volume, tissue: Volume, volume_ml: float) -> np.float32:
    """The distance within which the parenchyma adds up to the planned volume."""
    near = distance < np.cbrt(volume_ml * 1000.0) * 2.5 + 6.0
    order = np.argsort(distance[near], kind="stable")
    filled_mm3 = np.cumsum(tissue[near][order], dtype=np.float64)
    index = min(int(np.searchsorted(filled_mm3, volume_ml * 1000.0)), len(order) - 1)
    return np.float32(distance[near][order][index])
