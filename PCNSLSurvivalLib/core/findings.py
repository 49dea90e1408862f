"""A finding: what a quality check measured, its verdict and its message."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One judgement of one step."""

    measure: str
    """What was measured, in tables and JSON: "slice_distance"."""
    step: Step
    """The step whose result is judged."""
    sequence: MRSequence | None
    """The scan judged; None for the brain mask."""
    verdict: Verdict
    value: float | None
    unit: str
    message: Message

    @property
    def sentence(self) -> str:
        """The message in English."""
        return str(self.message)

    def to_json(self) -> dict[str, Any]:
        """The finding as plain JSON values."""
        return {
            "measure": self.measure,
            "step": self.step.value,
            "sequence": None if self.sequence is None else self.sequence.value,
            "verdict": self.verdict.value,
            "value": self.value,
            "unit": self.unit,
            **self.message.to_json(),
        }


def judged(value: float, *, check: float, unusable: float) -> Verdict:
    """The verdict on a measure that is worse the farther it lies from 'check' toward 'unusable'."""
    sign = 1.0 if unusable > check else -1.0
    if not math.isfinite(value) or sign * value >= sign * unusable:
        return Verdict.UNUSABLE
    return Verdict.CHECK if sign * value >= sign * check else Verdict.GOOD


def upgraded_finding(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A finding as ``Finding.to_json`` writes it, from one that schema 1 wrote.

    Schema 1 kept the measure as ``code``, the words of a scan or "brain mask" as ``subject``, and an English sentence
    alone; the sentence is kept, without code and values.

    Args:
        stored: A finding of either schema.
    """
    if "measure" in stored:
        return dict(stored)
    measure = str(stored.get("code", ""))
    labels = {sequence.label: sequence.value for sequence in MRSequence}
    return {
        "measure": measure,
        "step": _step_of(measure).value,
        "sequence": labels.get(str(stored.get("subject"))),
        "verdict": stored.get("verdict"),
        "value": stored.get("value"),
        "unit": stored.get("unit", ""),
        "code": None,
        "values": {},
        "sentence": str(stored.get("sentence", "")),
    }


def _step_of(measure: str) -> Step:
    if measure.startswith(("brain_", "mask_")):
        return Step.BRAIN_EXTRACTION
    if measure in ("registration_sharpness", "head_turn", "uncovered_brain"):
        return Step.REGISTRATION
    return Step.NORMALIZATION if measure == "enhancement" else Step.READ
