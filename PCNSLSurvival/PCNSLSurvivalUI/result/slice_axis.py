"""The line through T1Gd along which its axial slices are stacked; places on it are what Slicer's slice sliders say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

_STEEPEST = 0.5
"""Cosine of the angle between line and view normal from which on a view counts as axial."""


@dataclass(frozen=True)
class SliceAxis:
    """A line through the patient.

    A place on it is the distance, in mm from the origin of the patient's frame, along ``normal_ras``. Slicer measures
    the offset of a slice view in the same way, along the view's own normal.
    """

    normal_ras: tuple[float, float, float] = (0.0, 0.0, 1.0)
    center_ras_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @classmethod
    def of(cls, affine_ras: NDArray[np.float64], shape_kji: tuple[int, ...]) -> SliceAxis:
        """The axis of a voxel grid that is nearest to foot-head, pointing to the head.

        Args:
            affine_ras: (4, 4) voxel index (i, j, k, 1) to RAS mm.
            shape_kji: Number of voxels.
        """
        axes = affine_ras[:3, :3] / np.linalg.norm(affine_ras[:3, :3], axis=0)
        along = axes[:, int(np.argmax(np.abs(axes[2])))]
        center = affine_ras @ [*((np.array(shape_kji[::-1]) - 1) / 2), 1.0]
        r, a, s = (float(v) for v in along * np.sign(along[2]))
        return cls((r, a, s), (float(center[0]), float(center[1]), float(center[2])))

    def placeOf(self, sliceNode: Any) -> float | None:
        """Where a slice view crosses the line; None when it runs nearly along it."""
        plane, normal = _plane(sliceNode)
        steepness = float(normal @ self.normal_ras)
        if abs(steepness) < _STEEPEST:
            return None
        offset = float(normal @ plane[:3, 3])
        start = float(np.dot(self.normal_ras, self.center_ras_mm))
        return start + (offset - float(normal @ self.center_ras_mm)) / steepness

    def bring(self, sliceNode: Any, place_mm: float) -> None:
        """Move a slice view along its own normal until it crosses the line at a place."""
        start = float(np.dot(self.normal_ras, self.center_ras_mm))
        point = np.array(self.center_ras_mm) + (place_mm - start) * np.array(self.normal_ras)
        sliceNode.SetSliceOffset(float(_plane(sliceNode)[1] @ point))


def _plane(sliceNode: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    plane = slicer.util.arrayFromVTKMatrix(sliceNode.GetSliceToRAS())
    return plane, plane[:3, 2] / np.linalg.norm(plane[:3, 2])
