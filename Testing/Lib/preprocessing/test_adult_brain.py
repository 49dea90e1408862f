"""What is no adult human head gets no number: its outline is too round, too small, or the same in front and behind."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from average_brain import average_brain
from made_heads import made_head
from no_heads import NO_HEADS, no_head, object_mask
from scipy.ndimage import gaussian_filter

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.phantoms.anatomy.template import brain_template
from PCNSLSurvivalLib.preprocessing.pipeline import prepare_case
from PCNSLSurvivalLib.preprocessing.qc import brain_pattern
from PCNSLSurvivalLib.preprocessing.qc.adult_brain import judge_adult_brain
from PCNSLSurvivalLib.preprocessing.qc.brain_pattern import judge_brain_pattern
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE


@cache
def _average_brain() -> tuple[sitk.Image, sitk.Image]:
    template = brain_template()
    signal = 400 * template.brain + 300 * template.white_matter + 150 * template.gray_matter
    return sitk.Cast(template.brain > 0.5, sitk.sitkUInt8), signal


def _verdicts(mask: sitk.Image, scan: sitk.Image, *, stripped: bool = True) -> dict[str, Verdict]:
    return {finding.measure: finding.verdict for finding in judge_adult_brain(mask, scan, stripped=stripped)}


def _resized(image: sitk.Image, factors: tuple[float, float, float]) -> sitk.Image:
    made = sitk.Image(image)
    made.SetSpacing([mm * factor for mm, factor in zip(image.GetSpacing(), factors, strict=True)])
    return made


@pytest.mark.parametrize("offset", [-1000.0, 32768.0])
def test_an_offset_of_the_values_changes_no_verdict_on_a_tilted_head(offset):
    """Cells beyond a tilted block hold air, not the number 0; 32768 is added where unsigned numbers become signed."""
    mask, scan = (sitk.Image(image) for image in _average_brain())
    cos, sin = np.cos(0.3), np.sin(0.3)
    for image in (mask, scan):
        image.SetDirection((1, 0, 0, 0, cos, -sin, 0, sin, cos))
    plain = judge_adult_brain(mask, scan, stripped=False)
    moved = judge_adult_brain(mask, scan + offset, stripped=False)
    assert [f.verdict for f in moved] == [f.verdict for f in plain]
    assert [f.value for f in moved] == pytest.approx([f.value for f in plain], abs=0.02)


def test_the_average_brain_of_adults_is_one():
    assert set(_verdicts(*_average_brain()).values()) == {Verdict.GOOD}


@pytest.mark.parametrize(
    ("factors", "verdict"),
    [
        ((0.92, 0.92, 0.92), Verdict.GOOD),  # small woman
        ((1.06, 1.06, 1.06), Verdict.GOOD),  # large man
        ((0.62, 0.62, 0.62), Verdict.UNUSABLE),  # newborn
        ((0.1, 0.1, 0.1), Verdict.UNUSABLE),  # mouse
        ((1.0, 1.0, 0.5), Verdict.UNUSABLE),  # wrong slice distance, or half a head
        ((1.9, 1.0, 1.0), Verdict.UNUSABLE),
    ],
)
def test_size_and_proportions_decide(factors, verdict):
    mask, signal = _average_brain()
    assert _verdicts(_resized(mask, factors), _resized(signal, factors))["brain_shape"] is verdict


@pytest.mark.parametrize("order", [(0, 2, 1), (1, 0, 2)], ids=["front up", "front left"])
def test_a_head_whose_file_states_other_axes_is_no_head_as_it_stands(order):
    mask, signal = (sitk.PermuteAxes(image, order) for image in _average_brain())
    for image in (mask, signal):
        image.SetDirection(np.eye(3).ravel())
    assert _verdicts(mask, signal)["brain_shape"] is not Verdict.GOOD


def test_the_stored_average_is_that_of_the_template():
    stored = np.load(Path(brain_pattern.__file__).with_name(brain_pattern.AVERAGE))
    assert np.abs(stored.astype(int) - average_brain()).max() <= 1


@pytest.mark.parametrize(
    ("poses", "verdict"),
    [((1, 1, -1), Verdict.GOOD), ((-1, 1, 1), Verdict.UNUSABLE), ((1, -1, 1), Verdict.UNUSABLE)],
    ids=["left for right", "upside down", "back to front"],
)
def test_a_brain_that_lies_otherwise_than_its_file_states_is_noticed(poses, verdict):
    k, j, i = poses
    mask, signal = (image[::i, ::j, ::k] for image in _average_brain())
    for image in (mask, signal):
        image.SetDirection(np.eye(3).ravel())
    assert _verdicts(mask, signal)["orientation"] is verdict


def test_very_large_ventricles_are_checked_and_not_stopped_as_turned():
    """They fit the average brain better with all axes exchanged, which is no error that files make."""
    mask, signal = (sitk.BinShrink(sitk.Cast(image, sitk.sitkFloat32), [3, 3, 3]) for image in _average_brain())
    inside, values = sitk.GetArrayFromImage(mask) > 0.5, sitk.GetArrayFromImage(signal)
    texture = gaussian_filter(np.random.default_rng(0).normal(size=values.shape), 2.5)
    values += 1000 + 350 * texture / texture.std()
    found = np.argwhere(inside)
    middle = (found.min(axis=0) + found.max(axis=0)) / 2
    z, y, x = 3.0 * (np.indices(values.shape) - middle[:, None, None, None])
    left, right = (((x - side) / 24) ** 2 + (y / 48) ** 2 + ((z - 8) / 18) ** 2 < 1 for side in (-24, 24))
    values[left | right] = np.quantile(values[inside], 0.03)
    _, orientation = judge_brain_pattern(values, inside, 3.0)
    assert orientation.value < brain_pattern.TURNED_UNUSABLE
    assert orientation.verdict is Verdict.CHECK


def test_bright_and_dark_exchanged_are_noticed():
    mask, signal = _average_brain()
    assert _verdicts(mask, 1000 - signal)["tissue_pattern"] is Verdict.UNUSABLE


def test_back_to_front_is_noticed():
    mask, signal = (image[:, ::-1, :] for image in _average_brain())
    for image in (mask, signal):
        image.SetDirection(np.eye(3).ravel())
    assert _verdicts(mask, signal)["brain_shape"] is Verdict.UNUSABLE


@pytest.mark.parametrize("name", sorted(set(NO_HEADS) - {"noise"}))
def test_fruit_phantom_knee_and_spine_are_no_head(name):
    scan = no_head(name, spacing_mm=3.0)
    assert Verdict.UNUSABLE in _verdicts(object_mask(scan), scan).values()


def test_uniform_signal_and_a_bright_skull_are_no_mr_scan_of_a_brain():
    mask, signal = _average_brain()
    uniform = sitk.Cast(mask, sitk.sitkFloat32) * 500
    assert _verdicts(mask, uniform)["tissue_contrast"] is Verdict.UNUSABLE
    bone = sitk.Cast(sitk.BinaryDilate(mask, [6, 6, 6]) - mask, sitk.sitkFloat32) * 3000
    assert _verdicts(mask, signal + bone, stripped=False)["skull_signal"] is Verdict.UNUSABLE
    assert _verdicts(mask, signal, stripped=False)["skull_signal"] is Verdict.GOOD


def test_an_empty_and_a_flat_outline_are_no_brain():
    grid = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(40, 40, 40), spacing_mm=(4.0,) * 3)
    flat = np.zeros((40, 40, 40), np.uint8)
    flat[20] = 1
    for mask in (np.zeros((40, 40, 40), np.uint8), flat):
        scan = image_on_grid(np.ones((40, 40, 40), np.float32), grid)
        assert _verdicts(image_on_grid(mask, grid), scan)["brain_shape"] is Verdict.UNUSABLE


def test_no_number_is_given_unless_the_user_overrides_and_that_is_kept():
    scan = no_head("orange", spacing_mm=3.0)
    given = {"recipe": RECIPE, "brain_mask": object_mask(scan)}
    with pytest.raises(PreparationError) as stop:
        prepare_case({MRSequence.T1GD: scan}, clock=StepClock(), **given)
    assert stop.value.message.code == "quality.stop"
    assert any(finding.code == "brain.no_adult_shape" for finding in stop.value.message.values["findings"])


def test_the_heads_of_the_tests_pass():
    scans, brain, _ = made_head(1)
    findings = judge_adult_brain(brain, scans[MRSequence.T1GD], stripped=False)
    assert [finding.message for finding in findings if finding.verdict is not Verdict.GOOD] == []
    assert findings[0].message == Message("brain.adult_shape")
