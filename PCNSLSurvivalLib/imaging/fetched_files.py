"""Files of a data set whose content was never fetched: DataLad, git-annex and Git LFS leave such."""

from __future__ import annotations

import os
from pathlib import Path

_POINTER_BYTES = 2000
"""A pointer in the place of a file is smaller than this."""
_LFS = b"version https://git-lfs.github.com/spec/"
_ANNEX = b"/annex/objects/"


def not_fetched(path: Path) -> str | None:
    """Why a file, or a file of a folder, has no content on this computer; None where it has, or is not there at all.

    Args:
        path: A file, a link, or a folder with the files of a DICOM series.

    Returns:
        The rest of a sentence that begins with the file: "was not fetched …".
    """
    if path.is_dir():
        return next((reason for file in sorted(path.iterdir()) if (reason := _not_fetched(file)) is not None), None)
    return _not_fetched(path)


def _not_fetched(path: Path) -> str | None:
    if path.is_symlink() and not path.exists():
        if ".git/annex/objects" in Path(os.readlink(path)).as_posix():
            return _told("git-annex, DataLad", "'datalad get' or 'git annex get'")
        return "is a link to a file that is not there. Copy the file itself, or mount the disk it lies on."
    try:
        if not path.is_file() or path.stat().st_size > _POINTER_BYTES:
            return None
        with path.open("rb") as stream:
            begin = stream.read(200)
    except OSError:
        return None
    if begin.startswith(_LFS):
        return _told("Git LFS", "'git lfs pull'")
    if begin.startswith(_ANNEX):
        return _told("git-annex, DataLad", "'datalad get' or 'git annex get'")
    return None


def _told(store: str, command: str) -> str:
    return f"was not fetched: only its place in a data store ({store}) is here. Fetch it with {command}, and run again."
