"""What every parameter of a recipe may be: type and range, checked before a recipe from a file is used.

A recipe in a model folder is foreign data. Outside these limits a step would end in a fault, run for hours, fill the
memory, or give a number without meaning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, get_args

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Interpolation

_SCALES = ("interquartile range / 1.349",)
_LONGEST_NAME = 80


@dataclass(frozen=True)
class _Limit:
    """What a parameter may be, and the words for it."""

    holds: Callable[[Any], bool]
    allowed: str
    """In the notation of mathematics, the same in every language."""


def check_recipe_step(step: str, values: Mapping[str, Any]) -> None:
    """Reject a step of which a parameter has the wrong type or lies out of range.

    Args:
        step: Name of the step in the recipe.
        values: Parameters by name, as JSON has them; every parameter of the step, and no other.

    Raises:
        PreparationError: A parameter is not within its limits.
    """
    for name, value in values.items():
        limit = _LIMITS[step][name]
        if not limit.holds(value):
            raise PreparationError(
                Message("recipe.out_of_range", step=step, name=name, value=str(value)[:60], allowed=limit.allowed)
            )


def _real(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(least: float, most: float) -> _Limit:
    return _Limit(lambda value: _real(value) and least <= value <= most, f"[{least:g}, {most:g}]")


def _count(least: int, most: int) -> _Limit:
    return _Limit(lambda value: _whole(value) and least <= value <= most, f"{least}, ..., {most}")


def _several(one: _Limit, least: int, most: int) -> _Limit:
    counts = f"{least}" if least == most else f"{least}-{most}"

    def holds(value: Any) -> bool:
        return isinstance(value, list | tuple) and least <= len(value) <= most and all(map(one.holds, value))

    return _Limit(holds, f"{counts} x ({one.allowed})")


def _rising(one: _Limit, *, count: int) -> _Limit:
    each = _several(one, count, count)
    return _Limit(
        lambda value: each.holds(value) and all(a < b for a, b in pairwise(value)),
        f"{each.allowed}, a < b",
    )


def _falling(one: _Limit, least: int, most: int) -> _Limit:
    each = _several(one, least, most)
    return _Limit(
        lambda value: each.holds(value) and all(a >= b for a, b in pairwise(value)),
        f"{each.allowed}, a >= b",
    )


def _one_of(*choices: str) -> _Limit:
    return _Limit(lambda value: isinstance(value, str) and value in choices, " | ".join(choices))


_NAME = _Limit(
    lambda value: isinstance(value, str) and 1 <= len(value) <= _LONGEST_NAME and value.isprintable(),
    f"1-{_LONGEST_NAME} characters",
)

_LIMITS: dict[str, dict[str, _Limit]] = {
    "bias_field": {
        "working_spacing_mm": _number(1.0, 20.0),
        "iterations": _several(_count(1, 1000), 1, 6),
        "convergence_threshold": _number(1e-9, 0.5),
        "control_points": _several(_count(4, 16), 3, 3),
        "histogram_bins": _count(16, 2000),
    },
    "registration": {
        "search_mm": _number(1.0, 20.0),
        "search_samples": _count(500, 1_000_000),
        "levels_mm": _falling(_number(0.5, 20.0), 1, 6),
        "start_rotations_deg": _several(_number(-180.0, 180.0), 1, 9),
        "histogram_bins": _count(8, 512),
        "samples": _count(500, 2_000_000),
        "iterations": _count(1, 5000),
        "seed": _count(0, 2**31 - 1),
        "aligned_below_mm": _number(0.0, 5.0),
    },
    "brain_extraction": {
        "method": _NAME,
        "finding_size": _count(32, 256),
        "outlining_size": _count(64, 384),
        "margin": _number(0.0, 0.5),
        "intensity_quantiles": _rising(_number(0.0, 1.0), count=2),
        "threshold": _number(0.01, 0.99),
        "working_spacing_mm": _number(0.5, 4.0),
        "scalp_and_skull_mm": _number(0.0, 20.0),
        "closing_mm": _number(0.0, 15.0),
    },
    "normalization": {
        "scale": _one_of(*_SCALES),
        "clip": _Limit(
            lambda value: _rising(_number(-100.0, 100.0), count=2).holds(value) and value[0] <= -1 and value[1] >= 1,
            "2 x [-100, 100], a <= -1, b >= 1",
        ),
    },
    "resampling": {
        "spacing_mm": _several(_number(0.4, 8.0), 3, 3),
        "interpolation": _one_of(*get_args(Interpolation)),
    },
    "network_grid": {
        "size": _several(_count(16, 256), 3, 3),
        "spacing_mm": _several(_number(0.25, 8.0), 3, 3),
    },
}
