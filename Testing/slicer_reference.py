"""Our engine beside what Slicer's own modules made of the shared real patient (``slicer-reference/``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from real_heads import PREFIX, SHARED_PATIENT, shared_scans
from truth_measures import brain_points, dice, registration_error_mm

from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.imaging.geometry import canonical
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE

REFERENCE = SHARED_PATIENT / "slicer-reference"
SWISS_MASK = REFERENCE / f"{PREFIX}T1Gd_brain_mask_SwissSkullStripper.nii.gz"
SLICER_N4 = REFERENCE / f"{PREFIX}T1Gd_N4_shrink2_times8.nii.gz"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Figures of one preparation against Slicer's modules; volumes in mL, distances in mm."""

    dice_swiss: float
    dice_hd_bet: float
    swiss_with_hd_bet: float
    only_ours_ml: float
    only_swiss_ml: float
    only_swiss_lowest_slice_ml: float
    registration_mm: dict[str, float]
    correlation_n4: float
    alarms: tuple[str, ...]
    seconds: dict[str, float]


def compare() -> Comparison:
    """Prepare the patient with the itk engine and hold every step against Slicer's."""
    clock = StepClock()
    prepared = prepare_case(shared_scans(), recipe=RECIPE, clock=clock)
    ours, swiss = _array(prepared.brain_mask), _array(_read(SWISS_MASK))
    hd_bet = _array(_read(SHARED_PATIENT / f"{PREFIX}T1Gd_brain_mask_hdbet.nii.gz"))
    ml = float(np.prod(prepared.brain_mask.GetSpacing())) / 1000.0
    n4 = sitk.GetArrayFromImage(canonical(sitk.ReadImage(str(SLICER_N4)))).astype(float)
    corrected = sitk.GetArrayFromImage(prepared.corrected[MRSequence.T1GD])
    return Comparison(
        dice_swiss=dice(ours, swiss),
        dice_hd_bet=dice(ours, hd_bet),
        swiss_with_hd_bet=dice(swiss, hd_bet),
        only_ours_ml=float((ours & ~swiss).sum()) * ml,
        only_swiss_ml=float((swiss & ~ours).sum()) * ml,
        only_swiss_lowest_slice_ml=float((swiss & ~ours)[0].sum()) * ml,
        registration_mm={name.label: _apart_mm(prepared, name) for name in (MRSequence.T1, MRSequence.T2)},
        correlation_n4=float(np.corrcoef(n4[ours], corrected[ours])[0, 1]),
        alarms=tuple(f.sentence for f in prepared.findings if f.verdict is not Verdict.GOOD),
        seconds=clock.seconds,
    )


def _apart_mm(prepared: PreparedCase, sequence: MRSequence) -> float:
    theirs = sitk.ReadTransform(str(REFERENCE / f"{PREFIX}{sequence.label}_to_T1Gd_BRAINSFit.tfm"))
    points = brain_points(prepared.brain_mask, every=97)
    return registration_error_mm(prepared.transforms[sequence], theirs, points)


def _read(path: Path) -> sitk.Image:
    return canonical(sitk.ReadImage(str(path)))


def _array(mask: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(mask) > 0
