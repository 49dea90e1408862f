"""The result of a sanity check of an explanation, and what all checks share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.terms import Verdict

FloatMap = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One check of one explanation."""

    name: str
    verdict: Verdict | None
    """GOOD passed, CHECK failed; None where the check cannot be made, and the sentence says why."""
    sentence: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    """What was measured."""
    criterion: str
    """What counts as passed."""
    reference: str
    """Where the check comes from."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "name": self.name,
            "verdict": "not made" if self.verdict is None else str(self.verdict),
            "sentence": self.sentence,
            "numbers": {name: round(float(value), 4) for name, value in self.numbers.items()},
            "criterion": self.criterion,
            "reference": self.reference,
        }


@dataclass(frozen=True)
class Explanation:
    """The explanation of one input: log-odds of the target class and the raw map."""

    score: float
    """Log-odds of the target class."""
    raw_map: FloatMap
    """(i, j, k), at least 0."""


Explainer = Callable[[FloatMap], Explanation]
"""Answers one (C, I, J, K) input; the target class is fixed."""


def correlation(one: FloatMap, other: FloatMap) -> float:
    """Pearson correlation of two maps over their cells; 0 where one of them is the same everywhere."""
    a, b = np.ravel(one).astype(float), np.ravel(other).astype(float)
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0


def rank_correlation(one: FloatMap, other: FloatMap) -> float:
    """Spearman correlation of two maps over their cells; equal values share their mean rank."""
    return correlation(_ranks(one), _ranks(other))


def _ranks(values: FloatMap) -> FloatMap:
    _, inverse, counts = np.unique(np.ravel(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank = last - (counts - 1) / 2
    return mean_rank[inverse].astype(np.float32)
