"""``participants.json`` of BIDS, held against what the columns of survival are read as."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.cohorts.tables.cell_values import column_key
from PCNSLSurvivalLib.cohorts.tables.survival_columns import survival_columns
from PCNSLSurvivalLib.cohorts.tables.survival_words import DAYS_OF_ONE, unit_named
from PCNSLSurvivalLib.cohorts.tables.table_file import Table
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.strict_json import read_foreign_json

_DEAD = re.compile(r"\b(?:dead|deceased|died|death|expired)\b", re.IGNORECASE)
_ALIVE = re.compile(r"\b(?:alive|living|lives|censored|survived|survivor)\b", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:no|not|non|without)\b", re.IGNORECASE)


def check_against_dictionary(table: Table, dictionary: Path) -> None:
    """Refuse survival in another unit than days, and events whose 0 and 1 are exchanged.

    Args:
        table: The participants.
        dictionary: ``participants.json``; one that is absent or cannot be read tells nothing.

    Raises:
        CohortError: The dictionary gives a unit other than days, says that 1 means alive, or that 0 means dead.
    """
    said = {column_key(name): about for name, about in read_foreign_json(dictionary).items()}
    if not said:
        return
    columns = survival_columns(table)
    for name in columns.days:
        unit = unit_named(str(_of(said, name).get("Units", "")))
        if unit in DAYS_OF_ONE:
            raise CohortError(
                f"{dictionary.name} says that the column '{name}' of {table.name} counts {unit}. Write days ({unit} "
                f"times {DAYS_OF_ONE[unit]:g}) in a column 'os_days' and try again."
            )
    for name in columns.death:
        levels = _of(said, name).get("Levels")
        for code, wrong, right, meaning in (("0", _DEAD, _ALIVE, "dead"), ("1", _ALIVE, _DEAD, "alive")):
            words = _words(levels, code)
            if wrong.search(words) and not right.search(words) and not _DENIED.search(words):
                raise CohortError(
                    f"{dictionary.name} says that {code} in the column '{name}' of {table.name} means {meaning}. Write "
                    "a column 'death_observed' (1: died on that day, 0: alive at last contact) and try again."
                )


def _of(said: dict[str, Any], column: str) -> dict[str, Any]:
    about = said.get(column_key(column))
    return about if isinstance(about, dict) else {}


def _words(levels: object, code: str) -> str:
    """What a code of ``Levels`` means; a text, or an object with a description."""
    meaning = levels.get(code) if isinstance(levels, dict) else None
    if isinstance(meaning, dict):
        meaning = f"{meaning.get('LongName', '')} {meaning.get('Description', '')}"
    return meaning if isinstance(meaning, str) else ""
