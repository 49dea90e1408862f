"""Was T1Gd acquired after contrast agent at all? Judged from T1Gd alone.

Without contrast agent nothing inside the brain is much brighter than white matter. With it, vessels, choroid plexus and
most tumors are. Limits and error rates: docs/decisions/contrast-agent.md.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.geometry import box_around

_SMOOTHING_MM = 0.7
_INSIDE_MM = 4.0
"""Dura, sinuses and what a brain mask holds of the skull lie nearer to its surface."""
_FEWEST_VOXELS = 2000
_MARGIN_VOXELS = 2
"""Nothing farther from the brain changes the measure."""
_FEWEST_ACROSS = 4
"""Voxels that the smoothing needs along every axis; a thin mask at the border of the scan has fewer."""
ENHANCED_FROM = 1.75


def judge_contrast_agent(t1gd: sitk.Image, brain_mask: sitk.Image, *, agent: str | None = None) -> Finding:
    """Whether something inside the brain is brighter than brain without contrast agent can be.

    The measure is (Q - W) / (W - M), where Q, W and M are the 99.95, 90 and 50 percent quantiles inside the mask. A
    gain and an offset of the intensities leave it unchanged. It warns and never stops: a brain without an enhancing
    tumor or a vessel in the imaged slices may look as if no contrast agent had been given.

    Args:
        t1gd: 3-D ``float32`` volume without bias field, arbitrary units.
        brain_mask: ``uint8`` on the same grid.
        agent: The contrast agent that the DICOM header names, empty where it names none; None without such a header.
    """
    value = enhancement_above_white_matter(t1gd, brain_mask)
    if value >= ENHANCED_FROM:
        verdict, message = Verdict.GOOD, Message("contrast.seen")
    else:
        verdict, message = Verdict.CHECK, _not_seen(agent)
    return Finding(
        measure="contrast_agent",
        step=Step.NORMALIZATION,
        sequence=MRSequence.T1GD,
        verdict=verdict,
        value=round(value, 3),
        unit="",
        message=message,
    )


def enhancement_above_white_matter(t1gd: sitk.Image, brain_mask: sitk.Image) -> float:
    """The measure of ``judge_contrast_agent``; 0 where the brain has no two signals."""
    box = box_around(brain_mask, _MARGIN_VOXELS)
    if box is None:
        return 0.0
    beyond = [max(0, _FEWEST_ACROSS - size) for size in box.size]
    brain_mask = sitk.ConstantPad(box.of(brain_mask), [0, 0, 0], beyond, 0.0)
    # What lies outside may be no number where a bias field was divided out; the smoothing reaches 2 mm.
    brain = sitk.Mask(sitk.ConstantPad(box.of(t1gd), [0, 0, 0], beyond, 0.0), brain_mask)
    smooth = sitk.SmoothingRecursiveGaussian(brain, _SMOOTHING_MM)
    del brain  # of a fine scan it has a hundred megabytes
    depth = sitk.SignedMaurerDistanceMap(brain_mask, insideIsPositive=True, squaredDistance=False, useImageSpacing=True)
    values = sitk.GetArrayViewFromImage(smooth)
    inside = values[sitk.GetArrayViewFromImage(depth) > _INSIDE_MM]
    if inside.size < _FEWEST_VOXELS:
        inside = values[sitk.GetArrayViewFromImage(brain_mask) > 0]
    middle, white, brightest = np.quantile(inside, (0.5, 0.9, 0.9995))
    return float((brightest - white) / (white - middle)) if white > middle else 0.0


def _not_seen(agent: str | None) -> Message:
    if agent is None:
        return Message("contrast.not_seen")
    return Message("contrast.not_seen_but_named") if agent else Message("contrast.not_seen_nor_named")
