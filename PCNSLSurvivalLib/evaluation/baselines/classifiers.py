"""The classifiers, from raw table to probability: whatever is fitted is fitted on the training cases of the fold."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.evaluation.baselines.calibrated_svm import CalibratedSVM, fit_sigmoid

Classifier = Literal["svm", "logistic", "cox"]
COSTS = (0.01, 0.1, 1.0)
"""Values of C tried in the inner folds."""
KEPT_FEATURES = (5, 10)
"""Numbers of radiomics features tried in the inner folds; at most about one for two patients of the smaller class."""
MANY_COLUMNS = 20
INNER_FOLDS = 3


def fit_classifier(
    kind: Classifier,
    values: NDArray[np.float64],
    os_class: NDArray[np.int64],
    *,
    patients: NDArray[np.str_] | None = None,
    seed: int,
) -> Any:
    """Fit a classifier with imputation, scaling, selection, tuning and calibration.

    Unknown values become the median of the training cases, and a column says that the value was unknown. Tables of
    more than ``MANY_COLUMNS`` columns keep those with the highest F statistic. C and the number of columns are chosen
    by AUC in inner folds, in each of which all of this is fitted anew. A support vector machine has no probabilities:
    with the chosen C, Platt's sigmoid is fitted to the decisions on inner folds that took no part in the fit, and keeps
    their order.

    Args:
        kind: ``svm`` (linear) or ``logistic`` (ridge penalty).
        values: (n, F) the training cases; NaN where unknown.
        os_class: (n,) their classes, at least two cases of each.
        patients: (n,) patient of each case, who is never on both sides of an inner fold; each case its own if None.
        seed: Seed of the inner folds.

    Returns:
        A fitted classifier with ``classes_`` and ``predict_proba``, as scikit-learn's.

    Raises:
        EvaluationError: A class has fewer than two patients.
        KeyError: The classifier is fitted elsewhere, as ``cox`` is.
    """
    from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, cross_val_predict
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    # A table, so that a further kind without a model of its own fails instead of being fitted as another one.
    model = {"svm": SVC(kernel="linear"), "logistic": LogisticRegression(max_iter=5000)}[kind]
    inner = inner_folds(patients, os_class, seed)
    steps: list[tuple[str, Any]] = [
        ("impute", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
        ("spread", VarianceThreshold()),
        ("scale", StandardScaler()),
    ]
    grid: dict[str, Any] = {"classify__C": COSTS}
    if values.shape[1] > MANY_COLUMNS:
        steps.append(("select", SelectKBest(f_classif)))
        grid["select__k"] = KEPT_FEATURES
    tuned = GridSearchCV(
        Pipeline([*steps, ("classify", model)]), grid, scoring="roc_auc", cv=inner, error_score="raise"
    ).fit(values, os_class)
    if hasattr(model, "predict_proba"):
        return tuned
    svm = tuned.best_estimator_
    decisions = cross_val_predict(svm, values, os_class, cv=inner, method="decision_function")
    return CalibratedSVM(svm=svm, sigmoid=fit_sigmoid(decisions, os_class))


def inner_folds(
    patients: NDArray[np.str_] | None, os_class: NDArray[np.int64], seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows to fit on and rows to judge by, stratified by class, with every patient on one side."""
    from sklearn.model_selection import StratifiedKFold

    names = np.arange(len(os_class)) if patients is None else patients
    _, first, person = np.unique(names, return_index=True, return_inverse=True)
    strata = os_class[first]
    parts = min(INNER_FOLDS, int(np.bincount(strata, minlength=2).min()))
    if parts < 2:
        raise EvaluationError(Message("baseline.few_patients"))
    splitter = StratifiedKFold(parts, shuffle=True, random_state=seed)
    return [
        (np.flatnonzero(np.isin(person, fit)), np.flatnonzero(np.isin(person, judge)))
        for fit, judge in splitter.split(strata, strata)
    ]
