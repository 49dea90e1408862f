"""One button in Slicer's window that leads back from another module, there while a repair is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _


class WayBack:
    """The button, in a tool bar of its own.

    Args:
        pressed: Called when the user has finished; the panel is open then.
    """

    def __init__(self, pressed: Callable[[], None]) -> None:
        self._pressed = pressed
        self.bar: Any = None
        self.button: Any = None

    def show(self, words: str) -> None:
        """Offer the way back; without a main window there is no other module to come back from."""
        window = slicer.util.mainWindow()
        if window is None:
            return
        if self.bar is None:
            self.bar = qt.QToolBar(_("PCNSL Survival"))
            self.bar.setObjectName("PCNSLSurvivalWayBack")
            self.button = qt.QPushButton()
            self.button.setObjectName("PCNSLSurvivalWayBackButton")
            self.button.connect("clicked(bool)", self._onClicked)
            self.bar.addWidget(self.button)
            window.addToolBarBreak()
            window.addToolBar(self.bar)
        self.button.setText(words)
        self.bar.show()

    def hide(self) -> None:
        """Nothing is under repair."""
        if self.bar is None:
            return
        window = slicer.util.mainWindow()
        if window is not None:
            window.removeToolBar(self.bar)
        self.bar.deleteLater()
        self.bar = self.button = None

    def _onClicked(self, checked: bool = False) -> None:
        slicer.util.selectModule("PCNSLSurvival")
        self._pressed()
