"""A folder with one folder per patient and free file names; a table beside them may contain survival."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.cohorts.case_names import one_spelling, safe_name
from PCNSLSurvivalLib.cohorts.readers.reading import (
    FoundCohort,
    choice_remarks,
    patients_without_scan,
    rows_without_scan,
    without_known_scan,
)
from PCNSLSurvivalLib.cohorts.readers.table import names_patients, tables_in
from PCNSLSurvivalLib.cohorts.tables.clinical_columns import IDENTIFIERS, facts_each
from PCNSLSurvivalLib.cohorts.tables.table_file import Table, read_table
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.imaging.file_names import masks_in, name_of_series, volumes_in
from PCNSLSurvivalLib.imaging.series_choice import Series, choose_series
from PCNSLSurvivalLib.imaging.series_header import read_series_header
from PCNSLSurvivalLib.imaging.sidecar import read_sidecar


def read_folders(root: Path) -> FoundCohort:
    """Read a folder of patients; the sequence is read from the names of files and folders, DICOM headers and sidecars.

    Args:
        root: Contains one folder per patient, and at most one CSV or TSV table with a column for the patient; other
            tables may lie beside it.

    Raises:
        CohortError: There are several tables, or a table cannot be read.
    """
    rows, table, remarks = _table(root)
    cases, unknown = [], []
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        paths = [*volumes_in(folder), *folders]
        series = [
            Series(
                name=name_of_series(path, folder.name),
                header=read_series_header(path) if path in folders else read_sidecar(path),
            )
            for path in paths
        ]
        chosen = choose_series(series)
        scans = {sequence: paths[choice.place] for sequence, choice in chosen.items()}
        if not scans:
            unknown.append(one_spelling(folder.name))
            continue
        brain, lesion = masks_in([path for path in volumes_in(folder) if path not in scans.values()])
        patient = one_spelling(folder.name)
        facts = rows.get(patient, {})
        if rows and patient not in rows:
            facts = {"remarks": ("The table has no row for this folder.",)}
        remarks_on_case = (*facts.get("remarks", ()), *choice_remarks(series, chosen))
        cases.append(
            CohortCase(
                name=safe_name(folder.name),
                patient_id=patient,
                scans=scans,
                brain_mask=brain,
                lesion_mask=lesion,
                **{**facts, "remarks": remarks_on_case},
            )
        )
    missing = set(rows) - {case.patient_id for case in cases}
    name = "" if table is None else table.name
    return FoundCohort(
        layout="folders",
        cases=tuple(cases),
        columns=() if table is None else (table.columns_in_words(),),
        remarks=(*remarks, *rows_without_scan(missing, name), *without_known_scan(unknown)),
        without_scan=patients_without_scan(missing, name, unknown),
    )


def _table(root: Path) -> tuple[dict[str, dict[str, Any]], Table | None, tuple[str, ...]]:
    found = tables_in(root)
    if not found:
        return {}, None, ("There is no table beside the folders, so survival is unknown.",)
    if len(found) > 1 and len(of_patients := [path for path in found if names_patients(path)]) == 1:
        found = of_patients
    if len(found) > 1:
        raise CohortError(
            f"There are several tables beside the patient folders: {', '.join(path.name for path in found)}. Keep one "
            "with a column 'patient_id', or give a table with paths."
        )
    table = read_table(found[0])
    if not table.has(*IDENTIFIERS):
        raise CohortError(f"{table.name}, beside the folders, has no column 'patient_id'. Add it and try again.")
    rows, remarks = facts_each(table, *IDENTIFIERS)
    return rows, table, remarks
