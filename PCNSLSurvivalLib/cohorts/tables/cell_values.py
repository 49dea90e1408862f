"""Values in cells of clinical tables: numbers, flags, dates, and missing-value codes."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from PCNSLSurvivalLib.cohorts.tables.dates import date_of
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message

NOTHING = frozenset({
    "", "na", "n/a", "nan", "nat", "none", "null", "unknown", "not available", "not applicable", "not reported",
    "missing", "*unspecified", "-", "--", "'--", "?", ".", "<na>", "#n/a", "[not available]", "[not applicable]",
    "[not evaluated]", "[unknown]", "[discrepancy]",
})  # fmt: skip
"""Cells, in small letters, that say nothing; GDC writes '-- and TCGA [Not Available]."""

_YES = {"1", "1.0", "yes", "y", "true", "t", "elevated", "high", "dead", "deceased", "died", "death", "expired"}
_NO = {"0", "0.0", "no", "n", "false", "f", "normal", "low", "alive", "living", "censored", "lost to follow-up"}
# cBioPortal writes 1:DECEASED and 0:LIVING.
_CODED_FLAG = re.compile(r"([01])\s*:\s*(.+)")
# Of ASCII digits alone: float() also reads 1_000 and the digits of every script.
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
# 1,234 is a thousand and something to one reader, and one and something to another; so is 1.234.
_COMMA_OF_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
POINT_OF_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
# BIDS hides ages above 89 as "89+".
_AGE_OR_OLDER = re.compile(r"(?:>=?|≥)?\s*([0-9]{2,3})\s*(?:\+|(?:years\s+)?(?:and|or)\s+(?:older|over|above))?")


_OLDEST_YEARS = 130

_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """One row of a table; columns are found whatever their case, spaces, dashes and underscores."""

    cells: Mapping[str, str]
    """Cells by ``column_key``; cells that say nothing are absent."""
    number: int
    """Line in the file, the header being 1."""
    table: str = "the table"
    """Name of the file, for sentences."""
    separator: str = ","
    """Between the cells. Where it is no comma, a point can divide thousands."""
    asked: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """What a column was read as, by ``column_key``; all rows of a table write into one."""

    def ask(self, columns: tuple[str, ...], meaning: str | None = None) -> None:
        """Note that columns are read: as the first of them, unless ``meaning`` names it."""
        for name in columns:
            if meaning is not None:
                self.asked[column_key(name)] = meaning
            else:
                self.asked.setdefault(column_key(name), columns[0])

    def text(self, *columns: str) -> str | None:
        """The first of some columns that says anything."""
        self.ask(columns)
        return next((self.cells[key] for key in map(column_key, columns) if key in self.cells), None)

    def number_in(self, *columns: str, within: float = 0.0) -> float | None:
        """A cell as a number; where several of the columns are filled, they must agree.

        Args:
            columns: Names that mean the same.
            within: How far two of them may lie apart; the first counts.

        Raises:
            CohortError: One holds something else, or two of them contradict each other.
        """
        return self._agreed(columns, self._number, lambda one, other: abs(one - other) <= within)

    def whole_number_in(self, *columns: str, lowest: int, highest: int) -> int | None:
        """A cell as a whole number within a range.

        Raises:
            CohortError: It holds something else.
        """
        value = self.number_in(*columns)
        if value is None:
            return None
        if value != int(value) or not lowest <= value <= highest:
            raise self.wrong(columns, Message("wanted.whole_number", lowest=lowest, highest=highest))
        return int(value)

    def age_in(self, *columns: str) -> tuple[float | None, bool]:
        """A cell as an age in years, and whether the table hides how far above it the patient was ("89+").

        Raises:
            CohortError: It holds something else, or two of the columns lie more than a year apart.
        """
        self.ask(columns)
        hidden = [name for name in columns if _hides_age(self.cells.get(column_key(name), ""))]
        if not hidden:
            age = self.number_in(*columns, within=1.0)
            if age is not None and not 0 <= age <= _OLDEST_YEARS:
                raise self.wrong(columns, Message("wanted.age", oldest=_OLDEST_YEARS))
            return age, False
        found = _AGE_OR_OLDER.fullmatch(self.cells[column_key(hidden[0])].lower())
        lowest = float(found[1]) if found else math.nan
        known = self.number_in(*(name for name in columns if name not in hidden))
        if known is not None and known < lowest:
            raise self.contradiction(hidden[0], next(name for name in columns if name not in hidden))
        return (lowest, True) if known is None else (known, False)

    def flag_in(self, *columns: str) -> bool | None:
        """A cell as yes or no; where several of the columns are filled, they must agree.

        Raises:
            CohortError: One holds something else, or two of them contradict each other.
        """
        return self._agreed(columns, self._flag, lambda one, other: one is other)

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
            raise self.wrong(columns, Message("wanted.date"))
        return day

    def wrong(self, columns: tuple[str, ...], wanted: Message) -> CohortError:
        """The refusal of the first of some columns that says anything."""
        column = next(name for name in columns if column_key(name) in self.cells)
        return CohortError(
            Message("table.cell_unusable", line=self.number, table=self.table, column=column, wanted=wanted)
        )

    def contradiction(self, one: str, other: str) -> CohortError:
        """The refusal of two cells of this row that cannot both be right."""
        return CohortError(Message("table.cells_contradict", line=self.number, table=self.table, one=one, other=other))

    def _agreed(
        self, columns: tuple[str, ...], read: Callable[[str], _Value], agree: Callable[[_Value, _Value], bool]
    ) -> _Value | None:
        self.ask(columns)
        filled = [name for name in dict.fromkeys(columns) if column_key(name) in self.cells]
        values = [read(name) for name in filled]
        for name, value in zip(filled[1:], values[1:], strict=True):
            if not agree(values[0], value):
                raise self.contradiction(filled[0], name)
        return values[0] if values else None

    def _number(self, column: str) -> float:
        text = self.cells[column_key(column)]
        if _COMMA_OF_THOUSANDS.fullmatch(text):
            raise self.wrong((column,), Message("wanted.no_comma"))
        if self.separator == ";" and POINT_OF_THOUSANDS.fullmatch(text):
            raise self.wrong(
                (column,),
                Message("wanted.no_point_of_thousands"),
            )
        value = float(text.replace(",", ".")) if NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(value):
            raise self.wrong((column,), Message("wanted.number"))
        return value

    def _flag(self, column: str) -> bool:
        flag = _flag_of(self.cells[column_key(column)])
        if flag is None:
            raise self.wrong((column,), Message("wanted.flag"))
        return flag


def column_key(name: str) -> str:
    """A column's name without case, spaces and punctuation, in any script."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


def is_flag(cell: str) -> bool:
    """Whether a cell says yes or no, and so tells no number of days."""
    return _flag_of(cell) is not None


def _flag_of(cell: str) -> bool | None:
    word = cell.lower()
    coded = _CODED_FLAG.fullmatch(word)
    words = {coded[1], coded[2]} if coded else {word}
    if words <= _YES:
        return True
    return False if words <= _NO else None


def _hides_age(cell: str) -> bool:
    return NUMBER.fullmatch(cell) is None and _AGE_OR_OLDER.fullmatch(cell.lower()) is not None
