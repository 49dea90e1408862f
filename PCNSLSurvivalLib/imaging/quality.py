"""Is this scan usable? What a look at one volume alone can say, as a number, a verdict and a sentence.

The limits lie between what sound examinations and injected faults give: docs/decisions/quality-limits.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import UnusableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.imaging.first_look import check_is_mr_volume
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical
from PCNSLSurvivalLib.imaging.stripped import shows

SLICE_CHECK_MM, SLICE_UNUSABLE_MM = 7.5, 15.0
EXTENT_CHECK_MM, EXTENT_UNUSABLE_MM = 120.0, 75.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a step says of its own result."""

    code: str
    """Name of the measure in tables and JSON: 'slice_distance'."""
    subject: str
    """The volume or result judged: 'T1Gd', 'brain mask'."""
    verdict: Verdict
    value: float | None
    unit: str
    sentence: str

    def to_json(self) -> dict[str, Any]:
        """The finding as plain JSON values."""
        return {
            "code": self.code,
            "subject": self.subject,
            "verdict": self.verdict.value,
            "value": self.value,
            "unit": self.unit,
            "sentence": self.sentence,
        }


def check_scan(image: sitk.Image, sequence: MRSequence) -> tuple[Finding, ...]:
    """Look at the voxels and the grid of one scan before any work is done on it.

    Args:
        image: 3-D scalar volume, (I, J, K), arbitrary units, LPS.
        sequence: What the scan is said to be.

    Returns:
        Findings on slice distance and scanned block, good ones included.

    Raises:
        UnusableScanError: The volume holds no MR image at all: values that are no numbers, a few slices, one value
            everywhere, or a CT in Hounsfield units.
    """
    values = sitk.GetArrayViewFromImage(image)
    name = sequence.label
    finite = np.isfinite(values)
    if not finite.all():
        count = int(np.count_nonzero(~finite))
        raise UnusableScanError(Message("scan.not_numbers", sequence=sequence, count=count, total=finite.size))
    check_is_mr_volume(values, sequence)
    return _slice_distance(image, name), _scanned_block(image, name)


def remark_findings(remarks: tuple[Message, ...], subject: str) -> tuple[Finding, ...]:
    """What reading a file left in doubt, as findings beside those of its content."""
    return tuple(
        Finding(code="header", subject=subject, verdict=Verdict.CHECK, value=None, unit="", sentence=str(remark))
        for remark in remarks
    )


def looks_stripped(image: sitk.Image) -> bool:
    """Whether a volume shows a brain without skull and scalp, everything else being one constant value.

    Args:
        image: 3-D volume, arbitrary units.
    """
    return shows(canonical(image)) == "brain"


def judged(value: float, *, check: float, unusable: float) -> Verdict:
    """The verdict on a measure that is worse the farther it lies from 'check' toward 'unusable'."""
    sign = 1.0 if unusable > check else -1.0
    if not np.isfinite(value) or sign * value >= sign * unusable:
        return Verdict.UNUSABLE
    return Verdict.CHECK if sign * value >= sign * check else Verdict.GOOD


def _slice_distance(image: sitk.Image, name: str) -> Finding:
    distance = float(max(image.GetSpacing()))
    verdict = judged(distance, check=SLICE_CHECK_MM, unusable=SLICE_UNUSABLE_MM)
    if verdict is Verdict.GOOD:
        sentence = f"The slices of {name} lie {distance:.1f} mm apart."
    else:
        sentence = (
            f"The slices of {name} lie {distance:.1f} mm apart, so small lesions can fall between them. "
            "Use a series with thinner slices if there is one."
        )
    return Finding(
        code="slice_distance", subject=name, verdict=verdict, value=round(distance, 2), unit="mm", sentence=sentence
    )


def _scanned_block(image: sitk.Image, name: str) -> Finding:
    shortest = float(min(Grid.of(image).extent_mm))
    verdict = judged(shortest, check=EXTENT_CHECK_MM, unusable=EXTENT_UNUSABLE_MM)
    if verdict is Verdict.GOOD:
        sentence = f"The scanned block of {name} is {shortest:.0f} mm or more along every axis."
    else:
        sentence = (
            f"{name} covers only {shortest:.0f} mm along one axis, less than a brain. Check that it is a scan of the "
            "whole head and not a localizer or a part of a series."
        )
    return Finding(
        code="scanned_block", subject=name, verdict=verdict, value=round(shortest, 1), unit="mm", sentence=sentence
    )
