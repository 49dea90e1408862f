"""How stable a prediction is: the case again under shading, noise, a turned head and other brain outlines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.messages import Message, os_class_words
from PCNSLSurvivalLib.core.terms import MRSequence, OSClass
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.inference.network_result import NetworkResult
from PCNSLSurvivalLib.preprocessing.disturbances import NetworkInput, moved_outline, noisy, outlined, shaded, turned
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import brain_extractor


class Disturbance(StrEnum):
    """What is changed in a copy of the case; the value is its name in JSON."""

    SHADING = "shading"
    """A smooth field over the brain; the strength is its change from one side to the other."""
    NOISE = "noise"
    """Rician noise; the strength is its standard deviation over the median of the brain."""
    ROTATION = "rotation"
    """The head turned in the scanner; degrees."""
    OUTLINE = "outline"
    """The brain outline wider or tighter everywhere; mm."""
    OTHER_OUTLINE = "other_outline"
    """The brain outline of another program; without strength."""


STRENGTHS: dict[Disturbance, tuple[float, ...]] = {
    Disturbance.SHADING: (0.1, 0.2, 0.4),
    Disturbance.NOISE: (0.05, 0.1, 0.2),
    Disturbance.ROTATION: (3.0, 6.0, 12.0),
    Disturbance.OUTLINE: (1.0, 2.0, 3.0),
}
"""From hardly visible to plainly visible on the scan."""
_SAME_OUTLINE = 0.999
"""Dice from which two masks are the work of one program."""


@dataclass(frozen=True, kw_only=True)
class DisturbedAnswer:
    """The answer to one disturbed copy."""

    disturbance: Disturbance
    strength: float
    """In the unit of the disturbance, see there."""
    direction: str
    """Which of the copies of this strength: "+left", "seed 1", "wider"."""
    probability: float
    log_odds: float


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """The answers to all disturbed copies of one case; they test the model and are no interval."""

    probability: float
    """Of OS > 1 year for the case as it is."""
    decision_threshold: float
    answers: tuple[DisturbedAnswer, ...]

    @property
    def os_class(self) -> OSClass:
        """The class of the case as it is."""
        return OSClass(int(self.probability >= self.decision_threshold))

    @property
    def lowest(self) -> float:
        """Smallest probability, that of the case included."""
        return min((self.probability, *(answer.probability for answer in self.answers)))

    @property
    def highest(self) -> float:
        """Largest probability, that of the case included."""
        return max((self.probability, *(answer.probability for answer in self.answers)))

    def flips_at(self, disturbance: Disturbance) -> float | None:
        """The weakest strength at which one of the copies has the other class; None where none has."""
        flipped = [
            answer.strength
            for answer in self.answers
            if answer.disturbance is disturbance
            and (answer.probability >= self.decision_threshold) != bool(self.os_class)
        ]
        return min(flipped, default=None)

    @property
    def message(self) -> Message:
        """Range, and where the class changes, in words."""
        probability, low, high, copies = self.probability, self.lowest, self.highest, len(self.answers)
        flips = [
            _at_strength(disturbance, strength)
            for disturbance in Disturbance
            if (strength := self.flips_at(disturbance)) is not None
        ]
        if flips:
            return Message(
                "robustness.flips", probability=probability, low=low, high=high, copies=copies, flips=tuple(flips)
            )
        stays = os_class_words(self.os_class)
        return Message("robustness.stays", probability=probability, low=low, high=high, copies=copies, os_class=stays)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        done = [one for one in Disturbance if any(answer.disturbance is one for answer in self.answers)]
        return {
            **self.message.to_json(),
            "lowest": self.lowest,
            "highest": self.highest,
            "flips_at": {str(one): self.flips_at(one) for one in done},
            "copies": [
                {
                    "disturbance": str(answer.disturbance),
                    "strength": answer.strength,
                    "direction": answer.direction,
                    "probability_over_one_year": answer.probability,
                    "log_odds": answer.log_odds,
                }
                for answer in self.answers
            ],
        }


def ask_disturbed(
    network: SurvivalNetwork,
    prepared: PreparedCase,
    first: NetworkResult,
    *,
    other_outline: sitk.Image | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Robustness:
    """Predict every disturbed copy of a case.

    Args:
        network: The loaded networks.
        prepared: The case.
        first: The answer to it.
        other_outline: Brain mask of another program on the voxels of the prepared T1Gd, if there is one.
        progress: Hears of the share done.
    """
    sequences = network.folder.sequences
    copies = list(_copies(prepared, sequences, other_outline))
    answers = []
    for number, (disturbance, strength, direction, make) in enumerate(copies, start=1):
        result = network.predict(make(), tta=first.test_time_augmentation)
        answers.append(
            DisturbedAnswer(
                disturbance=disturbance,
                strength=strength,
                direction=direction,
                probability=result.probability_over_one_year,
                log_odds=result.log_odds,
            )
        )
        progress(number / len(copies))
    return Robustness(
        probability=first.probability_over_one_year,
        decision_threshold=first.decision_threshold,
        answers=tuple(answers),
    )


def other_outline_of(prepared: PreparedCase, given: sitk.Image | None, *, by_another: bool) -> sitk.Image | None:
    """The brain outline of another program than the one that outlined the case.

    Args:
        prepared: The case.
        given: A mask that such a program made, on the voxels of the prepared T1Gd.
        by_another: Another program outlined the case: then the built-in extraction is the other one, where it is
            installed and the scan still has its skull.

    Returns:
        ``uint8`` on the voxels of the prepared T1Gd; None without another program, or where both agree.
    """
    step, t1gd = prepared.recipe.brain_extraction, prepared.native[MRSequence.T1GD]
    if given is not None:
        other = given
    elif by_another and not prepared.known.already_stripped and brain_extractor(step.method).is_installed():
        other = brain_extractor(step.method).extract(t1gd, step)
    else:
        return None
    one, two = (sitk.GetArrayViewFromImage(mask) != 0 for mask in (prepared.brain_mask, other))
    overlap, voxels = int(np.count_nonzero(one & two)), int(np.count_nonzero(one)) + int(np.count_nonzero(two))
    return None if 2 * overlap >= _SAME_OUTLINE * voxels else other


_Copy = tuple[Disturbance, float, str, Callable[[], NetworkInput]]
_AXES = ("left", "posterior", "superior")


def _copies(
    prepared: PreparedCase, sequences: tuple[MRSequence, ...], other_outline: sitk.Image | None
) -> Iterator[_Copy]:
    for strength in STRENGTHS[Disturbance.SHADING]:
        for axis, name in enumerate(_AXES):
            for sign, ratio in (("+", 1 + strength), ("-", 1 / (1 + strength))):

                def under_field(axis: int = axis, ratio: float = ratio) -> NetworkInput:
                    return shaded(prepared, sequences, axis=axis, ratio=ratio)

                yield Disturbance.SHADING, strength, f"{sign}{name}", under_field
    for seed, strength in enumerate(STRENGTHS[Disturbance.NOISE]):

        def under_noise(seed: int = seed, share: float = strength) -> NetworkInput:
            return noisy(prepared, sequences, share=share, seed=seed)

        yield Disturbance.NOISE, strength, f"seed {seed}", under_noise
    for strength in STRENGTHS[Disturbance.ROTATION]:
        for axis, name in enumerate(_AXES):
            for sign, degrees in (("+", strength), ("-", -strength)):

                def tilted(axis: int = axis, degrees: float = degrees) -> NetworkInput:
                    return turned(prepared, sequences, axis=axis, degrees=degrees)

                yield Disturbance.ROTATION, strength, f"{sign}{name}", tilted
    for strength in STRENGTHS[Disturbance.OUTLINE]:
        for word, mm in (("wider", strength), ("tighter", -strength)):
            if mm > 0 and prepared.known.already_stripped:
                continue  # there is nothing around the brain

            def moved(mm: float = mm) -> NetworkInput:
                return outlined(prepared, sequences, moved_outline(prepared.brain_mask, mm))

            yield Disturbance.OUTLINE, strength, word, moved
    if other_outline is not None:
        yield Disturbance.OTHER_OUTLINE, 0.0, "", lambda: outlined(prepared, sequences, other_outline)


def _at_strength(disturbance: Disturbance, strength: float) -> Message:
    if disturbance is Disturbance.SHADING:
        return Message("robustness.shading", strength=strength)
    if disturbance is Disturbance.NOISE:
        return Message("robustness.noise", strength=strength)
    if disturbance is Disturbance.ROTATION:
        return Message("robustness.rotation", strength=strength)
    if disturbance is Disturbance.OUTLINE:
        return Message("robustness.outline", strength=strength)
    return Message("robustness.other_outline")
