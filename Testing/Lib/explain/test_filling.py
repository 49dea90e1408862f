"""A filled region looks like its surroundings, nothing else changes, and the control has the same size elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_heads import made_head
from made_models import small_model
from refusals import refusal

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.explain.filling import control_region, fill, with_rim
from PCNSLSurvivalLib.imaging.io import write_volume

SIZE = (48, 56, 44)


@pytest.fixture
def scene():
    """(I, J, K) brain, lesion, and a case with a ramp along i in which the lesion is 5 brighter."""
    i, j, k = np.meshgrid(*(np.arange(n) for n in SIZE), indexing="ij")
    brain = ((i - 24) / 20) ** 2 + ((j - 28) / 24) ** 2 + ((k - 22) / 18) ** 2 < 1
    lesion = (i - 18) ** 2 + (j - 24) ** 2 + (k - 22) ** 2 < 25
    ramp = 0.05 * (i - 24.0)
    case = (np.where(brain, ramp, -9.0) + 5.0 * lesion)[None].astype(np.float32)
    return brain, lesion, case, ramp


def test_the_lesion_is_gone_and_the_rest_is_untouched(scene):
    brain, lesion, case, ramp = scene
    region = with_rim(lesion, brain)
    filled = fill(case, region, brain)
    np.testing.assert_array_equal(filled[0][~region], case[0][~region])
    assert np.abs(filled[0] - ramp)[lesion].max() < 0.3, "the lesion stood 5 above its surroundings"


def test_air_around_the_brain_does_not_leak_into_a_region_at_its_edge(scene):
    brain, _lesion, case, ramp = scene
    i, j, k = np.indices(SIZE)
    edge = brain & ((i - 5) ** 2 + (j - 28) ** 2 + (k - 22) ** 2 < 36)
    filled = fill(case, edge, brain)
    assert filled[0][edge].min() > ramp[edge].min() - 0.5


def test_the_control_is_the_nearest_place_of_equal_size_in_the_brain_beside_the_lesion(scene):
    brain, lesion, _case, _ramp = scene
    control = control_region(lesion, brain)
    assert control.sum() == lesion.sum()
    assert not (control & lesion).any()
    assert brain[control].mean() > 0.97
    gap = np.linalg.norm(np.argwhere(control).mean(axis=0) - np.argwhere(lesion).mean(axis=0))
    assert 10 < gap < 24


def test_a_lesion_that_leaves_no_room_has_no_control(scene):
    brain, _lesion, _case, _ramp = scene
    assert control_region(brain, brain) is None


def test_the_command_tells_the_answer_without_the_lesion_and_refuses_a_case_without_one(tmp_path, capsys):
    scans, brain, lesion = made_head(3)
    for name, image in (("t1gd", scans[MRSequence.T1GD]), ("brain", brain), ("lesion", lesion)):
        write_volume(image, tmp_path / f"{name}.nii.gz")
    words = ["explain", "--t1gd", str(tmp_path / "t1gd.nii.gz"), "--brain-mask", str(tmp_path / "brain.nii.gz")]
    words += ["--override-quality", "--already-corrected", "--progress", "none", "--without-lesion"]
    words += ["--model", str(small_model(tmp_path / "untrained").path)]
    given = ["--lesion-mask", str(tmp_path / "lesion.nii.gz"), "--out", str(tmp_path / "out")]
    assert main([*words, *given]) == 0
    stored = json.loads((tmp_path / "out" / "prediction.json").read_text(encoding="utf-8"))
    told = stored["without_lesion"]
    assert told["sentence"] in capsys.readouterr().out
    assert told["filled_ml"] > stored["lesion"]["volume_ml"] > 5
    for answer in (told["lesion_filled"], told["control_filled"]):
        assert answer["change"] == pytest.approx(answer["log_odds"] - stored["log_odds"])
        assert answer["probability_over_one_year"] == pytest.approx(1 / (1 + np.exp(-answer["log_odds"])), abs=1e-6)
    assert told["lesion_filled"]["change"] != 0
    assert main([*words, "--out", str(tmp_path / "none")]) == 3
    assert refusal("filled.no_lesion") in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
