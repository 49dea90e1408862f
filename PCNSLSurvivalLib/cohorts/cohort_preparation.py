"""Prepare a cohort: every case once, side by side or on a cluster, and one table of all of them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.cohorts.case_preparation import CaseStatus, CaseTask, Draw, lost_case, prepare_one
from PCNSLSurvivalLib.cohorts.cohort import FoundCohort
from PCNSLSurvivalLib.cohorts.prepared_case_folder import read_record
from PCNSLSurvivalLib.cohorts.prepared_cohort import (
    CASES_FOLDER,
    COHORT_FILE,
    COHORT_VERSION,
    STEPS_FOLDER,
    excluded_cases,
)
from PCNSLSurvivalLib.core.errors import OutputFolderError
from PCNSLSurvivalLib.core.findings import upgraded_finding
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.csv_cells import plain_cell
from PCNSLSurvivalLib.core.storage.files import claim_folder, whole_file, write_whole_text
from PCNSLSurvivalLib.core.storage.leftovers import clear_leftovers
from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.core.workers import run_tasks
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE, Recipe

MADE_BY = "pcnsl-survival preprocess"
TABLE = "cases.csv"


@dataclass(frozen=True, kw_only=True)
class PreparationOptions:
    """How a cohort is prepared.

    Attributes:
        sequences: The scans that are used; all that are found if None. T1Gd always is.
        use_brain_masks: Take the brain masks that the cohort brings instead of extracting the brain.
        override_quality: Go on with scans that are judged unusable; their verdict is kept.
        keep_intermediate: Keep the bias-corrected volumes of finished cases too, so that other options reuse them.
        recipe: The steps and their parameters.
    """

    sequences: tuple[MRSequence, ...] | None = None
    use_brain_masks: bool = False
    override_quality: bool = False
    keep_intermediate: bool = False
    recipe: Recipe = RECIPE

    def chosen(self, case: CohortCase) -> CohortCase:
        """The case with the scans that are used."""
        if self.sequences is None:
            return case
        wanted = {MRSequence.T1GD, *self.sequences}
        return replace(case, scans={s: path for s, path in case.scans.items() if s in wanted})


Report = Callable[[CaseStatus, int, int], None]
"""Called with every outcome, and the numbers of finished and of all cases."""


def prepare_cohort(
    found: FoundCohort,
    out: Path,
    options: PreparationOptions,
    *,
    draw: Draw,
    jobs: int = 1,
    scheduler: str | None = None,
    report: Report = lambda outcome, done, total: None,
) -> tuple[dict[str, Any], ...]:
    """Prepare every case that is not prepared yet, then write ``cohort.json`` and ``cases.csv``.

    Args:
        found: The cohort.
        out: Folder of the prepared cohort; one that an earlier run left is completed.
        options: How.
        draw: Adds pictures to a case's folder; a function of a module.
        jobs: Cases at the same time on this computer, each in its own process (about 1.2 GB).
        scheduler: Address of a Dask scheduler whose workers see the same folders; instead of ``jobs``.
        report: Receives every outcome.

    Returns:
        The cases as ``cohort.json`` lists them; besides, ``record`` holds the record of a prepared case, and
        ``manual_exclusion`` why ``excluded.csv`` leaves it out.

    Raises:
        CohortError: ``excluded.csv`` cannot be used.
        OutputFolderError: ``out`` holds something else, cannot be written, or its disk is full.
        MissingFilesError, PreparationError: See ``run_tasks``.
    """
    out = out.absolute()
    _claim_folder(out)
    excluded_cases(out, {case.name for case in found.cases})  # refused now rather than after hours
    threads = None if jobs == 1 or scheduler is not None else max(1, (os.cpu_count() or 1) // jobs)
    tasks = [
        CaseTask(
            case=options.chosen(case),
            out=out,
            recipe=options.recipe,
            draw=draw,
            use_brain_mask=options.use_brain_masks,
            override_quality=options.override_quality,
            keep_intermediate=options.keep_intermediate,
            threads=threads,
        )
        for case in found.cases
    ]
    outcomes: dict[str, CaseStatus] = {}
    running = run_tasks(prepare_one, tasks, lost=lost_case, jobs=jobs, scheduler=scheduler)
    for _, outcome in running:
        outcomes[outcome.name] = outcome
        report(outcome, len(outcomes), len(tasks))
        if outcome.disk_full:
            running.close()
            raise OutputFolderError(Message("prepared_cohort.disk_full", gb=0.05 * (len(tasks) - len(outcomes) + 1)))
    cases = _cases(tasks, outcomes, out)
    write_whole_text(out / COHORT_FILE, json.dumps(_about(cases, found, options), indent=2) + "\n")
    write_case_table(cases, out / TABLE)
    return cases


def write_case_table(cases: tuple[dict[str, Any], ...], path: Path) -> None:
    """Write one row per case with all numbers and verdicts as CSV."""
    rows = [_row(case) for case in cases]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({column: plain_cell(cell) for column, cell in row.items()} for row in rows)


def _claim_folder(out: Path) -> None:
    """Create the folder, or resume in the folder of an earlier run; reject any other."""
    claim_folder(out, is_ours=(out / STEPS_FOLDER).is_dir() or (out / COHORT_FILE).is_file())
    if (out / COHORT_FILE).is_file() and MADE_BY.encode() not in (out / COHORT_FILE).read_bytes():
        raise OutputFolderError(Message("prepared_cohort.not_ours"))
    try:
        (out / STEPS_FOLDER).mkdir(parents=True, exist_ok=True)
        (out / CASES_FOLDER).mkdir(exist_ok=True)
        clear_leftovers(out / CASES_FOLDER)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise OutputFolderError(Message("files.output_not_writable", reason=reason)) from None


def _cases(tasks: list[CaseTask], outcomes: dict[str, CaseStatus], out: Path) -> tuple[dict[str, Any], ...]:
    excluded = excluded_cases(out, {task.case.name for task in tasks})
    records = {
        task.case.name: None
        if outcomes[task.case.name].state == "failed"
        else read_record(out / CASES_FOLDER / task.case.name)
        for task in tasks
    }
    copies = _copies([task.case for task in tasks], records)
    cases = []
    for task in tasks:
        case, outcome = task.case, outcomes[task.case.name]
        record = records[case.name]
        state, reason = ("failed", outcome.reason) if record is None else ("prepared", "")
        voxels = "" if record is None else record["t1gd_voxels_sha256"]
        if case.name in copies:
            state, reason = "excluded", copies[case.name]
        cases.append(
            {
                "name": case.name,
                "patient": case.patient_id,
                "state": state,
                "reason": reason,
                "verdict": None if record is None else record["verdict"],
                "sequences": [s.value for s in MRSequence if s in case.scans]
                if record is None
                else record["sequences"],
                "has_lesion_mask": record is not None and record["has_lesion_mask"],
                "os_days": case.os_days,
                "death_observed": case.death_observed,
                "clinical": case.clinical.to_json(),
                "aliases": list(case.aliases),
                "remarks": list(case.remarks),
                "t1gd_voxels_sha256": voxels or None,
                "manual_exclusion": excluded.get(case.name),
                "record": record,
            }
        )
    return tuple(cases)


def _copies(cases: list[CohortCase], records: Mapping[str, dict[str, Any] | None]) -> dict[str, str]:
    """Why cases are excluded whose T1Gd is that of another patient, by name.

    A person may be in a data set under two names: one stays. Where survival differs, it is unknown whose scan it is.
    """
    groups: dict[str, list[CohortCase]] = {}
    for case in cases:
        if (record := records[case.name]) is not None:
            groups.setdefault(record["t1gd_voxels_sha256"], []).append(case)
    reasons = {}
    for group in groups.values():
        others = [case for case in group if case.patient_id != group[0].patient_id]
        known = {(case.os_days, case.death_observed) for case in group if case.os_days is not None}
        if others and len(known) > 1:
            for case in group:
                reasons[case.name] = (
                    "Its T1Gd is identical, voxel by voxel, to that of another patient with another survival, so that "
                    "it is unknown whose scan it is. Correct the table or the files."
                )
            continue
        for case in others:
            reasons[case.name] = "Its T1Gd is identical, voxel by voxel, to that of an earlier case of another patient."
    return reasons


def _about(cases: tuple[dict[str, Any], ...], found: FoundCohort, options: PreparationOptions) -> dict[str, Any]:
    return {
        "made_by": MADE_BY,
        "version": COHORT_VERSION,
        "layout": found.layout,
        "virtual": found.virtual,
        "options": {
            "sequences": None if options.sequences is None else [sequence.value for sequence in options.sequences],
            "use_brain_masks": options.use_brain_masks,
            "override_quality": options.override_quality,
        },
        "recipe": options.recipe.to_json(),
        "recipe_sha256": options.recipe.sha256,
        "remarks": list(found.remarks),
        "cases": [
            {key: value for key, value in case.items() if key not in ("manual_exclusion", "record")} for case in cases
        ],
    }


def _row(case: dict[str, Any]) -> dict[str, Any]:
    record = case["record"] or {}
    findings = [upgraded_finding(finding) for finding in record.get("findings", [])]
    row = {key: case[key] for key in ("name", "patient", "state", "verdict", "reason", "os_days", "death_observed")}
    if case["manual_exclusion"] is not None:
        row |= {"state": "excluded", "reason": case["manual_exclusion"]}
    row["sequences"] = " ".join(case["sequences"])
    row |= case["clinical"]
    row |= {key: record.get(key) for key in ("brain_mask", "brain_ml", "lesion_ml", "lesion_outside_brain")}
    row["qc_messages"] = " ".join(f["sentence"] for f in findings if f["verdict"] != Verdict.GOOD)
    for finding in findings:
        column = f"{finding['measure']} ({finding['sequence'] or 'brain_mask'})"
        row[column] = finding["value"]
        row[f"{column} verdict"] = finding["verdict"]
    return row
