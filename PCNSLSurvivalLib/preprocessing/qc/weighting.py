"""Is T1 bright where T1-weighted scans are, and T2 not? Tells T1 and T2 that were exchanged.

White matter is bright on T1 and dark on T2, fluid the other way round, both at places that every brain has. The measure
is that of ``brain_pattern``. FLAIR lies between the two and is not judged. Limits and error rates:
docs/decisions/quality-limits.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import SimpleITK as sitk

from PCNSLSurvivalLib.core.findings import Finding, judged
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.preprocessing.qc.brain_pattern import PATTERN_CHECK, PATTERN_UNUSABLE, tissue_pattern

_EDGE_MM = 4.0
EXCHANGED_CHECK, EXCHANGED_UNUSABLE = 0.10, -0.15
"""Lead of the T1-weighted scan over T2. Real and virtual pairs: at least 0.32; exchanged, at most -0.32."""


def judge_weightings(
    scans: Mapping[MRSequence, sitk.Image], poses: Mapping[MRSequence, sitk.Transform], mask: sitk.Image
) -> tuple[Finding, ...]:
    """Judge T1 by itself, and T2 against T1Gd and T1, where they were given.

    T1Gd by itself is judged with the brain mask, see ``judge_brain_pattern``.

    Args:
        scans: T1Gd and others without bias field, on their own grids, axes toward left, posterior, superior.
        poses: LPS points of T1Gd to LPS points of each scan.
        mask: Brain, ``uint8`` on the grid of T1Gd.
    """
    pattern = {
        sequence: weighting(scans[sequence], poses[sequence], mask)
        for sequence in (MRSequence.T1GD, MRSequence.T1, MRSequence.T2)
        if sequence in scans
    }
    findings = [_lead(one, pattern) for one in pattern if one is not MRSequence.T2 and MRSequence.T2 in pattern]
    if MRSequence.T1 in pattern:
        findings.append(judge_t1(pattern[MRSequence.T1]))
    return tuple(findings)


def weighting(scan: sitk.Image, pose: sitk.Transform, mask: sitk.Image) -> float:
    """Rank correlation of a scan with the average T1 inside the brain: above 0 T1-weighted, about 0 or below T2.

    Args:
        scan: Without bias field, on its own grid.
        pose: LPS points of T1Gd to LPS points of ``scan``.
        mask: Brain, ``uint8`` on the grid of T1Gd.
    """
    grid = Grid.of(mask).with_spacing((_EDGE_MM,) * 3)
    inside = resample(sitk.Cast(mask, sitk.sitkFloat32), grid)
    signal = resample(scan, grid, transform=pose, outside=float(sitk.GetArrayViewFromImage(scan).min()))
    return tissue_pattern(sitk.GetArrayFromImage(signal), sitk.GetArrayFromImage(inside) > 0.5, _EDGE_MM)


def judge_t1(value: float) -> Finding:
    """Whether what is given as T1 is T1-weighted; the limits are those of T1Gd."""
    verdict = judged(value, check=PATTERN_CHECK, unusable=PATTERN_UNUSABLE)
    message = Message("weighting.t1")
    if verdict is not Verdict.GOOD:
        message = Message("weighting.no_t1")
    return _finding("weighting", MRSequence.T1, verdict, value, message)


def _lead(sequence: MRSequence, pattern: Mapping[MRSequence, float]) -> Finding:
    value = pattern[sequence] - pattern[MRSequence.T2]
    verdict = judged(value, check=EXCHANGED_CHECK, unusable=EXCHANGED_UNUSABLE)
    message = Message("weighting.t2", sequence=sequence)
    if verdict is Verdict.CHECK:
        message = Message("weighting.t2_unclear", sequence=sequence)
    elif verdict is Verdict.UNUSABLE:
        message = Message("weighting.exchanged", sequence=sequence)
    return _finding(f"weighting_{sequence}_t2", MRSequence.T2, verdict, value, message)


def _finding(measure: str, sequence: MRSequence, verdict: Verdict, value: float, message: Message) -> Finding:
    return Finding(
        measure=measure,
        step=Step.REGISTRATION,
        sequence=sequence,
        verdict=verdict,
        value=round(value, 3),
        unit="",
        message=message,
    )
