"""Work on the application's main thread in short pieces, so that the application stays responsive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import qt

_PIECE_SECONDS = 0.02


class InPieces:
    """Runs a generator a few steps at a time, between the events of the application.

    Python threads stand still while Slicer waits for events, and only the main thread may touch the scene; so
    long copies are written as generators that pause after every few megabytes.
    """

    def __init__(self, work: Iterator[None], finished: Callable[[], None], failed: Callable[[Exception], None]) -> None:
        self._work, self._finished, self._failed = work, finished, failed
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.connect("timeout()", self._continue)
        self._timer.start(0)

    def cancel(self) -> None:
        """Stop; the generator's ``finally`` runs, neither callback is called."""
        self._letGo()
        self._work.close()

    def _continue(self) -> None:
        until = time.perf_counter() + _PIECE_SECONDS
        try:
            while time.perf_counter() < until:
                next(self._work)
        except StopIteration:
            self._letGo()
            self._finished()
        except Exception as error:  # whatever the work ran into belongs into the panel
            self._letGo()
            self._failed(error)
        else:
            self._timer.start(1)

    def _letGo(self) -> None:
        """Undo the connection: Qt holds what is connected to it, and would keep the finished work alive."""
        self._timer.stop()
        self._timer.disconnect("timeout()")
