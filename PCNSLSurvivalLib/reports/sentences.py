"""Small words of sentences that are put together."""

from __future__ import annotations

from collections.abc import Sequence


def listed(parts: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def counted(number: int, what: str) -> str:
    """ "1 examination", "2 examinations"."""
    return f"{number} {what}{'' if number == 1 else 's'}"
