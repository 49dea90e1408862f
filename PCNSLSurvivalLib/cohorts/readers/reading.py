"""What a reader of a layout hands over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PCNSLSurvivalLib.cohorts.case import CohortCase


@dataclass(frozen=True, kw_only=True)
class FoundCohort:
    """The cases of a cohort, and what is to be said about the cohort as a whole."""

    layout: str
    """How the data report calls the layout: "BIDS"."""
    cases: tuple[CohortCase, ...]
    remarks: tuple[str, ...] = ()
    """Sentences: tables that are missing, rows without a scan."""
    virtual: bool = False
    """Whether scans of it were made by ``pcnsl-survival phantom``."""


def without_known_scan(folders: Iterable[str]) -> tuple[str, ...]:
    """The sentence on folders in which no scan was recognized; none where there are none."""
    if not (names := sorted(folders)):
        return ()
    return (f"No part of the cohort, as no name in these folders tells of a scan: {', '.join(names)}.",)


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
