"""Checks of a registration: sharpness of the similarity maximum, and plausibility of the head rotation."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.findings import Finding, judged
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.geometry import FloatArray, Grid, resample
from PCNSLSurvivalLib.preprocessing.steps.sampling import coarser

SHARPNESS_CHECK, SHARPNESS_UNUSABLE = 0.35, 0.08
TURN_CHECK_DEG, TURN_UNUSABLE_DEG = 35.0, 75.0
_AWAY_MM, _AWAY_DEG = 8.0, 8.0


def judge_registration(
    fixed: sitk.Image,
    moving: sitk.Image,
    transform: sitk.Transform,
    brain_mask: sitk.Image,
    *,
    sequence: MRSequence,
    moved_before: sitk.Transform | None = None,
) -> tuple[Finding, ...]:
    """Judge a pose by how much the match suffers when the head is moved away from it.

    The normalized mutual information inside the brain is compared with the best of twelve poses 8 mm or
    8 degrees away. A correct pose stands out; a failed one, or the scan of another person, does not.

    Args:
        fixed: T1Gd, bias field corrected.
        moving: The registered scan on its own grid.
        transform: LPS points of ``fixed`` to LPS points of ``moving``.
        brain_mask: ``uint8`` on the grid of ``fixed``.
        sequence: Which scan ``moving`` is.
        moved_before: LPS points where ``moving`` lies to LPS points where it lay as acquired, if someone moved it.

    References:
        Studholme et al., An overlap invariant entropy measure of 3D medical image alignment, Pattern
        Recognition 32(1), 1999. doi:10.1016/S0031-3203(98)00091-0
    """
    sharpness, center = match_sharpness(fixed, moving, transform, brain_mask)
    whole = transform if moved_before is None else sitk.CompositeTransform([moved_before, transform])
    return _sharpness(sharpness, sequence), _turn(whole, center, sequence)


def match_sharpness(
    fixed: sitk.Image, moving: sitk.Image, transform: sitk.Transform, brain_mask: sitk.Image
) -> tuple[float, FloatArray]:
    """How much the match inside the brain suffers when the head is moved away from a pose.

    Args:
        fixed: Scan without bias field.
        moving: The registered scan on its own grid.
        transform: LPS points of ``fixed`` to LPS points of ``moving``.
        brain_mask: ``uint8`` on the grid of ``fixed``.

    Returns:
        The share of the match that the best of twelve other poses loses, negative where one is better; and the (3,)
        center of the brain in LPS mm.
    """
    small = coarser(fixed, 3.0)
    mask = resample(brain_mask, Grid.of(small), interpolation="nearest")
    inside = sitk.GetArrayViewFromImage(mask) > 0
    values = sitk.GetArrayViewFromImage(small)[inside]
    smooth = coarser(moving, 3.0)
    kji = np.argwhere(inside)
    center = Grid.of(small).index_to_lps(kji[:, ::-1].astype(float)).mean(axis=0)

    def match(away: sitk.Transform) -> float:
        pose = sitk.CompositeTransform([transform, away])
        there = resample(smooth, Grid.of(small), transform=pose, outside=math.nan)
        return _gain(values, sitk.GetArrayViewFromImage(there)[inside])

    here = match(sitk.Transform(3, sitk.sitkIdentity))
    best_away = max(match(away) for away in _moves(center))
    return (here - best_away) / here if here > 0 else -1.0, center


def _gain(a: FloatArray, b: FloatArray) -> float:
    """Normalized mutual information above 1, the value of scans that have nothing in common."""
    seen = np.isfinite(b)
    if seen.mean() < 0.3:
        return 0.0
    edges = [np.unique(np.quantile(v[seen], np.linspace(0, 1, 33))) for v in (a, b)]
    if min(len(e) for e in edges) < 3:
        return 0.0
    counts, _, _ = np.histogram2d(a[seen], b[seen], bins=edges)
    joint = counts / counts.sum()

    def entropy(p: FloatArray) -> float:
        p = p[p > 0]
        return float(-(p * np.log(p)).sum())

    return (entropy(joint.sum(0)) + entropy(joint.sum(1))) / entropy(joint) - 1.0


def _moves(center_lps_mm: FloatArray) -> list[sitk.Transform]:
    moves: list[sitk.Transform] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            step = [0.0, 0.0, 0.0]
            step[axis] = sign
            moves.append(sitk.TranslationTransform(3, [_AWAY_MM * s for s in step]))
            turn = sitk.Euler3DTransform()
            turn.SetCenter(center_lps_mm.tolist())
            turn.SetRotation(*(math.radians(_AWAY_DEG) * s for s in step))
            moves.append(turn)
    return moves


def _sharpness(sharpness: float, sequence: MRSequence) -> Finding:
    verdict = judged(sharpness, check=SHARPNESS_CHECK, unusable=SHARPNESS_UNUSABLE)
    return Finding(
        measure="registration_sharpness",
        step=Step.REGISTRATION,
        sequence=sequence,
        verdict=verdict,
        value=round(sharpness, 3),
        unit="",
        message=Message(
            "registration.sharp" if verdict is Verdict.GOOD else "registration.not_over_t1gd", sequence=sequence
        ),
    )


def _turn(transform: sitk.Transform, center: FloatArray, sequence: MRSequence) -> Finding:
    origin = np.asarray(transform.TransformPoint(center.tolist()))
    columns = [np.asarray(transform.TransformPoint((center + axis).tolist())) - origin for axis in np.eye(3)]
    trace = float(sum(column[n] for n, column in enumerate(columns)))
    turn = math.degrees(math.acos(min(1.0, max(-1.0, (trace - 1) / 2))))
    verdict = judged(turn, check=TURN_CHECK_DEG, unusable=TURN_UNUSABLE_DEG)
    return Finding(
        measure="head_turn",
        step=Step.REGISTRATION,
        sequence=sequence,
        verdict=verdict,
        value=round(turn, 2),
        unit="degrees",
        message=Message(
            "registration.head_turn" if verdict is Verdict.GOOD else "registration.impossible_turn",
            sequence=sequence,
            degrees=turn,
        ),
    )
