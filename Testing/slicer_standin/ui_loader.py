"""``slicer.util.loadUI``: a .ui file as stand-in widgets, its scene connections wired."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtUiTools, QtWidgets

from slicer_standin import translation
from slicer_standin.pythonqt import PythonQtObject, loading
from slicer_standin.widgets import CTK_WIDGETS, QMRML_WIDGETS


class _Loader(QtUiTools.QUiLoader):
    def __init__(self, qt: Any) -> None:
        super().__init__()
        self._qt = qt
        self._kept: list[Any] = []

    def createWidget(self, class_name: str, parent: Any = None, name: str = "") -> Any:
        made = {**CTK_WIDGETS, **QMRML_WIDGETS}.get(class_name) or getattr(self._qt, class_name)
        widget = made(parent)
        QtCore.QObject.setObjectName(widget, name)
        self._kept.append(widget)
        return widget


@cache
def _translated(path: str, _language: object) -> tuple[bytes, list[tuple[str | None, ...]]]:
    """The file without its connections, in the language of the application, and the connections."""
    tree = ET.fromstring(Path(path).read_text(encoding="utf-8"))
    names = {string for strings in tree.iter("stringlist") if strings.get("notr") == "true" for string in strings}
    for string in tree.iter("string"):
        if string.text and string.get("notr") != "true" and string not in names:
            string.text = translation.tr(string.text)
    connections = [
        tuple(connection.findtext(part) for part in ("sender", "signal", "receiver", "slot"))
        for connection in tree.iter("connection")
    ]
    for holder in tree.findall("connections"):
        holder.clear()
    return ET.tostring(tree), connections


def load_ui(path: str, qt: Any) -> Any:
    """The top widget of a .ui file."""
    content, connections = _translated(path, translation.language)
    buffer = QtCore.QBuffer()
    buffer.setData(content)
    buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
    loader = _Loader(qt)
    loading.append(None)
    top = loader.load(buffer)
    loading.clear()
    for widget in [top, *QtCore.QObject.findChildren(top, QtWidgets.QWidget)]:
        if isinstance(widget, PythonQtObject) and type(widget).standin_properties:
            for name in [bytes(n).decode() for n in QtCore.QObject.dynamicPropertyNames(widget)]:
                if name in type(widget).standin_properties:
                    setattr(widget, name, QtCore.QObject.property(widget, name))
    children = {QtCore.QObject.objectName(w): w for w in [top, *QtCore.QObject.findChildren(top, QtWidgets.QWidget)]}
    for sender, signal, receiver, slot in connections:
        target = getattr(children[receiver], slot.split("(")[0])
        assert children[sender].connect(signal, target), f"{sender} has no signal {signal}"
    top.__dict__["_standin_loader"] = loader
    return top


def child_widget_variables(widget: Any) -> Any:
    """``slicer.util.childWidgetVariables``: one attribute per named descendant."""

    class Children:
        pass

    found = Children()
    for child in QtCore.QObject.findChildren(widget, QtCore.QObject):
        name = QtCore.QObject.objectName(child)
        if name:
            setattr(found, name, child)
    return found
