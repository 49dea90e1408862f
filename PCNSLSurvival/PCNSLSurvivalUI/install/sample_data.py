"""The demonstration patient in Slicer's Sample Data: a virtual head, made on this computer when it is asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.phantoms.scanner.protocol import VIRTUAL_SEQUENCES
from PCNSLSurvivalUI.install import packages
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process import job
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.scene.volume_files import readVolume

SAMPLE = "PCNSLDemonstrationPatient"
ANATOMY = "nilearn==0.14.1"
"""Brings the public MNI152 tissue maps that the head is built on; only its data are used."""
_making: list[DemonstrationPatient] = []
"""Keeps the patient being made alive; one at a time."""


def register(icon: Path | None = None) -> None:
    """Offer the patient in the module Sample Data; called when Slicer has started."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="PCNSL Survival",
        sampleName=SAMPLE,
        uris=[f"made-on-this-computer:{role}" for role in VIRTUAL_SEQUENCES],
        fileNames=[f"{role}.nii.gz" for role in VIRTUAL_SEQUENCES],
        nodeNames=[nameOf(role) for role in VIRTUAL_SEQUENCES],
        thumbnailFileName=None if icon is None else str(icon),
        customDownloader=load,
    )


def nameOf(role: MRSequence) -> str:
    """Name of the demonstration patient's volume in the scene."""
    return f"Demonstration {role.label}"


def load(source: Any = None, ended: Callable[[str | None], None] | None = None) -> None:
    """Make the demonstration patient and bring it into the scene; returns at once.

    Args:
        source: What Sample Data calls its downloaders with; not needed.
        ended: Called once: with None when the scans are in the scene, otherwise with the sentence for the user.
    """
    if _making:
        return
    try:
        packages.ensureInstalled([ANATOMY], alone=True)
        _making.append(DemonstrationPatient(ended or _tell))
    except PCNSLSurvivalError as problem:
        (ended or _tell)(shown(problem))


def cancel() -> None:
    """Stop making the patient, if it is being made."""
    while _making:
        _making[0].cancel()


class DemonstrationPatient:
    """The scans on their way from our process into the scene."""

    def __init__(self, ended: Callable[[str | None], None]) -> None:
        self._ended = ended
        self._pieces: InPieces | None = None
        self._folder = Path(slicer.util.tempDirectory())
        slicer.util.showStatusMessage(_("Generating the demonstration patient (about one minute) …"))
        try:
            words = ["demo", "--scans-only", "--out", str(self._folder / "scans")]
            self._job: job.Job | None = job.Job(words, lambda event: None, self._onMade)
        except Exception:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def cancel(self) -> None:
        """Stop; the scene stays as it is, ``ended`` is not called."""
        if self._job is not None:
            self._job.cancel()
        if self._pieces is not None:
            self._pieces.cancel()
        self._leave()

    def _onMade(self, sentence: str | None) -> None:
        self._job = None
        if sentence is not None:
            self._end(sentence)
            return
        self._pieces = InPieces(self._read(), lambda: self._end(None), lambda error: self._end(str(error)))

    def _read(self) -> Iterator[None]:
        scene, folder = slicer.mrmlScene, self._folder / "scans" / "scene"
        filled = []
        for role in VIRTUAL_SEQUENCES:
            node = scene.CreateNodeByClass("vtkMRMLScalarVolumeNode")
            node.UnRegister(None)
            yield from readVolume(folder, str(role), node)
            filled.append((node, _window(folder / f"{role}.npy")))
        for role, (node, window) in zip(VIRTUAL_SEQUENCES, filled, strict=True):
            # Window and level are set first: Slicer's own would take a histogram of the whole volume.
            display = scene.AddNewNodeByClass("vtkMRMLScalarVolumeDisplayNode")
            display.SetDefaultColorMap()
            display.AutoWindowLevelOff()
            display.SetWindowLevelMinMax(*window)
            node.SetName(scene.GenerateUniqueName(nameOf(role)))
            node.SetAndObserveDisplayNodeID(display.GetID())
            scene.AddNode(node)
            yield
        slicer.util.setSliceViewerLayers(background=filled[0][0], foreground=None, fit=True)

    def _end(self, sentence: str | None) -> None:
        self._leave()
        slicer.util.showStatusMessage("" if sentence else _("The demonstration patient is loaded."), 3000)
        self._ended(sentence)

    def _leave(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        if self in _making:
            _making.remove(self)


def _window(path: Path) -> tuple[float, float]:
    """Gray window from every fourth voxel of a stored volume."""
    low, high = np.percentile(np.load(path, mmap_mode="r")[::4, ::4, ::4], (0.5, 99.8))
    return float(low), float(high)


def _tell(sentence: str | None) -> None:
    if sentence is not None:
        slicer.util.errorDisplay(sentence, windowTitle=_("PCNSL Survival"))
