"""UCSF-PCNSL: stripped, registered derivatives, and survival that has to be built from dates."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from PCNSLSurvivalLib.data.case import ClinicalVariables, CohortCase
from PCNSLSurvivalLib.data.cells import TableRow, date_of, read_table
from PCNSLSurvivalLib.data.file_names import stem, volumes_in
from PCNSLSurvivalLib.data.layouts.found import FoundCohort, rows_without_scan
from PCNSLSurvivalLib.terms import Sequence

_NAMES = {"T1Post": Sequence.T1GD, "T1": Sequence.T1, "FLAIR": Sequence.FLAIR}
_KEY = "patientdurablekey"
_RECORDS = ("diagnosis_history", "medication_list_administered", "medication_list_ordered")
_LATE_DAYS = 14


def is_ucsf_pcnsl(root: Path) -> bool:
    """Whether a folder holds the derivatives of this data set."""
    return next(root.glob("**/skullstripped/lesions_T1Post_space"), None) is not None


def read_ucsf_pcnsl(root: Path) -> FoundCohort:
    """Read the data set as distributed: T1Gd, T1 and FLAIR in the space of T1Gd; there is no T2.

    Overall survival runs from the diagnosis to the death; without one, to the latest date in the tables of
    diagnoses and medication, where the patient counts as censored.

    Raises:
        CohortError: A table cannot be read.
    """
    people, dates = _rows(root, "demographics", _KEY), _rows(root, "biopsy_and_diagnosis_dates", "accessions", _KEY)
    last_seen = _last_seen(root)
    cases: dict[str, CohortCase] = {}
    for folder in sorted(root.glob("**/skullstripped/lesions_T1Post_space"), key=_human_first):
        parts = folder.relative_to(root).parts
        patient = next((part for part in parts if part.startswith("sub-")), folder.parents[2].name)
        session = next((part for part in parts if part.startswith("ses-")), folder.parents[1].name)
        name = f"{patient}_{session}"
        found = (
            (path, re.search(r"_(T1Post|T1|FLAIR)_to_T1Post_skullstripped$", stem(path))) for path in volumes_in(folder)
        )
        scans = {_NAMES[match[1]]: path for path, match in found if match}
        if not scans or name in cases:
            continue
        masks = sorted(folder.parents[1].glob("masks/lesions_seg_comp/*_T1Post_abnormal_seg_comp.nii*"))
        row = dates.get(_number(patient))
        key = _number(row.text(_KEY) or "") if row is not None else _number(patient)
        survival = _survival(row, people.get(key), last_seen.get(key))
        cases[name] = CohortCase(
            name=name,
            patient=patient,
            scans=scans,
            stripped=True,
            lesion_mask=next(iter(masks), None),
            os_days=survival[0],
            death_observed=survival[1],
            clinical=ClinicalVariables(age_years=_age(row, people.get(key))),
            person_key=key,
            remarks=survival[2],
        )
    remarks = () if people and dates else ("The clinical tables were not found, so no survival is known.",)
    missing = len(set(dates) - {_number(case.patient) for case in cases.values()})
    return FoundCohort(
        layout="UCSF-PCNSL",
        cases=tuple(cases.values()),
        remarks=(*remarks, *rows_without_scan(missing, "biopsy_and_diagnosis_dates.csv")),
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
        remarks.append(f"The scan was taken {(image - diagnosis).days} days after the diagnosis: treated before?")
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
    text = row.text(column) if row is not None else None
    return date_of(text) if text is not None else None


def _last_seen(root: Path) -> dict[str, date]:
    """The latest date of each patient in the tables of diagnoses and medication."""
    last: dict[str, date] = {}
    for table in _RECORDS:
        path = next(iter(sorted(root.glob(f"**/{table}.csv"))), None)
        for row in read_table(path).rows if path is not None else ():
            key = _number(row.text(_KEY) or "")
            days = [day for column, cell in row.cells.items() if "date" in column and (day := date_of(cell))]
            # Tables write an open end as a day in a far century.
            days = [day for day in days if day <= date.today()]
            if days:
                last[key] = max([*days, last.get(key, date.min)])
    return last


def _rows(root: Path, table: str, *identifiers: str) -> dict[str, TableRow]:
    path = next(iter(sorted(root.glob(f"**/{table}.csv"))), None)
    if path is None:
        return {}
    return {_number(row.text(*identifiers) or ""): row for row in read_table(path).rows}


def _number(identifier: str) -> str:
    """The tables write 0001 or 1 where the folders write sub-0001."""
    return re.sub(r"^sub-", "", identifier).lstrip("0")
