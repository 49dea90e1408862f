"""Curves whose ends and areas are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_predictions import made_folds
from scipy import stats

from PCNSLSurvivalLib.evaluation.classification import classification_metrics
from PCNSLSurvivalLib.evaluation.comparison import fold_values
from PCNSLSurvivalLib.evaluation.curves import (
    average_precision,
    calibration_groups,
    mean_average_precision,
    mean_precision_recall_curve,
    mean_roc_curve,
    net_benefit,
    roc_curve,
)
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

OS_CLASS = np.array([0, 0, 0, 1, 1, 1, 1, 0, 1, 0])
PROBABILITY = np.array([0.1, 0.3, 0.4, 0.35, 0.8, 0.9, 0.7, 0.6, 0.55, 0.2])


def test_the_area_under_the_roc_curve_is_the_auc():
    curve = roc_curve(OS_CLASS, PROBABILITY)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(classification_metrics(OS_CLASS, PROBABILITY)["auc"])


def fold(os_class, probability, number=0):
    return FoldPredictions(
        arm="arm",
        repeat=0,
        fold=number,
        cases=tuple(f"{number}-{n}" for n in range(len(os_class))),
        os_class=np.array(os_class),
        probability=np.array(probability),
    )


few_values = st.integers(0, 4).map(lambda fourths: fourths / 4)  # so that ties are frequent
one_fold = st.lists(st.tuples(st.integers(0, 1), few_values), min_size=2, max_size=12).filter(
    lambda rows: 0 < sum(os_class for os_class, _ in rows) < len(rows)
)
some_folds = st.lists(one_fold, min_size=1, max_size=5).map(
    lambda folds: [fold(*zip(*rows, strict=True), number) for number, rows in enumerate(folds)]
)


@settings(max_examples=150, deadline=None)
@given(some_folds)
def test_the_area_under_the_mean_roc_curve_is_the_mean_of_the_folds_aucs(folds):
    curve = mean_roc_curve(folds)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(fold_values(folds, "auc").mean())
    assert (np.diff(curve.x) >= 0).all()
    assert (np.diff(curve.y) >= -1e-12).all()


@settings(max_examples=150, deadline=None)
@given(some_folds)
def test_the_area_under_the_mean_precision_recall_curve_is_the_mean_of_the_folds_average_precisions(folds):
    curve = mean_precision_recall_curve(folds)
    expected = np.mean([average_precision(one.os_class, one.probability) for one in folds])
    assert (np.diff(curve.x) * curve.y[1:]).sum() == pytest.approx(expected)
    assert mean_average_precision(folds)[0] == pytest.approx(expected)
    assert (curve.x[0], curve.x[-1]) == (0, 1)


def test_arms_without_skill_have_a_mean_roc_curve_on_the_diagonal():
    areas = []
    for seed in range(100):
        curve = mean_roc_curve(made_folds("arm", patients=56, splits=5, seed=seed))
        areas.append(np.trapezoid(curve.y, curve.x))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.02)


def test_the_average_precision_by_chance_is_the_mean_over_all_orders():
    os_class = [1, 1, 0, 0, 0]
    orders = [average_precision(os_class, order) for order in itertools.permutations(np.arange(5) / 5)]
    assert mean_average_precision([fold(os_class, [0.5] * 5)])[1] == pytest.approx(np.mean(orders))


def test_folds_of_one_class_are_in_no_mean_curve():
    alone = fold([1, 1], [0.2, 0.9])
    assert len(mean_roc_curve([alone]).x) == len(mean_precision_recall_curve([alone]).x) == 0
    assert np.isnan(mean_average_precision([alone])).all()
    both = fold(OS_CLASS, PROBABILITY, 1)
    assert mean_roc_curve([alone, both]).y.tolist() == mean_roc_curve([both]).y.tolist()
    assert average_precision(OS_CLASS, OS_CLASS) == 1


def test_treating_none_has_no_net_benefit_and_treating_all_that_of_the_formula():
    thresholds = np.array([0.2, 0.5])
    assert net_benefit(OS_CLASS, np.zeros(10), thresholds).tolist() == [0, 0]
    assert net_benefit(OS_CLASS, np.ones(10), thresholds) == pytest.approx([0.5 - 0.5 * 0.25, 0])


def test_a_perfect_risk_has_the_share_of_deaths_as_net_benefit_at_every_threshold():
    assert net_benefit(OS_CLASS, OS_CLASS == 0, [0.1, 0.5, 0.9]) == pytest.approx([0.5] * 3)


def test_calibration_groups_hold_everyone_once_and_the_observed_share():
    groups = calibration_groups(OS_CLASS, PROBABILITY, groups=2)
    assert groups.predictions.tolist() == [5, 5]
    assert groups.observed.tolist() == [1 / 5, 4 / 5]
    assert (groups.low < groups.observed).all()
    assert (groups.observed < groups.high).all()
    assert calibration_groups(OS_CLASS, np.full(10, 0.5)).predictions.tolist() == [10]


def test_limits_are_those_of_wilson_and_count_a_patient_once_however_often_predicted():
    once = calibration_groups(OS_CLASS, PROBABILITY, groups=2)
    wilson = stats.binomtest(1, 5).proportion_ci(method="wilson")
    assert (once.low[0], once.high[0]) == pytest.approx((wilson.low, wilson.high))
    twice = calibration_groups(np.tile(OS_CLASS, 2), np.tile(PROBABILITY, 2), groups=2, repeats=2)
    assert twice.high == pytest.approx(once.high)


@pytest.mark.parametrize("os_class", [0, 1])
def test_a_group_of_one_class_has_its_share_inside_the_limits_whatever_its_size(os_class):
    for size in range(1, 200):
        groups = calibration_groups(np.full(size, os_class), np.full(size, 0.5), repeats=3)
        assert groups.low[0] <= os_class <= groups.high[0]
