"""BraTS training folders: registered, stripped brains in case folders, tables beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.cohorts.case_names import safe_name
from PCNSLSurvivalLib.cohorts.readers.reading import (
    FoundCohort,
    patients_without_scan,
    rows_without_scan,
    without_known_scan,
)
from PCNSLSurvivalLib.cohorts.tables.clinical_columns import aliases_of, facts_each
from PCNSLSurvivalLib.cohorts.tables.table_file import Table, one_row_each, read_table
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.file_names import masks_in, stem, volumes_in

_ENDINGS = {
    MRSequence.T1GD: ("_t1ce", "-t1c"),
    MRSequence.T1: ("_t1", "-t1n"),
    MRSequence.T2: ("_t2", "-t2w"),
    MRSequence.FLAIR: ("_flair", "-t2f"),
}
# Necrotic or non-enhancing core and enhancing tumor; edema (2) is left out, as it is from masks drawn on T1Gd.
_CORE = (1, 3, 4)
# Copies of survival_info.csv in which the only patient who was alive is a number like the others.
_ALIVE_DAYS = 361.0
_ALIVE_MADE_DEAD = {("brats20_training_084", _ALIVE_DAYS), ("brats20_training_084", 500.0)}
_TOLD_DEAD = (
    "This copy of survival_info.csv was changed: as distributed, it says 'ALIVE (361 days later)' of this patient, who "
    "counts as censored at day 361."
)


def brats_root(root: Path) -> Path | None:
    """The folder that holds the case folders: the one given, or the only one inside it that does."""
    candidates = [root, *sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))]
    return next((folder for folder in candidates if _case_folders(folder)), None)


def read_brats(root: Path) -> FoundCohort:
    """Read a BraTS training folder, with the quirks of the 2020 edition.

    Survival is known for part of the cases only; one of them is 'ALIVE (361 days later)', which is censored, also in
    copies of the table that turned it into 361 or 500 days; one mask has a name of its own; ``.nii`` and ``.nii.gz``
    both occur.

    Args:
        root: The folder with the case folders, ``survival_info.csv`` and ``name_mapping.csv``, or the one above it.

    Raises:
        CohortError: A table lacks a column or holds a cell that cannot be read.
    """
    root = brats_root(root) or root
    survival: dict[str, dict[str, Any]] = {}
    aliases: dict[str, tuple[str, ...]] = {}
    table, remarks = _table(root / "survival_info.csv", "Brats20ID", "Survival_days")
    if table is not None:
        survival, remarks = facts_each(table, "Brats20ID", all_died=True)
    names, more = _table(root / "name_mapping.csv", "BraTS_2020_subject_ID")
    if names is not None:
        rows, more = one_row_each(names, "BraTS_2020_subject_ID", says=aliases_of)
        aliases = {name: aliases_of(row) for name, row in rows.items()}
    cases = tuple(
        _case(folder, survival.get(folder.name, {}), aliases.get(folder.name, ())) for folder in _case_folders(root)
    )
    missing = set(survival) - {case.patient_id for case in cases}
    silent = {path.name for path in root.glob("BraTS*") if path.is_dir()} - {case.patient_id for case in cases}
    return FoundCohort(
        layout="BraTS",
        cases=cases,
        columns=() if table is None else (table.columns_in_words(),),
        remarks=(
            *remarks,
            *more,
            *rows_without_scan(missing, "survival_info.csv"),
            *without_known_scan(silent),
        ),
        without_scan=patients_without_scan(missing, "survival_info.csv", silent),
    )


def _case(folder: Path, facts: dict[str, Any], aliases: tuple[str, ...]) -> CohortCase:
    volumes = volumes_in(folder)
    stems = {stem(path).lower(): path for path in volumes}
    name = folder.name.lower()
    scans = {s: stems[name + end] for s, ends in _ENDINGS.items() for end in ends if name + end in stems}
    facts = dict(facts)
    if facts.get("death_observed") is None and facts.get("os_days") is not None:
        # The table has no column for the death: all but the patient marked ALIVE have died.
        facts["death_observed"] = True
        if (name, facts["os_days"]) in _ALIVE_MADE_DEAD:
            facts |= {"os_days": _ALIVE_DAYS, "death_observed": False}
            facts["remarks"] = (*facts["remarks"], _TOLD_DEAD)
    facts["aliases"] = aliases
    _, lesion = masks_in([path for path in volumes if path not in scans.values()])
    return CohortCase(
        name=safe_name(folder.name),
        patient_id=folder.name,
        scans=scans,
        stripped=True,
        lesion_mask=lesion,
        lesion_labels=_CORE,
        **facts,
    )


def _case_folders(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("BraTS*") if path.is_dir() and volumes_in(path))


def _table(path: Path, *columns: str) -> tuple[Table | None, tuple[str, ...]]:
    if not path.is_file() and not path.is_symlink():
        return None, (f"There is no {path.name} beside the case folders.",)
    table = read_table(path)
    for column in columns:
        if not table.has(column):
            raise CohortError(Message("table.no_column_as_distributed", table=path.name, column=column))
    return table, ()
