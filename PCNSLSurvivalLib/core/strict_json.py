"""A JSON reader that takes nothing for granted: size limit, no double keys, no NaN, and never any code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.core.errors import ModelFolderError

_LIMIT_BYTES = 1_000_000


def read_json(content: bytes, *, name: str) -> dict[str, Any]:
    """Parse one JSON object.

    Args:
        content: The file's bytes, UTF-8.
        name: What to call the file in a message.

    Returns:
        The object; its strings are plain text, whatever they look like.

    Raises:
        ModelFolderError: Not one JSON object of at most 1 MB, a key stands twice, or a number is not finite.
    """
    if len(content) > _LIMIT_BYTES:
        raise _refused(name, "it is larger than 1 MB")
    try:
        value = json.loads(content.decode("utf-8"), object_pairs_hook=_no_double_keys, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise _refused(name, "it is not valid JSON, or a key stands in it twice") from problem
    if not isinstance(value, dict):
        raise _refused(name, "it does not hold one JSON object")
    return value


def read_json_file(path: Path) -> dict[str, Any]:
    """Parse the JSON object in a file; see ``read_json``."""
    if path.stat().st_size > _LIMIT_BYTES:
        raise _refused(path.name, "it is larger than 1 MB")
    return read_json(path.read_bytes(), name=path.name)


def only_keys(value: Any, wanted: set[str], *, name: str) -> dict[str, Any]:
    """Insist on an object with exactly these keys.

    Raises:
        ModelFolderError: Not an object, or a key is missing or unknown.
    """
    if not isinstance(value, dict):
        raise _refused(name, "an object is expected")
    if missing := sorted(wanted - set(value)):
        raise _refused(name, f"the entry {missing[0]!r} is missing")
    if unknown := sorted(set(value) - wanted):
        raise _refused(name, f"the entry {unknown[0][:60]!r} is unknown")
    return value


def _no_double_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _refused(name: str, reason: str) -> ModelFolderError:
    return ModelFolderError(
        f"{name} of the model was refused: {reason}. The model may be damaged, changed or made for another "
        "version of this software; install it again from where you got it."
    )
