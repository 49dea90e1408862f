"""Brain extraction: which extractors there are, behind one protocol.

To add one, write a class with these five members and list it in ``_EXTRACTORS``; the recipe names it by ``method``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.preprocessing.recipe import BrainExtractionStep
from PCNSLSurvivalLib.preprocessing.steps.deepbet import Deepbet


class BrainExtractor(Protocol):
    """Outlines the brain on a whole-head T1Gd volume."""

    method: str
    """Name and version, as the recipe stores it: "deepbet-1.0.2"."""

    def is_installed(self) -> bool:
        """Whether all files it needs are on this computer."""

    def install(self, wheels: Path | None) -> Path:
        """Get these files, from the internet or from a folder of wheels; returns their folder.

        Raises:
            MissingFilesError: They could not be had, or are not the ones this software knows.
        """

    def check(self) -> None:
        """Compare these files with their checksums.

        Raises:
            MissingFilesError: They are not installed, or were damaged.
        """

    def extract(self, t1gd: sitk.Image, step: BrainExtractionStep) -> sitk.Image:
        """See ``extract_brain``."""


_EXTRACTORS: dict[str, BrainExtractor] = {extractor.method: extractor for extractor in (Deepbet(),)}


def brain_extractor(method: str = BrainExtractionStep.method) -> BrainExtractor:
    """The extractor that a recipe names.

    Raises:
        PreparationError: This version of the software does not have it.
    """
    if method not in _EXTRACTORS:
        raise PreparationError(Message("brain_extractor.unknown", method=method, known=tuple(_EXTRACTORS)))
    return _EXTRACTORS[method]


def extract_brain(t1gd: sitk.Image, step: BrainExtractionStep) -> sitk.Image:
    """Outline the brain on a whole-head T1Gd volume.

    Args:
        t1gd: 3-D ``float32`` volume (I, J, K) as it was read, bias field included, LPS.
        step: Extractor and parameters of the recipe.

    Returns:
        ``uint8`` mask on the grid of ``t1gd``: 1 in brain and inner CSF, one piece, without holes.

    Raises:
        MissingFilesError: The extractor is not installed.
        PreparationError: No brain was found, or this version does not have the extractor.
    """
    return brain_extractor(step.method).extract(t1gd, step)


def is_brain_extractor_installed() -> bool:
    """Whether the extractor of the default recipe is installed."""
    return brain_extractor().is_installed()
