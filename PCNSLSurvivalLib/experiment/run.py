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
from PCNSLSurvivalLib.core.errors import ExperimentError, OutputFolderError
from PCNSLSurvivalLib.core.files import claim_folder, unfinished_folder, whole_folder, write_whole_text
from PCNSLSurvivalLib.core.locks import at_work
from PCNSLSurvivalLib.core.workers import run_tasks
from PCNSLSurvivalLib.experiment.epoch_watch import EpochWatch
from PCNSLSurvivalLib.experiment.initial_weights import Start
from PCNSLSurvivalLib.experiment.job_list import Grid, experiment_grid
from PCNSLSurvivalLib.experiment.job_table import UnitOutcome, is_finished, write_unit_table
from PCNSLSurvivalLib.experiment.jobs import UNITS, Unit
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.experiment.run_job import UnitTask, do_unit, lost_unit
from PCNSLSurvivalLib.training.loop import Epoch

PLAN = "experiment.yaml"
LEFT_OUT = "left_out.csv"
_WORK = "experiment"
_HELD: set[Path] = set()
"""Folders that this process is at work in."""

Report = Callable[[Unit, UnitOutcome, int, int], None]
"""Told every outcome as it comes, with the number of units done and of all."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A plan with its cohorts, and where its results go."""

    plan: ExperimentPlan
    cohort: PreparedCohort
    second: PreparedCohort | None
    out: Path
    starts: tuple[Start, ...] = ()
    """Trained beforehand, in place of a pre-training on ``second``."""

    @property
    def grid(self) -> Grid:
        """The units of the plan on these cohorts; see ``experiment_grid`` for what it raises."""
        return experiment_grid(self.plan, self.cohort, self.second, self.starts)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What became of the units.

    Attributes:
        grid: All units.
        outcomes: By the unit's key.
    """

    grid: Grid
    outcomes: dict[str, UnitOutcome]

    @property
    def failed(self) -> tuple[tuple[Unit, str], ...]:
        """Units that failed, with their reasons."""
        pairs = ((unit, self.outcomes[unit.key]) for unit in self.grid.units)
        return tuple((unit, outcome.reason) for unit, outcome in pairs if outcome.state == "failed")

    def raise_if_failed(self) -> None:
        """Say which units failed, and what to do.

        Raises:
            ExperimentError: At least one failed.
        """
        if not self.failed:
            return
        reasons = Counter(reason for _, reason in self.failed)
        listed = " ".join(f"{reason} ({times} of them)" for reason, times in reasons.most_common(3))
        raise ExperimentError(
            f"{len(self.failed)} of {len(self.grid.units)} units failed; units.csv lists them. {listed} Everything "
            "else is finished and kept: set this right and run the same command again."
        )

    @property
    def counts(self) -> Counter[str]:
        """How many units were done now ('done'), found finished ('found'), or failed ('failed')."""
        return Counter(
            "failed" if outcome.state == "failed" else "found" if outcome.found else "done"
            for outcome in self.outcomes.values()
        )


def run_units(
    experiment: Experiment,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    device: str = "auto",
    report: Report = lambda unit, outcome, done, total: None,
    on_epoch: Callable[[Unit, Epoch], None] = lambda unit, epoch: None,
) -> Work:
    """Do every unit that is not finished yet; one that fails does not stop the others.

    Killed at any moment, the next run goes on: a unit is finished when its folder is there, and a network in
    training goes on from its last checkpoint.

    Args:
        experiment: What to run, and where.
        jobs: Units at the same time on this computer, each in its own process.
        scheduler: Address of a Dask scheduler whose workers see the same folders; instead of ``jobs``.
        device: Of the networks; see ``training``.
        report: Told every outcome as it comes.
        on_epoch: Told every epoch of every network while it trains, from another thread; see ``EpochWatch``.

    Raises:
        ExperimentError, FoldError: The plan does not fit the cohorts.
        OutputFolderError: The folder holds something else, another run is at work there, it cannot be written, or its
            disk is full.
        MissingFilesError, PreparationError: See ``run_tasks``.
    """
    out = experiment.out.absolute()
    grid = experiment.grid
    with folder_at_work(out):
        return _run_missing(experiment, grid, out, jobs, scheduler, device, report, on_epoch)


@contextmanager
def folder_at_work(out: Path) -> Iterator[None]:
    """Be the only run at work in an experiment's folder; a run that holds it already may ask again.

    Args:
        out: Absolute path of the folder; made if it is not there.

    Raises:
        OutputFolderError: Another run is at work there, or the folder holds something else or cannot be written.
    """
    if out in _HELD:
        yield
        return
    _claim_folder(out)
    with at_work(out / UNITS / _WORK):
        _HELD.add(out)
        try:
            _tidy(out)
            yield
        finally:
            _HELD.discard(out)


def _run_missing(
    experiment: Experiment,
    grid: Grid,
    out: Path,
    jobs: int,
    scheduler: str | None,
    device: str,
    report: Report,
    on_epoch: Callable[[Unit, Epoch], None],
) -> Work:
    write_whole_text(out / PLAN, experiment.plan.to_yaml())
    write_whole_text(out / LEFT_OUT, _left_out(grid))
    _take_over_starts(experiment.plan, grid, out)
    outcomes = {unit.key: UnitOutcome(state="finished", found=True) for unit in grid.units if is_finished(unit, out)}
    for unit in grid.units:
        if unit.key in outcomes:
            # Killed between the last rename and its tidying up, a finished unit still has its checkpoint beside it.
            shutil.rmtree(unfinished_folder(unit.folder(out)), ignore_errors=True)
            report(unit, outcomes[unit.key], len(outcomes), len(grid.units))
    threads = max(1, _processors() // jobs) if scheduler is None else None
    devices = itertools.cycle(_devices(device, jobs))

    def do(units: Iterable[Unit]) -> None:
        tasks = [
            UnitTask(
                unit=unit,
                plan=experiment.plan,
                cohort=experiment.cohort.folder.absolute(),
                second=experiment.second.folder.absolute() if experiment.second else None,
                out=out,
                device=next(devices),
                threads=threads,
            )
            for unit in units
        ]
        running = run_tasks(do_unit, tasks, lost=lost_unit, jobs=jobs, scheduler=scheduler)
        for task, outcome in running:
            outcomes[task.unit.key] = outcome
            write_unit_table(grid.units, outcomes, out)
            watch.done(task.unit)
            report(task.unit, outcome, len(outcomes), len(grid.units))
            if outcome.disk_full:
                running.close()
                raise OutputFolderError(
                    "The disk of the output folder is full. Everything that is finished is kept. Free some space and "
                    "run the same command again: it goes on there."
                )

    write_unit_table(grid.units, outcomes, out)
    with EpochWatch([unit for unit in grid.units if unit.key not in outcomes], out, on_epoch) as watch:
        # Pre-training comes first among what waits for nothing; what waits for it comes last.
        do(unit for unit in grid.units if unit.key not in outcomes and unit.start is None)
        for unit in grid.folds:
            if unit.key not in outcomes and unit.start is not None and outcomes[unit.start.key].state == "failed":
                reason = f"Its pre-training failed: {outcomes[unit.start.key].reason}"
                outcomes[unit.key] = UnitOutcome(state="failed", reason=reason)
                report(unit, outcomes[unit.key], len(outcomes), len(grid.units))
        do(unit for unit in grid.folds if unit.key not in outcomes)
    write_unit_table(grid.units, outcomes, out)
    return Work(grid=grid, outcomes=outcomes)


def _devices(device: str, jobs: int) -> list[str]:
    """Where units go in turn: on all GPUs that can be seen, where several run at the same time."""
    if jobs > 1 and device in ("auto", "cuda"):
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
    """Make the folder, or go on in one that an earlier run left; refuse any other."""
    claim_folder(out, is_ours=(out / UNITS).is_dir())
    claim_folder(out / UNITS, is_ours=True)


def _tidy(out: Path) -> None:
    """Remove what a killed run had begun to write."""
    for pattern in (".*.partial", ".*.previous", f"{UNITS}/*/.*.partial", f"{UNITS}/*/.*.previous"):
        for left_over in out.glob(pattern):
            shutil.rmtree(left_over, ignore_errors=True)


def _take_over_starts(plan: ExperimentPlan, grid: Grid, out: Path) -> None:
    """Copy what was trained beforehand: the experiment then holds all it was made from, and finds it finished."""
    for unit in grid.pretraining:
        start = grid.starts.get(unit.sequence) if unit.sequence else None
        if start is not None and not is_finished(unit, out):
            with whole_folder(unit.folder(out), overwrite=True) as folder:
                start.copy_to(folder, plan)


def _left_out(grid: Grid) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("cohort", "case", "reason"))
    for name, people in (("experiment", grid.patients), ("pre-training", grid.second)):
        if people is not None:
            for case, reason in people.without_class.items():
                table.writerow((name, case, reason))
    return text.getvalue()
