"""The section "Model": which model predicts, what it was made from, and the banner of a demonstration model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalUI.choices import model_list
from PCNSLSurvivalUI.choices.parameters import PanelParameters
from PCNSLSurvivalUI.messages import shown

_BANNER = "background-color: #7a1f1f; color: white; font-weight: bold; padding: 8px; border-radius: 3px;"


class ModelControls:
    """Everything in the section "Model".

    Args:
        ui: The panel's widgets by name.
        parameters: Gives the stored choices; None when there is no scene.
        say: Shows a sentence in the panel.
    """

    def __init__(self, ui: Any, parameters: Callable[[], PanelParameters | None], say: Callable[[str], None]) -> None:
        self._ui, self._parameters, self._say = ui, parameters, say
        self._models: list[Any] = []
        self._filling = False
        ui.demonstrationBanner.styleSheet = _BANNER
        ui.modelSelector.connect("currentIndexChanged(int)", self._onModel)
        self.fill()

    def fill(self) -> None:
        """List the installed models."""
        self._filling = True
        self._models = model_list.installedModels()
        self._ui.modelSelector.clear()
        for model in self._models:
            self._ui.modelSelector.addItem(model_list.titleOf(model), str(model.path))
        self._filling = False
        self.show()

    def select(self) -> None:
        """Choose the model that the scene names, where it is installed."""
        parameters = self._parameters()
        if parameters is not None and parameters.modelFolder:
            index = self._ui.modelSelector.findData(parameters.modelFolder)
            if index >= 0:
                self._ui.modelSelector.setCurrentIndex(index)
        self.show()

    def chosen(self) -> Any:
        """The chosen model; None when none is installed."""
        index = self._ui.modelSelector.currentIndex
        return self._models[index] if 0 <= index < len(self._models) else None

    def show(self) -> None:
        """Say what the chosen model is."""
        model, ui = self.chosen(), self._ui
        ui.demonstrationBanner.text = shown(model.warning) if model is not None else ""
        ui.demonstrationBanner.setVisible(bool(ui.demonstrationBanner.text))
        ui.modelDescription.text = (
            model_list.descriptionOf(model)
            if model is not None
            else _("No model is installed. Add a model folder, then predict.")
        )

    def _onModel(self, index: int) -> None:
        if self._filling:
            return
        self.show()
        parameters, model = self._parameters(), self.chosen()
        if parameters is not None and model is not None:
            parameters.modelFolder = str(model.path)

    def add(self) -> None:
        """Let the user choose a model folder."""
        chosen = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Model folder"))
        if chosen:
            self.addFolder(Path(chosen))

    def addFolder(self, path: Path) -> None:
        """Check a model folder, remember it and choose it."""
        try:
            model = model_list.addFolder(path)
        except PCNSLSurvivalError as problem:
            self._say(shown(problem))
            return
        self.fill()
        self._ui.modelSelector.setCurrentIndex(self._ui.modelSelector.findData(str(model.path)))
