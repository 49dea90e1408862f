"""Is this scan usable? What a look at one volume alone can say, as a number, a verdict and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.errors import UnusableScanError
from PCNSLSurvivalLib.terms import Sequence, Verdict


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a step says of its own result."""

    code: str
    """Name of the measure in tables and JSON: 'slice_thickness'."""
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


def check_scan(image: sitk.Image, sequence: Sequence) -> tuple[Finding, ...]:
    """Look at the voxels of one scan before any work is done on it.

    Args:
        image: 3-D scalar volume, (I, J, K), arbitrary units, LPS.
        sequence: What the scan is said to be.

    Returns:
        What was found, worst verdicts included.

    Raises:
        UnusableScanError: The volume holds no image at all: no finite or no varying values.
    """
    values = sitk.GetArrayViewFromImage(image)
    name = sequence.label
    finite = np.isfinite(values)
    if not finite.all():
        share = 100 * (1 - float(finite.mean()))
        raise UnusableScanError(
            f"{name} holds values that are not numbers (NaN or infinite) in {share:.2g} % of its voxels. "
            "Export the scan again from its DICOM source."
        )
    if values.min() == values.max():
        raise UnusableScanError(
            f"{name} has the same value everywhere, so it shows nothing. Choose another file for {name}."
        )
    return ()
