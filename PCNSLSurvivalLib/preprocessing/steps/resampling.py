"""Resampling: from the scanner's voxels to 1 mm, and from there to the block the network sees."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Grid, box_around, image_on_grid, resample
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep, ResampleStep
from PCNSLSurvivalLib.preprocessing.steps.normalization import Normalization
from PCNSLSurvivalLib.preprocessing.steps.sampling import anti_aliased

_REACH = 32
"""Voxels beyond the outermost samples that a cubic spline is fitted to: those farther away change no digit."""


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
    box = box_around(brain_mask)
    if box is None:
        raise PreparationError(Message("brain.mask_empty"))
    fine, scan = np.asarray(step.spacing_mm), Grid.of(brain_mask)
    old = np.asarray(scan.spacing_mm)
    # Faces of the outermost brain voxels, in mm along the scan's axes from the center of its first voxel.
    low = (np.array(box.first) - 0.5) * old - room_mm
    high = (np.array(box.first) + box.size - 0.5) * old + room_mm
    i, j, k = (int(n) for n in np.ceil((high - low) / fine))
    origin = scan.index_to_lps((low + fine / 2) / old)
    return Grid((i, j, k), step.spacing_mm, (origin[0], origin[1], origin[2]), scan.direction_lps)


def to_isotropic_grid(
    image: sitk.Image,
    normalization: Normalization,
    grid: Grid,
    brain_mask: sitk.Image,
    step: ResampleStep,
    transform: sitk.Transform | None,
) -> sitk.Image:
    """Normalize a scan, sample it once, straight from its own voxels, and clear everything outside the brain.

    Args:
        image: 3-D ``float32`` volume on its own grid, without bias field.
        normalization: Of that scan.
        grid: The patient's even grid.
        brain_mask: ``uint8`` on ``grid``.
        step: Parameters of the recipe.
        transform: LPS points of T1Gd to LPS points of ``image``; None where they are the same.

    Returns:
        ``float32`` volume on ``grid``, 0 outside the brain.
    """
    values = sitk.GetArrayViewFromImage(image)
    low, high = normalization.of(np.array([values.min(), values.max()]))
    inside = sitk.GetArrayViewFromImage(brain_mask) > 0
    if step.interpolation == "bspline" and inside.any() and (transform is None or transform.IsLinear()):
        sampled_kji = np.zeros(inside.shape, np.float32)
        # Cubic splines overshoot beside sharp edges; no value outside the scan's own range is kept.
        sampled_kji[inside] = np.clip(_spline_at(np.nonzero(inside), image, normalization, grid, transform), low, high)
        return image_on_grid(sampled_kji, grid)
    normalized = image_on_grid(normalization.of(values), Grid.of(image))
    sampled = resample(normalized, grid, interpolation=step.interpolation, transform=transform)
    return sitk.Mask(sitk.Clamp(sampled, sitk.sitkFloat32, float(low), float(high)), brain_mask)


def _spline_at(
    voxels_kji: tuple[NDArray[np.intp], ...],
    image: sitk.Image,
    normalization: Normalization,
    grid: Grid,
    transform: sitk.Transform | None,
) -> NDArray[np.float32]:
    """The cubic spline through a normalized image, as ITK's, at some voxels of another grid.

    Args:
        voxels_kji: Three arrays of N indices into ``grid``, N at least 1.
        image: 3-D ``float32`` volume.
        normalization: Of that image.
        grid: Where to sample.
        transform: Linear; LPS points of ``grid`` to LPS points of ``image``; None where they are the same.

    Returns:
        (N,) values; 0 where a voxel's center lies more than half a voxel beyond the outermost centers of ``image``.
    """
    tips_lps = grid.index_to_lps(np.vstack([np.zeros(3), np.eye(3)]))
    if transform is not None:
        tips_lps = np.array([transform.TransformPoint(tip) for tip in tips_lps.tolist()])
    # Columns k, j, i: how far one voxel of the grid goes along k, j, i of the image.
    tips = Grid.of(image).lps_to_index(tips_lps)[:, ::-1]
    steps, first = (tips[:0:-1] - tips[0]).T, tips[0][:, None]
    last = np.array(image.GetSize()[::-1])[:, None] - 0.5
    values_kji = sitk.GetArrayViewFromImage(image)
    corners = np.array(list(itertools.product(*((axis.min(), axis.max()) for axis in voxels_kji)))).T
    reached = steps @ corners + first
    most = np.array(values_kji.shape) - 1
    low = np.clip(np.floor(reached.min(axis=1)).astype(int) - _REACH, 0, most)
    high = np.clip(np.ceil(reached.max(axis=1)).astype(int) + _REACH, 0, most)
    needed = tuple(slice(begin, end + 1) for begin, end in zip(low, high, strict=True))
    block_kji = values_kji[needed]
    coefficients = np.empty(block_kji.shape)
    for k, slice_ji in enumerate(block_kji):
        coefficients[k] = normalization.of(slice_ji)
    ndimage.spline_filter(coefficients, output=coefficients, mode="mirror")

    def sampled(voxels: NDArray[np.intp]) -> NDArray[np.float32]:
        places = steps @ voxels + first
        values = ndimage.map_coordinates(
            coefficients, places - low[:, None], np.float32, mode="mirror", prefilter=False
        )
        return np.where(((places >= -0.5) & (places < last)).all(axis=0), values, np.float32(0))

    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    with ThreadPoolExecutor(threads) as pool:
        parts = np.array_split(np.stack(voxels_kji), threads, axis=1)
        return np.concatenate(list(pool.map(sampled, parts)))


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
