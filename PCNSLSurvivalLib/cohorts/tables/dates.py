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
