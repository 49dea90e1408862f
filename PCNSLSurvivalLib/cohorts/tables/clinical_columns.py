"""Survival and clinical variables of one row, under the many names that columns have."""

from __future__ import annotations

import re
from typing import Any

from PCNSLSurvivalLib.cohorts.case import ClinicalVariables
from PCNSLSurvivalLib.cohorts.tables.cell_values import Table, TableRow
from PCNSLSurvivalLib.core.errors import CohortError

IDENTIFIERS = ("patient_id", "patient", "subject_id", "participant_id", "subject", "case", "ID", "Brats20ID")
OS_DAYS = (
    "os_days", "time_days", "Survival_days", "duration_death", "Survival_from_surgery_days_UPDATED", "OS",
)  # fmt: skip
DEATH = ("death_observed", "event", "event_death", "1-dead 0-alive", "Survival_Status", "dead")
_ALIASES = (
    "aliases", "BraTS21 ID", "BraTS_2017_subject_ID", "BraTS_2018_subject_ID", "BraTS_2019_subject_ID",
    "BraTS_2020_subject_ID", "BraTS2021", "BraTS2020", "TCGA_TCIA_subject_ID",
)  # fmt: skip
_AGE = ("age_years", "age", "Age_at_scan_years", "Age at MRI")
_DEEP = ("deep_lesion", "deep_structures", "deep")
_ALIVE = re.compile(r"alive\s*\((\d+) days later\)", re.IGNORECASE)


def check_survival_columns(table: Table) -> None:
    """Refuse a table that tells days without telling who died.

    Raises:
        CohortError: There are survival days and no column for the death.
    """
    if table.has(*OS_DAYS) and not table.has(*DEATH):
        raise CohortError(
            "The table has survival days but no column 'death_observed' (1: died on that day, 0: alive at last "
            "contact). Without it, censored patients cannot be told from deaths. Add the column and try again."
        )


def survival_of(row: TableRow) -> tuple[float | None, bool | None]:
    """Days and whether death was observed; BraTS writes 'ALIVE (361 days later)' in the column of the days.

    Raises:
        CohortError: A cell holds something else, or negative days.
    """
    if (alive := _ALIVE.fullmatch(row.text(*OS_DAYS) or "")) is not None:
        return float(alive[1]), False
    days, death = row.number_in(*OS_DAYS), row.flag_in(*DEATH)
    if days is not None and days < 0:
        raise CohortError(
            f"Line {row.number} of {row.table} has a negative survival. Correct the cell, or leave it empty."
        )
    return days, death


def clinical_of(row: TableRow) -> tuple[ClinicalVariables, tuple[str, ...]]:
    """Clinical variables, and sentences on what does not fit together.

    Raises:
        CohortError: A cell holds something that is no such value.
    """
    clinical = ClinicalVariables(
        age_years=row.number_in(*_AGE),
        ecog=row.whole_number_in("ecog", "ECOG PS", "performance_status", lowest=0, highest=4),
        ldh_elevated=row.flag_in("ldh_elevated", "ldh"),
        csf_protein_elevated=row.flag_in("csf_protein_elevated", "csf_protein"),
        deep_lesion=row.flag_in(*_DEEP),
        ielsg_score=row.whole_number_in("ielsg_score", "ielsg", lowest=0, highest=5),
    )
    remarks = []
    if clinical.age_years is not None and not 18 <= clinical.age_years <= 100:
        remarks.append(f"The age of {clinical.age_years:g} years is outside 18 to 100.")
    points = ielsg_points(clinical)
    if points is not None and clinical.ielsg_score not in (None, points):
        remarks.append(f"The IELSG score is given as {clinical.ielsg_score}, its five variables make {points}.")
    return clinical, tuple(remarks)


def ielsg_points(clinical: ClinicalVariables) -> int | None:
    """IELSG score from its five variables; None where one is unknown.

    References:
        Ferreri et al., Prognostic scoring system for primary CNS lymphomas, J Clin Oncol 21(2), 2003.
        doi:10.1200/JCO.2003.09.139
    """
    c = clinical
    if c.age_years is None or c.ecog is None:
        return None
    flags = (c.age_years > 60, c.ecog > 1, c.ldh_elevated, c.csf_protein_elevated, c.deep_lesion)
    return None if None in flags else sum(bool(flag) for flag in flags)


def aliases_of(row: TableRow) -> tuple[str, ...]:
    """The patient's identifiers in other data sets; several in one cell are separated by ';' or '|'."""
    cells = [row.text(column) for column in _ALIASES]
    return tuple(name.strip() for cell in cells if cell for name in re.split(r"[;|]", cell) if name.strip())


def facts_of(row: TableRow) -> dict[str, Any]:
    """Everything a row says about a patient, as the fields of a ``CohortCase``."""
    days, death = survival_of(row)
    clinical, remarks = clinical_of(row)
    return {
        "os_days": days,
        "death_observed": death,
        "clinical": clinical,
        "aliases": aliases_of(row),
        "remarks": remarks,
    }
