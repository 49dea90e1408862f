"""The real patient: no false alarm, and close to what Slicer's own modules made of the same scans."""

from __future__ import annotations

import pytest
from slicer_reference import SWISS_MASK, Comparison, compare

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    if not SWISS_MASK.is_file():
        pytest.skip("Slicer's results do not lie beside this checkout (../shared/real-patient/slicer-reference)")
    return compare()


def test_no_step_raises_a_false_alarm(comparison):
    assert comparison.alarms == ()


def test_registrations_and_intensities_agree_with_slicers(comparison):
    assert max(comparison.registration_mm.values()) <= 1.0
    assert comparison.correlation_n4 >= 0.99


def test_the_mask_agrees_with_the_third_opinion_better_than_slicers_does(comparison):
    """SwissSkullStripper's mask is no truth: it is smaller than HD-BET's, which ours agrees with (see the docs)."""
    assert comparison.dice_swiss >= 0.93
    assert comparison.dice_hd_bet >= 0.96
    assert comparison.dice_hd_bet > comparison.swiss_with_hd_bet
