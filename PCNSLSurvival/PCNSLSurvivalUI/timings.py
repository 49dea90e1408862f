"""How long each step took on this machine, for the time left; kept in the application's settings."""

from __future__ import annotations

import json

import slicer

_KEY = "PCNSLSurvival/secondsPerStep"
_KEPT = 5


def expectedSeconds(step: str) -> float | None:
    """Median of the last runs of a step here; None when it has never run."""
    times = sorted(_stored().get(step, []))
    return times[len(times) // 2] if times else None


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
