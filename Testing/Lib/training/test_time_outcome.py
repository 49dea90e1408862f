"""A training on time learns from patients who were censored early, and sees nothing of what it holds back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from made_cohorts import made_cohort
from made_trainings import SETTINGS, trained
from refusals import refused

from PCNSLSurvivalLib.cohorts.prepared_cohort import COHORT_FILE, read_prepared_cohort
from PCNSLSurvivalLib.cohorts.splits import add_censored, repeated_stratified_folds
from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.models.networks.time_head import TimeHead
from PCNSLSurvivalLib.training.data.dataset import labeled_cases
from PCNSLSurvivalLib.training.finished_job import MEMBER

BY_TIME = replace(SETTINGS, epochs=2, architecture=replace(SETTINGS.architecture, time_head=TimeHead()))
DAYS = np.array(TimeHead().limits_days)


@pytest.fixture
def folder(tmp_path):
    return made_cohort(tmp_path / "cohort", patients=12, censored=4, sequences=(MRSequence.T1GD,))


def fold_of(cohort):
    cases = labeled_cases(cohort)
    folds = repeated_stratified_folds(cases.names, cases.patients, cases.classes, splits=3, repeats=1, seed=12)
    patient = cases.patient_of()
    censored = {name: patient[name] for name in cases.without_class}
    return add_censored(folds, censored, {name: patient[name] for name in cases.names}, seed=12)[0]


def change_days(folder, names, days):
    path = folder / COHORT_FILE
    about = json.loads(path.read_text(encoding="utf-8"))
    for case in about["cases"]:
        if case["name"] in names:
            case["os_days"] = days
    path.write_text(json.dumps(about), encoding="utf-8")


def test_every_held_out_patient_gets_a_curve_and_the_censored_of_the_fold_are_trained_on(folder, tmp_path):
    cohort = read_prepared_cohort(folder)
    fold = fold_of(cohort)
    job = trained(cohort, fold, tmp_path / "job", BY_TIME)
    said = job.predictions
    assert said is not None
    assert sorted((*said.cases, *said.censored)) == list(fold.test)
    assert said.censored
    assert sorted(job.facts["train_cases"] + job.facts["validation_cases"]) == list(fold.train)
    assert said.days == tuple(DAYS)
    np.testing.assert_allclose(said.survival[:, 1], said.probability, atol=1e-12)
    np.testing.assert_allclose(said.censored_survival[:, 1], said.censored_probability, atol=1e-12)
    assert job.architecture.time_head == TimeHead()


def test_follow_up_of_the_training_side_decides_the_weights_and_that_of_the_held_out_side_does_not(folder, tmp_path):
    cohort = read_prepared_cohort(folder)
    fold = fold_of(cohort)
    without_class = set(labeled_cases(cohort).without_class)
    first = trained(cohort, fold, tmp_path / "first", BY_TIME)
    taught = without_class & set(first.facts["train_cases"])
    change_days(folder, without_class & set(fold.test), 5.0)
    held_out = trained(read_prepared_cohort(folder), fold, tmp_path / "held_out", BY_TIME)
    assert (held_out.folder / MEMBER).read_bytes() == (first.folder / MEMBER).read_bytes()
    change_days(folder, taught, 5.0)
    other = trained(read_prepared_cohort(folder), fold, tmp_path / "other", BY_TIME)
    assert (other.folder / MEMBER).read_bytes() != (first.folder / MEMBER).read_bytes()


def test_a_class_training_refuses_a_fold_with_patients_without_a_class(folder, tmp_path):
    cohort = read_prepared_cohort(folder)
    with refused(TrainingError, "training.case_without_class"):
        trained(cohort, fold_of(cohort), tmp_path / "job")


@pytest.mark.parametrize("setting", ["class_weights", "censoring_weights", "label_smoothing", "lesion_head"])
def test_what_belongs_to_the_classes_is_refused_with_a_time_head(setting):
    with refused(TrainingError, "settings.unusable", wanted=Message("settings_need.time_alone")):
        replace(BY_TIME, **{setting: 0.1 if setting == "label_smoothing" else True})
