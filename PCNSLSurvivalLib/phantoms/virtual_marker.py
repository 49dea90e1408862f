"""The mark of a cohort of virtual patients, in any layout, so that readers recognize it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PCNSLSurvivalLib.core.storage.strict_json import read_own_json

COHORT_FILE = "cohort.json"
MADE_BY = "pcnsl-survival phantom"


def any_virtual(paths: Iterable[Path]) -> bool:
    """Whether one of some files or folders lies in a cohort that ``pcnsl-survival phantom`` made."""
    return any(_is_marked(folder) for folder in {parent for path in paths for parent in path.resolve().parents})


def _is_marked(folder: Path) -> bool:
    try:
        return read_own_json(folder / COHORT_FILE).get("made_by") == MADE_BY
    except (OSError, ValueError):
        return False
