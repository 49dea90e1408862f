"""Each injected fault is reported with its sentence and verdict; the sound examination raises no alarm."""

from __future__ import annotations

import faults
import pytest
from examinations import draw_heads, examine
from faults import Examination, judge, true_examination

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.terms import Verdict
from PCNSLSurvivalLib.preprocessing.pipeline import stop_unless_usable


@pytest.fixture(scope="module")
def examination() -> Examination:
    return true_examination(examine(draw_heads(11), "thick slices"))


def test_a_sound_examination_raises_no_alarm(examination):
    assert [finding.sentence for finding in judge(examination) if finding.verdict is not Verdict.GOOD] == []


@pytest.mark.parametrize(
    ("fault", "code", "verdict", "words"),
    [
        (faults.leaking_mask, "mask_near_skin", Verdict.CHECK, "mask leaks"),
        (faults.mask_without_its_front, "mask_missed", Verdict.CHECK, "leaves out"),
        (faults.mask_without_its_top, "mask_missed", Verdict.CHECK, "leaves out"),
        (faults.mask_in_two_pieces, "mask_pieces", Verdict.UNUSABLE, "falls apart"),
        (faults.cut_vertex, "brain_cut", Verdict.CHECK, "The top of the brain is cut off"),
        (faults.half_the_head, "brain_cut", Verdict.UNUSABLE, "The left of the brain is cut off"),
        (faults.swapped_scans, "enhancement", Verdict.UNUSABLE, "swapped"),
        (faults.no_contrast_agent, "enhancement", Verdict.CHECK, "hardly looks contrast-enhanced"),
        (faults.pose_shifted, "registration_sharpness", Verdict.UNUSABLE, "T2 does not seem to lie over T1Gd"),
        (faults.pose_turned, "registration_sharpness", Verdict.UNUSABLE, "T2 does not seem to lie over T1Gd"),
        (faults.pose_mirrored_front_to_back, "head_turn", Verdict.UNUSABLE, "hardly possible in a head coil"),
        (faults.strong_noise, "signal_to_noise", Verdict.CHECK, "T1Gd is very noisy"),
        (faults.extreme_noise, "signal_to_noise", Verdict.UNUSABLE, "T1Gd is very noisy"),
        (faults.ten_mm_slices, "slice_distance", Verdict.CHECK, "The slices of T1Gd lie 10"),
        (faults.part_of_a_series, "uncovered_brain", Verdict.UNUSABLE, "T2 does not show"),
    ],
)
def test_a_fault_is_told(fault, code, verdict, words, examination):
    (finding,) = [finding for finding in fault(examination) if finding.code == code]
    assert finding.verdict is verdict
    assert words in finding.sentence
    if verdict is Verdict.UNUSABLE:
        with pytest.raises(PreparationError, match="--override-quality"):
            stop_unless_usable([finding], override=False)
    stop_unless_usable([finding], override=True)


def test_what_is_left_of_a_shrunken_mask_is_too_little(examination):
    (finding,) = [finding for finding in faults.shrunken_mask(examination) if finding.code == "brain_volume"]
    assert finding.verdict is not Verdict.GOOD
    assert "too little for an adult brain" in finding.sentence
