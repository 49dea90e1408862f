"""The classifiers, from raw table to probability: whatever is fitted is fitted on the training cases of the fold."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.evaluation.baselines.calibrated_svm import CalibratedSVM, fit_sigmoid

Classifier = Literal["svm", "logistic"]
COSTS = (0.01, 0.1, 1.0)
"""Values of C tried in the inner folds."""
KEPT_FEATURES = (5, 10)
"""Numbers of radiomics features tried in the inner folds; at most about one for two patients of the smaller class."""
MANY_COLUMNS = 20
INNER_FOLDS = 3


def fit_classifier(kind: Classifier, values: NDArray[np.float64], os_class: NDArray[np.int64], *, seed: int) -> Any:
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
        seed: Seed of the inner folds.

    Returns:
        A fitted classifier with ``classes_`` and ``predict_proba``, as scikit-learn's.
    """
    from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    inner = StratifiedKFold(min(INNER_FOLDS, int(np.bincount(os_class).min())), shuffle=True, random_state=seed)
    steps: list[tuple[str, Any]] = [
        ("impute", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
        ("spread", VarianceThreshold()),
        ("scale", StandardScaler()),
    ]
    grid: dict[str, Any] = {"classify__C": COSTS}
    if values.shape[1] > MANY_COLUMNS:
        steps.append(("select", SelectKBest(f_classif)))
        grid["select__k"] = KEPT_FEATURES
    model = SVC(kernel="linear") if kind == "svm" else LogisticRegression(max_iter=5000)
    tuned = GridSearchCV(
        Pipeline([*steps, ("classify", model)]), grid, scoring="roc_auc", cv=inner, error_score="raise"
    ).fit(values, os_class)
    if kind == "logistic":
        return tuned
    svm = tuned.best_estimator_
    decisions = cross_val_predict(svm, values, os_class, cv=inner, method="decision_function")
    return CalibratedSVM(svm=svm, sigmoid=fit_sigmoid(decisions, os_class))
