"""Masks as segmentations that can be corrected, and segmentations as masks on the voxels of a volume."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

from PCNSLSurvivalLib.core.errors import UnusableScanError
from PCNSLSurvivalUI.scene.volume_files import hiddenCopy, newHidden, removeNode


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
    visible = visibleSegments(segmentation)
    if not visible or not hasVoxels(segmentation):
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


def tumorOn(scan: Any, outline: Any) -> Any:
    """A hidden label map of a tumor outline on the voxels of a scan; the caller removes it.

    Args:
        scan: The volume.
        outline: A segmentation, or a label map on these voxels.

    Raises:
        UnusableScanError: The outline is empty.
    """
    if outline.IsA("vtkMRMLLabelMapVolumeNode"):
        if outline.GetImageData() is None or not slicer.util.arrayFromVolume(outline).any():
            raise UnusableScanError(
                _(
                    "The label map chosen as tumor outline is empty: all its voxels are 0. Draw the tumor in "
                    "Segment Editor, or choose no outline; then predict again."
                )
            )
        return hiddenCopy(outline, _("The tumor outline"))
    mask = newHidden("vtkMRMLLabelMapVolumeNode", "Tumor")
    if not fillMask(mask, outline, scan):
        removeNode(mask)
        raise UnusableScanError(
            _(
                "The tumor outline is empty on T1Gd. Draw the tumor in Segment Editor and show its segment, or "
                "choose no outline; then predict again."
            )
        )
    return mask


def visibleSegments(segmentation: Any) -> list[str]:
    """IDs of the segments that are not hidden: those that are read."""
    visible: list[str] = []
    if segmentation.GetDisplayNode() is not None:
        segmentation.GetDisplayNode().GetVisibleSegmentIDs(visible)
    return visible


def hasVoxels(segmentation: Any) -> bool:
    """Whether the voxels of every segment are there; those of a surface or of contours are made now.

    An empty segment is there as well.
    """
    return bool(segmentation.GetSegmentation().CreateRepresentation("Binary labelmap"))


def contentOf(segmentation: Any) -> str:
    """Count, middle and extent of the voxels of every segment: other text after any stroke in Segment Editor.

    Names, colors and visibility do not count, nor does the size of the block in which Slicer keeps the voxels.
    """
    told = []
    hasVoxels(segmentation)
    for number in range(segmentation.GetSegmentation().GetNumberOfSegments()):
        segment = segmentation.GetSegmentation().GetNthSegment(number)
        block = segment.GetRepresentation("Binary labelmap")
        scalars = block.GetPointData().GetScalars() if block is not None else None
        if scalars is None or block.GetNumberOfPoints() == 0:
            continue
        values = vtk_to_numpy(scalars).reshape(block.GetDimensions()[::-1])
        first = np.array(block.GetExtent()[::2])
        places = np.argwhere(values == segment.GetLabelValue())[:, ::-1] + first
        if len(places):
            matrix = vtk.vtkMatrix4x4()
            block.GetImageToWorldMatrix(matrix)
            affine = np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
            points = places @ affine[:3, :3].T + affine[:3, 3]
            numbers = [*points.mean(axis=0), *points.std(axis=0), *(points**3).mean(axis=0) / 1e4]
            told.append(" ".join([str(len(places)), *(f"{value:.2f}" for value in numbers)]))
    return "; ".join(told)
