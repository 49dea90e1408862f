"""Augmentation of a batch where it lies, on the CPU or the GPU: one interpolation per sample, or MONAI's transforms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings, SpatialTransform, sample_transform
from PCNSLSurvivalLib.training.data.monai_transforms import monai_augmented


def augment(
    batch: torch.Tensor,
    grid: NetworkGridStep,
    settings: AugmentationSettings,
    generators: Sequence[np.random.Generator],
    *,
    masks: int = 0,
) -> torch.Tensor:
    """Move every sample of a batch as its own random numbers say.

    Args:
        batch: (N, C + masks, I, J, K) ``float32`` inputs, 0 outside the brain; changed in place.
        grid: The block they lie on.
        settings: Ranges of the movements.
        generators: N generators of random numbers, one for each sample: what happens to a sample depends on nothing
            else, so neither the number of workers nor the place in the batch changes it.
        masks: How many of the last channels are masks: they move with the scans and keep their brightness.

    Returns:
        The batch.
    """
    if settings.transforms == "monai":
        for sample, rng in zip(batch, generators, strict=True):
            sample.copy_(monai_augmented(sample, grid, settings, rng, masks=masks))
        return batch
    for sample, rng in zip(batch, generators, strict=True):
        channels = len(sample) - masks
        transform = sample_transform(settings, grid, channels, rng)
        if transform.sampling_points_mm is not None:
            sample.copy_(_moved(sample, grid, transform))
        if settings.gain:
            sample[:channels].mul_(torch.from_numpy(transform.gains).to(sample.device)[:, None, None, None])
    return batch


def _moved(sample: torch.Tensor, grid: NetworkGridStep, transform: SpatialTransform) -> torch.Tensor:
    """The sample read at the moved points; what comes from outside the block is 0, as outside the brain."""
    half_edge = (np.array(grid.size) - 1) * np.array(grid.spacing_mm) / 2
    # grid_sample counts from -1 to 1 between the outermost voxels' centers, last axis first.
    shares = (transform.sampling_points_mm / half_edge)[..., ::-1]
    points = torch.from_numpy(np.ascontiguousarray(shares, dtype=np.float32)).to(sample.device)
    points = functional.interpolate(
        points.permute(3, 0, 1, 2)[None], size=grid.size, mode="trilinear", align_corners=True
    )
    return functional.grid_sample(sample[None], points.permute(0, 2, 3, 4, 1), align_corners=True)[0]
