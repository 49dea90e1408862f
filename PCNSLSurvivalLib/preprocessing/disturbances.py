"""Disturbed copies of a prepared case: what the scanner, the position of the head or the brain outline could change.

Each function returns the network's input of the copy. The disturbance comes after the bias field correction, since it
stands for what the correction leaves or cannot see, and before normalization and resampling, which are done again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.progress import StepClock, silent
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.preprocessing.case_steps import Scans, mask_on_scan
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, normalize_and_resample
from PCNSLSurvivalLib.preprocessing.steps.resampling import network_grid, to_network

NetworkInput = NDArray[np.float32]
Sequences = tuple[MRSequence, ...]


def shaded(prepared: PreparedCase, sequences: Sequences, *, axis: int, ratio: float) -> NetworkInput:
    """The case with a smooth field over every scan.

    Args:
        prepared: The case.
        sequences: Channels of the network.
        axis: Patient axis along which the field changes: 0 left, 1 posterior, 2 superior.
        ratio: Field at the far end of the brain over that at its near end; 1.2 is a shading of 20 %.
    """
    inside = np.argwhere(sitk.GetArrayViewFromImage(prepared.brain_mask) != 0)[:, ::-1].astype(np.float64)
    points = Grid.of(prepared.brain_mask).index_to_lps(inside)[:, axis]
    low, extent = float(points.min()), max(float(np.ptp(points)), 1.0)

    def under_field(image: sitk.Image, mask: sitk.Image) -> NDArray[np.float32]:
        grid = Grid.of(image)
        i, j, k = (np.arange(n, dtype=np.float64) for n in grid.size)
        step = grid.affine_lps[axis]
        place = (k * step[2])[:, None, None] + (j * step[1])[None, :, None] + (i * step[0])[None, None] + step[3]
        field = ratio ** np.clip((place - low) / extent, -0.5, 1.5)
        return (sitk.GetArrayViewFromImage(image) * field).astype(np.float32)

    return _prepared_again(prepared, sequences, under_field)


def noisy(prepared: PreparedCase, sequences: Sequences, *, share: float, seed: int) -> NetworkInput:
    """The case with Rician noise in every voxel of every scan, as a magnitude image has it.

    Args:
        prepared: The case.
        sequences: Channels of the network.
        share: Standard deviation of the noise, as a share of the median of the brain.
        seed: Of the noise.
    """
    draw = np.random.default_rng(seed)

    def under_noise(image: sitk.Image, mask: sitk.Image) -> NDArray[np.float32]:
        values = sitk.GetArrayViewFromImage(image)
        size = share * float(np.median(values[sitk.GetArrayViewFromImage(mask) != 0]))
        real, imaginary = (size * draw.standard_normal(values.shape, dtype=np.float32) for _ in range(2))
        return np.hypot(values + real, imaginary).astype(np.float32)

    return _prepared_again(prepared, sequences, under_noise)


def turned(prepared: PreparedCase, sequences: Sequences, *, axis: int, degrees: float) -> NetworkInput:
    """The case with the head turned in the scanner about the middle of the brain.

    Args:
        prepared: The case.
        sequences: Channels of the network.
        axis: Patient axis about which it turns: 0 left, 1 posterior, 2 superior.
        degrees: Angle.
    """
    mask = prepared.brain_mask_1mm
    middle = Grid.of(mask).index_to_lps(np.argwhere(sitk.GetArrayViewFromImage(mask) != 0).mean(axis=0)[::-1])
    angles = [0.0, 0.0, 0.0]
    angles[axis] = float(np.radians(degrees))
    turn = sitk.Euler3DTransform(middle.tolist(), *angles)
    matrix = np.reshape(turn.GetMatrix(), (3, 3))

    def moved(image: sitk.Image) -> sitk.Image:
        copy = sitk.Image(image)
        copy.SetOrigin(turn.TransformPoint(image.GetOrigin()))
        copy.SetDirection((matrix @ np.reshape(image.GetDirection(), (3, 3))).ravel().tolist())
        return copy

    grid = network_grid(moved(mask), prepared.recipe.network_grid)
    return np.stack([to_network(moved(prepared.preprocessed[sequence]), grid) for sequence in sequences])


def outlined(prepared: PreparedCase, sequences: Sequences, brain_mask: sitk.Image) -> NetworkInput:
    """The case with another brain outline.

    Args:
        prepared: The case.
        sequences: Channels of the network.
        brain_mask: ``uint8`` on the voxels of the prepared T1Gd.
    """
    return _network_input(prepared, sequences, prepared.corrected, brain_mask)


def moved_outline(brain_mask: sitk.Image, mm: float) -> sitk.Image:
    """A brain outline wider everywhere by so many mm, or tighter where this is negative; whole voxels go.

    Args:
        brain_mask: ``uint8`` on any grid.
        mm: How far; voxels thicker than that along an axis are kept.
    """
    grows = mm >= 0
    distance = sitk.SignedMaurerDistanceMap(
        (brain_mask != 0) if grows else (brain_mask == 0),
        insideIsPositive=False,
        squaredDistance=False,
        useImageSpacing=True,
    )
    return sitk.Cast(distance <= abs(mm) if grows else distance > abs(mm), sitk.sitkUInt8)


def _prepared_again(
    prepared: PreparedCase, sequences: Sequences, change: Callable[[sitk.Image, sitk.Image], NDArray[np.float32]]
) -> NetworkInput:
    corrected = {
        sequence: image_on_grid(
            change(image, mask_on_scan(prepared.brain_mask, image, prepared.transforms[sequence])), Grid.of(image)
        )
        for sequence, image in prepared.corrected.items()
        if sequence in sequences
    }
    return _network_input(prepared, sequences, corrected, prepared.brain_mask)


def _network_input(
    prepared: PreparedCase, sequences: Sequences, corrected: Scans, brain_mask: sitk.Image
) -> NetworkInput:
    read = {sequence: corrected[sequence] for sequence in sequences}
    preprocessed, _mask, grid = normalize_and_resample(
        read, prepared.transforms, brain_mask, prepared.recipe, StepClock(silent)
    )
    return np.stack([to_network(preprocessed[sequence], grid) for sequence in sequences])
