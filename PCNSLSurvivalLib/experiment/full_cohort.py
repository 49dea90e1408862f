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
from PCNSLSurvivalLib.training.job import FinishedUnit, run_unit
from PCNSLSurvivalLib.training.lineage import TrainedOn
from PCNSLSurvivalLib.training.loop import Epoch
from PCNSLSurvivalLib.training.processes import Processes


def train_on_everybody(
    plan: ExperimentPlan,
    cohort: PreparedCohort,
    sequence: MRSequence,
    *,
    training: Training,
    arm: str,
    out: Path,
    start: Tensors | None = None,
    start_trained_on: TrainedOn | None = None,
    needs: tuple[MRSequence, ...] = (),
    processes: Processes | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> FinishedUnit:
    """Train one network on all patients that have an OS class; finished, it is found, interrupted, it goes on.

    Args:
        plan: Network, block, threshold and the settings of all trainings.
        cohort: The prepared cohort.
        sequence: What the network looks at.
        training: Which of the plan's settings to take.
        arm: Name of the training in its folder.
        out: Folder to make.
        start: Weights to start from; None trains from scratch.
        start_trained_on: On whom these were trained; not known, if left out.
        needs: Sequences that a patient must have besides, so that several trainings see the same patients.
        processes: Who trains; see ``run_unit``.
        on_epoch: Called after each pass, in the first process.

    Raises:
        CohortError, ExperimentError, FoldError, OutputFolderError, TrainingError: See ``run_unit``.
    """
    people = participants(cohort, needs or (sequence,), plan.threshold_days)
    everybody = Fold(0, 0, train=tuple(patient.name for patient in people.labeled), test=())
    return run_unit(
        people.cohort,
        everybody,
        arm=arm,
        sequences=(sequence,),
        settings=plan.settings_of(training),
        out=out,
        start=start,
        start_trained_on=start_trained_on,
        processes=processes,
        on_epoch=on_epoch,
    )
