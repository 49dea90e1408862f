"""Who a row is about, and the clinical variables it tells, under the many names that columns have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from PCNSLSurvivalLib.cohorts.case import ClinicalVariables
from PCNSLSurvivalLib.cohorts.case_names import one_spelling
from PCNSLSurvivalLib.cohorts.tables.cell_values import TableRow
from PCNSLSurvivalLib.cohorts.tables.survival_columns import (
    SurvivalColumns,
    contact_after_death,
    scan_after_death,
    survival_columns,
    survival_of,
)
from PCNSLSurvivalLib.cohorts.tables.table_file import IDENTIFIERS, Table, one_row_each

__all__ = ["IDENTIFIERS", "aliases_of", "clinical_of", "facts_each", "facts_of", "ielsg_points", "sex_of", "sexes_in"]


_ALIASES = (
    "aliases", "BraTS21 ID", "BraTS_2017_subject_ID", "BraTS_2018_subject_ID", "BraTS_2019_subject_ID",
    "BraTS_2020_subject_ID", "BraTS2021", "BraTS2020", "TCGA_TCIA_subject_ID",
)  # fmt: skip
_AGE = ("age_years", "age", "Age_at_scan_years", "Age at MRI")
_SITE = ("site", "center", "centre", "hospital", "institution")
_FIELD = ("field_strength_t", "field_strength", "magnetic_field_strength", "field_t")
_YEAR = ("scan_year", "scan_date", "mri_date", "exam_date", "study_date", "year")
_SEX = ("sex", "gender")
_SEXES = {
    **dict.fromkeys(("f", "female", "woman", "w", "weiblich", "frau", "femme", "femmina", "donna"), "female"),
    **dict.fromkeys(("m", "male", "man", "männlich", "mann", "homme", "maschio", "uomo"), "male"),
    **dict.fromkeys(("mujer", "mulher"), "female"),
    **dict.fromkeys(("h", "hombre", "homem", "férfi"), "male"),
    "nő": "female",
}
_MEN_BESIDE_M = frozenset({"h", "hombre", "homem"})
"""Beside these M can be a woman, as in H/M of Spanish and Portuguese."""
_ONLY_H_M = frozenset({"h", "m", "hombre", "homem", "mujer", "mulher"})
_NEITHER_SEX = {"o", "other", "d", "diverse", "divers", "x", "u"}
_AGE_CODE = 99
"""Many registries write it where the age is unknown."""
_DEEP = ("deep_lesion", "deep_structures", "deep")


def sexes_in(rows: Iterable[TableRow]) -> Mapping[str, str]:
    """The sex by what the cells of one table say: M is a man, unless the column writes H/M of Spanish or Portuguese.

    Where other words stand beside H and M, M can be either and is left out. So is a letter whose partner is not known
    here: F is a man in F/N of Hungarian and F/B of Irish, and M a woman in V/M of Lithuanian.
    """
    said = {_sex_cell(row) for row in rows} - _NEITHER_SEX - {""}
    letters = {word for word in said if len(word) == 1 and word.isalpha()}
    if letters - _SEXES.keys() and len({_SEXES[letter] for letter in letters & _SEXES.keys()}) == 1:
        return {word: sex for word, sex in _SEXES.items() if len(word) > 1}
    if "m" not in said or not said & _MEN_BESIDE_M:
        return _SEXES
    others = {word: sex for word, sex in _SEXES.items() if word != "m"}
    return others | {"m": "female"} if said <= _ONLY_H_M else others


def clinical_of(row: TableRow, sexes: Mapping[str, str]) -> tuple[ClinicalVariables, tuple[str, ...]]:
    """Clinical variables, and sentences on what does not fit together.

    Args:
        row: Of one exam or patient.
        sexes: What ``sexes_in`` found in its table.

    Raises:
        CohortError: A cell holds something that is no such value.
    """
    age, or_older = row.age_in(*_AGE)
    clinical = ClinicalVariables(
        age_years=age,
        ecog=row.whole_number_in("ecog", "ECOG PS", "performance_status", lowest=0, highest=4),
        ldh_elevated=row.flag_in("ldh_elevated", "ldh"),
        csf_protein_elevated=row.flag_in("csf_protein_elevated", "csf_protein"),
        deep_lesion=row.flag_in(*_DEEP),
        ielsg_score=row.whole_number_in("ielsg_score", "ielsg", lowest=0, highest=5),
        sex=sex_of(row, sexes),
        site=one_spelling(row.text(*_SITE) or "")[:60] or None,
        field_strength_t=_tesla(row.text(*_FIELD)),
        scan_year=_year(row.text(*_YEAR)),
    )
    remarks = [
        f"The table gives '{what}' in a way that is not known here, so it counts as unknown."
        for what, value, names, known in (
            ("sex", clinical.sex, _SEX, _NEITHER_SEX),
            ("field strength", clinical.field_strength_t, _FIELD, ()),
            ("scan year", clinical.scan_year, _YEAR, ()),
        )
        if value is None and (cell := row.text(*names)) is not None and cell.strip().casefold() not in known
    ]
    letter = _sex_cell(row)
    if clinical.sex is None and len(letter) == 1 and letter in _SEXES:
        remarks[0] = (
            f"The sex is given as {letter.upper()} in a column where {letter.upper()} can be a man or a woman, so it "
            "counts as unknown. Write 'male' or 'female'."
        )
    if or_older:
        remarks.append(f"The table masks the age, which is {age:g} years or more; it counts as {age:g}.")
    if clinical.age_years == _AGE_CODE and not or_older:
        remarks.append(f"The age of {_AGE_CODE} years may stand for unknown. If it does, leave the cell empty.")
    if clinical.age_years is not None and not 18 <= clinical.age_years <= 100:
        remarks.append(f"The age of {clinical.age_years:g} years is outside 18 to 100.")
    points = ielsg_points(clinical)
    if points is not None and clinical.ielsg_score not in (None, points):
        remarks.append(f"The IELSG score is given as {clinical.ielsg_score}, its five variables make {points}.")
    return clinical, tuple(remarks)


def sex_of(row: TableRow, sexes: Mapping[str, str]) -> str | None:
    """ "female" or "male"; None where the row says neither. ``sexes`` is what ``sexes_in`` found in its table."""
    return sexes.get(_sex_cell(row))


def _sex_cell(row: TableRow) -> str:
    return (row.text(*_SEX) or "").strip().casefold()


def _tesla(cell: str | None) -> float | None:
    """ "3", "1.5 T"; None where the cell gives no field strength of a head scanner."""
    found = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*(?:t|tesla)?\s*", cell or "", re.IGNORECASE)
    tesla = float(found[1].replace(",", ".")) if found else 0.0
    return tesla if 0.05 <= tesla <= 15 else None


def _year(cell: str | None) -> int | None:
    """The year of "2019", "2019-03-02", "02.03.2019" or "20190302"; None where there is none."""
    found = re.search(r"(?<!\d)(?:19[789]\d|20\d\d)(?=\d{4}(?!\d)|\D|$)", cell or "")
    return int(found[0]) if found else None


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


def facts_of(row: TableRow, columns: SurvivalColumns, sexes: Mapping[str, str]) -> dict[str, Any]:
    """Everything a row says about a patient, as the fields of a ``CohortCase``."""
    facts = _of_exam(row, columns, sexes)
    return facts | {"remarks": (*facts["remarks"], *scan_after_death(row, _YEAR, facts["os_days"]))}


def _of_exam(row: TableRow, columns: SurvivalColumns, sexes: Mapping[str, str]) -> dict[str, Any]:
    days, death, about_survival = survival_of(row, columns)
    clinical, remarks = clinical_of(row, sexes)
    return {
        "os_days": days,
        "death_observed": death,
        "clinical": clinical,
        "aliases": aliases_of(row),
        "remarks": (*about_survival, *contact_after_death(row, days, death), *remarks),
    }


def _of_person(row: TableRow, columns: SurvivalColumns, sexes: Mapping[str, str]) -> dict[str, Any]:
    """The facts that are the same in all rows of one person: not where and when an exam was made."""
    facts = _of_exam(row, columns, sexes)
    return facts | {"clinical": replace(facts["clinical"], site=None, field_strength_t=None, scan_year=None)}


def facts_each(
    table: Table, *identifiers: str, name_of: Callable[[str], str] = one_spelling, all_died: bool = False
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """The values of a table with one row per patient.

    Args:
        table: To read.
        identifiers: Columns that can name the patient.
        name_of: The patient's name from the cell.
        all_died: Without a column for it, all patients died (BraTS).

    Returns:
        The facts by name, as ``facts_of`` gives them; and a sentence where patients have several rows.

    Raises:
        CohortError: A cell or column that cannot be used, or two rows of one patient that contradict each other.
    """
    columns = survival_columns(table, all_died=all_died)
    sexes = sexes_in(table.rows)
    rows, remarks = one_row_each(table, *identifiers, says=lambda row: _of_person(row, columns, sexes), name_of=name_of)
    return {name: facts_of(row, columns, sexes) for name, row in rows.items()}, remarks
