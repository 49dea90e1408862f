"""Dates as clinical tables have them; only forms that can be read in one way."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AP]M)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_FORMS = tuple(
    re.compile(form + _TIME, re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        # The data sets read here are from the United States: the month stands first.
        r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d{2})",
        rf"(?P<day>\d{{1,2}})[- ](?P<month>{'|'.join(_MONTHS)})[a-z]*[- ](?P<year>\d{{4}}|\d{{2}})",
    )
)

NO_DATES = frozenset({
    date(1, 1, 1), date(1753, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(1904, 1, 1),
    date(1960, 1, 1), date(1970, 1, 1), date(9999, 12, 31),
})  # fmt: skip
"""What programs write for an empty date: the first day that they count from, or the last one that they know."""
_NUMBERED = re.compile(r"(\d{1,4})\D+(\d{1,2})\D+(\d{1,4})\D*(?:0{1,2}:00.*)?")
_LAST_DAY_OF_EXCEL = "2958465"
"""Which is 9999-12-31."""
_CODES = re.compile(r"0*[01]|7{4,}|8{4,}|9+")
"""Numbers that stand for an unknown day; other small ones can be days counted from diagnosis or from 1900."""
_EMPTY_YEARS = {0, *(day.year for day in NO_DATES)}
_NO_DATES_UNORDERED = {(day.year, *sorted((day.month, day.day))) for day in NO_DATES}


def is_no_day(cell: str) -> bool:
    """Whether a cell holds what programs write where a date is unknown, in any order and with any separator.

    1/1/1900, 01.01.1900, 1900-01-00, 31.12.9999, 00/00/0000, and the numbers 0, 1, 9999 and 99999999 are such;
    8/1/2015, 28.10.00 of the year 2000, and the number of a day are not.
    """
    text = cell.strip()
    if re.fullmatch(r"\d+(?:\.0*)?", text):
        text = text.split(".")[0]
        if _CODES.fullmatch(text) or text == _LAST_DAY_OF_EXCEL:
            return True
    if (day := date_of(text)) is not None:
        return day in NO_DATES
    if (found := _NUMBERED.fullmatch(text)) is None:
        return False
    first, middle, last = found.groups()
    if len(first) == 4:
        first, last = last, first
    days = sorted((int(first), int(middle)))
    year = int(last)
    if len(last) < 4:  # 28.10.00 is a day in 2000
        return year == 0 and 0 in days
    if 0 in (*days, year):
        return year in _EMPTY_YEARS  # of 2015-00-00 the year is known
    return (year, *days) in _NO_DATES_UNORDERED


def date_of(text: str) -> date | None:
    """A date: 2015-08-01, 20150801, 8/1/15, 8/1/2015 or 1-Aug-15, each with or without a time of day.

    Two-digit years are 1969 to 2068.

    Returns:
        The day; None where the text is none of these.
    """
    found = next((match for form in _FORMS if (match := form.fullmatch(text.strip()))), None)
    if found is None:
        return None
    month, year = found["month"], int(found["year"])
    if len(found["year"]) == 2:
        year += 1900 if year >= 69 else 2000
    try:
        return date(year, int(month) if month.isdigit() else _MONTHS.index(month.lower()) + 1, int(found["day"]))
    except ValueError:
        return None
