"""Comparing two arms: the correction of Nadeau and Bengio by hand, Holm by hand, equal arms seldom called unequal."""

from __future__ import annotations

import numpy as np
import pytest
from refusals import refused
from scipy import stats

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.evaluation.comparison import compare, corrected_resampled_t_test, holm, paired_t_test
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

DIFFERENCES = np.array([0.10, -0.05, 0.20, 0.0, 0.15, 0.05, 0.10, -0.10, 0.25, 0.05])


def test_defect_22_five_folds_twice_have_a_standard_error_of_0_592_s_instead_of_0_316_s():
    s = DIFFERENCES.std(ddof=1)
    plain, corrected = paired_t_test(DIFFERENCES), corrected_resampled_t_test(DIFFERENCES, test_to_train=0.25)
    assert plain.standard_error / s == pytest.approx(0.316, abs=5e-4)
    assert corrected.standard_error / s == pytest.approx(0.592, abs=5e-4)
    assert corrected.degrees_of_freedom == 9
    assert corrected.t == pytest.approx(plain.t / 1.87, rel=1e-3)
    assert corrected.p > plain.p


def test_the_papers_test_is_the_paired_t_test():
    expected = stats.ttest_rel(DIFFERENCES + 0.6, np.full(10, 0.6))
    assert paired_t_test(DIFFERENCES).p == pytest.approx(expected.pvalue)
    assert paired_t_test(DIFFERENCES).t == pytest.approx(expected.statistic)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, np.nan, 0.9]) == pytest.approx([1.0, np.nan, 1.0], nan_ok=True)


@pytest.mark.parametrize("differences", [[], [0.1], [np.nan, 0.1]])
def test_one_fold_is_no_comparison(differences):
    assert np.isnan(paired_t_test(differences).p)


def test_equal_differences_have_no_p_whatever_their_last_digits_are():
    differences = np.array([0.8, 0.6]) - np.array([0.7, 0.5])
    assert np.ptp(differences) > 0, "a rounding error"
    for test in (paired_t_test(differences), corrected_resampled_t_test(differences, test_to_train=0.25)):
        assert np.isnan(test.t)
        assert np.isnan(test.p)


def test_equal_arms_differ_by_nothing():
    assert paired_t_test([0.0] * 10).p == 1


def test_equally_good_arms_are_seldom_called_different_by_the_corrected_test_and_often_by_the_papers():
    random = np.random.default_rng(2)
    found = {"paper": 0, "corrected": 0}
    os_class = np.repeat([0, 1], [26, 30])
    for _ in range(300):
        # What both arms learn from overlapping training sets: a common error of the difference in all folds.
        common = random.normal(size=56)
        differences = []
        for _ in range(2):
            order = random.permutation(56)
            for fold in np.array_split(order, 5):
                differences.append(float((common[fold] * (2 * os_class[fold] - 1)).mean()))
        found["paper"] += paired_t_test(differences).p < 0.05
        found["corrected"] += corrected_resampled_t_test(differences, test_to_train=0.25).p < 0.05
    print(f"equally good arms called different, of 300: {found}")
    assert found["corrected"] / 300 < 0.06
    assert found["paper"] / 300 > 2 * found["corrected"] / 300


def folds(arm, probability, cases=("a", "b", "c", "d")):
    return [
        FoldPredictions(
            arm=arm,
            repeat=repeat,
            fold=fold,
            cases=cases[2 * fold : 2 * fold + 2],
            os_class=np.array([0, 1]),
            probability=np.array(probability),
        )
        for repeat in range(2)
        for fold in range(2)
    ]


def test_two_arms_are_compared_fold_by_fold():
    result = compare(folds("t1gd", (0.1, 0.9)), folds("clinical", (0.9, 0.1)), "auc")
    assert (result.arm, result.against) == ("t1gd", "clinical")
    assert result.corrected.difference == 1


def test_arms_judged_on_different_cases_are_not_compared():
    with refused(EvaluationError, "comparison.other_cases", arm="t1gd", other="clinical"):
        compare(folds("t1gd", (0.1, 0.9)), folds("clinical", (0.9, 0.1), ("a", "c", "b", "d")), "auc")
