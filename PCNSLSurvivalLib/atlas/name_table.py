"""The names of an atlas's labels: the few plain tables that others write."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from PCNSLSurvivalLib.core.errors import AtlasError
from PCNSLSurvivalLib.core.messages import Message

TABLE_ENDINGS = (".tsv", ".ctbl", ".txt")
_LARGEST_BYTES = 1_000_000
_LONGEST_NAME = 120
_LARGEST_LABEL = 2**31 - 1


def read_names(path: Path) -> dict[int, str]:
    """The names of the labels; label 0 is the background and has none.

    Two kinds of tables are read. A ``.tsv`` with the columns ``index`` and ``name``, as BIDS and TemplateFlow write it.
    And lines of a label, a name without spaces, and numbers: color tables of FreeSurfer and Slicer (``.ctbl``,
    ``.txt``), and the text beside MRIcron's atlases. Lines that begin with ``#`` are comments.

    Args:
        path: A regular file.

    Raises:
        AtlasError: The file is none of these, a name is empty or longer than 120 letters, a label stands twice, or
            the file may not be read.
    """
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST_BYTES else b"\0"
        text = content.decode("utf-8-sig")
    except OSError as problem:
        raise AtlasError(Message("atlas.not_permitted")) from problem
    except UnicodeDecodeError as problem:
        raise _no_text() from problem
    if "\0" in text:
        raise _no_text()
    names: dict[int, str] = {}
    for line, label, name in _tab_separated(text) if path.name.lower().endswith(".tsv") else _words(text):
        number = _label(label)
        if number is None or not name or len(name) > _LONGEST_NAME or not name.isprintable():
            raise _unreadable(line)
        if number in names:
            raise AtlasError(Message("atlas.table_double", label=number))
        names[number] = name
    names.pop(0, None)
    if not names:
        raise AtlasError(Message("atlas.table_empty"))
    return names


def _tab_separated(text: str) -> list[tuple[int, str, str]]:
    """Line, label and name of every row."""
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter="\t", strict=True))
    except csv.Error as problem:
        raise _unreadable(1) from problem
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if header.count("index") != 1 or header.count("name") != 1:
        raise _unreadable(1)
    label, name = header.index("index"), header.index("name")
    found = []
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= max(label, name):
            raise _unreadable(line)
        found.append((line, row[label].strip(), row[name].strip()))
    return found


def _words(text: str) -> list[tuple[int, str, str]]:
    """Line, label and name of every line that is no comment; what follows the name must be numbers."""
    found = []
    for line, content in enumerate(text.splitlines(), start=1):
        words = content.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 2 or _is_number(words[1]) or not all(_is_number(word) for word in words[2:]):
            raise _unreadable(line)
        found.append((line, words[0], words[1]))
    return found


def _label(word: str) -> int | None:
    if not (word.isascii() and word.isdigit() and len(word) <= 10):
        return None
    return int(word) if int(word) <= _LARGEST_LABEL else None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _no_text() -> AtlasError:
    return AtlasError(Message("atlas.table_text", megabytes=_LARGEST_BYTES // 1_000_000))


def _unreadable(line: int) -> AtlasError:
    return AtlasError(Message("atlas.table", line=line))
