"""The table of finished work: every unit of an experiment, its state, and why one failed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PCNSLSurvivalLib.core.files import write_whole_text
from PCNSLSurvivalLib.experiment.jobs import Unit

State = Literal["waiting", "finished", "failed"]

TABLE = "units.csv"
RECORD = "unit.json"
PREDICTIONS = "predictions.csv"
_COLUMNS = ("arm", "repeat", "fold", "state", "reason", "folder")


@dataclass(frozen=True, kw_only=True)
class UnitOutcome:
    """What became of one unit."""

    state: State
    reason: str = ""
    found: bool = False
    """Whether an earlier run had finished it."""
    seconds: float = 0.0
    disk_full: bool = False


def is_finished(unit: Unit, out: Path) -> bool:
    """Whether a unit's results are on disk: its folder appears only when it is whole."""
    return (unit.folder(out) / RECORD).is_file()


def write_unit_table(units: Iterable[Unit], outcomes: Mapping[str, UnitOutcome], out: Path) -> None:
    """Write ``units.csv``: one row a unit, with its state and folder; without times, so that two runs compare.

    Args:
        units: All of the experiment.
        outcomes: By the unit's key, as far as known.
        out: Folder of the experiment.

    Raises:
        OutputFolderError: The table cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for unit in units:
        outcome = outcomes.get(unit.key, UnitOutcome(state="waiting"))
        place = (unit.fold.repeat + 1, unit.fold.fold + 1) if unit.fold else ("", "")
        table.writerow([unit.arm, *place, outcome.state, outcome.reason, unit.folder(out).relative_to(out).as_posix()])
    write_whole_text(out / TABLE, text.getvalue())
