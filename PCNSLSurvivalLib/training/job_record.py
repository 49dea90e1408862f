"""The record of a finished job, ``job.json``: what was trained on whom, with which settings, and the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.core.storage.strict_json import read_own_json

RECORD = "job.json"
_FORMER_RECORD = "unit.json"
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


def read_record(folder: Path) -> dict[str, Any]:
    """Read the record of a job, also one of an earlier version, with the keys of today.

    Raises:
        OSError, ValueError: There is no record, or it is damaged.
    """
    path = folder / RECORD
    if not path.is_file() and (folder / _FORMER_RECORD).is_file():
        path = folder / _FORMER_RECORD
    return {_FORMER_KEYS.get(key, key): value for key, value in read_own_json(path).items()}
