"""One scan given as two sequences is told from two sequences of one head."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import made_head
from real_heads import SHARED_PATIENT, shared_scans

from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.imaging.geometry import canonical
from PCNSLSurvivalLib.imaging.same_scan import judge_same_scan, same_picture


@pytest.fixture(scope="module")
def head():
    """T1Gd and T1 on one grid, over each other."""
    scans, _brain, _lesion = made_head(1, shift_mm=0.0)
    return scans


def _in_256_levels(values):
    return np.round((values - values.min()) / (values.max() - values.min()) * 255).astype(np.uint8)


@pytest.mark.parametrize("copied", [lambda v: v, lambda v: 0.4 * v + 20, _in_256_levels], ids=["same", "gain", "8 bit"])
def test_a_copy_is_the_same_scan(head, copied):
    t1gd = sitk.GetArrayFromImage(head[MRSequence.T1GD])
    assert same_picture(t1gd, copied(t1gd))
    assert same_picture(copied(t1gd), t1gd)


def test_registered_scans_of_one_head_are_two(head):
    assert judge_same_scan(head) == ()


def test_scans_that_differ_in_one_small_lesion_are_two(head):
    with_lesion = sitk.GetArrayFromImage(head[MRSequence.T1])
    without = with_lesion.copy()
    with_lesion[16:19, 20:23, 15:18] += 150
    assert not same_picture(without, with_lesion)


def test_a_volume_of_one_value_is_no_copy(head):
    values = sitk.GetArrayFromImage(head[MRSequence.T1])
    assert not same_picture(np.zeros_like(values), values)
    assert not same_picture(values, np.zeros_like(values))


def test_every_pair_is_named(head):
    scans = {MRSequence.T1GD: head[MRSequence.T1GD], MRSequence.T1: head[MRSequence.T1]}
    scans |= {MRSequence.T2: head[MRSequence.T1], MRSequence.FLAIR: head[MRSequence.T1]}
    found = judge_same_scan(scans)
    told = {(one.message.values["other"], one.message.values["sequence"]) for one in found}
    assert told == set(combinations((MRSequence.T1, MRSequence.T2, MRSequence.FLAIR), 2))
    assert {one.verdict for one in found} == {Verdict.UNUSABLE}


@pytest.mark.real
@pytest.mark.skipif(not SHARED_PATIENT.is_dir(), reason="the shared patient is not on this computer")
def test_the_scans_of_a_real_patient_are_three():
    assert judge_same_scan({sequence: canonical(image) for sequence, image in shared_scans().items()}) == ()
