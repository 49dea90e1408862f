"""One number for a whole cross-validation, with a valid interval.

Two things make the usual pooled AUC and its bootstrap interval wrong here: probabilities of models from different
folds do not share one scale, and a bootstrap over held-out patients takes the models as given although other training
patients would have given other models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.evaluation.classification import ANY_NUMBER, METRICS, SHARE, Limits, auc, classification_metrics
from PCNSLSurvivalLib.evaluation.intervals import (
    RESAMPLES,
    bootstrap_weights,
    never_certain,
    percentile_interval,
)
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, pooled
from PCNSLSurvivalLib.evaluation.survival import concordant_pairs


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number and its 95 % interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


def out_of_fold_metrics(
    folds: Sequence[FoldPredictions],
    *,
    patients: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Every metric of ``classification_metrics`` over all held-out cases of an arm.

    AUC is the share of pairs of a long and a short survivor, held out in the same fold and so judged by the same model,
    in which the long survivor has the higher probability. The other metrics are those of all held-out cases of one
    repetition, averaged over the repetitions.

    The interval is a bootstrap over patients whose deviations are widened by sqrt(1 + n / n_train) for n cases and
    n_train training cases of a fold: what Nadeau and Bengio's correction for overlapping training sets makes of one
    repetition, 1.5 in five folds. Samples keep the numbers of the two classes for AUC and recall alone, since the other
    metrics depend on how common a class is. The interval of the calibration intercept is not widened where folds are
    stratified by class: all models then learned the same share of long survivors, whichever their training patients.
    Where all samples agree, Wilson's limits stand in.

    Args:
        folds: All folds of one arm.
        patients: Patient of each case, by name; every case its own patient if left out.
        resamples: Number of bootstrap samples.
        seed: Seed of the bootstrap.

    References:
        Airola et al., An experimental comparison of cross-validation techniques for estimating the area under the ROC
        curve, Comput Stat Data Anal 55, 2011 (pairs of one fold). Nadeau and Bengio, Machine Learning 52, 2003.
    """
    cases, weights = _weights(folds, patients, resamples, seed)
    stratified = _by_repeat(folds, cases, weights) | {"auc": _auc(folds, cases, weights)}
    samples = _by_repeat(folds, cases, _weights(folds, patients, resamples, seed, stratified=False)[1])
    samples |= {metric: values for metric, values in stratified.items() if METRICS[metric].any_prevalence}
    kept = {"calibration_intercept"} if same_shares(folds) else set()
    return {
        metric: estimate(METRICS[metric].limits, values, folds, widened=metric not in kept)
        for metric, values in samples.items()
    }


def out_of_fold_auc(
    folds: Sequence[FoldPredictions],
    *,
    patients: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """The AUC of ``out_of_fold_metrics`` alone, for the same arguments and many times faster."""
    cases, weights = _weights(folds, patients, resamples, seed)
    return estimate(SHARE, _auc(folds, cases, weights), folds)


def out_of_fold_concordance(
    folds: Sequence[FoldPredictions],
    survival: Mapping[str, tuple[float, bool]],
    *,
    patients: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Harrell's C-index over pairs of patients judged by the same fold's model.

    A fold's model judges the cases it never saw: those it held back and those without a class that are in no fold.
    Pairs are counted over all folds and repetitions. Where several models of a repetition judge a patient, the patient
    counts in each by its share of them: a pair counts once per repetition, not once per model. The interval is a
    bootstrap over patients, as many deaths in each sample as there are, widened as that of the AUC.

    Args:
        folds: All folds of one arm.
        survival: Days of follow-up, and whether the death was observed, by case; cases without are left out.
        patients: Patient of each case, by name; every case its own patient if left out.
        resamples: Number of bootstrap samples.
        seed: Seed of the bootstrap.
    """
    samples = _concordance(folds, survival, patients, resamples, seed)
    if samples is None:
        return Estimate(value=float("nan"), low=float("nan"), high=float("nan"))
    return estimate(SHARE, samples, folds)


def out_of_fold_differences(
    arm: Sequence[FoldPredictions],
    against: Sequence[FoldPredictions],
    survival: Mapping[str, tuple[float, bool]],
    *,
    patients: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """AUC, Brier score and C-index of one arm minus those of another, on the same cases and the same samples of them.

    Args:
        arm: All folds of one arm.
        against: The same folds, with the same cases, of the other arm.
        survival: Days of follow-up, and whether the death was observed, by case, for the C-index.
        patients: Patient of each case, by name; every case its own patient if left out.
        resamples: Number of bootstrap samples.
        seed: Seed of the bootstrap.

    Returns:
        By metric: "auc", "brier" and "c_index", the latter only where survival is known. The intervals are made as
        those of ``out_of_fold_metrics``.
    """
    cases, weights = _weights(arm, patients, resamples, seed)
    found = {"auc": _auc(arm, cases, weights) - _auc(against, cases, weights)}
    _, free = _weights(arm, patients, resamples, seed, stratified=False)
    found["brier"] = _by_repeat(arm, cases, free)["brier"] - _by_repeat(against, cases, free)["brier"]
    ours, theirs = (_concordance(folds, survival, patients, resamples, seed) for folds in (arm, against))
    if ours is not None and theirs is not None:
        found["c_index"] = ours - theirs
    return {metric: estimate(ANY_NUMBER, samples, arm) for metric, samples in found.items()}


def _concordance(
    folds: Sequence[FoldPredictions],
    survival: Mapping[str, tuple[float, bool]],
    patients: Mapping[str, str] | None,
    resamples: int,
    seed: int,
) -> NDArray[np.float64] | None:
    """The C-index of the cohort itself and of its bootstrap samples; None where no survival is known."""
    judged = [(one, [case for case in (*one.cases, *one.censored) if case in survival]) for one in folds]
    cases = sorted({case for _, known in judged for case in known})
    if not cases:
        return None
    names = None if patients is None else [patients.get(case, case) for case in cases]
    died = [survival[case][1] for case in cases]
    drawn = bootstrap_weights(died, patients=names, resamples=resamples, seed=seed)
    weights = np.vstack([np.ones((1, len(cases))), drawn])
    place = {case: number for number, case in enumerate(cases)}
    right, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    judges = Counter((one.repeat, case) for one, known in judged for case in known)
    for one, known in judged:
        if known:
            said = dict(zip((*one.cases, *one.censored), (*one.probability, *one.censored_probability), strict=True))
            days, deaths = zip(*(survival[case] for case in known), strict=True)
            risk = [-said[case] for case in known]
            share = [1.0 / judges[one.repeat, case] for case in known]
            counted = concordant_pairs(days, deaths, risk, weights[:, [place[case] for case in known]] * share)
            right, pairs = right + counted[0], pairs + counted[1]
    return _ratio(right, pairs)


def _weights(
    folds: Sequence[FoldPredictions],
    patients: Mapping[str, str] | None,
    resamples: int,
    seed: int,
    *,
    stratified: bool = True,
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Cases, and how often each counts: (1 + resamples, N), the cohort itself and then its bootstrap samples."""
    cases, os_class, _ = pooled(folds)
    names = None if patients is None else [patients.get(case, case) for case in cases]
    strata = os_class if stratified else np.zeros_like(os_class)
    drawn = bootstrap_weights(strata, patients=names, resamples=resamples, seed=seed)
    return cases, np.vstack([np.ones((1, len(cases))), drawn])


def estimate(
    limits: Limits, samples: NDArray[np.float64], folds: Sequence[FoldPredictions], *, widened: bool = True
) -> Estimate:
    """The value, and the interval of its bootstrap samples (1 + resamples,), widened for overlapping training sets."""
    cases = sum(len(one.cases) for one in folds) / len({one.repeat for one in folds})
    factor = widening(folds) if widened else 1.0
    value = float(samples[0])
    interval = percentile_interval(value + np.sqrt(factor) * (samples[1:] - value))
    low, high = never_certain(limits, value, interval, cases / factor)
    return Estimate(value=value, low=max(low, limits[0]), high=min(high, limits[1]))


def widening(folds: Sequence[FoldPredictions]) -> float:
    """1 + n / n_train: how much larger a variance is in cross-validation than of given models; 1 in one test set.

    References:
        Nadeau and Bengio, Inference for the generalization error, Machine Learning 52, 2003.
    """
    cases = sum(len(one.cases) for one in folds) / len({one.repeat for one in folds})
    train = cases - float(np.mean([len(one.cases) for one in folds]))
    return 1 + cases / train if train > 0 else 1.0


def same_shares(folds: Sequence[FoldPredictions]) -> bool:
    """Whether every fold has its share of long survivors, to one patient, as in folds stratified by class."""
    share = np.concatenate([one.os_class for one in folds]).mean()
    return all(abs(one.os_class.sum() - share * len(one.os_class)) <= 1 for one in folds)


def _by_repeat(
    folds: Sequence[FoldPredictions], cases: tuple[str, ...], weights: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Every metric of all held-out cases of a repetition, averaged over the repetitions; (1 + resamples,) each."""
    place = {case: number for number, case in enumerate(cases)}
    by_repeat: dict[int, list[FoldPredictions]] = {}
    for one in folds:
        by_repeat.setdefault(one.repeat, []).append(one)
    repeats = [
        classification_metrics(
            np.concatenate([one.os_class for one in held_out]),
            np.concatenate([one.probability for one in held_out]),
            weights[:, [place[case] for one in held_out for case in one.cases]],
            threshold=held_out[0].threshold,
        )
        for held_out in by_repeat.values()
    ]
    return {metric: np.mean([one[metric] for one in repeats], axis=0) for metric in repeats[0]}


def _auc(folds: Sequence[FoldPredictions], cases: tuple[str, ...], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    place = {case: number for number, case in enumerate(cases)}
    right, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for one in folds:
        weight = weights[:, [place[case] for case in one.cases]]
        n = (weight @ one.os_class) * (weight @ (1 - one.os_class))
        right += np.where(n > 0, n * np.nan_to_num(auc(one.os_class, one.probability, weight)), 0)
        pairs += n
    return _ratio(right, pairs)


def _ratio(right: NDArray[np.float64], pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(pairs > 0, right / np.where(pairs > 0, pairs, 1), np.nan)
