"""What a reader of a layout hands over."""

from __future__ import annotations

from dataclasses import dataclass

from PCNSLSurvivalLib.data.case import CohortCase


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


def rows_without_scan(count: int, table: str) -> tuple[str, ...]:
    """The sentence on patients whom a table names and who have no scan; none where there are none."""
    if not count:
        return ()
    return (f"{count} {'patient' if count == 1 else 'patients'} of {table} {'has' if count == 1 else 'have'} no scan.",)
