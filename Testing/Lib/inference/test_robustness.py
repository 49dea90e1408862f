"""Disturbed copies: no change at strength zero, the stated one otherwise; range and change of class are the copies'."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import made_head
from made_models import small_model, small_recipe
from scipy import ndimage

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.progress import StepClock, silent
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.inference import robustness
from PCNSLSurvivalLib.inference.robustness import Disturbance, DisturbedAnswer, Robustness, other_outline_of
from PCNSLSurvivalLib.preprocessing.disturbances import moved_outline, noisy, outlined, shaded, turned
from PCNSLSurvivalLib.preprocessing.pipeline import prepare_case
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState

T1GD = (MRSequence.T1GD,)
RECIPE = small_recipe(96)  # the made head has voxels of 6 mm


@pytest.fixture(scope="module")
def prepared():
    scans, brain, _lesion = made_head(3)
    return prepare_case(
        {MRSequence.T1GD: scans[MRSequence.T1GD]},
        recipe=RECIPE,
        clock=StepClock(silent),
        known=ScanState(already_corrected=True),
        brain_mask=brain,
        override_quality=True,
    )


def test_a_disturbance_without_strength_changes_nothing(prepared):
    as_it_is = prepared.network_input(T1GD)
    for copy in (
        shaded(prepared, T1GD, axis=1, ratio=1.0),
        noisy(prepared, T1GD, share=0.0, seed=0),
        turned(prepared, T1GD, axis=2, degrees=0.0),
        outlined(prepared, T1GD, prepared.brain_mask),
    ):
        np.testing.assert_allclose(copy, as_it_is, atol=1e-4)


@pytest.mark.parametrize(("axis", "degrees"), [(0, 10.0), (1, -10.0), (2, 10.0)])
def test_a_turned_head_carries_its_lesion_along(prepared, axis, degrees):
    """The bright lesion lies off the axis: its center goes where the rotation about the brain's middle takes it."""

    def places(case):
        spacing = RECIPE.network_grid.spacing_mm[0]
        parts, count = ndimage.label(case[0] > 3.5)
        largest = 1 + np.argmax(ndimage.sum_labels(case[0] > 0, parts, range(1, count + 1)))
        bright = np.argwhere(parts == largest).mean(axis=0)
        return (bright - (np.array(case.shape[1:]) - 1) / 2) * spacing  # the block lies about the brain's middle

    before, after = places(prepared.network_input(T1GD)), places(turned(prepared, T1GD, axis=axis, degrees=degrees))
    a, b = (axis + 1) % 3, (axis + 2) % 3
    angle = np.radians(degrees)
    expected = before.copy()
    expected[a] = np.cos(angle) * before[a] - np.sin(angle) * before[b]
    expected[b] = np.sin(angle) * before[a] + np.cos(angle) * before[b]
    assert np.linalg.norm(expected - before) > 3
    assert np.linalg.norm(after - expected) < 0.5


def test_shading_makes_one_end_of_the_brain_brighter_by_the_ratio(prepared):
    plain, field = prepared.network_input(T1GD)[0], shaded(prepared, T1GD, axis=1, ratio=1.4)[0]
    rows = np.flatnonzero((plain != 0).any(axis=(0, 2)))
    front, back = (slice(None), rows[5:15]), (slice(None), rows[-15:-5])
    assert np.median(field[back][plain[back] != 0]) > np.median(plain[back][plain[back] != 0]) + 0.3
    assert np.median(field[front][plain[front] != 0]) < np.median(plain[front][plain[front] != 0]) - 0.3


def test_an_outline_moves_by_the_millimeters_told(prepared):
    radius = []
    for mm in (-6.0, 0.0, 6.0):
        voxels = np.count_nonzero(sitk.GetArrayFromImage(moved_outline(prepared.brain_mask, mm)))
        radius.append((3 * voxels * 6.0**3 / (4 * np.pi)) ** (1 / 3))
    assert np.diff(radius) == pytest.approx([6.0, 6.0], abs=1.5)


def _answers(*told):
    return tuple(
        DisturbedAnswer(disturbance=kind, strength=strength, direction="", probability=p, log_odds=np.log(p / (1 - p)))
        for kind, strength, p in told
    )


def test_the_class_changes_at_the_weakest_strength_that_changes_it():
    noise, turn = Disturbance.NOISE, Disturbance.ROTATION
    answers = _answers((noise, 0.1, 0.58), (turn, 3.0, 0.55), (turn, 6.0, 0.48), (turn, 12.0, 0.41))
    found = Robustness(probability=0.6, decision_threshold=0.5, answers=answers)
    assert (found.lowest, found.highest) == (0.41, 0.6)
    assert found.flips_at(turn) == 6.0
    assert found.flips_at(noise) is None
    assert found.message.code == "robustness.flips"
    assert "The class changes with the head turned by 6°." in str(found.message)
    stable = Robustness(probability=0.6, decision_threshold=0.4, answers=answers)
    assert stable.message.code == "robustness.stays"
    assert "The class stays OS > 1 year in all of them." in str(stable.message)


def test_a_mask_of_another_program_counts_only_where_it_differs(prepared, monkeypatch):
    assert other_outline_of(prepared, sitk.Image(prepared.brain_mask), by_another=True) is None
    assert other_outline_of(prepared, None, by_another=False) is None
    wider = moved_outline(prepared.brain_mask, 6.0)
    built_in = SimpleNamespace(is_installed=lambda: True, extract=lambda t1gd, step: wider)
    monkeypatch.setattr(robustness, "brain_extractor", lambda method: built_in)
    assert other_outline_of(prepared, None, by_another=True) is wider
    assert other_outline_of(prepared, wider, by_another=False) is wider


def test_the_command_tells_range_and_change_of_class(tmp_path, capsys, monkeypatch):
    strengths = dict.fromkeys(robustness.STRENGTHS, ()) | {Disturbance.NOISE: (0.2,), Disturbance.OUTLINE: (6.0,)}
    monkeypatch.setattr(robustness, "STRENGTHS", strengths)
    scans, brain, _lesion = made_head(3)
    write_volume(scans[MRSequence.T1GD], tmp_path / "t1gd.nii.gz")
    write_volume(brain, tmp_path / "brain.nii.gz")
    write_volume(sitk.BinaryErode(brain, [1] * 3), tmp_path / "other.nii.gz")
    words = ["explain", "--t1gd", str(tmp_path / "t1gd.nii.gz"), "--brain-mask", str(tmp_path / "brain.nii.gz")]
    words += ["--already-corrected", "--override-quality", "--progress", "none", "--robustness"]
    words += ["--other-brain-mask", str(tmp_path / "other.nii.gz")]
    words += ["--model", str(small_model(tmp_path / "mine_untrained").path), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match="2"):
        main([word for word in words if word != "--robustness"])
    assert "give both, or neither" in capsys.readouterr().err
    assert main(words) == 0
    stored = json.loads((tmp_path / "out" / "prediction.json").read_text(encoding="utf-8"))
    told = stored["robustness"]
    assert told["sentence"] in capsys.readouterr().out
    assert told["sentence"].replace(">", "&gt;") in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    found = [copy["probability_over_one_year"] for copy in told["copies"]]
    assert told["lowest"] == min(*found, stored["probability_over_one_year"])
    assert told["highest"] == max(*found, stored["probability_over_one_year"])
    assert list(told["flips_at"]) == ["noise", "outline", "other_outline"]
    assert [copy["direction"] for copy in told["copies"]] == ["seed 0", "wider", "tighter", ""]
    assert len({stored["probability_over_one_year"], *found}) == 5, "every copy is another scan to the network"
