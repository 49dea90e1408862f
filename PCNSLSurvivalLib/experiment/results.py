"""The results of an experiment: the report of all complete arms, and the model folder of one arm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from PCNSLSurvivalLib.core.storage.leftovers import temporary_folder
from PCNSLSurvivalLib.evaluation.baselines.arms import baseline_arm
from PCNSLSurvivalLib.evaluation.baselines.fusion import CLINIC_ALONE
from PCNSLSurvivalLib.evaluation.optimism import EpochScores
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, read_predictions
from PCNSLSurvivalLib.experiment.examples import activation_examples
from PCNSLSurvivalLib.experiment.facts import experiment_facts
from PCNSLSurvivalLib.experiment.jobs.job import Job
from PCNSLSurvivalLib.experiment.jobs.outcomes import PREDICTIONS
from PCNSLSurvivalLib.experiment.model.card import NOTHING_TOLD
from PCNSLSurvivalLib.experiment.model.from_experiment import write_model
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.experiment.run import Experiment, RunSummary
from PCNSLSurvivalLib.models.calibration import is_at_bound
from PCNSLSurvivalLib.models.write_model_folder import refuse_foreign_model
from PCNSLSurvivalLib.reports.experiment.facts import (
    ActivationExample,
    TrainingHistory,
    outcomes_of,
    read_history,
)
from PCNSLSurvivalLib.reports.experiment.report import (
    ArmsShown,
    NetworksShown,
    refuse_foreign_report,
    write_experiment_report,
)
from PCNSLSurvivalLib.training.finished_job import read_job

RESULTS, MODEL = "results", "model"


def write_results(
    experiment: Experiment, summary: RunSummary, tell: Callable[[str], None] = lambda sentence: None
) -> Path | None:
    """Write the report of the arms whose every fold is finished, and the model folder of the plan's arm.

    Args:
        experiment: The plan, its cohorts and its folder.
        summary: The outcomes of all jobs.
        tell: Receives sentences on the model.

    Returns:
        The HTML report; None where no arm is complete.

    Raises:
        EvaluationError, ModelFolderError, OutputFolderError: A result cannot be read or written.
    """
    plan, out = experiment.plan, experiment.out
    arms = complete_arms(plan, summary)
    if not arms:
        return None
    predictions = {arm: _predictions(jobs, out) for arm, jobs in arms.items()}
    people = summary.job_table.patients
    networks = {arm.name for arm in plan.networks}
    epoch_scores = {arm: _epoch_scores(jobs, out) for arm, jobs in arms.items() if arm in networks}
    histories = {arm: [history_of(job, plan, out) for job in jobs] for arm, jobs in arms.items() if arm in networks}
    examples: tuple[ActivationExample, ...] = ()
    if plan.model_arm in arms:
        finished = [read_job(job.folder(out)) for job in arms[plan.model_arm]]
        with _model_place(plan, out) as place:
            model = write_model(experiment, finished, predictions[plan.model_arm], place)
            if plan.makes_model and is_at_bound(model.temperature):
                tell(NOTHING_TOLD)
            examples = activation_examples(
                model,
                people.cohort,
                arms[plan.model_arm],
                predictions[plan.model_arm],
                out,
                threshold_days=plan.threshold_days,
            )
    elif plan.makes_model and (out / MODEL).exists():
        tell(f"The model's arm is not complete: {MODEL}/ in the output folder belongs to an earlier run.")
    labels = _labels(plan)
    reference = plan.model_arm if plan.model_arm in arms else next(iter(arms))
    return write_experiment_report(
        out / RESULTS,
        [fold for folds in predictions.values() for fold in folds],
        outcomes=outcomes_of((*people.labeled, *people.censored)),
        facts=experiment_facts(plan, summary.job_table, experiment.cohort.recipe),
        shown=ArmsShown(
            labels=labels,
            reference=reference,
            pairs=[pair for pair in _pairs(plan) if set(pair) <= set(arms)],
            missing=[labels[name] for name in plan.arm_names if name not in arms],
        ),
        networks=NetworksShown(examples=examples, histories=histories, epoch_scores=epoch_scores),
        overwrite=True,
    )


def refuse_foreign_results(experiment: Experiment) -> None:
    """Refuse, before anything is trained, a folder where other files lie in the place of the report or the model.

    Raises:
        OutputFolderError: See ``refuse_foreign``.
    """
    refuse_foreign_report(experiment.out / RESULTS)
    if experiment.plan.makes_model:
        refuse_foreign_model(experiment.out / MODEL)


@contextmanager
def _model_place(plan: ExperimentPlan, out: Path) -> Iterator[Path]:
    """Where the model folder goes: one that cannot be kept is made for the maps of the report, and thrown away."""
    if plan.makes_model:
        yield out / MODEL
    else:
        with temporary_folder(out / MODEL) as folder:
            yield folder / MODEL


def complete_arms(plan: ExperimentPlan, summary: RunSummary) -> dict[str, list[Job]]:
    """The jobs of each arm whose every fold is finished, in the order of the plan."""
    arms: dict[str, list[Job]] = {name: [] for name in plan.arm_names}
    for job in summary.job_table.folds:
        arms[job.arm].append(job)
    return {
        name: jobs for name, jobs in arms.items() if all(summary.outcomes[job.key].state == "finished" for job in jobs)
    }


def _predictions(jobs: Sequence[Job], out: Path) -> list[FoldPredictions]:
    return [fold for job in jobs for fold in read_predictions(job.folder(out) / PREDICTIONS)]


def _epoch_scores(jobs: Sequence[Job], out: Path) -> list[EpochScores]:
    """Predictions of validation patients after every epoch; none where a fold is of a version that kept none."""
    found = []
    for finished in (read_job(job.folder(out)) for job in jobs):
        if finished.validation_log_odds is None:
            return []
        log_odds = finished.validation_log_odds.astype(np.float64)
        found.append(EpochScores(cases=tuple(finished.facts["validation_cases"]), log_odds=log_odds))
    return found


def history_of(job: Job, plan: ExperimentPlan, out: Path) -> TrainingHistory:
    """Loss by epoch of a finished network, and what the plan's lesion masks did in its training.

    Raises:
        EvaluationError: Its ``history.csv`` is missing or damaged.
    """
    settings = None if job.training is None else plan.settings_of(job.training)
    return read_history(
        job.folder(out) / "history.csv",
        job.label,
        lesion_task=settings is not None and settings.lesion_task > 0,
        lesion_head=settings is not None and settings.lesion_head,
    )


def _pairs(plan: ExperimentPlan) -> list[tuple[str, str]]:
    """Arms compared besides those with the reference: what transfer adds to scratch, and the image to the clinic."""
    transfer = [(f"{sequence}_transfer", f"{sequence}_scratch") for sequence in plan.sequences]
    return [*transfer, *((arm.name, CLINIC_ALONE) for arm in plan.fusion_arms)]


def _labels(plan: ExperimentPlan) -> dict[str, str]:
    """Names as in the paper: T for training from scratch, TL for transfer learning."""
    short = {"scratch": "T", "transfer": "TL"}
    networks = {arm.name: f"{arm.sequence.label} ({short[arm.initialization]})" for arm in plan.networks}
    fusions = {arm.name: f"{networks[arm.network.name]} + clinical" for arm in plan.fusion_arms}
    return networks | {name: baseline_arm(name).label for name in plan.baselines} | fusions
