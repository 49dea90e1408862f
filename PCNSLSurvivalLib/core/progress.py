"""Progress of a run: a stream of events that the terminal, a log or the panel shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from PCNSLSurvivalLib.core.messages import Message, step_words
from PCNSLSurvivalLib.core.terms import MRSequence, Step

State = Literal["started", "running", "finished", "skipped", "kept"]


@dataclass(frozen=True, kw_only=True)
class StepEvent:
    """One thing that happened to one step."""

    step: Step
    state: State
    sequence: MRSequence | None = None
    """Whose step it is, where every scan has its own."""
    rough: bool = False
    """The registration that comes before the exact one."""
    reason: Message | None = None
    """Why the step was skipped."""
    fraction: float | None = None
    """Share of the step done, 0 to 1; None where the step does not report it."""
    seconds: float | None = None
    """Wall time of the step; set when it has finished."""

    @property
    def key(self) -> str:
        """Name of the step in the seconds of a result: "bias_field t1gd", "registration t2 rough"."""
        parts = (self.step.value, self.sequence.value if self.sequence else "", "rough" if self.rough else "")
        return " ".join(part for part in parts if part)

    @property
    def title(self) -> str:
        """The step as it stands in a list in English: "Registration to T1Gd, T2, coarse"."""
        parts = (
            str(step_words(self.step)),
            self.sequence.label if self.sequence else "",
            "coarse" if self.rough else "",
        )
        return ", ".join(part for part in parts if part)

    def to_json(self) -> dict[str, Any]:
        """One progress line."""
        return {
            "type": "step",
            "step": self.step.value,
            "sequence": None if self.sequence is None else self.sequence.value,
            "rough": self.rough,
            "state": self.state,
            "reason": None if self.reason is None else self.reason.to_json(),
            "fraction": self.fraction,
            "seconds": self.seconds,
        }

    @classmethod
    def of_key(cls, key: str) -> StepEvent:
        """The finished step that a key names."""
        step, *parts = key.split(" ")
        sequence = next((MRSequence(part) for part in parts if part != "rough"), None)
        return cls(step=Step(step), state="finished", sequence=sequence, rough="rough" in parts)


Listener = Callable[[StepEvent], None]


def silent(event: StepEvent) -> None:
    """Listen to nothing."""


@dataclass
class StepClock:
    """Announces the steps of one run to a listener and keeps their wall time."""

    listener: Listener = silent
    seconds: dict[str, float] = field(default_factory=dict)
    """Seconds by ``StepEvent.key``, in the order of the run: ``{"bias_field t1gd": 6.1}``."""

    @contextmanager
    def step(
        self, step: Step, sequence: MRSequence | None = None, *, rough: bool = False
    ) -> Iterator[Callable[[float], None]]:
        """Time one step; the value of the ``with`` statement reports the fraction done."""
        begun = StepEvent(step=step, state="started", sequence=sequence, rough=rough)
        self.listener(begun)
        begin = time.perf_counter()

        def running(fraction: float) -> None:
            self.listener(replace(begun, state="running", fraction=min(max(fraction, 0.0), 1.0)))

        yield running
        seconds = time.perf_counter() - begin
        self.seconds[begun.key] = round(seconds, 3)
        self.listener(replace(begun, state="finished", fraction=1.0, seconds=seconds))

    def record(self, step: Step, seconds: float) -> None:
        """Announce a step that was done, and timed, inside another one."""
        self.seconds[step] = round(seconds, 3)
        self.listener(StepEvent(step=step, state="started"))
        self.listener(StepEvent(step=step, state="finished", fraction=1.0, seconds=seconds))

    def keep(self, step: Step, sequence: MRSequence | None = None, *, rough: bool = False) -> None:
        """Say that the result of an earlier run is used."""
        self.listener(StepEvent(step=step, state="kept", sequence=sequence, rough=rough, fraction=1.0))

    def skip(self, step: Step, reason: Message) -> None:
        """Say that a step is not needed, and why."""
        self.listener(StepEvent(step=step, state="skipped", reason=reason))
