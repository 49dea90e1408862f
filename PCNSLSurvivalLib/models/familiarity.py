"""How far a scan lies from the scans a model was trained on.

Two kinds of numbers are compared, each in standard deviations of the training scans: simple measures of the
prepared scan, group by group (``familiarity_measures``), and what the head of the network reads. Either alone
misses something: a network maps many foreign scans onto familiar features, and measures of brightness cannot see
a familiar histogram in a foreign shape. The group that lies farthest out decides, so that one kind of strangeness
is not averaged away by the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.models.familiarity_measures import GROUPS, FloatMap, Vector, measure_names, measures_of

FEATURES = "features"
LEAST_CASES = 8
UNLIKE_FROM = 2.0
"""A scan this many times farther out than the outermost training scan is unlike all of them."""


class FamiliarityVerdict(StrEnum):
    """How a scan compares with the training scans."""

    TYPICAL = "typical"
    UNUSUAL = "unusual"
    UNLIKE = "unlike"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Familiarity:
    """The answer for one scan."""

    verdict: FamiliarityVerdict
    distance: float | None
    """Distance from the middle of the training scans over that of the outermost of them; None if unknown."""
    furthest: Message | None
    """The measure that lies farthest out."""
    message: Message

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "verdict": self.verdict.value,
            "distance": self.distance,
            "furthest": None if self.furthest is None else self.furthest.to_json(),
            **self.message.to_json(),
        }


@dataclass(frozen=True)
class Spread:
    """Center, standard deviation and reach of one kind of numbers over the training scans."""

    center: Vector
    scale: Vector
    reach: float
    """Largest distance of a training scan from the others' center, in the others' standard deviations."""

    def distance(self, values: Vector) -> float:
        """Root mean square of the standardized values, over the reach."""
        return float(np.sqrt(np.mean(((values - self.center) / self.scale) ** 2))) / self.reach


@dataclass(frozen=True)
class FamiliarityStatistics:
    """What a model folder keeps of its training scans: no scan, no patient, only means and spreads."""

    cases: int
    reference: str
    """Which scans, in words: '24 virtual patients'."""
    spreads: Mapping[str, Spread]
    """By group of measures, and "features" for what the head of the network reads."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON with six digits a number."""
        stored = {
            name: {
                "center": [float(f"{v:.6g}") for v in spread.center],
                "scale": [float(f"{v:.6g}") for v in spread.scale],
                "reach": float(f"{spread.reach:.6g}"),
            }
            for name, spread in self.spreads.items()
        }
        return {"version": 1, "cases": self.cases, "reference": self.reference, "spreads": stored}

    @classmethod
    def from_json(
        cls, stored: Mapping[str, Any], *, sequences: Sequence[MRSequence], features: int
    ) -> FamiliarityStatistics:
        """Read what ``to_json`` wrote.

        Args:
            stored: The JSON object.
            sequences: Input channels of the model.
            features: Number of features over all members.

        Raises:
            ModelFolderError: An entry is missing, unknown, or not of the right size.
        """
        sizes = {group: len(words) for group, words in measure_names(sequences).items()} | {FEATURES: features}
        try:
            if set(stored) != {"version", "cases", "reference", "spreads"} or stored["version"] != 1:
                raise ValueError("other entries")
            if set(stored["spreads"]) != set(sizes):
                raise ValueError("other groups")
            spreads = {name: _spread(stored["spreads"][name], size) for name, size in sizes.items()}
            return cls(int(stored["cases"]), str(stored["reference"])[:200], spreads)
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise ModelFolderError(Message("familiarity.unreadable")) from problem


def familiarity_statistics(
    measures: Sequence[Mapping[str, Vector]], features: Sequence[FloatMap], *, reference: str
) -> FamiliarityStatistics:
    """Summarize the training scans.

    Args:
        measures: ``measures_of`` of each training case.
        features: (K, features) of each, as ``NetworkResult.features``.
        reference: Which scans, in words, without names: '24 virtual patients'.

    Raises:
        ValueError: Fewer than 8 cases: no spread can be told from so few.
    """
    if len(measures) < LEAST_CASES or len(measures) != len(features):
        raise ValueError(f"at least {LEAST_CASES} cases are needed, {len(measures)} are given")
    spreads = {group: _summarize(np.array([each[group] for each in measures])) for group in GROUPS}
    spreads[FEATURES] = _summarize(np.array([np.ravel(f) for f in features], dtype=float))
    return FamiliarityStatistics(len(measures), reference, spreads)


def judge_familiarity(
    statistics: FamiliarityStatistics | None, case: FloatMap, features: FloatMap, *, sequences: Sequence[MRSequence]
) -> Familiarity:
    """Compare one case with the training scans.

    Args:
        statistics: Of the model; None if it has none.
        case: (C, I, J, K) prepared input.
        features: (K, features), as ``NetworkResult.features``.
        sequences: Of the channels, for the words of the answer.
    """
    if statistics is None:
        return Familiarity(
            verdict=FamiliarityVerdict.UNKNOWN,
            distance=None,
            furthest=None,
            message=Message("familiarity.unknown"),
        )
    values = {**measures_of(case), FEATURES: np.ravel(features).astype(float)}
    distances = {group: spread.distance(values[group]) for group, spread in statistics.spreads.items()}
    outermost = max(distances, key=lambda group: distances[group])
    distance, spread = distances[outermost], statistics.spreads[outermost]
    furthest = Message("measure.network_features")
    if outermost != FEATURES:
        out = np.abs((values[outermost] - spread.center) / spread.scale)
        furthest = measure_names(sequences)[outermost][int(out.argmax())]
    cases, reference = statistics.cases, statistics.reference
    if distance <= 1:
        verdict = FamiliarityVerdict.TYPICAL
        message = Message("familiarity.typical", cases=cases, reference=reference)
    elif distance < UNLIKE_FROM:
        verdict = FamiliarityVerdict.UNUSUAL
        message = Message("familiarity.unusual", cases=cases, reference=reference, furthest=furthest)
    else:
        verdict = FamiliarityVerdict.UNLIKE
        message = Message("familiarity.unlike", cases=cases, reference=reference, furthest=furthest, distance=distance)
    return Familiarity(verdict=verdict, distance=distance, furthest=furthest, message=message)


def _summarize(values: Vector) -> Spread:
    left_out = []
    for number in range(len(values)):
        others = np.delete(values, number, axis=0)
        scaled = (values[number] - others.mean(axis=0)) / _scale(others)
        left_out.append(float(np.sqrt(np.mean(scaled**2))))
    return Spread(values.mean(axis=0), _scale(values), max(left_out))


def _scale(values: Vector) -> Vector:
    """Standard deviation of each column, at least a tenth of the usual one: silent channels must not decide."""
    deviation = values.std(axis=0, ddof=1)
    floor = 0.1 * float(np.median(deviation[deviation > 0])) if (deviation > 0).any() else 1.0
    scale: Vector = np.maximum(deviation, floor)
    return scale


def _spread(stored: Mapping[str, Any], size: int) -> Spread:
    center, scale = (np.array(stored[name], dtype=float) for name in ("center", "scale"))
    reach = float(stored["reach"])
    if center.shape != (size,) or scale.shape != (size,) or not (scale > 0).all() or not reach > 0:
        raise ValueError("not the right size")
    return Spread(center, scale, reach)
