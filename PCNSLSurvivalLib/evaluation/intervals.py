"""How sure a number is: bootstrap intervals over patients, and the standard error over folds as the paper gives it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.evaluation.classification import auc, classification_metrics

RESAMPLES = 2000
LEVEL = 0.95


def bootstrap_weights(
    strata: ArrayLike, *, patients: Sequence[str] | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """How often each case counts in each bootstrap sample.

    Whole patients are drawn with replacement, as many from each stratum as it has, so that every sample holds both
    classes and the examinations of one patient stay together.

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
    """A bootstrap interval over patients, stratified by class, for every metric of ``classification_metrics``.

    The predictions are taken as given: the interval tells how far the number would move with other patients, not with
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
        raise EvaluationError("An interval needs at least two patients. Add patients to the cohort.")
    weights = bootstrap_weights(os_class, patients=patients, resamples=resamples, seed=seed)
    samples = classification_metrics(os_class, probability, weights)
    return {metric: percentile_interval(values, level=level) for metric, values in samples.items()}


def auc_interval(
    os_class: ArrayLike, probability: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """The interval of ``bootstrap_intervals`` for the AUC alone, every case its own patient."""
    weights = bootstrap_weights(os_class, resamples=resamples, seed=seed)
    return percentile_interval(auc(os_class, probability, weights))


def standard_error(values: ArrayLike) -> float:
    """Standard deviation over folds divided by the root of their number, as in the paper.

    The training sets of the folds overlap, so it is too small; it is given for comparison with the paper only.
    Folds in which the metric is not defined are left out; NaN where fewer than two are left.
    """
    defined = np.asarray(values, dtype=np.float64)
    defined = defined[np.isfinite(defined)]
    return float(defined.std(ddof=1) / np.sqrt(len(defined))) if len(defined) > 1 else float("nan")
