"""MONAI's own random transforms with the ranges and probabilities of our augmentation."""

from __future__ import annotations

import numpy as np
import torch
from monai.transforms import (
    Compose,
    Identity,
    OneOf,
    Rand3DElastic,
    RandAffine,
    RandFlip,
    RandScaleIntensity,
    RandSpatialCrop,
    Resize,
)

from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings


def stock_transforms(
    ours: AugmentationSettings, grid: NetworkGridStep, *, elastic: bool, device: torch.device | None = None
) -> list:
    """The transforms, one after the other.

    Args:
        ours: Ranges and probabilities.
        grid: The block; its voxels are cubes.
        elastic: With or without the elastic deformation, the slowest of them.
        device: Where the transforms make their grids.
    """
    millimeter = 1 / grid.spacing_mm[0]
    box = [int(ours.crop_share * edge) for edge in grid.size]
    crop = Compose([RandSpatialCrop(box, random_size=True), Resize(grid.size)])
    share = ours.crop_probability * ours.probability
    return [
        RandAffine(
            prob=ours.probability,
            rotate_range=(np.deg2rad(ours.rotation_deg),) * 3,
            translate_range=(ours.translation_mm * millimeter,) * 3,
            scale_range=(ours.scale,) * 3,
            padding_mode="zeros",
            device=device,
        ),
        OneOf([crop, Identity()], weights=(share, 1 - share)),
        Rand3DElastic(
            prob=ours.elastic_probability * ours.probability if elastic else 0.0,
            sigma_range=(5, 7),
            magnitude_range=(50, 150),
            padding_mode="zeros",
            device=device,
        ),
        RandFlip(prob=ours.flip_probability, spatial_axis=0),
        RandScaleIntensity(ours.gain, prob=1.0),
    ]
