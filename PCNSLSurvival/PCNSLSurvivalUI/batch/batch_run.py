"""Exams of the DICOM database predicted one after another, each in a process of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import is_brain_extractor_installed
from PCNSLSurvivalUI.batch.exams import DatabaseExam
from PCNSLSurvivalUI.install import packages
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process import job
from PCNSLSurvivalUI.process.incremental import InPieces

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"


class CannotStartBatchError(PCNSLSurvivalError):
    """The exams cannot be predicted."""


@dataclass(kw_only=True)
class BatchCase:
    """One exam and what became of it."""

    exam: DatabaseExam
    state: str = WAITING
    sentence: str = ""
    """Why it failed."""
    prediction: dict[str, Any] | None = None
    folder: Path | None = None
    """Its result folder; gone with the panel."""
    modelChecksum: str = ""
    """Which model it was predicted with."""
    modelName: str = ""

    def isDoneWith(self, model: ModelFolder | None) -> bool:
        """Whether this model has predicted it; what another one gave does not count."""
        return self.state == DONE and model is not None and self.modelChecksum == model.checksum

    def forget(self) -> None:
        """Drop the result and its folder."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.state, self.sentence, self.prediction, self.folder = WAITING, "", None, None


class BatchRun:
    """One pass over exams; a case that fails is reported, and the next one starts.

    Once it can start, what an earlier pass gave for these exams is dropped.

    Args:
        cases: The exams, in their order.
        model: Which model predicts; it must read T1Gd alone.
        device: Where to compute.
        changed: Called whenever a case moves.

    Raises:
        CannotStartBatchError: The model reads other scans as well, or the built-in brain extraction is missing.
        MissingPackagesError: A package is missing and the user does not want it.
    """

    def __init__(
        self,
        cases: list[BatchCase],
        model: ModelFolder,
        device: str,
        changed: Callable[[], None],
    ) -> None:
        self.cases, self._model, self._device = cases, model, device
        self._changed = changed
        self._job: job.Job | None = None
        self._pieces: InPieces | None = None
        if model.sequences != (MRSequence.T1GD,):
            raise CannotStartBatchError(_("This model reads several sequences. Use 'pcnsl-survival predict-cohort'."))
        if not is_brain_extractor_installed(model.recipe.brain_extraction.method):
            raise CannotStartBatchError(
                _("Download the brain extraction model under Advanced first: several patients use the built-in steps.")
            )
        packages.ensureInstalled(packages.requirements(device))
        for case in cases:
            case.forget()
        self._next()

    @property
    def isOver(self) -> bool:
        """Whether no case waits or runs."""
        return all(case.state in (DONE, FAILED, CANCELLED) for case in self.cases)

    def cancel(self) -> None:
        """Stop; finished cases stay, the one under way is dropped."""
        if self._pieces is not None:
            self._pieces.cancel()
        if self._job is not None:
            self._job.cancel()
        self._pieces = self._job = None
        for case in self.cases:
            if case.state in (WAITING, RUNNING):
                case.forget()
                case.state = CANCELLED

    def _next(self) -> None:
        case = next((one for one in self.cases if one.state == WAITING), None)
        if case is not None:
            case.state, case.folder = RUNNING, Path(slicer.util.tempDirectory())
            case.modelChecksum, case.modelName = self._model.checksum, f"{self._model.name} {self._model.version}"
            self._pieces = InPieces(
                _copied(case), lambda: self._start(case), lambda problem: self._end(case, _notCopied(problem))
            )
        self._changed()

    def _start(self, case: BatchCase) -> None:
        self._pieces = None
        words = ["predict", f"--{MRSequence.T1GD}", str(case.folder / "series"), "--out", str(case.folder / "result")]
        words += ["--model", str(self._model.path), "--device", self._device]
        words += ["--keep-intermediate", "--progress", "json"]

        def onEvent(event: dict[str, Any]) -> None:
            if event.get("type") == "result":
                case.prediction = event["prediction"]

        try:
            self._job = job.Job(words, onEvent, lambda sentence: self._end(case, sentence))
        except PCNSLSurvivalError as problem:
            self._end(case, shown(problem))

    def _end(self, case: BatchCase, sentence: str | None) -> None:
        self._job = self._pieces = None
        shutil.rmtree(case.folder / "series", ignore_errors=True)
        if sentence is None and case.prediction is None:
            sentence = _("The process gave no result.")
        case.state, case.sentence = (DONE, "") if sentence is None else (FAILED, sentence)
        if case.state == FAILED:
            shutil.rmtree(case.folder, ignore_errors=True)
            case.folder = None
        self._next()


def _copied(case: BatchCase) -> Iterator[None]:
    """The files of the series in one folder, under numbers."""
    series = case.folder / "series"
    series.mkdir()
    for number, file in enumerate(case.exam.files):
        shutil.copyfile(file, series / f"{number:05}.dcm")
        yield


def _notCopied(problem: Exception) -> str:
    return _("The files of the series could not be copied ({kind}).").format(kind=type(problem).__name__)
