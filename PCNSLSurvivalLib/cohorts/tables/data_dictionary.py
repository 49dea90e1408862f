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
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.strict_json import read_foreign_json
from PCNSLSurvivalLib.imaging.fetched_files import not_fetched

_DEAD = re.compile(r"\b(?:dead|deceased|died|death|expired)\b")
_ALIVE = re.compile(r"\b(?:alive|living|lives|censored|survived|survivor)\b")
_DENIED = re.compile(r"\b(?:no|not|non|never|without|absent|false|free|unknown)\b")
_BESIDE = re.compile(
    r"\b(?:the|patient|subject|participant|is|was|has|still|right|observed|(?:of |from |by )?any cause|"
    r"at (?:the )?(?:last|end of) (?:contact|follow ?up|visit|study))\b"
)
"""Words that leave the meaning of the others as it is: 'patient is alive at last follow-up'."""


def check_against_dictionary(table: Table, dictionary: Path) -> None:
    """Refuse survival in another unit than days, and events whose 0 and 1 are plainly exchanged.

    Args:
        table: The participants.
        dictionary: ``participants.json``; one that is absent or no JSON tells nothing.

    Raises:
        CohortError: The dictionary was not fetched, gives a unit other than days, says that 1 means alive, or that 0
            means dead.
    """
    if (reason := not_fetched(dictionary)) is not None:
        raise CohortError(Message("table.not_fetched", table=dictionary.name, reason=reason))
    said = {column_key(name): about for name, about in read_foreign_json(dictionary).items()}
    if not said:
        return
    columns = survival_columns(table)
    for name in columns.days:
        unit = unit_named(str(_of(said, name).get("Units", "")))
        if unit in DAYS_OF_ONE:
            raise CohortError(
                Message(
                    "table.dictionary_other_unit",
                    dictionary=dictionary.name,
                    column=name,
                    table=table.name,
                    unit=unit,
                    days=DAYS_OF_ONE[unit],
                )
            )
    for name in columns.death:
        levels = _of(said, name).get("Levels")
        zero, one = _texts(levels, "0"), _texts(levels, "1")
        if _is_plain(zero, _DEAD, _ALIVE):
            raise CohortError(
                Message("table.dictionary_0_is_dead", dictionary=dictionary.name, column=name, table=table.name)
            )
        mirrored = _says(zero, _DEAD, _ALIVE) and _says(one, _ALIVE, _DEAD)
        if mirrored or _is_plain(one, _ALIVE, _DEAD):
            raise CohortError(
                Message("table.dictionary_1_is_alive", dictionary=dictionary.name, column=name, table=table.name)
            )


def _of(said: dict[str, Any], column: str) -> dict[str, Any]:
    about = said.get(column_key(column))
    return about if isinstance(about, dict) else {}


def _texts(levels: object, code: str) -> list[str]:
    """What a code of ``Levels`` means, in small letters without punctuation: a text, or name and description."""
    meaning = levels.get(code) if isinstance(levels, dict) else None
    told = [meaning.get("LongName"), meaning.get("Description")] if isinstance(meaning, dict) else [meaning]
    return [re.sub(r"[\W_]+", " ", text).strip().lower() for text in told if isinstance(text, str)]


def _says(texts: list[str], word: re.Pattern[str], opposite: re.Pattern[str]) -> bool:
    """Whether one word is there, and neither its opposite nor a denial."""
    told = " ".join(texts)
    return bool(word.search(told)) and not opposite.search(told) and not _DENIED.search(told)


def _is_plain(texts: list[str], word: re.Pattern[str], opposite: re.Pattern[str]) -> bool:
    """Whether a text says nothing else than one word: 'before death' and 'alive until relapse' say more."""
    return _says(texts, word, opposite) and any(word.fullmatch(_BESIDE.sub(" ", text).strip()) for text in texts)
