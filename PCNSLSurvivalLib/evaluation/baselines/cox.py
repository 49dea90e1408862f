"""Cox regression with a ridge penalty, from raw table to survival curve: all of it fitted on the training cases.

A library for it would bring several packages, pandas among them, for one Newton iteration; a test compares coefficients
and curves with those of lifelines.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.evaluation.baselines.classifiers import KEPT_FEATURES, MANY_COLUMNS, inner_folds
from PCNSLSurvivalLib.evaluation.survival import concordant_pairs, cumulative_hazard

PENALTIES = (0.01, 0.1, 1.0)
"""Ridge penalties per patient that are tried in the inner folds."""
FEWEST_DEATHS = 6
_STEPS = 50
_CONVERGED = 1e-10

FloatArray = NDArray[np.float64]


class RidgeCox(BaseEstimator):
    """Proportional hazards; ties by Efron, the baseline hazard by Breslow.

    Args:
        penalty: Half of it times the sum of squared coefficients is added to the mean negative log partial likelihood.

    References:
        Cox, Regression models and life-tables, J R Stat Soc B 34, 1972. Efron, J Am Stat Assoc 72, 1977.
    """

    def __init__(self, penalty: float = 0.1) -> None:
        self.penalty = penalty

    def fit(self, values: FloatArray, follow_up: FloatArray) -> RidgeCox:
        """Fit the coefficients by Newton's method.

        Args:
            values: (n, F) variables.
            follow_up: (n, 2) days, and 1 where the death was observed.
        """
        order = np.argsort(-follow_up[:, 0], kind="stable")
        x, days, died = values[order], follow_up[order, 0], follow_up[order, 1] > 0
        coefficients = np.zeros(x.shape[1])
        loss, slope, curvature = self._loss(coefficients, x, days, died)
        for _ in range(_STEPS):
            step = np.linalg.solve(curvature + _CONVERGED * np.eye(len(slope)), slope)
            share = 1.0
            while True:
                tried = coefficients - share * step
                found = self._loss(tried, x, days, died)
                if found[0] <= loss + _CONVERGED or share < 1e-4:
                    break
                share /= 2
            coefficients = tried
            loss, slope, curvature = found
            if np.abs(share * step).max() < _CONVERGED:
                break
        self.coefficients_ = coefficients
        self._set_baseline(x, days, died)
        return self

    def predict(self, values: FloatArray) -> FloatArray:
        """(n,) log hazard against a patient whose variables are all 0; higher is worse."""
        risk: FloatArray = values @ self.coefficients_
        return risk

    def survival(self, values: FloatArray, days: ArrayLike) -> FloatArray:
        """(n, K) probability of surviving each of K days; constant after the last death of the training cases."""
        place = np.searchsorted(self.death_days_, np.asarray(days, dtype=np.float64), side="right")
        hazard = np.append(0.0, self.baseline_hazard_)[place]
        curves: FloatArray = np.exp(-hazard[None] * np.exp(self.predict(values))[:, None])
        return curves

    def score(self, values: FloatArray, follow_up: FloatArray) -> float:
        """Harrell's C-index; 0.5 where no pair can be compared."""
        right, pairs = concordant_pairs(follow_up[:, 0], follow_up[:, 1] > 0, self.predict(values))
        return float(right / pairs) if pairs > 0 else 0.5

    def _loss(
        self, coefficients: FloatArray, x: FloatArray, days: FloatArray, died: NDArray[np.bool_]
    ) -> tuple[float, FloatArray, FloatArray]:
        """Penalized mean negative log partial likelihood, its gradient and its curvature; rows by falling days."""
        n = len(x)
        eta = x @ coefficients
        hazard = np.exp(np.clip(eta, -500, 500))
        sums = np.cumsum(hazard)
        firsts = np.cumsum(hazard[:, None] * x, axis=0)
        seconds = np.cumsum(hazard[:, None, None] * x[:, :, None] * x[:, None, :], axis=0)
        loss = n * self.penalty / 2 * float(coefficients @ coefficients)
        slope, curvature = n * self.penalty * coefficients, n * self.penalty * np.eye(x.shape[1])
        for day in np.unique(days[died]):
            at_risk = np.flatnonzero(days >= day)[-1]
            tied = np.flatnonzero((days == day) & died)
            tied_sum = hazard[tied].sum()
            tied_first = hazard[tied] @ x[tied]
            tied_second = (hazard[tied, None] * x[tied]).T @ x[tied]
            loss -= float(eta[tied].sum())
            slope = slope - x[tied].sum(axis=0)
            for share in np.arange(len(tied)) / len(tied):
                total = sums[at_risk] - share * tied_sum
                mean = (firsts[at_risk] - share * tied_first) / total
                loss += float(np.log(total))
                slope = slope + mean
                curvature = curvature + (seconds[at_risk] - share * tied_second) / total - np.outer(mean, mean)
        return loss / n, slope / n, curvature / n

    def _set_baseline(self, x: FloatArray, days: FloatArray, died: NDArray[np.bool_]) -> None:
        hazard = np.exp(self.predict(x))
        self.death_days_, counts = np.unique(days[died], return_counts=True)
        at_risk = np.array([hazard[days >= day].sum() for day in self.death_days_])
        self.baseline_hazard_ = np.cumsum(counts / at_risk)


def fit_cox(
    values: FloatArray,
    days: FloatArray,
    died: NDArray[np.bool_],
    *,
    patients: NDArray[np.str_] | None = None,
    seed: int,
) -> Any:
    """Fit a Cox regression with imputation, scaling, selection and tuning, as ``fit_classifier`` fits a classifier.

    The penalty, and the number of columns of wide tables, are chosen by the C-index in inner folds. Columns are
    selected by their correlation with the martingale residuals of a model without variables.

    Args:
        values: (n, F) the training cases; NaN where unknown.
        days: (n,) days to death, or to the last day known alive.
        died: (n,) whether the death was observed.
        patients: (n,) patient of each case, who is never on both sides of an inner fold; each case its own if None.
        seed: Seed of the inner folds.

    Returns:
        A fitted pipeline; its last step is a ``RidgeCox``.

    Raises:
        EvaluationError: There are too few deaths.
    """
    if int(died.sum()) < FEWEST_DEATHS:
        raise EvaluationError(Message("baseline.few_deaths", fewest=FEWEST_DEATHS))
    steps: list[tuple[str, Any]] = [
        ("impute", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
        ("spread", VarianceThreshold()),
        ("scale", StandardScaler()),
    ]
    grid: dict[str, Any] = {"cox__penalty": PENALTIES}
    if values.shape[1] > MANY_COLUMNS:
        steps.append(("select", SelectKBest(_relevance)))
        grid["select__k"] = KEPT_FEATURES
    follow_up = np.column_stack([days, died.astype(np.float64)])
    # Stratified by short and long follow-up: a cohort may have no censored patient at all.
    inner = inner_folds(patients, (days > np.median(days)).astype(np.int64), seed)
    tuned = GridSearchCV(Pipeline([*steps, ("cox", RidgeCox())]), grid, cv=inner, error_score="raise")
    return tuned.fit(values, follow_up).best_estimator_


def survival_of(model: Any, values: FloatArray, days: ArrayLike) -> FloatArray:
    """(n, K) survival of cases by a fitted pipeline."""
    curves: FloatArray = model[-1].survival(model[:-1].transform(values), days)
    return curves


def _relevance(values: FloatArray, follow_up: FloatArray) -> FloatArray:
    """(F,) absolute correlation of each column with deaths beyond those expected."""
    died = follow_up[:, 1] > 0
    excess = died - cumulative_hazard(follow_up[:, 0], died)
    centered = values - values.mean(axis=0)
    spread = np.linalg.norm(centered, axis=0)
    found: FloatArray = np.abs(excess @ centered) / np.where(spread > 0, spread, 1.0)
    return found
