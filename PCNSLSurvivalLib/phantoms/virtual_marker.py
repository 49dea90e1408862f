"""The mark of a cohort of virtual patients, in any layout, so that readers recognize it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

COHORT_FILE = "cohort.json"
MADE_BY = "pcnsl-survival phantom"


def any_virtual(paths: Iterable[Path]) -> bool:
    """Whether one of some files or folders lies in a cohort that ``pcnsl-survival phantom`` made."""
    return any(_is_marked(folder) for folder in {parent for path in paths for parent in path.resolve().parents})


def _is_marked(folder: Path) -> bool:
    try:
        about = json.loads((folder / COHORT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(about, dict) and about.get("made_by") == MADE_BY
