"""Uncertainty of a metric: bootstrap intervals over patients, and the paper's standard error over folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.evaluation.classification import METRICS, SHARE, Limits, auc, classification_metrics

RESAMPLES = 2000
_WILSON_Z = 1.959963984540054  # of a 95 % interval
LEVEL = 0.95


def bootstrap_weights(
    strata: ArrayLike, *, patients: Sequence[str] | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """How often each case counts in each bootstrap sample.

    Whole patients are drawn with replacement, as many from each stratum as it has, so that every sample holds both
    classes and the exams of one patient stay together.

    Args:
        strata: (N,) stratum of each case, such as its class; that of a patient's first case is the patient's.
        patients: (N,) patient of each case; every case its own if left out.
        resamples: Number B of samples.
        seed: Seed of the draw.

    Returns:
        (B, N) counts.
    """
    strata = np.asarray(strata)
    names = np.arange(len(strata)) if patients is None else np.asarray(patients)
    _, first, of_case = np.unique(names, return_index=True, return_inverse=True)
    random = np.random.default_rng(seed)
    counts = np.zeros((resamples, len(first)))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata[first] == stratum)
        if len(members):
            counts[:, members] = random.multinomial(len(members), np.full(len(members), 1 / len(members)), resamples)
    return counts[:, of_case]


def percentile_interval(samples: ArrayLike, *, level: float = LEVEL) -> tuple[float, float]:
    """The middle ``level`` of the bootstrap values of one number; samples where it is not defined are left out.

    Returns:
        Lower and upper end; NaN where no sample defines the number.
    """
    values = np.asarray(samples, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def bootstrap_intervals(
    os_class: ArrayLike,
    probability: ArrayLike,
    *,
    patients: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """A bootstrap interval over patients for every metric of ``classification_metrics``.

    Samples keep the numbers of the two classes for the metrics that do not depend on how common a
    class is; for the others the numbers vary as they would with other patients. Where every sample gives the same
    number, Wilson's limits for the number of patients stand in (see ``never_certain``).

    The predictions are taken as given: the interval shows how far the number would move with other patients, not with
    another training run.

    Args:
        os_class: (N,) true classes, 0 or 1.
        probability: (N,) out-of-fold probabilities of class 1.
        patients: (N,) patient of each case; every case its own if left out.
        resamples: Number of bootstrap samples.
        level: Share of the samples inside the interval.
        seed: Seed of the draw.

    Raises:
        EvaluationError: There are fewer than two patients.

    References:
        Efron and Tibshirani, An Introduction to the Bootstrap, 1993.
    """
    if len(np.asarray(os_class)) < 2:
        raise EvaluationError(Message("evaluation.few_patients"))
    os_class = np.asarray(os_class)
    values = classification_metrics(os_class, probability)
    number = len(os_class) if patients is None else len(set(patients))
    intervals: dict[str, tuple[float, float]] = {}
    for strata, chosen in ((os_class, True), (np.zeros_like(os_class), False)):
        weights = bootstrap_weights(strata, patients=patients, resamples=resamples, seed=seed)
        samples = classification_metrics(os_class, probability, weights)
        intervals |= {
            metric: never_certain(
                METRICS[metric].limits, float(values[metric]), percentile_interval(drawn, level=level), number
            )
            for metric, drawn in samples.items()
            if METRICS[metric].any_prevalence == chosen
        }
    return {metric: intervals[metric] for metric in values}


def never_certain(limits: Limits, value: float, interval: tuple[float, float], number: float) -> tuple[float, float]:
    """The interval, or Wilson's limits where that of a share has no width.

    A bootstrap of an arm that is always right, or always says the same, gives the same number every time: 1.00 from
    twenty patients would have no doubt at all.

    Args:
        limits: Smallest and largest value of the metric; Wilson's limits are those of a share, from 0 to 1.
        value: The value of the metric.
        interval: By bootstrap.
        number: Patients, or fewer where the interval has to be wider.
    """
    low, high = interval
    if limits != SHARE or not np.isfinite(value) or not high - low < 1e-9:
        return interval
    wilson_low, wilson_high = wilson_interval(np.array(value), np.array(float(number)))
    return float(wilson_low), float(wilson_high)


def wilson_interval(
    share: NDArray[np.float64], number: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % limits of a share, for numbers that need not be whole.

    References:
        Wilson, Probable inference, the law of succession, and statistical inference, J Am Stat Assoc 22, 1927.
    """
    z2 = _WILSON_Z**2
    center = (share + z2 / (2 * number)) / (1 + z2 / number)
    half = np.sqrt(z2 * share * (1 - share) / number + (z2 / (2 * number)) ** 2) / (1 + z2 / number)
    # Of a share of 0 or 1 rounding must not put the share outside its limits.
    return np.minimum(center - half, share), np.maximum(center + half, share)


def auc_interval(
    os_class: ArrayLike, probability: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """The interval of ``bootstrap_intervals`` for the AUC alone, every case its own patient."""
    weights = bootstrap_weights(os_class, resamples=resamples, seed=seed)
    interval = percentile_interval(auc(os_class, probability, weights))
    return never_certain(SHARE, float(auc(os_class, probability)), interval, len(weights[0]))


def standard_error(values: ArrayLike) -> float:
    """Standard deviation over folds divided by the root of their number, as in the paper.

    The training sets of the folds overlap, so it is too small; it is given for comparison with the paper only.
    Folds in which the metric is not defined are left out; NaN where fewer than two are left.
    """
    defined = np.asarray(values, dtype=np.float64)
    defined = defined[np.isfinite(defined)]
    return float(defined.std(ddof=1) / np.sqrt(len(defined))) if len(defined) > 1 else float("nan")
