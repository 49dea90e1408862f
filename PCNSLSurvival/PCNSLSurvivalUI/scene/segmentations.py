"""Masks as segmentations that can be corrected, and segmentations as masks on the voxels of a volume."""

from __future__ import annotations

from typing import Any

import slicer
import vtk


def addOutline(segmentation: Any, mask: Any, source: Any, name: str, color: tuple[float, float, float]) -> None:
    """Turn a mask into a segment that is drawn as an outline.

    Args:
        segmentation: In the scene and visible: a hidden node has no place in the subject hierarchy.
        mask: A label map; None for an empty segment, to draw from nothing.
        source: The volume that Segment Editor shall look at.
        name: Of the segment.
        color: Red, green, blue, 0 to 1.
    """
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(source)
    if mask is None:
        segmentation.GetSegmentation().AddEmptySegment("", name)
    else:
        slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(mask, segmentation)
    for number in range(segmentation.GetSegmentation().GetNumberOfSegments()):
        segment = segmentation.GetSegmentation().GetNthSegment(number)
        segment.SetName(name)
        segment.SetColor(*color)
    segmentation.GetDisplayNode().SetVisibility2DFill(False)
    segmentation.GetDisplayNode().SetVisibility2DOutline(True)


def openEditor(segmentation: Any, source: Any) -> None:
    """Open a segmentation in Segment Editor, on the volume it was drawn on; nothing without a main window."""
    if slicer.util.mainWindow() is None:
        return
    slicer.util.selectModule("SegmentEditor")
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    editor.setSegmentationNode(segmentation)  # not the one that was edited before
    if source is not None:
        editor.setSourceVolumeNode(source)


def fillMask(mask: Any, segmentation: Any, reference: Any) -> bool:
    """Fill a label map with 1 where a visible segment is, on the voxels of a volume; whether there is anything.

    Slicer's own export adds a color table to the scene that is never removed.
    """
    visible: list[str] = []
    if segmentation.GetDisplayNode() is not None:
        segmentation.GetDisplayNode().GetVisibleSegmentIDs(visible)
    if not visible or not segmentation.GetSegmentation().CreateRepresentation("Binary labelmap"):
        return False
    names = vtk.vtkStringArray()
    for name in visible:
        names.InsertNextValue(name)
    logic, merged = slicer.vtkSlicerSegmentationsModuleLogic, slicer.vtkOrientedImageData()
    whole = slicer.vtkSegmentation.EXTENT_REFERENCE_GEOMETRY
    logic.GenerateMergedLabelmapInReferenceGeometry(segmentation, reference, names, whole, merged)
    if merged.GetPointData().GetScalars() is None:
        return False
    logic.CreateLabelmapVolumeFromOrientedImageData(merged, mask)
    values = slicer.util.arrayFromVolume(mask)
    values[:] = values > 0
    slicer.util.arrayFromVolumeModified(mask)
    return bool(values.any())
