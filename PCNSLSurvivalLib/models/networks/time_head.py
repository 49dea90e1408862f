"""Survival as time: the head's outputs as a survival curve whose first split is the class at one year.

A chain of hazards from day 0 makes survival at 12 months a product, whose log-odds are no linear function of the
features, so that no map of cells can add up to them. Here the tree of logistic splits is rooted at the limit of the OS
classes instead. Its two logits are those of a class head: their difference is the log-odds of S(12 months), and
Grad-CAM and evidence hold as they stand. Every further limit has one output more. After the root these are logistic
hazards; before it they are hazards in reversed time: of those who die by a limit, the share who die in its last
interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS

MOST_LIMITS = 12


@dataclass(frozen=True, kw_only=True)
class PredictedSurvival:
    """The survival curve that a model predicts for one patient.

    Attributes:
        days: Limits of the intervals, rising, from 0.
        survival_probability: Probability of surviving each of them, falling, from 1.
    """

    days: tuple[float, ...]
    survival_probability: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"days": list(self.days), "survival_probability": list(self.survival_probability)}


@dataclass(frozen=True, kw_only=True)
class TimeHead:
    """The intervals of a time head, fixed before training.

    With K limits there are K splits and K + 1 intervals: (0, first limit], ..., and the time after the last limit. A
    positive output always means longer survival.

    Attributes:
        limits_days: K limits of the intervals, rising; the limit of the OS classes is one of them.
        class_days: The limit of the OS classes.
    """

    limits_days: tuple[float, ...] = (183.0, float(ONE_YEAR_DAYS), 730.0, 1095.0)
    class_days: float = float(ONE_YEAR_DAYS)

    def __post_init__(self) -> None:
        days = self.limits_days
        numbers = all(type(one) in (int, float) and math.isfinite(one) for one in (*days, self.class_days))
        rising = numbers and all(low < high for low, high in zip((0.0, *days), days, strict=False))
        if not rising or self.class_days not in days or not 2 <= len(days) <= MOST_LIMITS:
            raise ModelFolderError(Message("model.time_head", most=MOST_LIMITS))

    @property
    def root(self) -> int:
        """Place of the limit of the OS classes among all limits."""
        return self.limits_days.index(self.class_days)

    @property
    def further(self) -> int:
        """Outputs beside the two class logits: one for each other limit, in their order."""
        return len(self.limits_days) - 1

    @property
    def branches(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Two (K, K + 1) tables of 0 and 1: at which splits each interval lies on the later, and on the earlier side.

        The log-probability of an interval is the sum of log sigmoid(z) over the former and of log sigmoid(-z) over the
        latter.
        """
        count, root = len(self.limits_days), self.root
        split, interval = np.arange(count)[:, None], np.arange(count + 1)[None]
        after = np.where(split == root, True, np.where(split > root, interval >= split, interval <= split + 1))
        later = np.where(split >= root, interval > split, interval == split + 1)
        return (after & later).astype(np.float64), (after & ~later).astype(np.float64)

    def splits(self, log_odds: ArrayLike, further: ArrayLike) -> NDArray[np.float64]:
        """(..., K) outputs in the order of the limits, from (...) log-odds of the class and (..., K - 1) others."""
        others = np.asarray(further, dtype=np.float64)
        root = np.asarray(log_odds, dtype=np.float64)[..., None]
        return np.concatenate([others[..., : self.root], root, others[..., self.root :]], axis=-1)

    def survival(self, log_odds: ArrayLike, further: ArrayLike) -> NDArray[np.float64]:
        """(..., K) probability of surviving each limit; at the class limit it is the logistic of ``log_odds``."""
        z = self.splits(log_odds, further)
        later, earlier = self.branches
        mass = np.exp(-np.logaddexp(0.0, -z) @ later - np.logaddexp(0.0, z) @ earlier)
        return np.clip(np.cumsum(mass[..., ::-1], axis=-1)[..., ::-1][..., 1:], 0.0, 1.0)

    def predicted(self, log_odds: float, further: ArrayLike) -> PredictedSurvival:
        """The curve of one patient, from day 0."""
        values = self.survival(log_odds, further)
        return PredictedSurvival(
            days=(0.0, *self.limits_days), survival_probability=(1.0, *(float(value) for value in values))
        )

    def likelihood_weights(self, days: float, *, death_observed: bool) -> NDArray[np.float64]:
        """(K + 1,) weight of each interval's probability in the likelihood of one patient.

        Within an interval deaths are taken as spread evenly. A death counts its interval. A patient censored within an
        interval counts all later ones, and of this one the share still to come: nothing of the follow-up is lost.
        Whoever lived beyond the last limit counts as that, however the follow-up ended.

        References:
            Kvamme and Borgan, Continuous and discrete-time survival prediction with neural networks, Lifetime Data Anal
            27, 2021 (constant density interpolation). doi:10.1007/s10985-021-09532-6
        """
        limits = np.array([0.0, *self.limits_days])
        place = int(np.searchsorted(limits[1:], days, side="left"))
        weights = np.zeros(len(limits))
        weights[place] = 1.0
        if not death_observed and place < len(limits) - 1:
            weights[place] = (limits[place + 1] - days) / (limits[place + 1] - limits[place])
            weights[place + 1 :] = 1.0
        return weights

    def to_json(self) -> dict[str, Any]:
        """As a model folder stores it."""
        return {"limits_days": list(self.limits_days), "class_days": self.class_days}

    @classmethod
    def from_json(cls, stored: Any) -> TimeHead:
        """Read what ``to_json`` wrote.

        Raises:
            ModelFolderError: An entry is missing, unknown or cannot be used.
        """
        limits = stored.get("limits_days") if isinstance(stored, Mapping) else None
        if not isinstance(stored, Mapping) or set(stored) != {"limits_days", "class_days"}:
            raise ModelFolderError(Message("model.time_head", most=MOST_LIMITS))
        if not isinstance(limits, (list, tuple)):
            raise ModelFolderError(Message("model.time_head", most=MOST_LIMITS))
        return cls(limits_days=tuple(limits), class_days=stored["class_days"])
