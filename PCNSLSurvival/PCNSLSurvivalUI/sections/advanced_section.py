"""The engines and the device under "Advanced": shown in the user's language, stored under one name for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalUI.choices.parameters import (
    BIAS_ENGINES,
    BRAIN_ENGINES,
    BUILT_IN,
    DEVICES,
    REGISTRATION_ENGINES,
    SKIP,
    SLICER,
    PanelParameters,
)
from PCNSLSurvivalUI.choices.preparation_choice import ENGINES, rememberEngines


class EngineControls:
    """The selectors of bias field, brain extraction, alignment and device.

    Slicer's own binding of a selector shows the stored word as it is, and clears what else stands in it.

    Args:
        ui: The panel's widgets by name.
        parameters: Gives the stored choices; None when there is no scene.
    """

    def __init__(self, ui: Any, parameters: Callable[[], PanelParameters | None]) -> None:
        self._parameters = parameters
        self._selectors = {
            "biasEngine": ui.biasEngineSelector,
            "brainEngine": ui.brainEngineSelector,
            "registrationEngine": ui.registrationEngineSelector,
            "device": ui.deviceSelector,
        }
        words = {SLICER: _("Slicer module"), BUILT_IN: _("Built in"), SKIP: _("None (already done)"), "auto": _("auto")}
        for (name, selector), values in zip(
            self._selectors.items(), (BIAS_ENGINES, BRAIN_ENGINES, REGISTRATION_ENGINES, DEVICES), strict=True
        ):
            for value in values:
                selector.addItem(words.get(value, value), value)
            selector.connect("currentIndexChanged(int)", lambda row, name=name: self._onChoice(name))

    def show(self) -> None:
        """Bring the selectors in line with the stored choices."""
        parameters = self._parameters()
        if parameters is not None:
            for name, selector in self._selectors.items():
                selector.setCurrentIndex(selector.findData(getattr(parameters, name)))

    def _onChoice(self, name: str) -> None:
        parameters, selector = self._parameters(), self._selectors[name]
        if parameters is not None:
            chosen = selector.itemData(selector.currentIndex)
            if name in ENGINES and chosen != getattr(parameters, name):
                setattr(parameters, name, chosen)
                rememberEngines(parameters)
            else:
                setattr(parameters, name, chosen)
