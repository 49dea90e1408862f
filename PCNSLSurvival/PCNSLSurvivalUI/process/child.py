"""A child process whose lines and end are noticed on every system, whatever happens to the signals of children.

Qt's own process class waits for the signal SIGCHLD. Slicer's CLI modules take that signal over while they run and do
not pass it on, and a run would then wait without end. Here a timer asks whether the child has ended, and reads what
lies in its pipes without waiting. No thread is used: Python threads stand still while Slicer waits for events.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable

import qt

if sys.platform == "win32":
    import _winapi
    import msvcrt

_TICK_MS = 50
_PIECE_SECONDS = 0.02
_READ_BYTES = 65_536
_LONGEST_LINE = 1_000_000
"""Bytes of a line that are kept; a longer one is no line of ours, and is dropped."""
_KEPT_ERRORS = 20_000
_PIPE_BYTES = 1_048_576
"""The most that a pipe can hold: what is read after the end of the child."""


class ChildProcess:
    """One program, from its start to a single call of ``ended``.

    Args:
        words: Program and arguments.
        onLine: Gets every line of its standard output.
        ended: Called with the exit code, negative for a signal; None when the program could not be started. Not called
            after ``kill``.
    """

    def __init__(self, words: list[str], onLine: Callable[[bytes], None], ended: Callable[[int | None], None]) -> None:
        self._onLine, self._ended = onLine, ended
        self.groups: set[int] = set()
        """Further process groups to end with this process (not on Windows)."""
        self.errors = b""
        """The end of what it wrote to standard error."""
        self._killed = self._drained = False
        self._lines = LineBuffer()
        try:
            self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
                words,
                bufsize=0,
                stdin=subprocess.PIPE,  # closes when this application is gone: then the child ends itself
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError:
            self._process = None
        else:
            for pipe in (self._process.stdout, self._process.stderr):
                if sys.platform != "win32":
                    os.set_blocking(pipe.fileno(), False)
        self._timer = qt.QTimer()
        self._timer.connect("timeout()", self._tick)
        self._timer.start(_TICK_MS)

    def tell(self, words: bytes) -> bool:
        """Write a short line to its standard input; whether it is still there to read it."""
        if self._killed or self._process is None or self._process.poll() is not None:
            return False
        try:
            self._process.stdin.write(words)
        except OSError:
            return False
        return True

    def handOver(self, onLine: Callable[[bytes], None], ended: Callable[[int | None], None]) -> None:
        """From now on someone else hears of it."""
        self._onLine, self._ended = onLine, ended

    def kill(self) -> None:
        """End the process and its children without a notification. Returns at once; the rest happens asynchronously."""
        if self._killed:
            return
        self._killed = True
        if self._process is None:
            self._letGo()
            return
        self._onLine = self._ended = lambda _ignored: None
        if self._process.poll() is None:
            _killTree(self._process, self.groups)
        _dying.add(self)
        self._tick()

    def _tick(self) -> None:
        if self._process is None:
            self._end(None)
            return
        code = self._process.poll()  # asked first: what the child wrote before its end is read afterwards
        if self._killed:
            if code is not None:
                self._letGo()
            return
        if code is not None and not self._drained:
            self._drained = True
            self._read(_PIPE_BYTES)
            self._lines.complete()
        elif (
            code is None and not self._lines.waiting
        ):  # a child that writes faster than its lines are shown has to wait
            self._read(_READ_BYTES)
        until = time.perf_counter() + _PIECE_SECONDS
        while self._lines.waiting and time.perf_counter() < until:
            self._onLine(self._lines.waiting.popleft())
        if code is not None and not self._lines.waiting and not self._killed:
            self._end(code)

    def _read(self, most: int) -> None:
        """Take what lies in the pipes."""
        self._lines.add(_inPipe(self._process.stdout.fileno(), most))
        self.errors = (self.errors + _inPipe(self._process.stderr.fileno(), most))[-_KEPT_ERRORS:]

    def _end(self, code: int | None) -> None:
        ended = self._ended
        self._letGo()
        ended(code)

    def _letGo(self) -> None:
        """Undo the connection: Qt holds what is connected to it, and would keep the finished process alive."""
        self._timer.stop()
        self._timer.disconnect("timeout()")
        self._onLine = self._ended = lambda _ignored: None
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                with contextlib.suppress(OSError):
                    pipe.close()
        _dying.discard(self)


_dying: set[ChildProcess] = set()
"""Keeps killed processes until the system has buried them."""


class LineBuffer:
    """Bytes as they come out of a pipe, and the whole lines among them."""

    def __init__(self) -> None:
        self.waiting: deque[bytes] = deque()
        """Whole lines, without their ends."""
        self._begun = b""
        self._tooLong = False

    def add(self, read: bytes) -> None:
        """A read may hold several lines, or half a one; a line without end is given up."""
        *lines, self._begun = (self._begun + read).split(b"\n")
        for line in lines:
            if not self._tooLong and len(line) <= _LONGEST_LINE:
                self.waiting.append(line)
            self._tooLong = False
        if len(self._begun) > _LONGEST_LINE:
            self._begun, self._tooLong = b"", True

    def complete(self) -> None:
        """Nothing more will come: what is left is the last line."""
        if self._begun:
            self.add(b"\n")


def _inPipe(pipe: int, most: int) -> bytes:
    """What lies in a pipe now, up to ``most`` bytes; never waits."""
    read = b""
    while len(read) < most:
        try:
            if sys.platform == "win32" and not _winapi.PeekNamedPipe(msvcrt.get_osfhandle(pipe), 0)[0]:
                break
            part = os.read(pipe, min(_READ_BYTES, most - len(read)))
        except OSError:  # nothing there now, or closed at the other end
            break
        if not part:
            break
        read += part
    return read


def _killTree(process: subprocess.Popen[bytes], groups: set[int]) -> None:
    """End a process that still runs, and its children."""
    if sys.platform == "win32":
        try:  # finds the children itself; not waited for
            subprocess.Popen(
                ["taskkill", "/T", "/F", "/PID", str(process.pid)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                creationflags=subprocess.CREATE_NO_WINDOW,
            )
        except OSError:
            process.kill()
        return
    for group in {process.pid, *groups}:
        with contextlib.suppress(OSError):  # it has ended already
            os.killpg(group, signal.SIGKILL)
