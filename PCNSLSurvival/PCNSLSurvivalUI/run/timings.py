"""Duration of each step on this computer, for the remaining time; stored in the application's settings."""

from __future__ import annotations

import json

import slicer

from PCNSLSurvivalLib.core.terms import Step
from PCNSLSurvivalUI.run.engines import BUILT_IN, SLICER

_KEY = "PCNSLSurvival/secondsPerStep"
_KEPT = 5
_FIRST_RUN = {
    f"{Step.BRAIN_EXTRACTION} {SLICER}": 55.0,
    f"{Step.BRAIN_EXTRACTION} {BUILT_IN}": 8.0,
    f"{Step.BIAS_FIELD} {SLICER}": 4.0,
    f"{Step.BIAS_FIELD} {BUILT_IN}": 2.0,
    f"{Step.REGISTRATION} {SLICER}": 28.0,
    f"{Step.REGISTRATION} {BUILT_IN}": 8.0,
    Step.READ: 1.5,
    Step.NORMALIZATION: 0.5,
    Step.RESAMPLING: 1.0,
    Step.NETWORK_GRID: 0.2,
    Step.CONTRAST: 10.0,
    Step.LESION_OUTLINE: 10.0,
    Step.PREDICTION: 2.0,
    Step.GRAD_CAM: 0.2,
    Step.MAP_TO_PATIENT: 0.5,
    Step.REPORT: 1.5,
}
"""Seconds by step and engine for the first run, as on two idle cores with the real patient of docs/preparation.md, in
Slicer 5.8; the bias field by Slicer's module and the lesion outline are guesses."""


def expectedSeconds(step: str) -> float | None:
    """Median of the last runs of a step here; an estimate before the first run; None for an unknown step.

    Args:
        step: Step, volume and engine: "bias_field t1gd built_in".
    """
    times = sorted(_stored().get(step, []))
    if times:
        return times[len(times) // 2]
    name = step.partition(" ")[0]
    engine = next((f" {engine}" for engine in (SLICER, BUILT_IN) if step.endswith(f" {engine}")), "")
    return _FIRST_RUN.get(f"{name}{engine}")


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
