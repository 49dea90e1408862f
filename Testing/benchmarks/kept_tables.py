"""Tables of measured figures: printed as Markdown, and kept as JSON from which the documentation makes its tables.

A page has the table of ``figures/NAME.json`` where it says ``<!-- figures: NAME -->``; ``make docs`` fails if the file
is absent, and a test if a page has a table of a benchmark in any other way.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).resolve().parent / "figures"
PACKAGES = ("torch", "monai", "onnxruntime", "SimpleITK", "numpy", "scipy")


def add_keep(parser: argparse.ArgumentParser) -> None:
    """The option by which a run becomes the one in the documentation."""
    parser.add_argument("--keep", action="store_true", help="keep the table for the documentation")


def report(
    name: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    settings: str,
    keep: bool,
    target: str | None = None,
) -> None:
    """Print a table, and keep it where that is wanted.

    Args:
        name: Of the file.
        columns: Headings.
        rows: Cells; where a figure varies, with its lowest and highest value.
        settings: What the figures depend on beside the machine, such as the number of repeats.
        keep: Whether this run is the one of the documentation.
        target: The make target that prints the table; ``name`` if left out.
    """
    kept = {
        "command": f"make {target or name}",
        "settings": settings,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **versions()},
        "columns": list(columns),
        "rows": [list(row) for row in rows],
    }
    print(f"\n{markdown(kept)}", flush=True)
    if keep:
        FIGURES.mkdir(exist_ok=True)
        (FIGURES / f"{name}.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> dict[str, str | int | float]:
    """What the times depend on; the load is that of the minute before the end."""
    models = [line for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return {
        "system": platform.system(),
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(memory, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def versions() -> dict[str, str]:
    """The packages that do the work, as far as they are installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def markdown(kept: dict[str, Any]) -> str:
    """A kept table with the sentence that says where its figures come from."""
    on, packages = kept["machine"], ", ".join(f"{name} {version}" for name, version in kept["versions"].items())
    said = (
        f"`{kept['command']}` ({kept['settings']}), {kept['date']}: {on['processor']}, {on['cores']} cores, "
        f"{on['memory_gib']:.0f} GiB, load {on['load']}; {packages}."
    )
    lines = [_row(kept["columns"]), _row("---" for _ in kept["columns"]), *(_row(row) for row in kept["rows"])]
    return "\n".join([said, "", *lines, ""])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _lines(file: str) -> list[str]:
    path = Path(file)
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
