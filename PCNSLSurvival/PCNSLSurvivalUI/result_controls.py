"""The section "Result": the prediction in words, on its scale, with everything that should make one careful."""

from __future__ import annotations

from typing import Any

from PCNSLSurvivalUI import results_view
from PCNSLSurvivalUI.probability_scale import ProbabilityScale

_WARNING = "background-color: #6b4e00; color: white; padding: 6px; border-radius: 3px;"


class ResultControls:
    """Everything in the section "Result".

    Args:
        ui: The panel's widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self.scale = ProbabilityScale()
        ui.scalePlace.layout().setContentsMargins(0, 0, 0, 0)
        ui.scalePlace.layout().addWidget(self.scale)
        for label in (ui.warningsLabel, ui.otherScanLabel):
            label.styleSheet = _WARNING
        for label in (ui.researchUseLabel, ui.resultUseLabel):
            label.text = f"<b>{label.text}</b>"

    def show(self, result: dict[str, Any]) -> None:
        """Show a stored prediction; lines with nothing to say are left out."""
        ui = self._ui
        ui.headlineLabel.text = results_view.headline(result)
        ui.spreadLabel.text = results_view.spreadInWords(result)
        ui.originLabel.text = results_view.originInWords(result)
        for label, words in (
            (ui.familiarityLabel, results_view.familiarityInWords(result)),
            (ui.qualityLabel, results_view.qualityInWords(result)),
            (ui.warningsLabel, results_view.warningsInWords(result)),
        ):
            label.text = words
            label.setVisible(bool(words))
        self.scale.showResult(result)
