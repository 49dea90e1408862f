"""The choice of scans follows the scene: filled in when volumes arrive, emptied when the chosen one goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
import vtk

from PCNSLSurvivalUI.choices.parameters import VOLUMES, PanelParameters
from PCNSLSurvivalUI.event_loop import soon

_SETTLED_MS = 300
"""A volume gets its name and its DICOM attributes a moment after it was added."""
_CHOICES = (*VOLUMES.values(), "brainMask", "lesion", "earlierVolume", "earlierLesion")


class ScanChoice:
    """Watches the scene for one panel.

    Args:
        parameters: The stored choices.
        arrived: Called a moment after scalar volumes were added.
    """

    def __init__(self, parameters: PanelParameters, arrived: Callable[[], None]) -> None:
        self._parameters: PanelParameters | None = parameters
        scene = slicer.mrmlScene
        self._tags = [
            scene.AddObserver(scene.NodeAddedEvent, self._onNodeAdded),
            scene.AddObserver(scene.NodeAboutToBeRemovedEvent, self._onNodeGoes),
        ]
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLED_MS)
        self._timer.connect("timeout()", arrived)

    def close(self) -> None:
        """Watch no longer."""
        self._parameters = None
        self._timer.stop()
        self._timer.disconnect("timeout()")
        for tag in self._tags:
            slicer.mrmlScene.RemoveObserver(tag)
        self._tags = []

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, caller: Any, event: str, node: Any) -> None:
        if node.GetClassName() == "vtkMRMLScalarVolumeNode" and not node.GetHideFromEditors():
            self._timer.start()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeGoes(self, caller: Any, event: str, node: Any) -> None:
        # A selector switches to any other volume when its own is removed, and the user would not notice.
        # Asked of the node: the wrapper around it takes some milliseconds, for each of a run's many nodes.
        chosen = self._parameters.parameterNode
        names = [name for name in _CHOICES if chosen.GetNodeReferenceID(name) == node.GetID()]
        if names:
            soon(lambda: self._empty(names))

    def _empty(self, names: list[str]) -> None:
        if self._parameters is not None:
            for name in names:
                setattr(self._parameters, name, None)
