"""The report in the browser and as a file, and the files and folders that the user chooses."""

from __future__ import annotations

import shutil
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import OutputFolderError
from PCNSLSurvivalUI.scene.output_nodes import REPORT, SceneOutputs


class ReportFiles:
    """Keeps track of the temporary copy that the browser shows, to delete it at the end."""

    def __init__(self) -> None:
        self._shown: list[Path] = []

    def open(self, outputs: SceneOutputs) -> Path:
        """Show the report in the web browser.

        Returns:
            The temporary file it was written to.
        """
        folder = Path(slicer.util.tempDirectory())
        self._shown.append(folder)
        path = folder / "PCNSL-survival-report.html"
        writeReport(outputs, path)
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path)))
        return path

    def forget(self) -> None:
        """Delete the temporary copies."""
        for folder in self._shown:
            shutil.rmtree(folder, ignore_errors=True)
        self._shown = []


def writeReport(outputs: SceneOutputs, path: Path) -> None:
    """Write the report that the scene holds.

    Raises:
        OutputFolderError: There is no report, or the file cannot be written.
    """
    node = outputs.node(REPORT)
    if node is None:
        raise OutputFolderError(_("There is no report yet. Predict first."))
    try:
        path.write_text(node.GetText(), encoding="utf-8")
    except OSError as problem:
        raise OutputFolderError(
            _("The report cannot be written there ({reason}). Choose another folder.").format(reason=problem.strerror)
        ) from problem


def askFile(caption: str, name: str, filters: str) -> Path | None:
    """A file of the user's choice; None when the dialog was closed."""
    chosen = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), caption, name, filters)
    chosen = chosen[0] if isinstance(chosen, tuple) else chosen
    return Path(chosen) if chosen else None


def askFolder(caption: str) -> Path | None:
    """A folder of the user's choice; None when the dialog was closed."""
    chosen = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), caption)
    return Path(chosen) if chosen else None
