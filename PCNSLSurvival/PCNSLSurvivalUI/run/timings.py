"""Duration of each step on this computer, for the remaining time; stored in the application's settings."""

from __future__ import annotations

import json

import slicer

from PCNSLSurvivalUI.run.process_steps import PROCESS_STEPS
from PCNSLSurvivalUI.run.tasks import TASKS

_KEY = "PCNSLSurvival/secondsPerStep"
_KEPT = 5


def expectedSeconds(step: str) -> float | None:
    """Median of the last runs of a step here; an estimate before the first run; None for an unknown step.

    Args:
        step: Step, volume and engine: "bias_field t1gd built_in".
    """
    times = sorted(_stored().get(step, []))
    if times:
        return times[len(times) // 2]
    name = step.partition(" ")[0]
    of_engines = next((kind.seconds for kind in TASKS if kind.step == name), None)
    if of_engines is not None:
        return of_engines.get(step.rpartition(" ")[2])
    foreseen = PROCESS_STEPS.get(name)
    return None if foreseen is None else foreseen.seconds


def isTimedHere(step: str) -> bool:
    """Whether a step has run on this computer before."""
    return bool(_stored().get(step))


def remember(step: str, seconds: float) -> None:
    """Keep what a finished step took."""
    stored = _stored()
    stored[step] = [*stored.get(step, []), round(seconds, 2)][-_KEPT:]
    slicer.app.userSettings().setValue(_KEY, json.dumps(stored))


def _stored() -> dict[str, list[float]]:
    try:
        stored = json.loads(slicer.app.userSettings().value(_KEY) or "{}")
    except (ValueError, TypeError):
        return {}
    return stored if isinstance(stored, dict) else {}
