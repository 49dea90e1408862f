"""Intensity normalization: every brain on one scale, whatever gain and offset the scanner used."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.preprocessing.recipe import NormalizationStep


def normalize(
    image: sitk.Image, brain_mask: sitk.Image, step: NormalizationStep, *, sequence: MRSequence
) -> sitk.Image:
    """Shift and scale a scan so that its brain has median 0 and robust standard deviation 1.

    Median and interquartile range hardly move when a lesion enhances or a vessel shines, and a gain or
    offset of the scanner falls out exactly.

    Args:
        image: 3-D ``float32`` volume (I, J, K), bias field corrected, arbitrary units.
        brain_mask: ``uint8`` on the same grid.
        step: Parameters of the recipe.
        sequence: Which scan it is, for messages.

    Returns:
        ``float32`` volume on the same grid, in robust standard deviations from the brain's median, clipped.

    Raises:
        PreparationError: The brain holds too few different values.
    """
    inside = sitk.GetArrayViewFromImage(image)[sitk.GetArrayViewFromImage(brain_mask) > 0]
    low, middle, high = (float(v) for v in np.quantile(inside, (0.25, 0.5, 0.75))) if inside.size else (0, 0, 0)
    if high <= low:
        raise PreparationError(Message("preparation.no_contrast_in_brain", sequence=sequence))
    scaled = image - middle
    scaled *= 1.349 / (high - low)  # in place: a fine scan has hundreds of megabytes
    return sitk.Clamp(scaled, sitk.sitkFloat32, *step.clip)
