"""How well an arm predicts survival over time, from patients that its models did not train on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS
from PCNSLSurvivalLib.evaluation.censoring import integrated_brier, inverse_censoring_weights, uno_pairs
from PCNSLSurvivalLib.evaluation.classification import ANY_NUMBER, SHARE, auc
from PCNSLSurvivalLib.evaluation.intervals import RESAMPLES, bootstrap_weights
from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate, estimate
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

UNTIL_DAYS = 1095.0
"""Three years: later deaths have large weights, as few are followed so long."""

FloatArray = NDArray[np.float64]


def out_of_fold_survival(
    folds: Sequence[FoldPredictions],
    survival: Mapping[str, tuple[float, bool]],
    *,
    class_days: float = ONE_YEAR_DAYS,
    until_days: float = UNTIL_DAYS,
    patients: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Brier score, AUC and calibration at each time that an arm predicts, and Uno's C-index; weighted for censoring.

    An arm that predicts the class alone is judged at the limit of the classes. Pairs are of patients judged by the same
    model. The intervals are made as that of ``out_of_fold_concordance``, with the weights for censoring taken as given.

    Args:
        folds: All folds of one arm.
        survival: Days of follow-up, and whether the death was observed, by case; cases without are left out.
        class_days: Limit of the classes.
        until_days: Deaths from this day on do not count in the C-index, the same in arms that are compared.
        patients: Patient of each case, by name; every case its own patient if left out.
        resamples: Number of bootstrap samples.
        seed: Seed of the bootstrap.

    Returns:
        By name: ``brier_365``, ``auc_365`` and ``calibration_365`` (mean predicted minus observed survival; 0 is ideal)
        for each time, ``uno_c``, and for curves ``brier_integrated`` from the first time to the last.
    """
    cases = sorted({case for one in folds for case in (*one.cases, *one.censored) if case in survival})
    if not cases:
        return {}
    place = {case: number for number, case in enumerate(cases)}
    days = np.array([survival[case][0] for case in cases])
    deaths = np.array([survival[case][1] for case in cases])
    names = None if patients is None else [patients.get(case, case) for case in cases]
    drawn = bootstrap_weights(deaths, patients=names, resamples=resamples, seed=seed)
    counted = np.vstack([np.ones((1, len(cases))), drawn])
    said = [_curves(one, place, class_days) for one in folds]
    times = tuple(said[0][2])
    found, brier = {}, []
    for time in times:
        weight, alive = inverse_censoring_weights(days, deaths, time), (days > time).astype(np.float64)
        mean = [_mean_of_repeat(folds, said, repeat, time, len(cases)) for repeat in sorted({f.repeat for f in folds})]
        share = [counted * np.isfinite(one) for one in mean]
        errors = [s @ (weight * (alive - np.nan_to_num(one)) ** 2) for one, s in zip(mean, share, strict=True)]
        total = [s.sum(axis=1) for s in share]
        off = [s @ (np.nan_to_num(one) - weight * alive) for one, s in zip(mean, share, strict=True)]
        brier.append(np.mean([one / n for one, n in zip(errors, total, strict=True)], axis=0))
        found[f"brier_{time:g}"] = estimate(SHARE, brier[-1], folds)
        found[f"auc_{time:g}"] = estimate(SHARE, _auc(folds, said, time, weight, alive, counted), folds)
        calibration = np.mean([one / n for one, n in zip(off, total, strict=True)], axis=0)
        found[f"calibration_{time:g}"] = estimate(ANY_NUMBER, calibration, folds)
    if len(times) > 1:
        found["brier_integrated"] = estimate(SHARE, integrated_brier(brier, times), folds)
    found["uno_c"] = estimate(SHARE, _uno(folds, said, days, deaths, counted, until_days), folds)
    return found


_Said = tuple[NDArray[np.int64], FloatArray, dict[float, FloatArray]]


def _curves(one: FoldPredictions, place: Mapping[str, int], class_days: float) -> _Said:
    """Places of the cases that a fold judges, their probability of a long survival, and of surviving each time."""
    known = [number for number, case in enumerate((*one.cases, *one.censored)) if case in place]
    where = np.array([place[(*one.cases, *one.censored)[number]] for number in known], dtype=np.int64)
    probability = np.concatenate([one.probability, one.censored_probability])[known]
    if not one.days:
        return where, probability, {class_days: probability}
    assert one.survival is not None
    assert one.censored_survival is not None
    curves = np.vstack([one.survival, one.censored_survival])[known]
    return where, probability, dict(zip(one.days, curves.T, strict=True))


def _mean_of_repeat(
    folds: Sequence[FoldPredictions], said: Sequence[_Said], repeat: int, time: float, count: int
) -> FloatArray:
    """(N,) mean over the models of one repetition that judge a case; NaN where none does."""
    total, models = np.zeros(count), np.zeros(count)
    for one, (where, _, curves) in zip(folds, said, strict=True):
        if one.repeat == repeat:
            total[where] += curves[time]
            models[where] += 1
    return np.where(models > 0, total / np.maximum(models, 1), np.nan)


def _auc(
    folds: Sequence[FoldPredictions],
    said: Sequence[_Said],
    time: float,
    weight: FloatArray,
    alive: FloatArray,
    counted: FloatArray,
) -> FloatArray:
    right, pairs = np.zeros(len(counted)), np.zeros(len(counted))
    for where, _, curves in said:
        w = counted[:, where] * weight[where]
        n = (w @ alive[where]) * (w @ (1 - alive[where]))
        right += np.where(n > 0, n * np.nan_to_num(auc(alive[where], curves[time], w)), 0)
        pairs += n
    return np.where(pairs > 0, right / np.where(pairs > 0, pairs, 1), np.nan)


def _uno(
    folds: Sequence[FoldPredictions],
    said: Sequence[_Said],
    days: FloatArray,
    deaths: NDArray[np.bool_],
    counted: FloatArray,
    until: float,
) -> FloatArray:
    """Of the risk of not surviving the class limit, in (1 + resamples,) samples."""
    weight = inverse_censoring_weights(days, deaths, np.inf)
    judges = np.zeros((max(one.repeat for one in folds) + 1, len(days)))
    for one, (where, _, _) in zip(folds, said, strict=True):
        judges[one.repeat, where] += 1
    right, pairs = np.zeros(len(counted)), np.zeros(len(counted))
    for one, (where, probability, _) in zip(folds, said, strict=True):
        of_fold = uno_pairs(days[where], deaths[where], -probability, weight[where], until)
        w = counted[:, where] / judges[one.repeat, where]
        right, pairs = (
            total + ((w @ table) * w).sum(axis=1) for total, table in zip((right, pairs), of_fold, strict=True)
        )
    return np.where(pairs > 0, right / np.where(pairs > 0, pairs, 1), np.nan)
