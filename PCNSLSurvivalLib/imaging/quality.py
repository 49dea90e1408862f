"""Quality of one scan, judged from its volume alone.

The limits lie between what sound exams and injected faults give: docs/decisions/quality-limits.md.
"""

from __future__ import annotations

import SimpleITK as sitk

from PCNSLSurvivalLib.core.findings import Finding, judged
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.first_look import check_is_mr_volume
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical
from PCNSLSurvivalLib.imaging.intensities import judge_intensities
from PCNSLSurvivalLib.imaging.slice_order import judge_slice_order
from PCNSLSurvivalLib.imaging.stripped import shows

SLICE_CHECK_MM, SLICE_UNUSABLE_MM = 7.5, 15.0
EXTENT_CHECK_MM, EXTENT_UNUSABLE_MM = 120.0, 75.0


def check_scan(image: sitk.Image, sequence: MRSequence) -> tuple[Finding, ...]:
    """Look at the voxels and the grid of one scan before any work is done on it.

    Args:
        image: 3-D scalar volume, (I, J, K), arbitrary units, LPS.
        sequence: The sequence that the scan is given as.

    Returns:
        Findings on slice spacing, field of view, order of slices and intensities, good ones included.

    Raises:
        UnusableScanError: The volume holds no MR image at all: values that are no numbers, a few slices, one value
            everywhere, or a CT in Hounsfield units.
    """
    values = sitk.GetArrayViewFromImage(image)
    check_is_mr_volume(values, sequence)
    return (
        _slice_distance(image, sequence),
        _scanned_block(image, sequence),
        judge_slice_order(image, sequence),
        *judge_intensities(image, sequence),
    )


def remark_findings(
    remarks: tuple[Message, ...], sequence: MRSequence | None, *, measure: str = "header"
) -> tuple[Finding, ...]:
    """What reading a file left in doubt, as findings beside those of its content.

    Args:
        remarks: On the file.
        sequence: Which scan it is; None for a mask.
        measure: Name of the finding in tables and JSON.
    """
    return tuple(
        Finding(
            measure=measure,
            step=Step.READ,
            sequence=sequence,
            verdict=Verdict.CHECK,
            value=None,
            unit="",
            message=remark,
        )
        for remark in remarks
    )


def looks_stripped(image: sitk.Image) -> bool:
    """Whether a volume shows a brain without skull and scalp, everything else being one constant value.

    Args:
        image: 3-D volume, arbitrary units.
    """
    return shows(canonical(image)) == "brain"


def _slice_distance(image: sitk.Image, sequence: MRSequence) -> Finding:
    distance = float(max(image.GetSpacing()))
    verdict = judged(distance, check=SLICE_CHECK_MM, unusable=SLICE_UNUSABLE_MM)
    return Finding(
        measure="slice_distance",
        step=Step.READ,
        sequence=sequence,
        verdict=verdict,
        value=round(distance, 2),
        unit="mm",
        message=Message(
            "scan.slices_apart" if verdict is Verdict.GOOD else "scan.thick_slices", sequence=sequence, mm=distance
        ),
    )


def _scanned_block(image: sitk.Image, sequence: MRSequence) -> Finding:
    shortest = float(min(Grid.of(image).extent_mm))
    verdict = judged(shortest, check=EXTENT_CHECK_MM, unusable=EXTENT_UNUSABLE_MM)
    return Finding(
        measure="scanned_block",
        step=Step.READ,
        sequence=sequence,
        verdict=verdict,
        value=round(shortest, 1),
        unit="mm",
        message=Message(
            "scan.block" if verdict is Verdict.GOOD else "scan.small_block", sequence=sequence, mm=shortest
        ),
    )
