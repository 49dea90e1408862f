"""A clinical table as a file: CSV or TSV with one header line, read whole or refused with its line."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PCNSLSurvivalLib.cohorts.tables.cell_values import NOTHING, TableRow, column_key
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.fetched_files import not_fetched

IDENTIFIERS = (
    "patient_id", "patient", "subject_id", "participant_id", "subject", "case", "ID", "Brats20ID",
    "bcr_patient_barcode", "case_submitter_id", "cases.submitter_id", "submitter_id", "pid",
)  # fmt: skip
"""Columns that name the patient."""
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""How .xlsx and .ods begin, which are zip files, and .xls."""
_LIMIT_BYTES = 100_000_000
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_NAMES_SEPARATOR = re.compile(r"sep=[,;\t|]?", re.IGNORECASE)
"""A first line for Excel."""
_LISTED = 30
"""So many columns are named that are not used."""
_LAYOUT_CHARACTERS = "\t\r\n"
_SPREADSHEET_ERROR = re.compile(r"#(?:REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|#+)", re.IGNORECASE)
"""What spreadsheets write for a formula that failed, or a column that is too narrow."""
_ROUNDED_IDENTIFIER = re.compile(r"\d(?:[.,]\d+)?E\+\d{2,}", re.IGNORECASE)
"""A long number as spreadsheets show it: several patients become one."""

_SUMMARY = re.compile(
    r"(?:mean|average|avg|median|(?:grand |sub)?total|totals|sum|minimum|maximum|standard deviation|std\.? ?dev|stdev|"
    r"std|mittel|mittelwert|durchschnitt|summe|gesamt|gesamtsumme|gesamtergebnis|standardabweichung|moyenne|mediane|somme|"
    r"ecart[- ]type|promedio|media|mediana|suma|soma|totale|somma|gemiddelde|mediaan|totaal|"
    r"平均|平均值|中位数|总计|合计|总数|中央値|合計|평균|중앙값|합계)"
    r"(?: (?:of|n|age|sd|patients?|all|values?|survival)\b.*| ?[:=±+/(\[].*)?"
)
"""In the place of a patient's name; 'max', 'min' and 'SD' are names or initials as well."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A CSV or TSV table."""

    name: str
    """Of the file."""
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    asked: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """What each column was read as; see ``TableRow``."""

    def has(self, *columns: str) -> bool:
        """Whether one of some columns is there."""
        there = {column_key(name) for name in self.columns}
        return any(column_key(name) in there for name in columns)

    def first_of(self, *columns: str) -> str:
        """The first of some columns that is filled in any row; where none is, the first that is there, or of all."""
        there = [name for name in columns if self.has(name)] or [columns[0]]
        return next((name for name in there if self.cells(name)), there[0])

    def cells(self, column: str) -> list[str]:
        """What the rows say in a column, from top to bottom."""
        key = column_key(column)
        return [row.cells[key] for row in self.rows if key in row.cells]

    def columns_in_words(self) -> str:
        """The sentence on the columns that were read and those that were not; to be asked after reading."""
        read = [(name, self.asked[column_key(name)]) for name in self.columns if column_key(name) in self.asked]
        words = [name if name == meaning else f"{name} as {meaning}" for name, meaning in read]
        left = [name for name in self.columns if column_key(name) not in self.asked]
        more = [f"and {len(left) - _LISTED} more"] if len(left) > _LISTED else []
        unused = f" Not used: {', '.join([*left[:_LISTED], *more])}." if left else ""
        return f"Columns of {self.name} used: {', '.join(words) or 'none'}.{unused}"


def read_table(path: Path) -> Table:
    """Read a table with a header line: CSV with commas, semicolons or tabs, whichever the header has most of.

    Empty lines above the header, lines that begin with '#', as cBioPortal writes them, and 'sep=;', as Excel wants
    it, are passed over.

    Raises:
        CohortError: It cannot be read as text, has no header, names a column twice, has its header twice, holds
            control characters or open quotation marks, or has a row with more cells than the header.
    """
    if (reason := not_fetched(path)) is not None:
        raise CohortError(Message("table.not_fetched", table=path.name, reason=reason))
    if not path.is_file():
        raise CohortError(Message("table.not_a_file", table=path.name))
    try:
        if path.stat().st_size > _LIMIT_BYTES:
            raise CohortError(Message("table.too_large", table=path.name))
        with path.open("rb") as content:
            if content.read(8).startswith(_SPREADSHEETS):
                raise CohortError(Message("table.spreadsheet", table=path.name))
        with path.open(newline="", encoding="utf-8-sig") as stream:
            above, header_line, before = 0, stream.readline(), ""
            while _stands_above_header(header_line):
                above, header_line, before = above + 1, stream.readline(), header_line
            if before.startswith("#") and _names_patient(path, before[1:]) and not _names_patient(path, header_line):
                above, header_line = above - 1, before  # "#patient_id", as some programs mark the header itself
            separator = _separator(path, header_line)
            stream.seek(0)
            for _ in range(above):
                stream.readline()
            lines = csv.reader(stream, delimiter=separator, strict=True)
            header = [cell.strip() for cell in next(lines, [])]
            header[:1] = [name.lstrip("# ") for name in header[:1]]
            rows = [(above + lines.line_num, cells) for cells in lines if any(c.strip() for c in cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise CohortError(Message("table.unreadable", table=path.name, reason=_reason(problem))) from problem
    if not any(header):
        raise CohortError(Message("table.empty", table=path.name))
    _check_header(header, path.name)
    keys = [column_key(name) for name in header]
    _check_marks(header, above + 1, path.name)
    for number, cells in rows:
        _check_row(cells, header, number, path.name)
        _check_spreadsheet(cells, header, number, path.name)
    asked: dict[str, str] = {}
    read = (
        TableRow(
            cells={
                key: text
                for key, cell in zip(keys, cells, strict=False)
                if key and (text := _visible(cell)).lower() not in NOTHING
            },
            number=number,
            table=path.name,
            separator=separator,
            asked=asked,
        )
        for number, cells in rows
    )
    return Table(name=path.name, columns=tuple(name for name in header if name), rows=tuple(read), asked=asked)


def one_row_each(
    table: Table,
    *identifiers: str,
    says: Callable[[TableRow], object],
    name_of: Callable[[str], str] = str,
) -> tuple[dict[str, TableRow], tuple[str, ...]]:
    """The row of each patient; rows that say the same twice count once, rows that contradict each other never.

    Args:
        table: Has one row per patient.
        identifiers: Columns that can name the patient.
        says: What is used of a row, to be compared.
        name_of: The patient's name from the cell.

    Returns:
        Row by name, and a sentence where patients have several rows.

    Raises:
        CohortError: Two rows of one patient contradict each other, or a row names no patient.
    """
    rows: dict[str, TableRow] = {}
    several: dict[str, None] = {}
    column = table.first_of(*identifiers)
    for row in table.rows:
        row.ask((column,), identifiers[0])
        cell = row.text(column)
        if cell is None:
            raise CohortError(Message("table.no_patient", line=row.number, table=table.name, column=column))
        name = name_of(cell)
        first = rows.setdefault(name, row)
        if first is not row:
            if says(first) != says(row):
                raise CohortError(
                    Message("table.rows_contradict", first=first.number, second=row.number, table=table.name)
                )
            several[name] = None
    if not several:
        return rows, ()
    return rows, (f"{table.name} contains repeated rows, which count once, for: {', '.join(several)}.",)


def _check_header(header: list[str], table: str) -> None:
    counts = Counter(key for name in header if (key := column_key(name)))
    for name in header:
        if counts[column_key(name)] > 1:
            raise CohortError(Message("table.column_twice", table=table, column=name))


def _check_row(cells: list[str], header: list[str], line: int, table: str) -> None:
    if any(cell.strip() for cell in cells[len(header) :]):
        raise CohortError(Message("table.too_many_cells", line=line, table=table))
    if [column_key(cell) for cell in cells[: len(header)]] == [column_key(name) for name in header]:
        raise CohortError(Message("table.header_twice", line=line, table=table))
    _check_marks(cells, line, table)


def _check_spreadsheet(cells: list[str], header: list[str], line: int, table: str) -> None:
    """Refuse what a spreadsheet wrote in the place of a value."""
    identifiers = set(map(column_key, IDENTIFIERS))
    for name, cell in zip(header, cells, strict=False):
        text = cell.strip()
        if _SPREADSHEET_ERROR.fullmatch(text):
            raise CohortError(Message("table.spreadsheet_error", line=line, table=table, column=name, found=text[:20]))
        if column_key(name) in identifiers and _ROUNDED_IDENTIFIER.fullmatch(text):
            raise CohortError(Message("table.identifier_rounded", line=line, table=table, column=name, found=text[:20]))
        if column_key(name) in identifiers and _SUMMARY.fullmatch(_without_accents(text)):
            raise CohortError(Message("table.summary_row", line=line, table=table, column=name, found=text[:20]))


def _without_accents(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", bare)


def _check_marks(cells: list[str], line: int, table: str) -> None:
    if any(unicodedata.category(mark) == "Cc" and mark not in _LAYOUT_CHARACTERS for cell in cells for mark in cell):
        raise CohortError(Message("table.control_characters", line=line, table=table))


def _visible(cell: str) -> str:
    """A cell in composed Unicode, without invisible marks.

    Web pages and office programs leave them in what is copied: two names that look the same would be two patients.
    Those that join letters are part of a word in some scripts, and stay between letters.
    """
    return unicodedata.normalize("NFC", _UNSEEN.sub("", cell).strip().strip("\u200c\u200d").strip())


def _separator(path: Path, header: str) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    return max(",;\t", key=re.sub(r'"[^"]*"', "", header).count)


def _stands_above_header(line: str) -> bool:
    if not line:  # the end of the file
        return False
    return line.startswith("#") or not line.strip(" ,;\t\r\n") or _NAMES_SEPARATOR.fullmatch(line.strip()) is not None


def _names_patient(path: Path, line: str) -> bool:
    """Whether a line names a column for the patient, as a header does."""
    keys = {column_key(cell.strip(" \"'")) for cell in line.split(_separator(path, line))}
    return not keys.isdisjoint(map(column_key, IDENTIFIERS))


def _reason(problem: Exception) -> str:
    if isinstance(problem, csv.Error):
        return str(problem)
    return (problem.strerror if isinstance(problem, OSError) else None) or type(problem).__name__
