"""Slice views: real MRML slice logics behind the few layout manager calls the panel makes."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtCore

from slicer_standin.pythonqt import run_slot

_SIZE = (300, 300)
_ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}


def render_slice(logic: Any, application_logic: Any, path: str) -> None:
    """One slice view as Slicer draws it, legend included: real displayable managers in an off-screen window.

    Needs a software OpenGL (libEGL); the blended image alone comes from ``logic.GetImageDataConnection()``.
    """
    node = logic.GetSliceNode()
    width, height = node.GetDimensions()[:2]
    actor = vtk.vtkImageActor()
    actor.GetMapper().SetInputConnection(logic.GetImageDataConnection())
    renderer = vtk.vtkRenderer()
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(width, height)
    window.AddRenderer(renderer)
    interactor = vtk.vtkGenericRenderWindowInteractor()
    interactor.SetRenderWindow(window)
    window.Render()
    renderer.AddActor(actor)
    camera = renderer.GetActiveCamera()
    camera.ParallelProjectionOn()
    camera.SetFocalPoint((width - 1) / 2, (height - 1) / 2, 0)
    camera.SetPosition((width - 1) / 2, (height - 1) / 2, 100)
    camera.SetParallelScale(height / 2)
    legends = slicer.vtkMRMLColorLegendDisplayableManager()
    legends.SetMRMLApplicationLogic(application_logic)
    group = slicer.vtkMRMLDisplayableManagerGroup()
    group.SetRenderer(renderer)
    group.AddDisplayableManager(legends)
    group.SetMRMLDisplayableNode(node)
    for legend in slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode"):
        # In Slicer the views are there first and hear of every new legend.
        slicer.mrmlScene.InvokeEvent(slicer.vtkMRMLScene.NodeAddedEvent, legend)
        legend.Modified()
    window.Render()
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(window)
    grabber.ReadFrontBufferOff()
    writer = vtk.vtkPNGWriter()
    writer.SetInputConnection(grabber.GetOutputPort())
    writer.SetFileName(path)
    writer.Write()
    group.SetMRMLDisplayableNode(None)
    window.Finalize()


class OpacitySliders:
    """The opacity slider of every slice view: it follows its view, and tells the linked views of each change.

    Seen in Slicer 5.8.1: a script that sets the opacity of one view moves the slider, which counts as the hand of the
    user; a linked view then gives its opacity to all others, also to those that have no foreground.
    """

    def __init__(self) -> None:
        self._shown: dict[str, float] = {}
        self._tags: list[tuple[Any, int]] = []
        self._telling = False
        self._observe(slicer.mrmlScene, slicer.vtkMRMLScene.NodeAddedEvent, self._on_added)
        for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            self._follow(node)

    def _observe(self, node: Any, event: int, action: Any) -> None:
        self._tags.append((node, node.AddObserver(event, action)))

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_added(self, scene: Any, event: str, node: Any) -> None:
        if node.IsA("vtkMRMLSliceCompositeNode"):
            self._follow(node)

    def _follow(self, node: Any) -> None:
        self._shown[node.GetID()] = node.GetForegroundOpacity()
        self._observe(node, vtk.vtkCommand.ModifiedEvent, self._on_modified)

    def _on_modified(self, node: Any, event: str) -> None:
        opacity = node.GetForegroundOpacity()
        if self._shown.get(node.GetID()) == opacity:
            return
        self._shown[node.GetID()] = opacity
        if not node.GetLinkedControl() or self._telling:
            return
        self._telling = True
        for other in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            other.SetForegroundOpacity(opacity)
        self._telling = False

    def close(self) -> None:
        for node, tag in self._tags:
            node.RemoveObserver(tag)
        self._tags = []


class SliceView:
    """Seen in Slicer 5.8.1: pauses of one view and of the whole application count together; the last one draws.

    After a pause of more than 16 ms it draws at once, for a tenth of a second, and again with the next events.
    """

    def __init__(self) -> None:
        self._pauses = 0
        self.standin_draws = 0

    def isRenderPaused(self) -> bool:
        return self._pauses > 0

    def pauseRender(self) -> int:
        self._pauses += 1
        return self._pauses

    def resumeRender(self) -> int:
        assert self._pauses > 0, "Cannot resume rendering, pause render count is already 0!"
        self._pauses -= 1
        self.standin_draws += self._pauses == 0
        return self._pauses


class SliceWidget:
    def __init__(self, logic: Any) -> None:
        self._logic = logic
        self._view = SliceView()

    def sliceView(self) -> SliceView:
        return self._view

    def sliceLogic(self) -> Any:
        return self._logic

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()


class LayoutManager:
    """``slicer.app.layoutManager()`` with three slice views of 300 x 300 pixels."""

    def __init__(self, application_logic: Any, names: tuple[str, ...]) -> None:
        self._application_logic, self._names = application_logic, names
        self.standin_layouts: dict[int, str] = {}
        self.standin_sizes: dict[int, tuple[int, int]] = {}
        self.layout = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
        self.threeDViewCount = 0
        self._widgets: dict[str, SliceWidget] = {}
        logics = vtk.vtkCollection()
        for name in names:
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLApplicationLogic(application_logic)
            logic.SetMRMLScene(slicer.mrmlScene)
            node = logic.AddSliceNode(name)
            node.SetDefaultOrientation(_ORIENTATIONS[name])  # as the layout does
            node.SetOrientation(_ORIENTATIONS[name])
            node.SetDimensions(*_SIZE, 1)
            logics.AddItem(logic)
            self._widgets[name] = SliceWidget(logic)
        application_logic.SetSliceLogics(logics)
        self._logics = logics
        self._sliders = OpacitySliders()
        self.standin_slots: list[Any] = []
        """What hears of another layout."""

    def connect(self, signal: str, slot: Any) -> bool:
        self.standin_slots += [slot] if signal == "layoutChanged(int)" else []
        return signal == "layoutChanged(int)"

    def disconnect(self, signal: str, slot: Any) -> bool:
        self.standin_slots.remove(slot)
        return True

    def sliceViewNames(self) -> tuple[str, ...]:
        return self._names

    def sliceWidget(self, name: str) -> SliceWidget | None:
        return self._widgets.get(name)

    def mrmlSliceLogics(self) -> Any:
        return self._logics

    def setLayout(self, layout: int) -> None:
        """The views get their new sizes with the next events; they keep their height in mm.

        Seen in Slicer 5.8.1: a layout with a view of its own leaves the axial view, which is linked to it, at 0 mm.
        """
        if layout != self.layout:
            if layout in self.standin_layouts:
                slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed").SetSliceOffset(0.0)
            width, height = self.standin_sizes.get(layout, _SIZE)
            QtCore.QTimer.singleShot(0, lambda: self._resize_views(width, height))
        changed, self.layout = layout != self.layout, layout
        for slot in list(self.standin_slots) if changed else []:
            run_slot(slot, (layout,))

    def _resize_views(self, width: int, height: int) -> None:
        for widget in self._widgets.values():
            widget.sliceLogic().ResizeSliceNode(width, height)

    def layoutLogic(self) -> Any:
        return self

    def GetLayoutNode(self) -> Any:
        return self

    def AddLayoutDescription(self, layout: int, description: str) -> bool:
        if layout in self.standin_layouts:
            return False
        self.standin_layouts[layout] = description
        return True

    def IsLayoutDescription(self, layout: int) -> bool:
        return layout in self.standin_layouts

    def resetSliceViews(self) -> None:
        for widget in self._widgets.values():
            widget.sliceLogic().FitSliceToBackground()

    def resetThreeDViews(self) -> None:
        """There is no 3-D view."""

    def close(self) -> None:
        self._sliders.close()
        for widget in self._widgets.values():
            logic = widget.sliceLogic()
            nodes = [logic.GetSliceNode(), logic.GetSliceCompositeNode()]
            logic.SetMRMLScene(None)
            # New logics would keep nodes of their own beside those of the same name that the scene still holds.
            for node in nodes:
                slicer.mrmlScene.RemoveNode(node)
        self._application_logic.SetSliceLogics(vtk.vtkCollection())
