"""Our own process in a run: the scans written for it, its lines, and its result brought into the scene."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import Step
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process import job
from PCNSLSurvivalUI.process.fault_words import faultInWords
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.process.scans_job import whyNotWritten
from PCNSLSurvivalUI.run.plan import enginesUsed, isPreparedWithPrediction, ownSteps, showProcessEvent
from PCNSLSurvivalUI.run.request import RunFiles, RunRequest
from PCNSLSurvivalUI.run.step_cache import KeptSteps
from PCNSLSurvivalUI.run.step_list import StepList
from PCNSLSurvivalUI.run.volumes import RunVolumes
from PCNSLSurvivalUI.scene.volume_files import writeNrrd


@dataclass(frozen=True, kw_only=True)
class StageListener:
    """What a run hears of the stage in the child process; every call is on the main thread."""

    guarded: Callable[..., None]
    """Calls something so that a fault in it ends the run."""
    changed: Callable[[], None]
    """A step has moved."""
    resultReady: Callable[[Path], Iterator[None]]
    """See ``RunListener``."""
    done: Callable[[], None]
    """The result is in the scene."""
    failed: Callable[[str, str], None]
    """The step and the sentence: the stage cannot go on."""


class ProcessStage:
    """Export, prediction and import of one run.

    Args:
        request: What to predict.
        volumes: The prepared scans.
        kept: Finished steps of earlier runs.
        folder: An existing folder for the files in between.
        steps: The list of steps to move.
        listener: Hears of the stage.
        worker: A process that has loaded its packages meanwhile.
    """

    def __init__(
        self,
        request: RunRequest,
        volumes: RunVolumes,
        kept: KeptSteps,
        folder: Path,
        steps: StepList,
        listener: StageListener,
        worker: job.WaitingWorker,
    ) -> None:
        self._worker = worker
        self._request, self._volumes, self._kept, self._folder = request, volumes, kept, folder
        self._steps, self._listener = steps, listener
        self._job: job.Job | None = None
        self._over = False
        scans = {role: folder / f"{role}.nrrd" for role in request.forNetwork}
        self._files = RunFiles(
            scans=scans,
            brainMask=None if volumes.mask is None else folder / "mask.nrrd",
            alignment=folder / "alignment.json" if volumes.aligned.keys() & scans.keys() else None,
            prepared=folder / "prepared.json",
            compared=None if request.forComparison is None else folder / "compared.nrrd",
            clinical=None if request.clinical is None else folder / "clinical.json",
            lesion=None if volumes.lesion is None else folder / "lesion.nrrd",
        )
        self._pieces: InPieces | None = InPieces(
            self._write(),
            lambda: listener.guarded(self._startJob),
            lambda error: listener.failed(str(Step.READ), whyNotWritten(error)),
        )

    def cancel(self) -> None:
        """Stop all work, including the process and its children, without a notification."""
        self._over = True
        if self._pieces is not None:
            self._pieces.cancel()
        if self._job is not None:
            self._job.cancel()
        self._job = self._pieces = None

    def _write(self) -> Iterator[None]:
        files, volumes = self._files, self._volumes
        for role, path in files.scans.items():
            yield from writeNrrd(volumes.current[role], path, role.label)
        if files.brainMask is not None:
            yield from writeNrrd(volumes.mask, files.brainMask, _("The brain mask"))
        if files.compared is not None:
            role = self._request.forComparison
            yield from writeNrrd(volumes.raw[role], files.compared, role.label)
        if files.lesion is not None:
            yield from writeNrrd(volumes.lesion, files.lesion, _("The tumor outline"))
        if files.clinical is not None:
            files.clinical.write_text(json.dumps(self._request.clinical), encoding="utf-8")
        loaded = {}
        for role in files.scans:
            if volumes.current[role] is not volumes.raw[role]:
                loaded[role.value] = f"{role}-loaded.nrrd"
                yield from writeNrrd(volumes.raw[role], self._folder / loaded[role.value], role.label)
        told = {"engines": enginesUsed(self._request), "own": ownSteps(self._request), "loaded": loaded}
        files.prepared.write_text(json.dumps(told), encoding="utf-8")
        if files.alignment is not None:
            stored = {
                role.value: {"scan_to_t1gd_ras": slicer.util.arrayFromTransformMatrix(transform).tolist()}
                for role, (_volume, transform) in volumes.aligned.items()
                if role in files.scans
            }
            files.alignment.write_text(json.dumps(stored), encoding="utf-8")

    def _startJob(self) -> None:
        request, files, listener, self._pieces = self._request, self._files, self._listener, None
        # What is found of T1 for the comparison serves the next run, and the built-in registration as well.
        cached = isPreparedWithPrediction(request) or files.compared is not None
        words = request.commandLine(files, self._folder / "result", self._kept.folder() if cached else None)
        try:
            self._job = job.Job(
                words,
                lambda event: listener.guarded(self._onEvent, event),
                lambda sentence: listener.guarded(self._onEnded, sentence),
                waiting=self._worker,
            )
        except PCNSLSurvivalError as problem:
            listener.failed(str(Step.READ), shown(problem))

    def _onEvent(self, event: dict[str, Any]) -> None:
        if showProcessEvent(self._steps, event):
            self._listener.changed()

    def _onEnded(self, sentence: str | None) -> None:
        self._job = None
        if self._over:
            return
        if sentence is not None:
            self._listener.failed(self._steps.whereProcessStopped(), sentence)
            return
        self._pieces = InPieces(
            self._listener.resultReady(self._folder / "result"),
            lambda: self._listener.guarded(self._onImported),
            lambda error: self._listener.failed(str(Step.REPORT), _whyNotImported(error)),
        )

    def _onImported(self) -> None:
        self._pieces = None
        self._listener.done()


def _whyNotImported(error: Exception) -> str:
    return faultInWords(error, _("The result of the prediction could not be read ({reason})."))
