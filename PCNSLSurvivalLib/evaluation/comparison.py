"""Comparison of two arms on the same folds: the paper's t-test, and one with a valid error rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.evaluation.classification import classification_metrics
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions


@dataclass(frozen=True, kw_only=True)
class TTest:
    """A two-sided t-test of paired fold differences against 0."""

    difference: float
    standard_error: float
    degrees_of_freedom: int
    t: float
    p: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two arms compared by one metric over the same folds; the difference is that of ``arm`` minus ``against``."""

    arm: str
    against: str
    metric: str
    paper: TTest
    corrected: TTest


def paired_t_test(differences: ArrayLike) -> TTest:
    """The paired t-test that takes the folds for independent, as the paper does.

    Training sets overlap, so the true standard error is larger: two equally good arms are called different far more
    often than the nominal 5 %.
    """
    return _t_test(differences, 0.0)


def corrected_resampled_t_test(differences: ArrayLike, *, test_to_train: float) -> TTest:
    """The paired t-test with the variance corrected for overlapping training sets.

    For J differences of variance s² the squared standard error is (1/J + n_test/n_train) s² in place of s²/J, with
    J - 1 degrees of freedom.

    Args:
        differences: (J,) paired differences, one for each fold of each repetition; NaN is left out.
        test_to_train: Test cases over training cases of a fold, 0.25 in five folds.

    References:
        Nadeau and Bengio, Inference for the generalization error, Machine Learning 52, 2003.
        doi:10.1023/A:1024068626366. Repeated folds: Bouckaert and Frank, PAKDD 2004. doi:10.1007/978-3-540-24775-3_3
    """
    return _t_test(differences, test_to_train)


def _t_test(differences: ArrayLike, test_to_train: float) -> TTest:
    d = np.asarray(differences, dtype=np.float64)
    d = d[np.isfinite(d)]
    if len(d) < 2:
        return TTest(
            difference=float(d.mean()) if len(d) else np.nan,
            standard_error=np.nan,
            degrees_of_freedom=max(len(d) - 1, 0),
            t=np.nan,
            p=np.nan,
        )
    mean = float(d.mean())
    # Equal differences leave no spread to judge them by, whatever their last digits are; all zero, nothing to judge.
    equal = np.ptp(d) <= 1e-12 * np.abs(d).max()
    error = 0.0 if equal else float(np.sqrt((1 / len(d) + test_to_train) * d.var(ddof=1)))
    t = mean / error if not equal else (0.0 if mean == 0 else np.nan)
    p = 2 * float(stats.t.sf(abs(t), len(d) - 1))
    return TTest(difference=mean, standard_error=error, degrees_of_freedom=len(d) - 1, t=t, p=p)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """P values adjusted for their number by Holm's step-down method; NaN stays NaN and is not counted.

    References:
        Holm, A simple sequentially rejective multiple test procedure, Scand J Statist 6, 1979.
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    order = np.argsort(p)[: int(np.isfinite(p).sum())]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def compare(arm: Sequence[FoldPredictions], against: Sequence[FoldPredictions], metric: str) -> Comparison:
    """Compare two arms by one metric, fold by fold.

    Args:
        arm: Folds of one arm, as ``by_arm`` gives them.
        against: The same folds of the other arm.
        metric: A metric of ``classification_metrics``; folds where it is not defined are left out.

    Raises:
        EvaluationError: The two arms were not judged on the same held-out cases.
    """
    if _held_out(arm) != _held_out(against):
        raise EvaluationError(Message("comparison.other_cases", arm=arm[0].arm, other=against[0].arm))
    differences = fold_values(arm, metric) - fold_values(against, metric)
    return Comparison(
        arm=arm[0].arm,
        against=against[0].arm,
        metric=metric,
        paper=paired_t_test(differences),
        corrected=corrected_resampled_t_test(differences, test_to_train=test_to_train_ratio(arm)),
    )


def fold_values(folds: Sequence[FoldPredictions], metric: str) -> NDArray[np.float64]:
    """(J,) one metric in each fold; NaN where it is not defined."""
    return np.array(
        [float(classification_metrics(one.os_class, one.probability, threshold=one.threshold)[metric]) for one in folds]
    )


def test_to_train_ratio(folds: Sequence[FoldPredictions]) -> float:
    """Mean number of held-out cases over mean number of training cases of a fold."""
    held_out = np.array([len(one.cases) for one in folds], dtype=np.float64)
    repeats = np.array([one.repeat for one in folds])
    everyone = np.array([held_out[repeats == repeat].sum() for repeat in repeats])
    train = (everyone - held_out).mean()
    return float(held_out.mean() / train) if train > 0 else float("inf")


def _held_out(folds: Sequence[FoldPredictions]) -> list[tuple[int, int, tuple[str, ...]]]:
    return [(one.repeat, one.fold, tuple(sorted(one.cases))) for one in folds]
