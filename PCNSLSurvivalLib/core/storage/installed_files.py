"""Where files that pip packages bring, installed models and real test scans live on this computer."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path


def data_home() -> Path:
    """The folder of installed models and weights.

    ``PCNSL_SURVIVAL_HOME`` decides where it is set; inside a virtual environment the environment's own
    ``share`` folder; otherwise the user's data folder of the operating system.
    """
    if chosen := os.environ.get("PCNSL_SURVIVAL_HOME"):
        return Path(chosen)
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix) / "share" / "pcnsl-survival"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "pcnsl-survival"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "pcnsl-survival"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "pcnsl-survival"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
