"""Survival of all patients, censored ones too: Kaplan-Meier curves, log-rank test by permutation, and concordance."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.evaluation.intervals import LEVEL

PERMUTATIONS = 9999
FEWEST_IN_GROUP = 5
_SAME = 1e-9  # differences of sums that rounding makes


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


@dataclass(frozen=True, kw_only=True)
class LogRankTest:
    """Two groups' deaths compared with those to be expected if survival were the same in both."""

    patients: tuple[int, int]
    """How many are in the group, and how many are not."""
    observed: int
    """Deaths in the group."""
    expected: float
    """Deaths in the group if both survived alike."""
    p: float
    """Two-sided, by permutation; NaN if a group has fewer than ``FEWEST_IN_GROUP`` patients or no patient died."""

    @property
    def too_small(self) -> bool:
        """Whether a group is too small for a p value."""
        return min(self.patients) < FEWEST_IN_GROUP


def log_rank_test(
    os_days: ArrayLike,
    death_observed: ArrayLike,
    group: ArrayLike,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> LogRankTest:
    """The log-rank test of a group against all other patients, by permutation.

    The statistic is the usual one, observed minus expected deaths of the group. Its p is not taken from the chi-squared
    distribution, which is wrong by orders of magnitude for a group of one or two, but from permuting the
    group labels. Every patient contributes the own death minus the cumulative hazard, in any group.

    Args:
        os_days: (N,) days to death, or to the last day known alive.
        death_observed: (N,) whether the death was observed.
        group: (N,) True or False.
        permutations: Number of permutations of the group labels; p is at least 1 / (permutations + 1).
        seed: Random seed of the permutations.

    References:
        Mantel, Cancer Chemother Rep 50, 1966; Peto and Peto, J R Stat Soc A 135, 1972 (the scores and their
        permutation). Counting the observed deal: Phipson and Smyth, Stat Appl Genet Mol Biol 9, 2010.
    """
    days, deaths = _checked(os_days, death_observed)
    of_group = np.asarray(group, dtype=bool)
    hazard = cumulative_hazard(days, deaths)
    patients = int(of_group.sum()), int((~of_group).sum())
    found = LogRankTest(
        patients=patients, observed=int(deaths[of_group].sum()), expected=float(hazard[of_group].sum()), p=np.nan
    )
    if found.too_small or not deaths.any():
        return found
    permuted = np.random.default_rng(seed).permuted(np.tile(of_group, (permutations, 1)), axis=1)
    excess = np.abs(permuted @ (deaths - hazard))
    as_far = int((excess >= abs(found.observed - found.expected) - _SAME).sum())
    return replace(found, p=(1 + as_far) / (1 + permutations))


def cumulative_hazard(days: NDArray[np.float64], deaths: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N,) Nelson-Aalen hazard of all patients together, up to each patient's last day."""
    died, counts = np.unique(days[deaths], return_counts=True)
    at_risk = (days[None] >= died[:, None]).sum(axis=1)
    return np.append(0.0, np.cumsum(counts / at_risk))[np.searchsorted(died, days, side="right")]


def concordant_pairs(
    os_days: ArrayLike, death_observed: ArrayLike, risk: ArrayLike, weight: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Concordant pairs (the patient with the higher risk died first), and all comparable pairs (Harrell's C).

    A pair is comparable when the earlier of the two days is an observed death, and the other patient lived longer or
    was censored on that same day. Equal risks count one half. Censored patients take part in every pair that their
    follow-up decides.

    Args:
        os_days: (N,) days to death, or to the last day known alive.
        death_observed: (N,) whether the death was observed.
        risk: (N,) predicted risk: higher is worse.
        weight: (..., N) how often each patient counts; once each if left out.

    Returns:
        (...) concordant pairs and (...) comparable pairs; the C-index is their ratio, 0.5 by chance.

    References:
        Harrell et al., Evaluating the yield of medical tests, JAMA 247, 1982.
    """
    days, deaths = _checked(os_days, death_observed)
    r = np.asarray(risk, dtype=np.float64)
    w = np.ones_like(days) if weight is None else np.asarray(weight, dtype=np.float64)
    later = (days[None] > days[:, None]) | ((days[None] == days[:, None]) & ~deaths[None])
    comparable = (later & deaths[:, None]).astype(np.float64)
    concordant = comparable * ((r[:, None] > r[None]) + 0.5 * (r[:, None] == r[None]))
    return ((w @ concordant) * w).sum(axis=-1), ((w @ comparable) * w).sum(axis=-1)


def _checked(os_days: ArrayLike, death_observed: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    days, deaths = np.asarray(os_days, dtype=np.float64), np.asarray(death_observed, dtype=bool)
    if not len(days) or days.shape != deaths.shape or not np.isfinite(days).all() or (days < 0).any():
        raise EvaluationError(Message("evaluation.no_follow_up"))
    return days, deaths
