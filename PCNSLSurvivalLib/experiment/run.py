"""Run an experiment: what is missing of it, side by side or on a cluster; then its results."""

from __future__ import annotations

import csv
import io
import itertools
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.core.errors import ExperimentError, OutputFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.csv_cells import plain_cell
from PCNSLSurvivalLib.core.storage.files import claim_folder, unfinished_folder, whole_folder, write_whole_text
from PCNSLSurvivalLib.core.storage.leftovers import clear_leftovers
from PCNSLSurvivalLib.core.storage.locks import folder_lock
from PCNSLSurvivalLib.core.workers import run_tasks
from PCNSLSurvivalLib.experiment.initial_weights import InitialWeights
from PCNSLSurvivalLib.experiment.jobs.epoch_watch import EpochWatch
from PCNSLSurvivalLib.experiment.jobs.job import JOBS, Job
from PCNSLSurvivalLib.experiment.jobs.outcomes import JobOutcome, is_finished, write_job_outcomes
from PCNSLSurvivalLib.experiment.jobs.run_job import JobTask, do_job, lost_job
from PCNSLSurvivalLib.experiment.jobs.table import JobTable, build_job_table
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.training.epochs import Epoch

PLAN = "experiment.yaml"
LEFT_OUT = "left_out.csv"
FOLDS = "folds.csv"
_LOCK = "experiment"
_HELD: set[Path] = set()
"""Folders that this process has locked."""

Report = Callable[[Job, JobOutcome, int, int], None]
"""Receives every outcome, with the numbers of finished and of all jobs."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A plan with its cohorts, and where its results go."""

    plan: ExperimentPlan
    cohort: PreparedCohort
    second: PreparedCohort | None
    out: Path
    initial_weights: tuple[InitialWeights, ...] = ()
    """Used in place of a pre-training on ``second``."""

    @property
    def job_table(self) -> JobTable:
        """The jobs of the plan on these cohorts; see ``build_job_table`` for what it raises."""
        return build_job_table(self.plan, self.cohort, self.second, self.initial_weights)


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """The outcomes of all jobs.

    Attributes:
        job_table: All jobs.
        outcomes: By the job's key.
    """

    job_table: JobTable
    outcomes: dict[str, JobOutcome]

    @property
    def failed(self) -> tuple[tuple[Job, str], ...]:
        """Jobs that failed, with their reasons."""
        pairs = ((job, self.outcomes[job.key]) for job in self.job_table.jobs)
        return tuple((job, outcome.reason) for job, outcome in pairs if outcome.state == "failed")

    def raise_if_failed(self) -> None:
        """Report the failed jobs, and what to do.

        Raises:
            ExperimentError: At least one failed.
        """
        if not self.failed:
            return
        reasons = Counter(reason for _, reason in self.failed)
        listed = " ".join(f"{reason} ({times} of them)" for reason, times in reasons.most_common(3))
        counts = len(self.failed), len(self.job_table.jobs)
        raise ExperimentError(Message("experiment.jobs_failed", failed=counts[0], jobs=counts[1], reasons=listed))

    @property
    def counts(self) -> Counter[str]:
        """How many jobs this run finished ('done'), already finished ('cached'), or failed ('failed')."""
        return Counter(
            "failed" if outcome.state == "failed" else "cached" if outcome.cached else "done"
            for outcome in self.outcomes.values()
        )


def run_jobs(
    experiment: Experiment,
    *,
    parallel: int = 1,
    scheduler: str | None = None,
    device: str = "auto",
    report: Report = lambda job, outcome, done, total: None,
    on_epoch: Callable[[Job, Epoch], None] = lambda job, epoch: None,
) -> RunSummary:
    """Run every unfinished job; a failed job does not stop the others.

    A killed run can be resumed: a job is finished when its folder exists, and a network in training resumes from
    its last checkpoint.

    Args:
        experiment: What to run, and where.
        parallel: Jobs at the same time on this computer, each in its own process.
        scheduler: Address of a Dask scheduler whose workers see the same folders; instead of ``parallel``.
        device: Device of the networks; see ``training``.
        report: Receives every outcome.
        on_epoch: Receives every epoch of every network in training, from another thread; see ``EpochWatch``.

    Raises:
        ExperimentError, FoldError: The plan does not fit the cohorts.
        OutputFolderError: The folder holds something else, is locked by another run, cannot be written, or its disk is
            full.
        MissingFilesError, PreparationError: See ``run_tasks``.
    """
    out = experiment.out.absolute()
    job_table = experiment.job_table
    with lock_experiment_folder(out):
        return _run_missing(experiment, job_table, out, parallel, scheduler, device, report, on_epoch)


@contextmanager
def lock_experiment_folder(out: Path) -> Iterator[None]:
    """Lock an experiment's folder; the run that holds the lock may lock it again.

    Args:
        out: Absolute path of the folder; made if it is not there.

    Raises:
        OutputFolderError: The folder is locked by another run, holds something else or cannot be written.
    """
    if out in _HELD:
        yield
        return
    _claim_folder(out)
    with folder_lock(out / JOBS / _LOCK):
        _HELD.add(out)
        try:
            _tidy(out)
            yield
        finally:
            _HELD.discard(out)


def _run_missing(
    experiment: Experiment,
    job_table: JobTable,
    out: Path,
    parallel: int,
    scheduler: str | None,
    device: str,
    report: Report,
    on_epoch: Callable[[Job, Epoch], None],
) -> RunSummary:
    write_whole_text(out / PLAN, experiment.plan.to_yaml())
    write_whole_text(out / LEFT_OUT, _left_out(experiment.plan, job_table))
    write_whole_text(out / FOLDS, _who_is_where(experiment.plan, job_table))
    _copy_initial_weights(experiment.plan, job_table, out)
    outcomes = {job.key: JobOutcome(state="finished", cached=True) for job in job_table.jobs if is_finished(job, out)}
    for job in job_table.jobs:
        if job.key in outcomes:
            # Killed between the last rename and its tidying up, a finished job still has its checkpoint beside it.
            shutil.rmtree(unfinished_folder(job.folder(out)), ignore_errors=True)
            report(job, outcomes[job.key], len(outcomes), len(job_table.jobs))
    threads = max(1, _processors() // parallel) if scheduler is None else None
    devices = itertools.cycle(_devices(device, parallel))

    def do(jobs: Iterable[Job]) -> None:
        tasks = [
            JobTask(
                job=job,
                plan=experiment.plan,
                cohort=experiment.cohort.folder.absolute(),
                second=experiment.second.folder.absolute() if experiment.second else None,
                out=out,
                device=next(devices),
                threads=threads,
            )
            for job in jobs
        ]
        running = run_tasks(do_job, tasks, lost=lost_job, jobs=parallel, scheduler=scheduler)
        for task, outcome in running:
            outcomes[task.job.key] = outcome
            write_job_outcomes(job_table.jobs, outcomes, out)
            watch.done(task.job)
            report(task.job, outcome, len(outcomes), len(job_table.jobs))
            if outcome.disk_full:
                running.close()
                raise OutputFolderError(Message("files.disk_full"))

    write_job_outcomes(job_table.jobs, outcomes, out)
    with EpochWatch([job for job in job_table.jobs if job.key not in outcomes], out, on_epoch) as watch:
        # In waves: what waits for nothing, then what waits for that.
        while waiting := [job for job in job_table.jobs if job.key not in outcomes]:
            for job in waiting:
                failed = [one for one in job.waits_for if one.key in outcomes and outcomes[one.key].state == "failed"]
                if failed:
                    what = "pre-training" if failed[0] is job.pretraining else "network"
                    reason = f"Its {what} failed: {outcomes[failed[0].key].reason}"
                    outcomes[job.key] = JobOutcome(state="failed", reason=reason)
                    report(job, outcomes[job.key], len(outcomes), len(job_table.jobs))
            # A list, since outcomes come in while the jobs run.
            do([job for job in waiting if job.key not in outcomes and all(o.key in outcomes for o in job.waits_for)])
    write_job_outcomes(job_table.jobs, outcomes, out)
    return RunSummary(job_table=job_table, outcomes=outcomes)


def _devices(device: str, parallel: int) -> list[str]:
    """Where jobs go in turn: on all GPUs that can be seen, where several run at the same time."""
    if parallel > 1 and device in ("auto", "cuda"):
        import torch

        if torch.cuda.is_available():
            return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return [device]


def _processors() -> int:
    """How many the libraries may use: as the environment says, or all that the system gives this process."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    # A batch system may give fewer than the computer has; Windows and macOS do not tell.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _claim_folder(out: Path) -> None:
    """Create the folder, or resume in the folder of an earlier run; reject any other."""
    claim_folder(out, is_ours=(out / JOBS).is_dir())
    claim_folder(out / JOBS, is_ours=True)


def _tidy(out: Path) -> None:
    """Restore what a killed run had moved aside, and remove its partial output."""
    for folder in (out, *(out / JOBS).glob("*")):
        clear_leftovers(folder)


def _copy_initial_weights(plan: ExperimentPlan, job_table: JobTable, out: Path) -> None:
    """Copy the given initial weights into the experiment, so that it is complete and their jobs count as finished."""
    for job in job_table.pretraining:
        weights = job_table.initial_weights.get(job.sequence) if job.sequence else None
        if weights is not None and not is_finished(job, out):
            with whole_folder(job.folder(out), overwrite=True) as folder:
                weights.copy_to(folder, plan)


def _who_is_where(plan: ExperimentPlan, job_table: JobTable) -> str:
    """One row per held-out exam and repetition: its fold, counted from 1, with patient, class, site and year."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("repeat", "fold", "case", "patient", "os_class", "site", "scan_year"))
    exams = {exam.name: exam for exam in (*job_table.patients.labeled, *job_table.patients.censored)}
    folds: dict[tuple[int, int], Fold] = {}
    for job in job_table.folds:
        # Only methods that learn from time have patients without a class in their folds.
        if job.fold is not None:
            place = (job.fold.repeat, job.fold.fold)
            folds[place] = max(folds.get(place, job.fold), job.fold, key=lambda fold: len(fold.test))
    for fold in folds.values():
        for name in fold.test:
            exam = exams[name]
            os_class = exam.os_class(plan.threshold_days)
            about = (exam.patient_id, "" if os_class is None else int(os_class))
            where = (exam.clinical.site or "", exam.clinical.scan_year or "")
            row = (fold.repeat + 1, fold.fold + 1, name, *about, *where)
            table.writerow([plain_cell(cell) for cell in row])
    return text.getvalue()


def _left_out(plan: ExperimentPlan, job_table: JobTable) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("cohort", "case", "reason"))
    for name, people in (("experiment", job_table.patients), ("pre-training", job_table.second)):
        if people is not None:
            for case, reason in people.in_no_fold(learns_from_time=plan.learns_from_time).items():
                table.writerow((name, plain_cell(case), plain_cell(reason)))
    return text.getvalue()
