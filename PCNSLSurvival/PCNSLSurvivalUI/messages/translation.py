"""What the library says, in the user's language.

Its sentences arrive in English, with their values filled in: from our own process, from a stored result, from an
error. Each is recognized by its words, translated, and given its values again; so results of every age are shown in
the user's language. What is not ours stays as it is: texts of a model's author, names, words of the operating system.
"""

from __future__ import annotations

import functools
import re
from types import ModuleType

from PCNSLSurvivalUI.messages import models, preparation, runs, scans

_TABLES = (scans, preparation, models, runs)
_ENDS = (".", "?", "!")
"""A word or two that stand for a value are never taken for a sentence."""
_BETWEEN = re.compile(r"(?<=[.?!])\s(?=[A-Z])")
_VALUE = r"(?:(?![.?!]\s[A-Z]).)+?"
"""A value reaches over no end of a sentence: one sentence is not taken for the value of the next."""
_PLACE = re.compile(r"{(\w+)}")


def inUsersLanguage(text: str) -> str:
    """Translate what the library said; sentences it does not know stay as they are.

    Args:
        text: One or several sentences in English, or a word or two such as a value has.
    """
    pieces = _BETWEEN.split(text)
    said = []
    while pieces:
        count, translated = 1, pieces[0]
        for n in range(1, len(pieces) + 1):  # what is translated as one may be several sentences
            found = recognized(" ".join(pieces[:n]))
            if found is not None:
                (table, sentence), values = found
                words = {name: inUsersLanguage(value) for name, value in values.items()}
                count, translated = n, table.translated(sentence).format(**words)
                break
        said.append(translated)
        pieces = pieces[count:]
    return " ".join(said)


def recognized(text: str) -> tuple[tuple[ModuleType, str], dict[str, str]] | None:
    """The known sentence that a text is, and its values; None where there is none.

    Args:
        text: In English, with its values filled in.

    Returns:
        Table and sentence with names for the values; the values by name. Of several the one with the most words of
        its own.
    """
    found = None
    for known, parts in _known():
        if known[1].endswith(_ENDS) == text.endswith(_ENDS) and all(part in text for part in parts):
            match = _pattern(known[1]).fullmatch(text)
            if match is not None and (found is None or sum(map(len, parts)) > found[0]):
                found = sum(map(len, parts)), known, match.groupdict()
    return None if found is None else found[1:]


@functools.cache
def _known() -> tuple[tuple[tuple[ModuleType, str], list[str]], ...]:
    """Every sentence with the words around its values."""
    return tuple(
        ((table, sentence), _PLACE.split(sentence)[::2]) for table in _TABLES for sentence in table.sentences(str)
    )


@functools.cache
def _pattern(sentence: str) -> re.Pattern[str]:
    made, seen = "", set[str]()
    for number, part in enumerate(_PLACE.split(sentence)):
        if number % 2 == 0:
            made += re.escape(part)
        else:
            made += f"(?P={part})" if part in seen else f"(?P<{part}>{_VALUE})"
            seen.add(part)
    return re.compile(made, re.DOTALL)
