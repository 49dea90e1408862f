"""Read an experiment file: YAML whose entries keep their line numbers for error messages."""

from __future__ import annotations

import math
import re
import types
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import yaml

from PCNSLSurvivalLib.core.errors import ExperimentError, PCNSLSurvivalError
from PCNSLSurvivalLib.core.messages import Message

Value = TypeVar("Value")

_KINDS = {
    bool: Message("kind.true_or_false"),
    int: Message("kind.whole_number"),
    float: Message("kind.number"),
    str: Message("kind.word"),
}

_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")
"""YAML 1.1 reads 1e-3 as a string; here it is a number."""

_LIMIT_BYTES = 1_000_000
_DEEPEST = 20
"""Entries within entries; a plan has three."""


@dataclass(frozen=True)
class Entry:
    """One entry of an experiment file.

    Attributes:
        name: Where it stands: 'training.batch_size'; empty for the whole file.
        line: Line of the file, from 1.
        value: Plain scalar, list of entries, or entries by name.
    """

    name: str
    line: int
    value: Any

    def refuse(self, reason: Message) -> ExperimentError:
        """The error that names this entry and its line; of the whole file, that it holds no entries."""
        if not self.name:
            return ExperimentError(Message("plan_file.no_entries"))
        return ExperimentError(Message("plan_file.entry", line=self.line, entry=self.name, reason=reason))


def read_entries(path: Path) -> Entry:
    """Read a YAML file of plain values.

    Raises:
        ExperimentError: The file is missing, larger or deeper than a plan, is not YAML, names an entry twice, refers to
            another entry, or holds more than plain values.
    """
    try:
        if not path.is_file():
            raise OSError("not a file")
        if path.stat().st_size > _LIMIT_BYTES:
            raise ExperimentError(Message("plan_file.too_large"))
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ExperimentError(Message("plan_file.unreadable")) from problem
    loader = None
    try:
        _check_events(text)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        return Entry("", 1, {}) if node is None else _entry(loader, node, "")
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        reason = getattr(problem, "problem", None) or type(problem).__name__
        raise ExperimentError(Message("plan_file.no_yaml", line=line, reason=reason)) from problem
    finally:
        if loader is not None:
            loader.dispose()


def _check_events(text: str) -> None:
    """Refuse what grows when it is read: entries that refer to others, and entries within entries without end.

    Raises:
        ExperimentError: It holds such.
        yaml.YAMLError: It is no YAML.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        line = (event.start_mark.line if event.start_mark else 0) + 1
        if isinstance(event, yaml.AliasEvent):
            raise ExperimentError(Message("plan_file.alias", line=line, name=str(event.anchor)[:40]))
        if depth > _DEEPEST:
            raise ExperimentError(Message("plan_file.too_deep", line=line))


def fill(default: Value, entry: Entry) -> Value:
    """Set entries in a dataclass; what the file leaves out keeps its default.

    Args:
        default: Value of a dataclass of numbers, words, choices, tuples and other such dataclasses.
        entry: Entries by name.

    Raises:
        ExperimentError: An entry is unknown or of the wrong kind; the sentence names its line and what is allowed.
    """
    if not isinstance(entry.value, dict):
        raise entry.refuse(Message("entry.needs_entries"))
    hints = get_type_hints(type(default))
    for name, inner in entry.value.items():
        if name not in hints:
            raise inner.refuse(Message("entry.unknown", known=tuple(hints)))
    values = {
        name: fill(before, inner) if is_dataclass(before := getattr(default, name)) else _value(hints[name], inner)
        for name, inner in entry.value.items()
    }
    try:
        return replace(default, **values)  # type: ignore[type-var]
    except PCNSLSurvivalError as problem:
        reason = problem.message or str(problem)
        if entry.name:
            raise entry.refuse(Message("entry.unusable", reason=reason)) from problem
        raise ExperimentError(Message("plan_file.unusable", reason=reason)) from problem


def _value(hint: Any, entry: Entry) -> Any:
    origin, options = get_origin(hint), get_args(hint)
    if origin is types.UnionType:
        inner = [option for option in options if option is not types.NoneType]
        if entry.value is not None and is_dataclass(inner[0]):
            return fill(inner[0](), entry)  # type: ignore[operator]
        return None if entry.value is None else _value(inner[0], entry)
    if origin is tuple:
        return _tuple(options, entry)
    if origin is Literal:
        return _choice(options, entry)
    if issubclass(hint, StrEnum):
        return hint(_choice([str(option) for option in hint], entry))
    if hint is float and (type(entry.value) is int or _EXPONENT.fullmatch(str(entry.value))):
        return _finite(entry)
    if type(entry.value) is hint is float:
        return _finite(entry)
    if type(entry.value) is not hint:
        raise entry.refuse(Message("entry.other_kind", kind=_KINDS[hint], found=_shown(entry)))
    return entry.value


def _finite(entry: Entry) -> float:
    try:
        value = float(entry.value)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise entry.refuse(Message("entry.not_finite"))
    return value


def _tuple(options: tuple[Any, ...], entry: Entry) -> tuple[Any, ...]:
    any_length = len(options) == 2 and options[1] is Ellipsis
    if not isinstance(entry.value, list):
        raise entry.refuse(Message("entry.no_list"))
    if not any_length and len(entry.value) != len(options):
        raise entry.refuse(Message("entry.other_length", count=len(options)))
    hints = [options[0]] * len(entry.value) if any_length else options
    return tuple(_value(hint, inner) for hint, inner in zip(hints, entry.value, strict=True))


def _choice(options: Sequence[Any], entry: Entry) -> Any:
    for option in options:
        if type(option) is type(entry.value) and option == entry.value:
            return option
    raise entry.refuse(Message("entry.no_choice", known=tuple(str(option) for option in options), found=_shown(entry)))


def _shown(entry: Entry) -> Message | str:
    if isinstance(entry.value, (list, dict)):
        return Message("kind.list") if isinstance(entry.value, list) else Message("kind.group")
    return repr(entry.value)[:40]


def _entry(loader: yaml.SafeLoader, node: yaml.Node, name: str) -> Entry:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        inner: dict[str, Entry] = {}
        for key, value in node.value:
            word = str(key.value)
            found = _entry(loader, value, f"{name}.{word}".lstrip("."))
            # A group starts on the line below its name; the name is what the reader looks for.
            found = replace(found, line=key.start_mark.line + 1)
            if word in inner:
                raise found.refuse(Message("entry.twice", first=inner[word].line))
            inner[word] = found
        return Entry(name, line, inner)
    if isinstance(node, yaml.SequenceNode):
        return Entry(name, line, [_entry(loader, item, name) for item in node.value])
    try:
        value = loader.construct_object(node)
    except ValueError as problem:  # a day that no calendar has, or a number of thousands of digits
        raise Entry(name, line, None).refuse(Message("entry.not_plain")) from problem
    if not isinstance(value, (str, int, float, bool, types.NoneType)):
        raise Entry(name, line, value).refuse(Message("entry.not_plain"))
    return Entry(name, line, value)
