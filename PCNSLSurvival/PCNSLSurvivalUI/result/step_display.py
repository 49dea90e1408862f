"""One step of the preparation in the slice views, in place of the map."""

from __future__ import annotations

from typing import Any

import slicer

from PCNSLSurvivalUI.result.map_display import composites
from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, MASK, T1GD, SceneOutputs


class StepView:
    """Shows a step large, and gives back the label layer that was there before."""

    def __init__(self) -> None:
        self._labels: dict[str, str | None] = {}
        self._outlines: dict[str, bool] = {}

    def show(self, outputs: SceneOutputs, role: str) -> None:
        """Show a step's volume in every slice view; the brain's outline over steps that it judges.

        Args:
            outputs: Where the volumes are.
            role: The step, as in ``quality_strip``.
        """
        self.hide()
        mask, judged = outputs.node(MASK), role == MASK or role.startswith(ALIGNED)
        node = outputs.node(T1GD if role == MASK else role)
        if node is None:
            return
        _setLayers(node, None)
        if mask is not None and judged:
            for composite in composites():
                self._labels[composite.GetID()] = composite.GetLabelVolumeID()
                composite.SetLabelVolumeID(mask.GetID())
                composite.SetLabelOpacity(1.0)
            for sliceNode in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
                self._outlines[sliceNode.GetID()] = bool(sliceNode.GetUseLabelOutline())
                sliceNode.SetUseLabelOutline(True)

    def showFused(self, outputs: SceneOutputs, moving: Any) -> None:
        """Lay a volume half transparent over T1Gd, to see its alignment while it is moved."""
        self.hide()
        if outputs.node(T1GD) is not None:
            _setLayers(outputs.node(T1GD), moving)

    def hide(self) -> None:
        """Take our outline out of the views; the other layers are set by ``map_view``."""
        for nodeID, label in self._labels.items():
            composite = slicer.mrmlScene.GetNodeByID(nodeID)
            if composite is not None:
                composite.SetLabelVolumeID(label)
        for nodeID, outline in self._outlines.items():
            sliceNode = slicer.mrmlScene.GetNodeByID(nodeID)
            if sliceNode is not None:
                sliceNode.SetUseLabelOutline(outline)
        self._labels, self._outlines = {}, {}


def _setLayers(background: Any, foreground: Any) -> None:
    for composite in composites():
        wasModifying = composite.StartModify()
        composite.SetBackgroundVolumeID(background.GetID())
        composite.SetForegroundVolumeID(foreground.GetID() if foreground is not None else None)
        composite.SetForegroundOpacity(0.5 if foreground is not None else 0.0)
        composite.EndModify(wasModifying)
