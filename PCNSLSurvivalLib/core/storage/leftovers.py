"""Leftovers of a run that was killed (kill -9, power cut): recognized, restored or removed.

A staging name carries computer and process, and the operating system holds a lock on a staging folder while its
process lives. The next run removes what the dead have left, with the images of patients in it, and never what a living
run is writing.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import gethostname

_PARTIAL = ".partial"
_PREVIOUS = ".previous"
_OWNED = re.compile(r"\.(?P<name>.+)\.(?P<host>[0-9a-f]{6})-(?P<process>\d+)-[0-9a-f]{8}\.(?P<kind>partial|previous)")
_EXCHANGE = 2
_AT_WORKING_FOLDER = -100
_BEGINNING_SECONDS = 60.0
"""Between making a folder and locking it; not to be taken for a dead one meanwhile."""


def staging_name(path: Path) -> Path:
    """A hidden name beside ``path`` for what is being written, with this process as its owner."""
    return _owned(path, _PARTIAL)


@contextmanager
def owned(staging: Path) -> Iterator[None]:
    """Hold the lock of a staging folder, where the system has such locks; it ends with this process at the latest."""
    held = _locked(staging)
    try:
        yield
    finally:
        if held is not None:
            os.close(held)


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """A hidden folder beside ``path`` for what is thrown away again; the next run removes it if this one is killed.

    Args:
        path: Beside what, and after what it is named; its parent exists.

    Raises:
        OSError: The folder cannot be made.
    """
    staging = staging_name(path)
    staging.mkdir(mode=0o700)
    try:
        with owned(staging):
            yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A private folder in the system's place for temporary files, for what is thrown away again.

    A killed run cannot remove its own, which may hold images of a patient: the next call here does.
    """
    place = Path(tempfile.gettempdir())
    clear_leftovers(place)
    with temporary_folder(place / "pcnsl-survival") as folder:
        yield folder


def clear_leftovers(folder: Path) -> None:
    """Put right what dead runs have left in a folder: give back an earlier result, remove what was half written.

    Where nothing can be known of the owner, as of one on another computer, it is taken for living.
    """
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            found = _OWNED.fullmatch(path.name)
            if found is None or not _is_dead(path, found):
                continue
            if found["kind"] == "previous" and not (folder / found["name"]).exists():
                # Ended between the two renames of put_in_place: the earlier result is the last whole one.
                path.rename(folder / found["name"])
            elif path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def put_in_place(staging: Path, out: Path) -> None:
    """Make a staged folder the one at ``out``; an earlier one there is removed once the new one is in its place.

    Where the system can exchange two folders in one step, ``out`` is never absent. Elsewhere ``clear_leftovers``
    gives the earlier folder back if the run ends in between.

    Raises:
        OSError: The folder cannot be put there; the earlier one is.
    """
    if not out.exists():
        staging.rename(out)
        return
    if _exchanged(staging, out):
        shutil.rmtree(staging, ignore_errors=True)
        return
    aside = _owned(out, _PREVIOUS)
    out.rename(aside)
    try:
        staging.rename(out)
    except OSError:
        aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _owned(path: Path, ending: str) -> Path:
    # Not tempfile's name: what it makes is readable by the owner alone, and the user's own umask shall decide.
    return path.with_name(f".{path.name}.{_host()}-{os.getpid()}-{secrets.token_hex(4)}{ending}")


def _host() -> str:
    return hashlib.sha256(gethostname().encode()).hexdigest()[:6]


def _is_dead(path: Path, found: re.Match[str]) -> bool:
    """Whether the owner of a leftover has ended: its process is gone, or its lock is free a while after it began."""
    if found["host"] == _host() and not _lives(int(found["process"])):
        return True
    if found["kind"] != "partial" or not path.is_dir() or time.time() - path.stat().st_mtime < _BEGINNING_SECONDS:
        return False
    held = _locked(path)
    if held is None:
        return False
    os.close(held)
    return True


def _locked(folder: Path) -> int | None:
    """An open folder whose lock this process now holds; None where another holds it, or the system has no such lock."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        return None
    return opened


def _lives(process: int) -> bool:
    """Whether a process of this computer runs; on Windows, where asking ends it, all are taken for living."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, where Linux and the file system can."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    exchange.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    done: int = exchange(_AT_WORKING_FOLDER, os.fsencode(one), _AT_WORKING_FOLDER, os.fsencode(other), _EXCHANGE)
    return done == 0
