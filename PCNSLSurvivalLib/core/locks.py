"""One run at a time in one place: two that write the same files would each destroy what the other has begun."""

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
def at_work(place: Path) -> Iterator[None]:
    """Be the only one at work on a file or folder, as far as others ask this way.

    The operating system holds the lock for the process, so that it ends with it, however the process ends.

    Args:
        place: What is worked on; it need not be there, its folder is. Two hidden files lie beside it meanwhile.

    Raises:
        OutputFolderError: Another run is at work there, or nothing can be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(place.with_name(f".{place.name}.lock"))
    who = place.with_name(f".{place.name}.at_work")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputFolderError(Message("files.another_run", who=_told(who))) from None
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise OutputFolderError(Message("files.output_not_writable", reason=reason)) from problem
    try:
        since = datetime.now().astimezone().isoformat(" ", "minutes")
        who.write_text(f"process {os.getpid()} on {socket.gethostname()}, since {since}", encoding="utf-8")
        yield
    finally:
        who.unlink(missing_ok=True)
        with suppress(OSError):  # Windows removes it itself, once it is free
            Path(lock.lock_file).unlink()
        lock.release()


def _told(who: Path) -> str:
    try:
        return who.read_text(encoding="utf-8")
    except OSError:
        return "?"
