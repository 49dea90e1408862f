"""Cells of the CSV tables written here, so that a spreadsheet shows them and runs nothing."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"\s*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def original_cell(cell: str) -> str:
    """The text of which ``plain_cell`` made a cell; any other cell as it is."""
    text = cell.removeprefix("'")
    return text if plain_cell(text) == cell else cell


def plain_cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula: texts that begin like one get an apostrophe before them.

    Args:
        value: A number, a text or None. Control characters of a text become spaces.
    """
    if not isinstance(value, str):
        return value
    text = "".join(mark if mark.isprintable() or mark == "\n" else " " for mark in value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
