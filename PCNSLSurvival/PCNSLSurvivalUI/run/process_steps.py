"""The steps of our own process that the panel foresees: which of them a run has, in their order, and their seconds.

The steps that have engines stand in ``tasks.TASKS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PCNSLSurvivalLib.core.terms import Step

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
    Step.CONTRAST: ProcessStep(seconds=4.0, asked=lambda request: request.forComparison is not None),
    Step.LESION_OUTLINE: ProcessStep(seconds=10.0, asked=lambda request: request.options.segment),
    Step.PREDICTION: ProcessStep(seconds=1.5),
    Step.GRAD_CAM: ProcessStep(seconds=0.2),
    Step.MAP_TO_PATIENT: ProcessStep(seconds=0.5),
    Step.REPORT: ProcessStep(seconds=1.5),
}
"""In their order; a new one is a line here. Seconds as on two cores with the real patient of docs/preparation.md."""
