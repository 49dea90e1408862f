"""From a brain probability to one plausible mask: inside the skull, one piece, no notches, no holes."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.preprocessing.recipe import BrainExtractionStep
from PCNSLSurvivalLib.preprocessing.steps.sampling import coarser, head_mask, mask_on, radius_in_voxels

_HEAD_VOXEL_MM = 3.0
_HEAD_CLOSING_MM = 15.0
_DEEP_MM = 100.0


def brain_mask_from(probability: sitk.Image, t1gd: sitk.Image, step: BrainExtractionStep) -> sitk.Image:
    """Clean a brain probability on voxels of equal edges and bring it to the grid of the scan.

    Args:
        probability: 3-D ``float32``, 0 to 1, on any grid in the frame of ``t1gd``.
        t1gd: The scan it was estimated from.
        step: Parameters of the recipe.

    Returns:
        ``uint8`` mask on the grid of ``t1gd``.

    Raises:
        PreparationError: Nothing is left that could be a brain.
    """
    edge = step.working_spacing_mm
    even = Grid.of(probability).with_spacing((edge, edge, edge))
    # SimpleITK's array views do not keep a passing image alive: every image viewed has a name.
    likely = resample(probability, even)
    depth = resample(depth_in_head(t1gd), even, outside=_DEEP_MM)
    inside = (sitk.GetArrayViewFromImage(likely) > step.threshold) & (
        sitk.GetArrayViewFromImage(depth) > step.scalp_and_skull_mm
    )
    piece = largest_piece(inside)
    if piece is None:
        raise PreparationError(Message("brain.no_outline"))
    radius = radius_in_voxels(step.closing_mm, even.spacing_mm)
    closed = sitk.BinaryMorphologicalClosing(mask_on(piece, even), radius, sitk.sitkBall, 1.0, True)
    share = resample(sitk.Cast(sitk.BinaryFillhole(closed, True), sitk.sitkFloat32), Grid.of(t1gd))
    final = largest_piece(sitk.GetArrayViewFromImage(share) > 0.5)
    if final is None:
        raise PreparationError(Message("brain.outline_off_t1gd"))
    return mask_on(final, Grid.of(t1gd))


def depth_in_head(scan: sitk.Image) -> sitk.Image:
    """How far every place lies below the skin, in mm; negative in the air.

    The head is made solid first: skull, sinuses and fluid are as dark as air, and belong to it.

    Args:
        scan: 3-D volume of a whole head.

    Returns:
        ``float32`` distance in mm on a coarse grid along the axes of the scan. Where the scan ends, the head
        is taken to go on.
    """
    edges = (_HEAD_VOXEL_MM,) * 3
    grid = Grid.of(scan).with_spacing(edges)
    share = resample(sitk.Cast(head_mask(coarser(scan, _HEAD_VOXEL_MM)), sitk.sitkFloat32), grid)
    radius = radius_in_voxels(_HEAD_CLOSING_MM, edges)
    room = [voxels + 2 for voxels in radius]
    padded = sitk.ZeroFluxNeumannPad(sitk.Cast(share > 0.5, sitk.sitkUInt8), room, room)
    solid = sitk.BinaryErode(sitk.BinaryFillhole(sitk.BinaryDilate(padded, radius)), radius)
    return sitk.SignedMaurerDistanceMap(solid, insideIsPositive=True, squaredDistance=False, useImageSpacing=True)


def largest_piece(mask_kji: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    """The largest connected piece of a mask; None where the mask is empty."""
    pieces = sitk.RelabelComponent(sitk.ConnectedComponent(sitk.GetImageFromArray(mask_kji.astype(np.uint8))))
    largest: NDArray[np.uint8] = (sitk.GetArrayViewFromImage(pieces) == 1).astype(np.uint8)
    return largest if largest.any() else None
