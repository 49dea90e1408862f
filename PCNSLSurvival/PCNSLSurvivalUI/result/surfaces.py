"""The 3-D view: surface of the brain, the tumor outline in it, and the strongest region of the shown map."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from slicer.i18n import tr as _
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from PCNSLSurvivalUI.result import map_display
from PCNSLSurvivalUI.scene.output_nodes import MASK, SceneOutputs
from PCNSLSurvivalUI.scene.segmentations import hasVoxels, visibleSegments
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld
from PCNSLSurvivalUI.second_thoughts.answers import isDoubted
from PCNSLSurvivalUI.second_thoughts.outline import outlineOf

BRAIN, TUMOR, REGION = "output.surface.brain", "output.surface.tumor", "output.surface.region"
STRONGEST = 0.7
"""Share of the maximum of a map from which its strongest region is drawn."""
_EDGE_MM = 4.0
"""Voxels are skipped down to this: a surface of the brain in some milliseconds."""
_LOOKS = {BRAIN: ((0.80, 0.78, 0.75), 0.25), TUMOR: ((0.25, 0.85, 0.95), 0.9), REGION: ((1.0, 0.55, 0.1), 0.6)}


def showSurfaces(
    outputs: SceneOutputs,
    t1gd: Any,
    result: dict[str, Any],
    parameters: Any,
    roles: Iterable[str] = (BRAIN, TUMOR, REGION),
) -> None:
    """Draw surfaces anew, as far as there is something to draw.

    A map that failed a check has no strongest region to show: in 3-D it could not be hatched.

    Args:
        outputs: Where the volumes are.
        t1gd: The T1Gd of the result; None when it is gone.
        result: The stored prediction.
        parameters: The panel's choices.
        roles: Which of them.
    """
    kind = map_display.shownKind(parameters, result)
    map_ = None if isDoubted(parameters, result, kind) else map_display.shownNode(outputs, kind, False)
    names = {BRAIN: _("Brain surface"), TUMOR: _("Tumor surface"), REGION: _("Strongest region of the map")}
    draw: dict[str, Callable[[], Any]] = {
        BRAIN: lambda: _ofVolume(outputs.node(MASK), 0.5),
        TUMOR: lambda: _ofOutline(outlineOf(parameters)),
        REGION: lambda: _ofVolume(map_, STRONGEST, ofMaximum=True),
    }
    for role in roles:
        surface = draw[role]()
        if surface is None or surface.GetNumberOfPoints() == 0:
            outputs.remove(role)
            continue
        node = outputs.node(role)
        if node is None:
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode")
            node.CreateDefaultDisplayNodes()
            outputs.place(role, node, names[role], t1gd, kept=False)
        node.SetAndObservePolyData(surface)
        display, (color, opacity) = node.GetDisplayNode(), _LOOKS[role]
        display.SetColor(*color)
        display.SetOpacity(opacity)
        display.SetVisibility2D(False)  # the slice views show map and outline themselves
        display.SetVisibility(True)


def _ofVolume(node: Any, level: float, *, ofMaximum: bool = False) -> Any:
    """Surface of what reaches a level, or a share of the largest absolute value, in a volume."""
    if node is None or node.GetImageData() is None:
        return None
    steps = [max(1, round(_EDGE_MM / edge)) for edge in node.GetSpacing()]
    values = np.abs(slicer.util.arrayFromVolume(node)[:: steps[2], :: steps[1], :: steps[0]].astype(np.float32))
    if ofMaximum:
        level *= float(values.max())
    if level <= 0:
        return None
    return _surface(values, ijkToWorld(node, node.GetName()) @ np.diag([*steps, 1.0]), level)


def _ofOutline(outline: Any) -> Any:
    """Surface of the visible part of a tumor outline, on its own voxels."""
    if outline is None:
        return None
    if outline.IsA("vtkMRMLLabelMapVolumeNode"):
        if outline.GetImageData() is None:
            return None
        return _ofVoxels(slicer.util.arrayFromVolume(outline) > 0, ijkToWorld(outline, outline.GetName()))
    together = vtk.vtkAppendPolyData()
    for segment in map(outline.GetSegmentation().GetSegment, visibleSegments(outline) if hasVoxels(outline) else []):
        block = segment.GetRepresentation("Binary labelmap")
        scalars = block.GetPointData().GetScalars() if block is not None else None
        if scalars is None or block.GetNumberOfPoints() == 0:
            continue
        values = vtk_to_numpy(scalars).reshape(block.GetDimensions()[::-1]) == segment.GetLabelValue()
        toWorld, shift = vtk.vtkMatrix4x4(), np.eye(4)
        block.GetImageToWorldMatrix(toWorld)
        shift[:3, 3] = block.GetExtent()[::2]
        surface = _ofVoxels(values, slicer.util.arrayFromVTKMatrix(toWorld) @ shift)
        if surface is not None:
            together.AddInputData(surface)
    if together.GetNumberOfInputConnections(0) == 0:
        return None
    toWorld = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(outline.GetParentTransformNode(), None, toWorld)
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetInputConnection(together.GetOutputPort())
    moved.SetTransform(toWorld)
    moved.Update()
    return moved.GetOutput()


def _ofVoxels(inside_kji: NDArray[np.bool_], ijkToRas: NDArray[np.float64]) -> Any:
    """Surface of what is inside; no voxel is skipped, so that a small focus stays. None where nothing is inside."""
    if not inside_kji.any():
        return None
    hits = [np.flatnonzero(inside_kji.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    box = tuple(slice(hit[0], hit[-1] + 1) for hit in hits)
    shift = np.eye(4)
    shift[:3, 3] = [hit[0] for hit in reversed(hits)]
    return _surface(inside_kji[box].astype(np.float32), ijkToRas @ shift, 0.5)


def _surface(values_kji: NDArray[np.float32], ijkToRas: NDArray[np.float64], level: float) -> Any:
    """Closed, smoothed surface at a level, in RAS mm."""
    padded = np.pad(values_kji, 1)  # what reaches the rim is closed as well
    image = vtk.vtkImageData()
    image.SetDimensions(*padded.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(padded.ravel(), deep=True))
    edges = vtk.vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, level)
    smooth = vtk.vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(edges.GetOutputPort())
    smooth.SetNumberOfIterations(25)
    smooth.SetPassBand(0.03)
    unpadded = np.eye(4)
    unpadded[:3, 3] = -1.0
    place = vtk.vtkMatrixToLinearTransform()
    place.SetInput(slicer.util.vtkMatrixFromArray(ijkToRas @ unpadded))
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetInputConnection(smooth.GetOutputPort())
    moved.SetTransform(place)
    if np.linalg.det(ijkToRas[:3, :3]) > 0:
        moved.Update()
        return moved.GetOutput()
    turned = vtk.vtkReverseSense()  # in a mirror the corners run the other way round, and the surface would be black
    turned.SetInputConnection(moved.GetOutputPort())
    turned.Update()
    return turned.GetOutput()
