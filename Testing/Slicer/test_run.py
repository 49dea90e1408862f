"""A run in the panel: one click to the result, nothing left over, whatever happens on the way."""

from __future__ import annotations

import json

import pytest
from fake_worker import NO_CONTENT
from made_scenes import Wait, add_head, child_processes, outputs_of, scene_state, shown_steps, temporary_files


def _patient():
    return add_head("T1 Gd"), add_head("T1", "oblique", gain=0.8), add_head("T2", "thick slices", gain=0.5)


def test_one_click_from_scans_to_result(standin, quick_panel):
    import slicer
    from slicer_standin import cli
    from slicer_standin.pythonqt import slot_errors

    ui, wait = quick_panel.ui, Wait()
    inputs = _patient()
    before = scene_state()
    ui.guessButton.click()
    ui.predictButton.click()
    assert ui.predictButton.text == "Cancel"
    wait.until(lambda: quick_panel.logic.run is None, what=ui.messageLabel.text)
    wait.some(0.2)
    assert ui.messageLabel.text == ""
    assert "63 %" in ui.headlineLabel.text
    assert not cli.faults
    assert not cli.crashes
    assert not slot_errors
    after = scene_state()
    for node in inputs:
        assert after[node.GetID()] == before[node.GetID()], "the inputs are as they were"
    new = sorted(kept[1] for id_, kept in after.items() if id_ not in before)
    wanted = ["Grad-CAM OS > 1 year", "Grad-CAM OS <= 1 year", "Brain mask", "Report (HTML)"]
    wanted += ["T1 aligned with T1Gd", "T1 to T1Gd", "T2 aligned with T1Gd", "T2 to T1Gd"]
    assert [name for name in wanted if name not in new] == []
    assert slicer.util.getNodesByClass("vtkMRMLCommandLineModuleNode") == []
    quick_panel.logic.kept.forget()  # what is kept for the next run
    assert temporary_files() == []
    assert child_processes() == []
    assert wait.is_calm(), f"silent for {wait.longest_gap_ms:.0f} ms, by the clock {wait.longest_silence_ms:.0f} ms"


@pytest.mark.parametrize("ending", ["cancelled", "complete"])
def test_a_run_leaves_no_observer_on_the_scans(standin, quick_panel, ending):
    """Python's collector of cycles may come much later: nothing must wait for it."""
    import gc

    ui, wait = quick_panel.ui, Wait()
    images = [node.GetImageData() for node in _patient()]
    ui.guessButton.click()

    def observers():
        return [str(image).count("vtkObserver") for image in images]

    before = observers()
    gc.disable()
    try:
        ui.predictButton.click()
        if ending == "cancelled":
            wait.some(0.1)
            ui.predictButton.click()
        wait.until(lambda: quick_panel.logic.run is None, what=ui.messageLabel.text)
        wait.until(lambda: not child_processes())
        # What was under way lets go of the voxels with the next events.
        wait.until(lambda: observers() == before, 10.0, what="observers stay")
    finally:
        gc.enable()


def test_result_and_warnings_are_on_top_while_other_scans_are_aligned(standin, quick_panel):
    from slicer_standin import cli

    cli.plans["brainsfit"] = {"seconds": 2.0, "quick": True}
    ui, wait = quick_panel.ui, Wait()
    _patient()
    ui.guessButton.click()
    ui.resultSection.setChecked(False)  # by the user, who was done with the result before
    ui.predictButton.click()
    assert ui.stepsSection.checked
    wait.until(lambda: ui.resultSection.isVisibleTo(quick_panel.parent), what=ui.messageLabel.text)
    assert ui.resultSection.checked
    assert quick_panel.logic.run is not None
    assert not ui.stepsSection.checked
    assert not ui.scansSection.checked
    assert ui.progressLabel.isVisibleTo(quick_panel.parent)
    ui.predictButton.click()


def test_the_comparison_with_t1_is_kept_for_the_next_run(standin, quick_panel, monkeypatch, tmp_path):
    """With Slicer's modules our process does no step of its own but this one."""
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(tmp_path / "words")}))
    ui, wait = quick_panel.ui, Wait()
    _patient()
    ui.guessButton.click()
    folders = []
    for _run in range(2):
        ui.predictButton.click()
        wait.until(lambda: quick_panel.logic.run is None, what=ui.messageLabel.text)
        words = json.loads((tmp_path / "words").read_text())
        assert "--compare-t1" in words
        folders.append(words[words.index("--cache-dir") + 1])
    assert folders[0] == folders[1]
    quick_panel.logic.kept.forget()
    assert temporary_files() == []


def test_a_failure_of_the_process_is_told_in_its_own_sentence(standin, quick_panel, monkeypatch):
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"stop_at": "read", "how": "sentence"}))
    ui, wait = quick_panel.ui, Wait()
    add_head("T1 Gd")
    ui.guessButton.click()
    before = scene_state()
    ui.predictButton.click()
    wait.until(lambda: quick_panel.logic.run is None)
    assert ui.messageLabel.text == NO_CONTENT["sentence"]
    assert ui.predictButton.enabled
    assert scene_state() == before
    assert temporary_files() == []


def test_a_failing_alignment_for_reading_is_told_and_the_prediction_stays(standin, quick_panel):
    import slicer
    from slicer_standin import cli

    cli.plans |= {name: {"quick": True} for name in ("n4itkbiasfieldcorrection", "swissskullstripper")}
    cli.plans["brainsfit"] = {"fail": "terminate called"}
    ui, wait = quick_panel.ui, Wait()
    _patient()
    ui.guessButton.click()
    ui.predictButton.click()
    wait.until(lambda: quick_panel.logic.run is None)
    assert "BRAINSFit did not finish on T2" in ui.messageLabel.text
    assert "63 %" in ui.headlineLabel.text
    assert shown_steps(quick_panel)["T2 to T1Gd (for reading)"].words == "failed"
    assert ui.stepsSection.checked, "open, since not all went well"
    assert slicer.util.getNodes("T2 aligned*") == {}


def test_the_next_patient_takes_the_place_of_the_last(standin, quick_panel):
    """Two patients in one scene: one set of outputs, on the voxels and under the study of the one predicted last."""
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import OVER, mapRole
    from slicer_standin import cli

    cli.plans |= {name: {"quick": True} for name in ("n4itkbiasfieldcorrection", "swissskullstripper")}
    sh = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    ui, wait, sizes = quick_panel.ui, Wait(), []
    for name, geometry in (("A T1 Gd", "axial"), ("B T1 Gd", "thick slices")):
        head = add_head(name, geometry)
        study = sh.CreateStudyItem(sh.CreateSubjectItem(sh.GetSceneItemID(), name[0]), "MRI")
        sh.SetItemParent(sh.GetItemByDataNode(head) or sh.CreateItem(study, head), study)
        ui.t1gdSelector.setCurrentNode(head)
        ui.predictButton.click()
        wait.until(lambda: quick_panel.logic.run is None)
        shown = outputs_of(quick_panel).node(mapRole(OVER, cells=False))
        assert shown.GetImageData().GetDimensions() == head.GetImageData().GetDimensions()
        assert sh.GetItemChildWithName(study, "PCNSL Survival")
        assert not ui.otherScanLabel.isVisibleTo(quick_panel.parent)
        sizes.append(len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")))
    assert sizes[1] == sizes[0] + 1, "the second patient's T1Gd, and nothing else"


@pytest.mark.parametrize("module", ["n4itkbiasfieldcorrection", "swissskullstripper"])
def test_a_failing_cli_module_is_told_and_the_panel_stays_usable(standin, quick_panel, module):
    from slicer_standin import cli

    cli.plans[module] = {"fail": "terminate called"}
    ui, wait = quick_panel.ui, Wait()
    add_head("T1 Gd")
    ui.guessButton.click()
    before = scene_state()
    ui.predictButton.click()
    wait.until(lambda: quick_panel.logic.run is None)
    assert "did not finish on T1Gd" in ui.messageLabel.text
    assert scene_state() == before
    assert temporary_files() == []
    cli.plans.clear()
    ui.predictButton.click()
    wait.until(lambda: quick_panel.logic.run is None)
    assert "63 %" in ui.headlineLabel.text
