"""The panel gets the height that its contents need, after another module was open as well."""

from __future__ import annotations

from typing import Any

import qt

_REMEMBERED = 3
"""Widths for which Qt keeps the height of a layout item."""
_FAR_PX = 10_000


class PanelHeight(qt.QObject):
    """Lets the module panel ask for the panel's height anew whenever the contents have changed.

    Slicer takes a module's widget out of the module panel without deleting its layout item (5.8 to 5.12,
    ``qSlicerModulePanel::removeModule``). Qt tells that item alone of other contents, not the one of the next visit:
    that one goes on with the heights it has remembered, and squeezes a section that is opened. Other widths drive them
    out.

    Args:
        panel: The module's widget.
    """

    def __init__(self, panel: Any) -> None:
        super().__init__()
        self._panel = panel
        self._around: Any = None
        self._asked = 0

    def watch(self) -> None:
        """The panel has come into the module panel."""
        self.close()
        self._around = self._panel.parent()
        if self._around is not None:
            self._around.installEventFilter(self)

    def close(self) -> None:
        """The panel goes."""
        if self._around is not None:
            self._around.removeEventFilter(self)
            self._around = None

    def eventFilter(self, _widget: Any, event: Any) -> bool:
        """Qt's own; no event is kept from anyone."""
        if event.type() == qt.QEvent.LayoutRequest and self._around.layout() is not None:
            for _width in range(_REMEMBERED):
                self._asked = (self._asked + 1) % (3 * _REMEMBERED)
                self._around.layout().heightForWidth(_FAR_PX + self._asked)
        return False
