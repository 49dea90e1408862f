"""Brain extraction: which extractors there are, and the one that a recipe names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet import Deepbet
from PCNSLSurvivalLib.preprocessing.brain_extractors.extractor import BrainExtractor

if TYPE_CHECKING:
    import SimpleITK as sitk

    from PCNSLSurvivalLib.preprocessing.recipe import BrainExtractionStep

EXTRACTORS: dict[str, BrainExtractor] = {extractor.method: extractor for extractor in (Deepbet(),)}
"""By the name that a recipe stores; the first is that of the default recipe."""

DEFAULT_METHOD = next(iter(EXTRACTORS))


def brain_extractor(method: str = DEFAULT_METHOD) -> BrainExtractor:
    """The extractor that a recipe names.

    Raises:
        PreparationError: This version of the software does not have it.
    """
    if method not in EXTRACTORS:
        raise PreparationError(Message("brain_extractor.unknown", method=method, known=tuple(EXTRACTORS)))
    return EXTRACTORS[method]


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


def is_brain_extractor_installed(method: str = DEFAULT_METHOD) -> bool:
    """Whether the extractor that a recipe names is installed.

    Raises:
        PreparationError: This version of the software does not have it.
    """
    return brain_extractor(method).is_installed()
