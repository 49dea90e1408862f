"""Temperature calibration: one number that makes probabilities mean what they say, without changing their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

LOWEST, HIGHEST = 0.05, 20.0


def logistic(log_odds: ArrayLike) -> NDArray[np.float64]:
    """Probabilities of log-odds. scipy's expit may differ in the last bit, and stored results are compared exactly."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(log_odds, np.float64))))


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """A fitted temperature."""

    temperature: float
    """Log-odds are divided by it: above 1 the network was too sure of itself."""
    patients: int
    loss_before: float
    """Mean negative log-likelihood of the outcomes, in nats, at temperature 1."""
    loss_after: float

    @property
    def at_bound(self) -> bool:
        """Whether an even higher temperature would fit better: the log-odds are uninformative."""
        return is_at_bound(self.temperature)


def is_at_bound(temperature: float) -> bool:
    """Whether a temperature is as high as one may be."""
    return temperature > 0.999 * HIGHEST


def fit_temperature(log_odds: ArrayLike, over_one_year: ArrayLike) -> Calibration:
    """Fit the temperature by maximum likelihood.

    Args:
        log_odds: (n,) uncalibrated log-odds of OS over one year, each from a network that never saw that patient
            (out-of-fold): fitted on training patients, the temperature would believe the network's memory.
        over_one_year: (n,) outcomes, True for OS over one year.

    Returns:
        The calibration; its temperature lies between 0.05 and 20.

    Raises:
        ValueError: Lengths differ, or one of the two outcomes does not occur.

    References:
        Guo et al., On calibration of modern neural networks, ICML 2017. arXiv:1706.04599
    """
    margins = np.asarray(log_odds, dtype=float)
    outcomes = np.asarray(over_one_year, dtype=bool)
    if margins.shape != outcomes.shape or margins.ndim != 1:
        raise ValueError("one outcome is needed for each log-odds")
    if outcomes.all() or not outcomes.any():
        raise ValueError("both outcomes must occur among the patients")
    toward = np.where(outcomes, margins, -margins)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0.0, -toward / np.exp(log_temperature)).mean())

    found = minimize_scalar(loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded")
    return Calibration(
        temperature=float(np.exp(found.x)),
        patients=len(margins),
        loss_before=loss(0.0),
        loss_after=float(found.fun),
    )
