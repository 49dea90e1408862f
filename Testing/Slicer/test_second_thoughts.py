"""Second thoughts from the panel: in the background, with cancel, an answer beside the map, a doubted map hatched."""

from __future__ import annotations

import json
from pathlib import Path

import fake_worker
import numpy as np
import pytest
from made_scenes import (
    LESION_RAS_MM,
    Wait,
    add_head,
    child_processes,
    outputs_of,
    scene_state,
    temporary_files,
    wait_for_answer,
)

HERE = Path(__file__).resolve().parent


@pytest.fixture
def predicted(quick_panel, opened, monkeypatch):
    """The panel with a result of an installed model."""
    from PCNSLSurvivalUI.run import request
    from PCNSLSurvivalUI.run.engines import BUILT_IN

    monkeypatch.setattr(request, "is_brain_extractor_installed", lambda method: True)
    for engine in ("biasEngine", "brainEngine", "registrationEngine"):
        setattr(quick_panel.logic.getParameterNode(), engine, BUILT_IN)
    return opened(add_head("T1 Gd", "oblique"))


def _worker(monkeypatch, tmp_path, **plan):
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(tmp_path / "words"), **plan}))


def _asked(panel, button="checkMapButton", label="checksLabel"):
    """The answer; the event loop stays calm until it stands there, whatever was asked."""
    getattr(panel.ui, button).click()
    wait = wait_for_answer(panel)
    assert wait.is_calm(), wait.longest_gap_ms
    return getattr(panel.ui, label).text


def _words(tmp_path):
    return json.loads((tmp_path / "words").read_text())


def _asked_options(words):
    """What our command line reads in the words."""
    from PCNSLSurvivalLib.cli.__main__ import command_line_parser
    from PCNSLSurvivalLib.cli.options.case import case_options

    return case_options(command_line_parser().parse_args(words))


def _drawn(head, above=900, name="drawn"):
    """A label map of the bright part of a head; empty with a limit that nothing reaches."""
    import slicer

    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", name)
    slicer.util.updateVolumeFromArray(mask, (slicer.util.arrayFromVolume(head) > above).astype("uint8"))
    mask.CopyOrientation(head)
    return mask


def _show(panel, kind):
    panel.ui.mapSelector.setCurrentIndex(panel.ui.mapSelector.findData(kind))


def test_a_map_that_fails_a_check_carries_a_red_badge_with_its_class(predicted, monkeypatch, tmp_path):
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import CORRECTED

    _worker(monkeypatch, tmp_path)
    assert not predicted.ui.checksLabel.isVisibleTo(predicted.parent)
    text = _asked(predicted)
    assert predicted.ui.messageLabel.text == ""
    first = "Grad-CAM for class OS > 1 year: 1 of 2 explanation checks passed. Do not rely on this map."
    assert text.startswith(first)
    assert "✓ randomized weights" in text
    assert "✗ deletion: The map is no better than random places." in text
    assert "#7a1f1f" in predicted.ui.checksLabel.styleSheet
    assert predicted.ui.checksLabel.isVisibleTo(predicted.parent)
    words = _words(tmp_path)
    assert words[0] == "explain"
    asked = _asked_options(words)
    assert asked.check_explanation
    assert asked.already_corrected
    assert (asked.target, asked.block, asked.method) == (1, "layer4", "grad_cam")
    import SimpleITK as sitk

    sent = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "t1gd.nrrd")))
    np.testing.assert_array_equal(sent, slicer.util.arrayFromVolume(outputs_of(predicted).node(CORRECTED)))
    assert child_processes() == []


def test_a_map_that_failed_is_hatched_and_only_that_one(predicted, monkeypatch, tmp_path):
    """Where the views show the map, stripes are cut out of it; what is left keeps its values."""
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import HATCHED, OVER, UP_TO, mapRole

    def foreground():
        composite = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")
        return slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID())

    outputs, legend = outputs_of(predicted), slicer.modules.colors.logic().GetColorLegendDisplayNode
    _worker(monkeypatch, tmp_path)
    _asked(predicted)
    plain, hatched = outputs.node(mapRole(OVER, cells=False)), foreground()
    assert hatched is not plain
    before, after = slicer.util.arrayFromVolume(plain), slicer.util.arrayFromVolume(hatched)
    left = after > 0
    np.testing.assert_allclose(after[left], before[left], atol=1e-6)
    assert 0.45 < left.sum() / (before > 0).sum() < 0.8
    assert "FAILED A CHECK" in legend(hatched).GetTitleText()
    from PCNSLSurvivalUI.result import report_files

    monkeypatch.setattr(report_files, "askFile", lambda *words: tmp_path / "map.nrrd")
    predicted.ui.saveMapButton.click()
    Wait().until(lambda: predicted.ui.exportLabel.text == "")
    assert b"note:=Grad-CAM OS > 1 year. FAILED 1 of 2 checks. " in (tmp_path / "map.nrrd").read_bytes()[:1000]
    predicted.ui.smoothSelector.setCurrentIndex(1)
    cells = foreground()
    assert cells not in (plain, hatched, outputs.node(mapRole(OVER, cells=True)))
    assert set(np.unique(slicer.util.arrayFromVolume(cells))) <= {
        0.0, *np.unique(slicer.util.arrayFromVolume(outputs.node(mapRole(OVER, cells=True))))
    }  # fmt: skip
    predicted.ui.smoothSelector.setCurrentIndex(0)
    _show(predicted, UP_TO)
    assert foreground() is outputs.node(mapRole(UP_TO, cells=False))
    assert legend(hatched).GetVisibility() == 0
    _show(predicted, OVER)
    assert foreground() is hatched
    predicted.ui.predictButton.click()
    Wait().until(lambda: predicted.logic.run is None)
    wait_for_answer(predicted)
    assert foreground().GetName() == hatched.GetName(), "the same answer of the same scan"
    assert len(outputs.roles(HATCHED)) == 2
    assert len(slicer.util.getNodes("Grad-CAM * (!)")) == 1, "the earlier copy is gone"


def test_the_badge_is_hidden_while_another_map_is_shown(predicted, monkeypatch, tmp_path):
    from PCNSLSurvivalUI.result.map_display import EVIDENCE_KIND
    from PCNSLSurvivalUI.scene.output_nodes import OVER, UP_TO

    _worker(monkeypatch, tmp_path)
    _asked(predicted)
    for kind in (UP_TO, EVIDENCE_KIND):
        _show(predicted, kind)
        assert predicted.ui.checksLabel.text == ""
        assert predicted.ui.checkMapButton.enabled is (kind == UP_TO)
    _show(predicted, OVER)
    assert predicted.ui.checksLabel.text.startswith("Grad-CAM for class OS > 1 year: 1 of 2")
    _show(predicted, UP_TO)
    assert _asked(predicted).startswith("Grad-CAM for class OS ≤ 1 year: 1 of 2")
    assert _words(tmp_path)[_words(tmp_path).index("--target") + 1] == "up-to"
    _show(predicted, OVER)
    assert predicted.ui.checksLabel.text.startswith("Grad-CAM for class OS > 1 year: 1 of 2")


def test_a_map_that_was_not_checked_says_so_beside_it(predicted, monkeypatch, tmp_path):
    """As the report and the header of a saved map do, until its own checks stand there."""
    from PCNSLSurvivalUI.result.map_display import EVIDENCE_KIND
    from PCNSLSurvivalUI.scene.output_nodes import OVER, UP_TO

    def warned():
        return "This map was not checked." in predicted.ui.cautionLabel.text

    _worker(monkeypatch, tmp_path)
    assert warned()
    _asked(predicted)
    assert not warned()
    _show(predicted, EVIDENCE_KIND)
    assert not warned(), "it adds up exactly, and every run tests that it does"
    _show(predicted, UP_TO)
    assert warned()
    _show(predicted, OVER)
    assert not warned()
    parameters = predicted.logic.getParameterNode()
    parameters.lesion = _drawn(parameters.t1gdVolume)
    assert "with another tumor outline" in predicted.ui.checksLabel.text
    assert not warned(), "it failed, whatever the outline"
    _worker(monkeypatch, tmp_path, passed=True)
    _asked(predicted)
    assert not warned()
    parameters.lesion = None
    assert warned(), "it passed with another outline only"


def test_the_badge_belongs_to_its_result_alone_and_comes_back_with_it(predicted, monkeypatch, tmp_path):
    _worker(monkeypatch, tmp_path)
    _asked(predicted)
    parameters = predicted.logic.getParameterNode()
    kept = parameters.result
    other = json.loads(kept)
    other["log_odds"] = -1.0
    parameters.result = json.dumps(other)
    assert predicted.ui.checksLabel.text == ""
    parameters.result = kept
    assert "1 of 2" in predicted.ui.checksLabel.text


def test_what_if_the_lesion_were_not_there(predicted, monkeypatch, tmp_path):
    import SimpleITK as sitk

    _worker(monkeypatch, tmp_path)
    asked = ("withoutLesionButton", "withoutLesionLabel")
    assert _asked(predicted, *asked) == ""
    assert "There is no tumor outline to fill." in predicted.ui.messageLabel.text
    predicted.logic.getParameterNode().lesion = _drawn(predicted.logic.getParameterNode().t1gdVolume)
    before = scene_state()
    assert _asked(predicted, *asked) == fake_worker.WITHOUT_LESION["sentence"]
    assert predicted.ui.messageLabel.text == ""
    assert "--without-lesion" in _words(tmp_path)
    sent = sitk.ReadImage(str(tmp_path / "lesion.nrrd"))
    middle = np.argwhere(sitk.GetArrayFromImage(sent) > 0).mean(axis=0)[::-1]
    lps = sent.TransformContinuousIndexToPhysicalPoint(middle.tolist())
    np.testing.assert_allclose(np.array(lps) * (-1, -1, 1), LESION_RAS_MM, atol=1.0)
    after = scene_state()
    assert before.keys() == after.keys()
    assert _asked(predicted, "checkMapButton", "checksLabel"), "another question"
    assert predicted.ui.withoutLesionLabel.text == fake_worker.WITHOUT_LESION["sentence"], "the answer stays"


def test_the_outline_of_another_patient_never_enters_the_answer_about_this_one(predicted, monkeypatch, tmp_path):
    """The result of A is shown while B is chosen and drawn on."""
    _worker(monkeypatch, tmp_path)
    asked = ("withoutLesionButton", "withoutLesionLabel")
    parameters, first = predicted.logic.getParameterNode(), predicted.logic.getParameterNode().t1gdVolume
    parameters.t1gdVolume = add_head("T1 Gd of B", "oblique")
    parameters.lesion = _drawn(parameters.t1gdVolume)
    assert _asked(predicted, *asked) == ""
    assert "Choose the T1Gd of this result and its tumor outline" in predicted.ui.messageLabel.text
    assert not (tmp_path / "words").exists()
    _asked(predicted)
    assert "--check" in _words(tmp_path)
    assert "--lesion-mask" not in _words(tmp_path)
    parameters.t1gdVolume = first
    assert parameters.lesion is None
    parameters.lesion = _drawn(first)
    assert _asked(predicted, *asked) == fake_worker.WITHOUT_LESION["sentence"]


def test_an_answer_about_another_outline_is_hidden_here_and_in_the_report(predicted, monkeypatch, tmp_path):
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import REPORT

    from PCNSLSurvivalLib.results.second_thoughts import second_thoughts_html

    _worker(monkeypatch, tmp_path)
    asked, told = ("withoutLesionButton", "withoutLesionLabel"), fake_worker.WITHOUT_LESION["sentence"]
    report = outputs_of(predicted).node(REPORT)
    report.SetText(f"<html>{second_thoughts_html([])}</html>")
    parameters = predicted.logic.getParameterNode()
    mask = parameters.lesion = _drawn(parameters.t1gdVolume)
    assert _asked(predicted, *asked) == told
    assert report.GetText().count("<p>") == 1
    values = slicer.util.arrayFromVolume(mask)
    before = values.copy()
    values[tuple(np.argwhere(values)[0])] = 0  # one voxel, in Segment Editor
    slicer.util.arrayFromVolumeModified(mask)
    predicted.view.listenToKeys(True)  # and back
    assert predicted.ui.withoutLesionLabel.text == ""
    assert "<p>" not in report.GetText()
    values[:] = before
    slicer.util.arrayFromVolumeModified(mask)
    predicted.view.listenToKeys(True)
    assert predicted.ui.withoutLesionLabel.text == told
    parameters.lesion = None
    assert predicted.ui.withoutLesionLabel.text == ""
    assert "<p>" not in report.GetText()


def test_an_empty_outline_stops_only_the_question_that_needs_it(predicted, monkeypatch, tmp_path):
    _worker(monkeypatch, tmp_path)
    parameters = predicted.logic.getParameterNode()
    parameters.lesion = _drawn(parameters.t1gdVolume, above=1e9)
    for button, label in (("robustnessButton", "robustnessLabel"), ("checkMapButton", "checksLabel")):
        assert _asked(predicted, button, label) != ""
        assert "--lesion-mask" not in _words(tmp_path)
    assert _asked(predicted, "withoutLesionButton", "withoutLesionLabel") == ""
    assert predicted.ui.messageLabel.text.endswith("then repeat the test.")
    parameters.lesion = _drawn(parameters.t1gdVolume)
    _asked(predicted, "robustnessButton", "robustnessLabel")
    assert "--lesion-mask" not in _words(tmp_path), "no question that reads it"


def test_a_map_that_failed_is_told_in_the_report_and_in_what_is_exported(predicted, monkeypatch, tmp_path):
    from PCNSLSurvivalUI.scene.output_nodes import REPORT, UP_TO
    from PCNSLSurvivalUI.second_thoughts.answers import withChecks

    from PCNSLSurvivalLib.results.second_thoughts import second_thoughts_html

    _worker(monkeypatch, tmp_path)
    outputs, parameters = outputs_of(predicted), predicted.logic.getParameterNode()
    report = outputs.node(REPORT)
    report.SetText(f"<html>{second_thoughts_html([])}</html>")
    _asked(predicted)
    assert "Grad-CAM for OS &gt; 1 year: 1 of 2 explanation checks passed. Do not rely on" in report.GetText()
    assert "Failed: deletion: The map is no better than random places." in report.GetText()
    assert "≤" not in report.GetText()
    result = json.loads(parameters.result)
    assert withChecks(parameters, result)["explanation_checks"]["verdict"] == "check"
    assert "explanation_checks_other_class" not in withChecks(parameters, result)
    _show(predicted, UP_TO)
    _asked(predicted)
    assert "Grad-CAM for OS ≤ 1 year: 1 of 2" in report.GetText()
    assert withChecks(parameters, result)["explanation_checks_other_class"]["verdict"] == "check"


def test_hatching_goes_when_the_map_is_checked_again_and_passes(predicted, monkeypatch, tmp_path):
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import HATCHED, OVER, mapRole

    def foreground():
        composite = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")
        return slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID())

    outputs, legend = outputs_of(predicted), slicer.modules.colors.logic().GetColorLegendDisplayNode
    _worker(monkeypatch, tmp_path)
    _asked(predicted)
    cells = HATCHED + mapRole(OVER, cells=True)
    slicer.mrmlScene.RemoveNode(outputs.node(cells))
    predicted.enter()
    wait_for_answer(predicted)
    assert outputs.node(cells) is not None, "each of the two kinds has its copy"
    parameters = predicted.logic.getParameterNode()
    parameters.lesion = _drawn(parameters.t1gdVolume)
    assert predicted.ui.checksLabel.text == "This map failed a check with another tumor outline. Check it again."
    assert foreground() is outputs.node(HATCHED + mapRole(OVER, cells=False)), "an outline takes no doubt away"
    _worker(monkeypatch, tmp_path, passed=True)
    assert "2 of 2" in _asked(predicted)
    assert foreground() is outputs.node(mapRole(OVER, cells=False))
    assert "FAILED" not in legend(foreground()).GetTitleText()


def test_the_robustness_tells_range_and_flip_here_and_in_the_report(predicted, monkeypatch, tmp_path):
    from PCNSLSurvivalUI.scene.output_nodes import REPORT

    from PCNSLSurvivalLib.results.second_thoughts import second_thoughts_html

    parameters = predicted.logic.getParameterNode()
    result = json.loads(parameters.result)
    swiss = {"name": "SwissSkullStripper", "version": "1.0"}
    result["preprocessing"]["engines"] = {"brain_extraction": swiss}
    result["options"] = {"block": "layer3", "tta": True, "override_quality": True, "segment": True, "runtime": "onnx"}
    result["options"]["lesion_labels"] = [1]
    parameters.result = json.dumps(result)
    _worker(monkeypatch, tmp_path)
    report = outputs_of(predicted).node(REPORT)
    report.SetText(f"<html>{second_thoughts_html([])}</html>")
    told = _asked(predicted, "robustnessButton", "robustnessLabel").splitlines()
    assert told[0] == fake_worker.FLIPS["sentence"]
    assert told[1:] == ["Noise, up to 20 %: 0.58 to 0.61", "Turned head, up to 6°: 0.45 to 0.55"]
    assert "#6b4e00" in predicted.ui.robustnessLabel.styleSheet, "the class changes"
    assert report.GetText().count("The class changes with the head turned by 6°.") == 1
    assert json.loads((tmp_path / "prepared.json").read_text())["engines"] == {"brain_extraction": swiss}
    asked = _asked_options(_words(tmp_path))
    assert (asked.block, asked.tta, asked.override_quality, asked.robustness) == ("layer3", True, True, True)
    assert (asked.segment, asked.runtime) == (False, "auto"), "what decides no answer is not asked again"
    _asked(predicted, "robustnessButton", "robustnessLabel")
    assert report.GetText().count("The class changes") == 1


def test_one_question_at_a_time_is_cancelled_and_ends_with_its_result(predicted, monkeypatch, tmp_path):
    ui = predicted.ui
    predicted.logic.kept.forget()
    parameters = predicted.logic.getParameterNode()
    parameters.lesion = _drawn(parameters.t1gdVolume)
    before, scene = temporary_files(), scene_state()
    buttons = (ui.checkMapButton, ui.withoutLesionButton, ui.robustnessButton)
    _worker(monkeypatch, tmp_path, seconds=60)
    for button, stop in zip(buttons, (ui.checkMapButton, ui.withoutLesionButton, ui.closeResultButton), strict=True):
        asked = button.text
        button.click()
        wait = Wait()
        wait.until((tmp_path / "words").is_file)
        assert "Cancel" in button.text
        assert [one.enabled for one in buttons] == [one is button for one in buttons]
        stop.click()
        wait.until(lambda: child_processes() == [])
        assert wait.is_calm(), wait.longest_gap_ms
        if stop is button:
            assert "as before" in ui.messageLabel.text
            assert button.text == asked
            assert scene_state() == scene
        assert "Cancel" not in button.text or not button.isVisibleTo(predicted.parent)
        assert temporary_files() == before
        (tmp_path / "words").unlink()
    assert ui.checksLabel.text == ui.withoutLesionLabel.text == ui.robustnessLabel.text == ""


def test_an_answer_about_another_case_is_not_shown(predicted, monkeypatch, tmp_path):
    """Someone repaired the brain mask after the prediction: what is asked would be another case."""
    _worker(monkeypatch, tmp_path, log_odds=0.9)
    assert _asked(predicted) == ""
    assert "changed since the prediction" in predicted.ui.messageLabel.text


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda result: result["model"].update(checksum_sha256="00" * 32), "model of this result is not installed"),
        (lambda result: None, "no longer in the scene"),
    ],
)
def test_what_cannot_be_asked_is_said(predicted, spoil, words):
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import CORRECTED

    parameters = predicted.logic.getParameterNode()
    result = json.loads(parameters.result)
    spoil(result)
    parameters.result = json.dumps(result)
    slicer.mrmlScene.RemoveNode(outputs_of(predicted).node(CORRECTED))
    predicted.ui.checkMapButton.click()
    assert words in predicted.ui.messageLabel.text
    assert "Cancel" not in predicted.ui.checkMapButton.text
