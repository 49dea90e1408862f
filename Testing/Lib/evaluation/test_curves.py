"""Curves whose ends and areas are known."""

from __future__ import annotations

import numpy as np
import pytest

from PCNSLSurvivalLib.evaluation.classification import classification_metrics
from PCNSLSurvivalLib.evaluation.curves import (
    average_precision,
    calibration_groups,
    net_benefit,
    precision_recall_curve,
    roc_curve,
)

OS_CLASS = np.array([0, 0, 0, 1, 1, 1, 1, 0, 1, 0])
PROBABILITY = np.array([0.1, 0.3, 0.4, 0.35, 0.8, 0.9, 0.7, 0.6, 0.55, 0.2])


def test_the_area_under_the_roc_curve_is_the_auc():
    curve = roc_curve(OS_CLASS, PROBABILITY)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(classification_metrics(OS_CLASS, PROBABILITY)["auc"])


def test_precision_at_full_recall_is_at_least_the_share_of_long_survivors():
    curve = precision_recall_curve(OS_CLASS, PROBABILITY)
    assert curve.x[0] == 0
    assert curve.y[-1] >= OS_CLASS.mean()
    assert average_precision(OS_CLASS, OS_CLASS) == 1


def test_acting_on_nobody_has_no_net_benefit_and_on_everybody_that_of_the_formula():
    thresholds = np.array([0.2, 0.5])
    assert net_benefit(OS_CLASS, np.zeros(10), thresholds).tolist() == [0, 0]
    assert net_benefit(OS_CLASS, np.ones(10), thresholds) == pytest.approx([0.5 - 0.5 * 0.25, 0])


def test_a_perfect_risk_has_the_share_of_deaths_as_net_benefit_at_every_threshold():
    assert net_benefit(OS_CLASS, OS_CLASS == 0, [0.1, 0.5, 0.9]) == pytest.approx([0.5] * 3)


def test_calibration_groups_hold_everyone_once_and_the_observed_share():
    groups = calibration_groups(OS_CLASS, PROBABILITY, groups=2)
    assert groups.patients.tolist() == [5, 5]
    assert groups.observed.tolist() == [1 / 5, 4 / 5]
    assert (groups.low < groups.observed).all()
    assert (groups.observed < groups.high).all()
    assert calibration_groups(OS_CLASS, np.full(10, 0.5)).patients.tolist() == [10]
