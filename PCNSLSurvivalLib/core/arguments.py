"""Arguments of the public functions, checked at the door: a sentence instead of an error from deep inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import MRSequence

T = TypeVar("T")


class ArgumentError(PCNSLSurvivalError):
    """A public function was called with something that it cannot take."""


def path_of(value: object, name: str) -> Path:
    """A path given as text or as an object of ``os.PathLike``.

    Args:
        value: What was given.
        name: Of the argument, for the sentence.

    Raises:
        ArgumentError: It is no path.
    """
    text = fspath(value) if isinstance(value, str | PathLike) else value
    if not isinstance(text, str) or not text or "\0" in text:
        raise ArgumentError(f"'{name}' must be a path, as text or pathlib.Path, not {_shown(value)}.")
    return Path(text)


def sequence_of(value: object) -> MRSequence:
    """An MR sequence or its name.

    Raises:
        ArgumentError: There is no such sequence.
    """
    known = {str(sequence): sequence for sequence in MRSequence}
    if not isinstance(value, str) or value not in known:
        *others, last = known
        raise ArgumentError(f"Unknown sequence {_shown(value)}. Use {', '.join(others)} or {last}.")
    return known[value]


def scans_of(value: object) -> dict[MRSequence, Path]:
    """The scans of one patient by sequence; a plain path is the T1Gd.

    Raises:
        ArgumentError: They are neither a path nor a dictionary of paths, or hold no T1Gd.
    """
    if isinstance(value, str | PathLike):
        return {MRSequence.T1GD: path_of(value, "scans")}
    if not isinstance(value, Mapping):
        raise ArgumentError(
            f"'scans' must be the path of T1Gd, or a dictionary such as {{'t1gd': 'T1Gd.nii.gz'}}, not {_shown(value)}."
        )
    scans = {sequence_of(name): path_of(path, f"scans[{name!r}]") for name, path in value.items()}
    if MRSequence.T1GD not in scans:
        raise ArgumentError("'scans' holds no T1Gd, which every prediction needs. Add it under 't1gd'.")
    return scans


def instance_of(value: object, kind: type[T], name: str, source: str) -> T:
    """A value of a type of this library.

    Args:
        value: What was given.
        kind: The type.
        name: Of the argument.
        source: Where such a value comes from: "load_model".

    Raises:
        ArgumentError: It is something else.
    """
    if not isinstance(value, kind):
        raise ArgumentError(f"'{name}' must come from {source}, not be {_shown(value)}.")
    return value


def number_of(value: object, name: str, *, least: float, whole: bool = True) -> None:
    """Refuse what is no number of at least ``least``.

    Raises:
        ArgumentError: It is something else.
    """
    if isinstance(value, bool) or not isinstance(value, Integral if whole else Real) or not float(value) >= least:
        kind = "a whole number" if whole else "a number"
        raise ArgumentError(f"'{name}' must be {kind} of at least {least:g}, not {_shown(value)}.")


def choice_of(value: object, choices: tuple[object, ...], name: str) -> None:
    """Refuse what is none of some values.

    Raises:
        ArgumentError: It is something else.
    """
    if not any(value is one or (type(value) is type(one) and value == one) for one in choices):
        raise ArgumentError(f"'{name}' must be {' or '.join(map(repr, choices))}, not {_shown(value)}.")


def options_of(value: T, kind: type[T], name: str) -> T:
    """Frozen options, each field held against its annotation; paths given as text become ``Path``, lists tuples.

    Raises:
        ArgumentError: They are no such options, or a field holds what it cannot.
    """
    checked = instance_of(value, kind, name, kind.__name__)
    hints = get_type_hints(kind)
    changed: dict[str, Any] = {}
    for one in fields(checked):  # type: ignore[arg-type]
        held, hint, label = getattr(checked, one.name), hints[one.name], f"{name}.{one.name}"
        kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        if held is None and NoneType in kinds:
            continue
        if Path in kinds:
            changed[one.name] = path_of(held, label)
        elif get_origin(hint) is Literal:
            choice_of(held, get_args(hint), label)
        else:
            changed[one.name] = _value_of(held, kinds, label)
    return replace(checked, **changed)  # type: ignore[type-var]


def _value_of(value: object, kinds: tuple[Any, ...], name: str) -> object:
    """A value of one of some types: numbers of NumPy as Python's, lists as tuples, whose elements are checked too."""
    if isinstance(value, np.generic):
        value = value.item()
    for kind in kinds:
        if get_origin(kind) is tuple and isinstance(value, list | tuple):
            inside, *_ = get_args(kind)
            return tuple(_value_of(each, (inside,), f"{name}[{number}]") for number, each in enumerate(value))
        # True is an int, but no label.
        if isinstance(value, get_origin(kind) or kind) and not (isinstance(value, bool) and kind is int):
            return value
    raise ArgumentError(f"'{name}' must be {' or '.join(map(_kind_shown, kinds))}, not {_shown(value)}.")


def _kind_shown(kind: Any) -> str:
    if kind is NoneType:
        return "None"
    if get_origin(kind) is tuple:
        return f"a list of {get_args(kind)[0].__name__}"
    return str(kind.__name__)


def _shown(value: object) -> str:
    """A short value as it is; of others only the type, which can hold no name of a patient."""
    if value is None or isinstance(value, bool | Real) or (isinstance(value, str) and 0 < len(value) <= 20):
        return repr(value)
    return "an empty text" if value == "" else f"of type {type(value).__name__}"
