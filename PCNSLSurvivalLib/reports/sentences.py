"""Small words of sentences that are put together."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A sentence ends before a capital letter, but not after "Dr." or an initial.
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!\b[A-Z][a-z]\.)\s+(?=[A-Z])")


def listed(parts: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def counted(number: int, what: str) -> str:
    """ "1 exam", "2 exams"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def times(number: int) -> str:
    """ "once", "twice", "3 times"."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def first_sentence(text: str) -> str:
    """What is wrong, of a message that goes on with what to do about it."""
    return _BETWEEN_SENTENCES.split(text, maxsplit=1)[0]
