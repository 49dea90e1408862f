"""Key images, DICOM objects and PDF of the shown result, made by our command line from what the scene holds."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.dicom.elements import read_data_set
from PCNSLSurvivalLib.reports.pdf import find_browser
from PCNSLSurvivalUI.install import packages
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process import job
from PCNSLSurvivalUI.process.fault_words import faultInWords
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.result import map_display, report_files
from PCNSLSurvivalUI.scene.output_nodes import MASK, T1GD, SceneOutputs, mapRole
from PCNSLSurvivalUI.scene.volume_files import writeNrrd

KEY_IMAGES, DICOM, PDF = "--key-images", "--dicom", "--pdf"
_SOP_INSTANCE_UID = 0x00080018
_PILLOW = "pillow>=10.1"
_PACKAGES = {KEY_IMAGES: [_PILLOW], DICOM: [_PILLOW, "highdicom>=0.26"], PDF: []}


class CannotExportError(PCNSLSurvivalError):
    """What is in the scene is not enough for this export."""


def dicomFiles(t1gd: Any) -> list[str]:
    """Files of the series that a volume was loaded from; empty when it did not come from the DICOM database."""
    uids = ((t1gd.GetAttribute("DICOM.instanceUIDs") if t1gd is not None else None) or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    files = [database.fileForInstance(uid) for uid in uids] if database is not None else []
    return files if all(files) else []


class ExportRun:
    """One export under way.

    Args:
        outputs: Where the volumes are.
        result: The stored prediction.
        what: ``KEY_IMAGES``, ``DICOM`` or ``PDF``.
        target: Folder or file to make.
        ended: Called once: with None after success, otherwise with the sentence for the user.

    Raises:
        CannotExportError: A volume of the result is gone, or T1Gd did not come from DICOM.
        MissingPackagesError: A package is missing and the user does not want it.
    """

    def __init__(
        self,
        outputs: SceneOutputs,
        result: dict[str, Any],
        what: str,
        target: Path,
        ended: Callable[[str | None], None],
    ) -> None:
        self._ended = ended
        self._job: job.Job | None = None
        self._words = ["export", what, str(target)]
        if what != PDF:
            self._words.append("--overwrite")
        files = dicomFiles(outputs.node(T1GD)) if what == DICOM else []
        if what == DICOM and not files:
            raise CannotExportError(
                _("This T1Gd was not loaded from DICOM, so there is no DICOM study for the export.")
            )
        volumes = {} if what == PDF else self._volumes(outputs, result)
        if None in volumes.values():
            raise CannotExportError(_("A volume of this result is no longer in the scene. Predict again, then export."))
        packages.ensureInstalled(_PACKAGES[what])
        self._folder = Path(slicer.util.tempDirectory())
        self._pieces: InPieces | None = InPieces(
            self._write(outputs, result, volumes, files),
            self._start,
            lambda problem: self._end(faultInWords(problem, _("The export stopped ({reason})."))),
        )

    def _volumes(self, outputs: SceneOutputs, result: dict[str, Any]) -> dict[str, Any]:
        named = {"t1gd": outputs.node(T1GD), "brain_mask": outputs.node(MASK)}
        for entry, ending in (("activation_map", ""), ("activation_map_other_class", "_other_class")):
            explains = map_display.classOf(str(result.get(entry, {}).get("explains")))
            named[f"activation_map{ending}"] = outputs.node(mapRole(explains, cells=False))
        return named

    def _write(
        self, outputs: SceneOutputs, result: dict[str, Any], volumes: dict[str, Any], files: list[str]
    ) -> Iterator[None]:
        """The result as a folder, as the command line reads it."""
        report_files.writeReport(outputs, self._folder / "report.html")
        (self._folder / "prediction.json").write_text(json.dumps(result), encoding="utf-8")
        yield
        for name, node in volumes.items():
            yield from writeNrrd(node, self._folder / f"{name}.nrrd", node.GetName())
        self._words.insert(1, str(self._folder))
        if volumes:
            self._words += [f"--{MRSequence.T1GD}", str(self._folder / "t1gd.nrrd")]
        if files:
            (self._folder / "series.txt").write_text("\n".join(files), encoding="utf-8")
            self._words += ["--dicom-series", str(self._folder / "series.txt")]
            if find_browser() is not None:  # the report is then among the objects, too
                self._words += [PDF, str(self._folder / "report.pdf")]

    def _start(self) -> None:
        self._pieces = None
        try:
            self._job = job.Job(self._words, lambda event: None, self._end)
        except PCNSLSurvivalError as problem:
            self._end(shown(problem))

    def _end(self, sentence: str | None) -> None:
        self._job = self._pieces = None
        shutil.rmtree(self._folder, ignore_errors=True)
        self._ended(sentence)

    def cancel(self) -> None:
        """Stop; ``ended`` is not called."""
        if self._pieces is not None:
            self._pieces.cancel()
        if self._job is not None:
            self._job.cancel()
        shutil.rmtree(self._folder, ignore_errors=True)


def intoDatabase(folder: Path) -> str | None:
    """Copy the DICOM objects of a folder into Slicer's DICOM database; the sentence for the user if that failed.

    Slicer's import reports success also for objects that its database refused, so the database is asked for each.
    """
    from DICOMLib import DICOMUtils  # absent from builds without DICOM

    database = slicer.dicomDatabase
    try:
        written = [read_data_set(path).elements.text(_SOP_INSTANCE_UID) for path in sorted(folder.glob("*.dcm"))]
        DICOMUtils.importDicom(str(folder), database, True)
        if written and all(uid and database.fileForInstance(uid) for uid in written):
            return None
    except Exception:  # a file that cannot be read, a database that is closed
        logging.exception("The DICOM objects could not be imported.")
    return _("The objects were saved, but could not be added to Slicer's DICOM database. Import the folder there.")
