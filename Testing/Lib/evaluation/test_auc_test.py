"""The paired test of two AUCs is DeLong's on one test set; it and the test against chance allow for repeated folds."""

from __future__ import annotations

import numpy as np
import pytest
from refusals import refused
from scipy import stats
from simulated_arms import cross_validated

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.evaluation.auc_test import p_against_chance, paired_auc_test
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
    same = np.full(60, 0.5)
    once = paired_auc_test([one_set(os_class, p)], [one_set(os_class, same)])
    again = paired_auc_test(
        [one_set(os_class, p, repeat=repeat) for repeat in range(4)],
        [one_set(os_class, same, repeat=repeat) for repeat in range(4)],
    )
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
    alone = one_set(np.array([1, 1]), np.array([0.2, 0.4]))
    assert np.isnan(paired_auc_test([alone], [alone]).p)
    assert np.isnan(p_against_chance([alone]))
    same = paired_auc_test(one, one)
    assert (same.difference, same.standard_error, same.p) == (0.0, 0.0, 1.0)


def test_arms_without_skill_seldom_beat_chance():
    arms = [cross_validated(56, seed, skill=0.0, shared=False)[0] for seed in range(100)]
    rejected = sum(p_against_chance(arm, permutations=499) < 0.05 for arm in arms)
    print(f"arms without skill called skilled: {rejected} of 100")
    assert rejected <= 9  # 3 to 5 expected, 15 by plain permutations


def test_sites_with_other_shares_of_survivors_make_no_arm_skilled():
    """Exchanged among sites, classes would make pairs in the site that has none: 13 of 100 called skilled."""
    rejected = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        folds = []
        for site, (over, up_to) in enumerate(((30, 1), (5, 5), (0, 20))):
            os_class = np.repeat([1, 0], (over, up_to))
            cases = tuple(f"{site} {number}" for number in range(over + up_to))
            p = random.random(over + up_to)
            folds.append(FoldPredictions(arm="a", repeat=0, fold=site, cases=cases, os_class=os_class, probability=p))
        rejected += p_against_chance(folds, permutations=199) < 0.05
    print(f"arms without skill called skilled: {rejected} of 100")
    assert rejected <= 5


def test_in_one_test_set_p_is_the_share_of_all_orders_that_are_as_far_from_chance():
    one = one_set(np.array([0, 0, 0, 1, 1, 1]), np.linspace(0.1, 0.9, 6))
    assert p_against_chance([one], permutations=20_000) == pytest.approx(2 / 20, abs=0.01)  # 20 ways to choose three
    backwards = one_set(np.array([1, 1, 1, 0, 0, 0]), np.linspace(0.1, 0.9, 6))
    assert p_against_chance([backwards], permutations=20_000) == pytest.approx(2 / 20, abs=0.01)


def test_two_exams_of_a_patient_are_no_two_witnesses_against_chance():
    os_class, p = np.repeat([0, 0, 0, 1, 1, 1], 2), np.linspace(0.1, 0.9, 12)
    twice = one_set(os_class, p)
    patients = {case: str(number // 2) for number, case in enumerate(twice.cases)}
    assert p_against_chance([twice], patients=patients) == pytest.approx(2 / 20, abs=0.01)
    assert p_against_chance([twice]) < 0.02
