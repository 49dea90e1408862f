"""Two volumes with the same voxels in the patient, although their axes may run in other directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from PCNSLSurvivalUI.scene.volume_files import ijkToWorld

_TOLERANCE_MM = 0.01
"""How far apart the voxels of two volumes may lie; as on the command line."""


def voxelOrder(node: Any, reference: Any) -> NDArray[np.int64] | None:
    """Where each voxel of one volume is stored in another one.

    Args:
        node: A volume.
        reference: A volume that holds an image.

    Returns:
        (4, 4) matrix from voxel index (i, j, k, 1) of ``reference`` to that of ``node``; None when they do not have
        the same voxels.

    Raises:
        UnusableScanError: A transform above one of the two bends it.
    """
    image, size = node.GetImageData(), reference.GetImageData().GetDimensions()
    if image is None:
        return None
    own, other = ijkToWorld(node, node.GetName()), ijkToWorld(reference, reference.GetName())
    order = np.rint(np.linalg.inv(own) @ other).astype(int)
    axes = np.abs(order[:3, :3])
    if (axes.sum(axis=0) != 1).any() or (axes.sum(axis=1) != 1).any():
        return None
    corners = np.array([[(n - 1) * (corner >> axis & 1) for axis, n in enumerate(size)] + [1] for corner in range(8)])
    stored = corners @ order.T
    isWhole = not stored[:, :3].min(axis=0).any() and tuple(stored[:, :3].max(axis=0) + 1) == image.GetDimensions()
    apart_mm = np.abs(corners @ (own @ order - other).T).max()
    return order if isWhole and apart_mm < _TOLERANCE_MM else None


def inOrderOf(node: Any, order: NDArray[np.int64]) -> NDArray[Any]:
    """The voxels of a volume in the order of another one, (k, j, i); a view.

    Args:
        node: The volume.
        order: What ``voxelOrder`` says of the two.
    """
    voxels = slicer.util.arrayFromVolume(node).transpose(2, 1, 0).transpose(np.abs(order[:3, :3]).argmax(axis=0))
    return np.flip(voxels, np.flatnonzero(order[:3, :3].sum(axis=0) < 0)).transpose(2, 1, 0)
