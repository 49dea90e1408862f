"""The record of a finished job, ``job.json``: what was trained on whom, with which settings, and the result.

It also holds the checksums of the job's other files: after a power cut or a failing disk, a file may be empty or cut
although its folder is there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.core.storage.installed_files import sha256_of
from PCNSLSurvivalLib.core.storage.strict_json import read_own_json

RECORD = "job.json"
_FORMER_RECORD = "unit.json"
_FILES = "files_sha256"
_FORMER_KEYS = {
    "fit": "train_cases",
    "select": "validation_cases",
    "best_inner_loss": "best_validation_loss",
    "start_sha256": "initial_weights_sha256",
    "start_patients": "initial_weights_patients",
    "start_unknown": "initial_weights_unknown",
}
"""Keys of records that were written as ``unit.json``, and their names today."""


def has_record(folder: Path) -> bool:
    """Whether a folder holds the record of a finished job."""
    return (folder / RECORD).is_file() or (folder / _FORMER_RECORD).is_file()


def write_record(folder: Path, facts: dict[str, Any]) -> None:
    """Write the record of a job whose other files are all in the folder.

    Args:
        folder: Of the job, not yet in its place.
        facts: What the record keeps beside the checksums.
    """
    files = {
        path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    (folder / RECORD).write_text(json.dumps({**facts, _FILES: files}, indent=2) + "\n", encoding="utf-8")


def is_whole(folder: Path) -> bool:
    """Whether a folder holds the record of a finished job, and every file is as it was written.

    Records of earlier versions hold no checksums; of these, the record alone is read.
    """
    try:
        files = read_record(folder).get(_FILES, {})
        return all(sha256_of(folder / name) == known for name, known in files.items())
    except (OSError, ValueError, AttributeError, TypeError):
        return False


def read_record(folder: Path) -> dict[str, Any]:
    """Read the record of a job, also one of an earlier version, with the keys of today.

    Raises:
        OSError, ValueError: There is no record, or it is damaged.
    """
    path = folder / RECORD
    if not path.is_file() and (folder / _FORMER_RECORD).is_file():
        path = folder / _FORMER_RECORD
    return {_FORMER_KEYS.get(key, key): value for key, value in read_own_json(path).items()}
