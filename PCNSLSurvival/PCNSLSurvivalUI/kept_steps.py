"""Finished steps of earlier runs: a second click after changing only the model repeats no preprocessing."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

from PCNSLSurvivalUI.scene_bridge import newHidden

_MOST = 8


class KeptSteps:
    """Images of finished steps, by what they were made from. Images are kept, nodes are not."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], tuple[vtk.vtkImageData, vtk.vtkMatrix4x4]] = {}

    def keep(self, key: tuple[Any, ...], node: slicer.vtkMRMLScalarVolumeNode) -> None:
        """Remember the result of a step."""
        matrix = vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(matrix)
        self._kept.pop(key, None)
        self._kept[key] = (node.GetImageData(), matrix)
        while len(self._kept) > _MOST:
            self._kept.pop(next(iter(self._kept)))

    def node(self, key: tuple[Any, ...], className: str, name: str) -> slicer.vtkMRMLScalarVolumeNode | None:
        """A hidden node with the remembered result; None when this step has not been done."""
        if key not in self._kept:
            return None
        image, matrix = self._kept[key]
        node = newHidden(className, name)
        node.SetIJKToRASMatrix(matrix)
        node.SetAndObserveImageData(image)
        return node

    def forget(self) -> None:
        """Drop everything, such as when the scene closes."""
        self._kept.clear()


def identityOf(node: slicer.vtkMRMLScalarVolumeNode) -> tuple[Any, ...]:
    """What changes whenever the voxels or the place of a volume change."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    image = node.GetImageData()
    return (image.GetAddressAsString(""), image.GetMTime(), slicer.util.arrayFromVTKMatrix(matrix).tobytes())
