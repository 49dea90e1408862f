"""Our own process in a run: the scans written for it, its lines, and its result brought into the scene."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process import job
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.run.engines import BUILT_IN
from PCNSLSurvivalUI.run.plan import showProcessEvent
from PCNSLSurvivalUI.run.request import RunRequest
from PCNSLSurvivalUI.run.step_cache import KeptSteps
from PCNSLSurvivalUI.run.step_list import StepList
from PCNSLSurvivalUI.run.volumes import RunVolumes
from PCNSLSurvivalUI.scene.volume_files import writeNrrd


class ProcessStage:
    """Export, prediction and import of one run.

    Args:
        request: What to predict.
        volumes: The prepared scans.
        kept: Finished steps of earlier runs.
        folder: An existing folder for the files in between.
        steps: The list of steps to move.
        resultReady: See ``RunListener``.
        guarded: Calls something so that a fault in it ends the run.
        changed: Called when a step has moved.
        done: Called when the result is in the scene.
        failed: Called with the step and the sentence when it cannot go on.
        worker: Script that the process runs.
    """

    def __init__(
        self,
        request: RunRequest,
        volumes: RunVolumes,
        kept: KeptSteps,
        folder: Path,
        steps: StepList,
        resultReady: Callable[[Path], Iterator[None]],
        *,
        guarded: Callable[..., None],
        changed: Callable[[], None],
        done: Callable[[], None],
        failed: Callable[[str, str], None],
        worker: Path,
    ) -> None:
        self._request, self._volumes, self._kept, self._folder = request, volumes, kept, folder
        self._steps, self._resultReady, self._worker = steps, resultReady, worker
        self._guarded, self._changed, self._done, self._failed = guarded, changed, done, failed
        self._job: job.Job | None = None
        self._over = False
        files = {role: folder / f"{role}.nrrd" for role in request.forNetwork}
        mask = None if volumes.mask is None else folder / "mask.nrrd"
        alignment = folder / "alignment.json" if volumes.aligned.keys() & files.keys() else None
        self._compared = None if request.forComparison is None else folder / "compared.nrrd"
        self._clinical = None if request.clinical is None else folder / "clinical.json"
        self._lesion = None if volumes.lesion is None else folder / "lesion.nrrd"
        self._pieces: InPieces | None = InPieces(
            self._write(files, mask, alignment),
            lambda: guarded(self._startJob, files, mask, alignment),
            lambda error: failed(str(Step.READ), _whyNotExported(error)),
        )

    def cancel(self) -> None:
        """Stop all work, including the process and its children, without a notification."""
        self._over = True
        if self._pieces is not None:
            self._pieces.cancel()
        if self._job is not None:
            self._job.cancel()
        self._job = self._pieces = None

    def _write(self, files: dict[MRSequence, Path], mask: Path | None, alignment: Path | None) -> Iterator[None]:
        for role, path in files.items():
            yield from writeNrrd(self._volumes.current[role], path, role.label)
        if mask is not None:
            yield from writeNrrd(self._volumes.mask, mask, _("The brain mask"))
        if self._compared is not None:
            role = self._request.forComparison
            yield from writeNrrd(self._volumes.raw[role], self._compared, role.label)
        if self._lesion is not None:
            yield from writeNrrd(self._volumes.lesion, self._lesion, _("The tumor outline"))
        if self._clinical is not None:
            self._clinical.write_text(json.dumps(self._request.clinical), encoding="utf-8")
        self._prepared = self._folder / "prepared.json"
        loaded = {}
        for role in files:
            if self._volumes.current[role] is not self._volumes.raw[role]:
                loaded[role.value] = f"{role}-loaded.nrrd"
                yield from writeNrrd(self._volumes.raw[role], self._folder / loaded[role.value], role.label)
        told = {"engines": self._request.engines(), "own": self._request.ownSteps(), "loaded": loaded}
        self._prepared.write_text(json.dumps(told), encoding="utf-8")
        if alignment is not None:
            stored = {
                role.value: {"scan_to_t1gd_ras": slicer.util.arrayFromTransformMatrix(transform).tolist()}
                for role, (_volume, transform) in self._volumes.aligned.items()
                if role in files
            }
            alignment.write_text(json.dumps(stored), encoding="utf-8")

    def _startJob(self, files: dict[MRSequence, Path], mask: Path | None, alignment: Path | None) -> None:
        request, self._pieces = self._request, None
        ownSteps = request.biasEngine == BUILT_IN or (request.brainEngine == BUILT_IN and mask is None)
        # What is found of T1 for the comparison serves the next run, and the built-in registration as well.
        kept = self._kept.folder() if ownSteps or self._compared is not None else None
        result = self._folder / "result"
        words = request.commandLine(
            files, mask, alignment, result, kept, self._prepared, self._compared, self._clinical, self._lesion
        )
        try:
            self._job = job.Job(
                words,
                lambda event: self._guarded(self._onEvent, event),
                lambda sentence: self._guarded(self._onEnded, sentence),
                self._worker,
            )
        except PCNSLSurvivalError as problem:
            self._failed(str(Step.READ), shown(problem))

    def _onEvent(self, event: dict[str, Any]) -> None:
        if showProcessEvent(self._steps, event):
            self._changed()

    def _onEnded(self, sentence: str | None) -> None:
        self._job = None
        if self._over:
            return
        if sentence is not None:
            self._failed(self._steps.whereProcessStopped(), sentence)
            return
        self._pieces = InPieces(
            self._resultReady(self._folder / "result"),
            lambda: self._guarded(self._onImported),
            lambda error: self._failed(str(Step.REPORT), _whyNotImported(error)),
        )

    def _onImported(self) -> None:
        self._pieces = None
        self._done()


def _whyNotExported(error: Exception) -> str:
    if isinstance(error, PCNSLSurvivalError):
        return shown(error)
    reason = getattr(error, "strerror", None) or type(error).__name__
    return _(
        "The scans could not be written for the prediction ({reason}). Free some space on the disk, then predict again."
    ).format(reason=reason)


def _whyNotImported(error: Exception) -> str:
    if isinstance(error, PCNSLSurvivalError):
        return shown(error)
    # As text: a log handler that keeps the exception would keep the whole run with it.
    logging.error("The result could not be read: %s", "".join(traceback.format_exception(error)))
    reason = getattr(error, "strerror", None) or type(error).__name__
    return _(
        "The result of the prediction could not be read ({reason}). Free some space on the disk and predict again; "
        "if it happens again, please report it."
    ).format(reason=reason)
