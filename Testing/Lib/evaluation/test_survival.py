"""Survival statistics against examples worked by hand and symmetries that must hold; censored patients take part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PCNSLSurvivalLib.errors import EvaluationError
from PCNSLSurvivalLib.evaluation.survival import (
    concordance_index,
    concordance_interval,
    kaplan_meier,
    log_rank_p,
)


def test_kaplan_meier_by_hand():
    curve = kaplan_meier([100, 200, 200, 300, 400], [True, True, False, True, False])
    assert curve.days.tolist() == [0, 100, 200, 300, 400]
    assert curve.survival == pytest.approx([1, 4 / 5, 4 / 5 * 3 / 4, 4 / 5 * 3 / 4 * 1 / 2, 0.3])
    assert (curve.patients, curve.deaths, curve.median_days()) == (5, 3, 300)
    assert curve.censored_days.tolist() == [200, 400]
    assert curve.low[1] < 0.8 < curve.high[1]


def test_the_curve_of_exponential_survival_meets_its_formula_despite_censoring():
    random = np.random.default_rng(0)
    death, last_seen = random.exponential(500, 4000), random.exponential(800, 4000)
    curve = kaplan_meier(np.minimum(death, last_seen), death <= last_seen)
    at_one_year = curve.survival[np.searchsorted(curve.days, 365, side="right") - 1]
    assert at_one_year == pytest.approx(np.exp(-365 / 500), abs=0.02)


def test_nobody_died():
    curve = kaplan_meier([10, 20], [False, False])
    assert curve.survival.tolist() == [1, 1, 1]
    assert np.isnan(curve.median_days())
    assert np.isnan(log_rank_p([10, 20], [False, False], [True, False]))
    assert np.isnan(concordance_index([10, 20], [False, False], [1, 2]))


def test_log_rank_by_hand():
    # Deaths at 1, 2 (group) and 3, 4 (others): observed 2; expected 2/4 + 1/3; variance 1/4 + 2/9.
    z = (2 - (1 / 2 + 1 / 3)) / np.sqrt(1 / 4 + 2 / 9)
    from scipy.stats import norm

    assert log_rank_p([1, 2, 3, 4], [True] * 4, [True, True, False, False]) == pytest.approx(2 * norm.sf(z))


def test_defect_18_a_censored_patient_counts_as_alive_until_last_seen_and_not_as_dead():
    # Both pairs that the follow-up decides are right; the pair of the two censored patients is not decided.
    assert concordance_index([100, 200, 300], [True, False, False], [3, 2, 1]) == 1
    assert concordance_index([100, 200, 300], [True, False, False], [3, 1, 2]) == 1
    assert concordance_index([100, 200, 300], [False, True, True], [0, 2, 1]) == 1


patients = st.lists(st.tuples(st.integers(1, 50), st.booleans(), st.integers(-20, 20)), min_size=2, max_size=30).filter(
    lambda rows: np.isfinite(concordance_index(*zip(*rows, strict=True)))
)


@settings(max_examples=60, deadline=None)
@given(patients)
def test_reversed_risks_give_one_minus_the_c_index(rows):
    days, deaths, risk = (np.array(column) for column in zip(*rows, strict=True))
    assert concordance_index(days, deaths, -risk) == pytest.approx(1 - concordance_index(days, deaths, risk))


@settings(max_examples=60, deadline=None)
@given(patients)
def test_only_the_order_of_the_risks_counts(rows):
    days, deaths, risk = (np.array(column) for column in zip(*rows, strict=True))
    assert concordance_index(days, deaths, np.exp(risk / 10)) == pytest.approx(concordance_index(days, deaths, risk))


def test_equal_risks_have_a_c_index_of_one_half_and_perfect_ones_of_one():
    days, deaths = np.arange(1.0, 20), np.arange(19) % 3 != 0
    assert concordance_index(days, deaths, np.zeros(19)) == 0.5
    assert concordance_index(days, deaths, -days) == 1
    assert concordance_interval(days, deaths, -days, resamples=50) == (1, 1)


@pytest.mark.parametrize(("days", "deaths"), [([], []), ([-1.0], [True]), ([np.nan], [True]), ([1, 2], [True])])
def test_survival_that_is_not_known_is_told_in_a_sentence(days, deaths):
    with pytest.raises(EvaluationError, match="days of follow-up"):
        kaplan_meier(days, deaths)
