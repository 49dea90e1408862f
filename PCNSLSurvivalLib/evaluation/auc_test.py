"""Is one arm's AUC higher than another's, or than 0.5? Tests over patients, for one test set and for repeated folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.evaluation.out_of_fold import widening
from PCNSLSurvivalLib.evaluation.permutation import permuted_classes
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

PERMUTATIONS = 9999
_NOTHING = 1e-12


@dataclass(frozen=True, kw_only=True)
class AUCTest:
    """A difference of two AUCs on the same patients."""

    difference: float
    standard_error: float
    """0 where every pair of patients is ordered alike; NaN where there is no pair."""
    p: float
    """Two-sided."""

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Limits of the difference by the normal distribution."""
        half = float(stats.norm.ppf((1 + level) / 2)) * self.standard_error
        return self.difference - half, self.difference + half


def detectable_difference(standard_error: float, *, power: float = 0.8, level: float = 0.05) -> float:
    """The true difference that a two-sided test finds with some probability, by the normal distribution."""
    return float(stats.norm.ppf(1 - level / 2) + stats.norm.ppf(power)) * standard_error


def paired_auc_test(
    arm: Sequence[FoldPredictions],
    against: Sequence[FoldPredictions],
    *,
    patients: Mapping[str, str] | None = None,
) -> AUCTest:
    """DeLong's test for two arms on the same patients, whose pairs are judged within a fold.

    The AUC is that of ``out_of_fold_auc``: the share of pairs of a long and a short survivor, held out together, that
    are ordered rightly. Each patient's part in the difference is summed over all repetitions and exams before the
    variance is taken, so that a patient who is predicted several times counts once. For cross-validated arms the
    variance is that of given models times (1 + n / n_train) (see ``out_of_fold_metrics``), since other training
    patients would have given other models; in one test set it is DeLong's.

    Args:
        arm: Folds of one arm.
        against: The same folds of the other arm.
        patients: Patient of each case, by name; every case its own patient if left out.

    Raises:
        EvaluationError: The arms were not judged on the same held-out cases.

    References:
        DeLong et al., Biometrics 44, 1988. Several exams of a patient: Obuchowski, Biometrics 53, 1997.
    """
    right, pairs = 0.0, 0.0
    part: dict[tuple[str, int], list[float]] = {}
    if len(against) != len(arm):
        raise EvaluationError(Message("comparison.other_folds"))
    for one, other in zip(arm, against, strict=True):
        ordered = _ordered(one, one.cases) - _ordered(_same_cases(one, other), one.cases)
        over = np.flatnonzero(one.os_class == 1)
        up_to = np.flatnonzero(one.os_class == 0)
        found = ordered[np.ix_(over, up_to)]
        right, pairs = right + float(found.sum()), pairs + found.size
        for number, of_class in ((1, over), (0, up_to)):
            sums = found.sum(axis=1 if number else 0)
            for place, total in zip(of_class, sums, strict=True):
                name = one.cases[place] if patients is None else patients.get(one.cases[place], one.cases[place])
                entry = part.setdefault((name, number), [0.0, 0.0])
                entry[0] += float(total)
                entry[1] += len(up_to) if number else len(over)
    if pairs == 0:
        return AUCTest(difference=float("nan"), standard_error=float("nan"), p=float("nan"))
    difference = right / pairs
    variance = 0.0
    for number in (0, 1):
        off = np.array([total - difference * count for (_, c), (total, count) in part.items() if c == number])
        if len(off) < 2:
            return AUCTest(difference=difference, standard_error=float("nan"), p=float("nan"))
        variance += len(off) / (len(off) - 1) * float((off**2).sum()) / pairs**2
    error = float(np.sqrt(variance * widening(arm)))
    if error < _NOTHING:
        p = 1.0 if abs(difference) < _NOTHING else float("nan")
        return AUCTest(difference=difference, standard_error=0.0, p=p)
    return AUCTest(difference=difference, standard_error=error, p=2 * float(stats.norm.sf(abs(difference) / error)))


def p_against_chance(
    folds: Sequence[FoldPredictions],
    *,
    patients: Mapping[str, str] | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> float:
    """Two-sided p of an arm's out-of-fold AUC against 0.5, from permuted outcomes.

    Every permutation gives each patient the class of another (see ``permuted_classes``), in all folds and repetitions
    alike, and leaves the predictions as they are. For cross-validated arms the distances of the permuted AUCs from 0.5
    are widened by the root of 1 + n / n_train, as intervals are: other outcomes would have given other models.

    Args:
        folds: Folds of one arm.
        patients: Patient of each case, by name; every case its own patient if left out.
        permutations: Number of permutations; p is at least 1 / (permutations + 1).
        seed: Of the permutations.

    Returns:
        NaN where no fold has patients of both classes.

    References:
        Counting the observed order: Phipson and Smyth, Stat Appl Genet Mol Biol 9, 2010.
    """
    own = {case: int(c) for one in folds for case, c in zip(one.cases, one.os_class, strict=True)}
    classes = permuted_classes(own, patients or {}, permutations, seed, folds=folds)
    right, pairs = np.zeros(1 + permutations), np.zeros(1 + permutations)
    for one in folds:
        of_cases = np.array([classes[case] for case in one.cases])
        over = of_cases.sum(axis=0)
        right += stats.rankdata(one.probability) @ of_cases - over * (over + 1) / 2
        pairs += over * (len(of_cases) - over)
    if pairs[0] == 0:
        return float("nan")
    away = np.abs(np.where(pairs > 0, right / np.where(pairs > 0, pairs, 1), 0.5) - 0.5)
    as_far = int((np.sqrt(widening(folds)) * away[1:] >= away[0] - _NOTHING).sum())
    return (1 + as_far) / (1 + permutations)


def _ordered(one: FoldPredictions, cases: Sequence[str]) -> NDArray[np.float64]:
    """(N, N) 1 where the first has the higher probability, one half where both have the same."""
    p = dict(zip(one.cases, one.probability.tolist(), strict=True))
    values = np.array([p[case] for case in cases])
    return (values[:, None] > values) + 0.5 * (values[:, None] == values)


def _same_cases(one: FoldPredictions, other: FoldPredictions) -> FoldPredictions:
    if (one.repeat, one.fold, sorted(one.cases)) != (other.repeat, other.fold, sorted(other.cases)):
        raise EvaluationError(Message("comparison.other_cases", arm=one.arm, other=other.arm))
    return other
