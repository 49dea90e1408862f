"""UCSF-PCNSL: stripped, registered derivatives, and survival that has to be built from dates."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from PCNSLSurvivalLib.cohorts.case import ClinicalVariables, CohortCase
from PCNSLSurvivalLib.cohorts.case_names import safe_name
from PCNSLSurvivalLib.cohorts.readers.reading import (
    FoundCohort,
    patients_without_scan,
    rows_without_scan,
    without_known_scan,
)
from PCNSLSurvivalLib.cohorts.tables.cell_values import TableRow, column_key
from PCNSLSurvivalLib.cohorts.tables.clinical_columns import sex_of, sexes_in
from PCNSLSurvivalLib.cohorts.tables.dates import date_of
from PCNSLSurvivalLib.cohorts.tables.table_file import one_row_each, read_table
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.file_names import stem, volumes_in

_NAMES = {"T1Post": MRSequence.T1GD, "T1": MRSequence.T1, "FLAIR": MRSequence.FLAIR}
_KEY = "patientdurablekey"
_RECORDS = ("diagnosis_history", "medication_list_administered", "medication_list_ordered")
_LATE_DAYS = 14
_FAR = date(2100, 1, 1)
"""An end on this day or later is an open one."""


def is_ucsf_pcnsl(root: Path) -> bool:
    """Whether a folder holds the derivatives of this data set."""
    return next(root.glob("**/skullstripped/lesions_T1Post_space"), None) is not None


def read_ucsf_pcnsl(root: Path) -> FoundCohort:
    """Read the data set as distributed: T1Gd, T1 and FLAIR in the space of T1Gd; there is no T2.

    Overall survival runs from the diagnosis to the death; without one, to the latest date in the tables of
    diagnoses and medication, where the patient counts as censored.

    Raises:
        CohortError: A table cannot be read, holds a cell that is no date, or contradicts itself.
    """
    people, said = _rows(root, "demographics", _KEY, used=("BirthDate", "Deathdate"))
    dates, more = _rows(
        root, "biopsy_and_diagnosis_dates", "accessions", _KEY, used=(_KEY, "DiagnosisDate", "ImageDate")
    )
    last_seen, of_records = _last_seen(root)
    sexes = sexes_in(people.values())
    cases: dict[str, CohortCase] = {}
    silent: set[str] = set()
    for folder in sorted(root.glob("**/skullstripped/lesions_T1Post_space"), key=_human_first):
        parts = folder.relative_to(root).parts
        patient = next((part for part in parts if part.startswith("sub-")), folder.parents[2].name)
        session = next((part for part in parts if part.startswith("ses-")), folder.parents[1].name)
        name = safe_name(f"{patient}_{session}")
        found = (
            (path, re.search(r"_(T1Post|T1|FLAIR)_to_T1Post_skullstripped$", stem(path))) for path in volumes_in(folder)
        )
        scans = {_NAMES[match[1]]: path for path, match in found if match}
        if not scans or name in cases:
            silent.add(name)
            continue
        masks = sorted(folder.parents[1].glob("masks/lesions_seg_comp/*_T1Post_abnormal_seg_comp.nii*"))
        row = dates.get(_number(patient))
        key = _number(row.text(_KEY) or "") if row is not None else _number(patient)
        person = people.get(key)
        survival = _survival(row, person, last_seen.get(key))
        cases[name] = CohortCase(
            name=name,
            patient_id=patient,
            scans=scans,
            stripped=True,
            lesion_mask=next(iter(masks), None),
            os_days=survival[0],
            death_observed=survival[1],
            clinical=ClinicalVariables(
                age_years=_age(row, person), sex=None if person is None else sex_of(person, sexes)
            ),
            # Without a row the number of the folder stands in for the key, and may be the key of another person.
            person_key=key if row is not None else None,
            remarks=survival[2],
        )
    remarks = (*said, *more, *of_records)
    if not (people and dates):
        remarks = (*remarks, "The clinical tables were not found, so survival is unknown.")
    there = {_number(case.patient_id) for case in cases.values()}
    missing = {row.text("accessions", _KEY) or "" for number, row in dates.items() if number not in there}
    return FoundCohort(
        layout="UCSF-PCNSL",
        cases=tuple(cases.values()),
        remarks=(
            *remarks,
            *rows_without_scan(missing, "biopsy_and_diagnosis_dates.csv"),
            *without_known_scan(silent - set(cases)),
        ),
        without_scan=patients_without_scan(missing, "biopsy_and_diagnosis_dates.csv", silent - set(cases)),
    )


def _human_first(folder: Path) -> tuple[bool, str]:
    """In the older layout a session holds 'auto' and 'human'; what a person corrected comes first."""
    return "auto" in folder.parts, str(folder)


def _survival(
    dates: TableRow | None, person: TableRow | None, last_seen: date | None
) -> tuple[float | None, bool | None, tuple[str, ...]]:
    diagnosis = _date(dates, "DiagnosisDate")
    if diagnosis is None or person is None:
        return None, None, ("The tables have no diagnosis date for this patient, so no survival.",)
    remarks = []
    image = _date(dates, "ImageDate")
    if image is not None and (image - diagnosis).days > _LATE_DAYS:
        remarks.append(
            f"The scan was acquired {(image - diagnosis).days} days after the diagnosis: was it before treatment?"
        )
    death = _date(person, "Deathdate")
    end = death or last_seen
    if end is None:
        return None, None, (*remarks, "The tables have neither a death nor a later contact for this patient.")
    if end < diagnosis:
        return None, None, (*remarks, "The last date of this patient lies before the diagnosis, so no survival.")
    return float((end - diagnosis).days), death is not None, tuple(remarks)


def _age(dates: TableRow | None, person: TableRow | None) -> float | None:
    diagnosis, birth = _date(dates, "DiagnosisDate"), _date(person, "BirthDate")
    if diagnosis is None or birth is None:
        return None
    years = (diagnosis - birth).days / 365.25
    # Two-digit years: a birth after the diagnosis happened a century earlier.
    return round(years if years >= 0 else years + 100, 1)


def _date(row: TableRow | None, column: str) -> date | None:
    return row.date_in(column) if row is not None else None


def _last_seen(root: Path) -> tuple[dict[str, date], tuple[str, ...]]:
    """The latest date of each patient in the tables of diagnoses and medication, and sentences on these dates.

    An end can lie ahead, or be open and written as a day in a far century. So the follow-up of the whole data set ends
    with the latest date of all that is no end, and later ends tell nothing of a patient. The data set states no end of
    its own.
    """
    happened: list[tuple[str, date]] = []
    ends: list[tuple[str, date]] = []
    remarks = []
    for name in _RECORDS:
        path = next(iter(sorted(root.glob(f"**/{name}.csv"))), None)
        if path is None:
            continue
        table, unread = read_table(path), []
        columns = [column for column in table.columns if "date" in column_key(column)]
        for row in table.rows:
            person = _number(row.text(_KEY) or "")
            for column in columns:
                if (cell := row.text(column)) is None:
                    continue
                if (day := date_of(cell)) is None:
                    unread.append((row.number, column))
                elif day < _FAR:
                    (ends if "enddate" in column_key(column) else happened).append((person, day))
        if unread:
            remarks.append(
                f"Cells of {path.name} without a valid date are ignored for the follow-up: {len(unread)}, the first in "
                f"line {unread[0][0]}, column '{unread[0][1]}'."
            )
    end = max((day for _, day in happened), default=_FAR)
    last: dict[str, date] = {}
    for person, day in (*happened, *((person, day) for person, day in ends if day <= end)):
        last[person] = max(day, last.get(person, day))
    if last:
        remarks.append(
            "Patients without a date of death are censored at their latest date in the tables of diagnoses and "
            f"medication. The follow-up ends on {max(last.values())}, the latest date in them."
        )
    return last, tuple(remarks)


def _rows(
    root: Path, table: str, *identifiers: str, used: tuple[str, ...]
) -> tuple[dict[str, TableRow], tuple[str, ...]]:
    path = next(iter(sorted(root.glob(f"**/{table}.csv"))), None)
    if path is None:
        return {}, ()
    content = read_table(path)
    if not content.has(*identifiers):
        raise CohortError(Message("table.no_column_as_distributed", table=path.name, column=identifiers[0]))
    return one_row_each(
        content,
        *identifiers,
        says=lambda row: tuple(row.text(column) for column in used),
        name_of=_number,
    )


def _number(identifier: str) -> str:
    """The tables write 0001 or 1 where the folders write sub-0001."""
    return re.sub(r"^sub-", "", identifier).lstrip("0")
