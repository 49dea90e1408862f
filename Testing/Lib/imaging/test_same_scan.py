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


def _clipped(values):
    return np.clip(values, *np.quantile(values, (0.01, 0.98)))


def _with_a_bright_vessel(values):
    """In 256 levels between 0 and a vessel ten times as bright as the rest, the head has 25 of them."""
    bright = values.copy()
    bright[20, 20, 20] = 10 * values.max()
    return bright


def _on_its_own_voxels_again(values):
    return (values * (1 + 1e-6 * np.cos(np.arange(values.size).reshape(values.shape)))).astype(np.float32)


@pytest.mark.parametrize(
    "copied",
    [lambda v: v, lambda v: 0.4 * v + 20, _in_256_levels, _clipped, np.sqrt, _on_its_own_voxels_again],
    ids=["same", "gain", "8 bit", "clipped", "gamma", "rounded anew"],
)
@pytest.mark.parametrize("made", [lambda v: v, _with_a_bright_vessel], ids=["head", "bright vessel"])
def test_a_copy_is_the_same_scan(head, made, copied):
    t1gd = made(np.clip(sitk.GetArrayFromImage(head[MRSequence.T1GD]), 0, None))
    assert same_picture(t1gd, copied(t1gd))
    assert same_picture(copied(t1gd), t1gd)


@pytest.mark.parametrize("padding", [0.0, -1024.0, -32768.0])
def test_two_scans_with_the_same_padding_are_two(head, padding):
    """Padding far below the scan once made the differences of two heads look small."""
    t1gd, t1 = (sitk.GetArrayFromImage(head[name]) for name in (MRSequence.T1GD, MRSequence.T1))
    for values in (t1gd, t1):
        values[:, :4] = values[:, -4:] = padding
    assert not same_picture(t1gd, t1)
    assert not same_picture(t1, t1gd)


@pytest.mark.parametrize("share", [0.002, 0.05, 1.0], ids=["mostly 0", "small brain", "noise alone"])
def test_noise_on_the_same_background_is_no_copy(share):
    random = np.random.default_rng(1)
    brain = random.random((40, 40, 40)) < share
    one, other = (np.where(brain, random.normal(100, 20, brain.shape), 0) for _ in range(2))
    assert not same_picture(one, other)
    assert same_picture(one, 2 * one)


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
