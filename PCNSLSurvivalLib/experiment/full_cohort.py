"""Train one network on everybody of a cohort: nobody is held back, and the epoch is chosen on an inner split."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.participants import participants
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan, Training
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.training.job import FinishedJob, run_job
from PCNSLSurvivalLib.training.lineage import TrainedOn
from PCNSLSurvivalLib.training.loop import Epoch
from PCNSLSurvivalLib.training.processes import Processes


def train_on_full_cohort(
    plan: ExperimentPlan,
    cohort: PreparedCohort,
    sequence: MRSequence,
    *,
    training: Training,
    arm: str,
    out: Path,
    initial_weights: Tensors | None = None,
    weights_trained_on: TrainedOn | None = None,
    needs: tuple[MRSequence, ...] = (),
    processes: Processes | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> FinishedJob:
    """Train one network on all patients that have an OS class; finished, it is found, interrupted, it goes on.

    Args:
        plan: Network, block, threshold and the settings of all trainings.
        cohort: The prepared cohort.
        sequence: What the network looks at.
        training: Which of the plan's settings to take.
        arm: Name of the training in its folder.
        out: Folder to make.
        initial_weights: Weights to start from; None trains from scratch.
        weights_trained_on: On whom these were trained; not known, if left out.
        needs: Sequences that a patient must have besides, so that several trainings see the same patients.
        processes: Who trains; see ``run_job``.
        on_epoch: Called after each pass, in the first process.

    Raises:
        CohortError, ExperimentError, FoldError, OutputFolderError, TrainingError: See ``run_job``.
    """
    people = participants(cohort, needs or (sequence,), plan.threshold_days)
    everybody = Fold(0, 0, train=tuple(patient.name for patient in people.labeled), test=())
    return run_job(
        people.cohort,
        everybody,
        arm=arm,
        sequences=(sequence,),
        settings=plan.settings_of(training),
        out=out,
        initial_weights=initial_weights,
        weights_trained_on=weights_trained_on,
        processes=processes,
        on_epoch=on_epoch,
    )
