"""Scrolling the panel with the mouse wheel changes no choice that happens to lie under the mouse."""

from __future__ import annotations

from typing import Any

import qt
import slicer

_GUARDED = ("QComboBox", "QAbstractSpinBox", "QSlider")


class WheelGuard(qt.QObject):
    """Leaves the wheel to the panel that scrolls, over every selector, number field and slider of some sections."""

    def __init__(self, sections: list[Any]) -> None:
        super().__init__()
        self._widgets = [
            widget
            for section in sections
            for widget in slicer.util.findChildren(section)
            if any(widget.inherits(name) for name in _GUARDED)
        ]
        for widget in self._widgets:
            widget.installEventFilter(self)

    def eventFilter(self, _widget: Any, event: Any) -> bool:
        """Qt's own: true ends the way of an event; one that is ignored goes on to the parent."""
        if event.type() != qt.QEvent.Wheel:
            return False
        event.ignore()
        return True

    def close(self) -> None:
        """Let go of the widgets."""
        for widget in self._widgets:
            widget.removeEventFilter(self)
        self._widgets = []
