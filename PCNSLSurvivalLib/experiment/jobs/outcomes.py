"""The outcomes of all jobs of an experiment: state, and reason of a failure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PCNSLSurvivalLib.core.storage.csv_cells import plain_cell
from PCNSLSurvivalLib.core.storage.files import write_whole_text
from PCNSLSurvivalLib.experiment.jobs.job import Job
from PCNSLSurvivalLib.training.job_record import is_whole

State = Literal["waiting", "finished", "failed"]

TABLE = "jobs.csv"
PREDICTIONS = "predictions.csv"
_COLUMNS = ("arm", "repeat", "fold", "state", "reason", "folder")


@dataclass(frozen=True, kw_only=True)
class JobOutcome:
    """The outcome of one job."""

    state: State
    reason: str = ""
    cached: bool = False
    """Whether an earlier run had already finished it."""
    seconds: float = 0.0
    disk_full: bool = False


def is_finished(job: Job, out: Path) -> bool:
    """Whether a job's results are on disk, each file as it was written."""
    return is_whole(job.folder(out))


def write_job_outcomes(jobs: Iterable[Job], outcomes: Mapping[str, JobOutcome], out: Path) -> None:
    """Write ``jobs.csv``: one row per job, with its state and folder; without times, so that two runs compare.

    Args:
        jobs: All of the experiment.
        outcomes: By the job's key, as far as known.
        out: Folder of the experiment.

    Raises:
        OutputFolderError: The table cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for job in jobs:
        outcome = outcomes.get(job.key, JobOutcome(state="waiting"))
        place = (job.fold.repeat + 1, job.fold.fold + 1) if job.fold else ("", "")
        place_on_disk = job.folder(out).relative_to(out).as_posix()
        table.writerow([job.arm, *place, outcome.state, plain_cell(outcome.reason), place_on_disk])
    write_whole_text(out / TABLE, text.getvalue())
