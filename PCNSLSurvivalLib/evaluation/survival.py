"""Survival of all patients, censored ones too: Kaplan-Meier curves, log-rank test and concordance."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from PCNSLSurvivalLib.errors import EvaluationError
from PCNSLSurvivalLib.evaluation.intervals import LEVEL, RESAMPLES, bootstrap_weights, percentile_interval


@dataclass(frozen=True, kw_only=True)
class SurvivalCurve:
    """The Kaplan-Meier estimate of one group; arrays of equal length, the first entry at day 0."""

    days: NDArray[np.float64]
    survival: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    """Pointwise 95 % limits on the log(-log) scale; NaN where the estimate is 0 or 1."""
    follow_up_days: NDArray[np.float64]
    """(N,) in rising order; those still under observation on a day are the patients at risk."""
    censored_days: NDArray[np.float64]
    patients: int
    deaths: int

    def median_days(self) -> float:
        """Days by which half of the group has died; NaN while more than half is alive."""
        reached = np.flatnonzero(self.survival <= 0.5)
        return float(self.days[reached[0]]) if len(reached) else float("nan")


def kaplan_meier(os_days: ArrayLike, death_observed: ArrayLike) -> SurvivalCurve:
    """Survival over time of one group.

    Args:
        os_days: (N,) days to death, or to the last day known alive.
        death_observed: (N,) whether the death was observed; False is censored.

    Raises:
        EvaluationError: There is no patient, or a day is not known or negative.

    References:
        Kaplan and Meier, J Am Stat Assoc 53, 1958. Limits: Kalbfleisch and Prentice, The Statistical Analysis of
        Failure Time Data, 1980; as in ``scipy.stats.ecdf``.
    """
    days, deaths = _checked(os_days, death_observed)
    sf = stats.ecdf(stats.CensoredData(uncensored=days[deaths], right=days[~deaths])).sf
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        # No limits where the estimate is 0 or 1: that is the formula, and the NaN below says so.
        warnings.filterwarnings("ignore", message="The confidence interval is undefined", category=RuntimeWarning)
        limits = sf.confidence_interval(LEVEL, method="log-log")
    inside = (sf.probabilities > 0) & (sf.probabilities < 1)
    low, high = (np.where(inside, limit.probabilities, np.nan) for limit in (limits.low, limits.high))
    return SurvivalCurve(
        days=np.concatenate([[0.0], sf.quantiles]),
        survival=np.concatenate([[1.0], sf.probabilities]),
        low=np.concatenate([[np.nan], low]),
        high=np.concatenate([[np.nan], high]),
        follow_up_days=np.sort(days),
        censored_days=np.sort(days[~deaths]),
        patients=len(days),
        deaths=int(deaths.sum()),
    )


def log_rank_p(os_days: ArrayLike, death_observed: ArrayLike, group: ArrayLike) -> float:
    """Two-sided p of the log-rank test between two groups; NaN where a group is empty or nobody died.

    Args:
        os_days: (N,) days to death, or to the last day known alive.
        death_observed: (N,) whether the death was observed.
        group: (N,) True or False.

    References:
        Mantel, Cancer Chemother Rep 50, 1966; Peto and Peto, J R Stat Soc A 135, 1972; as in ``scipy.stats.logrank``.
    """
    days, deaths = _checked(os_days, death_observed)
    of_group = np.asarray(group, dtype=bool)
    if of_group.all() or not of_group.any() or not deaths.any():
        return float("nan")
    first, second = (
        stats.CensoredData(uncensored=days[chosen & deaths], right=days[chosen & ~deaths])
        for chosen in (of_group, ~of_group)
    )
    return float(stats.logrank(first, second).pvalue)


def concordance_index(
    os_days: ArrayLike, death_observed: ArrayLike, risk: ArrayLike, weight: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Share of comparable pairs of patients in which the one with the higher risk died first (Harrell's C).

    A pair is comparable when the earlier of the two days is an observed death, and the other patient lived longer or
    was censored on that same day. Equal risks count one half. Censored patients take part in every pair that their
    follow-up decides.

    Args:
        os_days: (N,) days to death, or to the last day known alive.
        death_observed: (N,) whether the death was observed.
        risk: (N,) predicted risk: higher is worse.
        weight: (..., N) how often each patient counts; once each if left out.

    Returns:
        (...) C-index, 0 to 1, 0.5 by chance; NaN where no pair is comparable.

    References:
        Harrell et al., Evaluating the yield of medical tests, JAMA 247, 1982.
    """
    days, deaths = _checked(os_days, death_observed)
    r = np.asarray(risk, dtype=np.float64)
    w = np.ones_like(days) if weight is None else np.asarray(weight, dtype=np.float64)
    later = (days[None] > days[:, None]) | ((days[None] == days[:, None]) & ~deaths[None])
    comparable = (later & deaths[:, None]).astype(np.float64)
    concordant = comparable * ((r[:, None] > r[None]) + 0.5 * (r[:, None] == r[None]))
    pairs = ((w @ comparable) * w).sum(axis=-1)
    right = ((w @ concordant) * w).sum(axis=-1)
    return np.where(pairs > 0, right / np.where(pairs > 0, pairs, 1), np.nan)


def concordance_interval(
    os_days: ArrayLike, death_observed: ArrayLike, risk: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """A 95 % bootstrap interval over patients of the C-index, as many deaths in each sample as there are."""
    weights = bootstrap_weights(np.asarray(death_observed, dtype=bool), resamples=resamples, seed=seed)
    return percentile_interval(concordance_index(os_days, death_observed, risk, weights))


def _checked(os_days: ArrayLike, death_observed: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    days, deaths = np.asarray(os_days, dtype=np.float64), np.asarray(death_observed, dtype=bool)
    if not len(days) or days.shape != deaths.shape or not np.isfinite(days).all() or (days < 0).any():
        raise EvaluationError(
            "Survival needs for every patient the days of follow-up, zero or more, and whether the death was observed. "
            "Complete the cohort's table."
        )
    return days, deaths
