"""Survival statistics against examples worked by hand and symmetries that must hold; censored patients take part."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refused
from scipy import stats

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.evaluation.survival import concordant_pairs, kaplan_meier, log_rank_test


def c_index(days, deaths, risk):
    right, pairs = concordant_pairs(days, deaths, risk)
    return right / pairs if pairs else np.nan


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
    assert np.isnan(log_rank_test([10] * 12, [False] * 12, [True, False] * 6).p)
    assert np.isnan(c_index([10, 20], [False, False], [1, 2]))


def test_log_rank_by_hand():
    # Deaths at 1, 2 (group) and 3, 4 (others): 2 observed in the group, 2/4 + 1/3 expected.
    test = log_rank_test([1, 2, 3, 4], [True] * 4, [True, True, False, False])
    assert (test.patients, test.observed) == ((2, 2), 2)
    assert test.expected == pytest.approx(1 / 2 + 1 / 3)


def excess_deaths(days, deaths, group):
    """Observed minus expected deaths of the group, death by death."""
    found = 0.0
    for day in days[deaths]:
        at_risk = days >= day
        found += group[(days == day) & deaths][0] - group[at_risk].sum() / at_risk.sum()
    return found


def test_the_p_of_the_log_rank_test_is_the_share_of_all_deals_that_differ_as_much():
    days = np.array([31, 48, 60, 75, 90, 120, 150, 200, 260, 300.0])
    deaths = np.array([True, True, False, True, True, True, False, True, True, False])
    group = np.array([True, True, True, False, True, False, False, True, False, False])
    deals = [np.isin(np.arange(10), chosen) for chosen in itertools.combinations(range(10), 5)]
    as_far = [
        abs(excess_deaths(days, deaths, deal)) >= abs(excess_deaths(days, deaths, group)) - 1e-9 for deal in deals
    ]
    test = log_rank_test(days, deaths, group)
    assert test.p == pytest.approx(np.mean(as_far), abs=0.015)
    assert test.observed - test.expected == pytest.approx(excess_deaths(days, deaths, group))
    assert log_rank_test(days, deaths, ~group).p == test.p


def test_a_group_of_one_has_no_p_where_the_chi_squared_distribution_is_sure_of_it():
    days, deaths = np.arange(1.0, 24), np.full(23, True)
    group = days > 1
    first, second = (stats.CensoredData(uncensored=days[chosen]) for chosen in (group, ~group))
    assert stats.logrank(first, second).pvalue < 1e-4  # of one patient among 23 who died first
    test = log_rank_test(days, deaths, group)
    assert test.too_small
    assert np.isnan(test.p)


def test_groups_drawn_by_lot_are_called_different_no_more_often_than_said():
    random = np.random.default_rng(5)
    days, deaths = np.round(random.exponential(400, 23)), random.uniform(size=23) < 0.8
    found = [
        log_rank_test(days, deaths, random.permutation(23) < 5, permutations=199, seed=seed).p <= 0.05
        for seed in range(400)
    ]
    assert 0.02 < np.mean(found) < 0.085


def test_defect_18_a_censored_patient_counts_as_alive_until_last_seen_and_not_as_dead():
    # Both pairs that the follow-up decides are right; the pair of the two censored patients is not decided.
    assert c_index([100, 200, 300], [True, False, False], [3, 2, 1]) == 1
    assert c_index([100, 200, 300], [True, False, False], [3, 1, 2]) == 1
    assert c_index([100, 200, 300], [False, True, True], [0, 2, 1]) == 1


patients = st.lists(st.tuples(st.integers(1, 50), st.booleans(), st.integers(-20, 20)), min_size=2, max_size=30).filter(
    lambda rows: np.isfinite(c_index(*zip(*rows, strict=True)))
)


@settings(max_examples=60, deadline=None)
@given(patients)
def test_reversed_risks_give_one_minus_the_c_index(rows):
    days, deaths, risk = (np.array(column) for column in zip(*rows, strict=True))
    assert c_index(days, deaths, -risk) == pytest.approx(1 - c_index(days, deaths, risk))


@settings(max_examples=60, deadline=None)
@given(patients)
def test_only_the_order_of_the_risks_counts(rows):
    days, deaths, risk = (np.array(column) for column in zip(*rows, strict=True))
    assert c_index(days, deaths, np.exp(risk / 10)) == pytest.approx(c_index(days, deaths, risk))


def test_equal_risks_have_a_c_index_of_one_half_and_perfect_ones_of_one():
    days, deaths = np.arange(1.0, 20), np.arange(19) % 3 != 0
    assert c_index(days, deaths, np.zeros(19)) == 0.5
    assert c_index(days, deaths, -days) == 1


@pytest.mark.parametrize(("days", "deaths"), [([], []), ([-1.0], [True]), ([np.nan], [True]), ([1, 2], [True])])
def test_survival_that_is_not_known_is_told_in_a_sentence(days, deaths):
    with refused(EvaluationError, "evaluation.no_follow_up"):
        kaplan_meier(days, deaths)
