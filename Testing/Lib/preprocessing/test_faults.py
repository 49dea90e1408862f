"""Each injected fault is reported with its sentence and verdict; the sound exam raises no alarm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import faults
import pytest
from faults import Exam, judge, true_exam
from made_models import small_recipe

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.phantoms import VirtualPatient
from PCNSLSurvivalLib.preprocessing.pipeline import stop_unless_usable


@pytest.fixture(scope="module")
def exam(coarse_reference: VirtualPatient) -> Iterator[Exam]:
    """On the 2 mm of its voxels also where T1 and T1Gd are compared."""
    sequences = (MRSequence.T1GD, MRSequence.T1, MRSequence.T2)
    acquisitions = {sequence: coarse_reference.acquisitions[sequence] for sequence in sequences}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faults, "RECIPE", small_recipe())
        yield true_exam(replace(coarse_reference, acquisitions=acquisitions))


def cut_vertex(exam: Exam) -> list[Finding]:
    """Little enough is missing for a prediction: this brain's section 25 mm below its top is a large one."""
    return faults.cut_vertex(exam, below_mm=18.0)


def test_a_sound_exam_raises_no_alarm(exam):
    assert [finding.sentence for finding in judge(exam) if finding.verdict is not Verdict.GOOD] == []


@pytest.mark.parametrize(
    ("fault", "measure", "verdict", "code"),
    [
        (faults.leaking_mask, "mask_near_skin", Verdict.CHECK, "brain.near_skin"),
        (faults.mask_without_its_front, "mask_missed", Verdict.CHECK, "brain.missed"),
        (faults.mask_without_its_top, "mask_missed", Verdict.CHECK, "brain.missed"),
        (faults.mask_in_two_pieces, "mask_pieces", Verdict.UNUSABLE, "brain.apart"),
        (cut_vertex, "brain_cut", Verdict.CHECK, "brain.cut_off"),
        (faults.half_the_head, "brain_cut", Verdict.UNUSABLE, "brain.cut_off"),
        (faults.swapped_scans, "enhancement", Verdict.UNUSABLE, "enhancement.swapped"),
        (faults.no_contrast_agent, "enhancement", Verdict.CHECK, "enhancement.hardly"),
        (faults.t1_alone, "contrast_agent", Verdict.CHECK, "contrast.not_seen"),
        (faults.t1_and_t2_exchanged, "weighting_t1_t2", Verdict.UNUSABLE, "weighting.exchanged"),
        (faults.t1gd_and_t2_exchanged, "weighting_t1gd_t2", Verdict.UNUSABLE, "weighting.exchanged"),
        (faults.t2_as_t1, "weighting", Verdict.UNUSABLE, "weighting.no_t1"),
        (faults.pose_shifted, "registration_sharpness", Verdict.UNUSABLE, "registration.not_over_t1gd"),
        (faults.pose_turned, "registration_sharpness", Verdict.UNUSABLE, "registration.not_over_t1gd"),
        (faults.pose_mirrored_front_to_back, "head_turn", Verdict.UNUSABLE, "registration.impossible_turn"),
        (faults.strong_noise, "signal_to_noise", Verdict.CHECK, "scan.noisy"),
        (faults.extreme_noise, "signal_to_noise", Verdict.UNUSABLE, "scan.noisy"),
        (faults.ten_mm_slices, "slice_distance", Verdict.CHECK, "scan.thick_slices"),
        (faults.shuffled_slices, "slice_order", Verdict.UNUSABLE, "scan.slices_in_disorder"),
        (faults.interleaved_slices, "slice_order", Verdict.UNUSABLE, "scan.slices_in_disorder"),
        (faults.slices_scaled_one_by_one, "scaled_slices", Verdict.CHECK, "scan.slices_scaled"),
        (faults.values_cut_off, "scaled_slices", Verdict.CHECK, "scan.slices_scaled"),
        (faults.a_missing_slice_filled, "repeated_slices", Verdict.CHECK, "scan.slices_repeated"),
        (faults.signed_values_read_as_unsigned, "wrapped_values", Verdict.UNUSABLE, "scan.wrapped"),
        (faults.large_values_read_as_signed, "wrapped_values", Verdict.UNUSABLE, "scan.wrapped"),
        (faults.sixteen_gray_levels, "gray_levels", Verdict.CHECK, "scan.few_gray_levels"),
        (faults.inverted_scan, "tissue_pattern", Verdict.UNUSABLE, "brain.no_tissue_pattern"),
        (faults.t2_as_t1gd, "tissue_pattern", Verdict.UNUSABLE, "brain.no_tissue_pattern"),
        (faults.upside_down, "orientation", Verdict.UNUSABLE, "brain.turned"),
        (faults.part_of_a_series, "uncovered_brain", Verdict.UNUSABLE, "registration.uncovered_brain"),
    ],
)
def test_a_fault_is_told(fault, measure, verdict, code, exam):
    (finding,) = [finding for finding in fault(exam) if finding.measure == measure]
    assert finding.verdict is verdict
    assert finding.message.code == code
    if verdict is Verdict.UNUSABLE:
        with pytest.raises(PreparationError) as stopped:
            stop_unless_usable([finding], override=False)
        assert stopped.value.message == Message("quality.stop", findings=(finding.message,))
    stop_unless_usable([finding], override=True)


def test_what_is_left_of_a_shrunken_mask_is_too_little(exam):
    (finding,) = [finding for finding in faults.shrunken_mask(exam) if finding.measure == "brain_volume"]
    assert finding.verdict is not Verdict.GOOD
    assert finding.message.code == "brain.too_small"


@pytest.mark.parametrize(("fault", "side"), [(cut_vertex, "word.top"), (faults.half_the_head, "word.left")])
def test_the_end_of_the_brain_that_is_cut_off_is_named(fault, side, exam):
    (finding,) = [finding for finding in fault(exam) if finding.measure == "brain_cut"]
    assert finding.message.values["side"].code == side
