"""Numbers that registries write where survival is unknown, and whether they are meant so in one table.

A patient can live 9999 days, 27 years. Such a number is a code where it stands out: in several rows, or far beyond
every other survival of the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_CODES = frozenset({7777, 8888, 9996, 9997, 9998, 9999})
_SHORT_CODES = frozenset({0, 777, 888, 998, 999})
"""Many patients live so many days, and some die on the first; only several rows with the same one make a code of it."""
_FAR = 2.0
"""Times the longest other survival."""
_LONG = 1000.0
"""Days; shorter ones are shared by chance."""


def codes_of_unknown(days: Iterable[float]) -> tuple[frozenset[float], frozenset[float]]:
    """Which numbers of days stand for unknown in a table, and which may do so.

    Args:
        days: All survival times of the table; those of one row without repetition.

    Returns:
        Numbers that cannot be taken for days, and those to be told.
    """
    counted = Counter(days)
    others = [number for number in counted if number not in _CODES]
    longest = max(others, default=0.0)
    codes = {number for number in counted if number in _CODES}
    meant = frozenset(code for code in codes if counted[code] > 1 or code > _FAR * longest)
    short = {number for number in counted if number in _SHORT_CODES and counted[number] > 1}
    # Any other number that several rows share far beyond all others: 10000, 9990; or the end of a study.
    highest, second = [*sorted(counted, reverse=True), 0.0, 0.0][:2]
    shared = {highest} if counted[highest] > 1 and highest > max(_FAR * second, _LONG) else set()
    return meant, frozenset((codes - meant) | short | (shared - meant))
