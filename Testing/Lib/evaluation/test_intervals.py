"""Intervals that hold what they promise, and defect 22: the plain standard error is too small."""

from __future__ import annotations

import numpy as np
import pytest
from refusals import refused
from scipy.stats import norm

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.evaluation.classification import METRICS, SHARE, classification_metrics
from PCNSLSurvivalLib.evaluation.intervals import (
    auc_interval,
    bootstrap_intervals,
    bootstrap_weights,
    never_certain,
    standard_error,
)


def test_the_bootstrap_interval_covers_the_true_auc_about_as_often_as_it_says():
    random = np.random.default_rng(11)
    shift, os_class = 0.7, np.repeat([0, 1], [26, 30])
    truth = norm.cdf(shift / np.sqrt(2))
    covered = 0
    for seed in range(200):
        probability = norm.cdf(random.normal(size=56) + shift * os_class)
        low, high = auc_interval(os_class, probability, resamples=300, seed=seed)
        covered += low <= truth <= high
    assert 0.89 <= covered / 200 <= 0.99


def test_the_half_width_for_56_patients_is_that_of_hanley_and_mcneil():
    random = np.random.default_rng(3)
    os_class = np.repeat([0, 1], [26, 30])
    widths = []
    for seed in range(40):
        probability = norm.cdf(random.normal(size=56) + 0.954 * os_class)  # AUC 0.75
        low, high = auc_interval(os_class, probability, resamples=300, seed=seed)
        widths.append((high - low) / 2)
    assert np.mean(widths) == pytest.approx(1.96 * 0.065, rel=0.12)


def test_every_sample_holds_as_many_of_each_class_as_the_cohort():
    weights = bootstrap_weights([0, 0, 1, 1, 1], resamples=50, seed=1)
    assert (weights[:, :2].sum(axis=1) == 2).all()
    assert (weights[:, 2:].sum(axis=1) == 3).all()


def test_two_exams_of_one_patient_are_drawn_together():
    weights = bootstrap_weights([0, 0, 1, 1], patients=["a", "a", "b", "c"], resamples=50, seed=1)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert not (weights[:, 2] == weights[:, 3]).all()


def test_the_same_seed_gives_the_same_interval():
    one, two, other = (bootstrap_intervals([0, 1] * 8, np.linspace(0, 1, 16), resamples=99, seed=s) for s in (1, 1, 2))
    assert one == two != other


def test_a_single_patient_has_no_interval():
    with refused(EvaluationError, "evaluation.few_patients"):
        bootstrap_intervals([1], [0.5])


def test_folds_without_the_metric_do_not_count_in_the_standard_error():
    assert standard_error([0.6, 0.8, np.nan]) == pytest.approx(0.1)
    assert np.isnan(standard_error([0.6, np.nan]))


def test_every_metric_lies_within_its_limits_and_an_interval_is_cut_at_them_only():
    random = np.random.default_rng(3)
    for _ in range(50):
        os_class = np.tile([0, 1], 6)
        found = classification_metrics(os_class, random.uniform(size=12))
        assert list(found) == list(METRICS)
        for name, value in found.items():
            low, high = METRICS[name].limits
            assert not np.isfinite(value) or low <= value <= high, name
    # A correlation from -1 to 1 that is 1 in every sample: no share, so Wilson's limits do not apply to it.
    assert never_certain((-1.0, 1.0), 1.0, (1.0, 1.0), 20) == (1.0, 1.0)
    assert never_certain(SHARE, 1.0, (1.0, 1.0), 20)[0] < 0.9
