"""Weights for early-censored patients restore the share of long survivors, by hand and in a simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_trainings import SETTINGS, cohort_of_twelve, folds_of, trained
from refusals import refused

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.evaluation.censoring import inverse_censoring_weights
from PCNSLSurvivalLib.training.censoring import censoring_weights_of


def test_weights_by_hand():
    days = [100, 100, 200, 300, 400, 500]
    died = [True, False, True, False, True, False]
    # Censored on day 100, one of the five still there; on day 300, one of three.
    expected = [1, 0, 5 / 4, 0, (5 / 4) * (3 / 2), (5 / 4) * (3 / 2)]
    assert inverse_censoring_weights(days, died, 365) == pytest.approx(expected)
    assert sum(expected) == pytest.approx(6)


def test_a_death_hours_after_a_censoring_counts_as_at_risk():
    days = [100.0, 100.3, 400, 500]
    weights = inverse_censoring_weights(days, [False, True, False, False], 365)
    assert weights == pytest.approx([0, 4 / 3, 4 / 3, 4 / 3])


def test_without_early_censoring_every_weight_is_one():
    assert inverse_censoring_weights([10, 365, 366, 800], [True, True, False, False], 365) == pytest.approx(1.0)


def test_the_share_of_long_survivors_is_restored():
    rng = np.random.default_rng(5)
    true, last = rng.exponential(500, 20000), rng.uniform(0, 900, 20000)
    days, died = np.minimum(true, last), true <= last
    weights, over = inverse_censoring_weights(days, died, 365), days > 365
    known = weights > 0
    assert over[known].mean() < np.mean(true > 365) - 0.05
    assert np.average(over, weights=weights) == pytest.approx(np.mean(true > 365), abs=0.01)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return cohort_of_twelve(tmp_path_factory.mktemp("cohort") / "cohort")


def test_a_training_counts_patients_by_their_weight(cohort, tmp_path):
    fold = folds_of(cohort)[0]
    plain = trained(cohort, fold, tmp_path / "plain", replace(SETTINGS, epochs=1))
    weighted = trained(cohort, fold, tmp_path / "weighted", replace(SETTINGS, epochs=1, censoring_weights=True))
    assert weighted.facts["identity"] != plain.facts["identity"]
    assert weighted.facts["best_validation_loss"] != plain.facts["best_validation_loss"]


def test_held_out_patients_decide_no_weight_and_days_are_needed(cohort):
    fold = folds_of(cohort)[0]
    censored = [exam.name for exam in cohort.exams if exam.os_class() is None]
    weights = censoring_weights_of(cohort, fold.train, censored, 365)
    assert set(weights) == set(fold.train)
    assert max(weights.values()) > 1
    exams = (replace(one, os_days=1.0) if one.name in fold.test else one for one in cohort.exams)
    assert censoring_weights_of(replace(cohort, exams=tuple(exams)), fold.train, censored, 365) == weights
    short = replace(cohort, exams=tuple(replace(exam, os_days=None) for exam in cohort.exams))
    with refused(TrainingError, "training.censoring_needs_follow_up"):
        censoring_weights_of(short, fold.train, censored, 365)
