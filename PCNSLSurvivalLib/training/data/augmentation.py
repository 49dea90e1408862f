"""Augmentation: random transform parameters of one sample, in millimeters and degrees.

The paper augments by elastic deformation, random spatial crop, rotation and resize, one resampling after another, in
voxels of each patient's own grid. Here all of it is one transform of the network's block, given on coarse sampling
points, so that a sample is interpolated once. Background needs no removal: outside the brain a
prepared scan is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep

SAMPLING_POINTS = 17
"""Sampling points along each axis; the transform is linear between them."""


@dataclass(frozen=True, kw_only=True)
class AugmentationSettings:
    """Ranges of the random transforms; 0 disables a kind."""

    probability: float = 0.9
    """Fraction of samples that are transformed."""
    rotation_deg: float = 12.0
    """Largest rotation about each of the three patient axes; uniform between minus and plus."""
    scale: float = 0.08
    """Relative change of size, the same along all axes, so that proportions stay."""
    translation_mm: float = 6.0
    """Shift along each axis."""
    crop_share: float = 0.85
    """The smallest share of the block's edge that a random crop keeps; the crop is resized to the block."""
    crop_probability: float = 0.3
    elastic_mm: float = 2.5
    """Standard deviation of the elastic displacement of a point along each axis."""
    elastic_spacing_mm: float = 48.0
    """Distance of the points whose displacements are independent."""
    elastic_probability: float = 0.5
    flip_probability: float = 0.5
    """Mirroring left and right."""
    gain: float = 0.1
    """Relative change of brightness of each sequence, drawn evenly between minus and plus this."""
    transforms: Literal["single", "monai"] = "single"
    """"single" moves a sample once, by all transforms together; "monai" lets MONAI's own transforms follow each other,
    with the same ranges, an interpolation each (see ``training.data.monai_transforms``)."""

    def __post_init__(self) -> None:
        if self.transforms not in ("single", "monai"):
            raise TrainingError(Message("augmentation.transforms"))
        shares = (self.probability, self.crop_probability, self.elastic_probability, self.flip_probability)
        amounts = (self.rotation_deg, self.translation_mm, self.elastic_mm)
        if not all(0 <= share <= 1 for share in shares) or not all(amount >= 0 for amount in amounts):
            raise TrainingError(Message("augmentation.probabilities"))
        relative = 0 <= self.scale < 1 and 0 < self.crop_share <= 1 and 0 <= self.gain < 1
        if not relative or not self.elastic_spacing_mm > 0:
            raise TrainingError(Message("augmentation.shares"))


NO_AUGMENTATION = AugmentationSettings(
    probability=0.0, crop_probability=0.0, elastic_probability=0.0, flip_probability=0.0, gain=0.0
)


@dataclass(frozen=True)
class SpatialTransform:
    """The spatial transform and intensity gains of one sample."""

    sampling_points_mm: NDArray[np.float64] | None
    """(17, 17, 17, 3) points, in mm from the block's center, at which the sample is read; None: it stays."""
    gains: NDArray[np.float32]
    """(C,) factor of each channel."""


def sample_transform(
    settings: AugmentationSettings, grid: NetworkGridStep, channels: int, rng: np.random.Generator
) -> SpatialTransform:
    """Sample the random transform of one sample.

    Args:
        settings: Ranges.
        grid: The network's block.
        channels: Number of sequences.
        rng: Random numbers of this sample alone; the same generator state gives the same movement.
    """
    edge_mm = (np.array(grid.size) - 1) * np.array(grid.spacing_mm)
    # Everything is drawn in any case and in one order, so that one setting does not change what another draws.
    moves, crops, bends, flips = rng.uniform(size=4)
    angles = np.deg2rad(settings.rotation_deg) * rng.uniform(-1, 1, 3)
    scale = 1 + settings.scale * rng.uniform(-1, 1)
    shift = settings.translation_mm * rng.uniform(-1, 1, 3)
    share = rng.uniform(settings.crop_share, 1)
    corner = rng.uniform(-1, 1, 3)
    gains = (1 + settings.gain * rng.uniform(-1, 1, channels)).astype(np.float32)
    elastic = _elastic(settings, edge_mm, rng)
    if moves >= settings.probability and flips >= settings.flip_probability:
        return SpatialTransform(None, gains)
    points = _sampling_points(edge_mm)
    if moves < settings.probability:
        if crops < settings.crop_probability:
            points = points * share + corner * edge_mm * (1 - share) / 2
        points = points @ _rotation(angles).T / scale + shift
        if bends < settings.elastic_probability:
            points = points + elastic
    if flips < settings.flip_probability:
        points = points * (-1.0, 1.0, 1.0)
    return SpatialTransform(points, gains)


def _sampling_points(edge_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """(17, 17, 17, 3) points of the block in mm from its center, from its first voxel to its last."""
    axes = [np.linspace(-edge / 2, edge / 2, SAMPLING_POINTS) for edge in edge_mm]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turns about the three axes, one after the other."""
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        one = np.eye(3)
        a, b = (axis + 1) % 3, (axis + 2) % 3
        one[a, a] = one[b, b] = math.cos(angle)
        one[a, b], one[b, a] = -math.sin(angle), math.sin(angle)
        turn = one @ turn
    return turn


def _elastic(
    settings: AugmentationSettings, edge_mm: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """(17, 17, 17, 3) smooth displacements in mm: cubic B-splines over control points with independent values."""
    field: NDArray[np.float64] = rng.standard_normal((*(_controls(edge, settings) for edge in edge_mm), 3))
    for axis, edge in enumerate(edge_mm):
        weights = _spline_weights(edge, settings)
        field = np.moveaxis(np.tensordot(weights, field, axes=(1, axis)), 0, axis)
    return settings.elastic_mm * field


def _controls(edge_mm: float, settings: AugmentationSettings) -> int:
    return math.ceil(edge_mm / settings.elastic_spacing_mm) + 3


def _spline_weights(edge_mm: float, settings: AugmentationSettings) -> NDArray[np.float64]:
    """(17, controls) weights of the control points in each lattice point, of unit sum of squares."""
    at = np.linspace(0, edge_mm, SAMPLING_POINTS) / settings.elastic_spacing_mm + 1
    distance = np.abs(at[:, None] - np.arange(_controls(edge_mm, settings)))
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    weights: NDArray[np.float64] = np.where(distance < 1, near, far)
    # A spline over independent values varies less than they do, and unevenly; this gives every point the wanted spread.
    scaled: NDArray[np.float64] = weights / np.sqrt((weights**2).sum(axis=1, keepdims=True))
    return scaled
