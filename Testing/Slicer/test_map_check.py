"""The checks of the explanation from the panel: in the background, with cancel, and a badge beside the map."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_scenes import Wait, add_head, child_processes, scene_state, temporary_files

HERE = Path(__file__).resolve().parent


@pytest.fixture
def predicted(standin, quick_panel, monkeypatch, tmp_path):
    """The panel with a result of an installed model."""
    from PCNSLSurvivalUI.result import map_check
    from PCNSLSurvivalUI.run import request
    from PCNSLSurvivalUI.run.engines import BUILT_IN

    monkeypatch.setattr(map_check.MapCheck.__init__, "__defaults__", (HERE / "fake_worker.py",))
    monkeypatch.setattr(request, "is_brain_extractor_installed", lambda: True)
    for engine in ("biasEngine", "brainEngine", "registrationEngine"):
        setattr(quick_panel.view._parameters, engine, BUILT_IN)
    add_head("T1 Gd", "oblique")
    quick_panel.ui.guessButton.click()
    quick_panel.ui.predictButton.click()
    Wait().until(lambda: quick_panel.logic.run is None)
    return quick_panel


def _worker(monkeypatch, tmp_path, **plan):
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(tmp_path / "words"), **plan}))


def _checked(panel):
    panel.ui.checkMapButton.click()
    Wait().until(lambda: panel.view._checks.check is None)
    return panel.ui.checksLabel.text


def test_a_map_that_fails_a_check_carries_a_red_badge(predicted, monkeypatch, tmp_path):
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import CORRECTED, SceneOutputs

    _worker(monkeypatch, tmp_path)
    assert not predicted.ui.checksLabel.isVisibleTo(predicted.parent)
    before = scene_state()
    text = _checked(predicted)
    assert predicted.ui.messageLabel.text == ""
    assert text.startswith("1 of 2 explanation checks passed. Do not rely on this map.")
    assert "✓ randomized weights" in text
    assert "✗ deletion: The map is no better than random places." in text
    assert "#7a1f1f" in predicted.ui.checksLabel.styleSheet
    assert predicted.ui.checksLabel.isVisibleTo(predicted.parent)
    words = json.loads((tmp_path / "words").read_text())
    assert words[0] == "explain"
    assert {"--check", "--already-corrected"} <= set(words)
    assert words[words.index("--target") + 1] == "over"
    import SimpleITK as sitk

    sent = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "t1gd.nrrd")))
    corrected = SceneOutputs(predicted.view._parameters.parameterNode).node(CORRECTED)
    np.testing.assert_array_equal(sent, slicer.util.arrayFromVolume(corrected))
    assert scene_state() == before
    assert child_processes() == []


def test_the_badge_belongs_to_its_result_alone_and_comes_back_with_it(predicted, monkeypatch, tmp_path):
    _worker(monkeypatch, tmp_path)
    _checked(predicted)
    parameters = predicted.view._parameters
    kept = parameters.result
    other = json.loads(kept)
    other["log_odds"] = -1.0
    parameters.result = json.dumps(other)
    assert predicted.ui.checksLabel.text == ""
    parameters.result = kept
    assert predicted.ui.checksLabel.text.startswith("1 of 2")


def test_the_checks_can_be_cancelled_and_end_with_their_result(predicted, monkeypatch, tmp_path):
    predicted.logic.kept.forget()
    before = temporary_files()
    _worker(monkeypatch, tmp_path, seconds=60)
    for stop in (predicted.ui.checkMapButton.click, predicted.ui.closeResultButton.click):
        predicted.ui.checkMapButton.click()
        Wait().until(lambda: predicted.view._checks.check is None or (tmp_path / "words").is_file())
        assert "Cancel" in predicted.ui.checkMapButton.text
        stop()
        assert predicted.view._checks.check is None
        (tmp_path / "words").unlink()
    Wait().until(lambda: child_processes() == [])
    assert temporary_files() == before
    assert predicted.ui.checksLabel.text == ""


def test_checks_of_another_map_are_not_shown(predicted, monkeypatch, tmp_path):
    """Someone repaired the brain mask after the prediction: what is checked would be another map."""
    _worker(monkeypatch, tmp_path, log_odds=0.9)
    assert _checked(predicted) == ""
    assert "changed since the prediction" in predicted.ui.messageLabel.text


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda result: result["model"].update(checksum_sha256="00" * 32), "model of this result is not installed"),
        (lambda result: None, "no longer in the scene"),
    ],
)
def test_what_cannot_be_checked_is_said(predicted, spoil, words):
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import CORRECTED, SceneOutputs

    parameters = predicted.view._parameters
    result = json.loads(parameters.result)
    spoil(result)
    parameters.result = json.dumps(result)
    slicer.mrmlScene.RemoveNode(SceneOutputs(parameters.parameterNode).node(CORRECTED))
    predicted.ui.checkMapButton.click()
    assert words in predicted.ui.messageLabel.text
    assert predicted.view._checks.check is None
