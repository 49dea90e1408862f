"""Finished steps of earlier runs: a second click after changing only the model repeats no preprocessing."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
import vtk

from PCNSLSurvivalUI.scene.volume_files import newHidden

_MOST = 8


@dataclass
class _Kept:
    className: str
    name: str
    matrix: vtk.vtkMatrix4x4
    image: vtk.vtkImageData | None
    modified: int

    def isUntouched(self) -> bool:
        """Whether the voxels are still those of the step: an output in the scene can be painted on."""
        return self.image is None or self.image.GetMTime() == self.modified


class KeptSteps:
    """Images and transforms of finished steps, by what they were made from. Images are kept, nodes are not."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], list[_Kept]] = {}
        self._findings: dict[tuple[Any, ...], list[dict[str, Any]] | None] = {}
        self._folder: Path | None = None

    def folder(self) -> Path:
        """Folder where our own process keeps its finished steps; made when first asked for."""
        if self._folder is None:
            self._folder = Path(slicer.util.tempDirectory())
        return self._folder

    def keep(
        self,
        key: tuple[Any, ...],
        nodes: Iterable[slicer.vtkMRMLNode],
        findings: list[dict[str, Any]] | None = None,
    ) -> None:
        """Remember the volumes and linear transforms that a step made, and what it said of them."""
        self._kept.pop(key, None)
        self._kept[key] = [_kept(node) for node in nodes]
        self._findings[key] = findings
        while len(self._kept) > _MOST:
            oldest = next(iter(self._kept))
            del self._kept[oldest], self._findings[oldest]

    def nodes(self, key: tuple[Any, ...]) -> list[slicer.vtkMRMLNode] | None:
        """Hidden nodes with the remembered results; None when this step has not been done."""
        parts = self._kept.get(key)
        if parts is None or not all(part.isUntouched() for part in parts):
            return None
        return [_node(part) for part in parts]

    def findings(self, key: tuple[Any, ...]) -> list[dict[str, Any]] | None:
        """What the step said of its result, as in ``prediction.json``; None when it said nothing."""
        return self._findings.get(key)

    def forget(self) -> None:
        """Drop everything, such as when the scene closes."""
        self._kept.clear()
        self._findings.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _kept(node: Any) -> _Kept:
    matrix, image = vtk.vtkMatrix4x4(), None
    if node.IsA("vtkMRMLVolumeNode"):
        node.GetIJKToRASMatrix(matrix)
        image = node.GetImageData()
    else:
        node.GetMatrixTransformToParent(matrix)
    return _Kept(node.GetClassName(), node.GetName(), matrix, image, 0 if image is None else image.GetMTime())


def _node(part: _Kept) -> Any:
    node = newHidden(part.className, part.name)
    if part.image is None:
        node.SetMatrixTransformToParent(part.matrix)
    else:
        node.SetIJKToRASMatrix(part.matrix)
        node.SetAndObserveImageData(part.image)
    return node


def identityOf(node: slicer.vtkMRMLScalarVolumeNode) -> tuple[Any, ...]:
    """What changes whenever the voxels or the place of a volume change."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    image = node.GetImageData()
    return (image.GetAddressAsString(""), image.GetMTime(), slicer.util.arrayFromVTKMatrix(matrix).tobytes())
