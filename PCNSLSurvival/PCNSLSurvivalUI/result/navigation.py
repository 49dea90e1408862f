"""Finding one's way through the map: strongest cells, layouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import qt
import slicer
import vtk

from PCNSLSurvivalUI.result.map_display import BESIDE

_SIDE_BY_SIDE = 20265
_MOST_CELLS = 12
_AXIAL = ("Red", BESIDE)


@dataclass(frozen=True)
class Cell:
    """One cell of a map."""

    ras_mm: tuple[float, float, float]
    value: float


def strongestCells(node: Any) -> list[Cell]:
    """Cells by absolute value, strongest first; cells without any value are left out.

    Args:
        node: A map on its own cells.
    """
    array = slicer.util.arrayFromVolume(node)
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    affine = slicer.util.arrayFromVTKMatrix(matrix)
    order = np.argsort(-np.abs(array), axis=None)[:_MOST_CELLS]
    cells = []
    for flat in order:
        k, j, i = np.unravel_index(flat, array.shape)
        if array[k, j, i] == 0.0:
            break
        r, a, s, _one = affine @ (i, j, k, 1.0)
        cells.append(Cell((float(r), float(a), float(s)), float(array[k, j, i])))
    return cells


def jumpTo(ras_mm: tuple[float, float, float]) -> None:
    """Bring every slice view through a point of the patient."""
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *ras_mm)


def axialSliceNode() -> Any:
    """The slice node of the axial view; None without views."""
    return slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")


def goToAxial(s_mm: float) -> None:
    """Bring the axial views to a height; a change that no mouse makes is not passed on between linked views."""
    for name in _AXIAL:
        node = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}")
        if node is not None:
            node.SetSliceOffset(s_mm)


def showFourUp() -> None:
    """The usual four views."""
    if slicer.app.layoutManager() is not None:
        slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)


def showSideBySide() -> None:
    """T1Gd alone beside the overlay, both axial, moving together."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    layoutNode = manager.layoutLogic().GetLayoutNode()
    if not layoutNode.IsLayoutDescription(_SIDE_BY_SIDE):
        layoutNode.AddLayoutDescription(_SIDE_BY_SIDE, _sideBySideDescription())
    manager.setLayout(_SIDE_BY_SIDE)
    for name in _AXIAL:
        composite = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{name}")
        if composite is not None:
            composite.SetLinkedControl(True)
            composite.SetHotLinkedControl(True)
    # The new view gets its size with the next events; then it looks at the same place as the other.
    qt.QTimer.singleShot(0, _lookAtTheSame)


def _lookAtTheSame() -> None:
    red, beside = (slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}") for name in _AXIAL)
    if red is not None and beside is not None:
        beside.SetFieldOfView(*red.GetFieldOfView())
        beside.GetSliceToRAS().DeepCopy(red.GetSliceToRAS())
        beside.UpdateMatrices()


def _sideBySideDescription() -> str:
    views = "".join(
        f'<item><view class="vtkMRMLSliceNode" singletontag="{tag}">'
        '<property name="orientation" action="default">Axial</property>'
        f'<property name="viewlabel" action="default">{label}</property>'
        f'<property name="viewcolor" action="default">{color}</property></view></item>'
        for tag, label, color in ((BESIDE, "T1", "#888888"), ("Red", "R", "#F34A33"))
    )
    return f'<layout type="horizontal" split="true">{views}</layout>'
