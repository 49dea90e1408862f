"""Second thoughts: check the map, predict without the lesion, predict under disturbances; each with its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import Verdict
from PCNSLSurvivalLib.results.second_thoughts import with_second_thoughts
from PCNSLSurvivalUI.choices import model_list
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.result import map_display
from PCNSLSurvivalUI.scene.output_nodes import HATCHED, REPORT, SceneOutputs, mapRole
from PCNSLSurvivalUI.second_thoughts.answers import answerTo, inReport, isDoubted, keepAnswer, markOf
from PCNSLSurvivalUI.second_thoughts.case_again import CaseAgain, ShownCase
from PCNSLSurvivalUI.second_thoughts.hatching import hatch
from PCNSLSurvivalUI.second_thoughts.outline import markOfOutline, outlineOf
from PCNSLSurvivalUI.second_thoughts.questions import CHECKS, ROBUSTNESS, WITHOUT_LESION, Question

_BADGE = "color: white; padding: 6px; border-radius: 3px; background-color: "
_PASSED, _FAILED, _MIXED = _BADGE + "#1f5f3a;", _BADGE + "#7a1f1f;", _BADGE + "#6b4e00;"


class SecondThoughts:
    """The three buttons below the map, their progress and their answers.

    Args:
        ui: The panel's widgets by name.
        context: Gives the stored choices, the outputs and the T1Gd of the result; None when there is no result.
        showMap: Brings the map into the views again.
        say: Shows a sentence in the panel.
    """

    def __init__(
        self,
        ui: Any,
        context: Callable[[], tuple[Any, SceneOutputs, Any, dict[str, Any]] | None],
        showMap: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._ui, self._context, self._showMap, self._say = ui, context, showMap, say
        self.again: CaseAgain | None = None
        """The question under way."""
        self._of = self._explains = self._outline = ""
        """Mark of the result, class of the map and mark of the tumor outline that it is about."""
        self._share = 0.0
        self._reported: tuple[str, list[str]] = ("", [])
        """The report and what it was told last."""
        self._hatching: InPieces | None = None
        self._places = {
            CHECKS: (ui.checkMapButton, ui.checksLabel),
            WITHOUT_LESION: (ui.withoutLesionButton, ui.withoutLesionLabel),
            ROBUSTNESS: (ui.robustnessButton, ui.robustnessLabel),
        }
        for question, (button, _label) in self._places.items():
            button.connect("clicked(bool)", lambda checked=False, asked=question: self._onClicked(asked))

    def show(self) -> None:
        """Bring buttons and answers in line with the shown result and map; a question about another one is dropped."""
        context = self._context()
        if self.again is not None and (context is None or markOf(context[3]) != self._of):
            self.forget()
        kind = "" if context is None else map_display.shownKind(context[0], context[3])
        doubted = context is not None and isDoubted(context[0], context[3], kind)
        for question, (button, label) in self._places.items():
            underWay = self.again is not None and self.again.question is question
            button.text = _progress(question, self._share) if underWay else _asked(question)
            button.setEnabled(underWay or (self.again is None and _canBeAsked(question, kind)))
            answer = None if context is None else answerTo(question, context[0], context[3], kind)
            label.text = "" if answer is None else _inWords(question, answer, kind)
            label.styleSheet = "" if answer is None else _style(question, answer)
            if question is CHECKS and answer is None and doubted:
                label.text = _("This map failed a check with another tumor outline. Check it again.")
                label.styleSheet = _FAILED
            label.setVisible(bool(label.text))
        if context is not None:
            checked = bool(self._ui.checksLabel.text)
            self._ui.cautionLabel.text = map_display.caution(context[3], kind, checked=checked)
            self._intoReport(context)
            if doubted:
                self._hatch(context[1], kind, context[2])

    def forget(self) -> None:
        """Stop without a word."""
        if self.again is not None:
            self.again.cancel()
        if self._hatching is not None:
            self._hatching.cancel()
        self.again, self._hatching, self._share = None, None, 0.0

    def _onClicked(self, question: Question) -> None:
        context = self._context()
        if self.again is not None:
            self.forget()
            self._say(_("Cancelled. The result is as before."))
        elif context is not None:
            self._say("")
            parameters, outputs, t1gd, result = context
            outline = outlineOf(parameters)
            if question.needsLesion and outline is None and parameters.t1gdVolume is not t1gd:
                self._say(_("Choose the T1Gd of this result and its tumor outline, then repeat the test."))
                return
            kind = map_display.shownKind(parameters, result)
            self._of = markOf(result)
            self._explains = map_display.predictedKind(result) if kind == map_display.EVIDENCE_KIND else kind
            self._outline = markOfOutline(parameters)
            try:
                case = ShownCase(outputs=outputs, result=result, explains=self._explains, outline=outline)
                self.again = CaseAgain(
                    question,
                    case,
                    model_list.installedModels(),
                    parameters.device,
                    self._onProgress,
                    self._onEnded,
                )
            except PCNSLSurvivalError as problem:
                self._say(shown(problem))
        self.show()

    def _onProgress(self, share: float) -> None:
        self._share = share
        self.show()

    def _onEnded(self, answer: dict[str, Any] | None, sentence: str) -> None:
        question = self.again.question
        self.again, self._share = None, 0.0
        context = self._context()
        if answer is not None and context is not None and markOf(context[3]) == self._of:
            parameters, _outputs, _t1gd, result = context
            keepAnswer(question, parameters, result, self._explains, answer, self._outline)
            if question.ofMap:
                self._showMap()  # hatched before, and perhaps no longer
        self._say(sentence)
        self.show()

    def _intoReport(self, context: tuple[Any, SceneOutputs, Any, dict[str, Any]]) -> None:
        """Let the report of the scene tell the answers that hold now: one about another outline goes."""
        parameters, outputs, _t1gd, result = context
        node, told = outputs.node(REPORT), inReport(parameters, result)
        if node is not None and self._reported != (node.GetID(), told):
            report = node.GetText()
            changed = with_second_thoughts(report, told)
            if changed != report:
                node.SetText(changed)
            self._reported = (node.GetID(), told)

    def _hatch(self, outputs: SceneOutputs, kind: str, t1gd: Any) -> None:
        plain = [mapRole(kind, cells=cells) for cells in (False, True)]
        missing = [role for role in plain if outputs.node(role) is not None and outputs.node(HATCHED + role) is None]
        if self._hatching is not None or not missing:
            return
        self._hatching = InPieces(hatch(outputs, kind, t1gd), self._onHatched, lambda problem: self._onHatched())

    def _onHatched(self) -> None:
        self._hatching = None
        self._showMap()


def _asked(question: Question) -> str:
    return {
        CHECKS: _("Check this map (some minutes)"),
        WITHOUT_LESION: _("What if the lesion were not there?"),
        ROBUSTNESS: _("How stable is the prediction? (some minutes)"),
    }[question]


def _progress(question: Question, share: float) -> str:
    words = {
        CHECKS: _("Checking: {share:.0f} %. Cancel"),
        WITHOUT_LESION: _("Predicting without the lesion. Cancel"),
        ROBUSTNESS: _("Disturbing the scan: {share:.0f} %. Cancel"),
    }[question]
    return words.format(share=100 * share)


def _canBeAsked(question: Question, kind: str) -> bool:
    """The checks are those of a Grad-CAM; the evidence adds up exactly, and every run tests that it does."""
    return not question.ofMap or kind != map_display.EVIDENCE_KIND


def _style(question: Question, answer: dict[str, Any]) -> str:
    if question is CHECKS:
        return _PASSED if answer.get("verdict") == Verdict.GOOD else _FAILED
    if question is ROBUSTNESS:
        return _MIXED if any(at is not None for at in answer["flips_at"].values()) else _PASSED
    return ""


def _inWords(question: Question, answer: dict[str, Any], kind: str) -> str:
    if question is CHECKS:
        signs = {Verdict.GOOD: "✓", Verdict.CHECK: "✗"}
        name = _("Grad-CAM for class {name}").format(name=map_display.labelOf(kind))
        lines = [f"{name}: {shown(answer)}"]
        lines += [f"{signs.get(one['verdict'], '–')} {one['name']}: {one['sentence']}" for one in answer["checks"]]
        return "\n".join(lines)
    if question is ROBUSTNESS:
        return "\n".join([shown(answer), *_ranges(answer)])
    return shown(answer)


def _ranges(answer: dict[str, Any]) -> list[str]:
    """The range of the probability for each disturbance."""
    names = {
        "shading": _("Shading, up to {most:.0f} %: {low:.2f} to {high:.2f}"),
        "noise": _("Noise, up to {most:.0f} %: {low:.2f} to {high:.2f}"),
        "rotation": _("Turned head, up to {most:.0f}°: {low:.2f} to {high:.2f}"),
        "outline": _("Brain outline moved, up to {most:.0f} mm: {low:.2f} to {high:.2f}"),
        "other_outline": _("Brain outline of another program: {high:.2f}"),
    }
    lines = []
    for name, words in names.items():
        copies = [copy for copy in answer["copies"] if copy["disturbance"] == name]
        if copies:
            found = [copy["probability_over_one_year"] for copy in copies]
            most = max(copy["strength"] for copy in copies) * (100 if name in ("shading", "noise") else 1)
            lines.append(words.format(most=most, low=min(found), high=max(found)))
    return lines
