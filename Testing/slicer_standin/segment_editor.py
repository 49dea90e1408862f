"""Segment Editor as far as the panel meets it: what it takes as source, and what it does to the slice views.

Read in ``qMRMLSegmentEditorWidget.cxx`` and ``SegmentEditor.py``, and seen in the running application: a segmentation
brings the volume of its reference geometry with it as source; the source becomes the background unless it is shown
already; on entering, a segmentation that was chosen before stays chosen, otherwise the first one of the scene is.
Not imitated: effects, the undo history, the 3-D button.
"""

from __future__ import annotations

import sys
from typing import Any

import slicer

_LOGIC = slicer.vtkSlicerSegmentationsModuleLogic
# As the module Segmentations does when it is loaded: without a rule there is no empty segment.
for _rule in (
    slicer.vtkBinaryLabelmapToClosedSurfaceConversionRule,
    slicer.vtkClosedSurfaceToBinaryLabelmapConversionRule,
):
    slicer.vtkSegmentationConverterFactory.GetInstance().RegisterConverterRule(_rule())


class SegmentEditorWidget:
    """``slicer.modules.segmenteditor.widgetRepresentation().self().editor``."""

    def __init__(self) -> None:
        self._segmentation = self._source = ""

    def _node(self, node_id: str) -> Any:
        return slicer.mrmlScene.GetNodeByID(node_id) if node_id else None

    def segmentationNode(self) -> Any:
        return self._node(self._segmentation)

    def sourceVolumeNode(self) -> Any:
        return self._node(self._source)

    def setSegmentationNode(self, node: Any) -> None:
        if node is None or node.GetID() == self._segmentation:
            self._segmentation = node.GetID() if node is not None else ""
            return
        self._segmentation = node.GetID()
        self.setSourceVolumeNode(node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()))
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            composite.SetLabelVolumeID(None)

    def setSourceVolumeNode(self, node: Any) -> None:
        self._source = node.GetID() if node is not None else ""
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            shown = (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID())
            if node is not None and node.GetID() not in shown:
                composite.SetBackgroundVolumeID(node.GetID())
                composite.SetForegroundVolumeID(None)
                composite.SetLabelVolumeID(None)


class SegmentEditorModule:
    """``slicer.modules.segmenteditor``."""

    def __init__(self) -> None:
        self.editor = SegmentEditorWidget()

    def widgetRepresentation(self) -> Any:
        return self

    def self(self) -> Any:
        return self

    def enter(self) -> None:
        if self.editor.segmentationNode() is None:
            first = slicer.mrmlScene.GetFirstNode(None, "vtkMRMLSegmentationNode")
            self.editor.setSegmentationNode(first)


class SegmentationsLogic(_LOGIC):
    """Slicer's own logic, with the message of the application's plugins about a hidden segmentation."""

    @staticmethod
    def ImportLabelmapToSegmentationNode(*arguments: Any) -> bool:
        if arguments[1].GetHideFromEditors():
            print("Unable to find subject hierarchy item", file=sys.stderr)
            print("Failed to access subject hierarchy item", file=sys.stderr)
        return _LOGIC.ImportLabelmapToSegmentationNode(*arguments)
