"""From a brain probability to one plausible mask: inside the skull, one piece, no notches, no holes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.preprocessing.recipe import BrainExtractionStep, Triple
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
    solid = sitk.BinaryFillhole(mask_on(closed(piece > 0, radius), even), True)
    share = resample(sitk.Cast(solid, sitk.sitkFloat32), Grid.of(t1gd))
    final = largest_piece(sitk.GetArrayViewFromImage(share) > 0.5)
    if final is None:
        raise PreparationError(Message("brain.outline_off_t1gd"))
    return mask_on(final, Grid.of(t1gd))


def closed(inside_kji: NDArray[np.bool_], radius: Triple) -> NDArray[np.bool_]:
    """Fill notches and gaps with a ball, as ITK's binary closing; one row of the ball at a time is faster.

    Args:
        inside_kji: The mask, not empty.
        radius: Of the ball in voxels along i, j, k.
    """
    # Nothing outside the box around a mask is ever filled.
    box = ndimage.find_objects(inside_kji.astype(np.uint8))[0]
    room = [(2 * voxels,) * 2 for voxels in radius[::-1]]
    filled = inside_kji.copy()
    filled[box] = ~_dilated(~_dilated(np.pad(inside_kji[box], room), radius), radius)
    return filled


def _dilated(inside_kji: NDArray[np.bool_], radius: Triple) -> NDArray[np.bool_]:
    """Whether a ball around a voxel meets the mask, for the voxels farther than a radius from the border."""
    i, j, k = radius
    count_k, count_j, count_i = (n - 2 * r for n, r in zip(inside_kji.shape, (k, j, i), strict=True))
    met = np.zeros((count_k, count_j, count_i), bool)
    # Rows of growing half-width along i, each laid wherever the ball has a row of that width.
    row = inside_kji[:, :, i : i + count_i].copy()
    for half_width in range(i + 1):
        if half_width:
            row |= inside_kji[:, :, i - half_width : i - half_width + count_i]
            row |= inside_kji[:, :, i + half_width : i + half_width + count_i]
        for at_k, at_j in itertools.product(range(-k, k + 1), range(-j, j + 1)):
            # ITK's ball is the ellipsoid that reaches half a voxel beyond the radius.
            left = 1.0 - (at_k / (k + 0.5)) ** 2 - (at_j / (j + 0.5)) ** 2
            if left >= 0 and int((i + 0.5) * math.sqrt(left)) == half_width:
                met |= row[k + at_k : k + at_k + count_k, j + at_j : j + at_j + count_j]
    return met


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
    largest = mask_kji.astype(np.uint8)
    boxes = ndimage.find_objects(largest)
    if not boxes:
        return None
    pieces = sitk.RelabelComponent(sitk.ConnectedComponent(sitk.GetImageFromArray(largest[boxes[0]])))
    largest[boxes[0]] = sitk.GetArrayViewFromImage(pieces) == 1
    return largest
