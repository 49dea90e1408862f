"""One fold of one baseline: fit on its training cases, say the probability of the held-out ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS
from PCNSLSurvivalLib.evaluation.baselines.classifiers import Classifier, fit_classifier
from PCNSLSurvivalLib.evaluation.baselines.table import BaselineTable
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

FEWEST_OF_A_CLASS = 3
"""Training cases; the inner folds that choose a setting need one of each class."""


def run_baseline(
    arm: str,
    kind: Classifier,
    table: BaselineTable,
    fold: Fold,
    *,
    seed: int = 0,
    days: tuple[float, ...] = (ONE_YEAR_DAYS,),
    class_days: float = ONE_YEAR_DAYS,
) -> FoldPredictions:
    """Fit a baseline on the training cases of a fold and predict the others.

    Nothing of a held-out case, nor of a case without a class that the fold does not train on, reaches imputation,
    scaling, selection, tuning or calibration. Only Cox regression trains on cases without a class.

    Args:
        arm: Name of the arm in tables and figures.
        kind: Which classifier.
        table: The variables of all cases.
        fold: Training and held-out cases.
        seed: Seed of the inner folds.
        days: Days of the survival curves of a Cox regression; ``class_days`` is one of them.
        class_days: Limit of the classes.

    Returns:
        The probabilities of OS over the limit of the held-out cases, and of the cases without a class that the fold
        does not train on; with survival curves by a Cox regression.

    Raises:
        EvaluationError: The training cases have fewer than three of a class, a case is missing in the table, or it
            has no class.
    """
    table.rows((*fold.train, *fold.test))  # stops at a case that the table lacks
    judged = fold.only(table.os_class)
    learned = set(fold.train if kind == "cox" else judged.train)
    censored = tuple(case for case in table.without_class() if case not in learned)
    everyone = (*judged.test, *censored)
    survival = None
    if kind == "cox":
        survival = _cox_curves(table, fold, everyone, days, seed)
        probability = survival[:, days.index(class_days)]
    else:
        probability = _class_probabilities(arm, kind, table, judged, everyone, seed)
    count = len(judged.test)
    return FoldPredictions(
        arm=arm,
        repeat=fold.repeat,
        fold=fold.fold,
        cases=judged.test,
        os_class=table.classes(judged.test),
        probability=probability[:count],
        censored=censored,
        censored_probability=probability[count:],
        days=() if survival is None else days,
        survival=None if survival is None else survival[:count],
        censored_survival=None if survival is None else survival[count:],
    )


def _class_probabilities(
    arm: str, kind: Classifier, table: BaselineTable, fold: Fold, cases: tuple[str, ...], seed: int
) -> NDArray[np.float64]:
    os_class = table.classes(fold.train)
    least = int(np.bincount(os_class, minlength=2).min())
    if least < FEWEST_OF_A_CLASS:
        raise EvaluationError(
            Message("baseline.few_training_cases", arm=arm, repeat=fold.repeat + 1, fold=fold.fold + 1)
        )
    model = fit_classifier(kind, table.rows(fold.train), os_class, patients=table.patients_of(fold.train), seed=seed)
    over_one_year = list(model.classes_).index(1)
    probability: NDArray[np.float64] = model.predict_proba(table.rows(cases))[:, over_one_year]
    return probability


def _cox_curves(
    table: BaselineTable, fold: Fold, cases: tuple[str, ...], days: tuple[float, ...], seed: int
) -> NDArray[np.float64]:
    """(n, K) survival of some cases, by a regression on all training cases whose follow-up is known."""
    from PCNSLSurvivalLib.evaluation.baselines.cox import fit_cox, survival_of

    train = [case for case in fold.train if case in table.survival]
    follow_up = [table.survival[case] for case in train]
    model = fit_cox(
        table.rows(train),
        np.array([one[0] for one in follow_up], dtype=np.float64),
        np.array([one[1] for one in follow_up], dtype=bool),
        patients=table.patients_of(train),
        seed=seed,
    )
    return survival_of(model, table.rows(cases), days)
