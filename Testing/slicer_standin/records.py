"""What the running application was seen to offer, as far as the tests need it (``records/*.json``)."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "records"


@functools.cache
def api() -> dict[str, Any]:
    """Properties, signals, methods and names, recorded in 3D Slicer 5.8.1 by introspection."""
    return json.loads((FOLDER / "slicer_api.json").read_text(encoding="utf-8"))


@functools.cache
def cli_parameters() -> dict[str, dict[str, Any]]:
    """Parameters of the three CLI modules by their XML name."""
    return json.loads((FOLDER / "cli_parameters.json").read_text(encoding="utf-8"))


@functools.cache
def qt_names() -> frozenset[str]:
    """Names found in ``qt``."""
    return frozenset(api()["qt_names"])


def _chain(class_name: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    name: str | None = class_name
    while name:
        meta = api()["meta"].get(name)
        if meta is None:
            break
        entry = meta.get(key, {})
        for item in entry:
            found.setdefault(item.split(" [")[0].split(" ->")[0], entry[item] if isinstance(entry, dict) else None)
        name = meta.get("base")
    return found


def properties(class_name: str) -> dict[str, Any]:
    """Qt properties of a class, inherited ones included: name to type and writability."""
    return _chain(class_name, "properties")


def signals(class_name: str) -> set[str]:
    """Signal signatures of a class, inherited ones included."""
    return set(_chain(class_name, "signals"))


def callables(class_name: str) -> set[str]:
    """Method names of a class, inherited ones included."""
    names: set[str] = set()
    name: str | None = class_name
    while name:
        entry = api()["classes"].get(name)
        if entry is None:
            break
        names |= set(entry["callables"])
        name = entry["base"]
    return names


def vtk_methods(class_name: str) -> set[str]:
    """Method names of a wrapped VTK or MRML class, inherited ones included."""
    names: set[str] = set()
    name: str | None = class_name
    while name:
        entry = api()["vtk"].get(name)
        if entry is None:
            break
        names |= set(entry["methods"])
        name = entry["base"]
    return names
