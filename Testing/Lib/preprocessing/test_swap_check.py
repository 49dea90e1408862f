"""A T1 that the model does not read shows whether T1Gd was swapped with it; it never costs the prediction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import made_head
from real_heads import SHARED_PATIENT, shared_scan

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.io import read_scan
from PCNSLSurvivalLib.preprocessing.pipeline import prepare_case, stop_unless_usable
from PCNSLSurvivalLib.preprocessing.qc.step_checks import judge_enhancement
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState
from PCNSLSurvivalLib.preprocessing.swap_check import compare_contrast

# Coarser than the recipe, to be quick; the lesion is 28 mm wide.
COARSE = replace(RECIPE, resampling=replace(RECIPE.resampling, spacing_mm=(3.0, 3.0, 3.0)))


@pytest.fixture(scope="module")
def head():
    """T1Gd and T1, which lies 6 mm to the left of it and is as shaded as it, and the brain on T1Gd."""
    scans, brain, _lesion = made_head(1)
    return scans[MRSequence.T1GD], scans[MRSequence.T1], brain


def _prepared(t1gd, brain):
    return prepare_case({MRSequence.T1GD: t1gd}, recipe=COARSE, clock=StepClock(), brain_mask=brain)


@pytest.fixture(scope="module")
def prepared(head):
    t1gd, _t1, brain = head
    return _prepared(t1gd, brain)


def test_an_enhanced_t1gd_is_told_from_a_t1_at_another_place(head, prepared):
    events = []
    found = compare_contrast(prepared, head[1], clock=StepClock(events.append))
    assert (found.verdict, found.message.code) == (Verdict.GOOD, "enhancement.good")
    assert [(event.step, event.state) for event in events] == [(Step.CONTRAST, "started"), (Step.CONTRAST, "finished")]


def test_swapped_scans_are_a_stop_although_someone_corrected_what_is_taken_for_t1gd(head, prepared):
    t1gd, t1, brain = head
    there = sitk.Resample(brain, t1, sitk.TranslationTransform(3, (-6.0, 0.0, 0.0)), sitk.sitkNearestNeighbor)
    swapped = _prepared(t1, there)
    swapped = replace(swapped, known=ScanState(already_corrected=True, already_registered=True))
    found = compare_contrast(swapped, t1gd, clock=StepClock())
    assert (found.verdict, found.message.code) == (Verdict.UNUSABLE, "enhancement.swapped")
    with pytest.raises(PreparationError):
        stop_unless_usable([found], override=False)


@pytest.mark.parametrize(
    ("bright", "alone", "code"),
    [
        (0.0, (1.0, 5.0), "enhancement.swapped"),
        (0.0, (5.0, 1.0), "enhancement.good"),
        (0.0, (1.0, 1.0), "enhancement.hardly"),
        (0.0, (5.0, 5.0), "enhancement.hardly"),
        (3.0, (1.0, 1.0), "enhancement.good"),
        (-3.0, (1.0, 1.0), "enhancement.swapped"),
        (-3.0, (5.0, 1.0), "enhancement.hardly"),
        (-3.0, (1.0, 5.0), "enhancement.swapped"),
    ],
)
def test_what_each_scan_shows_by_itself_decides_where_their_difference_does_not(bright, alone, code):
    """The swapped pair of a real patient with thick slices reached -0.47, and of one with a dark tumor -0.37."""
    values = np.random.default_rng(3).normal(0.0, 1.0, (2, 40, 40, 40)).astype(np.float32)
    values[0, :10, :10, :10] += bright
    assert judge_enhancement(*map(sitk.GetImageFromArray, values), alone=alone).message.code == code


@pytest.mark.real
@pytest.mark.parametrize("case", ["TCGA-FG-6692", "b18-2013-11-1", "b18-tcia02-606-1"])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_swapped_pair_of_a_real_patient_is_a_stop_and_the_right_one_is_not(case, swapped):
    if case == "TCGA-FG-6692":
        paths = [shared_scan(sequence) for sequence in (MRSequence.T1GD, MRSequence.T1)]
    else:
        paths = [SHARED_PATIENT.parent / "real-tumours" / case / f"{name}.nii.gz" for name in ("t1gd", "t1")]
    if not all(path.is_file() for path in paths):
        pytest.skip("the real patients do not lie beside this checkout (../shared)")
    t1gd, t1 = reversed(paths) if swapped else paths
    scan = read_scan(t1gd, MRSequence.T1GD).image
    prepared = prepare_case({MRSequence.T1GD: scan}, recipe=RECIPE, clock=StepClock(), override_quality=True)
    found = compare_contrast(prepared, read_scan(t1, MRSequence.T1).image, clock=StepClock())
    assert found.verdict is (Verdict.UNUSABLE if swapped else Verdict.GOOD)


@pytest.mark.parametrize("fault", ["CT", "not a number", "one value"])
def test_a_t1_that_cannot_be_compared_is_a_remark(head, prepared, fault):
    t1 = head[1]
    values = sitk.GetArrayFromImage(t1)
    if fault == "CT":
        values = np.where(values > 100, 40.0, -1000.0).astype(np.float32)
        values += np.random.default_rng(1).normal(0, 5, values.shape).astype(np.float32)
    elif fault == "not a number":
        values[0, 0, 0] = np.nan
    else:
        values[:] = 7.0
    damaged = sitk.GetImageFromArray(values)
    damaged.CopyInformation(t1)
    found = compare_contrast(prepared, damaged, clock=StepClock())
    assert (found.verdict, found.message.code) == (Verdict.CHECK, "enhancement.not_compared")
    assert found.message.values["reason"].code.startswith("scan.")
