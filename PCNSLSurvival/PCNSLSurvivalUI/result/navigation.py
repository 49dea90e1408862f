"""Navigation in the map: hotspots, layouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import qt
import slicer
import vtk

from PCNSLSurvivalUI.result.slice_axis import SliceAxis
from PCNSLSurvivalUI.scene.kept_views import modifiedOnce, oneRender

BESIDE = "PCNSLBeside"
"""Slice view that shows T1Gd alone, next to the overlay."""
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
    with oneRender():
        slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *ras_mm)


def turnToPlanesOf(volume: Any) -> None:
    """Turn every slice view to the planes of a volume next to its own orientation, and fit the volume in.

    A view keeps the planes of what was loaded last; from those, another orientation may be the next one.
    """
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        with modifiedOnce(node):
            node.SetOrientationToDefault()
            node.RotateToVolumePlane(volume)
    _fit()


def axialSliceNode() -> Any:
    """The slice node of the axial view; None without views."""
    return slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")


def goToAxial(axis: SliceAxis, place_mm: float) -> None:
    """Bring the axial views to a place; a change that no mouse makes is not passed on between linked views."""
    with oneRender():
        for name in _AXIAL:
            node = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}")
            if node is not None:
                axis.bring(node, place_mm)


def showFourUp() -> None:
    """The usual four views."""
    _showLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)


def showSideBySide() -> None:
    """T1Gd without and with overlay, side by side in linked axial views."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    layoutNode = manager.layoutLogic().GetLayoutNode()
    if not layoutNode.IsLayoutDescription(_SIDE_BY_SIDE):
        layoutNode.AddLayoutDescription(_SIDE_BY_SIDE, _sideBySideDescription())
    _showLayout(_SIDE_BY_SIDE)
    for name in _AXIAL:
        composite = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{name}")
        if composite is not None:
            composite.SetLinkedControl(True)
            composite.SetHotLinkedControl(True)


def _showLayout(layout: int) -> None:
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    # A view that is new in the layout takes the linked ones along to its own slice.
    before = [(node, _planeOf(node)) for node in slicer.util.getNodesByClass("vtkMRMLSliceNode")]
    manager.setLayout(layout)
    _turnBack(before)
    # The views get their new sizes with the next events, and keep their height in mm: a narrow one cuts the head.
    qt.QTimer.singleShot(0, lambda: _lookAtTheSame(before))


def _planeOf(node: Any) -> Any:
    plane = vtk.vtkMatrix4x4()
    plane.DeepCopy(node.GetSliceToRAS())
    return plane


def _turnBack(before: list[tuple[Any, Any]]) -> list[Any]:
    """Give the views that are still there their planes; returns these views."""
    there = [(node, plane) for node, plane in before if node.GetScene() is not None]
    for node, plane in there:
        node.GetSliceToRAS().DeepCopy(plane)
        node.UpdateMatrices()
    return [node for node, _plane in there]


def _lookAtTheSame(before: list[tuple[Any, Any]]) -> None:
    """Fit every view to its new size at the slices shown before; both axial views show the same."""
    with oneRender():
        offsets = [(node, node.GetSliceOffset()) for node in _turnBack(before)]
        _fit()
        for node, offset in offsets:
            node.SetSliceOffset(offset)
        red, beside = (slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}") for name in _AXIAL)
        if red is not None and beside is not None:
            beside.SetFieldOfView(*red.GetFieldOfView())
            beside.GetSliceToRAS().DeepCopy(red.GetSliceToRAS())
            beside.UpdateMatrices()


def _fit() -> None:
    if slicer.app.layoutManager() is not None:
        slicer.app.layoutManager().resetSliceViews()


def _sideBySideDescription() -> str:
    views = "".join(
        f'<item><view class="vtkMRMLSliceNode" singletontag="{tag}">'
        '<property name="orientation" action="default">Axial</property>'
        f'<property name="viewlabel" action="default">{label}</property>'
        f'<property name="viewcolor" action="default">{color}</property></view></item>'
        for tag, label, color in ((BESIDE, "T1Gd", "#888888"), ("Red", "R", "#F34A33"))
    )
    return f'<layout type="horizontal" split="true">{views}</layout>'
