"""Overall survival of a table, under the many names that its columns have; an event is never taken for days.

Two columns are needed: days from diagnosis to death or last contact, and whether the patient died then. The names of
BraTS, UPENN-GBM, UCSF-PDGM, TCGA (GDC, UCSC Xena) and cBioPortal are known. Months, weeks, years and times without a
unit are refused with what to write instead, and so are columns that contradict each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from PCNSLSurvivalLib.cohorts.tables.cell_values import POINT_OF_THOUSANDS, TableRow, column_key, is_flag
from PCNSLSurvivalLib.cohorts.tables.table_file import Table
from PCNSLSurvivalLib.core.errors import CohortError

# Names that say days, or whose data set writes days.
_DAYS = (
    "os_days", "time_days", "Survival_days", "duration_death", "Survival_from_surgery_days_UPDATED", "OS.time",
)  # fmt: skip
# Days in UCSF-PDGM, and the event beside OS.time in UCSC Xena.
_EITHER = "OS"
_TO_DEATH = ("days_to_death", "demographic.days_to_death")
_TO_CONTACT = ("days_to_last_follow_up", "days_to_last_followup", "diagnoses.days_to_last_follow_up")
_DEATH = (
    "death_observed", "event", "event_death", "1-dead 0-alive", "Survival_Status", "dead", "death", "died", "deceased",
    "OS_STATUS", "OS.event", "vital_status", "demographic.vital_status",
)  # fmt: skip
_ALIVE = re.compile(r"alive\s*\((\d+) days later\)", re.IGNORECASE)
_DATE_OF_DEATH = ("date_of_death", "death_date", "DOD")
_SAID_ALIVE = ("alive", "is_alive")
_LONGEST_DAYS = 36525
"""No patient survives a century after diagnosis: a larger number is something else."""
_CODES_OF_UNKNOWN = frozenset({8888, 9996, 9997, 9998, 9999})
"""Registries write these where survival is unknown; the longer ones, 99999, exceed a century."""
_SHORT_CODES = frozenset({888, 998, 999})
"""A patient can live so many days; that several rows of one table say it is a code."""
_FEW_DAYS = 150
"""A cohort without longer survival counts months or years, unless its column says days."""

_SURVIVAL_WORDS = {"os", "survival", "surv", "survived", "followup", "lfu"}
# With these, a time is one of survival only where nothing else is said of it.
_TIME_WORDS = {"time", "duration", "fu"}
_BESIDE_TIME = {"to", "from", "in", "until", "death", "last", "contact", "diagnosis", "overall", "or", "censoring"}
_OTHER_TIMES = {
    "pfs", "pfi", "dfs", "dss", "dfi", "rfs", "efs", "ttp", "progression", "free", "specific", "recurrence", "relapse",
    "status", "event", "censor", "censored", "class", "group", "label", "probability", "risk", "score", "predicted",
    "expected", "date", "indicator",
}  # fmt: skip
_OTHER_UNITS = {
    "months": {"month", "months", "mo", "mos", "mon"},
    "weeks": {"week", "weeks", "wk", "wks"},
    "years": {"year", "years", "yr", "yrs"},
}
_DAY_WORDS = {"day", "days"}
_DAYS_OF_ONE = {"months": 30.4375, "weeks": 7.0, "years": 365.25}


@dataclass(frozen=True, kw_only=True)
class SurvivalColumns:
    """Which columns of one table tell survival."""

    days: tuple[str, ...]
    death: tuple[str, ...]
    other_units: Mapping[str, str] = field(default_factory=dict)
    """Unit by name of columns that tell the same time otherwise: {'OS_MONTHS': 'months'}."""
    doubted_days: frozenset[float] = frozenset()
    """Numbers of days in several rows that may stand for unknown, such as 999."""
    few_days: bool = False
    """All times of five or more rows would fit months as well."""


def survival_columns(table: Table, *, all_died: bool = False) -> SurvivalColumns:
    """Find the columns of a table that tell survival, and refuse those that could be misread.

    Args:
        table: Has its header and rows.
        all_died: Without a column for it, all patients died (BraTS).

    Raises:
        CohortError: Units that are not days, an event in the place of days, or days without the deaths; with the
            column, and what to write instead.
    """
    days, either_is_event = _days_columns(table)
    for name in days:
        _check_days(table, name)
    units = {name: unit for name in table.columns if (unit := _unit_of(name)) is not None and name not in days}
    if not days and not table.has(*_TO_DEATH):
        _refuse_times(table, units)
        if either_is_event and table.cells(_EITHER):
            raise _event_for_days(_EITHER, table)
    death = tuple(name for name in (*_DEATH, *((_EITHER,) if either_is_event else ())) if table.has(name))
    if (days or table.has(*_TO_DEATH)) and not death and not all_died:
        raise _no_deaths(table)
    others = {name: unit for name, unit in units.items() if unit in _DAYS_OF_ONE}
    told = (*days, *(name for name in (*_TO_DEATH, *_TO_CONTACT) if table.has(name)))
    numbers = _plain_numbers(table, days)
    return SurvivalColumns(
        days=days,
        death=death,
        other_units=others,
        doubted_days=_doubted(table, told),
        few_days=len(numbers) >= 5 and max(numbers) <= _FEW_DAYS,
    )


def survival_of(row: TableRow, columns: SurvivalColumns) -> tuple[float | None, bool | None, tuple[str, ...]]:
    """Days, whether death was observed, and sentences; BraTS writes 'ALIVE (361 days later)' in the column of the days.

    Raises:
        CohortError: A cell holds something else, days that cannot be, or two cells contradict each other.
    """
    death = row.flag_in(*columns.death)
    if (alive := _ALIVE.fullmatch(row.text(*columns.days) or "")) is not None:
        if death:
            raise _between(row, columns.days, columns.death)
        return _possible(row, columns.days, float(alive[1])), False, ()
    _check_deaths_agree(row, columns, death)
    days, to_death, to_contact = (_days_in(row, names) for names in (columns.days, _TO_DEATH, _TO_CONTACT))
    if to_death is not None and death is False:
        raise _between(row, _TO_DEATH, columns.death)
    if to_death is not None and days is not None and abs(to_death - days) > 1:
        raise _between(row, columns.days, _TO_DEATH)
    for name, unit in columns.other_units.items():
        if days is not None and row.text(name) is not None:
            in_days = (row.number_in(name) or 0.0) * _DAYS_OF_ONE[unit]
            if abs(in_days - days) > max(0.05 * days, _DAYS_OF_ONE[unit]):
                raise _between(row, columns.days, (name,))
    if days is not None:
        return days, death, _doubt(days, columns)
    if to_death is not None:
        return to_death, True, _doubt(to_death, columns)
    if death is False:
        return to_contact, False, _doubt(to_contact, columns)
    if death and to_contact is not None:
        return None, True, ("The table does not give the day of death, so survival is unknown.",)
    return None, death, ()


def _check_deaths_agree(row: TableRow, columns: SurvivalColumns, death: bool | None) -> None:
    """Refuse a date of death of a patient who lives, and one said to be alive who died."""
    if death is False and row.text(*_DATE_OF_DEATH) is not None:
        raise _between(row, columns.death, _DATE_OF_DEATH)
    if death and is_flag(row.text(*_SAID_ALIVE) or "") and row.flag_in(*_SAID_ALIVE):
        raise _between(row, columns.death, _SAID_ALIVE)


def _days_columns(table: Table) -> tuple[tuple[str, ...], bool]:
    """The columns of the days, and whether 'OS' tells the event."""
    listed = tuple(name for name in _DAYS if table.has(name))
    either = table.has(_EITHER)
    if listed or table.has(*_TO_DEATH):
        return listed, either
    if either and not all(is_flag(cell) for cell in table.cells(_EITHER)):
        return (_EITHER,), False
    spoken = (name for name in table.columns if _unit_of(name) == "days" and _words_of(name) & _SURVIVAL_WORDS)
    return tuple(spoken), either


def _days_in(row: TableRow, names: tuple[str, ...]) -> float | None:
    for name in names:
        if POINT_OF_THOUSANDS.fullmatch(row.text(name) or ""):
            raise row.wrong((name,), "a whole number of days without a point, which can divide thousands")
    value = row.number_in(*names)
    return None if value is None else _possible(row, names, value)


def _possible(row: TableRow, names: tuple[str, ...], days: float) -> float:
    """The days, where a patient can survive so long and the number is no code of many registries for unknown."""
    if days < 0:
        raise CohortError(
            f"Line {row.number} of {row.table} has a negative survival. Correct the cell, or leave it empty."
        )
    if days > _LONGEST_DAYS:
        raise row.wrong(names, f"a number of days up to {_LONGEST_DAYS}, which is a century")
    if days in _CODES_OF_UNKNOWN:
        raise row.wrong(names, f"a number of days ({days:g} stands for unknown in many registries)")
    return days


def _doubted(table: Table, columns: tuple[str, ...]) -> frozenset[float]:
    """Short codes of unknown that stand in several rows of a table."""
    cells = [cell.removesuffix(".0") for name in columns for cell in table.cells(name)]
    return frozenset(float(code) for code in _SHORT_CODES if cells.count(str(code)) > 1)


def _doubt(days: float | None, columns: SurvivalColumns) -> tuple[str, ...]:
    if days is not None and columns.few_days:
        return (f"No survival in the table is longer than {_FEW_DAYS} days. Check that these are not months.",)
    if days not in columns.doubted_days:
        return ()
    return (
        f"Several rows have a survival of {days:g} days, which may stand for unknown. If it does, leave the cell "
        "empty.",
    )


def _check_days(table: Table, column: str) -> None:
    """Refuse an event, or months without a word of it, in the place of days."""
    cells = table.cells(column)
    if len(cells) > 1 and set(cells) <= {"0", "1", "0.0", "1.0"}:
        raise _event_for_days(column, table)
    if _words_of(column) & _DAY_WORDS or column_key(column) == "durationdeath":
        return
    numbers = _plain_numbers(table, (column,))
    if any(number % 1 for number in numbers) or (len(numbers) >= 5 and max(numbers) <= _FEW_DAYS):
        raise CohortError(
            f"The column '{column}' of {table.name} does not say its unit, and its numbers look like months or years. "
            "Write days in a column 'os_days' (months times 30.4375, years times 365.25) and try again."
        )


def _plain_numbers(table: Table, columns: tuple[str, ...]) -> list[float]:
    cells = [cell.replace(",", ".") for name in columns for cell in table.cells(name)]
    return [float(cell) for cell in cells if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", cell)]


def _refuse_times(table: Table, units: Mapping[str, str]) -> None:
    """Refuse times of survival that are no days, in a table that has no others."""
    for name, unit in units.items():
        cells = table.cells(name)
        # 0 and 1 alone, or words, are a class or a status under a name such as 'survival'.
        if all(is_flag(cell) or not re.match(r"[+-]?\d", cell) for cell in cells):
            continue
        if unit in _DAYS_OF_ONE:
            raise CohortError(
                f"The column '{name}' of {table.name} counts {unit}. Write days ({unit} times {_DAYS_OF_ONE[unit]:g}) "
                "in a column 'os_days' and try again."
            )
        raise CohortError(
            f"The column '{name}' of {table.name} looks like survival and does not say whether it is or in which unit. "
            "Where it is overall survival, write days in a column 'os_days' and try again; else give it another name."
        )


def _event_for_days(column: str, table: Table) -> CohortError:
    return CohortError(
        f"The column '{column}' of {table.name} holds an event (0 and 1), not days. Call it 'death_observed', give the "
        "days in a column 'os_days', and try again."
    )


def _no_deaths(table: Table) -> CohortError:
    about_censoring = next((name for name in table.columns if "censor" in column_key(name)), None)
    if about_censoring is not None:
        return CohortError(
            f"The table says who died only in column '{about_censoring}', where 1 can mean censored as well as died. "
            "Write a column 'death_observed' (1: died on that day, 0: alive at last contact) and try again."
        )
    return CohortError(
        "The table has survival days but no column 'death_observed' (1: died on that day, 0: alive at last "
        "contact). Without it, censored patients cannot be distinguished from deaths. Add the column and try again."
    )


def _unit_of(column: str) -> str | None:
    """The unit of a column that tells a time of survival: 'months', 'days', '' where it says none; else None."""
    words = _words_of(column)
    units = {word for names in (*_OTHER_UNITS.values(), _DAY_WORDS) for word in names}
    is_time = bool(words & _TIME_WORDS) and words <= _TIME_WORDS | _BESIDE_TIME | units
    if words & _OTHER_TIMES or not (words & _SURVIVAL_WORDS or is_time):
        return None
    unit = next((unit for unit, names in _OTHER_UNITS.items() if words & names), None)
    return unit or ("days" if words & _DAY_WORDS else "")


def _words_of(column: str) -> set[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).lower()
    return set(re.findall(r"[a-z]+", re.sub(r"follow[ ._-]?up", " followup ", apart)))


def _between(row: TableRow, ones: tuple[str, ...], others: tuple[str, ...]) -> CohortError:
    one, other = (next(name for name in names if row.text(name) is not None) for names in (ones, others))
    return row.contradiction(one, other)
