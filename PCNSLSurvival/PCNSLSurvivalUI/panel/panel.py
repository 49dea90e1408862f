"""The panel's widgets: what they show in each state, and what a click does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalUI.choices.parameters import PanelParameters, isComplete
from PCNSLSurvivalUI.choices.preparation_choice import PreparationChoice, takeRememberedEngines
from PCNSLSurvivalUI.choices.scan_choice import ScanChoice
from PCNSLSurvivalUI.choices.volume_roles import nothingFound
from PCNSLSurvivalUI.event_loop import soon
from PCNSLSurvivalUI.install.brain_extractor_button import BrainExtractorButton
from PCNSLSurvivalUI.install.self_check_button import SelfCheckButton
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.panel import steps_table
from PCNSLSurvivalUI.panel.tab_order import reachByTab
from PCNSLSurvivalUI.panel.wheel_guard import WheelGuard
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.regions.region_names import RegionControls
from PCNSLSurvivalUI.result.lesion import showProposal
from PCNSLSurvivalUI.result.repair import giveUp, whyNotMeanwhile
from PCNSLSurvivalUI.result.result_views import ResultViews
from PCNSLSurvivalUI.run import step_list
from PCNSLSurvivalUI.scene.kept_views import drawnOnce
from PCNSLSurvivalUI.scene.output_nodes import T1GD, SceneOutputs, storedResult
from PCNSLSurvivalUI.scene.volume_files import removeInPieces
from PCNSLSurvivalUI.sections.advanced_section import EngineControls
from PCNSLSurvivalUI.sections.batch_section import BatchControls
from PCNSLSurvivalUI.sections.clinical_section import ClinicalControls
from PCNSLSurvivalUI.sections.lesion_section import LesionControls
from PCNSLSurvivalUI.sections.map_section import MapControls
from PCNSLSurvivalUI.sections.model_section import ModelControls
from PCNSLSurvivalUI.sections.quality_section import QualityControls
from PCNSLSurvivalUI.sections.reading_section import ReadingControls
from PCNSLSurvivalUI.sections.report_section import ReportControls
from PCNSLSurvivalUI.sections.result_section import ResultControls
from PCNSLSurvivalUI.sections.second_thoughts import SecondThoughts
from PCNSLSurvivalUI.sections.two_dates_section import TwoDatesControls

_TICK_MS = 250
_PROBLEM = "background-color: #7a1f1f; color: white; padding: 6px; border-radius: 3px;"


def sections(ui: Any) -> list[Any]:
    """The collapsible sections of the panel, from top to bottom."""
    return [
        ui.scansSection,
        ui.modelSection,
        ui.clinicalSection,
        ui.lesionSection,
        ui.stepsSection,
        ui.readingSection,
        ui.resultSection,
        ui.mapSection,
        ui.qualitySection,
        ui.reportSection,
        ui.twoDatesSection,
        ui.batchSection,
        ui.advancedSection,
    ]


def _setHorizontalPolicy(widget: Any, horizontal: Any) -> None:
    policy = widget.sizePolicy
    policy.setHorizontalPolicy(horizontal)
    widget.setSizePolicy(policy)


class PanelView:
    """Shows the stored choices, a run under way and the last result."""

    def __init__(self, ui: Any, logic: Any) -> None:
        self._ui, self._logic = ui, logic
        self._parameters: PanelParameters | None = None
        self._guiTag: Any = None
        self._choice: ScanChoice | None = None
        self._tag = 0
        self._steps: step_list.StepList | None = None
        self._shownResult = self._lookedAt = ""
        self._closed = self._arriving = False
        self.models = ModelControls(ui, lambda: self._parameters, self._say)
        self.brainExtractor = BrainExtractorButton(ui.brainExtractorButton, self.models.chosen, self._say)
        self.selfCheck = SelfCheckButton(ui.selfCheckButton, ui.selfCheckLabel, self._say)
        self._engines = EngineControls(ui, lambda: self._parameters)
        self._preparation = PreparationChoice(ui, lambda: self._parameters)
        self._clinical = ClinicalControls(ui, lambda: self._parameters, self._resultOfChosen)
        self._reading = ReadingControls(ui, lambda: self._parameters, self._onRevealed, self._say)
        self._result = ResultControls(ui)
        # After the model controls have changed the banner: slots are called in the order they were connected.
        ui.modelSelector.connect("currentIndexChanged(int)", lambda _index: self._result.showWarnings())
        self._views = ResultViews()
        self._map = MapControls(ui, self._mapContext, self._views)
        self._second = SecondThoughts(ui, self._mapContext, self._map.apply, self._say)
        self._regions = RegionControls(ui, self._mapContext, self._map.strongest, logic.kept.folder)
        self._report = ReportControls(ui, self._mapContext, self._say)
        self._quality = QualityControls(
            ui, self._mapContext, self._views, self._map.apply, self.predictOrCancel, self._say
        )
        self._lesion = LesionControls(
            ui, lambda: self._parameters, self._resultOfChosen, self._views, self._map.apply, self.predictOrCancel
        )
        self._twoDates = TwoDatesControls(
            ui, lambda: self._parameters, self._mapContext, self._views, self._map.apply, self._say
        )
        self._batch = BatchControls(
            ui,
            lambda: self._parameters,
            lambda: self.models.chosen(),
            self._whyNoCaseOpens,
            self.openCase,
            self._say,
        )
        self._opening: InPieces | None = None
        self._wheel = WheelGuard(sections(ui))
        reachByTab(sections(ui), [getattr(ui, f"{sequence}Selector") for sequence in MRSequence])
        steps_table.prepareTable(ui.stepsTable)
        ui.messageLabel.styleSheet = _PROBLEM
        for section in sections(ui):
            # A collapsible button shows every child again when it opens, those we had hidden as well.
            section.connect("contentsCollapsed(bool)", self._onSection)
            # Its own policy makes the width that its contents would like to have the least width of the panel.
            _setHorizontalPolicy(section, qt.QSizePolicy.Preferred)
        for widget in vars(ui).values():
            # A long sentence would like to have a wide panel.
            if getattr(widget, "wordWrap", False) and widget.inherits("QLabel"):
                _setHorizontalPolicy(widget, qt.QSizePolicy.Ignored)
        # Were the panel to become wider when a section appears, every view would become narrower and draw anew.
        ui.scansSection.setMinimumWidth(max(section.minimumSizeHint.width() for section in sections(ui)))
        # Elapsed seconds and time left move on their own.
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK_MS)
        self._timer.connect("timeout()", self._showRun)
        self._say("")
        self._showRun()
        self._showResult()

    # --- the scene comes and goes ------------------------------------------------------------------------
    def bind(self, parameters: PanelParameters) -> None:
        """Show the choices stored in the scene."""
        if self._parameters is not None:
            return
        takeRememberedEngines(parameters)
        self._parameters = parameters
        self._guiTag = parameters.connectGui(self._ui)
        self._tag = parameters.AddObserver("ModifiedEvent", self._onParameters)
        self._choice = ScanChoice(parameters, self._fillIn)
        if parameters.t1gdVolume is not None:
            self._logic.leaveAsItIs()
        self._fillIn()
        self.models.select()
        self._onParameters()

    def leaveScene(self) -> None:
        """Give the views back as they were before the result, and let go of the scene."""
        self._views.giveBack()
        self.unbind()

    def unbind(self) -> None:
        """Let go of the scene."""
        if self._parameters is None:
            return
        self._choice.close()
        self._logic.forgetVolumes()
        self._parameters.disconnectGui(self._guiTag)
        self._parameters.RemoveObserver(self._tag)
        self._parameters = None
        self._map.forget()
        self._quality.forget()
        self._lesion.forget()
        self._second.forget()
        self._regions.forget()
        self._twoDates.forget()
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        self._report.forget()
        self._views.forget()
        self._steps, self._shownResult = None, ""
        self._say("")
        self._showRun()
        self._showResult()
        self._twoDates.show()
        self._batch.refresh()

    def close(self) -> None:
        """The module is unloaded."""
        self._closed = True
        self._wheel.close()
        self.leaveScene()
        self._views.close()
        self._timer.stop()
        self._timer.disconnect("timeout()")
        self._map.listenToKeys(False)
        self.brainExtractor.close()
        self.selfCheck.close()
        self._lesion.close()
        self._quality.close()
        self._report.close()
        self._batch.close()

    def listenToKeys(self, listen: bool) -> None:
        """Keyboard shortcuts of the map, while the panel is open."""
        self._map.listenToKeys(listen)
        self._quality.refresh()
        if listen:
            self._lesion.entered()
            self._map.refreshSurfaces()  # after Segment Editor
            self._second.show()
        else:
            self._quality.left()

    def _onParameters(self, caller: Any = None, event: Any = None) -> None:
        self._batch.refresh()
        if self._logic.importing or self._arriving:
            return
        self._engines.show()
        self._preparation.show()
        self._clinical.show()
        self._lesion.show()
        self._showDoubts()
        self._showRun()
        if self._reading.isOver():
            self._onRevealed()
        elif self._parameters.result != self._shownResult:
            self._showResult()
        elif self._map.isChanged():
            self._map.apply()
            self._second.show()
        else:  # the tumor outline may be another one
            self._map.refreshSurfaces()
            self._second.show()
        self._regions.show()
        self._twoDates.show()
        self._showWhoseResult()

    def _showDoubts(self) -> None:
        self._ui.scansNote.text = self._logic.doubts(self._parameters)
        self._ui.scansNote.setVisible(bool(self._ui.scansNote.text))

    def _onSection(self, collapsed: bool) -> None:
        if not collapsed:
            soon(self._refresh)

    def _refresh(self) -> None:
        if self._closed:
            return
        self.brainExtractor.show()
        self.selfCheck.show()
        self.models.show()
        self._result.showWarnings()
        self._batch.show()
        if self._parameters is None:
            return
        self._onParameters()
        result = storedResult(self._shownResult)
        if result is not None and not self._reading.isHiding:
            self._result.show(result)
            self._second.show()
            self._twoDates.show()
            self._quality.showButtons()
            self._report.showButtons()

    # --- the button ----------------------------------------------------------------------------------------------
    def guess(self) -> None:
        """Choose the scans by the names and DICOM headers of the loaded volumes."""
        note = nothingFound(self._logic.guess(self._parameters))
        if note:
            self._ui.scansNote.text = f"{note} {self._logic.doubts(self._parameters)}".strip()
            self._ui.scansNote.show()

    def _fillIn(self) -> None:
        """Volumes have arrived: they fill the roles that are empty."""
        if self._parameters is not None and self._logic.run is None:
            self._logic.fillIn(self._parameters)
            self._showDoubts()

    def predictOrCancel(self) -> None:
        """Start a run, or cancel the one under way."""
        if self._logic.run is not None:
            if self._logic.run.isOver:  # its end comes with the next events
                return
            kept = self._logic.run.hasResult
            self._logic.cancel()
            if kept:
                list(self._onResultShown())
            self._say(
                _("The registration was cancelled; the prediction is kept.")
                if kept
                else _("Cancelled. The scene is as before.")
            )
            self._showRun()
            return
        if self._opening is not None:
            self._say(_("An exam is being opened. Wait until its result is shown, then predict."))
            return
        self._say("")
        self._steps = None
        self._ui.predictButton.setEnabled(False)  # a second click while a question is open must do nothing
        try:
            self._logic.startPrediction(
                self._parameters, self.models.chosen(), self._showRun, self._onResultShown, self._onEnded
            )
        except PCNSLSurvivalError as problem:
            self._say(shown(problem))
        except Exception:
            self._say(_("Internal error: the prediction could not be started. Please report it."))
            logging.exception("The prediction could not be started.")
        if self._logic.run is not None:
            self._steps = self._logic.run.steps
            self._ui.stepsSection.setChecked(True)
            self._timer.start()
        self._showRun()

    def _onResultShown(self) -> Iterator[None]:
        yield from self._resultInParts(self._firstLook)
        if self._reading.isHiding:
            self._ui.stepsSection.setChecked(False)
            self._showWhatIsRead()

    def _showWhatIsRead(self) -> None:
        """In the reading mode: T1Gd alone, on its own planes; a view keeps the scan that was loaded last otherwise."""
        outputs = SceneOutputs(self._parameters.parameterNode)
        t1gd = outputs.node(T1GD)
        if t1gd is not None:
            self._views.showT1GdAlone(outputs, t1gd)
            self._views.showAxial(t1gd)

    def _firstLook(self) -> None:
        if self._shownResult != self._lookedAt:  # the user may have gone on from the first look
            self._lookedAt = self._shownResult
            self._showScans(False)  # result and warnings are read without scrolling
            self._ui.stepsSection.setChecked(False)  # what still runs is shown beside the button
            self._ui.resultSection.setChecked(True)  # closed by hand, it would leave a new number unseen
            self._map.showFirstLook()

    def _onEnded(self, sentence: str | None) -> None:
        self._say(sentence or "")
        self._showRun()
        self._fillIn()  # volumes may have arrived during the run
        self._ui.stepsSection.setChecked(bool(sentence))  # what failed stands there; the result comes first otherwise
        self._quality.refresh()
        self._map.showButtons()

    def _whyNoCaseOpens(self) -> str:
        """Why no exam can be opened now; empty when one can."""
        if self._logic.run is not None:
            return _("A prediction is running. Cancel it or wait for its end, then open the exam.")
        if self._opening is not None:
            return _("An exam is being opened. Wait until its result is shown, then open the next one.")
        if self._parameters is None:
            return _("The scene is closed. Open this module again.")
        return whyNotMeanwhile(SceneOutputs(self._parameters.parameterNode))

    def openCase(self, folder: Path, t1gd: Any) -> None:
        """Show the result of a folder on the T1Gd of its exam; what was chosen of another patient is let go.

        Args:
            folder: The result folder of a prediction, from several patients or from the command line.
            t1gd: The loaded T1Gd of the exam.
        """
        why = self._whyNoCaseOpens()  # the scene may have been closed while the series was loaded
        if why:
            self._say(why)
            return
        self._logic.chooseAlone(self._parameters, t1gd)

        def opened() -> Iterator[None]:
            earlier = yield from self._logic.bringIn(folder, t1gd.GetID(), self._parameters)
            yield from drawnOnce(arrive(earlier))

        def arrive(earlier: list[Any]) -> Iterator[None]:
            yield from removeInPieces(earlier)
            yield from self._onResultShown()

        self._opening = InPieces(opened(), lambda: self._onOpened(""), lambda problem: self._onOpened(
            _("The result of this exam cannot be read. Predict it again.")
        ))  # fmt: skip
        self._showRun()

    def _onOpened(self, sentence: str) -> None:
        self._opening = None
        self._say(sentence)
        self._showRun()

    # --- states ----------------------------------------------------------------------------------------------------
    def _say(self, sentence: str) -> None:
        self._ui.messageLabel.text = sentence
        self._ui.messageLabel.setVisible(bool(sentence))

    def _showRun(self) -> None:
        run, ui = self._logic.run, self._ui
        if run is not None:
            self._steps = run.steps
        running = run is not None
        ui.predictButton.text = _("Cancel") if running else _("Predict overall survival")
        ready = isComplete(self._parameters)
        ui.predictButton.setEnabled(running or ready)
        if not running:
            self._timer.stop()
            ui.predictButton.setToolTip(
                _("Preprocess the scans, predict one-year overall survival, and show the activation map.")
                if ready
                else _("Choose a T1Gd first.")
            )
        for section in (
            ui.scansSection, ui.modelSection, ui.clinicalSection, ui.lesionSection, ui.advancedSection,
        ):  # fmt: skip
            section.setEnabled(not running)
        self._quality.setBusy(running or self._opening is not None)
        ui.progressBar.setVisible(running)
        ui.progressLabel.setVisible(running)
        if running:
            ui.progressBar.setValue(int(1000 * run.steps.fraction()))
            ui.progressLabel.text = steps_table.progressInWords(run.steps, run.hasResult)
        steps_table.showSteps(ui.stepsSection, ui.stepsTable, self._steps)

    def _showResult(self) -> None:
        list(self._resultInParts(lambda: None))

    def _resultInParts(self, look: Callable[[], None]) -> Iterator[None]:
        """Show the stored result; pauses between parts, so that the application goes on in between.

        The number comes last, in one piece with the end: until then the views show the picture of before.

        Args:
            look: Brings the views to the place to look at first.
        """
        ui = self._ui
        self._shownResult = self._parameters.result if self._parameters is not None else ""
        result = storedResult(self._shownResult)
        ofResult = (ui.resultSection, ui.mapSection, ui.qualitySection, ui.reportSection)
        self._arriving = True  # that the reader has seen it is stored as well, and nothing is to be shown for that
        hidden = self._reading.arrive(self._shownResult)
        self._arriving = False
        self._views.leaveExams()  # they may be those of another patient
        if hidden or result is None:
            for section in ofResult:
                section.hide()
            self._second.forget()
            self._regions.show()
            self._map.forget()
            self._quality.forget()
            if self._parameters is not None:  # what is under repair could neither be used nor discarded any more
                sentence = giveUp(SceneOutputs(self._parameters.parameterNode))
                if sentence:
                    self._say(sentence)
            self._views.giveBack()
            self._twoDates.show()
            return
        ui.resultSection.hide()
        try:
            self._clinical.show()
            self._lesion.show()
            for section in ofResult[1:]:  # the first layout of all at once would hold the application up
                section.show()
                yield
            for work in (
                self._map.showNewResult, self._map.showSurfaces, self._second.show, self._regions.showNewResult,
                self._quality.showNewResult,
            ):  # fmt: skip
                work()
                yield
            self._report.showButtons()
            self._twoDates.show()
            yield
            look()
            yield
        finally:  # the number of a stored result is seen, whatever went wrong with a picture of it
            if self._parameters is not None and self._parameters.result == self._shownResult:
                self._result.show(result)
                self._showWhoseResult()
                ui.resultSection.show()

    def _showScans(self, shown: bool) -> None:
        for section in (self._ui.scansSection, self._ui.modelSection):
            section.setChecked(shown)
        if not shown:
            self._ui.clinicalSection.setChecked(False)

    def _onRevealed(self) -> None:
        list(self._onResultShown())
        showProposal(SceneOutputs(self._parameters.parameterNode))

    def closeResult(self) -> None:
        """Give the views back as they were before the result; its volumes stay in the scene."""
        if self._parameters is not None:
            self._parameters.result = ""
            self._showScans(True)

    def _showWhoseResult(self) -> None:
        """A result stays in the panel until the next one; say when it is not that of the chosen T1Gd."""
        ofAnother = self._mapContext() is not None and self._resultOfChosen() is None
        self._ui.otherScanLabel.setVisible(ofAnother)

    def _resultOfChosen(self) -> dict[str, Any] | None:
        """The shown result, unless it is that of another T1Gd than the chosen one."""
        context = self._mapContext()
        chosen = self._parameters.t1gdVolume if self._parameters is not None else None
        return None if context is None or (chosen is not None and context[2] is not chosen) else context[3]

    def _mapContext(self) -> tuple[Any, SceneOutputs, Any, dict[str, Any]] | None:
        if self._parameters is None or self._reading.isHiding:
            return None
        result = storedResult(self._parameters.result)
        if result is None:
            return None
        outputs = SceneOutputs(self._parameters.parameterNode)
        return self._parameters, outputs, outputs.node(T1GD), result
