"""The registration of an atlas to the shown T1Gd, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from PCNSLSurvivalLib.atlas.named_regions import NamedRegions
from PCNSLSurvivalLib.atlas.regions_folder import BRAIN, REGIONS, stored_regions
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalUI.process.scans_job import ScansJob
from PCNSLSurvivalUI.scene.volume_files import writeNrrd


class AtlasRun:
    """One registration under way.

    Args:
        atlas: Folder of the atlas.
        scan: T1Gd without bias field.
        mask: The brain on its voxels.
        cache: Folder that keeps the brain of the template.
        ended: Called once: with what ``regions.json`` holds and, where the registration passed, the regions; otherwise
            with the sentence for the user. Not called after ``cancel``.
    """

    def __init__(
        self,
        atlas: Path,
        scan: Any,
        mask: Any,
        cache: Path,
        ended: Callable[[dict[str, Any] | None, NamedRegions | None, str], None],
    ) -> None:
        self._atlas, self._cache, self._ended = atlas, cache, ended
        self._stored: dict[str, Any] | None = None
        self._job = ScansJob(
            lambda folder: self._write(scan, mask, folder), self._commandLine, self._onEvent, self._end
        )

    def cancel(self) -> None:
        """Stop, the process and its children included."""
        self._job.close()

    def _write(self, scan: Any, mask: Any, folder: Path) -> Iterator[None]:
        yield from writeNrrd(scan, folder / "t1gd.nrrd", MRSequence.T1GD.label)
        yield from writeNrrd(mask, folder / "mask.nrrd", _("The brain mask"))

    def _commandLine(self, folder: Path) -> list[str]:
        words = ["regions", "--progress", "json", "--already-corrected", "--override-quality"]
        files = {"--t1gd": "t1gd.nrrd", "--brain-mask": "mask.nrrd", "--out": "result"}
        words += [word for option, file in files.items() for word in (option, str(folder / file))]
        return [*words, "--atlas", str(self._atlas), "--cache-dir", str(self._cache)]

    def _onEvent(self, event: dict[str, Any]) -> None:
        if event.get("type") == "result":
            self._stored = event["regions"]

    def _end(self, sentence: str | None) -> None:
        regions = None
        if sentence is None and self._stored is None:
            sentence = _("The process gave no result.")
        elif sentence is None and "names" in self._stored:
            scene = self._job.folder / "result" / "scene"
            try:
                numbers, brain = (np.load(scene / f"{file.split('.')[0]}.npy") for file in (REGIONS, BRAIN))
                regions = stored_regions(self._stored, numbers, brain)
            except (OSError, ValueError):
                sentence = _("The process gave no result.")
        self._job.close()
        self._ended(self._stored if sentence is None else None, regions, sentence or "")
