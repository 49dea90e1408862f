"""Metrics of predicted survival, weighted for censoring: Brier score, AUC at a time, and Uno's C-index.

A patient whose follow-up decides a question stands for those who were censored before it: weight one over the chance of
not having been censored until then. All are right where censoring does not depend on survival.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PCNSLSurvivalLib.evaluation.classification import auc
from PCNSLSurvivalLib.evaluation.survival import kaplan_meier


def inverse_censoring_weights(
    os_days: ArrayLike, death_observed: ArrayLike, threshold_days: float
) -> NDArray[np.float64]:
    """One over the chance of not having been censored before the class was known; 0 without a class.

    Early-censored patients leave more short survivors than long ones with a class, since only long survival has to wait
    for its class. The weights undo this where censoring does not depend on survival.

    Args:
        os_days: (N,) days to death, or to the last day known alive.
        death_observed: (N,) whether the death was observed.
        threshold_days: Limit of the classes.

    Returns:
        (N,) weights; they add up to N where the last patients under observation have a class.

    References:
        Robins and Rotnitzky, in AIDS Epidemiology: Methodological Issues, 1992. Graf et al., Stat Med 18, 1999.
    """
    days, deaths = np.asarray(os_days, dtype=np.float64), np.asarray(death_observed, dtype=bool)
    # On a day with both, deaths come first: whoever died that day was not at risk of being censored on it.
    uncensored = kaplan_meier(np.where(deaths, np.nextafter(days, -np.inf), days).clip(0), ~deaths)
    before = np.searchsorted(uncensored.days, np.minimum(days, threshold_days), side="left") - 1
    at_threshold = np.searchsorted(uncensored.days, threshold_days, side="right") - 1
    chance = uncensored.survival[np.where(days > threshold_days, at_threshold, before.clip(0))]
    known = (days > threshold_days) | deaths
    return np.where(known, 1.0 / np.where(known, chance, 1.0), 0.0)


def brier_at(
    os_days: ArrayLike,
    death_observed: ArrayLike,
    survival_probability: ArrayLike,
    at_days: float,
    *,
    times_counted: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Weighted mean squared error of predicted survival at one time; 0 is perfect, 0.25 says one half to every patient.

    Args:
        os_days: (N,) days to death, or to the last day known alive.
        death_observed: (N,) whether the death was observed.
        survival_probability: (N,) predicted probability of surviving ``at_days``.
        at_days: The time.
        times_counted: (..., N) how often each patient counts; once each if left out.

    Returns:
        (...) score.

    References:
        Graf et al., Assessment and comparison of prognostic classification schemes, Stat Med 18, 1999.
    """
    alive = (np.asarray(os_days, dtype=np.float64) > at_days).astype(np.float64)
    weight = inverse_censoring_weights(os_days, death_observed, at_days)
    counted = np.ones_like(alive) if times_counted is None else np.asarray(times_counted, dtype=np.float64)
    error: NDArray[np.float64] = counted @ (weight * (alive - np.asarray(survival_probability)) ** 2)
    return error / counted.sum(axis=-1)


def integrated_brier(scores: Sequence[ArrayLike], at_days: Sequence[float]) -> NDArray[np.float64]:
    """Mean of Brier scores over time, from the first time to the last, by the trapezoidal rule.

    Args:
        scores: The score at each time, of any equal shape.
        at_days: The times, rising.
    """
    values = np.array([np.asarray(one, dtype=np.float64) for one in scores])
    mean: NDArray[np.float64] = np.trapezoid(values, at_days, axis=0) / (at_days[-1] - at_days[0])
    return mean


def auc_at(
    os_days: ArrayLike, death_observed: ArrayLike, survival_probability: ArrayLike, at_days: float
) -> NDArray[np.float64]:
    """Chance that of a patient who died by a time and one who lived longer, the latter has the higher probability.

    Args:
        os_days: (N,) days to death, or to the last day known alive.
        death_observed: (N,) whether the death was observed.
        survival_probability: (N,) predicted probability of surviving ``at_days``.
        at_days: The time.

    References:
        Uno et al., J Am Stat Assoc 102, 2007; Hung and Chiang, Can J Stat 38, 2010 (cumulative, dynamic).
    """
    alive = np.asarray(os_days, dtype=np.float64) > at_days
    return auc(alive, survival_probability, inverse_censoring_weights(os_days, death_observed, at_days))


def uno_pairs(
    os_days: ArrayLike, death_observed: ArrayLike, risk: ArrayLike, weight: ArrayLike, until_days: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight of each concordant pair, and of each comparable one: (N, N), the earlier death in the row.

    Args:
        os_days: (N,) days to death, or to the last day known alive.
        death_observed: (N,) whether the death was observed.
        risk: (N,) predicted risk: higher is worse.
        weight: (N,) one over the chance of not having been censored before the own day.
        until_days: Deaths from this day on are not counted.
    """
    days, deaths = np.asarray(os_days, dtype=np.float64), np.asarray(death_observed, dtype=bool)
    r = np.asarray(risk, dtype=np.float64)
    counts = deaths & (days < until_days)
    later = (days[None] > days[:, None]) | ((days[None] == days[:, None]) & ~deaths[None])
    comparable = (later & counts[:, None]) * (np.asarray(weight, dtype=np.float64) ** 2)[:, None]
    return comparable * ((r[:, None] > r[None]) + 0.5 * (r[:, None] == r[None])), comparable


def uno_concordance(
    os_days: ArrayLike, death_observed: ArrayLike, risk: ArrayLike, *, until_days: float = np.inf
) -> float:
    """Uno's C-index: the C-index without the pattern of censoring in it; 0.5 by chance.

    Args:
        os_days: (N,) days to death, or to the last day known alive.
        death_observed: (N,) whether the death was observed.
        risk: (N,) predicted risk: higher is worse.
        until_days: Deaths from this day on are not counted: late ones have large weights.

    Returns:
        The index; NaN where no pair can be compared.

    References:
        Uno et al., On the C-statistics for evaluating overall adequacy of risk prediction, Stat Med 30, 2011.
    """
    weight = inverse_censoring_weights(os_days, death_observed, np.inf)
    concordant, comparable = uno_pairs(os_days, death_observed, risk, weight, until_days)
    return float(concordant.sum() / comparable.sum()) if comparable.any() else float("nan")
