"""Is a scan skull-stripped? Skull and scalp are searched for; the volume of the object decides nothing.

A whole head has, below its surface, bright scalp, dark skull and bright brain, in most directions from its middle. A
brain alone has not. The limits lie between what real and virtual heads give: docs/decisions/stripped-scans.md.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from PCNSLSurvivalLib.imaging.geometry import Grid, resample

Shows = Literal["brain", "head", "unclear"]

_VOXEL_MM = 3.0
_CLOSING_MM = 12.0
_DEEP_MM = 25.0
_LAYERS = 10
_LAYER_CONTRAST = 0.2
"""Skull is darker than scalp and brain by more than this share of the deep brain's signal."""
_FEW_DIRECTIONS, _MANY_DIRECTIONS = 0.15, 0.25
_AIR_SIGNAL = 0.15
"""Of the bright tissue; noise of the air is darker, the gray matter of a brain's surface brighter."""
_AMID = 0.05
"""Share of what is shown that lies below the value outside, and above: as around a brain scaled to a mean of 0."""
_SPECKLES = 0.02
"""Pieces below this share of all that is shown are no part of the head."""
_MORE_THAN_A_BRAIN_ML = 2300.0
_LEAST_VOXELS = 60
_LEAST_DIRECTIONS = 20


def shows(image: sitk.Image) -> Shows:
    """Whether a volume shows a brain without skull and scalp, or a head; "unclear" where it cannot be told.

    Only what is surrounded by one constant value, of any size and sign, can be a brain alone.

    Args:
        image: 3-D volume, arbitrary units, axes toward left, posterior, superior.
    """
    values = sitk.GetArrayViewFromImage(image)
    outside = float(values.flat[0])
    corners = values[:: values.shape[0] - 1 or 1, :: values.shape[1] - 1 or 1, :: values.shape[2] - 1 or 1]
    if not (corners == outside).all():
        return "head"
    volume_ml = Grid.of(image).voxel_volume_ml * float(np.count_nonzero(values != outside))
    found = _layers(image, outside)
    if found is None:
        return "unclear"
    rim, profiles = found
    if rim < _AIR_SIGNAL:
        return "head"  # what lies at the surface is the noise of the air inside the field of view
    directions = float((_skull_contrast(profiles) > _LAYER_CONTRAST).mean())
    if directions < _FEW_DIRECTIONS:
        # Suppressed fat leaves a scalp as dark as skull: more than any brain is not told to be one for lack of it.
        return "brain" if volume_ml < _MORE_THAN_A_BRAIN_ML else "unclear"
    return "head" if directions > _MANY_DIRECTIONS else "unclear"


def _layers(image: sitk.Image, outside: float) -> tuple[float, NDArray[np.float64]] | None:
    """Signal below the surface in the upper half of what is shown, as shares of the deep signal.

    Returns:
        The median of the outermost 9 mm, as a share of the bright tissue; and (directions, layers of 3 mm) medians.
        None for what has no depth.
    """
    grid = Grid.of(image).with_spacing((_VOXEL_MM,) * 3)
    there = resample(sitk.Cast(sitk.NotEqual(image, outside), sitk.sitkFloat32), grid)
    signal = sitk.GetArrayFromImage(resample(sitk.Cast(image, sitk.sitkFloat32), grid, outside=outside)) - outside
    shown = _without_speckles(sitk.GetArrayViewFromImage(there) > 0.5)
    if not shown.any():
        return None
    if _AMID < float((signal[shown] < 0).mean()) < 1 - _AMID:
        signal = signal - float(np.quantile(signal[shown], 0.01))
    depth = _depth_mm(shown)
    deep = signal[(depth > _DEEP_MM) & shown]
    bright = float(np.quantile(signal[shown], 0.9))
    if not deep.size or float(np.median(deep)) == 0.0 or bright <= 0.0:
        return None
    kji = np.argwhere((depth > 0) & (depth <= (_LAYERS + 1) * _VOXEL_MM))
    share = signal[tuple(kji.T)] / float(np.median(deep))
    layer = np.clip((depth[tuple(kji.T)] / _VOXEL_MM).astype(int) - 1, 0, _LAYERS - 1)
    place = (kji - np.argwhere(depth > 0).mean(axis=0)) * _VOXEL_MM
    direction = _directions(place)
    upper = place[:, 0] > -10.0
    profiles = []
    for one in np.unique(direction[upper]):
        chosen = upper & (direction == one)
        if np.count_nonzero(chosen) < _LEAST_VOXELS:
            continue
        of_layers = [share[chosen & (layer == number)] for number in range(_LAYERS)]
        if all(values.size > 3 for values in of_layers):
            profiles.append([float(np.median(values)) for values in of_layers])
    if len(profiles) < _LEAST_DIRECTIONS:
        return None
    return float(np.median(signal[tuple(kji[upper & (layer < 3)].T)])) / bright, np.array(profiles)


def _skull_contrast(profiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how much a layer of each direction is darker than the brightest above and the brightest close below it."""
    contrast = np.zeros(len(profiles))
    for layer in range(1, 7):
        above = profiles[:, :layer].max(axis=1)
        below = profiles[:, layer + 1 : layer + 5].max(axis=1)
        contrast = np.maximum(contrast, np.minimum(above, below) - profiles[:, layer])
    return contrast


def _depth_mm(piece_kji: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance to the surface of a piece that is made solid first; where the scan ends, the piece goes on."""
    room = int(_CLOSING_MM / _VOXEL_MM) + 2
    padded = np.pad(piece_kji, room, mode="edge")
    grown = ndimage.distance_transform_edt(~padded, sampling=_VOXEL_MM) <= _CLOSING_MM
    solid = (ndimage.distance_transform_edt(grown, sampling=_VOXEL_MM) > _CLOSING_MM) | padded
    depth = ndimage.distance_transform_edt(ndimage.binary_fill_holes(solid), sampling=_VOXEL_MM)
    inner: NDArray[np.float64] = depth[room:-room, room:-room, room:-room]
    return inner


def _directions(place_kji: NDArray[np.float64]) -> NDArray[np.int_]:
    """Which of about a hundred directions from the middle a place lies in: steps of 15 and 20 degrees."""
    up, back, left = place_kji.T
    radius = np.maximum(np.linalg.norm(place_kji, axis=1), 1e-6)
    fall = np.clip((np.arccos(up / radius) / (np.pi / 12)).astype(int), 0, 11)
    turn = ((np.arctan2(back, left) + np.pi) / (np.pi / 9)).astype(int) % 18
    both: NDArray[np.int_] = fall * 18 + turn
    return both


def _without_speckles(mask_kji: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask without its small pieces: where the skull was cleared as well, scalp and brain are two large ones."""
    pieces, _ = ndimage.label(mask_kji)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    kept: NDArray[np.bool_] = (sizes > _SPECKLES * sizes.sum())[pieces]
    return kept
