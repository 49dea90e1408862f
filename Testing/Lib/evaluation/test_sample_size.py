"""The planner agrees with published numbers and with simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from PCNSLSurvivalLib.evaluation.auc_test import detectable_difference
from PCNSLSurvivalLib.evaluation.classification import auc
from PCNSLSurvivalLib.evaluation.sample_size import (
    SHRINKAGE,
    auc_standard_error,
    cross_validated_error,
    plan_in_words,
    riley_patients,
)


def test_the_standard_error_of_the_auc_is_that_of_simulated_cohorts():
    random = np.random.default_rng(1)
    truth = np.repeat([1, 0], [30, 26])
    # Exponential risks, for which Hanley and McNeil's formula is exact: AUC = rate / (1 + rate).
    risks = np.where(truth == 1, 7 / 3, 1.0) * random.exponential(size=(3000, 56))
    values = [float(auc(truth, one)) for one in risks]
    assert np.mean(values) == pytest.approx(0.7, abs=0.005)
    assert auc_standard_error(0.7, 30, 26) == pytest.approx(np.std(values), rel=0.04)
    assert cross_validated_error(0.7, 30, 26, 5) == pytest.approx(1.5 * auc_standard_error(0.7, 30, 26))


def test_rileys_number_gives_the_shrinkage_it_is_asked_for():
    number = riley_patients(20, 0.5, nagelkerke=0.15)
    r2 = 0.15 * 0.75  # the largest Cox-Snell R² at a share of one half is 0.75
    assert 1 + 20 / (number * math.log(1 - r2 / SHRINKAGE)) == pytest.approx(SHRINKAGE, abs=1e-3)
    assert riley_patients(1, 0.5) == 385  # the share to 0.05: 1.96² / 0.05² / 4
    assert riley_patients(5, 0.3) == riley_patients(5, 0.7)


def test_four_of_five_studies_find_the_detectable_difference():
    random = np.random.default_rng(2)
    found = random.normal(detectable_difference(0.1), 0.1, 20_000)
    assert np.mean(np.abs(found) > 1.96 * 0.1) == pytest.approx(0.8, abs=0.01)


def test_the_plan_in_words_names_what_the_patients_allow():
    told = plan_in_words(30, 26, 5, clinical_predictors=5)
    assert "30 with OS over the limit, 26 not" in told
    assert "there are 56" in told
    assert plan_in_words(1, 20, 5) == ""
    assert "can be told apart" in told
    assert "cannot be told apart" in plan_in_words(7, 4, 2)
    assert "logistic" not in plan_in_words(30, 26, 5)
