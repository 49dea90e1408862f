"""Coarser copies of a scan, and the head in it: what the fitting steps look at."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.preprocessing.recipe import Triple, TripleMm, factors_for


def coarser(image: sitk.Image, target_mm: float) -> sitk.Image:
    """The mean over blocks of voxels, so that samples lie about ``target_mm`` apart.

    Args:
        image: 3-D volume, LPS, real pixel type.
        target_mm: Wanted distance of samples; axes that are coarser keep their voxels.

    Returns:
        Volume whose voxel centers are the middles of the joined blocks.
    """
    factors = factors_for(image.GetSpacing(), image.GetSize(), target_mm)
    return image if factors == (1, 1, 1) else sitk.BinShrink(image, factors)


def head_mask(image: sitk.Image) -> sitk.Image:
    """Voxels brighter than the air around the head, by the lower of two Otsu thresholds.

    Three classes, air, dark and bright tissue: where fat and neck are much brighter than the brain, a single threshold
    falls between them and leaves the brain with the air. The brightest voxels are cut off, so that an enhancing lesion
    cannot push the thresholds up.

    Args:
        image: 3-D volume, arbitrary units.

    Returns:
        ``uint8`` volume on the same grid, 1 in the head; dark cavities are not filled.
    """
    values = sitk.GetArrayViewFromImage(image)
    low, high = np.quantile(values[::2, ::2, ::2] if values.size > 2_000_000 else values, (0.001, 0.98))
    clipped = sitk.Clamp(image, sitk.sitkFloat32, float(low), float(high) if high > low else float(values.max()))
    return sitk.Cast(sitk.OtsuMultipleThresholds(clipped, 2, 0, 200) > 0, sitk.sitkUInt8)


def radius_in_voxels(radius_mm: float, spacing_mm: TripleMm) -> Triple:
    """A radius in mm as voxels along i, j, k."""
    i, j, k = (max(1, round(radius_mm / edge)) for edge in spacing_mm)
    return i, j, k


def anti_aliased(image: sitk.Image, spacing_mm: TripleMm) -> sitk.Image:
    """Smooth a volume just enough that sampling it ``spacing_mm`` apart folds no fine detail back.

    The Gaussian widens the voxel to the coming one: variances of the two box-like kernels, (edge / 2.355)
    squared each, add up.

    Args:
        image: 3-D volume, real pixel type.
        spacing_mm: Coming distance of samples along i, j, k of ``image``.

    Returns:
        Volume on the grid of ``image``; the same one where the coming voxels are no larger.
    """
    now, then = np.asarray(image.GetSpacing()), np.asarray(spacing_mm)
    sigma_mm = np.sqrt(np.maximum(then**2 - now**2, 0.0)) / 2.355
    if not sigma_mm.any():
        return image
    return sitk.DiscreteGaussian(image, (sigma_mm**2).tolist(), 32, 0.01, True)


def mask_on(mask_kji: NDArray[np.generic], grid: Grid) -> sitk.Image:
    """A ``uint8`` mask image from an array in SimpleITK's axis order."""
    return image_on_grid(np.ascontiguousarray(mask_kji, dtype=np.uint8), grid)
