"""Intensity normalization: every brain on one scale, whatever gain and offset the scanner used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.preprocessing.recipe import NormalizationStep


@dataclass(frozen=True)
class Normalization:
    """Takes a scan's intensities to robust standard deviations from its brain's median, and clips them there.

    It is applied only to the voxels that are needed: of a fine scan a volume has hundreds of megabytes.

    Attributes:
        median: Of the brain, in the scan's own units.
        factor: What a unit of the scan is worth.
        clip: Lowest and highest value that is kept.
    """

    median: float
    factor: float
    clip: tuple[float, float]

    def of(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The ``float32`` values on the new scale, in an array of the same shape."""
        scaled: NDArray[np.float32] = values - np.float32(self.median)
        scaled *= np.float32(self.factor)
        return scaled.clip(*self.clip, out=scaled)


def find_normalization(
    image: sitk.Image, brain_mask: sitk.Image, step: NormalizationStep, *, sequence: MRSequence
) -> Normalization:
    """The shift and scale that give the brain of a scan median 0 and robust standard deviation 1.

    Median and interquartile range hardly move when a lesion enhances or a vessel shines, and a gain or
    offset of the scanner falls out exactly.

    Args:
        image: 3-D ``float32`` volume (I, J, K), bias field corrected, arbitrary units.
        brain_mask: ``uint8`` on the same grid.
        step: Parameters of the recipe.
        sequence: Which scan it is, for messages.

    Raises:
        PreparationError: The brain holds too few different values.
    """
    inside = sitk.GetArrayViewFromImage(image)[sitk.GetArrayViewFromImage(brain_mask) > 0]
    low, middle, high = (float(v) for v in np.quantile(inside, (0.25, 0.5, 0.75))) if inside.size else (0, 0, 0)
    if high <= low:
        raise PreparationError(Message("preparation.no_contrast_in_brain", sequence=sequence))
    return Normalization(middle, 1.349 / (high - low), step.clip)
