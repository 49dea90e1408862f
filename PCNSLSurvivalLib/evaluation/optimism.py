"""The optimism of choosing an epoch on the patients who are reported: the same choice against permuted outcomes.

The published code reports the highest AUC that any epoch reached on the held-out fold. Among hundreds of epochs, some
order a dozen patients well by chance. How well is measured here and not assumed: the same networks' predictions after
the same epochs are judged against the outcomes of other patients, which no network can know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from PCNSLSurvivalLib.evaluation.intervals import percentile_interval
from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate, widening
from PCNSLSurvivalLib.evaluation.permutation import permuted_classes
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

PERMUTATIONS = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class EpochScores:
    """What a network said after every epoch of cases that it was not trained on.

    Attributes:
        cases: (n,) their names.
        log_odds: (E, n) of a long survival.
    """

    cases: tuple[str, ...]
    log_odds: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ScoreWithoutSkill:
    """A score, and what the same rule gives where nothing can be known.

    Attributes:
        value: With the true outcomes.
        without_skill: Mean over permuted outcomes, and the middle 95 % of them.
    """

    value: float
    without_skill: Estimate


@dataclass(frozen=True, kw_only=True)
class Optimism:
    """One arm under two rules: the epoch is chosen on other patients, or on those who are reported."""

    held_out: ScoreWithoutSkill
    """AUC of held-out patients, mean over the folds; their outcomes chose nothing. The range without skill is widened
    for overlapping training sets, as intervals are."""
    best_epoch: ScoreWithoutSkill
    """The highest AUC of any epoch on the validation exams, mean over the folds, as the published code reports; NaN
    where no fold has validation exams of both classes."""
    epochs: float
    """Epochs of a training, mean over the folds; NaN where no network kept its predictions."""
    exams: float
    """Validation exams with a class in a fold, mean over the folds; NaN where no network kept its predictions."""


def measure_optimism(
    folds: Sequence[FoldPredictions],
    trainings: Sequence[EpochScores],
    *,
    os_class: Mapping[str, int] | None = None,
    patients: Mapping[str, str] | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Optimism:
    """Judge held-out predictions and the best epochs against true and permuted outcomes.

    Every permutation gives each patient the class of another (see ``permuted_classes``), in all folds alike. Folds
    where all patients have one class have no AUC and are left out.

    Args:
        folds: Held-out predictions of one arm.
        trainings: Validation exams of the same folds' networks; none where these kept no predictions.
        os_class: Class by name of the exams that no fold holds back; those of the folds are known.
        patients: Patient of each case, by name; every case its own patient if left out.
        permutations: Number of permutations.
        seed: Of the permutations.
    """
    held_back = {case: int(c) for one in folds for case, c in zip(one.cases, one.os_class, strict=True)}
    os_class = {**(os_class or {}), **held_back}
    permuted = permuted_classes(os_class, patients or {}, permutations, seed, folds=folds)
    held_out = [EpochScores(cases=one.cases, log_odds=one.probability[None]) for one in folds]
    known = [_only(one, os_class) for one in trainings]
    return Optimism(
        held_out=_judged(held_out, permuted, widened=float(np.sqrt(widening(folds)))),
        best_epoch=_judged(known, permuted),
        epochs=_mean(np.array([len(one.log_odds) for one in known])),
        exams=_mean(np.array([len(one.cases) for one in known])),
    )


def _only(one: EpochScores, os_class: Mapping[str, int]) -> EpochScores:
    """Without the cases that have no class: a network that learns from time has some."""
    rows = [number for number, case in enumerate(one.cases) if case in os_class]
    return EpochScores(cases=tuple(one.cases[number] for number in rows), log_odds=one.log_odds[:, rows])


def _judged(
    trainings: Sequence[EpochScores], classes: Mapping[str, NDArray[np.float64]], *, widened: float = 1.0
) -> ScoreWithoutSkill:
    """The mean score over folds, and the middle 95 % of its permutations, their deviations from their mean widened."""
    outcomes = len(next(iter(classes.values())))
    best = np.array([_best_auc(one.log_odds, _columns(one.cases, classes, outcomes)) for one in trainings])
    best = best.reshape(len(trainings), outcomes)
    defined = np.isfinite(best)
    count = defined.sum(axis=0)
    mean = np.where(count > 0, np.where(defined, best, 0).sum(axis=0) / np.maximum(count, 1), np.nan)
    center = _mean(mean[1:])
    low, high = np.clip(percentile_interval(center + widened * (mean[1:] - center)), 0.0, 1.0)
    return ScoreWithoutSkill(
        value=float(mean[0]), without_skill=Estimate(value=center, low=float(low), high=float(high))
    )


def _columns(cases: Sequence[str], classes: Mapping[str, NDArray[np.float64]], outcomes: int) -> NDArray[np.float64]:
    """(n, K) classes of n cases, of which there may be none."""
    return np.array([classes[case] for case in cases], dtype=np.float64).reshape(len(cases), outcomes)


def _mean(values: NDArray[np.float64]) -> float:
    """The mean of the defined values; NaN where there are none."""
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def _best_auc(log_odds: NDArray[np.float64], os_class: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K,) the highest AUC over (E, n) epochs against each of (n, K) outcomes; NaN where all are of one class."""
    ranks = rankdata(log_odds, axis=1)
    over = os_class.sum(axis=0)
    pairs = over * (len(os_class) - over)
    with np.errstate(invalid="ignore", divide="ignore"):
        aucs = (ranks @ os_class - over * (over + 1) / 2) / pairs
    best: NDArray[np.float64] = np.where(pairs > 0, aucs.max(axis=0), np.nan)
    return best
