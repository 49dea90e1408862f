"""Platt scaling with a positive slope: probabilities keep the order of the decision values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

LEAST_SLOPE = 0.01
"""Least slope, in log-odds per standard deviation of the decision values: a smaller one is no slope at all."""


@dataclass(frozen=True, kw_only=True)
class Sigmoid:
    """From decision to probability: the logistic function of ``slope * decision / spread + intercept``."""

    spread: float
    slope: float
    intercept: float

    def probability(self, decisions: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) probabilities of class 1."""
        found: NDArray[np.float64] = expit(self.slope * decisions / self.spread + self.intercept)
        return found


def fit_sigmoid(decisions: NDArray[np.float64], os_class: NDArray[np.int64]) -> Sigmoid:
    """Fit Platt's sigmoid by maximum likelihood among those that keep the order of the decisions.

    In few cases the inner folds' decisions may run against the classes by chance. A free slope would then turn over and
    rank new patients from worst to best; here it stops at ``LEAST_SLOPE``, and every probability is near the share of
    the class.

    Args:
        decisions: (n,) decision values, each from an SVM that was not fitted on that case.
        os_class: (n,) classes, 0 or 1, both of them there.

    References:
        Platt, Probabilistic outputs for support vector machines, in Advances in Large Margin Classifiers, 1999: a few
        cases are not certain, so that the targets are a little above 0 and below 1.
    """
    spread = float(decisions.std()) or 1.0
    scaled = decisions / spread
    over, up_to = int((os_class == 1).sum()), int((os_class != 1).sum())
    target = np.where(os_class == 1, (over + 1) / (over + 2), 1 / (up_to + 2))

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = at[0] * scaled + at[1]
        wrong = expit(log_odds) - target
        value = float(np.mean(np.logaddexp(0, log_odds) - target * log_odds))
        return value, np.array([np.mean(wrong * scaled), np.mean(wrong)])

    share = float(target.mean())
    found = minimize(
        loss,
        np.array([LEAST_SLOPE, np.log(share / (1 - share))]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(LEAST_SLOPE, None), (None, None)],
    )
    return Sigmoid(spread=spread, slope=float(found.x[0]), intercept=float(found.x[1]))


@dataclass(frozen=True, kw_only=True)
class CalibratedSVM:
    """A fitted SVM with its sigmoid, used like any classifier of scikit-learn."""

    svm: Any
    sigmoid: Sigmoid

    @property
    def classes_(self) -> NDArray[np.int64]:
        """The two classes, in the order of the columns of ``predict_proba``."""
        classes: NDArray[np.int64] = self.svm.classes_
        return classes

    def predict_proba(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) probability of each class."""
        second = self.sigmoid.probability(self.svm.decision_function(values))
        return np.column_stack([1 - second, second])
