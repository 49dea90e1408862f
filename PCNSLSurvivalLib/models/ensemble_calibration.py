"""The temperature of a mean of several networks, from the few networks that never saw a patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from PCNSLSurvivalLib.models.calibration import HIGHEST, LOWEST, Calibration, fit_temperature

FEWEST_DEGREES = 10
"""Degrees of freedom that the variance between networks needs."""


@dataclass(frozen=True, kw_only=True)
class EnsembleCalibration:
    """A temperature for a mean of any number of networks.

    Attributes:
        held_out: Fitted on the mean log-odds of ``networks`` networks that never saw the patient.
        networks: How many of them a labeled patient has: the repetitions of the cross-validation.
        variance: Of these means over patients.
        between: Variance between networks in one patient whom none of them saw; None where too few patients have
            two such networks.
    """

    held_out: Calibration
    networks: int
    variance: float
    between: float | None

    def temperature_of(self, networks: int) -> float:
        """The temperature of the mean log-odds of so many networks.

        What networks disagree in tells nothing of the patient; a mean of K networks holds less of it than one of R, by
        ``between`` (1/R - 1/K). The slope of the outcome on the log-odds is their covariance, which the number of
        networks does not change, over their variance, which it does; the temperature is its inverse.

        References:
            Carroll et al., Measurement Error in Nonlinear Models, 2006 (regression calibration).
        """
        if self.between is None or self.held_out.at_bound or self.variance <= 0:
            return self.held_out.temperature
        signal = max(self.variance - self.between / self.networks, 0.0)
        ratio = (signal + self.between / networks) / (signal + self.between / self.networks)
        return float(np.clip(self.held_out.temperature * ratio, LOWEST, HIGHEST))


def calibrate_ensemble(
    log_odds: Sequence[ArrayLike], over_one_year: ArrayLike, *, unlabeled: Sequence[ArrayLike] = ()
) -> EnsembleCalibration:
    """Fit the temperature on held-out predictions, and measure how far networks disagree in unseen patients.

    Args:
        log_odds: For each of n patients the log-odds of every network that never saw the patient, as many for each.
        over_one_year: (n,) outcomes, True for OS over one year.
        unlabeled: The same of patients without a class, whom no network saw: they tell how far networks disagree.

    Raises:
        ValueError: See ``fit_temperature``; or patients have different numbers of networks.
    """
    values = np.array([np.asarray(one, dtype=float) for one in log_odds])
    means = values.mean(axis=1)
    spread, degrees = 0.0, 0
    for one in (*values, *(np.asarray(other, dtype=float) for other in unlabeled)):
        spread += float(((one - one.mean()) ** 2).sum())
        degrees += len(one) - 1
    return EnsembleCalibration(
        held_out=fit_temperature(means, over_one_year),
        networks=values.shape[1],
        variance=float(means.var(ddof=1)),
        between=spread / degrees if degrees >= FEWEST_DEGREES else None,
    )
