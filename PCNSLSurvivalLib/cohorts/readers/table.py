"""A table with one row per exam: paths of its scans, survival, clinical variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.cohorts.case_names import named_in, safe_name
from PCNSLSurvivalLib.cohorts.readers.reading import FoundCohort
from PCNSLSurvivalLib.cohorts.tables.cell_values import TableRow
from PCNSLSurvivalLib.cohorts.tables.clinical_columns import IDENTIFIERS, facts_of, sexes_in
from PCNSLSurvivalLib.cohorts.tables.survival_columns import SurvivalColumns, survival_columns
from PCNSLSurvivalLib.cohorts.tables.table_file import read_table
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import BESIDE_T1GD, MRSequence
from PCNSLSurvivalLib.imaging.file_names import name_of_series
from PCNSLSurvivalLib.imaging.sequences.names import Reason, judge_series

_NO_PATIENTS_NAME = ("table.identifier_rounded", "table.summary_row")
_SESSION = ("session", "examination", "timepoint", "visit")


def read_table_cohort(path: Path) -> FoundCohort:
    """Read a cohort from a CSV or TSV table.

    Args:
        path: The table. Columns ``patient_id`` and ``t1gd`` are needed; ``t1``, ``t2``, ``flair``,
            ``brain_mask``, ``lesion_mask`` (paths relative to the table), ``stripped``, ``session``, survival
            and clinical variables may follow.

    Raises:
        CohortError: A column is missing, a cell cannot be read, or a row names no patient.
    """
    table = read_table(path)
    if not table.has(*IDENTIFIERS) or not table.has("t1gd"):
        missing = [
            name for name, there in (("patient_id", table.has(*IDENTIFIERS)), ("t1gd", table.has("t1gd"))) if not there
        ]
        raise CohortError(
            Message(
                "table.no_cohort_columns",
                table=table.name,
                missing=tuple(missing),
                optional=(*(sequence.value for sequence in BESIDE_T1GD), "brain_mask", "lesion_mask"),
                columns=table.columns,
            )
        )
    columns = survival_columns(table)
    identifier = table.first_of(*IDENTIFIERS)
    sexes = sexes_in(table.rows)
    cases = tuple(_case(row, path.parent, columns, sexes, identifier) for row in table.rows)
    return FoundCohort(layout="table", cases=cases, columns=(table.columns_in_words(),))


def table_with_paths(folder: Path) -> Path | None:
    """Of several tables of patients in a folder, the only one whose every T1Gd is there; None otherwise.

    Beside a single table the patient folders are read: they may hold more than the table names.
    """
    tables = [path for path in tables_in(folder) if names_patients(path)]
    found = [path for path in tables if _names_scans(path)] if len(tables) > 1 else []
    return found[0] if len(found) == 1 else None


def tables_in(folder: Path) -> list[Path]:
    """The CSV and TSV files of a folder, by name."""
    return sorted(path for ending in ("*.csv", "*.tsv") for path in folder.glob(ending))


def names_patients(path: Path) -> bool:
    """Whether a file is a table with a column for the patient.

    Raises:
        CohortError: It is, and what stands in that column names no patient.
    """
    try:
        return read_table(path).has(*IDENTIFIERS)
    except CohortError as refused:
        if refused.message is not None and refused.message.code in _NO_PATIENTS_NAME:
            raise
        return False


def _names_scans(path: Path) -> bool:
    table = read_table(path)
    cells = table.cells("t1gd")
    return 0 < len(cells) == len(table.rows) and all(named_in(path.parent, cell).exists() for cell in cells)


def _case(
    row: TableRow, folder: Path, columns: SurvivalColumns, sexes: Mapping[str, str], identifier: str
) -> CohortCase:
    # One column for all rows: in another, a merged cell would give the patient a second name.
    row.ask((identifier,), IDENTIFIERS[0])
    patient, session = row.text(identifier), row.text(*_SESSION)
    if patient is None:
        raise CohortError(Message("table.no_patient", line=row.number, table=row.table, column=identifier))
    paths = {
        name: named_in(folder, cell) for name in ("brain_mask", "lesion_mask") if (cell := row.text(name)) is not None
    }
    scans = {s: named_in(folder, cell) for s in MRSequence if (cell := row.text(s.value)) is not None}
    facts = facts_of(row, columns, sexes)
    facts["remarks"] = (*facts.get("remarks", ()), *_other_names(scans, patient))
    return CohortCase(
        name=safe_name(patient if session is None else f"{patient}_{session}"),
        patient_id=patient,
        scans=scans,
        stripped=bool(row.flag_in("stripped")),
        brain_mask=paths.get("brain_mask"),
        lesion_mask=paths.get("lesion_mask"),
        **facts,
    )


def _other_names(scans: dict[MRSequence, Path], patient: str) -> tuple[str, ...]:
    """Sentences on files whose name tells of another sequence than their column."""
    judged = {sequence: judge_series(name_of_series(path, patient)) for sequence, path in scans.items()}
    return tuple(
        f"The file given as {sequence.label} may be another scan: {found.message}."
        for sequence, found in judged.items()
        if found.sequence is not sequence and found.reason is not Reason.SILENT
    )
