"""Overall survival of a table, under the many names that its columns have; an event is never taken for days.

Two columns are needed: days from diagnosis to death or last contact, and whether the patient died then. The names of
BraTS, UPENN-GBM, UCSF-PDGM, TCGA (GDC, UCSC Xena) and cBioPortal are known. Months, weeks, years and times without a
unit are refused with what to write instead, and so are columns that contradict each other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from PCNSLSurvivalLib.cohorts.tables.cell_values import NUMBER, POINT_OF_THOUSANDS, TableRow, column_key, is_flag
from PCNSLSurvivalLib.cohorts.tables.dates import NO_DATES, date_of, is_no_day
from PCNSLSurvivalLib.cohorts.tables.survival_words import (
    DAYS_OF_ONE,
    is_of_another_end,
    is_survival_in_days,
    says_days,
    unit_of,
)
from PCNSLSurvivalLib.cohorts.tables.table_file import Table
from PCNSLSurvivalLib.cohorts.tables.unknown_codes import codes_of_unknown
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message

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
    "OS_STATUS", "Overall Survival Status", "OS.event", "vital_status", "demographic.vital_status",
)  # fmt: skip
_NEAR_DEATH = re.compile(
    r"(?<![^\W_])(?:vital|dead|death|died|deceased|alive|exitus|verstorben|gestorben|tod|d[eé]c[eè]s|muert[eo]|"
    r"fallecid[oa]|mort[eo]?)(?![^\W_])|^(?:(?:os|survival|patient)[\W_]?)?status[\W_]*$",
    re.IGNORECASE,
)
"""In the name of a column that may say who died, in a spelling that is not known."""
_ALIVE = re.compile(r"alive\s*\((\d+) days later\)", re.IGNORECASE)
_DATE_OF_DEATH = ("date_of_death", "death_date", "DOD")
_CENSORED = ("censored", "censoring", "censor", "iscensored", "oscensored", "oscensoring", "oscensor")
_ANY_EVENT = "event"
_SAYS_DEATH = re.compile(r"dead|deceased|died|death|expired|alive|living", re.IGNORECASE)
"""In the cells of a column named 'event', which else can count progression as well."""
_SAID_ALIVE = ("alive", "is_alive")
_DATE_OF_CONTACT = (
    "date_of_last_contact", "last_contact_date", "date_last_contact", "last_contact", "date_of_last_follow_up",
    "last_follow_up_date", "date_last_follow_up", "last_follow_up", "date_of_last_visit", "last_visit_date",
    "last_visit",
)  # fmt: skip
_DATE_OF_DIAGNOSIS = ("date_of_diagnosis", "diagnosis_date")
_EITHER_WAY = ("vital_status", "demographic.vital_status", "Survival_Status")
"""Registries write 1 for alive in these as well as for dead; words are plain."""
_LONGEST_DAYS = 18262
"""Half a century; the first patients were scanned by MR in the early 1980s."""
_DATES_APART = 92.0
"""Days that biopsy, surgery or treatment, from which some tables count, may follow diagnosis."""
_FEW_DAYS = 365
"""A cohort without longer survival counts months or years, unless its column says days; 30 years are 365 months."""
_FEW_ROWS = 5
"""Fewer can all have died early."""


@dataclass(frozen=True, kw_only=True)
class SurvivalColumns:
    """Which columns of one table tell survival."""

    days: tuple[str, ...]
    death: tuple[str, ...]
    other_units: Mapping[str, str] = field(default_factory=dict)
    """Unit by name of columns that tell the same time otherwise: {'OS_MONTHS': 'months'}."""
    doubted_days: frozenset[float] = frozenset()
    """Numbers of days that may stand for unknown, such as 999 in several rows."""
    unknown_days: frozenset[float] = frozenset()
    """Numbers of days that do, such as 9999 in several rows."""
    few_days: bool = False
    """All times would fit months as well, in a column that does not say days, or in many rows."""
    no_days: bool = False
    """The table says who or when someone died, and has no survival at all."""


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
    units = {name: unit for name in table.columns if (unit := unit_of(name)) is not None and name not in days}
    if not days and not table.has(*_TO_DEATH):
        _refuse_times(table, units)
        if either_is_event and table.cells(_EITHER):
            raise _event_for_days(_EITHER, table)
    death = tuple(name for name in (*_DEATH, *((_EITHER,) if either_is_event else ())) if table.has(name))
    timed = bool(days) or table.has(*_TO_DEATH)
    death = _plain_about_death(table, _without_other_events(table, death) if timed else death)
    _check_censoring(table, death)
    if timed and not death and not all_died:
        raise _no_deaths(table)
    others = {name: unit for name, unit in units.items() if unit in DAYS_OF_ONE}
    told = (*days, *(name for name in (*_TO_DEATH, *_TO_CONTACT) if table.has(name)))
    numbers = [day for row in table.rows for day in _plain_numbers(row, days)]
    dated = any(table.cells(name) for name in (*_DATE_OF_DEATH, *_DATE_OF_DIAGNOSIS) if table.has(name))
    unknown, doubted = codes_of_unknown(day for row in table.rows for day in _plain_numbers(row, told))
    return SurvivalColumns(
        days=days,
        death=death,
        other_units=others,
        doubted_days=doubted,
        unknown_days=unknown,
        few_days=bool(numbers)
        and max(numbers) <= _FEW_DAYS
        and (len(numbers) >= _FEW_ROWS or not all(_in_days_by_name(name) for name in days)),
        no_days=(bool(death) or dated) and not told and not units,
    )


def survival_of(row: TableRow, columns: SurvivalColumns) -> tuple[float | None, bool | None, tuple[str, ...]]:
    """Days, whether death was observed, and sentences; BraTS writes 'ALIVE (361 days later)' in the column of the days.

    Raises:
        CohortError: A cell holds something else, days that cannot be, or two cells contradict each other.
    """
    row.ask(columns.days, "os_days")
    row.ask(columns.death, "death_observed")
    death = row.flag_in(*columns.death)
    if (alive := _ALIVE.fullmatch(row.text(*columns.days) or "")) is not None:
        if death:
            raise _between(row, columns.days, columns.death)
        said = _possible(row, columns.days, float(alive[1]))
        return said, False, _doubt(said, columns)
    days, to_death, to_contact = (_days_in(row, names, columns) for names in (columns.days, _TO_DEATH, _TO_CONTACT))
    _check_deaths_agree(row, columns, death, to_death if days is None else days)
    if to_death is not None and death is False:
        raise _between(row, _TO_DEATH, columns.death)
    if to_death is not None and days is not None and abs(to_death - days) > 1:
        raise _between(row, columns.days, _TO_DEATH)
    for name, unit in columns.other_units.items():
        if days is not None and row.text(name) is not None:
            in_days = (row.number_in(name) or 0.0) * DAYS_OF_ONE[unit]
            if abs(in_days - days) > max(0.05 * days, DAYS_OF_ONE[unit]):
                raise _between(row, columns.days, (name,))
    if days is not None:
        return days, death, (*_doubt(days, columns), *_dates_doubt(row, days))
    if to_death is not None:
        return to_death, True, _doubt(to_death, columns)
    if columns.no_days:
        return None, death, ("The table has no column of days. Write the survival in days in a column 'os_days'.",)
    if death is False:
        return to_contact, False, _doubt(to_contact, columns)
    if death and to_contact is not None:
        return None, True, ("The table does not give the day of death, so survival is unknown.",)
    return None, death, ()


def contact_after_death(row: TableRow, days: float | None, death: bool | None) -> tuple[str, ...]:
    """A word where the patient was seen after the death; the days are those of ``survival_of``."""
    dead, seen = (_day(row.text(*names)) for names in (_DATE_OF_DEATH, _DATE_OF_CONTACT))
    row.ask(_DATE_OF_CONTACT, "check of the survival")
    later = (seen - dead).days if dead is not None and seen is not None else 0
    if later <= 0 and death and days is not None and (row.text(*_TO_CONTACT) or "").isdigit():
        later = int(row.number_in(*_TO_CONTACT) or 0) - math.ceil(days)
    return (f"The last contact lies {_days(later)} after the death. Check both.",) if later > 0 else ()


def scan_after_death(row: TableRow, columns: tuple[str, ...], days: float | None) -> tuple[str, ...]:
    """A word where the exam lies after the death, or after the survival that begins at diagnosis.

    Args:
        row: Of one exam or patient.
        columns: That can hold the date or the year of the exam.
        days: The survival of the row, if known; it may begin at surgery or biopsy.
    """
    cell = row.text(*columns) or ""
    scan = _day(cell)
    begin, end = (_day(row.text(*names)) for names in (_DATE_OF_DIAGNOSIS, _DATE_OF_DEATH))
    if end is not None and end not in NO_DATES:
        if scan is None and re.fullmatch(r"(?:19|20)\d\d", cell):
            return (f"The scan of {cell} lies after the death. Check both dates.",) if int(cell) > end.year else ()
        later = (scan - end).days if scan is not None else 0
        return (f"The scan lies {_days(later)} after the death. Check both dates.",) if later > 0 else ()
    if scan is None or begin is None or days is None or (scan - begin).days <= days + _DATES_APART:
        return ()
    later = (scan - begin).days
    return (f"The scan lies {_days(later)} after diagnosis, but the survival is {days:g} days. Check the dates.",)


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def _check_deaths_agree(row: TableRow, columns: SurvivalColumns, death: bool | None, days: float | None) -> None:
    """Refuse a date of death of a patient who lives, before diagnosis, or of no day, and one said to be alive who died.

    Dates may be shifted by decades, to 1925 or earlier in BIDS; only the time between them counts.
    """
    begin, end = (_day(row.text(*names)) for names in (_DATE_OF_DIAGNOSIS, _DATE_OF_DEATH))
    told = row.text(*_DATE_OF_DEATH) or ""
    for names in (_DATE_OF_DIAGNOSIS, _DATE_OF_DEATH):
        row.ask(names, "check of the survival")
    in_days = re.fullmatch(r"\d+(?:\.0*)?", told) is not None and days is not None and abs(float(told) - days) <= 1
    if is_no_day(told) and not in_days and (end is None or not _fits(begin, end, days)):
        raise row.wrong(_DATE_OF_DEATH, Message("wanted.day_of_death", found=told))
    if begin is not None and end is not None and end < begin:
        raise _between(row, _DATE_OF_DIAGNOSIS, _DATE_OF_DEATH)
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
    return tuple(name for name in table.columns if is_survival_in_days(name)), either


def _days_in(row: TableRow, names: tuple[str, ...], columns: SurvivalColumns) -> float | None:
    for name in names:
        if POINT_OF_THOUSANDS.fullmatch(row.text(name) or ""):
            raise row.wrong((name,), Message("wanted.days_without_point"))
    value = row.number_in(*names)
    if value in columns.unknown_days:
        raise row.wrong(names, Message("wanted.days_known", found=value))
    return None if value is None else _possible(row, names, value)


def _possible(row: TableRow, names: tuple[str, ...], days: float) -> float:
    """The days, where a patient can survive so long."""
    if days < 0:
        raise CohortError(Message("survival.negative", line=row.number, table=row.table))
    if days > _LONGEST_DAYS:
        raise row.wrong(names, Message("wanted.days_up_to", most=_LONGEST_DAYS))
    return days


def _doubt(days: float | None, columns: SurvivalColumns) -> tuple[str, ...]:
    if days is not None and columns.few_days:
        return (f"No survival in the table is longer than {_FEW_DAYS} days. Check that these are not months.",)
    if days not in columns.doubted_days | columns.unknown_days:
        return ()
    return (f"A survival of {days:g} days may stand for unknown. If it does, leave the cell empty.",)


def _dates_doubt(row: TableRow, days: float) -> tuple[str, ...]:
    """A word where the days are others than those between two dates; days may count from surgery or biopsy."""
    begin, end = (_day(row.text(*names)) for names in (_DATE_OF_DIAGNOSIS, _DATE_OF_DEATH))
    if begin is None or end is None or _fits(begin, end, days):
        return ()
    between = (end - begin).days
    return (f"The dates of diagnosis and death lie {between} days apart, but the survival is {days:g} days.",)


def _fits(begin: date | None, end: date, days: float | None) -> bool:
    """Whether the time from diagnosis to death can be the days of survival, or any survival where those are unknown."""
    if begin is None:
        return False
    between = (end - begin).days
    if days is None:
        return begin not in NO_DATES and 0 <= between <= _LONGEST_DAYS
    return abs(between - days) <= max(_DATES_APART, 0.25 * days)


def _day(cell: str | None) -> date | None:
    """A date that can be read in one way only."""
    return date_of(cell) if cell is not None and re.match(r"\d{4}-", cell) else None


def _plain_about_death(table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of the death without those that write 0 and 1 where either may mean alive.

    Raises:
        CohortError: No other column is left.
    """
    unclear = [name for name in columns if name in _EITHER_WAY and {"0", "1", "0.0", "1.0"} & set(table.cells(name))]
    plain = tuple(name for name in columns if name not in unclear)
    if unclear and not plain:
        raise CohortError(Message("survival.zero_or_one_unclear", column=unclear[0], table=table.name))
    return plain


def _without_other_events(table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of the death without 'event', where progression or relapse is told as well and nothing says death.

    Raises:
        CohortError: No other column is left.
    """
    other = next((name for name in table.columns if is_of_another_end(name)), None)
    cells = table.cells(_ANY_EVENT)
    if _ANY_EVENT not in columns or other is None or not cells or any(_SAYS_DEATH.search(cell) for cell in cells):
        return columns
    plain = tuple(name for name in columns if name != _ANY_EVENT)
    if not any(table.cells(name) for name in plain):
        raise CohortError(Message("survival.event_of_which", column=_ANY_EVENT, table=table.name, other=other))
    return plain


def _check_censoring(table: Table, death: tuple[str, ...]) -> None:
    """Refuse a column of censoring that is neither the opposite of the deaths in all rows nor the same in all."""
    for name in table.columns if death else ():
        if column_key(name) not in _CENSORED:
            continue
        both = [row for row in table.rows if all(is_flag(row.text(one) or "") for one in (death[0], name))]
        alike = [row for row in both if row.flag_in(death[0]) is row.flag_in(name)]
        if 0 < len(alike) < len(both):
            raise alike[0].contradiction(death[0], name)


def _check_days(table: Table, column: str) -> None:
    """Refuse an event, or months without a word of it, in the place of days."""
    cells = table.cells(column)
    if len(cells) > 1 and set(cells) <= {"0", "1", "0.0", "1.0"}:
        raise _event_for_days(column, table)
    if _in_days_by_name(column):
        return
    numbers = [day for row in table.rows for day in _plain_numbers(row, (column,))]
    if any(number % 1 for number in numbers) or (len(numbers) >= _FEW_ROWS and max(numbers) <= _FEW_DAYS):
        raise CohortError(Message("survival.no_unit", column=column, table=table.name))


def _in_days_by_name(column: str) -> bool:
    """Whether a column says days, or belongs to a data set that counts them."""
    return says_days(column) or column_key(column) == "durationdeath"


def _plain_numbers(row: TableRow, columns: tuple[str, ...]) -> set[float]:
    """The numbers of one row in some columns; a number in two of them is one."""
    cells = [_ALIVE.sub(r"\1", row.text(name) or "").replace(",", ".") for name in columns]
    return {float(cell) for cell in cells if NUMBER.fullmatch(cell)}


def _refuse_times(table: Table, units: Mapping[str, str]) -> None:
    """Refuse times of survival that are no days, in a table that has no others."""
    for name, unit in units.items():
        cells = table.cells(name)
        # 0 and 1 alone, or words, are a class or a status under a name such as 'survival'.
        if all(is_flag(cell) or not re.match(r"[+-]?\d", cell) for cell in cells):
            continue
        if unit in DAYS_OF_ONE:
            raise CohortError(
                Message("survival.other_unit", column=name, table=table.name, unit=unit, days=DAYS_OF_ONE[unit])
            )
        raise CohortError(Message("survival.unclear_times", column=name, table=table.name))


def _event_for_days(column: str, table: Table) -> CohortError:
    return CohortError(Message("survival.event_for_days", column=column, table=table.name))


def _no_deaths(table: Table) -> CohortError:
    about_censoring = next((name for name in table.columns if "censor" in column_key(name)), None)
    if about_censoring is not None:
        return CohortError(Message("survival.only_censoring", table=table.name, column=about_censoring))
    near = tuple(name for name in table.columns if _NEAR_DEATH.search(name))
    if near:
        return CohortError(Message("survival.deaths_perhaps", table=table.name, near=near))
    return CohortError(Message("survival.no_deaths", table=table.name))


def _between(row: TableRow, ones: tuple[str, ...], others: tuple[str, ...]) -> CohortError:
    one, other = (next(name for name in names if row.text(name) is not None) for names in (ones, others))
    return row.contradiction(one, other)
