"""Stripped, aligned, negative and integer scans: recognized, spared what they do not need, with the same answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import made_head
from made_models import small_recipe
from truth_measures import relative_change

from PCNSLSurvivalLib.core.progress import StepClock, StepEvent
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState


def _prepared(scans: dict[MRSequence, sitk.Image], **more: object) -> tuple[PreparedCase, dict[Step, str]]:
    """The case, and why steps were skipped. The made heads are coarse, so their quality is not the question."""
    skipped: dict[Step, str] = {}

    def listen(event: StepEvent) -> None:
        if event.state == "skipped":
            skipped[event.step] = event.reason.code

    return prepare_case(scans, recipe=small_recipe(64), clock=StepClock(listen), override_quality=True, **more), skipped


def test_a_stripped_scan_is_recognized_reported_and_not_corrected_again():
    scans, brain, _ = made_head(1)
    stripped = sitk.Mask(scans[MRSequence.T1GD], brain)
    case, skipped = _prepared({MRSequence.T1GD: stripped})
    assert skipped[Step.BRAIN_EXTRACTION] == "skipped.already_stripped"
    assert skipped[Step.BIAS_FIELD] == "skipped.no_bias_field"
    assert "already_stripped" in {finding.measure for finding in case.findings}
    assert case.known == ScanState(already_stripped=True)
    assert (sitk.GetArrayViewFromImage(case.brain_mask) == sitk.GetArrayViewFromImage(brain)).all()
    corrected = sitk.GetArrayViewFromImage(case.corrected[MRSequence.T1GD])
    assert (corrected == sitk.GetArrayViewFromImage(stripped)).all()


@pytest.mark.parametrize(("shift_mm", "moved"), [(0.0, False), (6.0, True)])
def test_only_a_scan_that_lies_elsewhere_is_moved(shift_mm, moved):
    scans, brain, _ = made_head(2, shift_mm)
    case, _ = _prepared(scans, brain_mask=brain)
    there = np.array(case.transforms[MRSequence.T1].TransformPoint((10.0, 20.0, 30.0))) - (10.0, 20.0, 30.0)
    if moved:
        assert there == pytest.approx((shift_mm, 0.0, 0.0), abs=1.0)
    else:
        assert (there == 0.0).all()


def test_scans_that_are_said_to_be_registered_stay_where_they_are():
    scans, brain, _ = made_head(2)
    case, skipped = _prepared(scans, brain_mask=brain, known=ScanState(already_registered=True))
    assert skipped[Step.REGISTRATION] == "skipped.already_over_t1gd"
    assert case.transforms[MRSequence.T1].TransformPoint((10.0, 20.0, 30.0)) == (10.0, 20.0, 30.0)


@pytest.mark.parametrize(
    "change",
    [
        lambda scan: scan - 500.0,
        lambda scan: sitk.Cast(scan * 4.0 - 900.0, sitk.sitkInt16),
        lambda scan: scan * 3 + 100,
    ],
    ids=["negative", "integers", "gain and offset"],
)
def test_units_of_the_scanner_do_not_reach_the_network(change):
    assert relative_change(_network_input(change), _network_input(None)) < 0.01


@cache
def _network_input(change: Callable[[sitk.Image], sitk.Image] | None) -> np.ndarray:
    """Of one head, after a change to the numbers of its scan."""
    scans, brain, _ = made_head(3)
    t1gd = scans[MRSequence.T1GD]
    case, _ = _prepared({MRSequence.T1GD: t1gd if change is None else change(t1gd)}, brain_mask=brain)
    return case.network_input((MRSequence.T1GD,))
