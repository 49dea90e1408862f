"""Files of a data set whose content was never fetched: DataLad, git-annex and Git LFS leave such."""

from __future__ import annotations

import os
from pathlib import Path

from PCNSLSurvivalLib.core.messages import Message

_POINTER_BYTES = 2000
"""A pointer in the place of a file is smaller than this."""
_LFS = b"version https://git-lfs.github.com/spec/"
_ANNEX = b"/annex/objects/"


def not_fetched(path: Path) -> Message | None:
    """Why a file, or a file of a folder, has no content on this computer; None where it has, or is not there at all.

    Args:
        path: A file, a link, or a folder with the files of a DICOM series.

    Returns:
        What to do; the sentence goes on from the file: "was not fetched …".
    """
    if path.is_dir():
        return next((reason for file in sorted(path.iterdir()) if (reason := _not_fetched(file)) is not None), None)
    return _not_fetched(path)


def _not_fetched(path: Path) -> Message | None:
    if path.is_symlink() and not path.exists():
        if ".git/annex/objects" in Path(os.readlink(path)).as_posix():
            return Message("fetched.git_annex")
        return Message("fetched.broken_link")
    try:
        if not path.is_file() or path.stat().st_size > _POINTER_BYTES:
            return None
        with path.open("rb") as stream:
            begin = stream.read(200)
    except OSError:
        return None
    if begin.startswith(_LFS):
        return Message("fetched.git_lfs")
    if begin.startswith(_ANNEX):
        return Message("fetched.git_annex")
    return None
