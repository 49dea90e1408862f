"""Lock an output folder: two runs that write the same files would destroy each other's work."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from PCNSLSurvivalLib.core.errors import OutputFolderError
from PCNSLSurvivalLib.core.messages import Message


@contextmanager
def folder_lock(place: Path) -> Iterator[None]:
    """Lock a file or folder against other runs of this software.

    The operating system holds the lock for the process, so the lock ends with the process.

    Args:
        place: File or folder to lock; it need not exist, but its parent does. Two hidden files lie beside it meanwhile.

    Raises:
        OutputFolderError: Another run holds the lock, or nothing can be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(place.with_name(f".{place.name}.lock"))
    owner = place.with_name(f".{place.name}.owner")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputFolderError(Message("files.another_run", owner=_owner(owner))) from None
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise OutputFolderError(Message("files.output_not_writable", reason=reason)) from problem
    try:
        since = datetime.now().astimezone().isoformat(" ", "minutes")
        owner.write_text(f"process {os.getpid()} on {socket.gethostname()}, since {since}", encoding="utf-8")
        yield
    finally:
        owner.unlink(missing_ok=True)
        with suppress(OSError):  # Windows removes it itself, once it is free
            Path(lock.lock_file).unlink()
        lock.release()


def _owner(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return "?"
