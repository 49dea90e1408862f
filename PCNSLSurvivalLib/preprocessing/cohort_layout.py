"""Find the patients of a cohort: in a table, a BIDS folder, a BraTS folder, or a folder a patient."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PCNSLSurvivalLib.errors import UnreadableScanError
from PCNSLSurvivalLib.imaging.io import FILE_ENDINGS
from PCNSLSurvivalLib.terms import Sequence

_IDENTIFIERS = ("patient_id", "patient", "subject_id", "participant_id", "subject", "case", "id")

# T1Gd is asked for before T1: every name of a post-contrast T1 also holds "t1".
_WORDS = {
    Sequence.T1GD: r"t1gd|t1-?_?gd|t1ce|t1-?c(?![a-z])|t1_?post|ce-[a-z0-9]+_t1w?|gad|gd(?![a-z])|mprage_?\+c|t13d|\+c",
    Sequence.FLAIR: r"flair|t2-?f(?![a-z])",
    Sequence.T2: r"t2",
    Sequence.T1: r"t1|mprage|spgr",
}
_NO_SCAN = re.compile(r"seg|mask|label|lesion|roi", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class CohortCase:
    """One examination of a cohort and where its scans lie."""

    name: str
    """The cohort's own name of the case; it becomes a folder name."""
    scans: dict[Sequence, Path] = field(default_factory=dict)
    stripped: bool = False
    """The layout holds registered brains without skull."""


def find_cases(cohort: Path) -> tuple[CohortCase, ...]:
    """All cases of a cohort, in the order of their names.

    Args:
        cohort: A CSV or TSV table with a column for the patient and one a sequence (t1gd, t1, t2, flair; paths
            relative to the table); a BIDS folder, UCSF-PCNSL's derivatives included; a BraTS folder; or a folder
            that holds one folder a patient with free file names.

    Raises:
        UnreadableScanError: Nothing there, or no case in it.
    """
    if not cohort.exists():
        raise UnreadableScanError("The cohort was not found. Check the path and try again.")
    if cohort.is_file():
        cases = list(_table(cohort))
    else:
        cases = list(_ucsf(cohort)) or list(_bids(cohort)) or list(_brats(cohort)) or list(_free(cohort))
    if not cases:
        raise UnreadableScanError(
            "The cohort holds no patient. Give a CSV or TSV table, a BIDS or BraTS folder, or a folder with one folder "
            "a patient."
        )
    names = [case.name for case in cases]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise UnreadableScanError(
            f"The cohort names {len(double)} patients more than once. Give every row or folder its own name."
        )
    return tuple(sorted(cases, key=lambda case: case.name))


def _table(path: Path) -> Iterator[CohortCase]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t" if path.suffix.lower() == ".tsv" else ","))
    columns = {(name or "").strip().lower(): name for row in rows[:1] for name in row}
    identifier = next((columns[name] for name in _IDENTIFIERS if name in columns), None)
    if rows and (identifier is None or "t1gd" not in columns):
        raise UnreadableScanError(
            "The cohort table needs the columns 'patient_id' and 't1gd'; 't1', 't2' and 'flair' may follow."
        )
    for row in rows:
        cells = {s: (row[columns[s.value]] or "").strip() for s in Sequence if s.value in columns}
        scans = {
            s: path.parent / cell for s, cell in cells.items() if cell and cell.lower() not in ("n/a", "na", "nan")
        }
        yield CohortCase(name=safe_name(str(row[identifier])), scans=scans)


def _bids(root: Path) -> Iterator[CohortCase]:
    for anat in sorted([*root.glob("sub-*/anat"), *root.glob("sub-*/ses-*/anat")]):
        scans: dict[Sequence, Path] = {}
        for path in _volumes(anat):
            stem = _stem(path)
            suffix = stem.rsplit("_", 1)[-1]
            if "_desc-" in stem or _NO_SCAN.search(suffix):
                continue
            contrast = re.search(r"_ce-[A-Za-z0-9]+", stem) is not None
            sequence = {
                "T1w": Sequence.T1GD if contrast else Sequence.T1,
                "T2w": None if contrast else Sequence.T2,
                "FLAIR": None if contrast else Sequence.FLAIR,
            }.get(suffix)
            if sequence:
                scans.setdefault(sequence, path)
        if scans:
            yield CohortCase(name="_".join(part for part in anat.relative_to(root).parts[:-1]), scans=scans)


def _ucsf(root: Path) -> Iterator[CohortCase]:
    names = {"T1Post": Sequence.T1GD, "T1": Sequence.T1, "FLAIR": Sequence.FLAIR}
    for folder in sorted(root.glob("**/skullstripped/lesions_T1Post_space")):
        scans = {
            names[found[1]]: path
            for path in _volumes(folder)
            if (found := re.search(r"_(T1Post|T1|FLAIR)_to_T1Post_skullstripped$", _stem(path)))
        }
        session = folder.parents[1]
        patient = next((p.name for p in session.parents if p.name.startswith("sub-")), session.parent.name)
        yield CohortCase(name=f"{patient}_{session.name}", scans=scans, stripped=True)


def _brats(root: Path) -> Iterator[CohortCase]:
    endings = {
        Sequence.T1GD: ("_t1ce", "-t1c"),
        Sequence.T1: ("_t1", "-t1n"),
        Sequence.T2: ("_t2", "-t2w"),
        Sequence.FLAIR: ("_flair", "-t2f"),
    }
    for folder in sorted(path for path in root.glob("BraTS*") if path.is_dir()):
        stems = {_stem(path).lower(): path for path in _volumes(folder)}
        name = folder.name.lower()
        scans = {s: stems[name + end] for s, ends in endings.items() for end in ends if name + end in stems}
        yield CohortCase(name=folder.name, scans=scans, stripped=True)


def _free(root: Path) -> Iterator[CohortCase]:
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        scans: dict[Sequence, Path] = {}
        series = [path for path in sorted(folder.iterdir()) if path.is_dir()]
        for path in [*_volumes(folder), *series]:
            sequence = sequence_of(_stem(path))
            if sequence:
                scans.setdefault(sequence, path)
        if scans:
            yield CohortCase(name=safe_name(folder.name), scans=scans)


def sequence_of(name: str) -> Sequence | None:
    """The sequence a free file name speaks of; None where it names none, or a mask."""
    if _NO_SCAN.search(name):
        return None
    return next((s for s, words in _WORDS.items() if re.search(words, name, re.IGNORECASE)), None)


def safe_name(name: str) -> str:
    """A name that can be a folder: letters, digits, dot, dash and underscore."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name.strip()).strip("._") or "case"


def _volumes(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name.lower().endswith(FILE_ENDINGS))


def _stem(path: Path) -> str:
    return re.sub(r"\.(nii\.gz|nii|nrrd|nhdr|mha|mhd)$", "", path.name, flags=re.IGNORECASE)
