"""The paired test of two AUCs is DeLong's on one test set, and honest on cross-validated arms."""

from __future__ import annotations

import numpy as np
import pytest
from refusals import refused
from scipy import stats
from simulated_arms import cross_validated

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.evaluation.auc_test import paired_auc_test
from PCNSLSurvivalLib.evaluation.out_of_fold import out_of_fold_auc
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions


def one_set(os_class, probability, arm="a", repeat=0):
    cases = tuple(f"p{number:03}" for number in range(len(os_class)))
    return FoldPredictions(arm=arm, repeat=repeat, fold=0, cases=cases, os_class=os_class, probability=probability)


def delong(os_class, *probabilities):
    """Differences and p by the formula of DeLong et al. 1988, with loops over pairs of patients."""
    over, up_to = np.flatnonzero(os_class == 1), np.flatnonzero(os_class == 0)
    v10, v01 = np.zeros((len(probabilities), len(over))), np.zeros((len(probabilities), len(up_to)))
    for arm, p in enumerate(probabilities):
        for i, one in enumerate(over):
            for j, other in enumerate(up_to):
                psi = 1.0 if p[one] > p[other] else 0.5 if p[one] == p[other] else 0.0
                v10[arm, i] += psi / len(up_to)
                v01[arm, j] += psi / len(over)
    cov = np.cov(v10) / len(over) + np.cov(v01) / len(up_to)
    difference = v10[0].mean() - v10[1].mean()
    error = np.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1])
    return difference, error, 2 * stats.norm.sf(abs(difference) / error)


@pytest.mark.parametrize("seed", range(5))
def test_one_test_set_gives_delongs_test(seed):
    random = np.random.default_rng(seed)
    os_class = (random.random(40) < 0.6).astype(int)
    one, other = (np.round(random.random(40) * 0.7 + 0.3 * os_class * random.random(), 1) for _ in range(2))
    found = paired_auc_test([one_set(os_class, one)], [one_set(os_class, other, "b")])
    wanted = delong(os_class, one, other)
    assert (found.difference, found.standard_error, found.p) == pytest.approx(wanted, abs=1e-9)


def test_repeated_predictions_of_the_same_patients_add_no_certainty():
    random = np.random.default_rng(3)
    os_class, p = (random.random(60) < 0.5).astype(int), random.random(60)
    once = paired_auc_test([one_set(os_class, p)])
    again = paired_auc_test([one_set(os_class, p, repeat=repeat) for repeat in range(4)])
    assert again.standard_error == pytest.approx(once.standard_error)
    assert again.difference == pytest.approx(once.difference)


def test_equally_good_cross_validated_arms_are_seldom_called_different():
    found = [paired_auc_test(*cross_validated(56, seed, skill=0.6, shared=False)) for seed in range(60)]
    rejected = sum(one.p < 0.05 for one in found)
    print(f"equally good arms called different: {rejected} of 60")
    assert rejected <= 7  # 3 expected


def test_the_difference_is_that_of_the_out_of_fold_aucs():
    one, other = cross_validated(56, 1, skill=0.6, shared=False)
    difference = out_of_fold_auc(one, resamples=10).value - out_of_fold_auc(other, resamples=10).value
    assert paired_auc_test(one, other).difference == pytest.approx(difference)


def test_what_cannot_be_compared_is_refused_or_undefined():
    one, other = cross_validated(30, 1, skill=0.6, shared=False)
    with refused(EvaluationError, "comparison.other_cases", arm="a", other="b"):
        paired_auc_test(one, [*other[1:], other[0]])
    assert np.isnan(paired_auc_test([one_set(np.array([1, 1]), np.array([0.2, 0.4]))]).p)
    same = paired_auc_test(one, one)
    assert (same.difference, same.standard_error, same.p) == (0.0, 0.0, 1.0)
