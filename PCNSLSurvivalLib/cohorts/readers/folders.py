"""A folder with one folder per patient and free file names; a table beside them may contain survival."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
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
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.file_names import masks_in, name_of_series, stem, volumes_in
from PCNSLSurvivalLib.imaging.sequences import words
from PCNSLSurvivalLib.imaging.sequences.choice import Series, choose_series, unless_t1gd
from PCNSLSurvivalLib.imaging.sequences.header import read_series_header
from PCNSLSurvivalLib.imaging.sequences.names import SeriesJudgement, judge_series, names_any
from PCNSLSurvivalLib.imaging.sequences.sidecar import read_sidecar


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
        series, judged, remarks_on_names = _judged(paths, folders, folder.name)
        chosen = choose_series(series, judged)
        scans = {sequence: paths[choice.place] for sequence, choice in chosen.items()}
        if not scans:
            unknown.append(one_spelling(folder.name))
            continue
        brain, lesion = masks_in([path for path in volumes_in(folder) if path not in scans.values()])
        patient = one_spelling(folder.name)
        facts = rows.get(patient, {})
        if rows and patient not in rows:
            facts = {"remarks": ("The table has no row for this folder.",)}
        remarks_on_case = (*facts.get("remarks", ()), *remarks_on_names, *choice_remarks(series, chosen, paths))
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


def _judged(
    paths: list[Path], folders: list[Path], patient: str
) -> tuple[list[Series], Sequence[SeriesJudgement], tuple[str, ...]]:
    """The series of a patient's folder, what each is, and a remark on it.

    A contrast agent in a sidecar, or at the end of the folder's name ("P01_CE"), counts only where nothing else tells
    T1Gd: some sites type the agent for the whole exam.
    """
    headers = [read_series_header(path) if path in folders else read_sidecar(path) for path in paths]
    series = [
        Series(name=name_of_series(path, patient), header=header) for path, header in zip(paths, headers, strict=True)
    ]
    judged = [judge_series(one.name, one.header) for one in series]
    without_agent = [
        told if path in folders else judge_series(one.name, replace(one.header, contrast_agent=""))
        for path, one, told in zip(paths, series, judged, strict=True)
    ]
    last_word = re.split(r"[\W_]+", patient)[-1]
    if last_word == patient or not names_any(f"T1 {last_word}", f"{words.CONTRAST}|{words.CONTRAST_BESIDE_T1}"):
        return series, unless_t1gd(without_agent, judged), ()
    whole_names = [judge_series(stem(path), header) for path, header in zip(paths, headers, strict=True)]
    found = unless_t1gd(without_agent, judged, whole_names)
    remark = f"Only the folder's name, '{patient}', tells of a contrast agent."
    return series, found, (remark,) if found is whole_names else ()


def _table(root: Path) -> tuple[dict[str, dict[str, Any]], Table | None, tuple[str, ...]]:
    found = tables_in(root)
    if not found:
        return {}, None, ("There is no table beside the folders, so survival is unknown.",)
    if len(found) > 1 and len(of_patients := [path for path in found if names_patients(path)]) == 1:
        found = of_patients
    if len(found) > 1:
        raise CohortError(Message("cohort.several_tables", tables=tuple(path.name for path in found)))
    table = read_table(found[0])
    if not table.has(*IDENTIFIERS):
        raise CohortError(Message("table.no_column", table=table.name, column="patient_id"))
    rows, remarks = facts_each(table, *IDENTIFIERS)
    return rows, table, remarks
