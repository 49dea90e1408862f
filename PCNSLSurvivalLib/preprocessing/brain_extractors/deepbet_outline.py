"""The brain outline by the two networks of deepbet.

Only the trained networks are taken from the package; sampling, cleaning and every decision around them are ours, so
that a scan gives the same outline however its file orders the voxels and whatever air was cropped away.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet_networks import BrainNetwork, DeepbetNetworks
from PCNSLSurvivalLib.preprocessing.recipe import BrainExtractionStep
from PCNSLSurvivalLib.preprocessing.steps.brain_mask import brain_mask_from, largest_piece
from PCNSLSurvivalLib.preprocessing.steps.sampling import coarser, head_mask, mask_on

FloatVolume = NDArray[np.float32]


def outline_brain(t1gd: sitk.Image, step: BrainExtractionStep, networks: DeepbetNetworks) -> sitk.Image:
    """Find the brain in the head, then outline it in a box around it; see ``extract_brain``.

    Raises:
        PreparationError: No brain was found.
    """
    head = _box_around(head_mask(coarser(t1gd, 3.0)), t1gd, step.finding_size, margin=0.02)
    values = _sampled(t1gd, head)
    low, high = (float(v) for v in np.quantile(values, step.intensity_quantiles))
    found = largest_piece(_probability(networks.finder, _scaled(values, low, high)) > 0.5)
    if found is None:
        raise PreparationError(Message("brain.not_found"))
    box = _box_around(mask_on(found, head), t1gd, step.outlining_size, margin=step.margin)
    probability = _probability(networks.outliner, _scaled(_sampled(t1gd, box), low, high))
    _give_back_memory()
    return brain_mask_from(image_on_grid(probability, box), t1gd, step)


def _give_back_memory() -> None:
    """Return what the networks took to the system: the C library of Linux would keep it to the end."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def _box_around(mask: sitk.Image, scan: sitk.Image, size: int, *, margin: float) -> Grid:
    """A cube of ``size`` voxels along the axes of the scan around a mask, never beyond the scan.

    Beyond the scan the networks would see a head cut off flat, and draw the brain into the scalp there.
    """
    grid, edge = Grid.of(scan), np.asarray(scan.GetSpacing())
    kji = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0)
    if not len(kji):
        raise PreparationError(Message("brain.no_head"))
    index = grid.lps_to_index(Grid.of(mask).index_to_lps(kji[:, ::-1].astype(float)))
    # A few stray voxels outside the head must not widen the box.
    low, high = np.quantile(index, 0.0005, axis=0), np.quantile(index, 0.9995, axis=0)
    half_voxel = 0.5 * np.asarray(mask.GetSpacing()) / edge
    room = margin * (high - low) + half_voxel
    low = np.maximum(low - room, -0.5)
    high = np.minimum(high + room, np.asarray(grid.size) - 0.5)
    fine = (high - low) / size
    origin, spacing = grid.index_to_lps(low + fine / 2), fine * edge
    return Grid(
        (size, size, size),
        (float(spacing[0]), float(spacing[1]), float(spacing[2])),
        (float(origin[0]), float(origin[1]), float(origin[2])),
        grid.direction_lps,
    )


def _sampled(image: sitk.Image, grid: Grid) -> FloatVolume:
    """Values on another grid, (k, j, i); beyond the outermost voxel centers the nearest value counts."""
    sampled = sitk.Resample(
        image,
        grid.size,
        sitk.Transform(3, sitk.sitkIdentity),
        sitk.sitkLinear,
        grid.origin_lps_mm,
        grid.spacing_mm,
        grid.direction_lps,
        0.0,
        sitk.sitkFloat32,
        True,
    )
    array: FloatVolume = sitk.GetArrayFromImage(sampled)
    return array


def _scaled(values: FloatVolume, low: float, high: float) -> FloatVolume:
    """The scale on which the networks were trained: clipped, then mean 0.449 and deviation 0.226."""
    clipped = np.clip((values - low) / max(high - low, 1e-6), 0.0, 1.0)
    return (0.226 * (clipped - clipped.mean()) / max(float(clipped.std()), 1e-6) + 0.449).astype(np.float32)


def _probability(network: BrainNetwork, scaled_kji: FloatVolume) -> FloatVolume:
    """Brain probability, (k, j, i) in LPS order; the networks themselves see (i, j, k) in RAS order."""
    ras_ijk = np.ascontiguousarray(scaled_kji.transpose(2, 1, 0)[::-1, ::-1])
    return np.ascontiguousarray(network(ras_ijk)[::-1, ::-1].transpose(2, 1, 0))
