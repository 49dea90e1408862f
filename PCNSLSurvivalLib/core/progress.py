"""Progress of a run: a stream of events that the terminal, a log or the panel shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from PCNSLSurvivalLib.core.terms import Step

State = Literal["started", "running", "finished", "skipped", "kept"]


@dataclass(frozen=True, kw_only=True)
class StepEvent:
    """One thing that happened to one step."""

    step: Step
    state: State
    detail: str = ""
    """Which volume, or why the step was skipped: 'T2', 'already skull-stripped'."""
    fraction: float | None = None
    """Share of the step done, 0 to 1; None where the step does not report it."""
    seconds: float | None = None
    """Wall time of the step; set when it has finished."""


Listener = Callable[[StepEvent], None]


def silent(event: StepEvent) -> None:
    """Listen to nothing."""


@dataclass
class StepClock:
    """Announces the steps of one run to a listener and keeps their wall time."""

    listener: Listener = silent
    seconds: dict[str, float] = field(default_factory=dict)
    """Seconds per step and detail, in the order of the run: ``{"bias_field T1Gd": 6.1}``."""

    @contextmanager
    def step(self, step: Step, detail: str = "") -> Iterator[Callable[[float], None]]:
        """Time one step; the value of the ``with`` statement reports the fraction done."""
        self.listener(StepEvent(step=step, state="started", detail=detail))
        begin = time.perf_counter()

        def running(fraction: float) -> None:
            self.listener(StepEvent(step=step, state="running", detail=detail, fraction=min(max(fraction, 0.0), 1.0)))

        yield running
        seconds = time.perf_counter() - begin
        self.seconds[f"{step} {detail}".strip()] = round(seconds, 3)
        self.listener(StepEvent(step=step, state="finished", detail=detail, fraction=1.0, seconds=seconds))

    def record(self, step: Step, seconds: float) -> None:
        """Announce a step that was done, and timed, inside another one."""
        self.seconds[step] = round(seconds, 3)
        self.listener(StepEvent(step=step, state="started"))
        self.listener(StepEvent(step=step, state="finished", fraction=1.0, seconds=seconds))

    def keep(self, step: Step, detail: str = "") -> None:
        """Say that the result of an earlier run is used."""
        self.listener(StepEvent(step=step, state="kept", detail=detail, fraction=1.0))

    def skip(self, step: Step, reason: str) -> None:
        """Say that a step is not needed, and why."""
        self.listener(StepEvent(step=step, state="skipped", detail=reason))
