"""The slice views as the user left them: kept before something else is shown, given back afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import slicer
import vtk

from PCNSLSurvivalUI.event_loop import soon
from PCNSLSurvivalUI.scene.output_nodes import OUTPUT_ATTRIBUTE


@contextmanager
def oneRender() -> Iterator[None]:
    """Every view draws once, soon after the end, however much is changed within.

    Not at the end itself, as ``slicer.util.RenderBlocker`` does: widgets that follow the views tell them of the same
    change with the next events, and all views would draw a second time.
    """
    paused = _pausedViews()
    try:
        yield
    finally:
        soon(lambda: _drawInTurn(paused))


def _pausedViews() -> list[Any]:
    """All views; none draws until its ``resumeRender``."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return []
    views = [manager.sliceWidget(name).sliceView() for name in manager.sliceViewNames()]
    views += [manager.threeDWidget(number).threeDView() for number in range(manager.threeDViewCount)]
    for view in views:
        view.pauseRender()
    return views


def _drawInTurn(paused: list[Any]) -> None:
    """Let views draw, each between other events: the first drawing of a map takes a tenth of a second in a view."""
    if not paused:
        return
    try:
        paused[0].resumeRender()
    except ValueError:  # of PythonQt: another layout has removed the view meanwhile
        pass
    finally:
        soon(lambda: _drawInTurn(paused[1:]))


def drawnOnce(work: Iterator[None]) -> Iterator[None]:
    """Work in pieces during which no view draws; every view draws once soon after its end."""
    with oneRender():
        yield from work


@contextmanager
def modifiedOnce(node: Any) -> Iterator[None]:
    """The observers of a node hear of every change within at once."""
    wasModifying = node.StartModify()
    try:
        yield
    finally:
        node.EndModify(wasModifying)


@dataclass(frozen=True)
class _Plane:
    """Where one slice view looks."""

    sliceToRAS: Any
    fieldOfView_mm: tuple[float, ...]
    origin_mm: tuple[float, ...]
    labelOutline: bool


@dataclass
class _Layers:
    """What one slice view shows."""

    background: str | None
    foreground: str | None
    label: str | None
    foregroundOpacity: float
    labelOpacity: float
    linked: tuple[bool, bool]


class KeptViews:
    """Planes, layers and layout of the user, from ``keep`` to ``giveBack``.

    Args:
        isOwnLayout: Whether a layout is one of ours: a scene may have been saved with it.
    """

    def __init__(self, isOwnLayout: Callable[[int], bool]) -> None:
        self._isOwnLayout = isOwnLayout
        self._planes: dict[str, _Plane] = {}
        self._layers: dict[str, _Layers] = {}
        self._layout: int | None = None
        self._wasOwnLayout = False
        """Whether the views were kept in a layout of ours, and fill one of the user's only when fitted."""
        self._crosshair: int | None = None
        """Mode of the user, while the crosshair is shown in its place."""

    def keep(self) -> None:
        """Remember how every view is now; views that are kept already stay kept as they were."""
        manager = slicer.app.layoutManager()
        if self._layout is None and manager is not None:
            self._layout, self._wasOwnLayout = manager.layout, self._isOwnLayout(manager.layout)
            if self._wasOwnLayout:
                self._layout = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
                if _isCrosshairShown():
                    self._crosshair = slicer.vtkMRMLCrosshairNode.NoCrosshair
        for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            if node.GetID() not in self._planes:
                matrix = vtk.vtkMatrix4x4()
                matrix.DeepCopy(node.GetSliceToRAS())
                self._planes[node.GetID()] = _Plane(
                    matrix, node.GetFieldOfView(), node.GetXYZOrigin(), bool(node.GetUseLabelOutline())
                )
        for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if node.GetID() not in self._layers:
                self._layers[node.GetID()] = _Layers(
                    node.GetBackgroundVolumeID(),
                    _unlessOurs(node.GetForegroundVolumeID()),
                    _unlessOurs(node.GetLabelVolumeID()),
                    node.GetForegroundOpacity(),
                    node.GetLabelOpacity(),
                    (bool(node.GetLinkedControl()), bool(node.GetHotLinkedControl())),
                )

    def keepLabel(self, composite: Any) -> None:
        """A label map was loaded meanwhile; it too comes back."""
        kept = self._layers.get(composite.GetID())
        if kept is not None and composite.GetLabelVolumeID():
            kept.label, kept.labelOpacity = composite.GetLabelVolumeID(), composite.GetLabelOpacity()

    def hasOutline(self, sliceNode: Any) -> bool:
        """Whether the user had label maps drawn as outlines in this view."""
        kept = self._planes.get(sliceNode.GetID())
        return kept.labelOutline if kept is not None else bool(sliceNode.GetUseLabelOutline())

    def giveBack(self) -> None:
        """Show again what was kept, as far as it is still in the scene."""
        self.giveCrosshairBack()
        if not self._planes and not self._layers:
            return
        with oneRender():
            manager = slicer.app.layoutManager()
            if manager is not None and self._layout is not None and manager.layout != self._layout:
                manager.setLayout(self._layout)
            for nodeID, plane in self._planes.items():
                node = slicer.mrmlScene.GetNodeByID(nodeID)
                if node is not None:
                    _showPlane(node, plane)
            for nodeID, layers in self._layers.items():
                node = slicer.mrmlScene.GetNodeByID(nodeID)
                if node is not None:
                    _showLayers(node, layers)
        if self._wasOwnLayout:  # the views get their sizes with the next events
            soon(_fit)
        self.forget()

    def showCrosshair(self) -> None:
        """Show a simple crosshair until ``giveCrosshairBack``."""
        crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshair is not None and crosshair.GetCrosshairMode() != slicer.vtkMRMLCrosshairNode.ShowBasic:
            self._crosshair = crosshair.GetCrosshairMode()
            crosshair.SetCrosshairMode(slicer.vtkMRMLCrosshairNode.ShowBasic)

    def giveCrosshairBack(self) -> None:
        """The mode from before ``showCrosshair``, unless the user has chosen another one since."""
        before, self._crosshair = self._crosshair, None
        crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshair is None or before is None:
            return
        if crosshair.GetCrosshairMode() == slicer.vtkMRMLCrosshairNode.ShowBasic:
            crosshair.SetCrosshairMode(before)

    def forget(self) -> None:
        """Keep nothing, for example because the scene goes."""
        self._planes, self._layers, self._layout, self._crosshair = {}, {}, None, None
        self._wasOwnLayout = False


def _isCrosshairShown() -> bool:
    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    return crosshair is not None and crosshair.GetCrosshairMode() == slicer.vtkMRMLCrosshairNode.ShowBasic


def _fit() -> None:
    if slicer.app.layoutManager() is not None:
        slicer.app.layoutManager().resetSliceViews()


def _showPlane(node: Any, plane: _Plane) -> None:
    with modifiedOnce(node):
        node.GetSliceToRAS().DeepCopy(plane.sliceToRAS)
        node.SetFieldOfView(*plane.fieldOfView_mm)
        node.SetXYZOrigin(*plane.origin_mm)
        node.SetUseLabelOutline(plane.labelOutline)
        node.UpdateMatrices()


def _showLayers(node: Any, layers: _Layers) -> None:
    with modifiedOnce(node):
        node.SetBackgroundVolumeID(_ifThere(layers.background))
        node.SetForegroundVolumeID(_ifThere(layers.foreground))
        node.SetLabelVolumeID(_ifThere(layers.label))
        node.SetForegroundOpacity(layers.foregroundOpacity)
        node.SetLabelOpacity(layers.labelOpacity)
        node.SetLinkedControl(layers.linked[0])
        node.SetHotLinkedControl(layers.linked[1])


def _unlessOurs(nodeID: str | None) -> str | None:
    """A map or a brain mask that a saved scene shows goes with its result."""
    node = slicer.mrmlScene.GetNodeByID(nodeID) if nodeID else None
    return None if node is not None and node.GetAttribute(OUTPUT_ATTRIBUTE) else nodeID


def _ifThere(nodeID: str | None) -> str | None:
    return nodeID if nodeID and slicer.mrmlScene.GetNodeByID(nodeID) is not None else None
