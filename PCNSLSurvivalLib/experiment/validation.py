"""Validation: finished models on the patients of another cohort, none of whom they were trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, PreparedExam
from PCNSLSurvivalLib.core.errors import CohortError, ExperimentError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, MRSequence
from PCNSLSurvivalLib.evaluation.baselines.clinical import ielsg_score
from PCNSLSurvivalLib.evaluation.intervals import RESAMPLES
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.experiment.model.known_patients import exams_of
from PCNSLSurvivalLib.experiment.participants import Participants, participants
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.inference.runtimes.names import Device, RuntimeName
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.preprocessing.recipe import refuse_other_preparation
from PCNSLSurvivalLib.reports.experiment.facts import outcomes_of
from PCNSLSurvivalLib.reports.validation.content import CohortTested, ModelTested, ValidationContent, validation_content
from PCNSLSurvivalLib.reports.validation.subgroups import SMALLEST_LESION_ML, TestPatient, subgroups_of

IELSG, LESION_VOLUME = "IELSG score", "Lesion volume"


def validate(
    models: Sequence[ModelFolder],
    cohort: PreparedCohort,
    *,
    name: str = "another cohort",
    device: Device = "auto",
    runtime: RuntimeName = "auto",
    resamples: int = RESAMPLES,
    on_exam: Callable[[int, int], None] = lambda done, total: None,
) -> ValidationContent:
    """Predict every patient of a cohort with one or two models, and judge the predictions.

    Args:
        models: One, or two that are compared on the same patients.
        cohort: Prepared by the recipe of the models, with survival.
        name: The cohort in the methods paragraph.
        device: Device of the networks.
        runtime: Runtime of the networks.
        resamples: Bootstrap samples of every interval.
        on_exam: Hears of the finished and of all predictions.

    Raises:
        CohortError: A patient of the cohort was in the training of a model.
        ExperimentError: No patient has the sequences and an OS class, only one class occurs, or both models have one
            name and content.
        PreparationError: The cohort was prepared by another recipe.
        ModelFolderError, NetworkError: Weights are damaged, or the device is not there.
    """
    if len({model.checksum for model in models}) < len(models):
        raise ExperimentError(Message("validation.same_model"))
    for model in models:
        refuse_training_patients(model, cohort)
        refuse_other_preparation(cohort.recipe, model.recipe, case="The cohort")
    needed = tuple(s for s in MRSequence if any(s in model.sequences for model in models))
    people = participants(cohort, needed, ONE_YEAR_DAYS)
    classes = [int(exam.os_class() or 0) for exam in people.labeled]
    if len(set(classes)) < 2:
        raise ExperimentError(Message("validation.one_class"))
    exams = (*people.labeled, *people.censored)
    arms = _arm_names(models)
    predictions = {}
    for number, (arm, model) in enumerate(zip(arms, models, strict=True)):
        network = SurvivalNetwork(model, device, runtime=runtime)
        probability = []
        for done, exam in enumerate(exams):
            result = network.predict(exam.network_input(model.sequences, model.recipe.network_grid))
            probability.append(result.probability_over_one_year)
            on_exam(number * len(exams) + done + 1, len(models) * len(exams))
        predictions[arm] = FoldPredictions(
            arm=arm,
            repeat=0,
            fold=0,
            cases=tuple(exam.name for exam in people.labeled),
            os_class=np.array(classes),
            probability=np.array(probability[: len(classes)]),
            censored=tuple(exam.name for exam in people.censored),
            censored_probability=np.array(probability[len(classes) :]),
            threshold=model.decision_threshold,
        )
    patients = {exam.name: _test_patient(exam) for exam in exams}
    return validation_content(
        predictions,
        [_tested(arm, model) for arm, model in zip(arms, models, strict=True)],
        outcomes_of(exams),
        cohort=CohortTested(name=name, left_out=people.left_out, virtual=cohort.virtual),
        scores=_scores(people, patients),
        subgroups=subgroups_of(patients),
        resamples=resamples,
    )


def refuse_training_patients(model: ModelFolder, cohort: PreparedCohort) -> None:
    """Refuse a cohort that shares a patient with the training of a model, as far as its folder knows.

    Raises:
        CohortError: A patient is shared; the sentence says how many, and gives the lines that exclude them.
    """
    if model.known_patients is None:
        return
    shared = exams_of(model.known_patients, cohort.exams)
    if not shared:
        return
    people = len({exam.patient_id for exam in shared})
    lines = [f"{exam.name},The patient was in the training of the model." for exam in shared]
    listed = "\n".join(("name,reason", *lines))
    raise CohortError(Message("validation.training_patients", count=people, model=model.name, lines=listed))


def _arm_names(models: Sequence[ModelFolder]) -> list[str]:
    """The name of each model, with version and a number where that is the same."""
    names: list[str] = []
    for model in models:
        name = model.name if model.name not in names else f"{model.name} {model.version}"
        names.append(name if name not in names else f"{name} (2)")
    return names


def _tested(arm: str, model: ModelFolder) -> ModelTested:
    known = model.known_patients
    return ModelTested(
        arm=arm,
        version=model.version,
        checksum=model.checksum,
        training_cohort=model.training_cohort,
        demonstration=model.demonstration,
        knows_training_patients=known is not None,
        unknown_initial_weights=known is not None and known.unknown,
    )


def _scores(people: Participants, patients: dict[str, TestPatient]) -> dict[str, dict[str, float]]:
    """Clinical score and lesion volume by case, where they are known; higher is worse."""
    exams = (*people.labeled, *people.censored)
    points = ielsg_score([exam.clinical for exam in exams])[:, 0]
    return {
        IELSG: {exam.name: float(score) for exam, score in zip(exams, points, strict=True) if np.isfinite(score)},
        LESION_VOLUME: {name: one.lesion_ml for name, one in patients.items() if one.lesion_ml is not None},
    }


def _test_patient(exam: PreparedExam) -> TestPatient:
    lesion = exam.lesion_mask()
    count = volume = None
    if lesion is not None:
        voxel_ml = float(np.prod(lesion.GetSpacing())) / 1000
        labels = sitk.GetArrayFromImage(sitk.ConnectedComponent(lesion > 0))
        parts = np.bincount(labels.ravel())[1:] * voxel_ml
        volume, count = float(parts.sum()), int((parts >= SMALLEST_LESION_ML).sum())
    clinical = exam.clinical
    return TestPatient(
        age_years=clinical.age_years,
        sex=clinical.sex,
        site=clinical.site,
        field_strength_t=clinical.field_strength_t,
        lesion_count=count,
        lesion_ml=volume,
    )
