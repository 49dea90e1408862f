"""Discrimination and calibration of predicted probabilities of the two OS classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PCNSLSurvivalLib.core.terms import CLASS_THRESHOLD
from PCNSLSurvivalLib.models.calibration import logistic

Limits = tuple[float, float]
SHARE: Limits = (0.0, 1.0)
ANY_NUMBER: Limits = (-np.inf, np.inf)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What tables and intervals need to know of one metric."""

    label: str
    limits: Limits
    """The smallest and the largest value it can have; no interval reaches beyond."""
    any_prevalence: bool = False
    """Whether it does not depend on how common each class is."""
    of_probabilities: bool = False
    """Whether it changes when all log-odds are divided by a temperature, which moves no patient past another."""


METRICS = {
    "auc": Metric(label="AUC", limits=SHARE, any_prevalence=True),
    "accuracy": Metric(label="Accuracy", limits=SHARE),
    "precision": Metric(label="Precision (macro)", limits=SHARE),
    "recall": Metric(label="Recall (macro)", limits=SHARE, any_prevalence=True),
    "f1": Metric(label="F1 (macro)", limits=SHARE),
    "brier": Metric(label="Brier score", limits=SHARE, of_probabilities=True),
    "calibration_slope": Metric(label="Calibration slope", limits=ANY_NUMBER, of_probabilities=True),
    "calibration_intercept": Metric(label="Calibration intercept", limits=ANY_NUMBER, of_probabilities=True),
}
"""Everything that ``classification_metrics`` computes, in the order of the tables."""
PAPER_METRICS = ("auc", "accuracy", "precision", "recall", "f1")

_SMALLEST = 1e-6  # a probability of exactly 0 or 1 has no log-odds
_NEWTON_STEPS = 15
_STEEPEST = 1e3


def classification_metrics(
    os_class: ArrayLike,
    probability: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    threshold: float = CLASS_THRESHOLD,
) -> dict[str, NDArray[np.float64]]:
    """Every metric of ``METRICS``, for one sample or for thousands of bootstrap samples at once.

    AUC is the Mann-Whitney statistic, ties counting one half. Precision, recall and F1 are means over the classes that
    occur among truths or predictions; a class never predicted has precision 0, as in scikit-learn and so in the paper.
    The slope is that of a logistic regression of the outcome on the predicted log-odds, the intercept that of one with
    slope 1 (calibration in the large): 1 and 0 are ideal, a slope below 1 means too extreme probabilities.

    Args:
        os_class: (N,) true classes, 0 or 1.
        probability: (N,) predicted probabilities of class 1.
        weight: (..., N) how often each patient counts; once each if left out.
        threshold: From this probability up, class 1 is predicted.

    Returns:
        Name of the metric to an array of shape (...). NaN where it is not defined: AUC and calibration of a sample
        with one class, the slope where one threshold tells the classes apart, ties at the threshold aside.

    References:
        Cox, Two further applications of a model for binary regression, Biometrika 45, 1958.
        Van Calster et al., A calibration hierarchy for risk models, J Clin Epidemiol 74, 2016.
    """
    truth = np.asarray(os_class, dtype=np.float64)
    p = np.asarray(probability, dtype=np.float64)
    w = np.ones_like(truth) if weight is None else np.asarray(weight, dtype=np.float64)
    predicted = (p >= threshold).astype(np.float64)
    tp, fp = w @ (truth * predicted), w @ ((1 - truth) * predicted)
    fn, tn = w @ (truth * (1 - predicted)), w @ ((1 - truth) * (1 - predicted))
    precision = _macro((tp, tn), (tp + fp, tn + fn), (tp + fp + fn, tn + fp + fn))
    recall = _macro((tp, tn), (tp + fn, tn + fp), (tp + fp + fn, tn + fp + fn))
    f1 = _macro((2 * tp, 2 * tn), (2 * tp + fp + fn, 2 * tn + fp + fn), (tp + fp + fn, tn + fp + fn))
    area = auc(truth, p, w)
    slope, intercept = _calibration(truth, p, w, separated=_separated(truth, p, w))
    return {
        "auc": area,
        "accuracy": (tp + tn) / w.sum(axis=-1),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "brier": w @ (p - truth) ** 2 / w.sum(axis=-1),
        "calibration_slope": slope,
        "calibration_intercept": intercept,
    }


def _macro(
    right: tuple[NDArray, NDArray], of: tuple[NDArray, NDArray], occurs: tuple[NDArray, NDArray]
) -> NDArray[np.float64]:
    """Mean of ``right / of`` over the classes that occur; 0 where there is nothing to be right of."""
    shares = [r / np.where(n > 0, n, 1) for r, n in zip(right, of, strict=True)]
    present = [(n > 0).astype(np.float64) for n in occurs]
    return (shares[0] * present[0] + shares[1] * present[1]) / (present[0] + present[1])


def auc(os_class: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None) -> NDArray[np.float64]:
    """The AUC alone, as in ``classification_metrics``: (...) for weights of shape (..., N)."""
    truth = np.asarray(os_class, dtype=np.float64)
    p = np.asarray(probability, dtype=np.float64)
    w = np.ones_like(truth) if weight is None else np.asarray(weight, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.diff(p[order], prepend=-np.inf))  # of the groups of equal probability
    positive = np.add.reduceat((w * truth)[..., order], starts, axis=-1)
    negative = np.add.reduceat((w * (1 - truth))[..., order], starts, axis=-1)
    below = np.cumsum(negative, axis=-1) - negative / 2
    pairs = positive.sum(axis=-1) * negative.sum(axis=-1)
    return np.where(pairs > 0, (positive * below).sum(axis=-1) / np.where(pairs > 0, pairs, 1), np.nan)


def _separated(truth: NDArray, p: NDArray, w: NDArray) -> NDArray[np.bool_]:
    """Whether the classes overlap at one probability at most: then the likelihood has no largest slope."""
    counts = w > 0

    def extremes(of_class: NDArray) -> tuple[NDArray, NDArray]:
        held = counts & of_class.astype(bool)
        return np.where(held, p, np.inf).min(axis=-1), np.where(held, p, -np.inf).max(axis=-1)

    (low_0, high_0), (low_1, high_1) = extremes(1 - truth), extremes(truth)
    found: NDArray[np.bool_] = (high_0 <= low_1) | (high_1 <= low_0)
    return found


def _calibration(truth: NDArray, p: NDArray, w: NDArray, *, separated: NDArray) -> tuple[NDArray, NDArray]:
    """Slope, and intercept at slope 1, by Newton's method on the two logistic likelihoods."""
    p = np.clip(p, _SMALLEST, 1 - _SMALLEST)
    log_odds = np.log(p / (1 - p))
    one_class = ((w @ truth) == 0) | ((w @ (1 - truth)) == 0)
    intercept = np.zeros(w.shape[:-1])
    for _ in range(_NEWTON_STEPS):
        fitted = logistic(intercept[..., None] + log_odds)
        curvature = (w * fitted * (1 - fitted)).sum(axis=-1)
        intercept = intercept + np.clip((w * (truth - fitted)).sum(axis=-1) / (curvature + 1e-12), -1, 1)
    a, b = np.zeros(w.shape[:-1]), np.zeros(w.shape[:-1])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for _ in range(_NEWTON_STEPS):
            fitted = logistic(a[..., None] + b[..., None] * log_odds)
            rest, v = w * (truth - fitted), w * fitted * (1 - fitted)
            g0, g1 = rest.sum(axis=-1), rest @ log_odds
            h00, h01, h11 = v.sum(axis=-1), v @ log_odds, v @ log_odds**2
            det = h00 * h11 - h01**2
            a, b = a + (h11 * g0 - h01 * g1) / det, b + (h00 * g1 - h01 * g0) / det
        slope = np.where(separated | (np.ptp(log_odds) == 0) | ~(np.abs(b) < _STEEPEST), np.nan, b)
    return slope, np.where(one_class, np.nan, intercept)
