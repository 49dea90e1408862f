"""Augmentation of a batch where it lies, on the CPU or the GPU: one interpolation a sample, whatever is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.augmentation import AugmentationSettings, Movement, draw_movement


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
    for sample, rng in zip(batch, generators, strict=True):
        channels = len(sample) - masks
        movement = draw_movement(settings, grid, channels, rng)
        if movement.lattice_mm is not None:
            sample.copy_(_moved(sample, grid, movement))
        if settings.gain:
            sample[:channels].mul_(torch.from_numpy(movement.gains).to(sample.device)[:, None, None, None])
    return batch


def _moved(sample: torch.Tensor, grid: NetworkGridStep, movement: Movement) -> torch.Tensor:
    """The sample read at the moved points; what comes from outside the block is 0, as outside the brain."""
    half_edge = (np.array(grid.size) - 1) * np.array(grid.spacing_mm) / 2
    # grid_sample counts from -1 to 1 between the outermost voxels' centers, last axis first.
    shares = (movement.lattice_mm / half_edge)[..., ::-1]
    lattice = torch.from_numpy(np.ascontiguousarray(shares, dtype=np.float32)).to(sample.device)
    points = functional.interpolate(
        lattice.permute(3, 0, 1, 2)[None], size=grid.size, mode="trilinear", align_corners=True
    )
    return functional.grid_sample(sample[None], points.permute(0, 2, 3, 4, 1), align_corners=True)[0]
