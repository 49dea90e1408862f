"""No interval, and no difference that could be found, lies beyond what two AUCs can differ by."""

from __future__ import annotations

import pytest

from PCNSLSurvivalLib.evaluation.auc_test import AUCTest
from PCNSLSurvivalLib.evaluation.comparison import Comparison, TTest
from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate
from PCNSLSurvivalLib.reports.experiment.tables import AdjustedComparison, detectable, interval


def compared(error: float, metric: str = "auc") -> AdjustedComparison:
    test = TTest(difference=0.1, standard_error=error, degrees_of_freedom=3, t=0.2, p=0.8)
    return AdjustedComparison(
        comparison=Comparison(arm="a", against="b", metric=metric, paper=test, corrected=test),
        label="a",
        against_label="b",
        corrected_holm_p=1.0,
        paired_holm_p=1.0,
        paired=AUCTest(difference=0.1, standard_error=error, p=0.8),
    )


def test_limits_of_a_difference_of_aucs_end_at_one():
    wide = compared(0.9)
    assert (wide.paired_interval.low, wide.paired_interval.high) == (-1.0, 1.0)
    assert (wide.corrected_interval.low, wide.corrected_interval.high) == (-1.0, 1.0)
    assert compared(0.9, "calibration_slope").corrected_interval.high > 2
    assert compared(0.1).paired_interval.high == pytest.approx(0.1 + 1.96 * 0.1, abs=1e-3)


def test_a_number_that_rounds_to_zero_has_no_sign():
    assert interval(Estimate(value=-0.001, low=-0.1, high=0.004)) == "0.00 [-0.10,\N{NO-BREAK SPACE}0.00]"


def test_a_number_that_is_not_defined_has_no_interval():
    nothing = float("nan")
    assert interval(Estimate(value=nothing, low=nothing, high=nothing)) == "–"
    assert interval(Estimate(value=0.5, low=nothing, high=1.0)) == "0.50 [–,\N{NO-BREAK SPACE}1.00]"


def test_no_impossible_difference_is_said_to_be_found():
    assert "a true difference in AUC of 0.28 would" in detectable([compared(0.1)], "b")
    assert "of 0.28 to 0.56, depending on the arm, would" in detectable([compared(0.1), compared(0.2)], "b")
    told = detectable([compared(0.1), compared(0.2), compared(0.5)], "b")
    assert "a true difference in AUC of 0.28 with the least uncertain arm would be found in 4 of 5" in told
    assert "likely missed. With some arms, not even a difference from 0 to 1 would be found so often. This" in told
    assert "not even a difference in AUC from 0 to 1 would be found" in detectable([compared(0.5)], "b")
    assert detectable([], "b") == ""
