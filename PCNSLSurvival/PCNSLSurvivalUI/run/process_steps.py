"""The steps that the panel foresees: which of them a run has, in their order, and what each takes the first time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.core.terms import Step
from PCNSLSurvivalUI.run.engines import BUILT_IN, SLICER

if TYPE_CHECKING:
    from PCNSLSurvivalUI.run.request import RunRequest


@dataclass(frozen=True, kw_only=True)
class ProcessStep:
    """A step of our own process."""

    seconds: float
    """Of the first run."""
    asked: Callable[[RunRequest], bool] | None = None
    """Whether a run has it; every run if left out."""


PROCESS_STEPS: Mapping[str, ProcessStep] = {
    Step.READ: ProcessStep(seconds=1.5),
    Step.NORMALIZATION: ProcessStep(seconds=0.5),
    Step.RESAMPLING: ProcessStep(seconds=1.0),
    Step.NETWORK_GRID: ProcessStep(seconds=0.2),
    Step.CONTRAST: ProcessStep(seconds=10.0, asked=lambda request: request.forComparison is not None),
    Step.LESION_OUTLINE: ProcessStep(seconds=10.0, asked=lambda request: request.proposeLesion),
    Step.PREDICTION: ProcessStep(seconds=2.0),
    Step.GRAD_CAM: ProcessStep(seconds=0.2),
    Step.MAP_TO_PATIENT: ProcessStep(seconds=0.5),
    Step.REPORT: ProcessStep(seconds=1.5),
}
"""In their order; a new one is a line here. Seconds as on two idle cores with the real patient of docs/preparation.md;
the lesion outline is a guess."""

ENGINE_SECONDS: Mapping[str, Mapping[str, float]] = {
    Step.BRAIN_EXTRACTION: {SLICER: 55.0, BUILT_IN: 8.0},
    Step.BIAS_FIELD: {SLICER: 4.0, BUILT_IN: 2.0},
    Step.REGISTRATION: {SLICER: 28.0, BUILT_IN: 8.0},
}
"""Steps that have engines; Slicer's as in Slicer 5.8, of which the bias field is a guess."""


def firstRunSeconds(step: str, engine: str) -> float | None:
    """Seconds of a step in the first run on a computer; None for a step that is not foreseen.

    Args:
        step: Its name: "bias_field".
        engine: The engine; empty for a step without one.
    """
    of_engines = ENGINE_SECONDS.get(step)
    if of_engines is not None:
        return of_engines.get(engine)
    foreseen = PROCESS_STEPS.get(step)
    return None if foreseen is None else foreseen.seconds
