"""The few ctk and qMRML widgets the panel uses, with the names, defaults and habits that were recorded."""

from __future__ import annotations

from typing import Any, ClassVar

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from slicer_standin.pythonqt import PythonQtObject

_HEADER_PX = 26


class _Fake(PythonQtObject):
    """A fake widget sets its own Python attributes freely; users of it cannot."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.standin_class_name = cls.__name__


class qMRMLWidget(_Fake, QtWidgets.QWidget):  # noqa: N801 — Slicer's name
    standin_signals: ClassVar = {"mrmlSceneChanged(vtkMRMLScene*)": None}

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self.standin_emit("mrmlSceneChanged(vtkMRMLScene*)", scene)

    def mrmlScene(self) -> Any:
        return self.__dict__.get("_scene")


class ctkCollapsibleButton(_Fake, QtWidgets.QAbstractButton):  # noqa: N801
    standin_properties: ClassVar = {"collapsed": False, "contentsLineWidth": 1, "collapsedHeight": 10}
    standin_signals: ClassVar = {"contentsCollapsed(bool)": None}

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._hidden_by_us: list[Any] = []
        self.setCheckable(True)
        self.setChecked(True)
        self.setContentsMargins(0, _HEADER_PX, 0, 0)
        # As in ctkCollapsibleButton.cpp: what its contents would like to have is the least it takes in width.
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Minimum, QtWidgets.QSizePolicy.Policy.Preferred)
        QtCore.QObject.connect(self, QtCore.SIGNAL("toggled(bool)"), self._show_contents)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)

    def _changed_collapsed(self, collapsed: bool) -> None:
        if self.isChecked() == collapsed:
            self.setChecked(not collapsed)
        self._show_contents(not collapsed)

    def _show_contents(self, shown: bool) -> None:
        self.__dict__.setdefault("_standin_values", {})["collapsed"] = not shown
        if shown:
            for child in self._hidden_by_us:
                child.setVisible(True)
            self._hidden_by_us = []
        else:
            for child in self.children():
                if isinstance(child, QtWidgets.QWidget) and not child.isHidden():
                    self._hidden_by_us.append(child)
                    child.setVisible(False)
        QtWidgets.QWidget.setMaximumHeight(self, 16777215 if shown else _HEADER_PX)
        self.updateGeometry()
        self.standin_emit("contentsCollapsed(bool)", not shown)

    def _button_size(self) -> QtCore.QSize:
        words = QtWidgets.QWidget.fontMetrics(self).horizontalAdvance(QtWidgets.QAbstractButton.text(self))
        return QtCore.QSize(words + 34, _HEADER_PX)

    def sizeHint(self) -> QtCore.QSize:
        layout = QtWidgets.QWidget.layout(self)
        if not self.isChecked() or layout is None:
            return self._button_size()
        return layout.totalSizeHint().expandedTo(self._button_size())

    def minimumSizeHint(self) -> QtCore.QSize:
        layout = QtWidgets.QWidget.layout(self)
        if not self.isChecked() or layout is None:
            return self._button_size()
        return layout.totalMinimumSize().expandedTo(self._button_size())

    def hitButton(self, position: QtCore.QPoint) -> bool:
        return position.y() < _HEADER_PX

    def paintEvent(self, _event: Any) -> None:
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, option.rect.width(), _HEADER_PX)
        painter.drawControl(QtWidgets.QStyle.ControlElement.CE_PushButtonBevel, option)
        arrow = QtWidgets.QStyleOption()
        arrow.initFrom(self)
        arrow.rect = QtCore.QRect(8, 8, 10, 10)
        down = QtWidgets.QStyle.PrimitiveElement.PE_IndicatorArrowDown
        right = QtWidgets.QStyle.PrimitiveElement.PE_IndicatorArrowRight
        painter.drawPrimitive(down if self.isChecked() else right, arrow)
        painter.setPen(QtWidgets.QWidget.palette(self).color(QtGui.QPalette.ColorRole.ButtonText))
        painter.drawText(
            QtCore.QRect(26, 0, option.rect.width() - 30, _HEADER_PX),
            QtCore.Qt.AlignmentFlag.AlignVCenter,
            QtWidgets.QAbstractButton.text(self),
        )


class ctkSliderWidget(_Fake, QtWidgets.QWidget):  # noqa: N801
    standin_properties: ClassVar = {
        "value": 0.0,
        "minimum": 0.0,
        "maximum": 99.99,
        "singleStep": 1.0,
        "pageStep": 10.0,
        "decimals": 2,
        "suffix": "",
        "prefix": "",
        "tracking": True,
        "tickInterval": 0.0,
    }
    standin_signals: ClassVar = {"valueChanged(double)": None, "valueIsChanging(double)": None}

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self._box = QtWidgets.QDoubleSpinBox()
        self._box.setMaximum(99.99)
        self._slider.setRange(0, 9999)
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._box.valueChanged.connect(lambda value: setattr(self, "value", value))
        self._slider.valueChanged.connect(lambda steps: setattr(self, "value", steps / 10**self.decimals))
        QtWidgets.QWidget.setFocusProxy(self, self._slider)

    def standin_write(self, name: str, value: Any) -> None:
        values = self.__dict__.setdefault("_standin_values", {})
        before = self.standin_read("value")
        values[name] = value
        low, high = self.standin_read("minimum"), self.standin_read("maximum")
        if name == "minimum" and value > high:
            values["maximum"] = high = value
        if name == "maximum" and value < low:
            values["minimum"] = low = value
        now = values["value"] = round(min(max(self.standin_read("value"), low), high), self.standin_read("decimals"))
        scale = 10 ** self.standin_read("decimals")
        for part in (self._slider, self._box):
            part.blockSignals(True)
        self._slider.setRange(round(low * scale), round(high * scale))
        self._slider.setSingleStep(max(round(self.standin_read("singleStep") * scale), 1))
        self._box.setDecimals(self.standin_read("decimals"))
        self._box.setRange(low, high)
        self._box.setSingleStep(self.standin_read("singleStep"))
        self._box.setSuffix(self.standin_read("suffix"))
        self._slider.setValue(round(now * scale))
        self._box.setValue(now)
        for part in (self._slider, self._box):
            part.blockSignals(False)
        if now != before:
            self.standin_emit("valueChanged(double)", now)

    def setValue(self, value: float) -> None:
        self.value = value


class qMRMLNodeComboBox(_Fake, QtWidgets.QWidget):  # noqa: N801
    standin_properties: ClassVar = {
        "nodeTypes": [],
        "noneEnabled": False,
        "addEnabled": True,
        "removeEnabled": True,
        "renameEnabled": False,
        "editEnabled": False,
        "showChildNodeTypes": True,
        "showHidden": False,
        "selectNodeUponCreation": True,
        "noneDisplay": "None",
        "baseName": "",
        "currentNodeID": "",
        "hideChildNodeTypes": [],
        "interactionNodeSingletonTag": "",
    }
    standin_signals: ClassVar = {
        "currentNodeChanged(vtkMRMLNode*)": None,
        "currentNodeChanged(bool)": None,
        "currentNodeIDChanged(QString)": None,
    }

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._combo = QtWidgets.QComboBox()
        self._combo.setMinimumContentsLength(8)
        self._combo.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        layout.addWidget(self._combo)
        self._scene, self._tags, self._node = None, [], None
        QtWidgets.QWidget.setEnabled(self, False)
        QtWidgets.QWidget.setFocusProxy(self._combo, self)  # and it takes none itself: Tab passes it by
        self._combo.activated.connect(lambda row: self._select(self._combo.itemData(row)))

    def setMRMLScene(self, scene: Any) -> None:
        self._forget()
        self._scene = scene
        QtWidgets.QWidget.setEnabled(self, scene is not None)
        if scene is not None:
            self._tags = [
                *(scene.AddObserver(event, self._on_node) for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent)),
                *(scene.AddObserver(event, self._refill) for event in (scene.EndCloseEvent, scene.EndImportEvent)),
            ]
        self._refill()
        if not self.noneEnabled and self._node is None and self._nodes():
            self._select(self._nodes()[0].GetID())

    def _forget(self, *_arguments: Any) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._tags = []

    def mrmlScene(self) -> Any:
        return self._scene

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        found, children, hidden = [], self.showChildNodeTypes, self.showHidden
        for kind in self.nodeTypes:
            nodes = self._scene.GetNodesByClass(kind)
            nodes.UnRegister(None)
            for index in range(nodes.GetNumberOfItems()):
                node = nodes.GetItemAsObject(index)
                if (children or node.GetClassName() == kind) and (hidden or not node.GetHideFromEditors()):
                    found.append(node)
        return found

    def nodeCount(self) -> int:
        return len(self._nodes())

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node(self, caller: Any, event: str, node: Any) -> None:
        import shiboken6

        if not shiboken6.isValid(self) or any(node.IsA(kind) for kind in self.nodeTypes):
            self._refill()

    def _refill(self, *_arguments: Any) -> None:
        import shiboken6

        if not shiboken6.isValid(self):
            self._forget()
            return
        nodes = self._nodes()
        self._combo.clear()
        if self.noneEnabled or not nodes:
            self._combo.addItem(self.noneDisplay, "")
        for node in nodes:
            self._combo.addItem(node.GetName(), node.GetID())
        ids = [node.GetID() for node in nodes]
        if self._node is not None and self._node.GetID() not in ids:
            # As in Slicer: the selector moves on by itself when its node goes, even with noneEnabled.
            self._select(ids[-1] if ids else "")
        else:
            self._show()

    def _show(self) -> None:
        self._combo.setCurrentIndex(max(self._combo.findData(self._node.GetID() if self._node else ""), 0))

    def _select(self, node_id: str | None) -> None:
        node = next((n for n in self._nodes() if n.GetID() == node_id), None)
        if node is self._node:
            self._show()
            return
        self._node = node
        self.__dict__.setdefault("_standin_values", {})["currentNodeID"] = node.GetID() if node else ""
        self._show()
        self.standin_emit("currentNodeChanged(vtkMRMLNode*)", node)
        self.standin_emit("currentNodeChanged(bool)", node is not None)
        self.standin_emit("currentNodeIDChanged(QString)", node.GetID() if node else "")

    def _changed_currentNodeID(self, node_id: str) -> None:
        self._select(node_id)

    def _changed_nodeTypes(self, _types: Any) -> None:
        self._refill()

    _changed_noneDisplay = _changed_noneEnabled = _changed_showChildNodeTypes = _changed_nodeTypes

    def currentNode(self) -> Any:
        return self._node

    def setCurrentNode(self, node: Any) -> None:
        if node is not None and not isinstance(node, slicer.vtkMRMLNode):
            raise TypeError("method requires a VTK object")
        self._select(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, node_id: str) -> None:
        self._select(node_id)


CTK_WIDGETS = {"ctkCollapsibleButton": ctkCollapsibleButton, "ctkSliderWidget": ctkSliderWidget}
QMRML_WIDGETS = {"qMRMLWidget": qMRMLWidget, "qMRMLNodeComboBox": qMRMLNodeComboBox}
