"""The section "Report": open it, save it, and take map, key images and DICOM objects out of the scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.result import export, map_display, report_files
from PCNSLSurvivalUI.result.map_export import MapExport
from PCNSLSurvivalUI.scene.output_nodes import SceneOutputs
from PCNSLSurvivalUI.second_thoughts.answers import mapNote, withChecks

_KEY_IMAGES, _DICOM = "PCNSL-survival-key-images", "PCNSL-survival-DICOM"


class ReportControls:
    """Everything in the section "Report".

    Args:
        ui: The panel's widgets by name.
        context: Gives the stored choices, the outputs and the T1Gd of the result; None when there is no result.
        say: Shows a sentence in the panel.
    """

    def __init__(
        self,
        ui: Any,
        context: Callable[[], tuple[Any, SceneOutputs, Any, dict[str, Any]] | None],
        say: Callable[[str], None],
    ) -> None:
        self._ui, self._context, self._say = ui, context, say
        self._files = report_files.ReportFiles()
        self.export: export.ExportRun | MapExport | None = None
        """The export under way."""
        ui.openReportButton.connect("clicked(bool)", self._onOpen)
        ui.saveReportButton.connect("clicked(bool)", self._onSaveReport)
        ui.saveMapButton.connect("clicked(bool)", self._onSaveMap)
        ui.saveKeyImagesButton.connect("clicked(bool)", self._onSaveKeyImages)
        ui.saveDicomButton.connect("clicked(bool)", self._onSaveDicom)

    def showButtons(self) -> None:
        """Offer DICOM only beside a T1Gd that came from DICOM."""
        context = self._context()
        fromDicom = context is not None and bool(export.dicomFiles(context[2]))
        self._ui.saveDicomButton.setVisible(fromDicom)
        self._ui.dicomDatabaseCheckBox.setVisible(fromDicom)
        self._ui.exportLabel.setVisible(self.export is not None)

    def forget(self) -> None:
        """Stop an export; delete what the browser was shown."""
        if self.export is not None:
            self.export.cancel()
            self.export = None
            self._enable(True)

    def close(self) -> None:
        """The module is unloaded."""
        self.forget()
        self._files.forget()

    # --- what the buttons do -------------------------------------------------------------------------------
    def _onOpen(self, checked: bool = False) -> None:
        self._try(lambda outputs: self._files.open(outputs))

    def _onSaveReport(self, checked: bool = False) -> None:
        filters = "HTML (*.html);;PDF (*.pdf)"
        path = report_files.askFile(_("Save the report"), "PCNSL-survival-report.html", filters)
        if path is None:
            return
        if path.suffix.lower() == ".pdf":
            self._start(export.PDF, path)
        else:
            self._try(lambda outputs: report_files.writeReport(outputs, path))

    def _onSaveMap(self, checked: bool = False) -> None:
        filters = "NRRD (*.nrrd);;NIfTI (*.nii.gz)"
        path = report_files.askFile(_("Save the map"), "activation-map.nrrd", filters)
        context = self._context()
        if path is None or context is None:
            return
        parameters, outputs, _t1gd, result = context
        kind = map_display.shownKind(parameters, result)
        node = map_display.shownNode(outputs, kind, parameters.mapAsCells)
        note = mapNote(parameters, result, kind)
        self._begin(lambda: MapExport(node, path, note, self._onEnded))

    def _onSaveKeyImages(self, checked: bool = False) -> None:
        self._startInFolder(export.KEY_IMAGES, _("Folder for the key images"), _KEY_IMAGES)

    def _onSaveDicom(self, checked: bool = False) -> None:
        self._startInFolder(export.DICOM, _("Folder for the DICOM objects"), _DICOM)

    # --- how they do it --------------------------------------------------------------------------------------
    def _try(self, action: Callable[[SceneOutputs], object]) -> None:
        context = self._context()
        try:
            if context is not None:
                action(context[1])
                self._say("")
        except PCNSLSurvivalError as problem:
            self._say(shown(problem))

    def _startInFolder(self, what: str, caption: str, name: str) -> None:
        folder = report_files.askFolder(caption)
        if folder is not None:
            self._start(what, folder / name)

    def _start(self, what: str, target: Path) -> None:
        context = self._context()
        toDatabase = what == export.DICOM and self._ui.dicomDatabaseCheckBox.isChecked()

        def ended(sentence: str | None) -> None:
            self._onEnded(export.intoDatabase(target) if sentence is None and toDatabase else sentence)

        if context is not None:
            self._begin(lambda: export.ExportRun(context[1], withChecks(context[0], context[3]), what, target, ended))

    def _begin(self, make: Callable[[], export.ExportRun | MapExport]) -> None:
        if self.export is not None:
            return
        try:
            self.export = make()
        except PCNSLSurvivalError as problem:
            self._say(shown(problem))
            return
        self._say("")
        self._enable(False)

    def _onEnded(self, sentence: str | None) -> None:
        self.export = None
        self._enable(True)
        self._say(sentence or "")

    def _enable(self, enabled: bool) -> None:
        ui = self._ui
        for button in (ui.saveReportButton, ui.saveMapButton, ui.saveKeyImagesButton, ui.saveDicomButton):
            button.setEnabled(enabled)
        ui.exportLabel.text = "" if enabled else _("Writing …")
        ui.exportLabel.setVisible(not enabled)
