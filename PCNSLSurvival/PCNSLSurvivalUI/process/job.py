"""Our command line in its own process: progress as it happens, cancel within a second, one end."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalUI.messages.translation import inUsersLanguage

WORKER = Path(__file__).with_name("worker.py")
_OUR_ERROR = 3
_PREFIX = "pcnsl-survival: "


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


class Job:
    """One run of the command line.

    Args:
        arguments: Words of the command line.
        onEvent: Gets every progress line, as a dictionary.
        ended: Told once how it ended: None when all went well, otherwise a sentence; not called after ``cancel``.
        worker: Script that the child runs; tests put a small one here.
    """

    def __init__(
        self,
        arguments: list[str],
        onEvent: Callable[[dict[str, Any]], None],
        ended: Callable[[str | None], None],
        worker: Path = WORKER,
    ) -> None:
        self._onEvent, self._ended = onEvent, ended
        self._pid = 0
        self._out, self._err = b"", b""
        self._over = False
        self._process = qt.QProcess()
        self._connected = {
            "readyReadStandardOutput()": self._onOutput,
            "readyReadStandardError()": self._onErrorOutput,
            "finished(int,QProcess::ExitStatus)": self._onFinished,
            "errorOccurred(QProcess::ProcessError)": self._onError,
        }
        for name, slot in self._connected.items():
            self._process.connect(name, slot)
        self._process.start(pythonExecutable(), [str(worker), *arguments])

    def cancel(self) -> None:
        """Kill the process and its children; ``ended`` is not called any more."""
        if self._over:
            return
        self._over = True
        _killTree(self._pid)
        if self._process.state() != qt.QProcess.NotRunning:
            self._process.kill()
            self._process.waitForFinished(500)
        self._letGo()

    def _onOutput(self) -> None:
        # A read may hold several lines, or half a one.
        self._out += self._process.readAllStandardOutput().data()
        *lines, self._out = self._out.split(b"\n")
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue  # a library's own chatter
            if not isinstance(event, dict) or self._over:
                continue
            if event.get("type") == "process":
                self._pid = int(event["pid"])
            else:
                self._onEvent(event)

    def _onErrorOutput(self) -> None:
        self._err = (self._err + self._process.readAllStandardError().data())[-20000:]

    def _onError(self, error: Any) -> None:
        # A program that cannot be started sends no "finished".
        if error == qt.QProcess.FailedToStart:
            self._end(_("The prediction process could not be started. Restart Slicer, then predict again."))

    def _onFinished(self, code: int, status: Any) -> None:
        self._onOutput()
        self._onErrorOutput()
        self._end(self._sentence(code, status))

    def _sentence(self, code: int, status: Any) -> str | None:
        if status == qt.QProcess.NormalExit and code == 0:
            return None
        said = [line for line in self._err.decode("utf-8", "replace").splitlines() if line.startswith(_PREFIX)]
        if status == qt.QProcess.NormalExit and code == _OUR_ERROR and said:
            return inUsersLanguage(said[-1].removeprefix(_PREFIX))
        logging.error("The prediction process ended with code %d.", code)
        if b"ModuleNotFoundError" in self._err:
            return _("Python packages that the prediction needs are missing. Press the button again to install them.")
        if status != qt.QProcess.NormalExit:
            return _(
                "The prediction process ended unexpectedly; the computer may be out of memory. Close other programs "
                "or choose the device 'cpu' under Advanced, then predict again."
            )
        return _("The prediction met a fault in this software (code {code}). Predict again, or report it.").format(
            code=code
        )

    def _end(self, sentence: str | None) -> None:
        if not self._over:
            self._over = True
            self._letGo()
            self._ended(sentence)

    def _letGo(self) -> None:
        """Undo the connections: Qt holds what is connected to it, and so would keep a finished run for ever."""
        for name in self._connected:
            self._process.disconnect(name)
        self._process.deleteLater()


def _killTree(pid: int) -> None:
    """End the worker and what it started; it leads its own process group where there are such."""
    if not pid:
        return
    try:
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)
    except OSError:
        pass  # it has ended already
