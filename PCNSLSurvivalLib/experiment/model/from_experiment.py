"""The model of an experiment: the networks of one arm as a folder for ``predict`` and the panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from PCNSLSurvivalLib.core.storage.files import whole_folder
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.experiment.jobs.table import weights_by_sequence
from PCNSLSurvivalLib.experiment.model.card import model_card
from PCNSLSurvivalLib.experiment.model.known_patients import known_patients
from PCNSLSurvivalLib.experiment.model.license import license_of
from PCNSLSurvivalLib.experiment.model.trained_networks import member_of
from PCNSLSurvivalLib.experiment.participants import participants
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.experiment.run import Experiment
from PCNSLSurvivalLib.models.ensemble_calibration import EnsembleCalibration, calibrate_ensemble
from PCNSLSurvivalLib.models.familiarity import LEAST_CASES, FamiliarityStatistics, familiarity_statistics, measures_of
from PCNSLSurvivalLib.models.model_folder import ModelFolder, read_model_folder
from PCNSLSurvivalLib.models.model_license import ModelLicense
from PCNSLSurvivalLib.models.write_model_folder import ModelDescription, refuse_foreign_model, write_model_folder
from PCNSLSurvivalLib.training.finished_job import FinishedJob
from PCNSLSurvivalLib.training.lineage import TrainedOn

_PURPOSE = {
    True: "Trying, testing and demonstrating the software; never a statement about a patient.",
    False: "Research on overall survival of primary CNS lymphoma.",
}
"""Intended use of a model, by whether its training patients are virtual."""


def write_model(
    experiment: Experiment, jobs: Sequence[FinishedJob], folds: Sequence[FoldPredictions], out: Path
) -> ModelFolder:
    """Pack the networks of the first repetition of an arm, one per fold, with their held-out performance.

    Temperature, performance and the spread of the training scans come from patients that a network did not train on.
    The networks of later repetitions saw the same patients in other folds: they would make the model slower, not wider.

    Args:
        experiment: Its plan and cohort.
        jobs: The arm's finished jobs, all folds of all repetitions.
        folds: Its held-out predictions.
        out: Model folder to write; its name becomes the model's name. An earlier one is replaced, other files are not.

    Raises:
        ExperimentError, ModelFolderError, OutputFolderError: A network is gone, or the folder cannot be written.
    """
    plan, cohort = experiment.plan, experiment.cohort
    first = [job for job in jobs if job.facts["fold"]["repeat"] == 0]
    sequences = tuple(arm.sequence for arm in plan.networks if arm.name == plan.model_arm)
    calibration = _calibration(jobs, folds)
    person = {case: cohort.exam(case).patient_id for one in folds for case in one.cases}
    patients = len({one["patient_id"] for job in first for one in job.facts["patients"]})
    whom = in_words(plan, patients)
    model_license = license_of(sum((TrainedOn.of_job(job.facts) for job in first), TrainedOn()))
    started_from = _started_from(experiment, sequences[0])
    refuse_foreign_model(out)
    with whole_folder(out, overwrite=True) as folder:
        write_model_folder(
            folder,
            architecture=plan.architecture,
            members=[member_of(job.folder, plan.architecture) for job in first],
            sequences=sequences,
            recipe=replace(cohort.recipe, network_grid=plan.network_grid),
            description=replace(
                model_description(
                    plan,
                    out.name,
                    arm=plan.model_arm or "",
                    sequence=sequences[0],
                    patients=patients,
                    card=model_card(plan, whom, calibration, folds, person, started_from, model_license.name),
                    model_license=model_license,
                ),
                temperature=calibration.temperature_of(len(first)),
                calibration_patients=calibration.held_out.patients,
            ),
            familiarity=_familiarity(experiment, first, sequences, whom),
            known_patients=known_patients(first),
        )
    return read_model_folder(out)


def _started_from(experiment: Experiment, sequence: MRSequence) -> str:
    """The initial weights of the model's arm, for its card."""
    plan = experiment.plan
    if not (plan.model_arm or "").endswith("_transfer"):
        return "random weights"
    weights = weights_by_sequence(plan, experiment.initial_weights).get(sequence)
    if weights is not None:
        return weights.in_words
    assert experiment.second is not None
    others = participants(experiment.second, plan.sequences, plan.threshold_days).of_networks(plan.outcome)
    return f"a network trained on {len(others)} exams of a second cohort"


def in_words(plan: ExperimentPlan, patients: int) -> str:
    """How a model's training cohort is counted: "48 virtual patients"."""
    return f"{patients} {'virtual ' if plan.virtual_patients else ''}patient{'' if patients == 1 else 's'}"


def model_description(
    plan: ExperimentPlan,
    name: str,
    *,
    arm: str,
    sequence: MRSequence,
    patients: int,
    card: str,
    model_license: ModelLicense,
) -> ModelDescription:
    """The words and numbers of a model of one arm that is not calibrated."""
    return ModelDescription(
        name=name,
        version="1.0.0",
        kind="demonstration" if plan.virtual_patients else "trained",
        description=f"One-year overall survival from {sequence.label}: {arm}.",
        intended_use=f"{_PURPOSE[plan.virtual_patients]} {RESEARCH_USE_ONLY}",
        data_source=f"Trained on {plan.cohort}; no scan is part of this folder.",
        training_cohort=f"{plan.cohort}, {in_words(plan, patients)}",
        training_patients=patients,
        card=card,
        license=model_license,
    )


def _calibration(jobs: Sequence[FinishedJob], folds: Sequence[FoldPredictions]) -> EnsembleCalibration:
    """The temperature from the log-odds of the networks that never saw a patient."""
    classes = {case: int(c) for one in folds for case, c in zip(one.cases, one.os_class, strict=True)}
    log_odds: dict[str, list[float]] = {}
    for job in jobs:
        trained_on = set(job.facts["fold"]["train"])
        for name, value in zip(job.names, job.log_odds, strict=True):
            if name not in trained_on:
                log_odds.setdefault(name, []).append(float(value))
    labeled = sorted(classes)
    return calibrate_ensemble(
        [log_odds[name] for name in labeled],
        [classes[name] == 1 for name in labeled],
        unlabeled=[values for name, values in sorted(log_odds.items()) if name not in classes],
    )


def _familiarity(
    experiment: Experiment, jobs: Sequence[FinishedJob], sequences: tuple[MRSequence, ...], whom: str
) -> FamiliarityStatistics | None:
    rows = [dict(zip(job.names, job.features, strict=True)) for job in jobs]
    names = sorted(name for one in jobs for name in one.facts["fold"]["test"])
    if len(names) < LEAST_CASES:
        return None
    step = experiment.plan.network_grid
    scans = [
        (
            measures_of(experiment.cohort.exam(name).network_input(sequences, step)),
            np.stack([row[name] for row in rows]),
        )
        for name in names
    ]
    return familiarity_statistics(scans, reference=whom)
