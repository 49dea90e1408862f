"""Train one network on a full cohort, without a held-out set; the epoch is chosen on a validation split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.participants import participants
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan, Training
from PCNSLSurvivalLib.training.epochs import Epoch
from PCNSLSurvivalLib.training.finished_job import FinishedJob
from PCNSLSurvivalLib.training.job import FROM_SCRATCH, NetworkJob, StartingPoint, run_job
from PCNSLSurvivalLib.training.processes import Processes


@dataclass(frozen=True, kw_only=True)
class FullCohortJob:
    """Which training of a plan is done on a full cohort."""

    sequence: MRSequence
    """What the network looks at."""
    training: Training
    """Which of the plan's settings to take."""
    arm: str
    """Name of the training in its folder."""
    needs: tuple[MRSequence, ...] = ()
    """Sequences that a patient must have besides, so that several trainings see the same patients."""


def train_on_full_cohort(
    plan: ExperimentPlan,
    cohort: PreparedCohort,
    job: FullCohortJob,
    *,
    out: Path,
    start: StartingPoint = FROM_SCRATCH,
    processes: Processes | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> FinishedJob:
    """Train one network on all patients whose outcome is known; skip a finished training, resume an interrupted one.

    Args:
        plan: Network, block, threshold and the settings of all trainings.
        cohort: The prepared cohort.
        job: Which training.
        out: Folder to make.
        start: Initial weights.
        processes: Who trains; see ``run_job``.
        on_epoch: Called after each pass, in the first process.

    Raises:
        CohortError, ExperimentError, FoldError, OutputFolderError, TrainingError: See ``run_job``.
    """
    people = participants(cohort, job.needs or (job.sequence,), plan.threshold_days)
    fold = Fold(0, 0, train=tuple(sorted(exam.name for exam in people.of_networks(plan.outcome))), test=())
    network = NetworkJob(arm=job.arm, fold=fold, sequences=(job.sequence,), settings=plan.settings_of(job.training))
    return run_job(people.cohort, network, out, start=start, processes=processes, on_epoch=on_epoch)
