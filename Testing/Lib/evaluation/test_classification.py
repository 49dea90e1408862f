"""The metrics against independent definitions and hand-made truths; a fold with one class is no failure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression

from PCNSLSurvivalLib.evaluation.classification import classification_metrics


@pytest.fixture
def sample():
    random = np.random.default_rng(4)
    os_class = np.repeat([0, 1], [26, 30])
    return os_class, np.round(1 / (1 + np.exp(-(os_class - 0.4 + random.normal(0, 1.5, 56)))), 2)


def test_auc_is_the_mann_whitney_statistic_with_ties_counting_half(sample):
    os_class, probability = sample
    assert len(np.unique(probability)) < 56
    u = stats.mannwhitneyu(probability[os_class == 1], probability[os_class == 0]).statistic
    assert classification_metrics(os_class, probability)["auc"] == pytest.approx(u / (26 * 30))


def test_every_metric_agrees_with_scikit_learn(sample):
    os_class, probability = sample
    ours = classification_metrics(os_class, probability)
    predicted = probability >= 0.5
    macro = sk.precision_recall_fscore_support(os_class, predicted, average="macro", zero_division=0)
    assert [float(ours[name]) for name in ("auc", "accuracy", "precision", "recall", "f1", "brier")] == pytest.approx(
        [
            sk.roc_auc_score(os_class, probability),
            sk.accuracy_score(os_class, predicted),
            *macro[:3],
            sk.brier_score_loss(os_class, probability),
        ]
    )
    log_odds = np.log(probability / (1 - probability))
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds[:, None], os_class)
    assert ours["calibration_slope"] == pytest.approx(fitted.coef_[0, 0], rel=1e-4)


def test_weights_count_a_patient_as_often_as_they_say(sample):
    os_class, probability = sample
    times = np.random.default_rng(1).integers(0, 4, (3, 56))
    together = classification_metrics(os_class, probability, times)
    for row, weight in enumerate(times):
        alone = classification_metrics(np.repeat(os_class, weight), np.repeat(probability, weight))
        assert {name: float(values[row]) for name, values in together.items()} == pytest.approx(
            {name: float(value) for name, value in alone.items()}
        )


def test_probabilities_drawn_from_the_truth_have_slope_one_and_intercept_zero():
    random = np.random.default_rng(0)
    probability = random.uniform(0.05, 0.95, 20_000)
    os_class = (random.uniform(size=20_000) < probability).astype(int)
    honest = classification_metrics(os_class, probability)
    assert honest["calibration_slope"] == pytest.approx(1, abs=0.05)
    assert honest["calibration_intercept"] == pytest.approx(0, abs=0.05)
    too_sure = 1 / (1 + (1 / probability - 1) ** 2)  # twice the log-odds
    assert classification_metrics(os_class, too_sure)["calibration_slope"] == pytest.approx(0.5, abs=0.03)


def test_defect_5_two_logits_are_judged_by_softmax_and_not_by_one_logit_alone():
    logits = np.array([[3.0, 2.0], [-2.0, -1.0], [0.0, 1.0], [2.5, 1.0]])
    os_class = np.array([0, 1, 1, 0])
    softmax = np.exp(logits[:, 1]) / np.exp(logits).sum(axis=1)
    assert classification_metrics(os_class, softmax)["auc"] == 1
    assert classification_metrics(os_class, 1 / (1 + np.exp(-logits[:, 1])))["auc"] < 0.5


def test_defect_17_a_fold_with_one_class_has_an_accuracy_and_no_auc():
    result = classification_metrics([1, 1, 1], [0.9, 0.6, 0.2])
    assert result["accuracy"] == pytest.approx(2 / 3)
    assert np.isnan(result["auc"])
    assert np.isnan(result["calibration_slope"])
    assert np.isnan(result["calibration_intercept"])


def test_classes_told_apart_without_error_have_no_slope():
    result = classification_metrics([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert result["auc"] == 1
    assert np.isnan(result["calibration_slope"])


@pytest.mark.parametrize("probability", [[0.1, 0.2, 0.8, 0.9], [0.1, 0.5, 0.5, 0.9], [0.9, 0.5, 0.5, 0.1], [0.3] * 4])
def test_classes_apart_at_a_threshold_have_no_calibration_slope_ties_or_not(probability):
    assert np.isnan(classification_metrics([0, 0, 1, 1], probability)["calibration_slope"])
