"""The section "Your estimate": in the reading mode, result and map stay hidden until a reader has given an estimate.

Readings are kept in the application's settings, without identity: a scan is named by the hash of its voxels.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.storage.csv_cells import plain_cell
from PCNSLSurvivalLib.core.storage.files import write_whole_text
from PCNSLSurvivalUI.choices.parameters import PanelParameters
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.result import report_files
from PCNSLSurvivalUI.scene.output_nodes import storedResult

_KEY = "PCNSLSurvival/readings"
COLUMNS = (
    "reading", "t1gd_voxels_sha256", "estimate_percent", "confidence_1_to_5", "seconds",
    "model", "model_version", "probability_percent", "class",
)  # fmt: skip
_LOWEST, _HIGHEST = 1, 5


class ReadingControls:
    """Everything in the section "Your estimate", and the button that saves the readings.

    Args:
        ui: The panel's widgets by name.
        parameters: Gives the stored choices; None when there is no scene.
        reveal: Shows the result that was hidden.
        say: Shows a sentence in the panel.
    """

    def __init__(
        self,
        ui: Any,
        parameters: Callable[[], PanelParameters | None],
        reveal: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._ui, self._parameters, self._reveal, self._say = ui, parameters, reveal, say
        self._since, self._hidden = 0.0, ""
        ui.confidenceSelector.addItem(_("choose"))
        for grade in range(_LOWEST, _HIGHEST + 1):
            words = {_LOWEST: _("{n} (guess)"), _HIGHEST: _("{n} (certain)")}.get(grade, "{n}")
            ui.confidenceSelector.addItem(words.format(n=grade))
        ui.confidenceSelector.connect("currentIndexChanged(int)", self._onConfidence)
        ui.revealButton.connect("clicked(bool)", self._onReveal)
        ui.saveReadingsButton.connect("clicked(bool)", self._onSave)

    @property
    def isHiding(self) -> bool:
        """Whether a result is there that the reader must not see yet."""
        return bool(self._hidden)

    def arrive(self, text: str) -> bool:
        """A stored result is to be shown; whether it stays hidden for now.

        Args:
            text: The result as the scene keeps it; empty when there is none.
        """
        parameters, ui = self._parameters(), self._ui
        hide = parameters is not None and bool(text) and parameters.readFirst and parameters.revealed != _mark(text)
        before, self._hidden = self._hidden, _mark(text) if hide else ""
        if text and not hide and parameters is not None:
            parameters.revealed = _mark(text)  # what was shown is never read as if unseen
        if self._hidden and self._hidden != before:  # each prediction is read anew
            self._since = time.monotonic()
            ui.estimateSlider.value = 50.0
            ui.confidenceSelector.setCurrentIndex(0)
            ui.readingSection.setChecked(True)
        ui.readingSection.setVisible(self.isHiding)
        ui.revealButton.setEnabled(ui.confidenceSelector.currentIndex > 0)
        return self.isHiding

    def isOver(self) -> bool:
        """Whether the reading mode was switched off while a result was hidden."""
        parameters = self._parameters()
        return self.isHiding and parameters is not None and not parameters.readFirst

    def _onConfidence(self, row: int) -> None:
        self._ui.revealButton.setEnabled(row > 0)

    def _onReveal(self, checked: bool = False) -> None:
        parameters = self._parameters()
        result = storedResult(parameters.result) if parameters is not None else None
        grade = self._ui.confidenceSelector.currentIndex
        if result is None or not self.isHiding or grade < _LOWEST:
            return
        model = result.get("model", {})
        kept = _readings()
        kept.append(
            {
                "reading": len(kept) + 1,
                "t1gd_voxels_sha256": result.get("inputs", {}).get("t1gd", {}).get("voxels_sha256", ""),
                "estimate_percent": round(float(self._ui.estimateSlider.value)),
                "confidence_1_to_5": grade,
                "seconds": round(time.monotonic() - self._since, 1),
                "model": model.get("name", ""),
                "model_version": model.get("version", ""),
                "probability_percent": round(100 * float(result["probability_over_one_year"]), 1),
                "class": result["class"],
            }
        )
        slicer.app.userSettings().setValue(_KEY, json.dumps(kept))
        parameters.revealed = _mark(parameters.result)
        self._reveal()

    def _onSave(self, checked: bool = False) -> None:
        kept = _readings()
        if not kept:
            self._say(_("There are no readings yet. Switch the reading mode on, then predict."))
            return
        path = report_files.askFile(_("Save the readings"), "PCNSL-survival-readings.csv", "CSV (*.csv)")
        if path is None:
            return
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([plain_cell(reading.get(name, "")) for name in COLUMNS] for reading in kept)
        try:
            write_whole_text(path, table.getvalue())
        except PCNSLSurvivalError as problem:
            self._say(shown(problem))
        else:
            self._say("")


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _readings() -> list[dict[str, Any]]:
    try:
        stored = json.loads(slicer.app.userSettings().value(_KEY) or "[]")
    except (ValueError, TypeError):
        return []
    return [each for each in stored if isinstance(each, dict)] if isinstance(stored, list) else []
