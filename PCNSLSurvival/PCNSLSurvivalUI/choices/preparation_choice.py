"""Who prepares the scans: Slicer's modules or the built-in steps, what each costs, and the choice kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalUI.choices.parameters import ENGINE_CHOICES, PanelParameters, chosenEngines
from PCNSLSurvivalUI.run import timings
from PCNSLSurvivalUI.run.engines import BUILT_IN, SKIP, SLICER
from PCNSLSurvivalUI.run.process_steps import PROCESS_STEPS
from PCNSLSurvivalUI.run.tasks import TASKS

_OWN = "own"
_KEY = "PCNSLSurvival/engines"


class PreparationChoice:
    """The selector of the two presets under the model; the engines one by one stand under "Advanced".

    Args:
        ui: The panel's widgets by name.
        parameters: Gives the stored choices; None when there is no scene.
    """

    def __init__(self, ui: Any, parameters: Callable[[], PanelParameters | None]) -> None:
        self._ui, self._parameters = ui, parameters
        for value, words in (
            (SLICER, _("Slicer's modules")),
            (BUILT_IN, _("Fast (built-in)")),
            (_OWN, _("Custom, see Advanced")),
        ):
            ui.preparationSelector.addItem(words, value)
        ui.preparationSelector.connect("activated(int)", self._onPreset)

    def show(self) -> None:
        """Bring selector and note in line with the stored engines."""
        parameters, selector = self._parameters(), self._ui.preparationSelector
        if parameters is None:
            return
        chosen = chosenEngines(parameters)
        preset = next((engine for engine in (SLICER, BUILT_IN) if chosen == _preset(engine)), _OWN)
        selector.setCurrentIndex(selector.findData(preset))
        compared = parameters.t1Volume is not None
        self._ui.preparationNote.text = _(
            "Time to the prediction: about {slicer:.0f} s with Slicer's modules, {fast:.0f} s with the built-in steps. "
            "The models were trained on scans prepared by the built-in steps."
        ).format(slicer=secondsToPrediction(SLICER, compared), fast=secondsToPrediction(BUILT_IN, compared))

    def _onPreset(self, row: int) -> None:
        parameters, preset = self._parameters(), self._ui.preparationSelector.itemData(row)
        if parameters is not None and preset != _OWN:
            with slicer.util.NodeModify(parameters):
                for step, engine in _preset(preset).items():
                    setattr(parameters, ENGINE_CHOICES[step].name, engine)
            rememberEngines(parameters)
        self.show()


def _preset(engine: str) -> dict[Step, str]:
    """The engine of each step: the same one, or none where a step does not have it."""
    return {step: engine if engine in choice.engines else SKIP for step, choice in ENGINE_CHOICES.items()}


def secondsToPrediction(engine: str, compared: bool = False) -> float:
    """Seconds from the click to the prediction from T1Gd, by what the steps took on this computer.

    Args:
        engine: Of every step that has engines.
        compared: Whether a T1 is there, which T1Gd is compared with before.
    """
    ours = [f"{kind.keyOf(MRSequence.T1GD)} {engine}" for kind in TASKS if kind.worksOnT1Gd]
    always = [str(step) for step, foreseen in PROCESS_STEPS.items() if foreseen.asked is None]
    steps = [*always, *([str(Step.CONTRAST)] if compared else [])]
    return sum(timings.expectedSeconds(step) or 0.0 for step in [*ours, *steps])


def rememberEngines(parameters: PanelParameters) -> None:
    """Keep the engines that the user chose for the next scene and the next start of the application."""
    chosen = {choice.name: getattr(parameters, choice.name) for choice in ENGINE_CHOICES.values()}
    slicer.app.userSettings().setValue(_KEY, json.dumps(chosen))


def takeRememberedEngines(parameters: PanelParameters) -> None:
    """In a scene where nothing was chosen yet: the engines of the last time."""
    if parameters.enginesChosen:
        return
    try:
        stored = json.loads(slicer.app.userSettings().value(_KEY) or "{}")
    except (ValueError, TypeError):
        stored = {}
    for choice in ENGINE_CHOICES.values():
        if isinstance(stored, dict) and stored.get(choice.name) in choice.engines:
            setattr(parameters, choice.name, stored[choice.name])
    parameters.enginesChosen = True
