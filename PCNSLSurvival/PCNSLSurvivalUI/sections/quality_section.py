"""The section "Quality": look at every step large, repair a mask or an alignment, go on from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalUI.choices.parameters import VOLUMES
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.result import repair
from PCNSLSurvivalUI.result.quality_strip import QualityStrip
from PCNSLSurvivalUI.result.result_views import ResultViews
from PCNSLSurvivalUI.result.way_back import WayBack
from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, CORRECTED, MASK, T1GD, SceneOutputs

_FLICKER_MS = 700
"""Slower than three times a second, which is the limit for people whom flashes harm (WCAG 2.2, 2.3.1)."""


class QualityControls:
    """Everything in the section "Quality".

    Args:
        ui: The panel's widgets by name.
        context: Gives the stored choices, the outputs and the T1Gd of the result; None when there is no result.
        views: The slice views.
        showMap: Brings the map back into the views.
        predict: Starts a run with the stored choices.
        say: Shows a sentence in the panel.
    """

    def __init__(
        self,
        ui: Any,
        context: Callable[[], tuple[Any, SceneOutputs, Any, dict[str, Any]] | None],
        views: ResultViews,
        showMap: Callable[[], None],
        predict: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._ui, self._context, self._views = ui, context, views
        self._showMap, self._predict, self._say = showMap, predict, say
        self._pieces: InPieces | None = None
        """A repaired alignment that is being sampled."""
        self._isBusy = False
        self.shown = ""
        """Role of the step that the views show; empty when they show the map."""
        self._other, self._flipped = T1GD, False
        """The step that was looked at before, and whether the views show it at this moment."""
        self._flicker = qt.QTimer()
        self._flicker.setInterval(_FLICKER_MS)
        self._flicker.connect("timeout()", self._flip)
        self.strip = QualityStrip(ui.qualityPlace, ui.qualitySection, self._onStep)
        ui.repairButton.connect("clicked(bool)", self._onRepair)
        ui.goOnButton.connect("clicked(bool)", self._onGoOn)
        ui.discardButton.connect("clicked(bool)", self._onDiscard)
        ui.flickerButton.connect("clicked(bool)", self._onFlicker)
        self.wayBack = WayBack(self._onWayBack)
        views.stepReplaced = self._onReplaced

    def showNewResult(self) -> None:
        """Draw the strip of the stored result; the views go back to the map."""
        context = self._context()
        self.leaveStep()
        if context is None:
            self.strip.clear()
        else:
            self.strip.show(context[1], context[3])
        self.showButtons()

    def refresh(self) -> None:
        """More steps may be there, or a repair may be under way; what the views show stays."""
        context = self._context()
        if context is not None:
            self.strip.show(context[1], context[3])
            self.strip.mark(self.shown)
        self.showButtons()

    def leaveStep(self) -> None:
        """The views show something else now."""
        self._flicker.stop()
        self.shown = ""
        self.strip.mark("")
        self.showButtons()

    def _onReplaced(self) -> None:
        if self.shown:
            self.leaveStep()

    def left(self) -> None:
        """The panel is closed: the views stand still."""
        if self._flicker.isActive():
            self._onFlicker()

    def close(self) -> None:
        """The module is unloaded."""
        self._flicker.stop()
        self._flicker.disconnect("timeout()")

    def forget(self) -> None:
        """Let go of the scene."""
        if self._pieces is not None:
            self._pieces.cancel()
        self._pieces = None
        self._enableButtons()
        self._flicker.stop()
        self.shown, self._other = "", T1GD
        self.strip.clear()
        self.wayBack.hide()

    def _onStep(self, role: str) -> None:
        context = self._context()
        if context is None:
            return
        self._flicker.stop()
        if role:
            self._other = self.shown or (T1GD if role != T1GD else CORRECTED)
            self.shown = role
            self._views.showStep(context[1], role)
        else:
            self.leaveStep()
            self._showMap()
        self.showButtons()

    def _onFlicker(self, checked: bool = False) -> None:
        if self._flicker.isActive():
            self._flicker.stop()
            self._show(self.shown)
        else:
            self._flicker.start()
            self._flip()
        self.showButtons()

    def _flip(self) -> None:
        self._flipped = not self._flipped
        self._show(self._other if self._flipped else self.shown)

    def _show(self, role: str) -> None:
        context = self._context()
        if context is None or not self.shown:
            self._flicker.stop()
            return
        self._flipped = role != self.shown
        self._views.showStep(context[1], role)

    def _sequence(self) -> MRSequence | None:
        return MRSequence(self.shown.removeprefix(ALIGNED)) if self.shown.startswith(ALIGNED) else None

    def _underRepair(self, outputs: SceneOutputs) -> MRSequence | str | None:
        """What is being repaired: ``MASK``, a sequence, or nothing."""
        return next((MASK if sequence is None else sequence for sequence in repair.underRepair(outputs)), None)

    def setBusy(self, busy: bool) -> None:
        """Nothing is repaired while a prediction runs or an exam is opened: both bring another result."""
        self._isBusy = busy
        self._enableButtons()

    def _enableButtons(self) -> None:
        for button in (self._ui.repairButton, self._ui.goOnButton):
            button.setEnabled(not self._isBusy and self._pieces is None)
        self._ui.discardButton.setEnabled(not self._isBusy)

    def showButtons(self) -> None:
        """Offer the repair that fits the shown step, and the way on from one that is under way."""
        ui, context = self._ui, self._context()
        sequence = self._sequence()
        ui.repairButton.setVisible(context is not None and (self.shown == MASK or sequence is not None))
        ui.repairButton.text = (
            _("Repair the alignment of {role} in Transforms").format(role=sequence.label)
            if sequence is not None
            else _("Repair the brain outline in Segment Editor")
        )
        other = self.strip.titleOf(self._other)
        ui.flickerButton.setVisible(context is not None and bool(self.shown and other))
        ui.flickerButton.text = (
            _("Stop the alternation") if self._flicker.isActive() else _("Alternate with: {step}").format(step=other)
        )
        repaired = self._underRepair(context[1]) if context is not None else None
        for button in (ui.goOnButton, ui.discardButton):
            button.setVisible(repaired is not None)
        ui.goOnButton.text = (
            _("Predict with the repaired brain outline")
            if repaired == MASK
            else _("Use the repaired alignment of {role}").format(role=repaired.label if repaired else "")
        )
        if repaired is not None:
            self.wayBack.show(ui.goOnButton.text)
        else:
            self.wayBack.hide()

    def _onRepair(self, checked: bool = False) -> None:
        context, sequence = self._context(), self._sequence()
        if context is None:
            return
        parameters, outputs = context[:2]
        self._flicker.stop()
        refusal = repair.whyNotMeanwhile(outputs) or _refusal(parameters, outputs, sequence, ALIGNED)
        if refusal:
            self._say(refusal)
            return
        try:
            if sequence is None:
                self._views.showT1GdAlone(outputs)
                repair.startMask(outputs)
            else:
                moving = repair.movedScan(outputs, ALIGNED + sequence)
                self._views.showFused(outputs, repair.startTransform(outputs, sequence, moving))
        except PCNSLSurvivalError as problem:
            self._say(shown(problem))
        self.showButtons()

    def _onGoOn(self, checked: bool = False) -> None:
        context = self._context()
        repaired = self._underRepair(context[1]) if context is not None else None
        if repaired is None:
            return
        parameters, outputs, _t1gd, result = context
        sequence = None if repaired == MASK else MRSequence(repaired)
        refusal = _refusal(parameters, outputs, sequence, repair.MOVING)
        if refusal:
            if None in _scansOf(outputs, sequence, repair.MOVING).values():
                refusal = f"{refusal} {repair.giveUp(outputs)}"
                self._leaveRepair()
            self._say(refusal)
            return
        self._say("")
        if sequence is not None:
            reads = sequence.value in result.get("model", {}).get("sequences", [])
            work = repair.finishTransform(outputs, sequence)
            self._pieces = InPieces(work, lambda: self._onAligned(predict=reads), self._onFailed)
            self._enableButtons()
            return
        try:
            parameters.brainMask = repair.finishMask(outputs)
        except PCNSLSurvivalError as problem:
            self._say(shown(problem))
            return
        self.leaveStep()
        self._showMap()
        self._predict()

    def _onDiscard(self, checked: bool = False) -> None:
        context = self._context()
        repaired = self._underRepair(context[1]) if context is not None else None
        if repaired is None or not _isSure():
            return
        if self._pieces is not None:
            self._pieces.cancel()
            self._pieces = None
            self._enableButtons()
        if repaired == self._underRepair(context[1]):  # it may have been used while the question was open
            repair.discard(context[1], None if repaired == MASK else MRSequence(repaired))
        self._say("")
        self._leaveRepair()

    def _leaveRepair(self) -> None:
        """Nothing is under repair any more: the pictures are those of before, and the views show the map."""
        self.refresh()
        self.leaveStep()
        self._showMap()

    def _onWayBack(self) -> None:
        if self._ui.goOnButton.enabled:  # not while a run is under way
            self._onGoOn()

    def _onAligned(self, *, predict: bool) -> None:
        self._pieces = None
        self._enableButtons()
        self.showNewResult()
        self._showMap()
        context = self._context()
        if predict and context is not None and context[2] is context[0].t1gdVolume:
            self._predict()

    def _onFailed(self, problem: Exception) -> None:
        self._pieces = None
        self._enableButtons()
        self._say(
            shown(problem)
            if isinstance(problem, PCNSLSurvivalError)
            else _("The repaired alignment could not be used ({kind}).").format(kind=type(problem).__name__)
        )


def _isSure() -> bool:
    if slicer.app.testingEnabled():  # a question would never be answered
        return True
    question = _("Discard this repair? What you drew or moved since it began is lost.")
    return bool(slicer.util.confirmYesNoDisplay(question, windowTitle=_("PCNSL Survival")))


def _refusal(parameters: Any, outputs: SceneOutputs, sequence: MRSequence | None, lies: str) -> str:
    """Why a repair cannot begin or go on: it is of other scans than the chosen ones; empty when it can.

    Args:
        parameters: The stored choices.
        outputs: The outputs of the result.
        sequence: Whose alignment is repaired; None for the brain mask.
        lies: Role of what tells which scan was moved, without the sequence.
    """
    for role, scan in _scansOf(outputs, sequence, lies).items():
        if scan is None:
            words = _(
                "The {role} of this repair is no longer in the scene, or the scene does not say which it was. Predict "
                "again, then repair."
            )
            return words.format(role=role.label)
        if getattr(parameters, VOLUMES[role]) is not scan:
            return _(
                "This repair is of {name}. Choose that volume as {role} under Patient scans, then press the button "
                "again."
            ).format(name=scan.GetName(), role=role.label)
    return ""


def _scansOf(outputs: SceneOutputs, sequence: MRSequence | None, lies: str) -> dict[MRSequence, Any]:
    """T1Gd and the scan that a repair is of, see ``_refusal``; None for one that is gone."""
    moved = {} if sequence is None else {sequence: repair.movedScan(outputs, lies + sequence)}
    return {MRSequence.T1GD: outputs.node(T1GD), **moved}
