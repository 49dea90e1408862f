"""Training progress on the terminal: epochs of one network, and jobs of an experiment with all running trainings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.cli.display.progress import stderr_is_terminal

if TYPE_CHECKING:
    from tqdm import tqdm

    from PCNSLSurvivalLib.experiment.jobs.job import Job
    from PCNSLSurvivalLib.experiment.jobs.outcomes import JobOutcome
    from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
    from PCNSLSurvivalLib.training.epochs import Epoch
    from PCNSLSurvivalLib.training.finished_job import FinishedJob
    from PCNSLSurvivalLib.training.settings import TrainingSettings


class EpochProgress:
    """One training: a bar on a terminal, one line per epoch elsewhere.

    Args:
        settings: The training's.
        quiet: Show nothing.
        label: Which of several trainings it is; its bar then leaves when it ends.
    """

    def __init__(self, settings: TrainingSettings, *, quiet: bool, label: str = "") -> None:
        self._epochs, self._quiet, self._label = settings.epochs, quiet, label
        self._bar: tqdm | None = None

    def __enter__(self) -> EpochProgress:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def __call__(self, epoch: Epoch) -> None:
        """Show one epoch."""
        if self._quiet:
            return
        losses = f"training loss {epoch.train_loss:.3f}, validation loss {epoch.validation_loss:.3f}"
        if stderr_is_terminal():
            if self._bar is None:
                self._bar = _bar(self._epochs, self._label or "Epochs", "epoch", leave=not self._label)
            self._bar.set_postfix_str(losses, refresh=False)
            self._bar.update()
        else:
            which = f"{self._label}, " if self._label else ""
            speed, best = f"{epoch.samples_per_second:.1f} samples/s", ", best so far" if epoch.best else ""
            print(
                f"{which}epoch {epoch.epoch + 1}/{self._epochs}: {losses}, {speed}{best}", file=sys.stderr, flush=True
            )

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()


class JobProgress:
    """An experiment: finished jobs with the remaining time, and below them every network in training.

    Args:
        plan: The experiment.
        jobs: Number of jobs.
        quiet: Show nothing.
    """

    def __init__(self, plan: ExperimentPlan, jobs: int, *, quiet: bool) -> None:
        self._plan, self._quiet = plan, quiet
        self._trainings: dict[str, EpochProgress] = {}
        self._bar = None if quiet or not stderr_is_terminal() else _bar(jobs, "Jobs", "job")

    def __enter__(self) -> JobProgress:
        return self

    def __exit__(self, *problem: object) -> None:
        for training in self._trainings.values():
            training.close()
        if self._bar is not None:
            self._bar.close()

    def on_epoch(self, job: Job, epoch: Epoch) -> None:
        """Show one epoch of a network."""
        if job.key not in self._trainings:
            assert job.training is not None
            settings = self._plan.settings_of(job.training)
            self._trainings[job.key] = EpochProgress(settings, quiet=self._quiet, label=job.label)
        self._trainings[job.key](epoch)

    def on_outcome(self, job: Job, outcome: JobOutcome, done: int, total: int) -> None:
        """Show the outcome of one job."""
        if (training := self._trainings.pop(job.key, None)) is not None:
            training.close()
        if self._bar is None:
            if not self._quiet and not outcome.cached:
                words = f"{outcome.state} {outcome.reason}".strip()
                print(f"{done}/{total} {job.label} {words} {outcome.seconds:.1f} s", file=sys.stderr, flush=True)
            return
        if outcome.cached:
            # What an earlier run had finished must not count as speed, or the time left would be too short.
            self._bar.initial += 1
        if outcome.state == "failed":
            self._bar.write(f"{job.label}: {outcome.reason}", file=sys.stderr)
        self._bar.update(1)


def what_came_out(job: FinishedJob) -> str:
    """Numbers of training and validation exams, and the best epoch."""
    facts = job.facts
    return (
        f"{len(facts['train_cases'])} training exams, {len(facts['validation_cases'])} validation exams. "
        f"Best epoch: {facts['best_epoch'] + 1} of {facts['epochs']}, "
        f"validation loss {facts['best_validation_loss']:.3f} (chance level ln 2 = 0.693)."
    )


def _bar(total: int, words: str, unit: str, *, leave: bool = True) -> tqdm:
    from tqdm import tqdm

    # Every step is shown at once: the next one may be minutes away.
    return tqdm(total=total, desc=words, unit=unit, leave=leave, mininterval=0, file=sys.stderr)
