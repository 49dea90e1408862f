"""The section "Second time point": the chosen T1Gd against one of an earlier date; change, and no response."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import READER_RESPONSES
from PCNSLSurvivalUI.choices.brain_masks import whyNotFor
from PCNSLSurvivalUI.choices.dicom_tags import areOfTwoPatients
from PCNSLSurvivalUI.choices.parameters import PanelParameters, isComplete
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.result import map_display, navigation
from PCNSLSurvivalUI.result.lesion import editedProposal, takeOver
from PCNSLSurvivalUI.result.result_views import ResultViews
from PCNSLSurvivalUI.scene.output_nodes import MASK, OVER, T1GD, UP_TO, SceneOutputs
from PCNSLSurvivalUI.second_thoughts.answers import isDoubted
from PCNSLSurvivalUI.second_thoughts.outline import contentMark
from PCNSLSurvivalUI.two_dates.comparison import ComparedExam, Comparison
from PCNSLSurvivalUI.two_dates.kept_exam import (
    LATER,
    LATER_MAP,
    followChecks,
    isKeptDoubted,
    keepExam,
    keptOf,
    modelOf,
    placeOverEarlier,
)

_COMPARED = ("shown.comparedEarlier", "shown.comparedLater")
"""Roles of the two T1Gd of the stored comparison; inputs, never removed by us."""


class TwoDatesControls:
    """Everything in the section "Second time point".

    Args:
        ui: The panel's widgets by name.
        parameters: Gives the stored choices; None when there is no scene.
        context: Gives the stored choices, the outputs and the T1Gd of the result; None when there is no result.
        views: The slice views.
        showMap: Brings the map of the result back into the views.
        say: Shows a sentence in the panel.
    """

    def __init__(
        self,
        ui: Any,
        parameters: Callable[[], PanelParameters | None],
        context: Callable[[], tuple[Any, SceneOutputs, Any, dict[str, Any]] | None],
        views: ResultViews,
        showMap: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._ui, self._parameters, self._context = ui, parameters, context
        self._views, self._showMap, self._say = views, showMap, say
        self.run: Comparison | None = None
        """The comparison under way."""
        self._step = ""
        self._earlier = self._later = ""
        """IDs of the two T1Gd that the outline and the entered response belong to."""
        self._examKind = ""
        """Kind of the two maps that stand side by side."""
        self._examDoubted: tuple[bool, bool] | None = None
        """Which of them are marked as failed."""
        ui.responseSelector.addItem(_("not entered"))
        words = (
            _("complete (CR)"), _("unconfirmed complete (CRu)"), _("partial (PR)"), _("stable disease (SD)"),
            _("progressive disease (PD)"),
        )  # fmt: skip
        for response, name in zip(READER_RESPONSES, words, strict=True):
            ui.responseSelector.addItem(name, response)
        views.examsLeft = self._onExamsLeft
        # Slicer's own binding of a selector knows one class of nodes alone.
        ui.earlierLesionSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onOutline)
        ui.keepEarlierButton.connect("clicked(bool)", self._onKeep)
        ui.followUpButton.connect("clicked(bool)", self._onCompare)
        ui.examsButton.connect("clicked(bool)", self._onExams)

    def show(self) -> None:
        """Bring controls and answer in line with the choices; a comparison of other exams is not shown."""
        ui, parameters = self._ui, self._parameters()
        if parameters is None:
            for widget in (ui.keepEarlierButton, ui.followUpButton):
                widget.setEnabled(False)
            ui.followUpLabel.hide()
            ui.examsButton.hide()
            return
        earlier, later = parameters.earlierVolume, parameters.t1gdVolume
        earlierID = earlier.GetID() if earlier is not None else ""
        if earlierID != self._earlier:
            # The first look at a scene that was opened keeps what it brought.
            if self._earlier and parameters.earlierLesion is not None:
                parameters.earlierLesion = None
            self._forgetResponse()
            self._earlier = earlierID
        laterID = later.GetID() if later is not None else ""
        if laterID != self._later:
            self._forgetResponse()
            self._later = laterID
        if ui.earlierLesionSelector.currentNode() is not parameters.earlierLesion:
            ui.earlierLesionSelector.setCurrentNode(parameters.earlierLesion)
        context = self._context()
        if context is not None and keptOf(context[1], context[2], OVER) is not None:
            followChecks(context[1], *_mapsOf(context))
        if navigation.isShowingExams() and self._examKind:
            self._views.outlineInExams(parameters.earlierLesion)
            self._markExams(parameters)
        ui.keepEarlierButton.setEnabled(self.run is None and context is not None and context[2] is not None)
        ready = isComplete(parameters) and earlier is not None and earlier is not later
        ui.followUpButton.setEnabled(self.run is not None or ready)
        ui.followUpButton.text = (
            _("Compare the two exams")
            if self.run is None
            else _("Comparing: {step}. Cancel").format(step=self._step or _("writing the scans"))
        )
        for widget in (ui.earlierSelector, ui.earlierLesionSelector, ui.responseSelector):
            widget.setEnabled(self.run is None)
        found = self._found(parameters)
        if found is not None:
            ui.followUpLabel.text = self._inWords(found, parameters)
        elif earlier is not None and earlier is later:
            ui.followUpLabel.text = _("Choose the T1Gd of the later exam under Patient scans, then compare.")
        else:
            ui.followUpLabel.text = ""
        ui.followUpLabel.setVisible(bool(ui.followUpLabel.text))
        ui.examsButton.setVisible(found is not None or navigation.isShowingExams())
        ui.examsButton.text = (
            _("Back to the views from before") if navigation.isShowingExams() else _("Show both exams side by side")
        )

    def forget(self) -> None:
        """Let go of the scene; a comparison under way stops without a word."""
        if self.run is not None:
            self.run.cancel()
        self.run, self._step, self._earlier, self._later = None, "", "", ""
        self._examKind, self._examDoubted = "", None

    def _forgetResponse(self) -> None:
        """It was entered for other exams."""
        self._ui.responseSelector.setCurrentIndex(0)

    def _onOutline(self, node: Any) -> None:
        parameters = self._parameters()
        if parameters is not None and parameters.earlierLesion is not node:
            parameters.earlierLesion = node

    def _onKeep(self, checked: bool = False) -> None:
        context = self._context()
        if context is None:
            return
        parameters, outputs, t1gd, _result = context
        keepExam(outputs, t1gd, *_mapsOf(context))
        outline = parameters.lesion if parameters.t1gdVolume is t1gd else None
        if outline is None and editedProposal(outputs) is not None:
            outline = takeOver(outputs)  # the next run would replace it
        self._earlier = t1gd.GetID()
        parameters.earlierVolume = t1gd
        parameters.earlierLesion = outline
        self._say("")
        self.show()

    def _onCompare(self, checked: bool = False) -> None:
        parameters = self._parameters()
        if self.run is not None:
            self.run.cancel()
            self.run, self._step = None, ""
            self._say(_("Cancelled. The result is as before."))
        elif parameters is not None and areOfTwoPatients(parameters.earlierVolume, parameters.t1gdVolume):
            self._say(shown(Message("followup.two_patients")))
        elif parameters is not None:
            self._say("")
            ui = self._ui
            outputs = SceneOutputs(parameters.parameterNode)
            earlier, later = parameters.earlierVolume, parameters.t1gdVolume
            outline, mask = parameters.lesion, parameters.brainMask
            if outputs.node(T1GD) is later and outline is None and editedProposal(outputs) is not None:
                outline = parameters.lesion = takeOver(outputs)
            marks, response = _marks(parameters), ui.responseSelector.itemData(ui.responseSelector.currentIndex)

            def ended(found: dict[str, Any] | None, sentence: str) -> None:
                self.run, self._step = None, ""
                if found is not None and earlier.GetScene() is not None and later.GetScene() is not None:
                    for role, node in zip(_COMPARED, (earlier, later), strict=True):
                        outputs.refer(role, node)
                    parameters.followUp = json.dumps({"outlines": marks, "found": found})
                self._say(sentence)
                self.show()

            try:
                refusal = "" if mask is None else whyNotFor(outputs, mask, later)
                if refusal:
                    self._say(refusal)
                    return
                if mask is None and outputs.node(T1GD) is later:
                    mask = _fitting(outputs, outputs.node(MASK), later)
                exams = (
                    ComparedExam(
                        name="earlier", words=_("the earlier T1Gd"), t1gd=earlier, outline=parameters.earlierLesion,
                        brainMask=_fitting(outputs, keptOf(outputs, earlier, MASK), earlier),
                    ),
                    ComparedExam(name="later", words=_("the later T1Gd"), t1gd=later, outline=outline, brainMask=mask),
                )  # fmt: skip
                self.run = Comparison(
                    exams, parameters.device, response or "", parameters.overrideQuality, self._onStep, ended
                )
            except PCNSLSurvivalError as problem:
                self._say(shown(problem))
        self.show()

    def _onStep(self, words: str) -> None:
        self._step = words
        self.show()

    def _found(self, parameters: PanelParameters) -> dict[str, Any] | None:
        """The stored comparison, if it is one of the two chosen exams."""
        outputs = SceneOutputs(parameters.parameterNode)
        chosen = (parameters.earlierVolume, parameters.t1gdVolume)
        if None in chosen or any(outputs.node(r) is not n for r, n in zip(_COMPARED, chosen, strict=True)):
            return None
        try:
            stored = json.loads(parameters.followUp or "{}")
        except ValueError:
            return None
        return stored if isinstance(stored, dict) and "found" in stored else None

    def _inWords(self, stored: dict[str, Any], parameters: PanelParameters) -> str:
        found = stored["found"]
        lines = [f"⚠ {shown(one)}" for one in found["warnings"]] + [shown(one) for one in found["sentences"]]
        if stored.get("outlines") != _marks(parameters):
            lines.insert(0, _("⚠ An outline was changed since. Compare again."))
        return "\n".join([*lines, _("Limits: {sources}").format(sources="; ".join(found["change"]["sources"]))])

    def _onExams(self, checked: bool = False) -> None:
        parameters = self._parameters()
        if navigation.isShowingExams():
            self._views.leaveExams()
            if self._context() is not None:
                self._showMap()
            else:
                self._views.giveBack()
        elif parameters is not None and self._found(parameters) is not None:
            self._showExams(parameters, self._found(parameters)["found"])
        self.show()

    def _onExamsLeft(self, byLayout: bool) -> None:
        if byLayout and self._context() is not None:
            self._showMap()
        self.show()

    def _showExams(self, parameters: PanelParameters, found: dict[str, Any]) -> None:
        outputs, context = SceneOutputs(parameters.parameterNode), self._context()
        earlier, later, own = parameters.earlierVolume, parameters.t1gdVolume, None
        kind = parameters.mapKind if parameters.mapKind in map_display.KINDS else OVER
        if context is not None and context[2] is later:
            kind = map_display.shownKind(parameters, context[3])
            own = map_display.checkedNode(outputs, context[3], parameters, kind)
        names = (_("Later T1Gd on the earlier head"), _("Later map"))
        placeOverEarlier(outputs, later, own, found["later_to_earlier_ras"], names)
        maps = (keptOf(outputs, earlier, kind), outputs.node(LATER_MAP))
        places = [focus["center_ras_mm"] for focus in found["earlier"]["foci"]]
        exams = ((earlier, maps[0]), (outputs.node(LATER), maps[1]))
        look = tuple(places[0]) if places else None
        self._views.showExams(exams, float(parameters.mapOpacity), look, parameters.earlierLesion)
        self._examKind, self._examDoubted = kind, None
        self._markExams(parameters)
        if None not in maps and modelOf(maps[0]) != str(context[3]["model"].get("checksum_sha256")):
            self._say(_("The two maps come from different models and cannot be compared with each other."))

    def _markExams(self, parameters: PanelParameters) -> None:
        """Look, hatching and title of both maps by how their checks ended; one may end while they are shown."""
        outputs, context, kind, own = SceneOutputs(parameters.parameterNode), self._context(), self._examKind, None
        maps = (keptOf(outputs, parameters.earlierVolume, kind), outputs.node(LATER_MAP))
        if context is not None and context[2] is parameters.t1gdVolume:
            own = map_display.checkedNode(outputs, context[3], parameters, kind)
        if own is not None and maps[1] is not None and maps[1].GetImageData() is not own.GetImageData():
            maps[1].SetAndObserveImageData(own.GetImageData())  # a hatched map has the voxels of the plain one
        doubted = (isKeptDoubted(maps[0]), own is not None and isDoubted(parameters, context[3], kind))
        if doubted == self._examDoubted:
            return
        self._examDoubted = doubted
        for node, words, failed in zip(maps, (_("Earlier exam"), _("Later exam")), doubted, strict=True):
            if node is not None:
                map_display.setLook(node, kind, outputs, parameters)
                title = f"{words}\n{map_display.legendTitle(kind, doubted=failed)}"
                map_display.addLegend(node, kind, title, visible=True)


def _fitting(outputs: SceneOutputs, mask: Any, t1gd: Any) -> Any:
    """A brain mask that the user did not choose, if it fits T1Gd; None otherwise, and the brain is outlined anew."""
    return None if mask is None or whyNotFor(outputs, mask, t1gd) else mask


def _mapsOf(
    context: tuple[Any, SceneOutputs, Any, dict[str, Any]],
) -> tuple[dict[str, Any], dict[str, Any], set[str]]:
    """Maps of the shown result by their kind as the views show them, the result, and kinds that failed a check."""
    parameters, outputs, _t1gd, result = context
    kinds = (OVER, UP_TO, map_display.EVIDENCE_KIND)
    maps = {kind: map_display.checkedNode(outputs, result, parameters, kind) for kind in kinds}
    return maps, result, {kind for kind in kinds if isDoubted(parameters, result, kind)}


def _marks(parameters: PanelParameters) -> list[str]:
    return [contentMark(parameters.earlierLesion), contentMark(parameters.lesion)]
