"""Resampling: from the scanner's voxels to 1 mm, and from there to the block the network sees."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep, ResampleStep
from PCNSLSurvivalLib.preprocessing.steps.sampling import anti_aliased


def isotropic_grid(brain_mask: sitk.Image, step: ResampleStep, *, room_mm: float = 5.0) -> Grid:
    """The grid all prepared scans of a patient share: along the axes of T1Gd, around the brain.

    Args:
        brain_mask: On the grid of T1Gd.
        step: Parameters of the recipe.
        room_mm: Room kept around the brain on every side.

    Returns:
        Grid in the recipe's voxel size.

    Raises:
        PreparationError: The mask is empty.
    """
    kji = np.argwhere(sitk.GetArrayViewFromImage(brain_mask) > 0)
    if not len(kji):
        raise PreparationError(Message("brain.mask_empty"))
    fine, scan = np.asarray(step.spacing_mm), Grid.of(brain_mask)
    old = np.asarray(scan.spacing_mm)
    # Faces of the outermost brain voxels, in mm along the scan's axes from the center of its first voxel.
    low = (kji.min(axis=0)[::-1] - 0.5) * old - room_mm
    high = (kji.max(axis=0)[::-1] + 0.5) * old + room_mm
    i, j, k = (int(n) for n in np.ceil((high - low) / fine))
    origin = scan.index_to_lps((low + fine / 2) / old)
    return Grid((i, j, k), step.spacing_mm, (origin[0], origin[1], origin[2]), scan.direction_lps)


def to_isotropic_grid(
    image: sitk.Image, grid: Grid, brain_mask: sitk.Image, step: ResampleStep, transform: sitk.Transform | None
) -> sitk.Image:
    """Sample a normalized scan once, straight from its own voxels, and clear everything outside the brain.

    Args:
        image: 3-D ``float32`` volume on its own grid.
        grid: The patient's even grid.
        brain_mask: ``uint8`` on ``grid``.
        step: Parameters of the recipe.
        transform: LPS points of T1Gd to LPS points of ``image``; None where they are the same.

    Returns:
        ``float32`` volume on ``grid``, 0 outside the brain.
    """
    low, high = (float(v) for v in (sitk.GetArrayViewFromImage(image).min(), sitk.GetArrayViewFromImage(image).max()))
    sampled = resample(image, grid, interpolation=step.interpolation, transform=transform)
    # Cubic splines overshoot beside sharp edges; no value outside the scan's own range is kept.
    return sitk.Mask(sitk.Clamp(sampled, sitk.sitkFloat32, low, high), brain_mask)


def network_grid(brain_mask: sitk.Image, step: NetworkGridStep) -> Grid:
    """The block the network sees: along the patient's axes, around the brain's center of volume.

    The center of volume hardly moves when a few voxels at the rim of the mask change; the middle of its box would.

    Args:
        brain_mask: Mask on any grid.
        step: Parameters of the recipe.

    Returns:
        Grid whose size in mm is the same for every patient, so that proportions and sizes are kept.

    Raises:
        PreparationError: The mask is empty.
    """
    kji = np.argwhere(sitk.GetArrayViewFromImage(brain_mask) > 0)
    if not len(kji):
        raise PreparationError(Message("brain.mask_empty"))
    center = Grid.of(brain_mask).index_to_lps(kji.mean(axis=0)[::-1])
    return Grid.axis_aligned(center_lps_mm=center, size=step.size, spacing_mm=step.spacing_mm)


def to_network(image: sitk.Image, grid: Grid) -> NDArray[np.float32]:
    """Sample a prepared scan on the network's block, smoothed first where the block is coarser.

    Args:
        image: Prepared ``float32`` volume, 0 outside the brain.
        grid: The network's block.

    Returns:
        (I, J, K) ``float32``; the indices run to left, posterior, superior.
    """
    sampled = resample(anti_aliased(image, grid.spacing_mm), grid)
    return np.ascontiguousarray(sitk.GetArrayViewFromImage(sampled).transpose(2, 1, 0))
