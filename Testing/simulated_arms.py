"""Two equally good arms on simulated predictors: their held-out folds, and the same models on new patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.evaluation.classification import auc, classification_metrics
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

OTHERS = 6
"""Predictors of an arm, one of them with signal."""
OFFERED = 20
"""Predictors of which an arm that selects keeps the best."""
SPLITS, REPEATS = 5, 2
RIDGE = 3.0
OVER = 0.55
"""Share of long survivors."""
NEW_PATIENTS = 2000


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Two arms of equal skill."""

    arms: tuple[list[FoldPredictions], list[FoldPredictions]]
    on_new_patients: dict[str, float]
    """Every metric of the first arm's models on new patients, mean over its models; empty where not asked for."""


def cross_validated(
    number: int, seed: int, skill: float, shared: bool
) -> tuple[list[FoldPredictions], list[FoldPredictions]]:
    """The folds of ``simulated`` ridge regressions alone."""
    return simulated(number, seed, skill, shared=shared).arms


def simulated(
    number: int, seed: int, skill: float, *, shared: bool = False, selects: bool = False, new_patients: int = 0
) -> Simulated:
    """Cross-validate two equally good arms.

    Args:
        number: Patients.
        seed: Of everything drawn.
        skill: Difference of the means of the informative predictors between the classes, in standard deviations.
        shared: Whether both arms have one informative predictor in common, besides one of each.
        selects: Whether each model keeps the one predictor that separates its training patients best, as radiomics
            are selected; a ridge regression of all predictors if not.
        new_patients: Number of patients on whom the models of the first arm are tested besides.
    """
    random = np.random.default_rng([number, seed])
    os_class = (random.random(number) < OVER).astype(int)
    predictors = OFFERED if selects else OTHERS
    tables = _tables(random, os_class, skill, shared, predictors)
    models: tuple[list[NDArray], list[NDArray]] = ([], [])
    arms: tuple[list[FoldPredictions], list[FoldPredictions]] = ([], [])
    for repeat in range(REPEATS):
        order = np.concatenate([random.permutation(np.flatnonzero(os_class == c)) for c in (0, 1)])
        for fold in range(SPLITS):
            test = order[fold::SPLITS]
            train = np.setdiff1d(order, test)
            for arm, folds, fitted, x in zip("ab", arms, models, tables, strict=True):
                fitted.append((_best_predictor if selects else _ridge)(x[train], os_class[train]))
                folds.append(
                    FoldPredictions(
                        arm=arm,
                        repeat=repeat,
                        fold=fold,
                        cases=tuple(f"p{case:03}" for case in test),
                        os_class=os_class[test],
                        probability=_probability(x[test], fitted[-1]),
                    )
                )
    if not new_patients:
        return Simulated(arms=arms, on_new_patients={})
    new = (random.random(new_patients) < OVER).astype(int)
    x = _tables(random, new, skill, shared, predictors)[0]
    found = [classification_metrics(new, _probability(x, weights)) for weights in models[0]]
    return Simulated(
        arms=arms, on_new_patients={name: float(np.nanmean([one[name] for one in found])) for name in found[0]}
    )


def _tables(
    random: np.random.Generator, os_class: NDArray, skill: float, shared: bool, predictors: int
) -> list[NDArray[np.float64]]:
    """Predictors of the two arms."""
    number = len(os_class)
    common = random.normal(size=(number, 1)) + skill * os_class[:, None]
    tables = []
    for _ in range(2):
        own = random.normal(size=(number, predictors))
        own[:, 0] += skill * os_class
        tables.append(np.hstack([common if shared else 0 * common, own, np.ones((number, 1))]))
    return tables


def _ridge(x: NDArray, os_class: NDArray) -> NDArray:
    normal = x.T @ x + RIDGE * np.eye(x.shape[1])
    return 2 * np.linalg.solve(normal, x.T @ (2 * os_class - 1))


def _best_predictor(x: NDArray, os_class: NDArray) -> NDArray:
    """Linear discriminant of the predictor with the highest AUC, in either direction."""
    areas = np.array([abs(float(auc(os_class, column)) - 0.5) for column in x.T])
    best = int(areas.argmax())
    means = [x[os_class == c, best].mean() for c in (0, 1)]
    weights = np.zeros(x.shape[1])
    weights[best] = means[1] - means[0]
    share = os_class.mean()
    weights[-1] = np.log(share / (1 - share)) - weights[best] * (means[0] + means[1]) / 2
    return weights


def _probability(x: NDArray, weights: NDArray) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-x @ weights)))
