"""What the name of a column says of survival: whether it is one, and in which unit; in the commonest languages."""

from __future__ import annotations

import re
import unicodedata

DAYS_OF_ONE = {"months": 30.4375, "weeks": 7.0, "years": 365.25}

_SURVIVAL = {"os", "survival", "surv", "survived", "followup", "lfu", "supervivencia", "sopravvivenza", "sobrevida"}
# Within longer words: Überlebenszeit, temps de survie, overlevingsduur, 生存期间.
_SURVIVAL_WITHIN = re.compile(r"uberleb|ueberleb|survie|overleving|przezy|生存|생존")
# With these, a time is one of survival only where nothing else is said of it.
_TIME = {"time", "duration", "fu"}
_BESIDE_TIME = {"to", "from", "in", "until", "death", "last", "contact", "diagnosis", "overall", "or", "censoring"}
_OTHER_ENDS = {
    "pfs", "pfi", "dfs", "dss", "dfi", "rfs", "efs", "ttp", "ttf", "progression", "progressed", "recurrence", "relapse",
}  # fmt: skip
_OTHER_END_WITHIN = re.compile(
    r"progressi|rezidiv|recidiv|relaps|krankheitsfrei|無増悪|无进展|无病|無病|무진행|再発|复发|復發|재발"
)
_OTHER_TIMES = _OTHER_ENDS | {
    "free", "specific",
    "status", "event", "censor", "censored", "class", "group", "label", "probability", "risk", "score", "predicted",
    "expected", "date", "indicator", "rate", "rates", "percent", "percentage", "taux", "tasa", "tasso", "taxa",
}  # fmt: skip
_OTHER_WITHIN = re.compile(
    r"無増悪|无进展|无病|無病|무진행|progressionsfrei|krankheitsfrei|sans progression|状态|狀態|상태|"
    # Rates and probabilities: 5年生存率, 생존율, Überlebensrate.
    r"率|율|률|lebensrate|lebenswahrscheinlich"
)
_OTHER_UNITS = {
    "months": {"month", "months", "mo", "mos", "mon", "monate", "monaten", "mois", "meses", "mesi", "maanden"},
    "weeks": {"week", "weeks", "wk", "wks", "wochen", "semaines", "semanas", "settimane", "weken"},
    "years": {"year", "years", "yr", "yrs", "jahre", "jahren", "annees", "anos", "anni", "jaren"},
}
_DAYS = {"day", "days", "tage", "tagen", "jours", "dias", "giorni", "dagen"}
_UNIT_WORDS = frozenset().union(*_OTHER_UNITS.values(), _DAYS)
_LONG_WORDS = "|".join(sorted(word for word in _UNIT_WORDS if len(word) > 2))
_TOGETHER = re.compile(rf"(?<![a-z])(os|surv|survival|followup)({_LONG_WORDS})(?![a-z])")
"""A unit without a space before it: 'OSmonths'."""
_UNITS_WITHIN = {"months": "月|개월", "weeks": "周|週|주", "years": "年", "days": "天|日"}


def unit_of(column: str) -> str | None:
    """The unit of a column that tells a time of survival: 'months', 'days', '' where it says none; else None."""
    words, plain = _words_of(column), _plain(column)
    is_time = bool(words & _TIME) and words <= _TIME | _BESIDE_TIME | _UNIT_WORDS
    is_survival = bool(words & _SURVIVAL or _SURVIVAL_WITHIN.search(plain))
    if words & _OTHER_TIMES or _OTHER_WITHIN.search(plain) or not (is_survival or is_time):
        return None
    unit = next((unit for unit, names in _OTHER_UNITS.items() if words & names), None)
    if unit is None and words & _DAYS:
        unit = "days"
    within = (unit for unit, marks in _UNITS_WITHIN.items() if re.search(marks, plain))
    return unit or next(within, "")


def unit_named(text: str) -> str | None:
    """The unit of time that a text names: 'days', 'months', 'weeks' or 'years'; None where it names none."""
    words = _words_of(text)
    return next((unit for unit, names in (("days", _DAYS), *_OTHER_UNITS.items()) if words & names), None)


def says_days(column: str) -> bool:
    """Whether the name of a column says that it counts days."""
    return unit_of(column) == "days" or bool(_words_of(column) & _DAYS)


def is_survival_in_days(column: str) -> bool:
    """Whether the name of a column says both: survival, in days."""
    told = bool(_words_of(column) & _SURVIVAL or _SURVIVAL_WITHIN.search(_plain(column)))
    return told and unit_of(column) == "days"


def is_of_another_end(column: str) -> bool:
    """Whether the name of a column tells of progression or relapse, or of survival without them."""
    return bool(_words_of(column) & _OTHER_ENDS or _OTHER_END_WITHIN.search(_plain(column)))


def _words_of(column: str) -> set[str]:
    apart = _plain(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column))
    apart = _TOGETHER.sub(r"\1 \2", re.sub(r"follow[ ._-]?up", " followup ", apart))
    return set(re.findall(r"[a-z]+", apart))


def _plain(text: str) -> str:
    """Small letters without accents; syllables of Korean put together again."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare).replace("ł", "l").lower()
