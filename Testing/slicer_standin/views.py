"""Slice views: real MRML slice logics behind the few layout manager calls the panel makes."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

_ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}


class SliceWidget:
    def __init__(self, logic: Any) -> None:
        self._logic = logic

    def sliceLogic(self) -> Any:
        return self._logic

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()


class LayoutManager:
    """``slicer.app.layoutManager()`` with three slice views of 300 x 300 pixels."""

    def __init__(self, application_logic: Any, names: tuple[str, ...]) -> None:
        self._application_logic, self._names = application_logic, names
        self._layouts: dict[int, str] = {}
        self.layout = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
        self._widgets: dict[str, SliceWidget] = {}
        logics = vtk.vtkCollection()
        for name in names:
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLApplicationLogic(application_logic)
            logic.SetMRMLScene(slicer.mrmlScene)
            node = logic.AddSliceNode(name)
            node.SetOrientation(_ORIENTATIONS[name])
            node.SetDimensions(300, 300, 1)
            logics.AddItem(logic)
            self._widgets[name] = SliceWidget(logic)
        application_logic.SetSliceLogics(logics)
        self._logics = logics

    def sliceViewNames(self) -> tuple[str, ...]:
        return self._names

    def sliceWidget(self, name: str) -> SliceWidget | None:
        return self._widgets.get(name)

    def setLayout(self, layout: int) -> None:
        self.layout = layout

    def layoutLogic(self) -> Any:
        return self

    def GetLayoutNode(self) -> Any:
        return self

    def AddLayoutDescription(self, layout: int, description: str) -> bool:
        if layout in self._layouts:
            return False
        self._layouts[layout] = description
        return True

    def IsLayoutDescription(self, layout: int) -> bool:
        return layout in self._layouts

    def resetSliceViews(self) -> None:
        for widget in self._widgets.values():
            widget.sliceLogic().FitSliceToBackground()

    def close(self) -> None:
        for widget in self._widgets.values():
            widget.sliceLogic().SetMRMLScene(None)
        self._application_logic.SetSliceLogics(vtk.vtkCollection())
