"""What a reader of a layout hands over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.sequences.choice import Choice, Series
from PCNSLSurvivalLib.imaging.sequences.names import judge_series

_LISTED = 12
"""So many series are named where none is T1Gd."""


@dataclass(frozen=True, kw_only=True)
class FoundCohort:
    """The cases of a cohort, and what is to be said about the cohort as a whole."""

    layout: str
    """How the data report calls the layout: "BIDS"."""
    cases: tuple[CohortCase, ...]
    columns: tuple[str, ...] = ()
    """A sentence on each clinical table: which of its columns are used, as what, and which are not."""
    remarks: tuple[str, ...] = ()
    """Sentences: tables that are missing, rows without a scan."""
    without_scan: Mapping[str, str] = field(default_factory=dict)
    """Patients of tables and folders who are no case, since nothing of them can be read: why, by name."""
    virtual: bool = False
    """Whether scans of it were made by ``pcnsl-survival phantom``."""


def without_known_scan(folders: Iterable[str]) -> tuple[str, ...]:
    """The sentence on folders in which no scan was recognized; none where there are none."""
    if not (names := sorted(folders)):
        return ()
    return (
        f"Not part of the cohort, since no file in these folders is a scan by its name and header: {', '.join(names)}.",
    )


def rows_without_scan(names: Iterable[str], table: str) -> tuple[str, ...]:
    """The sentence on patients whom a table names and who have no scan; none where there are none."""
    missing = sorted(names)
    if not missing:
        return ()
    one = len(missing) == 1
    return (
        f"{len(missing)} {'patient' if one else 'patients'} of {table} {'has' if one else 'have'} no scan: "
        f"{', '.join(missing)}.",
    )


def patients_without_scan(rows: Iterable[str], table: str, folders: Iterable[str]) -> dict[str, str]:
    """Reason by patient name: the table lists the patient without a scan, or no scan in the folder is recognized."""
    reasons = {name: f"{table} lists this patient, but there is no scan." for name in rows}
    return reasons | dict.fromkeys(folders, "No file in this folder is a scan by its name and header.")


def choice_remarks(
    series: Sequence[Series], chosen: Mapping[MRSequence, Choice], paths: Sequence[Path]
) -> tuple[str, ...]:
    """Sentences on every choice among several series, and on all series where none of them is T1Gd.

    Args:
        series: The series of one exam, as ``choose_series`` got them.
        chosen: What it chose.
        paths: Of the series; two of one name are told apart by the names of their files.
    """
    counts = Counter(one.name for one in series)
    told = [
        replace(one, name=path.name) if counts[one.name] > 1 else one for one, path in zip(series, paths, strict=True)
    ]
    remarks = [str(choice.message(told)) for choice in chosen.values() if choice.others]
    if MRSequence.T1GD not in chosen and series:
        seen = "; ".join(f"'{one.name}': {judge_series(one.name, one.header).message}" for one in series[:_LISTED])
        more = f"; and {len(series) - _LISTED} more" if len(series) > _LISTED else ""
        remarks.append(f"No series is T1Gd. {seen}{more}.")
    return tuple(remarks)
