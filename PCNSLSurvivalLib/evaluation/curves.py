"""Curves over all thresholds and all probabilities: ROC, precision-recall, calibration and decision curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Points of a curve, (P,) each."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class CalibrationGroups:
    """Patients in groups of rising predicted probability, (G,) each."""

    predicted: NDArray[np.float64]
    """Mean predicted probability of OS over one year."""
    observed: NDArray[np.float64]
    """Share that lived over one year."""
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    """95 % Wilson limits of the share."""
    patients: NDArray[np.int64]


def roc_curve(os_class: ArrayLike, probability: ArrayLike) -> Curve:
    """Sensitivity for OS over one year against one minus specificity."""
    from sklearn import metrics

    false_positive, true_positive, _ = metrics.roc_curve(os_class, probability, drop_intermediate=False)
    return Curve(x=false_positive, y=true_positive)


def precision_recall_curve(os_class: ArrayLike, probability: ArrayLike) -> Curve:
    """Precision against recall of OS over one year, from recall 0 up."""
    from sklearn import metrics

    precision, recall, _ = metrics.precision_recall_curve(os_class, probability)
    return Curve(x=recall[::-1], y=precision[::-1])


def average_precision(os_class: ArrayLike, probability: ArrayLike) -> float:
    """The area under the precision-recall curve as a step function."""
    from sklearn import metrics

    return float(metrics.average_precision_score(os_class, probability))


def calibration_groups(os_class: ArrayLike, probability: ArrayLike, *, groups: int = 5) -> CalibrationGroups:
    """Observed against predicted in groups of nearly equal size, equal probabilities kept together.

    Args:
        os_class: (N,) true classes, 0 or 1.
        probability: (N,) predicted probabilities of class 1.
        groups: Most groups to make; fewer where probabilities repeat.
    """
    truth, p = np.asarray(os_class), np.asarray(probability, dtype=np.float64)
    edges = np.unique(np.quantile(p, np.linspace(0, 1, groups + 1)[1:-1]))
    of_group = np.searchsorted(edges, p, side="left")
    found = np.unique(of_group)
    sizes = np.array([(of_group == g).sum() for g in found])
    observed = np.array([truth[of_group == g].sum() for g in found])
    limits = [
        stats.binomtest(int(k), int(n)).proportion_ci(method="wilson") for k, n in zip(observed, sizes, strict=True)
    ]
    return CalibrationGroups(
        predicted=np.array([p[of_group == g].mean() for g in found]),
        observed=observed / sizes,
        low=np.array([limit.low for limit in limits]),
        high=np.array([limit.high for limit in limits]),
        patients=sizes,
    )


def net_benefit(os_class: ArrayLike, risk: ArrayLike, thresholds: ArrayLike) -> NDArray[np.float64]:
    """Net benefit of acting on patients whose predicted risk of death within one year reaches a threshold.

    True positives per patient, minus false positives weighted by the odds of the threshold. Acting on nobody has net
    benefit 0; acting on everybody is ``net_benefit`` of risk 1.

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
