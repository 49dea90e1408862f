"""Cells of clinical tables as people fill them in: numbers, yes and no, dates, and many words for nothing."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from PCNSLSurvivalLib.errors import CohortError

_NOTHING = {"", "na", "n/a", "nan", "none", "null", "unknown", "not available", "*unspecified", "-", "?"}
_YES = {"1", "1.0", "yes", "y", "true", "t", "elevated", "high", "dead", "deceased", "died", "death"}
_NO = {"0", "0.0", "no", "n", "false", "f", "normal", "low", "alive", "living", "censored", "lost to follow-up"}
_DATES = ("%Y-%m-%d", "%m/%d/%y", "%m/%d/%Y", "%Y%m%d", "%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One row of a table; columns are found whatever their case, spaces, dashes and underscores."""

    cells: Mapping[str, str]
    """Cells by ``column_key``; cells that say nothing are absent."""
    number: int
    """Line in the file, the header being 1."""

    def text(self, *columns: str) -> str | None:
        """The first of some columns that says anything."""
        return next((self.cells[key] for key in map(column_key, columns) if key in self.cells), None)

    def number_in(self, *columns: str) -> float | None:
        """A cell as a number.

        Raises:
            CohortError: It holds something else.
        """
        text = self.text(*columns)
        if text is None:
            return None
        try:
            value = float(text.replace(",", ".") if text.count(",") == 1 else text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._wrong(columns, "a number")
        return value

    def whole_number_in(self, *columns: str, lowest: int, highest: int) -> int | None:
        """A cell as a whole number within a range.

        Raises:
            CohortError: It holds something else.
        """
        value = self.number_in(*columns)
        if value is None:
            return None
        if value != int(value) or not lowest <= value <= highest:
            raise self._wrong(columns, f"a whole number from {lowest} to {highest}")
        return int(value)

    def flag_in(self, *columns: str) -> bool | None:
        """A cell as yes or no.

        Raises:
            CohortError: It holds something else.
        """
        text = self.text(*columns)
        if text is None:
            return None
        word = text.lower()
        if word not in _YES | _NO:
            raise self._wrong(columns, "0 or 1")
        return word in _YES

    def _wrong(self, columns: tuple[str, ...], wanted: str) -> CohortError:
        column = next(name for name in columns if column_key(name) in self.cells)
        return CohortError(
            f"Line {self.number} of the table has no usable value in column '{column}': it should be {wanted}, or "
            "empty where unknown. Correct the cell and try again."
        )


@dataclass(frozen=True, kw_only=True)
class Table:
    """A CSV or TSV table."""

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]

    def has(self, *columns: str) -> bool:
        """Whether one of some columns is there."""
        there = {column_key(name) for name in self.columns}
        return any(column_key(name) in there for name in columns)


def read_table(path: Path) -> Table:
    """Read a CSV or TSV table with a header line.

    Raises:
        CohortError: It cannot be read as text, or has no header.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            lines = csv.reader(stream, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            header = next(lines, [])
            rows = [(number, cells) for number, cells in enumerate(lines, start=2) if any(c.strip() for c in cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise CohortError(
            f"A table of the cohort cannot be read ({type(problem).__name__}). Save it as CSV or TSV in UTF-8."
        ) from problem
    if not header:
        raise CohortError("A table of the cohort is empty. Give a table whose first line names the columns.")
    keys = [column_key(name) for name in header]
    read = (
        TableRow(
            cells={
                key: cell.strip()
                for key, cell in zip(keys, cells, strict=False)
                if cell.strip().lower() not in _NOTHING
            },
            number=number,
        )
        for number, cells in rows
    )
    return Table(columns=tuple(header), rows=tuple(read))


def column_key(name: str) -> str:
    """A column's name without case, spaces and punctuation."""
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def date_of(text: str) -> date | None:
    """A date in one of the usual forms; None where it is none. Two-digit years count as Python counts them."""
    for form in _DATES:
        try:
            return datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    return None
