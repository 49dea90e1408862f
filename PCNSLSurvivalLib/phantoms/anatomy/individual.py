"""What makes a virtual head an individual, as a value, and the warp that carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, resample
from PCNSLSurvivalLib.phantoms.anatomy.template import BrainTemplate
from PCNSLSurvivalLib.phantoms.disease.lesions import Lesion
from PCNSLSurvivalLib.phantoms.random_fields import smooth_noise, stream

# 1 mm head frame in LPS: origin at the anterior commissure, from below the jaw to above the vertex.
HEAD_GRID = Grid((192, 250, 236), (1.0, 1.0, 1.0), (-95.5, -124.0, -130.0), tuple(np.eye(3).ravel()))
_WARP_SPACING_MM = 4.0


@dataclass(frozen=True, kw_only=True)
class PatientAnatomy:
    """One person's head, before any disease.

    Attributes:
        seed: Source of the person's random fields (folding, deformation, texture).
        age_years: Age; it sets nothing by itself, but older people are drawn with more atrophy.
        size: Linear size along x, y, z against the MNI152 average, which is larger than most heads.
        deformation_mm: Standard deviation of the smooth displacement of brain structures.
        ventricle_shift_mm: How far the ventricle walls lie outside (+) or inside (-) the average ones.
        atrophy: Widening of the sulci: shift of the log-odds of CSF against tissue.
        skull_mm: Thickness of the calvaria.
        scalp_mm: Thickness of skin and subcutaneous fat over the calvaria.
    """

    seed: int
    age_years: float = 60.0
    size: tuple[float, float, float] = (0.925, 0.925, 0.925)
    deformation_mm: float = 2.0
    ventricle_shift_mm: float = 1.0
    atrophy: float = 0.0
    skull_mm: float = 6.5
    scalp_mm: float = 5.5


def draw_anatomy(seed: int, *, age_years: float | None = None) -> PatientAnatomy:
    """Draw one person: age, head size, atrophy and ventricles (both grow with age), skull and scalp.

    Args:
        seed: The same seed gives the same person.
        age_years: Age, drawn around 62 years (the age at which PCNSL is found) if left out.
    """
    draw = stream(seed, "anatomy")
    drawn_age = float(np.clip(draw.normal(62.0, 12.0), 22.0, 88.0))
    age = drawn_age if age_years is None else age_years
    overall = float(np.clip(draw.normal(0.925, 0.018), 0.885, 0.960))
    x, y, z = (overall + float(np.clip(draw.normal(0.0, 0.010), -0.02, 0.02)) for _ in range(3))
    return PatientAnatomy(
        seed=seed,
        age_years=age,
        size=(x, y, z),
        deformation_mm=float(draw.uniform(1.6, 2.6)),
        ventricle_shift_mm=float(np.clip((age - 50.0) * 0.035 + draw.normal(0.5, 0.7), -0.8, 3.5)),
        atrophy=float(np.clip(0.2 + (age - 55.0) * 0.025 + draw.normal(0.0, 0.3), -0.6, 1.4)),
        skull_mm=float(np.clip(draw.normal(6.5, 0.8), 4.5, 9.0)),
        scalp_mm=float(np.clip(draw.normal(5.5, 1.0), 3.5, 9.0)),
    )


def warp_to_template(
    anatomy: PatientAnatomy, template: BrainTemplate, lesions: tuple[Lesion, ...] = ()
) -> sitk.DisplacementFieldTransform:
    """The transform from LPS points of this head to LPS points of the template.

    Size, smooth individual deformation, ventricle width and the mass effect of the lesions, in this order.
    """
    grid = HEAD_GRID.with_spacing((_WARP_SPACING_MM,) * 3)
    draw = stream(anatomy.seed, "deformation")
    k, j, i = np.meshgrid(*[np.arange(n) for n in grid.size[::-1]], indexing="ij")
    points = grid.index_to_lps(np.stack([i, j, k], axis=-1))
    start = points - _mass_effect(points, lesions)
    target = start / np.asarray(anatomy.size)
    for scale_mm, share in ((48.0, 0.85), (22.0, 0.5)):
        field = [smooth_noise(grid, draw, scale_mm=scale_mm, cubic=True) for _ in range(3)]
        target += share * anatomy.deformation_mm * np.stack(field, axis=-1)
    target -= _ventricle_pull(target, template, anatomy.ventricle_shift_mm)
    field_image = sitk.GetImageFromArray(np.ascontiguousarray(target - points), isVector=True)
    field_image.CopyInformation(image_on_grid(np.zeros(k.shape, np.uint8), grid))
    return sitk.DisplacementFieldTransform(sitk.Cast(field_image, sitk.sitkVectorFloat64))


def _mass_effect(points: NDArray[np.float64], lesions: tuple[Lesion, ...]) -> NDArray[np.float64]:
    """How far tissue at each point was pushed outward by incompressible growth of part of each lesion."""
    shift = np.zeros_like(points)
    for lesion in lesions:
        offset = points - np.asarray(lesion.center_lps_mm)
        r = np.linalg.norm(offset, axis=-1, keepdims=True) + 1e-6
        grown_mm3 = lesion.mass_effect * lesion.radius_mm**3
        before = np.cbrt(np.maximum(r**3 - grown_mm3, (0.7 * r) ** 3))
        shift += offset / r * (r - before)
    return shift


def _ventricle_pull(points: NDArray[np.float64], template: BrainTemplate, shift_mm: float) -> NDArray[np.float64]:
    """Displacement along the distance to the ventricles that moves their walls by ``shift_mm``."""
    coarse, values = _around_ventricles(template)
    index = coarse.lps_to_index(points)
    flat = np.clip(np.rint(index), 0, np.asarray(coarse.size) - 1).astype(int)
    sampled = values[flat[..., 2], flat[..., 1], flat[..., 0]]
    d = sampled[..., :1]
    weight = np.where(d > 0, np.exp(-d / 14.0), np.clip(1.0 + d / 6.0, 0.0, 1.0))
    return np.asarray(shift_mm * weight * sampled[..., 1:], dtype=np.float64)


@lru_cache(maxsize=1)
def _around_ventricles(template: BrainTemplate) -> tuple[Grid, NDArray[np.float64]]:
    """Distance to the ventricles and its gradient along x, y, z, (K, J, I, 4) on 2 mm voxels."""
    coarse = Grid.of(template.ventricles).with_spacing((2.0, 2.0, 2.0))
    inside = resample(template.ventricles, coarse) > 0.5
    distance_image = sitk.SignedMaurerDistanceMap(inside, False, False, True)
    distance = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(distance_image, 1.5))
    gz, gy, gx = np.gradient(distance, 2.0)
    return coarse, np.stack([distance, gx, gy, gz], -1)
