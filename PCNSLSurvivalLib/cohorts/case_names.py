"""Names of patients and cases, in any script: one spelling each, safe as the name of a folder, never two for one."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PCNSLSurvivalLib.cohorts.case import CohortCase

_LONGEST_BYTES = 120
"""Of a folder's name; file systems take 255, and staging folders add to it."""


def one_spelling(name: str) -> str:
    """A name in Unicode's composed form (NFC): macOS spells the ü of a file name as u and two dots.

    A byte that is not UTF-8, as in folders from old systems, is written as its code, so that tables can hold it.
    """
    return unicodedata.normalize("NFC", name.strip().encode("utf-8", "backslashreplace").decode("utf-8"))


def safe_name(name: str) -> str:
    """A name that can be a folder: letters, marks and digits of any script, dot, dash and underscore.

    Names that hold nothing of these, or are too long for a folder, end in a part of their SHA-256.
    """
    name = one_spelling(name)
    kept = "".join(mark if mark in "._-" or unicodedata.category(mark)[0] in "LMN" else " " for mark in name)
    safe = "_".join(kept.split()).strip("._-")
    if not safe:
        return f"case_{_digest(name)}"
    if len(safe.encode()) > _LONGEST_BYTES:
        return f"{safe.encode()[:_LONGEST_BYTES].decode(errors='ignore')}_{_digest(name)}"
    return safe


def apart(cases: Iterable[CohortCase]) -> tuple[CohortCase, ...]:
    """Give cases of different patients whose names differ in punctuation alone ('A B', 'A_B') names that differ."""
    cases = tuple(cases)
    patients: defaultdict[str, set[str]] = defaultdict(set)
    for case in cases:
        patients[case.name.casefold()].add(case.patient_id.casefold())
    return tuple(
        replace(case, name=f"{case.name}_{_digest(case.patient_id)}")
        if len(patients[case.name.casefold()]) > 1
        else case
        for case in cases
    )


def named_in(folder: Path, cell: str) -> Path:
    """The path that a table names, whichever way Unicode spells it on the disk; parts may be divided as on Windows."""
    path = folder / cell
    if "\\" in cell and not path.exists():
        cell = cell.replace("\\", "/")
        path = folder / cell
    if cell.isascii() or path.exists() or path.is_symlink():
        return path
    found = folder
    for part in Path(cell).parts:
        straight = found / part
        if not (straight.exists() or straight.is_symlink()) and found.is_dir():
            straight = next(
                (p for p in sorted(found.iterdir()) if one_spelling(p.name) == one_spelling(part)), straight
            )
        found = straight
    return found


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
