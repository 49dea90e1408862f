"""The augmentation by MONAI's own transforms, as the paper augments: one after the other, an interpolation each.

Ranges and probabilities are those of ``AugmentationSettings``, turned from millimeters and degrees into what MONAI asks
for. MONAI counts in voxels, so the block's voxels must be cubes. The paper's ``CropForeground`` with a resize is left
out: it would stretch every patient's brain by another factor, and the prepared block is cut to the brain already.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from monai.transforms import (
    Compose,
    Flip,
    Rand3DElastic,
    RandAffine,
    RandRotate,
    RandScaleIntensity,
    RandSpatialCrop,
    RandZoom,
    Resize,
)

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings


def monai_augmented(
    sample: torch.Tensor,
    grid: NetworkGridStep,
    settings: AugmentationSettings,
    rng: np.random.Generator,
    *,
    masks: int = 0,
) -> torch.Tensor:
    """Augment one sample.

    Args:
        sample: (C + masks, I, J, K) ``float32`` input, 0 outside the brain.
        grid: The block it lies on; its voxels are cubes.
        settings: Ranges.
        rng: Random numbers of this sample alone.
        masks: How many of the last channels are masks: they move with the scans and keep their brightness.

    Returns:
        (C + masks, I, J, K) ``float32``.

    Raises:
        TrainingError: The voxels are not cubes.
    """
    # What happens is drawn here, and how far by MONAI, so that the same seed gives the same sample.
    moves, crops, bends, flips = rng.uniform(size=4)
    share = rng.uniform(settings.crop_share, 1)
    spatial = []
    if moves < settings.probability:
        if crops < settings.crop_probability:
            spatial += _crop(grid, share)
        spatial += _affine(settings, _cube_mm(grid), sample.device)
        if bends < settings.elastic_probability and settings.elastic_mm:
            spatial.append(_elastic(settings, _cube_mm(grid)))
    if flips < settings.flip_probability:
        spatial.append(Flip(spatial_axis=0))
    moved = _run(Compose(spatial), sample, rng)
    if settings.gain:
        channels = len(sample) - masks
        brighter = Compose(RandScaleIntensity(settings.gain, prob=1.0, channel_wise=True))
        moved = torch.cat([_run(brighter, moved[:channels], rng), moved[channels:]])
    return moved


def _run(transforms: Compose, sample: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    transforms.set_random_state(seed=int(rng.integers(2**31)))
    return torch.as_tensor(transforms(sample))


def _cube_mm(grid: NetworkGridStep) -> float:
    if len(set(grid.spacing_mm)) > 1:
        raise TrainingError(Message("augmentation.monai_needs_cubes"))
    return grid.spacing_mm[0]


def _crop(grid: NetworkGridStep, share: float) -> list:
    """A box with the given share of every edge, anywhere, resized to the block: the same factor along all axes."""
    box = [max(1, round(share * n)) for n in grid.size]
    return [RandSpatialCrop(box, random_size=False), Resize(grid.size, mode="trilinear", align_corners=True)]


def _affine(settings: AugmentationSettings, spacing_mm: float, device: torch.device) -> list:
    angle = math.radians(settings.rotation_deg)
    # MONAI's affine scales each axis on its own; its zoom keeps the proportions.
    low, high = 1 - settings.scale, 1 + settings.scale
    return [
        RandZoom(prob=1.0, min_zoom=low, max_zoom=high, mode="trilinear", padding_mode="constant", align_corners=True),
        RandRotate(range_x=angle, range_y=angle, range_z=angle, prob=1.0, padding_mode="zeros", align_corners=True),
        # Without the device its grid is made on the CPU and copied, 32 MB for each sample.
        RandAffine(
            prob=1.0,
            translate_range=(settings.translation_mm / spacing_mm,) * 3,
            padding_mode="zeros",
            device=device,
        ),
    ]


def _elastic(settings: AugmentationSettings, spacing_mm: float) -> Rand3DElastic:
    """Displacements of the wanted spread, as smooth as cubic B-splines over the wanted control points.

    A cubic B-spline over points d apart has the standard deviation d / sqrt(3). MONAI smooths noise that is even from
    -1 to 1 (variance 1/3) by a Gaussian, which leaves a share of (2 sigma sqrt(pi))^-3 of its variance in three
    dimensions. Within sigma of the block's faces the displacements are smaller.
    """
    sigma = settings.elastic_spacing_mm / math.sqrt(3) / spacing_mm
    left = (2 * sigma * math.sqrt(math.pi)) ** -1.5 / math.sqrt(3)
    magnitude = settings.elastic_mm / spacing_mm / left
    return Rand3DElastic((sigma, sigma), (magnitude, magnitude), prob=1.0, padding_mode="zeros")
