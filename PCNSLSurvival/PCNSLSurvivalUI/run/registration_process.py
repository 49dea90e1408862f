"""The built-in alignment as one step of a run: our command line in its own process, its pose brought back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalUI.process.fault_words import faultInWords
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.process.scans_job import ScansJob
from PCNSLSurvivalUI.scene.resampling import sampled
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld, writeNrrd


class RegistrationProcess:
    """Registration of one scan to T1Gd, from start to a single call of ``ended``, like ``slicer_modules.CLIStep``.

    Args:
        role: The scan to align.
        scans: T1Gd and the scan as acquired, by role.
        mask: The brain on T1Gd; None where the command line finds it itself.
        source: The volume to sample on the voxels of T1Gd: the scan as far as it is prepared.
        made: Volume and transform node to fill.
        options: What has been done to the scans, as options of the command line.
        ended: Called with whether it succeeded; not called after ``cancel``.
    """

    nodeIDs = frozenset[str]()
    """Nodes that must outlive ``cancel``: none, unlike with Slicer's modules."""
    isOver = True

    def __init__(
        self,
        role: MRSequence,
        scans: dict[MRSequence, Any],
        mask: Any,
        source: Any,
        made: list[Any],
        options: list[str],
        ended: Callable[[bool], None],
    ) -> None:
        self._role, self._scans, self._mask, self._source, self._made = role, scans, mask, source, made
        self._options, self._ended = options, ended
        self.problem = ""
        """The sentence for the user when it did not go well."""
        self.findings: list[dict[str, Any]] = []
        """What there is to say of the alignment, as in ``prediction.json``."""
        self._pieces: InPieces | None = None
        self._job = ScansJob(self._write, self._commandLine, lambda event: None, self._onAligned)

    def cancel(self, whenOver: Callable[[], None] | None = None) -> None:
        """Stop, the process and its children included."""
        if self._pieces is not None:
            self._pieces.cancel()
        self._job.close()
        if whenOver is not None:
            whenOver()

    def _write(self, folder: Path) -> Iterator[None]:
        for role, node in self._scans.items():
            yield from writeNrrd(node, folder / f"{role}.nrrd", role.label)
        if self._mask is not None:
            yield from writeNrrd(self._mask, folder / "mask.nrrd", _("The brain mask"))

    def _commandLine(self, folder: Path) -> list[str]:
        words = ["register", "--out", str(folder / "aligned"), "--progress", "json", *self._options]
        for role in self._scans:
            words += [f"--{role}", str(folder / f"{role}.nrrd")]
        if self._mask is not None:
            words += ["--brain-mask", str(folder / "mask.nrrd")]
        return words

    def _onAligned(self, sentence: str | None) -> None:
        if sentence is not None:
            self._end(sentence)
            return
        self._pieces = InPieces(self._bring(), lambda: self._end(""), self._onFault)

    def _bring(self) -> Iterator[None]:
        """Fill the transform, and sample the scan on the voxels of T1Gd."""
        file = self._job.folder / "aligned" / "alignment.json"
        stored = json.loads(file.read_text(encoding="utf-8"))[self._role.value]
        toT1gd = np.array(stored["scan_to_t1gd_ras"])
        self.findings = [found for found in stored["findings"] if found["sequence"] == self._role]
        volume, transform = self._made
        transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(toT1gd))
        reference = ijkToWorld(self._scans[MRSequence.T1GD], MRSequence.T1GD.label)
        source = toT1gd @ ijkToWorld(self._source, self._role.label)
        image = vtk.vtkImageData()
        yield from sampled(
            self._source.GetImageData(), np.linalg.inv(source) @ reference, self._scans[MRSequence.T1GD], image
        )
        volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(reference))
        volume.SetAndObserveImageData(image)
        yield

    def _onFault(self, error: Exception) -> None:
        words = _("{role} could not be aligned with T1Gd ({reason}).")
        self._end(faultInWords(error, words.format(role=self._role.label, reason="{reason}")))

    def _end(self, sentence: str) -> None:
        self._pieces = None
        self._job.close()
        self.problem = sentence
        self._ended(not sentence)
