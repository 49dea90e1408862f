"""The engine of each preprocessing step: this software, or a module of Slicer before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.strict_json import read_own_json
from PCNSLSurvivalLib.core.terms import DONE_BY_OTHERS, MRSequence, Step
from PCNSLSurvivalLib.preprocessing.recipe import Recipe

_OURS_AS_WELL = frozenset((Step.BRAIN_EXTRACTION, Step.BIAS_FIELD, Step.REGISTRATION))
"""Steps that this software does where no other program did."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A program that did a step."""

    name: str
    version: str

    def to_json(self) -> dict[str, str]:
        """Name and version."""
        return {"name": self.name, "version": self.version}


@dataclass(frozen=True, kw_only=True)
class PreparedBefore:
    """What was done to the scans before they came here, as ``--prepared FILE`` tells it."""

    engines: Mapping[Step, Engine] = field(default_factory=dict)
    """Other programs, by the step they did."""
    own: frozenset[Step] = frozenset()
    """Steps that this software did in an earlier call."""
    loaded: Mapping[MRSequence, Path] = field(default_factory=dict)
    """The scans as they were loaded, where those given are prepared already."""


def read_prepared_before(path: Path) -> PreparedBefore:
    """Read what the Slicer module writes of its own preparation.

    Args:
        path: JSON with ``engines`` (name and version by step), ``loaded`` (file by sequence) and, where this software
            registered scans before (``register``), ``own`` (names of steps).

    Raises:
        PreparationError: The file tells no such thing.
    """
    try:
        stored = read_own_json(path)
        engines = {
            Step(step): Engine(name=str(told["name"]), version=str(told["version"]))
            for step, told in stored["engines"].items()
        }
        loaded = {MRSequence(sequence): path.parent / file for sequence, file in stored["loaded"].items()}
        own = frozenset(Step(step) for step in stored.get("own", ()))
        if not set(engines) | own <= set(DONE_BY_OTHERS):
            raise ValueError("a step that no other program does")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise PreparationError(Message("prepared.unreadable")) from problem
    return PreparedBefore(engines=engines, own=own, loaded=loaded)


def own_engine(step: Step, recipe: Recipe) -> Engine:
    """What this software does a step with, and did for the scans its models were trained on."""
    if step is Step.BRAIN_EXTRACTION:
        name, _dash, number = recipe.brain_extraction.method.rpartition("-")
        return Engine(name=name, version=number)
    if step is Step.BIAS_FIELD:
        return Engine(name="pcnsl-survival", version=version.__version__)
    return Engine(name="SimpleITK", version=metadata.version("SimpleITK"))


def engines_of(
    recipe: Recipe, before: PreparedBefore | None, *, done_before: Mapping[Step, bool]
) -> dict[Step, Engine | None]:
    """The engine of each step of one case.

    Args:
        recipe: The recipe of the model.
        before: What was stated about the preparation; None if nothing.
        done_before: Steps of this case that this software does as well, and whether they were done before.

    Returns:
        By step; None if it was done before by an unknown program. Steps that only other programs do come last.
    """
    told = PreparedBefore() if before is None else before
    ours = {step for step, done in done_before.items() if step in told.own or not done}
    known = {
        step: told.engines.get(step) or (own_engine(step, recipe) if step in ours else None) for step in done_before
    }
    return known | {step: engine for step, engine in told.engines.items() if step not in _OURS_AS_WELL}
