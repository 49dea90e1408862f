"""A JSON reader that takes nothing for granted: size limit, no double keys, no NaN, and never any code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message

_LIMIT_BYTES = 1_000_000


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
        value = json.loads(content.decode("utf-8"), object_pairs_hook=_no_double_keys, parse_constant=_no_constant)
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
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


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


def _refused(name: Message | str, reason: Message) -> ModelFolderError:
    return ModelFolderError(Message("model.json_refused", part=name, reason=reason))
