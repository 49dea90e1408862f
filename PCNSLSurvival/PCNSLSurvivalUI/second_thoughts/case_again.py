"""The shown result's case once more in a process of its own, with one more question."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError, UnusableScanError
from PCNSLSurvivalLib.core.options import words_of
from PCNSLSurvivalLib.core.terms import MRSequence, OSClass, Step
from PCNSLSurvivalLib.inference.case_options import CaseOptions
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.preprocessing.engines import own_engine
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.results.old_results import options_record
from PCNSLSurvivalUI.install import packages
from PCNSLSurvivalUI.process.scans_job import ScansJob
from PCNSLSurvivalUI.scene.output_nodes import CORRECTED, MASK, OVER, SceneOutputs
from PCNSLSurvivalUI.scene.segmentations import tumorOn
from PCNSLSurvivalUI.scene.volume_files import removeNode, writeNrrd
from PCNSLSurvivalUI.second_thoughts.questions import Question

_SAME_LOG_ODDS = 0.01


class CannotAskError(PCNSLSurvivalError):
    """The scene does not hold what the question needs."""


@dataclass(frozen=True, kw_only=True)
class ShownCase:
    """The result that is asked about."""

    outputs: SceneOutputs
    """Where T1Gd without bias field and the brain mask are."""
    result: dict[str, Any]
    """The stored prediction."""
    explains: str
    """The class whose map is shown."""
    outline: Any
    """Of the tumor, a segmentation or a label map; None where there is none."""


class CaseAgain:
    """One question about a result, under way.

    Args:
        question: What is asked.
        case: The result that is shown.
        models: The installed models.
        device: Where to compute.
        progress: Hears of the share done, 0 to 1.
        ended: Called once: with the answer after success, otherwise with None and the sentence for the user.

    Raises:
        CannotAskError: The model, a volume of the result or the tumor outline is not there.
        MissingPackagesError: A package is missing and the user does not want it.
    """

    def __init__(
        self,
        question: Question,
        case: ShownCase,
        models: list[ModelFolder],
        device: str,
        progress: Callable[[float], None],
        ended: Callable[[dict[str, Any] | None, str], None],
    ) -> None:
        result = case.result
        self.question, self._result = question, result
        self._progress, self._ended = progress, ended
        self._prediction: dict[str, Any] = {}
        model = next((one for one in models if one.checksum == result["model"].get("checksum_sha256")), None)
        if model is None:
            raise CannotAskError(_("The model of this result is not installed. Predict again, then repeat the test."))
        if model.sequences != (MRSequence.T1GD,):
            words = _(
                "This model reads several sequences. Test it on the command line, with 'pcnsl-survival explain {o}'."
            )
            raise CannotAskError(words.format(o=question.option))
        scan, mask = case.outputs.node(CORRECTED), case.outputs.node(MASK)
        if scan is None or mask is None:
            raise CannotAskError(
                _(
                    "The preprocessed scan of this result is no longer in the scene. Predict again, then repeat the "
                    "test."
                )
            )
        if question.needsLesion and case.outline is None:
            raise CannotAskError(
                _(
                    "There is no tumor outline to fill. Choose, draw or propose one under Tumor outline; any other "
                    "painted region works in the same way."
                )
            )
        packages.ensureInstalled(packages.requirements(device))
        self._lesion = _lesionFor(question, scan, case.outline)
        self._words = ["explain", question.option, *_sameOptions(case, device)]
        self._words += ["--progress", "json", "--model", str(model.path)]
        self._job = ScansJob(
            lambda folder: self._write(scan, mask, folder), self._commandLine, self._onEvent, self._end
        )

    def cancel(self) -> None:
        """Stop; ``ended`` is not called."""
        self._job.close()
        if self._lesion is not None:
            removeNode(self._lesion)
            self._lesion = None

    def _write(self, scan: Any, mask: Any, folder: Path) -> Iterator[None]:
        yield from writeNrrd(scan, folder / "t1gd.nrrd", MRSequence.T1GD.label)
        yield from writeNrrd(mask, folder / "mask.nrrd", _("The brain mask"))
        told = {"engines": _otherExtractor(self._result), "loaded": {}}
        (folder / "prepared.json").write_text(json.dumps(told), encoding="utf-8")
        if self._lesion is not None:
            yield from writeNrrd(self._lesion, folder / "lesion.nrrd", _("The tumor outline"))

    def _commandLine(self, folder: Path) -> list[str]:
        files = {"--t1gd": "t1gd.nrrd", "--brain-mask": "mask.nrrd", "--prepared": "prepared.json", "--out": "result"}
        if self._lesion is not None:
            files["--lesion-mask"] = "lesion.nrrd"
        return [*self._words, *(word for option, file in files.items() for word in (option, str(folder / file)))]

    def _onEvent(self, event: dict[str, Any]) -> None:
        if event.get("type") == "result":
            self._prediction = event["prediction"]
        elif event.get("step") == self.question.step:
            self._progress(float(event.get("fraction") or 0.0))

    def _end(self, sentence: str | None) -> None:
        self.cancel()
        answer = self._prediction.get(self.question.key)
        if sentence is None and answer is None:
            sentence = _("The test gave no answer. Predict again, then repeat the test.")
        if sentence is None and abs(self._prediction["log_odds"] - self._result["log_odds"]) > _SAME_LOG_ODDS:
            sentence = _(
                "The brain mask or the preprocessed scan changed since the prediction, so the answer would be about "
                "other data. Predict again, then repeat the test."
            )
        self._ended(answer if sentence is None else None, sentence or "")


def _lesionFor(question: Question, scan: Any, outline: Any) -> Any:
    """The outline on the voxels of the scan, for a question that reads it; an empty one stops only what needs it."""
    if outline is None or not question.readsLesion:
        return None
    try:
        return tumorOn(scan, outline)
    except UnusableScanError:
        if not question.needsLesion:
            return None
        raise CannotAskError(
            _(
                "The tumor outline is empty on T1Gd. Draw the tumor in Segment Editor and show its segment, then "
                "repeat the test."
            )
        ) from None


def _sameOptions(case: ShownCase, device: str) -> list[str]:
    """The options that give the result again from its own scan without bias field, with the map of the shown class."""
    told = CaseOptions.of_record(options_record(case.result)).repeated()
    target = OSClass.OVER_ONE_YEAR if case.explains == OVER else OSClass.UP_TO_ONE_YEAR
    now = {"device": device, "target": target, "already_corrected": True, "already_registered": False}
    now |= {"segment": False, "lesion_labels": None}  # the outline is handed over as it is
    return words_of(CaseOptions(**(told | now)))


def _otherExtractor(result: dict[str, Any]) -> dict[str, Any]:
    """The program that outlined the brain, if it was not the built-in extraction: this one is then asked as well."""
    engine = (result.get("preprocessing", {}).get("engines") or {}).get(Step.BRAIN_EXTRACTION)
    own = own_engine(Step.BRAIN_EXTRACTION, RECIPE).name
    return {str(Step.BRAIN_EXTRACTION): engine} if engine and engine["name"] != own else {}
