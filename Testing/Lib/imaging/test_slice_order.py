"""Slices of a smooth body follow one another; shuffled and interleaved ones do not."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.imaging.slice_order import judge_slice_order

SIZE = 60


@pytest.fixture(scope="module")
def body() -> np.ndarray:
    """A body of smooth texture, 2 mm voxels, (k, j, i), in air with noise."""
    draw = np.random.default_rng(3)
    texture = sitk.GetImageFromArray(draw.normal(size=(SIZE,) * 3).astype(np.float32))
    values = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(texture, 4.0))
    place = np.linspace(-1, 1, SIZE)
    radius = np.sqrt(sum(axis**2 for axis in np.meshgrid(place, place, place, indexing="ij")))
    return np.where(radius < 0.9, 500 + 100 * values / values.std(), 0.0) + draw.normal(20, 5, radius.shape)


def _verdict(values: np.ndarray) -> Verdict:
    image = sitk.GetImageFromArray(np.ascontiguousarray(values, dtype=np.float32))
    image.SetSpacing((2.0, 2.0, 2.0))
    return judge_slice_order(image, MRSequence.T1GD).verdict


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["k", "j", "i"])
def test_shuffled_slices_of_any_plane_are_unusable(body, axis):
    order = np.random.default_rng(1).permutation(SIZE)
    assert _verdict(np.take(body, order, axis)) is Verdict.UNUSABLE


def test_slices_in_order_are_good(body):
    assert _verdict(body) is Verdict.GOOD
    assert _verdict(body[::-1, :, ::-1]) is Verdict.GOOD


def test_slices_sorted_by_time_are_unusable(body):
    half = SIZE // 2
    interleaved = np.stack([body[:half], body[half:]], axis=1).reshape(body.shape)
    assert _verdict(interleaved) is Verdict.UNUSABLE


@pytest.mark.parametrize("place", [20, 30])
def test_an_empty_slice_and_an_exchanged_one_inside_the_body_are_told(body, place):
    empty, exchanged = body.copy(), body.copy()
    empty[place] = 0.0
    exchanged[[place, place + 3]] = exchanged[[place + 3, place]]
    assert _verdict(empty) is Verdict.CHECK
    assert _verdict(exchanged) is Verdict.CHECK


def test_noise_and_slices_of_different_brightness_are_in_order(body):
    noise = np.random.default_rng(2).normal(0, 250, body.shape)
    bright = 1 + 0.15 * (np.arange(SIZE) % 2)[:, None, None]
    assert _verdict(body + noise) is Verdict.GOOD
    assert _verdict(body * bright) is Verdict.GOOD


@pytest.mark.parametrize("values", [np.zeros((20, 20, 20)), np.full((20, 20, 20), 7.0), np.zeros((1, 9, 9))])
def test_nothing_is_said_of_slices_that_show_nothing(values):
    assert _verdict(values) is Verdict.GOOD
