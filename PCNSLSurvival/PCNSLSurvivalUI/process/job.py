"""Our command line in its own process: progress as it happens, cancel within a second, one end."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process.child import ChildProcess

WORKER = Path(__file__).with_name("worker.py")
"""Script that every child process runs; tests put a small one here."""
WAIT = "--wait"
"""The worker loads what a prediction needs, and reads its words from the first line of its standard input."""
_OUR_ERROR = 3


class NoPythonError(PCNSLSurvivalError):
    """No Python interpreter was found to run the prediction in."""


def pythonExecutable() -> str:
    """Slicer's own Python for child processes.

    Raises:
        NoPythonError: There is none.
    """
    found = shutil.which("PythonSlicer") or sys.executable
    if not found:
        raise NoPythonError(
            _("Slicer's Python interpreter (PythonSlicer) was not found. Reinstall Slicer, then predict again.")
        )
    return found


class WaitingWorker:
    """A process that loads Python packages while other steps of a run are still going on, until a ``Job`` takes it.

    It is a convenience: where it cannot be started, or is gone when it is wanted, the job starts a process of its own.
    """

    def __init__(self) -> None:
        self._child: ChildProcess | None = None
        with contextlib.suppress(NoPythonError):
            words = [pythonExecutable(), str(WORKER), WAIT]
            self._child = ChildProcess(words, self._onLine, lambda code: self._forget())

    def take(
        self, arguments: list[str], onLine: Callable[[bytes], None], ended: Callable[[int | None], None]
    ) -> ChildProcess | None:
        """Tell it its words; the process, which then belongs to the caller, or None when there is none any more."""
        child, self._child = self._child, None
        if child is None:
            return None
        if not child.tell(json.dumps(arguments).encode() + b"\n"):
            child.kill()  # it may still be there, with its packages in memory
            return None
        child.handOver(onLine, ended)
        return child

    def cancel(self) -> None:
        """It is not needed: end it."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def _onLine(self, line: bytes) -> None:
        if self._child is not None:
            _noteGroup(self._child, _eventIn(line))

    def _forget(self) -> None:
        self._child = None


def _eventIn(line: bytes) -> dict[str, Any]:
    """A line of ours; empty for a library's own chatter."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _noteGroup(child: ChildProcess, event: dict[str, Any]) -> None:
    """The first line gives the process group that is to be ended with the child."""
    if event.get("type") == "process":
        child.groups.add(int(event["pid"]))


class Job:
    """One run of the command line.

    Args:
        arguments: Words of the command line.
        onEvent: Gets every progress line, as a dictionary.
        ended: Called once: with None after success, otherwise with a sentence; not called after ``cancel``.
        waiting: A process that was started early, to be used for it.

    Raises:
        NoPythonError: There is no Python to run it in.
    """

    def __init__(
        self,
        arguments: list[str],
        onEvent: Callable[[dict[str, Any]], None],
        ended: Callable[[str | None], None],
        *,
        waiting: WaitingWorker | None = None,
    ) -> None:
        self._onEvent, self._ended = onEvent, ended
        self._said: int | None = None
        self._error: dict[str, Any] | None = None
        child = None if waiting is None else waiting.take(arguments, self._onLine, self._onEnded)
        self._child = child or ChildProcess([pythonExecutable(), str(WORKER), *arguments], self._onLine, self._onEnded)

    def cancel(self) -> None:
        """Kill the process and its children; ``ended`` is not called any more."""
        self._child.kill()

    def _onLine(self, line: bytes) -> None:
        event = _eventIn(line)
        kind = event.get("type")
        if kind == "process":
            _noteGroup(self._child, event)
        elif kind == "ended":
            self._said = int(event["code"])
        elif kind == "error":
            self._error = event
        elif kind is not None:
            self._onEvent(event)

    def _onEnded(self, code: int | None) -> None:
        self._ended(self._sentence(code))

    def _sentence(self, code: int | None) -> str | None:
        if code is None:
            return _("A process of this module could not be started. Restart Slicer, then predict again.")
        # The process says itself how it ended: the system forgets the exit code where the signals of children are
        # ignored, and would report 0 even for a process that was killed.
        if self._said == 0:
            return None
        if self._said == _OUR_ERROR and self._error is not None:
            return shown(self._error)
        logging.error("The prediction process ended with code %d.", code if self._said is None else self._said)
        if b"ModuleNotFoundError" in self._child.errors:
            return _("Python packages that the prediction needs are missing. Press the button again to install them.")
        if self._said is None:
            return _(
                "A process of this module ended unexpectedly; the computer may be out of memory. Close other programs "
                "or choose the device 'cpu' under Advanced, then predict again."
            )
        return _("Internal error (code {code}). Please report it.").format(code=self._said)
