"""A head for the classes out of located readings of the map cells: the one fit of a head in this software.

One bit per patient cannot explain a hundred features, and a free fit would look anywhere. The head is therefore a
mixture of a few located readings: log-odds = c + the sum over readings of coefficient times value. The constant c is
not fitted; it is the log-odds of the patients' share over one year, what is known before a scan is seen. All other
evidence lies where the readings lie, in the lesion. The readings come from a backbone that was pre-trained on random
heads (``training.lesions.backbone.READINGS``) or from lesion masks (``training.lesions.head``).

References:
    Kirichenko, Izmailov and Wilson, Last layer re-training is sufficient for robustness to spurious correlations,
    ICLR 2023. arXiv:2204.02937
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.models.networks.designs import HEAD_TENSORS
from PCNSLSurvivalLib.models.networks.weights_file import Tensors

Floats = NDArray[np.float64]

_RIDGE = 0.03
"""Penalty on coefficients per standard deviation of their reading, relative to the mean log loss."""
_LEAST_SPREAD = 0.01
"""A standard deviation counts as at least this share of the reading's root mean square: less is an error of reading."""
_EXCESS = 1e-5
"""By how much the loss of a fit may exceed the least one, in nats."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """A constant and one coefficient for each reading."""

    constant: float
    coefficients: Floats

    def log_odds(self, values: Floats) -> Floats:
        """(N,) log-odds of OS over one year from (N, R) values of the readings."""
        return np.asarray(self.constant + values @ self.coefficients, float)


def fit_mixture(values: Floats, over_one_year: NDArray[np.bool_]) -> Mixture:
    """Fit the mixture by penalized log loss.

    Args:
        values: (N, R) values of the readings, each summed over the cells. The first is the fraction of the lesion,
            which sums to one: it stands for a constant located in the lesion, and is not penalized.
        over_one_year: (N,) outcomes, both present.

    Raises:
        ValueError: Only one class is present.
        TrainingError: No best fit was found.
    """
    share = float(np.mean(over_one_year))
    if not 0 < share < 1:
        raise ValueError("Both OS classes are needed to fit a head.")
    constant, size = float(logit(share)), np.sqrt(np.mean(values**2, axis=0))
    scale = np.maximum(values.std(axis=0), _LEAST_SPREAD * size)
    scale = np.where(scale > 0, scale, 1.0)
    scaled, penalized = values / scale, np.arange(values.shape[1]) > 0

    def loss(coefficients: Floats) -> tuple[float, Floats]:
        log_odds = constant + scaled @ coefficients
        value = np.mean(np.logaddexp(0.0, log_odds) - over_one_year * log_odds)
        slope = scaled.T @ (expit(log_odds) - over_one_year) / len(values)
        held = _RIDGE * penalized * coefficients
        return float(value + 0.5 * (held * coefficients).sum()), slope + held

    def curvature(coefficients: Floats) -> Floats:
        share = expit(constant + scaled @ coefficients)
        return (scaled.T * (share * (1 - share))) @ scaled / len(values) + _RIDGE * np.diag(penalized)

    def excess(coefficients: Floats) -> float:
        """Loss above the least one, by the curvature here."""
        slope = loss(coefficients)[1]
        return float(slope @ np.linalg.lstsq(curvature(coefficients), slope)[0] / 2)

    found = minimize(loss, np.zeros(values.shape[1]), jac=True, method="L-BFGS-B").x
    if not excess(found) <= _EXCESS:
        # Readings that hardly differ between patients make a narrow valley, which curvature follows to its end.
        found = minimize(loss, found, jac=True, hess=curvature, method="trust-exact").x
    if not excess(found) <= _EXCESS:
        raise TrainingError(Message("training.mixture_not_fitted"))
    return Mixture(constant, found / scale)


def with_head(tensors: Tensors, readings: Floats, mixture: Mixture, *, cells: int) -> Tensors:
    """Tensors of a network with the mixture as its head; see ``head_of``."""
    return {**tensors, **dict(zip(HEAD_TENSORS, head_of(readings, mixture, cells=cells), strict=True))}


def head_of(readings: Floats, mixture: Mixture, *, cells: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight (2, F) and bias (2,) of the head that says what the mixture says.

    Args:
        readings: (R, F) weights of the readings.
        mixture: Of these readings.
        cells: Cells of layer4, over which the network averages what the readings sum.
    """
    weight, half = (mixture.coefficients @ readings) * cells / 2, mixture.constant / 2
    return np.stack([-weight, weight]).astype(np.float32), np.array([-half, half], np.float32)
