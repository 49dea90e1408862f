"""Weights that let patients with an OS class stand for those who were censored too early to have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.evaluation.censoring import inverse_censoring_weights


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
        raise TrainingError(Message("training.censoring_needs_follow_up"))
    days = np.array([one.os_days for one in known], dtype=np.float64)
    deaths = np.array([one.death_observed for one in known], dtype=bool)
    weights = inverse_censoring_weights(days, deaths, threshold_days)
    of_case = {one.name: float(weight) for one, weight in zip(known, weights, strict=True)}
    return {name: of_case[name] for name in train}
