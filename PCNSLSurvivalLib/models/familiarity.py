"""How far a scan lies from the scans a model was trained on.

Two kinds of numbers are compared, each in standard deviations of the training scans: simple measures of the
prepared scan (brightness, roughness, size, fullness, symmetry), and what the head of the network reads. Either
alone misses something: a network maps many foreign scans onto familiar features, and measures of brightness
cannot see a familiar histogram in a foreign shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.errors import ModelFolderError

LEAST_CASES = 8
UNLIKE_FROM = 2.0
"""A scan this many times farther out than the outermost training scan is unlike all of them."""

Vector = NDArray[np.float64]
FloatMap = NDArray[np.float32]

_QUANTILES = {"darkest": 0.02, "dark": 0.25, "middle": 0.5, "bright": 0.75, "brightest": 0.98}


class FamiliarityVerdict(StrEnum):
    """How a scan compares with the training scans."""

    TYPICAL = "typical"
    UNUSUAL = "unusual"
    UNLIKE = "unlike anything the model has seen"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Familiarity:
    """The answer for one scan."""

    verdict: FamiliarityVerdict
    distance: float | None
    """Distance from the middle of the training scans over that of the outermost of them; None if unknown."""
    furthest: str | None
    """The measure that lies farthest out."""
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "verdict": str(self.verdict)}


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
    measures: Spread
    features: Spread

    def to_json(self) -> dict[str, Any]:
        """Plain JSON with six digits a number."""
        kinds = {"measures": self.measures, "features": self.features}
        stored = {
            name: {
                "center": [float(f"{v:.6g}") for v in kind.center],
                "scale": [float(f"{v:.6g}") for v in kind.scale],
                "reach": float(f"{kind.reach:.6g}"),
            }
            for name, kind in kinds.items()
        }
        return {"version": 1, "cases": self.cases, "reference": self.reference, **stored}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], *, measures: int, features: int) -> FamiliarityStatistics:
        """Read what ``to_json`` wrote.

        Args:
            stored: The JSON object.
            measures: Number of measures that a scan of this model has.
            features: Number of features over all members.

        Raises:
            ModelFolderError: An entry is missing, unknown, or not of the right size.
        """
        try:
            spreads = [_spread(stored[name], size) for name, size in (("measures", measures), ("features", features))]
            if set(stored) != {"version", "cases", "reference", "measures", "features"} or stored["version"] != 1:
                raise ValueError("other entries")
            return cls(int(stored["cases"]), str(stored["reference"])[:200], *spreads)
        except (KeyError, TypeError, ValueError) as problem:
            raise ModelFolderError(
                "The statistics of the training scans in the model cannot be read. Install the model again from "
                "where you got it."
            ) from problem


def measure_names(sequences: Sequence[str]) -> list[str]:
    """What ``measures_of`` measures, in words, in its order."""
    names = [f"{level} brightness of {sequence}" for sequence in sequences for level in _QUANTILES]
    names += [f"roughness of {sequence}" for sequence in sequences]
    axes = ("left-right", "front-back", "head-foot")
    return [*names, *(f"{axis} size of the brain" for axis in axes), "fullness of the brain", "symmetry"]


def measures_of(case: FloatMap) -> Vector:
    """Simple measures of a prepared case; see ``measure_names``.

    Args:
        case: (C, I, J, K) prepared input, 0 outside the brain.

    Returns:
        (6 C + 5,) numbers.
    """
    inside = case[0] != 0
    if not inside.any():
        return np.full(6 * len(case) + 5, 1e6)
    brightness = np.concatenate([np.quantile(channel[inside], list(_QUANTILES.values())) for channel in case])
    roughness = [_roughness(channel, inside) for channel in case]
    corners = np.array([np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))[[0, -1]] for axis in range(3)])
    extent = (corners[:, 1] - corners[:, 0] + 1) / np.array(inside.shape)
    box = inside[tuple(slice(first, last + 1) for first, last in corners)]
    symmetry = float(np.mean(box == box[::-1]))
    return np.concatenate([brightness, roughness, extent, [box.mean(), symmetry]])


def familiarity_statistics(
    measures: Sequence[Vector], features: Sequence[FloatMap], *, reference: str
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
    flat = np.array([np.ravel(f) for f in features], dtype=float)
    return FamiliarityStatistics(len(measures), reference, _summarize(np.array(measures)), _summarize(flat))


def judge_familiarity(
    statistics: FamiliarityStatistics | None, case: FloatMap, features: FloatMap, *, names: Sequence[str] = ()
) -> Familiarity:
    """Compare one case with the training scans.

    Args:
        statistics: Of the model; None if it has none.
        case: (C, I, J, K) prepared input.
        features: (K, features), as ``NetworkResult.features``.
        names: Sequences of the channels, for the words of the answer.
    """
    if statistics is None:
        return Familiarity(
            verdict=FamiliarityVerdict.UNKNOWN,
            distance=None,
            furthest=None,
            sentence="The model keeps no statistics of training scans, so that it cannot tell whether this scan is "
            "like them.",
        )
    measures = measures_of(case)
    by_measures = statistics.measures.distance(measures)
    by_features = statistics.features.distance(np.ravel(features).astype(float))
    out = np.abs((measures - statistics.measures.center) / statistics.measures.scale)
    words = measure_names(names or [f"channel {n + 1}" for n in range(len(case))])
    furthest = words[int(out.argmax())] if by_measures >= by_features else "what the network reads"
    distance = max(by_measures, by_features)
    seen = f"the {statistics.cases} scans the model knows ({statistics.reference})"
    if distance <= 1:
        verdict, sentence = FamiliarityVerdict.TYPICAL, f"This scan is like {seen}."
    elif distance < UNLIKE_FROM:
        verdict = FamiliarityVerdict.UNUSUAL
        sentence = f"This scan is unusual: it lies outside {seen}; farthest out: {furthest}. Read the result with care."
    else:
        verdict = FamiliarityVerdict.UNLIKE
        sentence = (
            f"This scan is unlike anything the model has seen: it lies {distance:.1f} times as far out as any of "
            f"{seen}; farthest out: {furthest}. Do not use the result."
        )
    return Familiarity(verdict=verdict, distance=distance, furthest=furthest, sentence=sentence)


def _roughness(channel: FloatMap, inside: NDArray[np.bool_]) -> float:
    """Mean step between neighboring voxels of the brain over the spread of all: 0 smooth, above 1 noise."""
    steps = [np.abs(np.diff(channel, axis=axis))[np.logical_and(*_neighbors(inside, axis))].mean() for axis in range(3)]
    return float(np.mean(steps) / (channel[inside].std() + 1e-6))


def _neighbors(inside: NDArray[np.bool_], axis: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    moved = np.moveaxis(inside, axis, 0)
    return np.moveaxis(moved[1:], 0, axis), np.moveaxis(moved[:-1], 0, axis)


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
