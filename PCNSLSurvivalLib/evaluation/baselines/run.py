"""One fold of one baseline: fit on its training cases, say the probability of the held-out ones."""

from __future__ import annotations

import numpy as np

from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.evaluation.baselines.classifiers import Classifier, fit_classifier
from PCNSLSurvivalLib.evaluation.baselines.table import BaselineTable
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions


def run_baseline(arm: str, kind: Classifier, table: BaselineTable, fold: Fold, *, seed: int = 0) -> FoldPredictions:
    """Fit a baseline on the training cases of a fold and predict the others.

    Nothing of a held-out case, nor of a case without a class, reaches imputation, scaling, selection, tuning or
    calibration.

    Args:
        arm: Name of the arm in tables and figures.
        kind: Which classifier.
        table: The variables of all cases.
        fold: Training and held-out cases.
        seed: Seed of the inner folds.

    Returns:
        The probabilities of OS over one year of the held-out cases, and of the cases without a class.

    Raises:
        EvaluationError: The training cases have fewer than three of a class, a case is missing in the table, or it
            has no class.
    """
    learned, fold = set(fold.train), fold.only(table.os_class)
    os_class = table.classes(fold.train)
    least = int(np.bincount(os_class, minlength=2).min())
    if least < 3:
        raise EvaluationError(
            f"Baseline {arm}, repeat {fold.repeat + 1}, fold {fold.fold + 1}: fewer than three training cases of one "
            "OS class. Use fewer folds, or add patients."
        )
    model = fit_classifier(kind, table.rows(fold.train), os_class, patients=table.patients_of(fold.train), seed=seed)
    over_one_year = list(model.classes_).index(1)
    censored = tuple(case for case in table.without_class() if case not in learned)
    everyone = model.predict_proba(table.rows((*fold.test, *censored)))[:, over_one_year]
    return FoldPredictions(
        arm=arm,
        repeat=fold.repeat,
        fold=fold.fold,
        cases=fold.test,
        os_class=table.classes(fold.test),
        probability=everyone[: len(fold.test)],
        censored=censored,
        censored_probability=everyone[len(fold.test) :],
    )
