"""Curves over all thresholds and all probabilities: ROC, precision-recall, calibration and decision curves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PCNSLSurvivalLib.evaluation.intervals import wilson_interval
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Points of a curve, (P,) each."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class CalibrationGroups:
    """Predictions in groups of rising probability, (G,) each."""

    predicted: NDArray[np.float64]
    """Mean predicted probability of OS over one year."""
    observed: NDArray[np.float64]
    """Share that lived over one year."""
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    """95 % Wilson limits of the share."""
    predictions: NDArray[np.int64]
    """How many are in the group."""


def roc_curve(os_class: ArrayLike, probability: ArrayLike) -> Curve:
    """Sensitivity for OS over one year against one minus specificity."""
    from sklearn import metrics

    false_positive, true_positive, _ = metrics.roc_curve(os_class, probability, drop_intermediate=False)
    return Curve(x=false_positive, y=true_positive)


def mean_roc_curve(folds: Iterable[FoldPredictions]) -> Curve:
    """The mean sensitivity of the folds at each 1 - specificity, so that only answers of one model are compared.

    Each fold's curve is a staircase whose ties are diagonals, and so is the mean: a step of any fold is a step of it.
    The area under the mean is the mean of the folds' AUCs.

    Args:
        folds: Those with one class are left out.

    Returns:
        Points to be joined by straight lines, two where the curve rises at once; none where no fold has both classes.
    """
    curves = [roc_curve(one.os_class, one.probability) for one in _with_both_classes(folds)]
    if not curves:
        return Curve(x=np.empty(0), y=np.empty(0))
    at = np.unique(np.concatenate([curve.x for curve in curves]))
    ends = [_before_and_after(curve, at) for curve in curves]
    return Curve(x=np.repeat(at, 2), y=np.mean(ends, axis=0).ravel())


def _before_and_after(curve: Curve, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K, 2) height of a rising curve just before and just after each of K places."""
    x, first = np.unique(curve.x, return_index=True)
    last = np.append(first[1:], len(curve.x)) - 1
    heights = np.repeat(np.interp(at, curve.x, curve.y)[:, None], 2, axis=1)
    heights[np.isin(at, x)] = np.column_stack([curve.y[first], curve.y[last]])
    return heights


def mean_precision_recall_curve(folds: Iterable[FoldPredictions]) -> Curve:
    """The mean precision of the folds at each recall; the area under it is the mean of their average precisions.

    The precision of a fold at a recall is that of the first threshold which reaches it: nothing is interpolated, and
    the cases of a tie come together.

    Args:
        folds: Those with one class are left out.

    Returns:
        Points of a staircase to be drawn with ``where="pre"``: a precision holds from the recall before up to its own.
    """
    from sklearn import metrics

    steps = []
    for one in _with_both_classes(folds):
        precision, recall, _ = metrics.precision_recall_curve(one.os_class, one.probability)
        reached, first = np.unique(recall[::-1], return_index=True)  # from the highest threshold down
        steps.append((reached[1:], precision[::-1][first][1:]))  # recall 0 is reached by no threshold that says yes
    if not steps:
        return Curve(x=np.empty(0), y=np.empty(0))
    at = np.unique(np.concatenate([reached for reached, _ in steps]))
    mean = np.mean([precision[np.searchsorted(reached, at)] for reached, precision in steps], axis=0)
    return Curve(x=np.append(0.0, at), y=np.append(mean[0], mean))


def average_precision(os_class: ArrayLike, probability: ArrayLike) -> float:
    """The area under the precision-recall curve as a step function."""
    from sklearn import metrics

    return float(metrics.average_precision_score(os_class, probability))


def mean_average_precision(folds: Iterable[FoldPredictions]) -> tuple[float, float]:
    """The mean of the folds' average precisions, and the value for random probabilities.

    In a fold of a dozen patients the latter is well above the share of long survivors.

    Returns:
        Both NaN where no fold has both classes.

    References:
        Bestgen, Exact expected average precision of the random baseline for system evaluation, Prague Bull Math
        Linguistics 103, 2015.
    """
    both = list(_with_both_classes(folds))
    if not both:
        return float("nan"), float("nan")
    found = [average_precision(one.os_class, one.probability) for one in both]
    lot = [_chance_precision(int(one.os_class.sum()), len(one.cases)) for one in both]
    return float(np.mean(found)), float(np.mean(lot))


def _chance_precision(positives: int, cases: int) -> float:
    """Expected average precision of a random order: at rank k a positive has (k - 1) others before it."""
    harmonic = float((1 / np.arange(1, cases + 1)).sum()) / cases
    return harmonic + (positives - 1) / (cases - 1) * (1 - harmonic)


def _with_both_classes(folds: Iterable[FoldPredictions]) -> Iterable[FoldPredictions]:
    return (one for one in folds if 0 < one.os_class.sum() < len(one.cases))


def calibration_groups(
    os_class: ArrayLike, probability: ArrayLike, *, groups: int = 5, repeats: int = 1
) -> CalibrationGroups:
    """Observed against predicted in groups of nearly equal size, equal probabilities kept together.

    Args:
        os_class: (N,) true classes, 0 or 1.
        probability: (N,) predicted probabilities of class 1.
        groups: Most groups to make; fewer where probabilities repeat.
        repeats: How many predictions each patient has among these: the limits are those of so many times fewer.
    """
    truth, p = np.asarray(os_class), np.asarray(probability, dtype=np.float64)
    edges = np.unique(np.quantile(p, np.linspace(0, 1, groups + 1)[1:-1]))
    of_group = np.searchsorted(edges, p, side="left")
    found = np.unique(of_group)
    sizes = np.array([(of_group == g).sum() for g in found])
    observed = np.array([truth[of_group == g].sum() for g in found])
    low, high = wilson_interval(observed / sizes, sizes / repeats)
    return CalibrationGroups(
        predicted=np.array([p[of_group == g].mean() for g in found]),
        observed=observed / sizes,
        low=low,
        high=high,
        predictions=sizes,
    )


def net_benefit(os_class: ArrayLike, risk: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Net benefit of acting on patients whose predicted risk of death within one year reaches a threshold.

    True positives per patient, minus false positives weighted by the odds of the threshold. Treating no patient has
    net benefit 0; treating all patients is ``net_benefit`` of risk 1.

    Args:
        os_class: (N,) true classes; the event is class 0, OS up to one year.
        risk: (N,) predicted probability of OS up to one year.
        thresholds: (T,) risk from which one would act, in (0, 1).

    References:
        Vickers and Elkin, Decision curve analysis, Med Decis Making 26, 2006. doi:10.1177/0272989X06295361
    """
    died = np.asarray(os_class) == 0
    t = np.asarray(thresholds, dtype=np.float64)
    act = np.asarray(risk, dtype=np.float64)[None] >= t[:, None]
    return ((act & died).sum(axis=1) - (act & ~died).sum(axis=1) * t / (1 - t)) / len(died)
