"""Cells of clinical tables as people fill them in: numbers, yes and no, days, and many words for nothing."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from PCNSLSurvivalLib.cohorts.tables.dates import date_of
from PCNSLSurvivalLib.core.errors import CohortError

_NOTHING = {"", "na", "n/a", "nan", "none", "null", "unknown", "not available", "*unspecified", "-", "?"}
_YES = {"1", "1.0", "yes", "y", "true", "t", "elevated", "high", "dead", "deceased", "died", "death"}
_NO = {"0", "0.0", "no", "n", "false", "f", "normal", "low", "alive", "living", "censored", "lost to follow-up"}
# 1,234 is a thousand and something to one reader, and one and something to another.
_TWO_MEANINGS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One row of a table; columns are found whatever their case, spaces, dashes and underscores."""

    cells: Mapping[str, str]
    """Cells by ``column_key``; cells that say nothing are absent."""
    number: int
    """Line in the file, the header being 1."""
    table: str = "the table"
    """Name of the file, for sentences."""

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
        if _TWO_MEANINGS.fullmatch(text):
            raise self._wrong(columns, "a number without a comma, which can divide thousands as well as decimals")
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

    def date_in(self, *columns: str) -> date | None:
        """A cell as a day.

        Raises:
            CohortError: It holds something else.
        """
        text = self.text(*columns)
        if text is None:
            return None
        day = date_of(text)
        if day is None:
            raise self._wrong(columns, "a date such as 2015-08-01, 8/1/15 (month first) or 1-Aug-15")
        return day

    def _wrong(self, columns: tuple[str, ...], wanted: str) -> CohortError:
        column = next(name for name in columns if column_key(name) in self.cells)
        return CohortError(
            f"Line {self.number} of {self.table} has no usable value in column '{column}': it should be {wanted}, or "
            "empty where unknown. Correct the cell and try again."
        )


@dataclass(frozen=True, kw_only=True)
class Table:
    """A CSV or TSV table."""

    name: str
    """Of the file."""
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]

    def has(self, *columns: str) -> bool:
        """Whether one of some columns is there."""
        there = {column_key(name) for name in self.columns}
        return any(column_key(name) in there for name in columns)


def read_table(path: Path) -> Table:
    """Read a table with a header line: CSV with commas, or with semicolons or tabs where the header has no comma.

    Raises:
        CohortError: It cannot be read as text, has no header, or has a row with more cells than the header.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            separator = _separator(path, stream.readline())
            stream.seek(0)
            lines = csv.reader(stream, delimiter=separator)
            header = next(lines, [])
            rows = [(lines.line_num, cells) for cells in lines if any(c.strip() for c in cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise CohortError(
            f"{path.name} cannot be read ({type(problem).__name__}). Save it as CSV or TSV in UTF-8."
        ) from problem
    if not header:
        raise CohortError(f"{path.name} is empty. Give a table whose first line names the columns.")
    keys = [column_key(name) for name in header]
    for number, cells in rows:
        if any(cell.strip() for cell in cells[len(header) :]):
            raise CohortError(
                f"Line {number} of {path.name} has more cells than the first line has columns. Put quotation marks "
                "around texts that hold the separator, and try again."
            )
    read = (
        TableRow(
            cells={
                key: cell.strip()
                for key, cell in zip(keys, cells, strict=False)
                if cell.strip().lower() not in _NOTHING
            },
            number=number,
            table=path.name,
        )
        for number, cells in rows
    )
    return Table(name=path.name, columns=tuple(header), rows=tuple(read))


def one_row_each(
    table: Table,
    *identifiers: str,
    says: Callable[[TableRow], object],
    name_of: Callable[[str], str] = str,
) -> tuple[dict[str, TableRow], tuple[str, ...]]:
    """The row of each patient; rows that say the same twice count once, rows that contradict each other never.

    Args:
        table: Has a row a patient.
        identifiers: Columns that can name the patient.
        says: What is used of a row, to be compared.
        name_of: The patient's name from the cell.

    Returns:
        Row by name, and a sentence where patients have several rows.

    Raises:
        CohortError: Two rows of one patient contradict each other, or a row names nobody.
    """
    rows: dict[str, TableRow] = {}
    several: dict[str, None] = {}
    for row in table.rows:
        cell = row.text(*identifiers)
        if cell is None:
            column = next(name for name in identifiers if table.has(name))
            raise CohortError(f"Line {row.number} of {table.name} names no patient. Fill in '{column}' and try again.")
        name = name_of(cell)
        first = rows.setdefault(name, row)
        if first is not row:
            if says(first) != says(row):
                raise CohortError(
                    f"Lines {first.number} and {row.number} of {table.name} are about one patient and contradict each "
                    "other. Keep the right one and try again."
                )
            several[name] = None
    if not several:
        return rows, ()
    return rows, (f"{table.name} says the same more than once, which counts once, of: {', '.join(several)}.",)


def column_key(name: str) -> str:
    """A column's name without case, spaces and punctuation."""
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def _separator(path: Path, header: str) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    return "," if "," in header else next((mark for mark in ";\t" if mark in header), ",")
