"""Logs of one training: a CSV table and, where tensorboardX is installed, TensorBoard's event files as well."""

from __future__ import annotations

import csv
import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from PCNSLSurvivalLib.core.storage.csv_cells import plain_cell
from PCNSLSurvivalLib.training.epochs import Epoch

HISTORY = "history.csv"
TENSORBOARD = "tensorboard"
_KINDS: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "bool": "True".__eq__}
_CURVES = ("train_loss", "validation_loss", "learning_rate", "samples_per_second")


class TrainingLog:
    """Writes every epoch as it ends. After an interruption the log is written anew from the checkpoint's history.

    Args:
        folder: Where to write.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / HISTORY
        shutil.rmtree(folder / TENSORBOARD, ignore_errors=True)
        self._board = None
        if importlib.util.find_spec("tensorboardX") is not None:
            from tensorboardX import SummaryWriter

            self._board = SummaryWriter(log_dir=str(folder / TENSORBOARD))
        with self._path.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerow([f.name for f in fields(Epoch)])

    def __enter__(self) -> TrainingLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()

    def __call__(self, epoch: Epoch) -> None:
        """Write one epoch."""
        row = asdict(epoch)
        with self._path.open("a", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerow(map(plain_cell, row.values()))
        if self._board is not None:
            for name in _CURVES:
                self._board.add_scalar(name, row[name], epoch.epoch)
            self._board.flush()


def read_epochs(folder: Path) -> tuple[Epoch, ...]:
    """Every epoch that a log holds so far, also while a training writes it; none where there is no log yet."""
    try:
        text = (folder / HISTORY).read_text(encoding="utf-8")
        # What comes after the last line end is still being written.
        rows = csv.DictReader(text[: text.rfind("\n") + 1].splitlines())
        return tuple(Epoch(**{f.name: _KINDS[str(f.type)](row[f.name]) for f in fields(Epoch)}) for row in rows)
    except (OSError, ValueError):
        return ()
