"""How far a scan lies from the scans a model was trained on.

Two kinds of numbers are compared, each in standard deviations of the training scans: simple measures of the
prepared scan, group by group (``familiarity_measures``), and what the head of the network reads. Either alone
misses something: a network maps many foreign scans onto familiar features, and measures of brightness cannot see
a familiar histogram in a foreign shape. The group that lies farthest out decides, so that one kind of strangeness
is not averaged away by the others.

The limit is set by split conformal prediction: scans of the same kind that took no part in the statistics, or each
training scan against the others where there are none, lie within it but for a stated share of false alarms.

References:
    Laxhammar and Falkman, Conformal prediction for distribution-independent anomaly detection in streaming vessel
    data, StreamKDD 2010. doi:10.1145/1833280.1833287
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.models.familiarity_measures import GROUPS, FloatMap, Vector, measure_names, measures_of

FEATURES = "features"
LEAST_CASES = 8
FALSE_ALARMS = 0.05
"""Wanted share of scans of the training kind that are called unusual."""
_USUAL = 0.8
UNLIKE_FROM = 2.0
"""A scan this many times farther out than the limit is unlike all training scans."""


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
    """Distance from the middle of the training scans over the limit; None if unknown."""
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
    """Center, standard deviation and limit of one kind of numbers over the training scans."""

    center: Vector
    scale: Vector
    reach: float
    """Distance that counts as 1: root mean square of the standardized values."""

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
    false_alarms: float | None = None
    """Share of scans of the same kind expected beyond the limit; None in folders of format 1, whose limit was the
    outermost training scan of each group."""
    limited_by: str = "the training scans"
    """Which scans set the limit, in words."""

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
        return {
            "version": 2,
            "cases": self.cases,
            "reference": self.reference,
            "false_alarms": None if self.false_alarms is None else float(f"{self.false_alarms:.3g}"),
            "limited_by": self.limited_by,
            "spreads": stored,
        }

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
            added = {"false_alarms", "limited_by"} if stored["version"] == 2 else set()
            if set(stored) != {"version", "cases", "reference", "spreads"} | added or stored["version"] not in (1, 2):
                raise ValueError("other entries")
            if set(stored["spreads"]) != set(sizes):
                raise ValueError("other groups")
            spreads = {name: _spread(stored["spreads"][name], size) for name, size in sizes.items()}
            read = cls(int(stored["cases"]), str(stored["reference"])[:200], spreads)
            if not added:
                return read
            alarms = None if stored["false_alarms"] is None else float(stored["false_alarms"])
            if alarms is not None and not 0 < alarms < 1:
                raise ValueError("no share")
            return replace(read, false_alarms=alarms, limited_by=str(stored["limited_by"])[:200])
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise ModelFolderError(Message("familiarity.unreadable")) from problem


Described = tuple[Mapping[str, Vector], FloatMap]
"""One scan: its ``measures_of``, and (K, features) as ``NetworkResult.features``."""


def familiarity_statistics(
    training: Sequence[Described], *, reference: str, others: Sequence[Described] = (), limited_by: str = ""
) -> FamiliarityStatistics:
    """Summarize the training scans, and set the limit.

    Args:
        training: The scans to compare with.
        reference: Which scans, in words, without names: '24 virtual patients'.
        others: Scans of the same kind, prepared as a patient's are, that took no part in any training; they set the
            limit. If left out, each training scan sets it, compared with all others.
        limited_by: Which they are, in words.

    Raises:
        ValueError: Fewer than 8 cases: no spread can be told from so few.
    """
    if len(training) < LEAST_CASES or (others and len(others) < LEAST_CASES):
        raise ValueError(f"at least {LEAST_CASES} cases are needed, {len(others or training)} are given")
    tables = {name: np.array([_numbers(one)[name] for one in training]) for name in (*GROUPS, FEATURES)}
    spreads = {name: Spread(table.mean(axis=0), _scale(table), 1.0) for name, table in tables.items()}
    if others:
        distances = {name: np.array([s.distance(_numbers(one)[name]) for one in others]) for name, s in spreads.items()}
    else:
        distances = {name: _left_out(table) for name, table in tables.items()}
    count = len(others or training)
    rank = min(math.ceil((count + 1) * (1 - FALSE_ALARMS)), count)
    # The groups are brought to one scale by a distance that many scans reach: the largest one of each group would hide
    # that five groups together go beyond their limits more often than one.
    usual = {name: float(np.quantile(values, _USUAL)) for name, values in distances.items()}
    farthest = np.max([values / usual[name] for name, values in distances.items()], axis=0)
    limit = float(np.sort(farthest)[rank - 1])
    return FamiliarityStatistics(
        len(training),
        reference,
        {name: replace(spread, reach=usual[name] * limit) for name, spread in spreads.items()},
        false_alarms=1 - rank / (count + 1),
        limited_by=limited_by if others else "the training scans",
    )


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
    cases, reference, alarms = statistics.cases, statistics.reference, statistics.false_alarms
    if distance <= 1:
        verdict = FamiliarityVerdict.TYPICAL
        message = Message("familiarity.typical", cases=cases, reference=reference)
        if alarms is not None:
            message = Message("familiarity.within_limit", reference=reference, share=100 * (1 - alarms))
    elif distance < UNLIKE_FROM:
        verdict = FamiliarityVerdict.UNUSUAL
        message = Message("familiarity.unusual", cases=cases, reference=reference, furthest=furthest)
        if alarms is not None:
            share = 100 * (1 - alarms)
            message = Message("familiarity.beyond_limit", reference=reference, share=share, furthest=furthest)
    else:
        verdict = FamiliarityVerdict.UNLIKE
        message = Message("familiarity.unlike", cases=cases, reference=reference, furthest=furthest, distance=distance)
    return Familiarity(verdict=verdict, distance=distance, furthest=furthest, message=message)


def _numbers(scan: Described) -> dict[str, Vector]:
    measures, features = scan
    return {**measures, FEATURES: np.ravel(features).astype(float)}


def _left_out(table: Vector) -> Vector:
    """Distance of each training scan from the middle of the others, in the others' standard deviations."""
    distances = []
    for number in range(len(table)):
        others = np.delete(table, number, axis=0)
        distances.append(Spread(others.mean(axis=0), _scale(others), 1.0).distance(table[number]))
    return np.array(distances)


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
