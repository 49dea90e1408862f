"""Two equally good arms on simulated predictors: folds as cross-validation leaves them."""

from __future__ import annotations

import numpy as np

from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

OTHERS = 6
"""Predictors without any signal."""
SPLITS, REPEATS = 5, 2
RIDGE = 3.0


def cross_validated(
    number: int, seed: int, skill: float, shared: bool
) -> tuple[list[FoldPredictions], list[FoldPredictions]]:
    """The folds of two equally good arms.

    Args:
        number: Patients.
        seed: Of everything drawn.
        skill: Difference of the means of the informative predictors between the classes, in standard deviations.
        shared: Whether both arms have one informative predictor in common, besides one of each.
    """
    random = np.random.default_rng([number, seed])
    os_class = (random.random(number) < 0.55).astype(int)
    common = random.normal(size=(number, 1)) + skill * os_class[:, None]
    tables = []
    for _ in range(2):
        own = random.normal(size=(number, OTHERS))
        own[:, 0] += skill * os_class
        tables.append(np.hstack([common if shared else 0 * common, own, np.ones((number, 1))]))
    arms: tuple[list[FoldPredictions], list[FoldPredictions]] = ([], [])
    for repeat in range(REPEATS):
        order = np.concatenate([random.permutation(np.flatnonzero(os_class == c)) for c in (0, 1)])
        for fold in range(SPLITS):
            test = order[fold::SPLITS]
            train = np.setdiff1d(order, test)
            for arm, folds, x in zip("ab", arms, tables, strict=True):
                normal = x[train].T @ x[train] + RIDGE * np.eye(x.shape[1])
                w = np.linalg.solve(normal, x[train].T @ (2 * os_class[train] - 1))
                folds.append(
                    FoldPredictions(
                        arm=arm,
                        repeat=repeat,
                        fold=fold,
                        cases=tuple(f"p{case:03}" for case in test),
                        os_class=os_class[test],
                        probability=1 / (1 + np.exp(-2 * x[test] @ w)),
                    )
                )
    return arms
