"""What the panel puts off until the application has handled the events that wait."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer


def soon(action: Callable[[], None]) -> None:
    """Call once, with the next events.

    Slicer's own ``qt.QTimer.singleShot`` keeps the timer and the action, with all that the action holds, until the
    application ends.
    """
    timer = qt.QTimer(slicer.app.moduleManager())  # Python would delete a timer without a parent right away

    def act() -> None:
        timer.disconnect("timeout()")
        timer.deleteLater()
        action()

    timer.setSingleShot(True)
    timer.connect("timeout()", act)
    timer.start(0)
