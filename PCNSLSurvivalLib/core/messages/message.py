"""A message: the code of its template, and the values in it."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, TypeAlias

from PCNSLSurvivalLib.core.messages import (
    atlas,
    clinical,
    cohorts,
    evaluation,
    experiments,
    files,
    installation,
    models,
    predictions,
    preparation,
    scans,
    series,
    tables,
    training,
    words,
)
from PCNSLSurvivalLib.core.printable import printable
from PCNSLSurvivalLib.core.terms import MRSequence, Step

Value: TypeAlias = "str | float | MRSequence | Message | tuple[Value, ...]"
"""What a placeholder may stand for: text in no language, a number, a sequence, words, or several.

Several sentences are joined by a space, several words by commas.
"""

Translate: TypeAlias = Callable[[str, str], str]
"""Gets the context of a template, "messages.scans", and the template; returns it in another language."""

_TABLES = {
    "core.terms": {f"step.{step}": step.label for step in Step},
    "messages.atlas": atlas.TEMPLATES,
    "messages.clinical": clinical.TEMPLATES,
    "messages.cohorts": cohorts.TEMPLATES,
    "messages.evaluation": evaluation.TEMPLATES,
    "messages.experiments": experiments.TEMPLATES,
    "messages.files": files.TEMPLATES,
    "messages.installation": installation.TEMPLATES,
    "messages.models": models.TEMPLATES,
    "messages.predictions": predictions.TEMPLATES,
    "messages.preparation": preparation.TEMPLATES,
    "messages.scans": scans.TEMPLATES,
    "messages.series": series.TEMPLATES,
    "messages.tables": tables.TEMPLATES,
    "messages.training": training.TEMPLATES,
    "messages.words": words.TEMPLATES,
}
"""By the context under which Slicer keeps their translations: the folder and the file."""


class _Typography(string.Formatter):
    """Percentages with a space and a true minus: "−35 %"."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """A value by its format."""
        text: str = super().format_field(value, format_spec)
        return f"{text[:-1]} %".replace("-", "−") if format_spec.endswith("%") else text


_FORMATTER = _Typography()

_TEMPLATES = {code: (context, text) for context, table in _TABLES.items() for code, text in table.items()}


@dataclass(frozen=True, init=False)
class Message:
    """One thing to tell the user.

    Args:
        code: Stable name of the template: "scan.not_found".
        **values: One for each placeholder of the template.

    Raises:
        ValueError: No template has this code, or its placeholders have other names.
    """

    code: str
    values: Mapping[str, Value]

    def __init__(self, code: str, /, **values: Value) -> None:
        if code not in _TEMPLATES:
            raise ValueError(f"no template has the code {code}")
        if placeholders(_TEMPLATES[code][1]) != set(values):
            raise ValueError(f"the template {code} has other placeholders than {', '.join(sorted(values))}")
        object.__setattr__(self, "code", code)
        object.__setattr__(self, "values", {name: _plain(value) for name, value in values.items()})

    def __str__(self) -> str:
        """The sentence in English."""
        return self.text()

    def __hash__(self) -> int:
        return hash(str(self))

    def text(self, translate: Translate | None = None) -> str:
        """The sentence, with its values; what they hold of control characters is left out.

        Args:
            translate: Into the user's language; English if left out.
        """
        context, template = _TEMPLATES[self.code]
        if translate is not None:
            translated = translate(context, template)
            # A translation that lost or renamed a placeholder must not take the value away from the user.
            template = translated if placeholders(translated) == placeholders(template) else template
        return _FORMATTER.format(template, **{name: _word(value, translate) for name, value in self.values.items()})

    def to_json(self) -> dict[str, Any]:
        """``{"code": …, "values": {…}, "sentence": …}``, where the sentence is English."""
        return {**_to_json(self), "sentence": str(self)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Message | None:
        """What ``to_json`` wrote; None if this version does not know the code with these values."""
        try:
            return cls(stored["code"], **{name: _from_json(value) for name, value in stored["values"].items()})
        except (AttributeError, KeyError, TypeError, ValueError):
            return None


def step_words(step: Step) -> Message:
    """A step as it stands beside a progress bar."""
    return Message(f"step.{step}")


def templates() -> dict[str, str]:
    """Every template by its code."""
    return {code: text for code, (_, text) in _TEMPLATES.items()}


def placeholders(template: str) -> set[str]:
    """Names of the values in a template; empty where its braces are broken."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError:
        return set()


def _word(value: Value, translate: Translate | None) -> str | float:
    if isinstance(value, Message):
        return value.text(translate)
    if isinstance(value, MRSequence):
        return value.label
    if isinstance(value, tuple):
        words = [str(_word(each, translate)) for each in value]
        return (" " if all(word.endswith(".") for word in words) else ", ").join(words)
    return printable(value) if isinstance(value, str) else value


def _plain(value: Any) -> Value:
    """A number of numpy's as Python's own, so that it can be written as JSON."""
    if isinstance(value, list | tuple):
        return tuple(_plain(each) for each in value)
    if isinstance(value, Real):
        return int(value) if isinstance(value, Integral) else float(value)
    kept: Value = value
    return kept


def _to_json(value: Value) -> Any:
    if isinstance(value, Message):
        return {"code": value.code, "values": {name: _to_json(each) for name, each in value.values.items()}}
    if isinstance(value, MRSequence):
        return {"sequence": value.value}
    if isinstance(value, tuple):
        return [_to_json(each) for each in value]
    return value


def _from_json(stored: Any) -> Value:
    if isinstance(stored, list):
        return tuple(_from_json(each) for each in stored)
    if isinstance(stored, dict) and "sequence" in stored:
        return MRSequence(stored["sequence"])
    if isinstance(stored, dict):
        return Message(stored["code"], **{name: _from_json(value) for name, value in stored["values"].items()})
    plain: Value = stored
    return plain
