"""Slices of a smooth body follow one another; shuffled and interleaved ones do not."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter

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


@pytest.fixture(scope="module")
def head() -> np.ndarray:
    """A head of 132 mm with equal halves and a dark cleft of 2 mm between them, 2 mm voxels, (k, j, i)."""
    draw = np.random.default_rng(4)
    half = gaussian_filter(draw.normal(size=(66, 66, 33)), 2.0)
    texture = np.concatenate([half[..., ::-1], half[..., 1:]], axis=2)
    radius = np.sqrt(
        sum(axis**2 for axis in np.meshgrid(*(np.linspace(-1, 1, n) for n in texture.shape), indexing="ij"))
    )
    values = np.where(radius < 0.9, 500 + 100 * texture / texture.std(), 0.0)
    values[:, 10:56, 32] *= np.linspace(0.1, 1.5, 46)
    return values + draw.normal(20, 5, values.shape)


def _verdict(values: np.ndarray, spacing_mm: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> Verdict:
    image = sitk.GetImageFromArray(np.ascontiguousarray(values, dtype=np.float32))
    image.SetSpacing(spacing_mm)
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


@pytest.mark.parametrize(("axis", "place"), [(0, "S 53"), (1, "A 43"), (2, "L 47")], ids=["k", "j", "i"])
def test_the_place_of_an_empty_slice_is_named_as_on_the_screen(body, axis, place):
    """Slice 20 at 2 mm; j runs to the front, i to the left, and the axes are turned by 0.1 rad in the axial plane."""
    broken = body.copy()
    np.moveaxis(broken, axis, 0)[20] = 0.0
    image = sitk.GetImageFromArray(broken.astype(np.float32))
    image.SetSpacing((2.0, 2.0, 2.0))
    cos, sin = np.cos(0.1), np.sin(0.1)
    image.SetDirection((cos, sin, 0, sin, -cos, 0, 0, 0, 1))
    image.SetOrigin((1.0, -9.0, 13.0))
    finding = judge_slice_order(image, MRSequence.T1GD)
    assert finding.message.code == "scan.slice_out_of_order"
    middle = 2.0 * (SIZE - 1) / 2
    index = {0: (middle, middle, 40.0), 1: (middle, 40.0, middle), 2: (40.0, middle, middle)}[axis]
    lps = image.TransformContinuousIndexToPhysicalPoint([mm / 2 for mm in index])
    assert finding.message.values["place"] == place == _on_screen(lps, {0: 2, 1: 1, 2: 0}[axis])


def _on_screen(lps, axis):
    letters = ("RL", "AP", "SI")[axis]
    return f"{letters[int(lps[axis] > 0) if axis < 2 else int(lps[axis] < 0)]} {abs(round(lps[axis])):d}"


def test_one_empty_slice_of_many_is_told(body):
    many = np.repeat(body, 5, axis=0)[20:280, ::3, ::3]
    many = gaussian_filter(many, (3, 0, 0))
    spacing_mm = (6.0, 6.0, 0.4)
    assert _verdict(many, spacing_mm) is Verdict.GOOD
    many[130] = 0.0
    assert _verdict(many, spacing_mm) is Verdict.CHECK


@pytest.mark.parametrize("sagittal_mm", [2.0, 6.0])
def test_the_slice_between_equal_halves_is_in_order(head, sagittal_mm):
    step = round(sagittal_mm / 2)
    middle = head.shape[2] // 2
    sagittal = head[:, :, middle % step :: step]
    spacing_mm = (sagittal_mm, 2.0, 2.0)
    assert _verdict(sagittal, spacing_mm) is Verdict.GOOD
    empty, exchanged = sagittal.copy(), sagittal.copy()
    empty[..., middle // step] = 0.0
    assert _verdict(empty, spacing_mm) is Verdict.CHECK
    place = sagittal.shape[2] // 4
    exchanged[..., [place, place + 3]] = exchanged[..., [place + 3, place]]
    assert _verdict(exchanged, spacing_mm) is not Verdict.GOOD


def test_the_same_slice_of_another_plane_is_not_in_order(head):
    assert _verdict(np.moveaxis(head, 2, 0)) is Verdict.CHECK


def test_noise_and_slices_of_different_brightness_are_in_order(body):
    noise = np.random.default_rng(2).normal(0, 250, body.shape)
    bright = 1 + 0.15 * (np.arange(SIZE) % 2)[:, None, None]
    assert _verdict(body + noise) is Verdict.GOOD
    assert _verdict(body * bright) is Verdict.GOOD


@pytest.mark.parametrize("values", [np.zeros((20, 20, 20)), np.full((20, 20, 20), 7.0), np.zeros((1, 9, 9))])
def test_nothing_is_said_of_slices_that_show_nothing(values):
    assert _verdict(values) is Verdict.GOOD
