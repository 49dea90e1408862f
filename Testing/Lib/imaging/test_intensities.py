"""What programs do to the values of a scan leaves a trace; what scanners do leaves none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter

from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.imaging.intensities import judge_intensities

SIZE = 40


@pytest.fixture(scope="module")
def body() -> np.ndarray:
    """A body of smooth texture in air with noise, (k, j, i), whole numbers."""
    draw = np.random.default_rng(3)
    texture = gaussian_filter(draw.normal(size=(SIZE,) * 3), 2.0)
    place = np.linspace(-1, 1, SIZE)
    radius = np.sqrt(sum(axis**2 for axis in np.meshgrid(place, place, place, indexing="ij")))
    signal = np.where(radius < 0.9, 500 + 100 * texture / texture.std(), 0.0)
    return np.rint(np.hypot(signal + draw.normal(0, 8, signal.shape), draw.normal(0, 8, signal.shape)))


def _told(values: np.ndarray) -> dict[str, Verdict]:
    image = sitk.GetImageFromArray(np.ascontiguousarray(values, dtype=np.float32))
    findings = judge_intensities(image, MRSequence.T1GD)
    return {finding.measure: finding.verdict for finding in findings if finding.verdict is not Verdict.GOOD}


def _of_each_slice(scale: Callable[[np.ndarray], np.ndarray], axis: int, values: np.ndarray) -> np.ndarray:
    return np.stack([scale(one) for one in np.moveaxis(values, axis, 0)]).transpose(np.argsort([axis, *_but(axis)]))


def _but(axis: int) -> list[int]:
    return [other for other in range(3) if other != axis]


def _inside(one: np.ndarray) -> np.ndarray:
    inside = one > 200
    return np.where(inside, (one - one[inside].mean()) / one[inside].std(), 0.0) if inside.any() else one * 0.0


def test_each_finding_about_a_sound_scan_says_something_else(body):
    findings = judge_intensities(sitk.GetImageFromArray(body.astype(np.float32)), MRSequence.T1GD)
    assert {finding.verdict for finding in findings} == {Verdict.GOOD}
    assert len({str(finding.message) for finding in findings}) == len(findings) == 3


def test_gain_offset_shading_and_brightness_by_turns_are_a_scanners(body):
    shading = np.exp(np.linspace(0, 1, SIZE))[None, :, None]
    turns = 1 + 0.15 * (np.arange(SIZE) % 2)[:, None, None]
    stripped = np.where(body > 200, body, 0.0)
    for scan in (body, 0.01 * body - 7, 2000 * body, body + 32768, body * shading, body * turns, stripped):
        assert _told(scan) == {}


@pytest.mark.parametrize("mark", [-32768, 4000])
def test_a_mark_in_one_corner_is_not_the_value_around_the_head(mark, body):
    marked = body.copy()
    marked[0, 0, 0] = mark
    assert _told(marked) == {}


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["k", "j", "i"])
@pytest.mark.parametrize(
    "scale",
    [
        lambda one: np.rint(255 * one / one.max()),
        lambda one: one / one.mean(),
        lambda one: (one - one.mean()) / one.std(),
        lambda one: np.clip(one, *np.percentile(one, (1, 99))) / np.percentile(one, 99),
        _inside,
    ],
    ids=["to white", "to one mean", "to one spread", "between percentiles", "to one spread inside the head"],
)
def test_slices_scaled_one_by_one_are_told_in_any_plane(scale, axis, body):
    assert _told(_of_each_slice(scale, axis, body)) == {"scaled_slices": Verdict.CHECK}


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["k", "j", "i"])
def test_copied_slices_are_told_and_empty_ones_beyond_the_body_are_none(axis, body):
    copied = body.copy()
    along = np.moveaxis(copied, axis, 0)
    along[20] = along[19]
    assert _told(copied) == {"repeated_slices": Verdict.CHECK}
    padded = np.pad(np.where(body > 200, body, 0.0), 5)
    assert _told(padded) == {}


@pytest.mark.parametrize(
    "stored",
    [
        lambda values: (values - 20).astype(np.int16).view(np.uint16),
        lambda values: (values * 45).astype(np.uint16).view(np.int16),
        lambda values: values.astype(np.int16).byteswap(),
    ],
    ids=["negative as unsigned", "large as signed", "in the other byte order"],
)
def test_values_that_wrapped_around_are_unusable(stored, body):
    assert _told(stored(body))["wrapped_values"] is Verdict.UNUSABLE


@pytest.mark.parametrize("offset", [0, -32768], ids=["unsigned", "the same, moved to signed"])
def test_bright_vessels_of_a_scan_that_fills_16_bits_are_no_wrap(offset, body):
    vessels = body * 20
    vessels[10:30, 20, 20] = np.linspace(60_000, 65_535, 20).round()
    assert _told(vessels + offset) == {}
