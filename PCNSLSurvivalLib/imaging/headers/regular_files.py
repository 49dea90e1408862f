"""Only regular files are read: a pipe or device in the place of a scan would block a reader or feed it without end."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Literal, TypeAlias

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.fetched_files import not_fetched

Volume: TypeAlias = "MRSequence | Message"
"""How messages call what is read: a sequence, or words such as ``Message("word.brain_mask")``."""


def kind_of(path: Path) -> Literal["absent", "file", "folder", "other"]:
    """What lies at a path; names that no file can have (too long, with a NUL) are absent."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return "absent"
    if stat.S_ISREG(mode):
        return "file"
    return "folder" if stat.S_ISDIR(mode) else "other"


def refuse_not_fetched(path: Path, volume: Volume) -> None:
    """Refuse what stands in the place of a file that a data store holds, or a link that leads nowhere.

    Raises:
        UnreadableScanError: With what to do.
    """
    if (kind_of(path) == "file" or os.path.islink(path)) and (reason := not_fetched(path)) is not None:
        raise UnreadableScanError(Message("scan.not_fetched", volume=volume, reason=reason))


def size_of_regular(path: Path, volume: Volume) -> int:
    """Bytes of a regular file.

    Args:
        path: The file; a link to a regular file counts as one.
        volume: What it is, for messages.

    Raises:
        UnreadableScanError: It is not there, was not fetched, may not be read, or is something else.
    """
    refuse_not_fetched(path, volume)
    kind = kind_of(path)
    if kind == "absent":
        raise UnreadableScanError(Message("scan.file_not_found", volume=volume))
    if kind != "file":
        raise UnreadableScanError(Message("scan.no_regular_file", volume=volume))
    if not os.access(path, os.R_OK):
        raise UnreadableScanError(Message("scan.not_permitted", volume=volume))
    return path.stat().st_size
