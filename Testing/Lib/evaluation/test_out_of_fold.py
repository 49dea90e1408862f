"""The number for a whole cross-validation, and how often its interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest
from simulated_arms import simulated

from PCNSLSurvivalLib.evaluation.classification import classification_metrics
from PCNSLSurvivalLib.evaluation.intervals import auc_interval
from PCNSLSurvivalLib.evaluation.out_of_fold import (
    out_of_fold_auc,
    out_of_fold_concordance,
    out_of_fold_metrics,
)
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, pooled


def one_fold(os_class, probability, fold=0, repeat=0):
    return FoldPredictions(
        arm="arm",
        repeat=repeat,
        fold=fold,
        cases=tuple(f"{fold}-{n}" for n in range(len(os_class))),
        os_class=np.array(os_class),
        probability=np.array(probability),
    )


def test_a_scale_of_its_own_in_each_fold_does_not_change_the_auc():
    apart = [one_fold([0, 1, 0, 1], [0.1, 0.2, 0.15, 0.3]), one_fold([0, 1, 0, 1], [0.7, 0.8, 0.75, 0.9], fold=1)]
    assert out_of_fold_metrics(apart, resamples=50)["auc"].value == 1
    assert classification_metrics(*pooled(apart)[1:])["auc"] < 1


def test_a_constant_probability_in_each_fold_has_an_auc_of_one_half():
    folds = [one_fold([0, 1, 1], [0.4] * 3), one_fold([0, 0, 1], [0.6] * 3, fold=1)]
    result = out_of_fold_metrics(folds, resamples=50)["auc"]
    assert result.value == 0.5
    assert 0 < result.low < 0.3
    assert 0.7 < result.high < 1  # six patients leave doubt, although every bootstrap sample says one half


def test_a_fold_with_one_class_has_no_pairs_and_counts_in_everything_else():
    folds = [one_fold([1, 1], [0.9, 0.1]), one_fold([0, 1], [0.2, 0.8], fold=1)]
    result = out_of_fold_metrics(folds, resamples=50)
    assert result["auc"].value == 1
    assert result["accuracy"].value == 0.75


def judged(probability, censored_probability, fold):
    return FoldPredictions(
        arm="arm",
        repeat=0,
        fold=fold,
        cases=tuple(f"{fold}-{n}" for n in range(len(probability))),
        os_class=np.array([0] * (len(probability) - 1) + [1]),
        probability=np.array(probability),
        censored=("censored",),
        censored_probability=np.array([censored_probability]),
    )


def test_the_c_index_compares_what_one_model_said_censored_patients_included():
    survival = {f"{fold}-{n}": (100.0 * (n + 1), True) for fold in range(2) for n in range(3)}
    survival["censored"] = (150.0, False)
    # Each model is right about all its held-out patients, the censored patient too, with a scale per model.
    folds = [judged([0.1, 0.2, 0.3], 0.15, 0), judged([0.7, 0.8, 0.9], 0.75, 1)]
    found = out_of_fold_concordance(folds, survival, resamples=50)
    assert (found.value, found.high) == (1, 1)
    assert found.low < 0.8
    # Per model three pairs among its own, and half of one with the censored patient, whom both models judge: that
    # patient outlived the first of each fold.
    wrong = [folds[0], judged([0.7, 0.8, 0.9], 0.6, 1)]
    assert out_of_fold_concordance(wrong, survival, resamples=50).value == pytest.approx(6.5 / 7)
    assert np.isnan(out_of_fold_concordance(folds, {}, resamples=50).value)


def test_calibration_intervals_know_that_other_patients_have_other_shares_of_survivors():
    """A fixed model that is calibrated perfectly: 0 lies in the interval of its intercept about as often as stated."""
    random = np.random.default_rng(8)
    covered = 0
    for seed in range(100):
        true = random.beta(2.0, 2.0, size=60)
        os_class = (random.random(60) < true).astype(int)
        folds = [one_fold(os_class[k::5], true[k::5], fold=k) for k in range(5)]
        found = out_of_fold_metrics(folds, resamples=200, seed=seed)["calibration_intercept"]
        covered += found.low <= 0 <= found.high
    assert covered >= 90  # 95 and more: the interval is widened for training sets that overlap


def test_the_interval_of_the_intercept_in_stratified_folds_is_that_of_new_patients():
    """All models learned the same share of long survivors; widened for their differences, it would hold too often."""
    held = 0
    for seed in range(100):
        cohort = simulated(56, seed, skill=0.6, new_patients=1000)
        found = out_of_fold_metrics(cohort.arms[0], resamples=200)["calibration_intercept"]
        held += found.low <= cohort.on_new_patients["calibration_intercept"] <= found.high
    print(f"the intercept on new patients is held by {held} of 100 intervals")
    assert 92 <= held <= 98  # widened: 99 or 100


def test_twenty_patients_leave_doubt_about_a_perfect_arm():
    os_class = np.arange(20) % 2
    folds = [one_fold(os_class[k::5], os_class[k::5] * 0.8 + 0.1, fold=k) for k in range(5)]
    for metric in ("auc", "accuracy", "precision", "recall", "f1"):
        found = out_of_fold_metrics(folds, resamples=100)[metric]
        assert found.value == found.high == 1
        assert 0.6 < found.low < 0.9


def nearest_mean(train, os_class, test):
    direction = train[os_class == 1].mean(axis=0) - train[os_class == 0].mean(axis=0)
    middle = (train[os_class == 1].mean(axis=0) + train[os_class == 0].mean(axis=0)) / 2
    return 1 / (1 + np.exp(-(test - middle) @ direction))


def judged_in_five_folds(values: np.ndarray, os_class: np.ndarray, order: np.ndarray) -> list[FoldPredictions]:
    """What classifiers fitted on four fifths of the cases say of the last one."""
    folds = []
    for fold in range(5):
        test, train = order[fold::5], np.setdiff1d(order, order[fold::5])
        folds.append(
            FoldPredictions(
                arm="arm",
                repeat=0,
                fold=fold,
                cases=tuple(map(str, test)),
                os_class=os_class[test],
                probability=nearest_mean(values[train], os_class[train], values[test]),
            )
        )
    return folds


def test_the_interval_of_classifiers_without_skill_holds_one_half_and_the_plain_bootstrap_too_seldom():
    held, plain = 0, 0
    os_class = np.repeat([0, 1], [26, 30])
    for seed in range(150):
        random = np.random.default_rng(seed)
        values, order = random.normal(size=(56, 5)), random.permutation(56)
        folds = judged_in_five_folds(values, os_class, order)
        honest = out_of_fold_auc(folds, resamples=200)
        held += honest.low <= 0.5 <= honest.high
        low, high = auc_interval(*pooled(folds)[1:], resamples=200)
        plain += low <= 0.5 <= high
    print(f"one half is held by {held} of 150 intervals, by {plain} of 150 plain bootstrap intervals")
    assert held / 150 == pytest.approx(0.95, abs=0.05)
    assert plain / 150 < 0.88


def test_the_interval_of_the_c_index_without_skill_holds_one_half_at_least_as_often_as_it_says():
    held, not_widened = 0, 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        values, order = random.normal(size=(56, 5)), random.permutation(56)
        days, died = random.exponential(530, 56), random.uniform(size=56) < 0.8
        os_class = (days > 365).astype(int)
        folds = judged_in_five_folds(values, os_class, order)
        survival = {str(n): (float(days[n]), bool(died[n])) for n in range(56)}
        found = out_of_fold_concordance(folds, survival, resamples=200)
        held += found.low <= 0.5 <= found.high
        low, high = (found.value + (end - found.value) / 1.5 for end in (found.low, found.high))
        not_widened += low <= 0.5 <= high
    print(f"a C-index of one half is held by {held} of 100 intervals, by {not_widened} that are not widened")
    assert held / 100 >= 0.95
