"""Weights that let patients with an OS class stand for those who were censored too early to have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.evaluation.survival import kaplan_meier


def inverse_censoring_weights(
    os_days: ArrayLike, death_observed: ArrayLike, threshold_days: float
) -> NDArray[np.float64]:
    """One over the chance of not having been censored before the class was known; 0 without a class.

    Early-censored patients leave more short survivors than long ones in the training set, since only long survival has
    to wait for its class. The weights undo this where censoring does not depend on survival.

    Args:
        os_days: (N,) days to death, or to the last day known alive.
        death_observed: (N,) whether the death was observed.
        threshold_days: Limit of the classes.

    Returns:
        (N,) weights; they add up to N where the last patients under observation have a class.

    References:
        Robins and Rotnitzky, in AIDS Epidemiology: Methodological Issues, 1992. Graf et al., Stat Med 18, 1999.
    """
    days, deaths = np.asarray(os_days, dtype=np.float64), np.asarray(death_observed, dtype=bool)
    # On a day with both, deaths come first: whoever died that day was not at risk of being censored on it.
    uncensored = kaplan_meier(np.where(deaths, np.nextafter(days, -np.inf), days).clip(0), ~deaths)
    before = np.searchsorted(uncensored.days, np.minimum(days, threshold_days), side="left") - 1
    at_threshold = np.searchsorted(uncensored.days, threshold_days, side="right") - 1
    chance = uncensored.survival[np.where(days > threshold_days, at_threshold, before.clip(0))]
    known = (days > threshold_days) | deaths
    return np.where(known, 1.0 / np.where(known, chance, 1.0), 0.0)


def censoring_weights_of(
    cohort: PreparedCohort, train: Sequence[str], without_class: Sequence[str], threshold_days: float
) -> Mapping[str, float]:
    """The weight of each training case; held-out patients take no part in it.

    Args:
        cohort: Knows the survival of all.
        train: Cases of the fold, each with a class.
        without_class: Cases of the cohort without a class; those with known follow-up count as censored.
        threshold_days: Limit of the classes.

    Raises:
        TrainingError: A training case has no days of survival, only a class.
    """
    exams = [cohort.exam(name) for name in (*train, *without_class)]
    known = [one for one in exams if one.os_days is not None and one.death_observed is not None]
    if not set(train) <= {one.name for one in known}:
        raise TrainingError(
            "'censoring_weights' needs the days of follow-up of every training patient, and whether the death was "
            "observed. Complete the cohort's table, or leave 'censoring_weights' out."
        )
    days = np.array([one.os_days for one in known], dtype=np.float64)
    deaths = np.array([one.death_observed for one in known], dtype=bool)
    weights = inverse_censoring_weights(days, deaths, threshold_days)
    of_case = {one.name: float(weight) for one, weight in zip(known, weights, strict=True)}
    return {name: of_case[name] for name in train}
