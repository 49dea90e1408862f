"""Navigation in the map: hotspots, layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from PCNSLSurvivalLib.core.terms import BESIDE_T1GD, MRSequence
from PCNSLSurvivalUI.event_loop import soon
from PCNSLSurvivalUI.result.slice_axis import SliceAxis
from PCNSLSurvivalUI.scene.kept_views import modifiedOnce, oneRender

BESIDE = "PCNSLBeside"
"""Slice view that shows T1Gd alone, next to the overlay."""
EARLIER_VIEW, LATER_VIEW = "PCNSLEarlier", "PCNSLLater"
"""Slice views of two exams, the later one moved over the earlier head."""
EXAM_VIEWS = (EARLIER_VIEW, LATER_VIEW)
SEQUENCE_VIEWS = {sequence: f"PCNSL{sequence.label}" for sequence in BESIDE_T1GD}
"""Slice views of the other sequences, next to T1Gd with the map."""
_SIDE_BY_SIDE, _EXAMS, _SEQUENCES = 20265, 20266, 20270
_MOST_CELLS = 12
_BESIDE_RED = (BESIDE, *SEQUENCE_VIEWS.values())
_COLORS = {"Red": "#F34A33", BESIDE: "#888888", EARLIER_VIEW: "#888888", LATER_VIEW: "#F34A33"}


@dataclass(frozen=True)
class Cell:
    """One cell of a map."""

    ras_mm: tuple[float, float, float]
    value: float


def strongestCells(node: Any, drawn: Any) -> list[Cell]:
    """Cells by absolute value, strongest first; left out are cells without any value, and those that are not drawn.

    Args:
        node: A map on its own cells.
        drawn: The same map as the views draw it, 0 where nothing is drawn: outside the brain.
    """
    array, affine = slicer.util.arrayFromVolume(node), _ijkToRAS(node)
    cells: list[Cell] = []
    for flat in np.argsort(-np.abs(array), axis=None, kind="stable"):
        k, j, i = np.unravel_index(flat, array.shape)
        if array[k, j, i] == 0.0 or len(cells) == _MOST_CELLS:
            break
        place = _drawnPlace(drawn, affine, (i, j, k))
        if place is not None:
            r, a, s = (float(mm) for mm in place)
            cells.append(Cell((r, a, s), float(array[k, j, i])))
    return cells


def _drawnPlace(drawn: Any, cells: Any, index: tuple[Any, ...]) -> Any:
    """Where a cell is drawn, RAS in mm: at its middle, or at the voxel next to that; None when it is not drawn.

    Args:
        drawn: The map as the views draw it.
        cells: (4, 4) from cells to RAS in mm.
        index: Of the cell: i, j, k.
    """
    values, affine = slicer.util.arrayFromVolume(drawn), _ijkToRAS(drawn)
    middle = (cells @ (*index, 1.0))[:3]
    toVoxels = np.linalg.inv(affine) @ cells
    nearest = np.rint(toVoxels @ (*index, 1.0)).astype(int)[:3]
    size = np.array(values.shape[::-1])
    if (nearest >= 0).all() and (nearest < size).all() and values[tuple(nearest[::-1])] != 0:
        return middle
    half = np.abs(toVoxels[:3, :3]).sum(axis=1) / 2
    first = np.clip(np.floor(nearest - half).astype(int), 0, size)
    last = np.clip(np.ceil(nearest + half).astype(int) + 1, 0, size)
    block = values[first[2] : last[2], first[1] : last[1], first[0] : last[0]]
    voxels = np.argwhere(block != 0)[:, ::-1] + first
    ras = voxels @ affine[:3, :3].T + affine[:3, 3]
    # The block around an oblique cell holds voxels of its neighbors as well.
    within = np.abs((ras - middle) @ np.linalg.inv(cells[:3, :3]).T).max(axis=1, initial=0.0) <= 0.5
    ras = ras[within]
    return ras[np.argmin(np.linalg.norm(ras - middle, axis=1))] if len(ras) else None


def _ijkToRAS(node: Any) -> Any:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def jumpTo(ras_mm: tuple[float, float, float]) -> None:
    """Bring every slice view through a point of the patient."""
    with oneRender():
        slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *ras_mm)


def turnToPlanesOf(volume: Any) -> None:
    """Turn every slice view to the planes of a volume next to its own orientation, and fit the volume in.

    A view keeps the planes of what was loaded last; from those, another orientation may be the next one. The views of
    two exams side by side keep those of the earlier head.
    """
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        if node.GetLayoutName() in EXAM_VIEWS:
            continue
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
        for name in ("Red", *_BESIDE_RED):
            node = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}")
            if node is not None:
                axis.bring(node, place_mm)


def showFourUp() -> None:
    """The usual four views, the 3-D view on what it shows."""
    showLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    # Box and letters around the head are no part of it: with them it would fill a quarter of the view.
    nodes = [manager.threeDWidget(number).mrmlViewNode() for number in range(manager.threeDViewCount)]
    before = [(node, node.GetBoxVisible(), node.GetAxisLabelsVisible()) for node in nodes]
    for node in nodes:
        node.SetBoxVisible(False)
        node.SetAxisLabelsVisible(False)
    manager.resetThreeDViews()
    for node, box, letters in before:
        node.SetBoxVisible(box)
        node.SetAxisLabelsVisible(letters)


def showSideBySide() -> None:
    """T1Gd without and with overlay, side by side in linked axial views."""
    _showAxialViews(_SIDE_BY_SIDE, ((BESIDE, "T1Gd"), ("Red", "R")))


def showSequences(sequences: Sequence[MRSequence]) -> None:
    """T1Gd with its overlay beside other sequences, in linked axial views.

    Args:
        sequences: Those that are aligned with T1Gd.
    """
    # A description is made once: every choice of sequences has a layout of its own.
    layout = _SEQUENCES + sum(1 << BESIDE_T1GD.index(sequence) for sequence in sequences)
    _showAxialViews(layout, (("Red", "T1Gd"), *((SEQUENCE_VIEWS[one], one.label) for one in sequences)))


def showExams(volume: Any, ras_mm: tuple[float, float, float] | None) -> None:
    """Two exams side by side in linked axial views.

    Args:
        volume: T1Gd of the earlier exam: the views turn to its planes.
        ras_mm: Where to look; the middle of the volume if None.
    """
    _showAxialViews(_EXAMS, ((EARLIER_VIEW, "1"), (LATER_VIEW, "2")))
    # The views get their sizes with the next events.
    soon(lambda: _lookAtExams(volume, ras_mm))


def isOwnLayout(layout: int) -> bool:
    """Whether a layout is one that the panel made."""
    return layout in (_SIDE_BY_SIDE, _EXAMS) or _SEQUENCES < layout < _SEQUENCES + (1 << len(BESIDE_T1GD))


def isShowingExams() -> bool:
    """Whether the layout is that of ``showExams``."""
    manager = slicer.app.layoutManager()
    return manager is not None and manager.layout == _EXAMS


def _lookAtExams(volume: Any, ras_mm: tuple[float, float, float] | None) -> None:
    views = [slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}") for name in EXAM_VIEWS]
    if not isShowingExams() or volume.GetScene() is None or None in views:
        return
    nodes = slicer.util.getNodesByClass("vtkMRMLSliceNode")
    others = [(node, _planeOf(node)) for node in nodes if node.GetLayoutName() not in EXAM_VIEWS]
    with oneRender():
        for node in views:
            with modifiedOnce(node):
                node.SetOrientation("Axial")  # whatever a new view starts with: patient left is on the right
                node.RotateToVolumePlane(volume)
        _fit()
        _turnBack(others)  # the reader comes back to the slices that were left
        if ras_mm is not None:
            for node in views:
                node.JumpSliceByOffsetting(*ras_mm)
        _followPlane(views[1], views[0])


def _showAxialViews(layout: int, views: tuple[tuple[str, str], ...]) -> None:
    """Axial views side by side, linked: name and label of each."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    layoutNode = manager.layoutLogic().GetLayoutNode()
    if not layoutNode.IsLayoutDescription(layout):
        layoutNode.AddLayoutDescription(layout, _description(views))
        if manager.layout == layout:  # of a scene that was opened: Slicer did not know it and shows another one
            manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    showLayout(layout)
    for name, _label in views:
        composite = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{name}")
        if composite is not None:
            composite.SetLinkedControl(True)
            composite.SetHotLinkedControl(True)


def showLayout(layout: int) -> None:
    """Another layout; the views that stay keep their slices."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    # A view that is new in the layout takes the linked ones along to its own slice.
    before = [(node, _planeOf(node)) for node in slicer.util.getNodesByClass("vtkMRMLSliceNode")]
    manager.setLayout(layout)
    _turnBack(before)
    # The views get their new sizes with the next events, and keep their height in mm: a narrow one cuts the head.
    soon(lambda: _lookAtTheSame(before))


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
        for name in _BESIDE_RED:
            beside = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}")
            if axialSliceNode() is not None and beside is not None:
                _followPlane(beside, axialSliceNode())


def _followPlane(node: Any, leading: Any) -> None:
    """Let a slice view show what another one shows, undistorted also where it has other edges."""
    edges = node.GetDimensions()
    width_mm, height_mm, depth_mm = leading.GetFieldOfView()
    if min(edges[:2]) > 0:
        pixel_mm = max(width_mm / edges[0], height_mm / edges[1])
        width_mm, height_mm = pixel_mm * edges[0], pixel_mm * edges[1]
    node.SetFieldOfView(width_mm, height_mm, depth_mm)
    node.GetSliceToRAS().DeepCopy(leading.GetSliceToRAS())
    node.UpdateMatrices()


def _fit() -> None:
    if slicer.app.layoutManager() is not None:
        slicer.app.layoutManager().resetSliceViews()


def _description(axialViews: tuple[tuple[str, str], ...]) -> str:
    items = [
        f'<item><view class="vtkMRMLSliceNode" singletontag="{tag}">'
        '<property name="orientation" action="default">Axial</property>'
        f'<property name="viewlabel" action="default">{label}</property>'
        f'<property name="viewcolor" action="default">{_COLORS.get(tag, "#888888")}</property></view></item>'
        for tag, label in axialViews
    ]
    # Views with a splitter between them would get different widths.
    columns = 2 if len(items) == 4 else 3
    starts = range(0, len(items), columns)
    rows = [f'<layout type="horizontal">{"".join(items[n : n + columns])}</layout>' for n in starts]
    if len(rows) == 1:
        return rows[0]
    return f'<layout type="vertical">{"".join(f"<item>{row}</item>" for row in rows)}</layout>'
