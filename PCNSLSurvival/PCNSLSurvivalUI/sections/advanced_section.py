"""The engines and the device under "Advanced": shown in the user's language, stored under one name for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalUI.choices.parameters import DEVICES, ENGINE_CHOICES, PanelParameters
from PCNSLSurvivalUI.choices.preparation_choice import rememberEngines
from PCNSLSurvivalUI.run.engines import BUILT_IN, SKIP, SLICER


class EngineControls:
    """The selectors of the engines and of the device.

    Slicer's own binding of a selector shows the stored word as it is, and clears what else stands in it.

    Args:
        ui: The panel's widgets by name.
        parameters: Gives the stored choices; None when there is no scene.
    """

    def __init__(self, ui: Any, parameters: Callable[[], PanelParameters | None]) -> None:
        self._parameters = parameters
        choices = {choice.name: choice.engines for choice in ENGINE_CHOICES.values()} | {"device": DEVICES}
        self._selectors = {name: getattr(ui, f"{name}Selector") for name in choices}
        words = {SLICER: _("Slicer module"), BUILT_IN: _("Built in"), SKIP: _("None (already done)"), "auto": _("auto")}
        for name, selector in self._selectors.items():
            for value in choices[name]:
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
            if name != "device" and chosen != getattr(parameters, name):
                setattr(parameters, name, chosen)
                rememberEngines(parameters)
            else:
                setattr(parameters, name, chosen)
