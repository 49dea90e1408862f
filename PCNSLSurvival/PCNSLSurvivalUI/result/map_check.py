"""The checks of the explanation for the shown result: the same case once more in a process of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalUI.install import packages
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process import job
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.result import map_display
from PCNSLSurvivalUI.scene.output_nodes import CORRECTED, MASK, SceneOutputs
from PCNSLSurvivalUI.scene.volume_files import writeNrrd

_SAME_LOG_ODDS = 0.01


class CannotCheckError(PCNSLSurvivalError):
    """The scene does not hold what the checks need."""


class MapCheck:
    """The checks of one map under way.

    Args:
        outputs: Where T1Gd without bias field and the brain mask are.
        result: The stored prediction.
        models: The installed models.
        device: Where to compute.
        progress: Hears of the share done, 0 to 1.
        ended: Called once: with the checks after success, otherwise with None and the sentence for the user.
        worker: Script that the child runs; tests may put another one here.

    Raises:
        CannotCheckError: The model or a volume of the result is not there.
        MissingPackagesError: A package is missing and the user does not want it.
    """

    def __init__(
        self,
        outputs: SceneOutputs,
        result: dict[str, Any],
        models: list[ModelFolder],
        device: str,
        progress: Callable[[float], None],
        ended: Callable[[dict[str, Any] | None, str], None],
        worker: Path = job.WORKER,
    ) -> None:
        self._result, self._progress, self._ended, self._worker = result, progress, ended, worker
        self._job: job.Job | None = None
        self._prediction: dict[str, Any] = {}
        model = next((one for one in models if one.checksum == result["model"]["checksum_sha256"]), None)
        if model is None:
            raise CannotCheckError(_("The model of this result is not installed. Predict again, then check the map."))
        if model.sequences != (MRSequence.T1GD,):
            raise CannotCheckError(
                _("This model reads several sequences. Check its map with 'pcnsl-survival explain --check'.")
            )
        scan, mask = outputs.node(CORRECTED), outputs.node(MASK)
        if scan is None or mask is None:
            raise CannotCheckError(
                _("The preprocessed scan of this result is no longer in the scene. Predict again, then check the map.")
            )
        packages.ensureInstalled(packages.requirements())
        self._folder = Path(slicer.util.tempDirectory())
        explains = map_display.classOf(str(result["activation_map"]["explains"]))
        preparation = result.get("preprocessing", {})
        self._words = ["explain", "--check", "--already-corrected", "--target", explains, "--progress", "json"]
        self._words += ["--model", str(model.path), "--device", device, "--out", str(self._folder / "result")]
        self._words += ["--t1gd", str(self._folder / "t1gd.nrrd"), "--brain-mask", str(self._folder / "mask.nrrd")]
        if preparation.get("already_stripped"):
            self._words.append("--already-stripped")
        if preparation.get("quality_overridden"):
            self._words.append("--override-quality")
        self._pieces: InPieces | None = InPieces(
            self._write(scan, mask), self._start, lambda problem: self._end(_whyNotWritten(problem))
        )

    def cancel(self) -> None:
        """Stop; ``ended`` is not called."""
        if self._pieces is not None:
            self._pieces.cancel()
        if self._job is not None:
            self._job.cancel()
        self._job = self._pieces = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, scan: Any, mask: Any) -> Iterator[None]:
        yield from writeNrrd(scan, self._folder / "t1gd.nrrd", MRSequence.T1GD.label)
        yield from writeNrrd(mask, self._folder / "mask.nrrd", _("The brain mask"))

    def _start(self) -> None:
        self._pieces = None
        try:
            self._job = job.Job(self._words, self._onEvent, self._end, self._worker)
        except PCNSLSurvivalError as problem:
            self._end(shown(problem))

    def _onEvent(self, event: dict[str, Any]) -> None:
        if event.get("type") == "result":
            self._prediction = event["prediction"]
        elif event.get("step") == Step.EXPLANATION_CHECKS:
            self._progress(float(event.get("fraction") or 0.0))

    def _end(self, sentence: str | None) -> None:
        self._job = self._pieces = None
        shutil.rmtree(self._folder, ignore_errors=True)
        checks = self._prediction.get("explanation_checks")
        if sentence is None and checks is None:
            sentence = _("The checks gave no result. Predict again, then check the map.")
        if sentence is None and abs(self._prediction["log_odds"] - self._result["log_odds"]) > _SAME_LOG_ODDS:
            sentence = _(
                "The brain mask or the preprocessed scan changed since the prediction, so these checks would be of "
                "another map. Predict again, then check the map."
            )
        self._ended(checks if sentence is None else None, sentence or "")


def _whyNotWritten(problem: Exception) -> str:
    if isinstance(problem, PCNSLSurvivalError):
        return shown(problem)
    return _("The scan could not be written for the checks ({kind}). Free some space on the disk.").format(
        kind=type(problem).__name__
    )
