"""Two T1Gd exams of one patient compared in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError, UnusableScanError
from PCNSLSurvivalLib.core.messages import step_words
from PCNSLSurvivalLib.core.terms import Step
from PCNSLSurvivalUI.install import packages
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process.scans_job import ScansJob
from PCNSLSurvivalUI.scene.segmentations import contentOf, hasVoxels, tumorOn
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld, newHidden, removeNode, writeNrrd


class CannotCompareError(PCNSLSurvivalError):
    """The two exams cannot be compared as they were chosen."""


@dataclass(frozen=True, kw_only=True)
class ComparedExam:
    """One of the two exams."""

    name: str
    """Of the options of the command line: "earlier" or "later"."""
    words: str
    """How messages call its T1Gd."""
    t1gd: Any
    outline: Any
    """A segmentation, or a label map on the voxels of T1Gd; None lets the lesion reader propose one."""
    brainMask: Any
    """A label map on the voxels of T1Gd; None lets the run outline the brain."""


class Comparison:
    """One comparison under way.

    Args:
        exams: The earlier exam and the later one.
        device: Where to compute.
        response: What a reader entered; empty where none did.
        overrideQuality: Go on after a failed quality check.
        progress: Hears what is being done, in words.
        ended: Called once: with ``follow_up.json`` after success, otherwise with None and the sentence for the user.

    Raises:
        CannotCompareError: Both exams are one volume, or an outline has no visible segment or no voxels.
        MissingPackagesError: A package is missing and the user does not want it.
    """

    def __init__(
        self,
        exams: tuple[ComparedExam, ComparedExam],
        device: str,
        response: str,
        overrideQuality: bool,
        progress: Callable[[str], None],
        ended: Callable[[dict[str, Any] | None, str], None],
    ) -> None:
        self._progress, self._ended = progress, ended
        self._found: dict[str, Any] | None = None
        if exams[0].t1gd is exams[1].t1gd:
            raise CannotCompareError(_("Both exams are the same volume. Choose the T1Gd of an earlier date."))
        packages.ensureInstalled(packages.requirements(device))
        self._outlines: dict[str, Any] = {}
        try:
            for exam in exams:
                if exam.outline is not None:
                    self._outlines[exam.name] = _outlineOn(exam)
        except PCNSLSurvivalError:
            self._removeOutlines()
            raise
        self._words = ["follow-up", "--progress", "json", "--device", device]
        if response:
            self._words += ["--reader-response", response]
        if overrideQuality:
            self._words.append("--override-quality")
        self._job = ScansJob(
            lambda folder: self._write(exams, folder),
            lambda folder: [*self._words, "--out", str(folder / "result")],
            self._onEvent,
            self._end,
        )

    def cancel(self) -> None:
        """Stop; ``ended`` is not called."""
        self._job.close()
        self._removeOutlines()

    def _removeOutlines(self) -> None:
        for mask in self._outlines.values():
            removeNode(mask)
        self._outlines = {}

    def _write(self, exams: tuple[ComparedExam, ComparedExam], folder: Path) -> Iterator[None]:
        for exam in exams:
            volumes = {"": exam.t1gd, "-lesion": self._outlines.get(exam.name), "-brain-mask": exam.brainMask}
            for ending, node in volumes.items():
                if node is not None:
                    file = folder / f"{exam.name}{ending}.nrrd"
                    yield from writeNrrd(node, file, exam.words)
                    self._words += [f"--{exam.name}{ending}", str(file)]

    def _onEvent(self, event: dict[str, Any]) -> None:
        if event.get("type") == "result":
            self._found = event["follow_up"]
        elif event.get("step") in list(Step):
            self._progress(shown(step_words(Step(event["step"]))))

    def _end(self, sentence: str | None) -> None:
        self.cancel()
        if sentence is None and self._found is None:
            sentence = _("The process gave no result.")
        self._ended(self._found if sentence is None else None, sentence or "")


def _outlineOn(exam: ComparedExam) -> Any:
    """A hidden label map of an outline on the voxels of its T1Gd; an outline without any voxel says: no tumor."""
    outline = exam.outline
    if outline.IsA("vtkMRMLLabelMapVolumeNode"):
        isEmpty = outline.GetImageData() is None or not slicer.util.arrayFromVolume(outline).any()
    elif hasVoxels(outline):
        isEmpty = contentOf(outline) == ""
    else:
        words = _(
            "The tumor outline of {exam} cannot be turned into voxels. Choose another outline, or draw it in Segment "
            "Editor; then compare again."
        )
        raise CannotCompareError(words.format(exam=exam.words))
    if isEmpty:
        mask = newHidden("vtkMRMLLabelMapVolumeNode", "no tumor")
        slicer.util.updateVolumeFromArray(mask, np.zeros(slicer.util.arrayFromVolume(exam.t1gd).shape, np.uint8))
        mask.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijkToWorld(exam.t1gd, exam.words)))
        return mask
    try:
        return tumorOn(exam.t1gd, outline)
    except UnusableScanError:
        words = _("No segment of the tumor outline of {exam} is visible there. Show its segment, then compare again.")
        raise CannotCompareError(words.format(exam=exam.words)) from None
