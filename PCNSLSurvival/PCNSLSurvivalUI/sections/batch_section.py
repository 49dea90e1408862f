"""The section "Several patients": exams of the DICOM database in a table, predicted in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalUI.batch.batch_run import CANCELLED, DONE, FAILED, RUNNING, BatchCase, BatchRun
from PCNSLSurvivalUI.batch.exams import DatabaseExam, examsIn
from PCNSLSurvivalUI.choices.parameters import PanelParameters
from PCNSLSurvivalUI.messages import plainToolTip, shown
from PCNSLSurvivalUI.process.incremental import InPieces

_ROW_PX, _MOST_ROWS = 22, 12
_SERIES = "PCNSLSurvival.seriesUID"
"""Marks the volume that an exam was loaded as, so that it is not loaded again."""


class BatchControls:
    """Everything in the section "Several patients".

    Args:
        ui: The panel's widgets by name.
        parameters: Gives the stored choices; None when there is no scene.
        model: Gives the chosen model; None when none is installed.
        whyNotOpen: Says why no exam can be opened now; empty when one can.
        open: Shows the result in a folder on a volume that was loaded.
        say: Shows a sentence in the panel.
    """

    def __init__(
        self,
        ui: Any,
        parameters: Callable[[], PanelParameters | None],
        model: Callable[[], Any],
        whyNotOpen: Callable[[], str],
        open: Callable[[Path, Any], None],
        say: Callable[[str], None],
    ) -> None:
        self._ui, self._parameters, self._model, self._say = ui, parameters, model, say
        self._whyNotOpen, self._open, self._loading = whyNotOpen, open, False
        self._shownFor: tuple[bool, str] | None = None
        """Whether numbers are shown, and beside which model: what the table was filled for."""
        self.cases: list[BatchCase] = []
        self.run: BatchRun | None = None
        """The run under way."""
        self.listing: InPieces | None = None
        """The look through the database under way."""
        table = ui.batchTable
        table.setColumnCount(4)
        table.setHorizontalHeaderLabels([_("Patient"), _("Date"), _("T1Gd"), _("OS > 1 year")])
        table.verticalHeader().hide()
        wide, narrow = qt.QHeaderView.Stretch, qt.QHeaderView.ResizeToContents
        for column, mode in enumerate((wide, narrow, wide, narrow)):
            table.horizontalHeader().setSectionResizeMode(column, mode)
        ui.batchListButton.connect("clicked(bool)", self._onList)
        ui.batchPredictButton.connect("clicked(bool)", self._onPredict)
        ui.batchOpenButton.connect("clicked(bool)", self._onOpen)
        table.connect("itemSelectionChanged()", self.show)
        table.connect("cellDoubleClicked(int,int)", lambda row, column: self._onOpen())
        ui.modelSelector.connect("currentIndexChanged(int)", self.refresh)
        self.show()

    def refresh(self, index: int = 0) -> None:
        """Reading mode, model or scene may have changed: the table tells a number only where it may."""
        if self._shownFor != self._now():
            self._fill()

    def show(self) -> None:
        """Bring table and buttons in line with what is known; nothing without a DICOM database."""
        ui, running, model = self._ui, self.run is not None, self._model()
        ui.batchSection.setVisible(getattr(slicer, "dicomDatabase", None) is not None)
        ui.batchListButton.setEnabled(not running and self.listing is None)
        chosen = self._chosen()
        toDo = any(not case.isDoneWith(model) for case in chosen)
        ready = model is not None and self._parameters() is not None and self.listing is None
        ui.batchPredictButton.setEnabled(running or (ready and toDo))
        ui.batchPredictButton.setToolTip(
            _("The selected exams are predicted with this model already.") if chosen and not toDo else ""
        )
        ui.batchPredictButton.text = _("Cancel") if running else _("Predict the selected exams")
        ui.batchOpenButton.setEnabled(any(case.state == DONE for case in chosen))
        ui.batchTable.setVisible(bool(self.cases))
        done = sum(case.state == DONE for case in self.cases)
        ui.batchLabel.text = _("{done} of {all} exams predicted.").format(done=done, all=len(self.cases))
        ui.batchLabel.setVisible(bool(self.cases))

    def close(self) -> None:
        """The module is unloaded: stop, and delete the results that were not opened."""
        for work in (self.run, self.listing):
            if work is not None:
                work.cancel()
        self.run = self.listing = None
        for case in self.cases:
            case.forget()
        self.cases = []

    def _onList(self, checked: bool = False) -> None:
        database = getattr(slicer, "dicomDatabase", None)
        if database is None:
            return
        self._say("")
        found: list[DatabaseExam] = []
        self.listing = InPieces(examsIn(database, found), lambda: self._onListed(found), self._onNotListed)
        self.show()

    def _onListed(self, found: list[DatabaseExam]) -> None:
        self.listing = None
        known = {case.exam.seriesUID: case for case in self.cases}
        self.cases = [known.pop(exam.seriesUID, None) or BatchCase(exam=exam) for exam in found]
        for gone in known.values():
            gone.forget()
        if not found:
            self._say(_("The DICOM database has no exam with a T1Gd. Import the patients in the DICOM module."))
        self._fill()

    def _onNotListed(self, problem: Exception) -> None:
        self.listing = None
        logging.error("The DICOM database could not be read.", exc_info=problem)
        words = _("The DICOM database could not be read ({kind}). Open the DICOM module, then list the exams again.")
        self._say(words.format(kind=type(problem).__name__))
        self.show()

    def _onPredict(self, checked: bool = False) -> None:
        if self.run is not None:
            self.run.cancel()
            self.run = None
            self._fill()
            return
        parameters, model = self._parameters(), self._model()
        chosen = [case for case in self._chosen() if not case.isDoneWith(model)]
        if not chosen or model is None or parameters is None:
            return
        self._say("")
        try:
            self.run = BatchRun(chosen, model, parameters.device, self._onChanged)
        except PCNSLSurvivalError as problem:
            self._say(shown(problem))
        self._fill()

    def _onChanged(self) -> None:
        if self.run is not None and self.run.isOver:
            self.run = None
        self._fill()

    def _onOpen(self, checked: bool = False) -> None:
        case = next((one for one in self._chosen() if one.state == DONE), None)
        if case is None or self._loading:
            return
        why = self._whyNotOpen()
        if why:
            self._say(why)
            return
        self._loading = True  # Slicer handles events while it loads: a second double-click would load a second copy
        try:
            node = _volumeOf(case.exam.seriesUID)
        finally:
            self._loading = False
        if node is None:
            self._say(_("The series of this exam could not be loaded. Look at it in the DICOM module."))
        elif case.state == DONE:
            self._open(case.folder / "result", node)

    def _chosen(self) -> list[BatchCase]:
        rows = sorted({item.row() for item in self._ui.batchTable.selectedItems()})
        return [self.cases[row] for row in rows if row < len(self.cases)]

    def _now(self) -> tuple[bool, str]:
        parameters = self._parameters()
        if parameters is None:
            return False, ""
        model = self._model()
        return not parameters.readFirst, "" if model is None else model.checksum

    def _fill(self) -> None:
        table, self._shownFor = self._ui.batchTable, self._now()
        if table.rowCount != len(self.cases):
            table.setRowCount(len(self.cases))
            table.setFixedHeight(_ROW_PX * (min(len(self.cases), _MOST_ROWS) + 1) + 12)
        for row, case in enumerate(self.cases):
            table.setRowHeight(row, _ROW_PX)
            for column, text in enumerate((case.exam.patient, case.exam.date, case.exam.series, self._outcome(case))):
                item = table.item(row, column)
                if item is None:
                    item = qt.QTableWidgetItem("")
                    table.setItem(row, column, item)
                item.setText(text)
                item.setToolTip(plainToolTip(case.sentence or case.exam.study))
        self.show()

    def _outcome(self, case: BatchCase) -> str:
        """Probability or state in a word; in reading mode, or without a scene that says, no probability is shown."""
        if case.state != DONE:
            words = {RUNNING: _("running"), FAILED: _("failed"), CANCELLED: _("cancelled")}
            return words.get(case.state, "")
        parameters = self._parameters()
        if parameters is None or parameters.readFirst:
            return _("ready to read")
        words = _("{value:.0f} % ({warnings} ⚠)") if case.prediction["warnings"] else _("{value:.0f} %")
        number = words.format(
            value=100 * case.prediction["probability_over_one_year"], warnings=len(case.prediction["warnings"])
        )
        if case.isDoneWith(self._model()):
            return number
        return _("{number}, model {model}").format(number=number, model=case.modelName)


def _volumeOf(seriesUID: str) -> Any:
    """The volume of a series, loaded unless it is in the scene already; None when that failed."""
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if node.GetAttribute(_SERIES) == seriesUID:
            return node
    from DICOMLib import DICOMUtils  # absent from builds without DICOM

    try:
        loaded = DICOMUtils.loadSeriesByUID([seriesUID])
    except Exception:  # the database is closed, or a reader of some extension failed
        logging.exception("A series could not be loaded.")
        return None
    nodes = [slicer.mrmlScene.GetNodeByID(each) for each in loaded]
    volume = next((one for one in nodes if one is not None and one.GetClassName() == "vtkMRMLScalarVolumeNode"), None)
    if volume is not None:
        volume.SetAttribute(_SERIES, seriesUID)
    return volume
