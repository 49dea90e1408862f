"""The module ``qt`` as Slicer offers it: only names that the running application was seen to have."""

from __future__ import annotations

import sys
import types
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from slicer_standin import records
from slicer_standin.processes import QProcess
from slicer_standin.pythonqt import PythonQtObject, normalized, pythonqt_class


class QtModule(types.ModuleType):
    """Makes each class when it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name not in records.qt_names():
            raise AttributeError(f"module 'qt' has no attribute '{name}'")
        value = _build(name)
        setattr(self, name, value)
        return value


def _build(name: str) -> Any:
    if name == "QTimer":
        return pythonqt_class(QtCore.QTimer, "QTimer", singleShot=staticmethod(_single_shot))
    if name == "QProcess":
        return QProcess
    if name == "SIGNAL":
        return lambda signature: "2" + normalized(signature)
    for module in (QtCore, QtGui, QtWidgets):
        found = getattr(module, name, None)
        if found is None:
            continue
        if isinstance(found, type) and issubclass(found, QtCore.QObject):
            members = {"exec_": lambda self: self.exec()} if hasattr(found, "exec") else {}
            return pythonqt_class(found, name, **members)
        return found
    raise AttributeError(f"module 'qt' has no attribute '{name}' in this Qt")


def _single_shot(milliseconds: float, slot: Any, member: str | None = None) -> None:
    """As in the application, where the timer, and with it the slot, lives until the application ends."""
    import slicer

    timer = sys.modules["qt"].QTimer(slicer.app.moduleManager())
    timer.setSingleShot(True)
    timer.connect("timeout()", slot, member)
    timer.start(int(milliseconds))


__all__ = ["PythonQtObject", "QtModule"]
