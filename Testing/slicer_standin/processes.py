"""The signal SIGCHLD as Slicer's CLI runner and Qt fight for it, and Qt's process class that depends on it.

Slicer's runner (itksys) saves the handler of SIGCHLD, puts in its own while a CLI module runs, does not pass the
signal on, and puts back what it saved. Qt 5 puts in its handler at the first QProcess, and asks for its children only
when that handler is called. Seen in the running application: whoever comes second makes Qt deaf. The Qt of this
stand-in can do without the signal, so the end of a QProcess is held back here until the signal was heard.
"""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path
from typing import Any

from PySide6 import QtCore

from slicer_standin.pythonqt import PythonQtObject, run_slot

_saved: list[Any] = []
"""The handler that stood there before Slicer's runner took over; empty while no CLI runs."""
_before_qt: list[Any] = []
"""The handler that stood there before Qt's; Qt puts its own in once."""
_processes: list[Any] = []


def cli_starts() -> None:
    """Slicer's runner takes the signal over."""
    _saved.append(signal.signal(signal.SIGCHLD, lambda number, frame: None))


def cli_ends() -> None:
    """Slicer's runner puts back what it found, whatever stands there now."""
    if _saved:
        signal.signal(signal.SIGCHLD, _saved.pop())


def reset() -> None:
    """As when the application starts."""
    _saved.clear()
    _before_qt.clear()
    _processes.clear()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _qt_hears(number: int, frame: Any) -> None:
    for process in list(_processes):
        if process.standin_is_dead():
            process.standin_release()
    if callable(_before_qt[0]):
        _before_qt[0](number, frame)


class QProcess(PythonQtObject, QtCore.QProcess):
    """``qt.QProcess``: ``finished`` comes when Qt has heard the signal after the end of the child."""

    standin_class_name = "QProcess"

    def start(self, *words: Any) -> None:
        if not _before_qt:
            _before_qt.append(signal.signal(signal.SIGCHLD, _qt_hears))
        self._standin_held: list[tuple[Any, tuple[Any, ...]]] | None = []
        _processes.append(self)
        QtCore.QProcess.start(self, *words)

    def standin_slot(self, form: str, slot: Any) -> Any:
        if not form.startswith("finished("):
            return slot
        return lambda code, status: self._standin_hold(slot, (code, status))

    def standin_is_dead(self) -> bool:
        with contextlib.suppress(OSError):
            return Path(f"/proc/{QtCore.QProcess.processId(self)}/stat").read_text().split(") ")[1][0] == "Z"
        return True

    def standin_release(self) -> None:
        _processes.remove(self)
        held, self._standin_held = self._standin_held, None
        for slot, arguments in held:
            run_slot(slot, arguments)

    def _standin_hold(self, slot: Any, arguments: tuple[Any, ...]) -> None:
        if self._standin_held is None:
            run_slot(slot, arguments)
        else:
            self._standin_held.append((slot, arguments))
