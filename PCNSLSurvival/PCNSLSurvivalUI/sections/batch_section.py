"""The section "Several patients": exams of the DICOM database in a table, predicted in the background."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalUI.batch.batch_run import DONE, FAILED, RUNNING, BatchCase, BatchRun
from PCNSLSurvivalUI.batch.exams import DatabaseExam, examsIn
from PCNSLSurvivalUI.choices.parameters import PanelParameters
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process.incremental import InPieces

_ROW_PX, _MOST_ROWS = 22, 12


class BatchControls:
    """Everything in the section "Several patients".

    Args:
        ui: The panel's widgets by name.
        parameters: Gives the stored choices; None when there is no scene.
        model: Gives the chosen model; None when none is installed.
        open: Shows the result in a folder on a volume that was loaded.
        say: Shows a sentence in the panel.
    """

    def __init__(
        self,
        ui: Any,
        parameters: Callable[[], PanelParameters | None],
        model: Callable[[], Any],
        open: Callable[[Path, Any], None],
        say: Callable[[str], None],
    ) -> None:
        self._ui, self._parameters, self._model, self._open, self._say = ui, parameters, model, open, say
        self.cases: list[BatchCase] = []
        self.run: BatchRun | None = None
        """The run under way."""
        self.listing: InPieces | None = None
        """The look through the database under way."""
        table = ui.batchTable
        table.setColumnCount(3)
        table.setHorizontalHeaderLabels([_("Patient"), _("T1Gd"), _("OS > 1 year")])
        table.verticalHeader().hide()
        for column, mode in enumerate(
            (qt.QHeaderView.Stretch, qt.QHeaderView.Stretch, qt.QHeaderView.ResizeToContents)
        ):
            table.horizontalHeader().setSectionResizeMode(column, mode)
        ui.batchListButton.connect("clicked(bool)", self._onList)
        ui.batchPredictButton.connect("clicked(bool)", self._onPredict)
        ui.batchOpenButton.connect("clicked(bool)", self._onOpen)
        table.connect("itemSelectionChanged()", self.show)
        table.connect("cellDoubleClicked(int,int)", lambda row, column: self._onOpen())
        self.show()

    def show(self) -> None:
        """Bring table and buttons in line with what is known; nothing without a DICOM database."""
        ui, running = self._ui, self.run is not None
        ui.batchSection.setVisible(getattr(slicer, "dicomDatabase", None) is not None)
        ui.batchListButton.setEnabled(not running and self.listing is None)
        chosen = self._chosen()
        ui.batchPredictButton.setEnabled(running or bool(chosen))
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
            if case.folder is not None:
                shutil.rmtree(case.folder, ignore_errors=True)
        self.cases = []

    def _onList(self, checked: bool = False) -> None:
        self._say("")
        found: list[DatabaseExam] = []
        self.listing = InPieces(
            examsIn(slicer.dicomDatabase, found), lambda: self._onListed(found), lambda problem: self._onListed(found)
        )
        self.show()

    def _onListed(self, found: list[DatabaseExam]) -> None:
        self.listing = None
        known = {case.exam.seriesUID: case for case in self.cases}
        self.cases = [known.get(exam.seriesUID) or BatchCase(exam=exam) for exam in found]
        if not found:
            self._say(_("The DICOM database has no exam with a T1Gd. Import the patients in the DICOM module."))
        self._fill()

    def _onPredict(self, checked: bool = False) -> None:
        if self.run is not None:
            self.run.cancel()
            self.run = None
            self._fill()
            return
        chosen, model = [case for case in self._chosen() if case.state != DONE], self._model()
        if not chosen or model is None:
            return
        self._say("")
        for case in chosen:
            case.state, case.sentence, case.prediction = "waiting", "", None
        try:
            self.run = BatchRun(chosen, model, self._parameters().device, self._onChanged)
        except PCNSLSurvivalError as problem:
            self._say(shown(problem))
        self._fill()

    def _onChanged(self) -> None:
        if self.run is not None and self.run.isOver:
            self.run = None
        self._fill()

    def _onOpen(self, checked: bool = False) -> None:
        case = next((one for one in self._chosen() if one.state == DONE), None)
        if case is None:
            return
        from DICOMLib import DICOMUtils

        loaded = DICOMUtils.loadSeriesByUID([case.exam.seriesUID])
        node = slicer.mrmlScene.GetNodeByID(loaded[0]) if loaded else None
        if node is None or not node.IsA("vtkMRMLScalarVolumeNode"):
            self._say(_("The series of this exam could not be loaded. Look at it in the DICOM module."))
            return
        self._open(case.folder / "result", node)

    def _chosen(self) -> list[BatchCase]:
        rows = sorted({item.row() for item in self._ui.batchTable.selectedItems()})
        return [self.cases[row] for row in rows if row < len(self.cases)]

    def _fill(self) -> None:
        table = self._ui.batchTable
        if table.rowCount != len(self.cases):
            table.setRowCount(len(self.cases))
            table.setFixedHeight(_ROW_PX * (min(len(self.cases), _MOST_ROWS) + 1) + 12)
        for row, case in enumerate(self.cases):
            table.setRowHeight(row, _ROW_PX)
            for column, text in enumerate((case.exam.patient, case.exam.series, self._outcome(case))):
                item = table.item(row, column)
                if item is None:
                    item = qt.QTableWidgetItem("")
                    table.setItem(row, column, item)
                item.setText(text)
                item.setToolTip(case.sentence or case.exam.study)
        self.show()

    def _outcome(self, case: BatchCase) -> str:
        """Probability or state in a word; in reading mode no probability is told."""
        if case.state != DONE:
            return {RUNNING: _("running"), FAILED: _("failed")}.get(case.state, "")
        if self._parameters().readFirst:
            return _("ready to read")
        words = _("{value:.0f} % ({warnings} ⚠)") if case.prediction["warnings"] else _("{value:.0f} %")
        return words.format(
            value=100 * case.prediction["probability_over_one_year"], warnings=len(case.prediction["warnings"])
        )
