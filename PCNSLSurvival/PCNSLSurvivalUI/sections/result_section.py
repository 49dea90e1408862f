"""The section "Result": the prediction as text and on its scale, with all warnings."""

from __future__ import annotations

from typing import Any

from PCNSLSurvivalUI.sections import result_text
from PCNSLSurvivalUI.sections.probability_scale import ProbabilityScale

_WARNING = "background-color: #6b4e00; color: white; padding: 6px; border-radius: 3px;"


class ResultControls:
    """Everything in the section "Result".

    Args:
        ui: The panel's widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._result: dict[str, Any] | None = None
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
        ui.headlineLabel.text = result_text.headline(result)
        ui.spreadLabel.text = result_text.spreadInWords(result)
        ui.originLabel.text = result_text.originInWords(result)
        for label, words in (
            (ui.clinicalLabel, result_text.clinicalInWords(result)),
            (ui.familiarityLabel, result_text.familiarityInWords(result)),
            (ui.qualityLabel, result_text.qualityInWords(result)),
        ):
            label.text = words
            label.setVisible(bool(words))
        self.scale.showResult(result)
        self._result = result
        self.showWarnings()

    def showWarnings(self) -> None:
        """Show the warnings of the shown result; what the banner of the chosen model says is not said again."""
        if self._result is None:
            return
        label, banner = self._ui.warningsLabel, self._ui.demonstrationBanner
        label.text = result_text.warningsInWords(self._result, banner.text)
        label.setVisible(bool(label.text))
