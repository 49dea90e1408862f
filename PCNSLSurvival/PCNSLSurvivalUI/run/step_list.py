"""The steps of one run as the panel lists them: state, seconds, verdict, time left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from PCNSLSurvivalUI.run import timings

WAITING, RUNNING, DONE, SKIPPED, FAILED, CANCELLED, KEPT = (
    "waiting", "running", "done", "skipped", "failed", "cancelled", "kept",
)  # fmt: skip
FIRST, PROCESS, READING = "first", "process", "reading"
"""Lanes, one after another: what the prediction waits for; our own process; what is done for the reader after it."""


@dataclass
class RunStep:
    """One line of the step list."""

    key: str
    """Step and volume, such as ``bias_field t1gd``."""
    label: str
    engine: str = ""
    lane: str = FIRST
    state: str = WAITING
    seconds: float | None = None
    verdict: str = ""
    note: str = ""
    fraction: float | None = None
    started: float = field(default=0.0, repr=False)
    expected: float | None = field(init=False)
    """Seconds it should take; looked up once, so that finishing a step does not change what the others weigh."""

    def __post_init__(self) -> None:
        self.expected = timings.expectedSeconds(self.timed)

    @property
    def timed(self) -> str:
        """The name its seconds are remembered under: the same step by another engine takes another time."""
        return f"{self.key} {self.engine}".strip()

    @property
    def elapsed(self) -> float:
        """Seconds so far."""
        if self.seconds is not None:
            return self.seconds
        return time.monotonic() - self.started if self.state == RUNNING else 0.0


class StepList:
    """The steps in their order."""

    def __init__(self) -> None:
        self.steps: list[RunStep] = []
        self._furthest = 0.0

    def add(self, key: str, label: str, engine: str = "", lane: str = FIRST) -> RunStep:
        """Append a waiting step."""
        self.steps.append(RunStep(key, label, engine, lane))
        return self.steps[-1]

    def sortByLane(self, first: str) -> None:
        """Bring the steps into the order in which they begin; ``first`` is the first of our process."""
        order = {FIRST: 0, PROCESS: 1, READING: 2}
        self.steps.sort(key=lambda step: (order[step.lane], step.key != first))

    def addNext(self, key: str, label: str) -> RunStep:
        """Insert a step of our process that was not foreseen before the first one that waits."""
        place = next((n for n, step in enumerate(self.steps) if step.state == WAITING), len(self.steps))
        self.steps.insert(place, RunStep(key, label, lane=PROCESS))
        return self.steps[place]

    def find(self, key: str) -> RunStep | None:
        """The step of that name."""
        return next((step for step in self.steps if step.key == key), None)

    def start(self, key: str) -> None:
        """A step begins."""
        step = self._known(key)
        step.state, step.started = RUNNING, time.monotonic()

    def finish(self, key: str, seconds: float | None = None) -> None:
        """A step is done; its time is remembered for the next run."""
        step = self._known(key)
        step.seconds = step.elapsed if seconds is None else seconds
        step.state, step.fraction = DONE, 1.0
        timings.remember(step.timed, step.seconds)

    def mark(self, key: str, state: str, note: str = "") -> None:
        """A step is skipped, kept, failed or cancelled, and why."""
        step = self._known(key)
        if step.state == RUNNING:
            step.seconds = step.elapsed
        step.state, step.note = state, note

    def markRunning(self, state: str) -> None:
        """Whatever runs or waits ends with this state; steps never begun stay waiting."""
        for step in self.steps:
            if step.state == RUNNING:
                self.mark(step.key, state, step.note)

    def judge(self, key: str, verdict: str, note: str) -> None:
        """What a step's result is worth, in a word and in a sentence."""
        step = self._known(key)
        step.verdict, step.note = verdict, note

    def whereProcessStopped(self) -> str:
        """The step of our process that an error belongs to: the running one, otherwise the last that was done."""
        ours = [step for step in self.steps if step.lane == PROCESS]
        running = [step for step in ours if step.state == RUNNING]
        done = [step for step in ours if step.state in (DONE, KEPT)]
        return (running or done[-1:] or ours)[0].key

    def _known(self, key: str) -> RunStep:
        return self.find(key) or self.add(key, key)

    def secondsLeft(self, *, toPrediction: bool = False) -> float | None:
        """Remaining seconds by earlier durations on this computer; None if unknown.

        Args:
            toPrediction: Leave out what is done for the reader after the prediction.
        """
        left = [step for step in self.steps if step.state in (WAITING, RUNNING)]
        if toPrediction:
            left = [step for step in left if step.lane != READING]
        if any(step.expected is None for step in left):
            return None
        return sum(max(step.expected - step.elapsed, 0.0) for step in left)

    def isOverdue(self) -> bool:
        """Whether a step takes clearly longer than it should: the seconds left stand still then."""
        running = [step for step in self.steps if step.state == RUNNING and step.expected is not None]
        return any(step.elapsed > 1.25 * step.expected + 2.0 for step in running)

    def isTimedHere(self) -> bool:
        """Whether the seconds left come from this computer alone, with no guess among them."""
        left = [step for step in self.steps if step.state in (WAITING, RUNNING)]
        return all(timings.isTimedHere(step.timed) for step in left)

    def fraction(self) -> float:
        """Share of the run that is done, by the seconds that the steps should take; it never goes back."""
        done = total = 0.0
        for step in self.steps:
            weight = step.expected or 1.0
            total += weight
            if step.state in (WAITING, FAILED, CANCELLED):
                continue
            if step.state == RUNNING:
                done += weight * (step.fraction if step.fraction is not None else min(step.elapsed / weight, 0.95))
            else:
                done += weight
        self._furthest = max(self._furthest, done / total if total else 0.0)
        return self._furthest
