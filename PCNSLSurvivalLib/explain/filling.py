"""A region of the network's input filled from its surroundings, and a control region of equal size beside it."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter

FloatMap = NDArray[np.float32]
Region = NDArray[np.bool_]

_RIM_VOXELS = 2
"""What lies this close to the region may hold a part of it, and is filled as well."""
_SIGMAS_VOXELS = (2.0, 4.0, 8.0, 16.0, 32.0)
_ENOUGH_KNOWN = 0.02
"""Share of known tissue in a Gaussian, from which its average is used."""
_STEP_VOXELS = 4
_INSIDE = 0.98
_SAMPLES = 3000


def with_rim(region: Region, brain: Region) -> Region:
    """(I, J, K) the region and the brain within two voxels of it."""
    grown: Region = (binary_dilation(region, iterations=_RIM_VOXELS) & brain) | region
    return grown


def fill(case: FloatMap, region: Region, brain: Region) -> FloatMap:
    """Replace a region by a smooth continuation of the brain around it.

    Every voxel becomes the Gaussian average of the brain outside the region, with the smallest width that reaches
    enough of it. The result is smoother than tissue; a control region filled alike tells what that alone does.

    Args:
        case: (C, I, J, K) prepared input.
        region: (I, J, K) on the same grid.
        brain: (I, J, K) on the same grid.

    Returns:
        (C, I, J, K); equal to ``case`` outside the region.
    """
    known = brain & ~region
    filled = case.copy()
    if not region.any() or not known.any():
        return filled
    places = np.argwhere(region)
    reach = int(2 * _SIGMAS_VOXELS[-1])
    low = np.maximum(places.min(axis=0) - reach, 0)
    box = tuple(slice(int(a), int(b) + reach + 1) for a, b in zip(low, places.max(axis=0), strict=True))
    known_here, missing = known[box].astype(np.float32), region[box].copy()
    for sigma in _SIGMAS_VOXELS:
        weight = gaussian_filter(known_here, sigma)
        now = missing & (weight > _ENOUGH_KNOWN)
        for channel, values in enumerate(case):
            smooth = gaussian_filter(values[box] * known_here, sigma)
            filled[channel][box][now] = smooth[now] / weight[now]
        missing &= ~now
        if not missing.any():
            return filled
    for channel, values in enumerate(case):
        filled[channel][box][missing] = values[known].mean()
    return filled


def control_region(region: Region, brain: Region) -> Region | None:
    """The same region moved to the nearest place in the brain that it does not touch.

    Args:
        region: (I, J, K), not empty.
        brain: (I, J, K) on the same grid.

    Returns:
        (I, J, K) with as many voxels as ``region``; None where no such place exists.
    """
    places = np.argwhere(region)
    share = float(brain[tuple(places.T)].mean())
    some = places[:: max(1, len(places) // _SAMPLES)]
    shape = np.array(region.shape)
    near = binary_dilation(region, iterations=2 * _RIM_VOXELS)
    steps = [np.arange(-(n // _STEP_VOXELS), n // _STEP_VOXELS + 1) * _STEP_VOXELS for n in region.shape]
    moves = np.array(list(itertools.product(*steps)))
    stays = ((places.min(axis=0) + moves >= 0) & (places.max(axis=0) + moves < shape)).all(axis=1)
    moves = moves[stays]
    for move in moves[np.argsort((moves**2).sum(axis=1), kind="stable")]:
        there = tuple((some + move).T)
        if near[there].any() or brain[there].mean() < _INSIDE * share:
            continue
        whole = tuple((places + move).T)
        if not near[whole].any() and brain[whole].mean() >= _INSIDE * share:
            control = np.zeros_like(region)
            control[whole] = True
            return control
    return None
