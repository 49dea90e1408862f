"""A JSON reader that takes nothing for granted: size limit, no double keys, no NaN, and never any code."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message

_LIMIT_BYTES = 1_000_000
_LARGEST = 2**63


def read_json(content: bytes, *, name: Message | str) -> dict[str, Any]:
    """Parse one JSON object.

    Args:
        content: The file's bytes, UTF-8.
        name: What to call the part of the model in a message.

    Returns:
        The object; its strings are plain text, whatever they look like.

    Raises:
        ModelFolderError: Not one JSON object of at most 1 MB, a key stands twice, or a number is not finite.
    """
    if len(content) > _LIMIT_BYTES:
        raise _refused(name, Message("refusal.larger_than_1_mb"))
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_no_double_keys,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=bounded_whole,
        )
    except (ValueError, RecursionError) as problem:
        raise _refused(name, Message("refusal.invalid_json")) from problem
    if not isinstance(value, dict):
        raise _refused(name, Message("refusal.not_one_object"))
    return value


def read_json_file(path: Path) -> dict[str, Any]:
    """Parse the JSON object in a file; see ``read_json``."""
    if path.stat().st_size > _LIMIT_BYTES:
        raise _refused(path.name, Message("refusal.larger_than_1_mb"))
    return read_json(path.read_bytes(), name=path.name)


def read_foreign_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file that another program wrote beside data, in UTF-8 with or without a byte order mark.

    Returns:
        An empty object where there is no such file, or none of at most 1 MB that can be read.
    """
    try:
        if not path.is_file() or path.stat().st_size > _LIMIT_BYTES:
            return {}
        value = json.loads(path.read_text(encoding="utf-8-sig"), parse_int=_whole_or_infinite)
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def read_own_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file that this software wrote, and that may have been damaged or changed since.

    Raises:
        OSError: There is no such file, or it cannot be read.
        ValueError: It holds no JSON object, entries nested too deep, or a whole number of more than 64 bits.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        value = json.loads(path.read_text(encoding="utf-8"), parse_int=bounded_whole)
    except RecursionError as problem:
        raise ValueError("entries nested too deep") from problem
    if not isinstance(value, dict):
        raise ValueError("not one object")
    return value


def bounded_whole(text: str) -> int:
    """A whole number of a JSON file, for ``json.loads(parse_int=...)``; no calculation takes one of 400 digits.

    Raises:
        ValueError: It has more than 64 bits.
    """
    value = int(text)
    if not -_LARGEST <= value <= _LARGEST:
        raise ValueError("a whole number of more than 64 bits")
    return value


def only_keys(value: Any, wanted: set[str], *, name: Message | str) -> dict[str, Any]:
    """Insist on an object with exactly these keys.

    Raises:
        ModelFolderError: Not an object, or a key is missing or unknown.
    """
    if not isinstance(value, dict):
        raise _refused(name, Message("refusal.object_expected"))
    if missing := sorted(wanted - set(value)):
        raise _refused(name, Message("refusal.entry_missing", entry=missing[0]))
    if unknown := sorted(set(value) - wanted):
        raise _refused(name, Message("refusal.entry_unknown", entry=unknown[0][:60]))
    return value


def _no_double_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is larger than any number")
    return value


def _whole_or_infinite(text: str) -> float:
    try:
        return bounded_whole(text)
    except ValueError:
        return math.inf


def _refused(name: Message | str, reason: Message) -> ModelFolderError:
    return ModelFolderError(Message("model.json_refused", part=name, reason=reason))
