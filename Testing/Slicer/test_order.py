"""What comes when: the prediction first, finished steps not again; the panel says what is ready and what comes."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_worker import ALIGNED_BY_MM, not_over_t1gd
from made_scenes import Wait, add_head, child_processes, shown_steps, temporary_files

BIAS_FIELD = "Bias field correction (N4), T1Gd"
T1_TO_T1GD, T2_TO_T1GD = "T1 to T1Gd (for reading)", "T2 to T1Gd (for reading)"
MODULES = ("n4itkbiasfieldcorrection", "swissskullstripper", "brainsfit")


@pytest.fixture
def patient(standin, quick_panel):
    """T1Gd, T1 and T2 are chosen; Slicer's modules copy instead of computing."""
    from slicer_standin import cli

    for module in MODULES:
        cli.plans[module] = {"quick": True}
    heads = add_head("T1 Gd"), add_head("T1", "oblique", gain=0.8), add_head("T2", "thick slices", gain=0.5)
    quick_panel.ui.guessButton.click()
    return heads


def _states(panel):
    return {name: step.state for name, step in shown_steps(panel).items()}


def _predict(panel, wait):
    panel.ui.predictButton.click()
    wait.until(lambda: panel.logic.run is None, what=panel.ui.messageLabel.text)
    return _states(panel)


def test_t1_and_t2_are_aligned_after_the_prediction(standin, quick_panel, patient):
    """BRAINSFit beside our process took a third from both: the number of the real patient came 30 s later."""
    import slicer
    from slicer_standin import cli

    cli.plans["brainsfit"] = {"quick": True, "seconds": 2.0}
    ui, wait, early = quick_panel.ui, Wait(), []
    ui.predictButton.click()
    composite = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")

    def hasResult():
        states = _states(quick_panel)
        early.extend(name for name in (T1_TO_T1GD, T2_TO_T1GD) if states[name] != "waiting")
        return quick_panel.logic.run.hasResult

    wait.until(hasResult)
    assert early == []
    wait.until(lambda: "The prediction and its map are ready. Remaining:" in ui.progressLabel.text)
    wait.until(lambda: ui.resultSection.isVisibleTo(quick_panel.parent))
    wait.until(lambda: _states(quick_panel)[T1_TO_T1GD] == "running")
    assert "63 %" in ui.headlineLabel.text
    assert composite.GetForegroundVolumeID() == slicer.util.getNode("Grad-CAM OS > 1 year").GetID()
    assert "T2 to T1Gd (for reading)" in ui.progressLabel.text
    assert ui.predictButton.text == "Cancel"
    wait.until(lambda: quick_panel.logic.run is None)
    assert slicer.util.getNode("T2 aligned with T1Gd").GetImageData() is not None
    assert ui.progressLabel.isHidden()


def test_the_prediction_process_is_started_at_the_click_beside_slicers_modules(standin, quick_panel, patient, tmp_path):
    """It loads its packages while the modules work, and is the one that predicts."""

    def waiting():
        return [pid for pid in child_processes() if "--wait" in Path(f"/proc/{pid}/cmdline").read_text().split("\0")]

    quick_panel.ui.predictButton.click()
    wait = Wait()
    wait.until(waiting)  # the system lists a child a moment after its start
    (early,) = waiting()
    wait.until(lambda: _states(quick_panel)["Read and check"] != "waiting")
    assert early in child_processes()
    wait.until(lambda: quick_panel.logic.run is None)
    assert quick_panel.ui.messageLabel.text == ""
    assert not child_processes()
    assert not [name for name in temporary_files() if name.endswith(".h5")], "BRAINSFit leaves inverse transforms"


def test_a_model_that_reads_t2_waits_for_its_alignment(standin, quick_panel, patient, made_model, monkeypatch):
    import json

    from slicer_standin import cli

    from PCNSLSurvivalLib.core.terms import MRSequence

    monkeypatch.setenv("FAKE_WORKER", json.dumps({"seconds": 0.2}))
    made_model.sequences = (MRSequence.T1GD, MRSequence.T2)
    cli.plans["brainsfit"] = {"quick": True, "seconds": 1.0}
    quick_panel.ui.predictButton.click()
    wait = Wait()
    wait.until(lambda: _states(quick_panel)["Read and check"] == "running", what=quick_panel.ui.messageLabel.text)
    assert _states(quick_panel)["T2 to T1Gd"] == "done"
    assert _states(quick_panel)[T1_TO_T1GD] != "done"
    wait.until(lambda: quick_panel.logic.run is None)
    assert quick_panel.ui.messageLabel.text == ""


def test_the_built_in_alignment_comes_after_the_prediction(standin, quick_panel, patient):
    """Its pose moves the scan on the voxels of T1Gd, what it says of itself stands at the step, and it is kept."""
    import numpy as np
    import slicer

    ui, wait = quick_panel.ui, Wait()
    t1 = add_head("T1 plain")
    ui.t1Selector.setCurrentNode(t1)
    ui.t2Selector.setCurrentNode(None)
    ui.registrationEngineSelector.setCurrentText("Built in")
    ui.predictButton.click()
    wait.until(lambda: quick_panel.logic.run.hasResult)
    assert _states(quick_panel)[T1_TO_T1GD] == "waiting"
    wait.until(lambda: quick_panel.logic.run is None, what=ui.messageLabel.text)
    assert ui.messageLabel.text == ""
    step = shown_steps(quick_panel)[T1_TO_T1GD]
    assert (step.state, step.words, step.note) == ("done", "check", not_over_t1gd("t1")["sentence"])
    voxels = round(ALIGNED_BY_MM / 2.0)
    before, aligned = (slicer.util.arrayFromVolume(n) for n in (t1, slicer.util.getNode("T1 aligned with T1Gd")))
    np.testing.assert_array_equal(aligned[:, :, voxels:], before[:, :, :-voxels])
    matrix = slicer.util.arrayFromTransformMatrix(slicer.util.getNode("T1 to T1Gd"))
    assert matrix[0, 3] == ALIGNED_BY_MM
    assert t1.GetTransformNodeID() is None
    assert _predict(quick_panel, wait)[T1_TO_T1GD] == "cached"
    kept = shown_steps(quick_panel)[T1_TO_T1GD]
    assert (kept.words, kept.note) == ("check", not_over_t1gd("t1")["sentence"]), "what was said of it is kept as well"
    quick_panel.ui.overrideQualityCheckBox.setChecked(True)
    assert _predict(quick_panel, wait)[T1_TO_T1GD] == "done", "judged anew when the user says something else"


@pytest.mark.parametrize(
    ("engine", "told"), [("Built in", ({}, ["registration"])), ("Slicer module", ("BRAINSFit", []))]
)
def test_who_registered_what_the_model_reads_is_told(
    standin, quick_panel, patient, made_model, monkeypatch, tmp_path, engine, told
):
    import json

    from PCNSLSurvivalLib.core.terms import MRSequence

    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(tmp_path / "arguments.json")}))
    made_model.sequences = (MRSequence.T1GD, MRSequence.T2)
    quick_panel.ui.t1Selector.setCurrentNode(None)
    quick_panel.ui.registrationEngineSelector.setCurrentText(engine)
    _predict(quick_panel, Wait())
    stored = json.loads((tmp_path / "prepared.json").read_text(encoding="utf-8"))
    registered = stored["engines"].get("registration", {})
    assert (registered and registered["name"], stored["own"]) == told


@pytest.mark.parametrize("how", ["refused", "cancelled", "network"])
def test_the_built_in_alignment_ends_as_the_others_do(standin, quick_panel, patient, made_model, monkeypatch, how):
    import json

    import slicer
    from made_scenes import child_processes, scene_state

    from PCNSLSurvivalLib.core.terms import MRSequence

    plan = {"refused": {"stop_at": "register"}, "cancelled": {"seconds": 0.5}, "network": {"stop_at": "register"}}
    monkeypatch.setenv("FAKE_WORKER", json.dumps(plan[how]))
    ui, wait, before = quick_panel.ui, Wait(), scene_state()
    ui.t1Selector.setCurrentNode(None)
    ui.registrationEngineSelector.setCurrentText("Built in")
    if how == "network":
        made_model.sequences = (MRSequence.T1GD, MRSequence.T2)
    ui.predictButton.click()
    if how == "cancelled":
        wait.until(lambda: _states(quick_panel)[T2_TO_T1GD] == "running")
        ui.predictButton.click()
        wait.until(lambda: not child_processes(), 5)
    wait.until(lambda: quick_panel.logic.run is None)
    name = "T2 to T1Gd" if how == "network" else T2_TO_T1GD
    assert _states(quick_panel)[name] == ("cancelled" if how == "cancelled" else "failed")
    assert slicer.util.getNodes("T2 aligned*") == {}
    if how == "network":  # without the alignment there is no prediction
        assert scene_state() == before
    if how != "cancelled":
        assert ui.messageLabel.text == not_over_t1gd("t2")["sentence"]
    assert ui.resultSection.isVisibleTo(quick_panel.parent) == (how != "network")


def test_another_model_repeats_no_step_of_slicers_modules(standin, quick_panel, patient, made_model, monkeypatch):
    import slicer
    from slicer_standin import cli

    wait, started, run = Wait(), [], cli.run
    monkeypatch.setattr(cli, "run", lambda module, *a, **k: started.append(module.name) or run(module, *a, **k))
    _predict(quick_panel, wait)
    assert sorted(started) == ["brainsfit", "brainsfit", "n4itkbiasfieldcorrection", "swissskullstripper"]
    made_model.name = "another"
    states = _predict(quick_panel, wait)
    assert len(started) == 4, "nothing ran again"
    long = ("Brain extraction", BIAS_FIELD, T1_TO_T1GD, T2_TO_T1GD)
    assert {key: states[key] for key in long} == dict.fromkeys(long, "cached")
    assert len(slicer.util.getNodes("T2 aligned with T1Gd*")) == 1
    # An output that was painted on is no longer what the step made.
    aligned = slicer.util.getNode("T2 aligned with T1Gd")
    slicer.util.arrayFromVolume(aligned)[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(aligned)
    assert _predict(quick_panel, wait)[T2_TO_T1GD] == "done"
    assert started[4:] == ["brainsfit"]


def test_steps_finished_before_a_cancel_are_kept(standin, quick_panel, patient, monkeypatch):
    import json

    monkeypatch.setenv("FAKE_WORKER", json.dumps({"seconds": 0.2}))
    wait = Wait()
    quick_panel.ui.predictButton.click()
    wait.until(lambda: quick_panel.logic.run.steps.find("prediction").state != "waiting")
    quick_panel.ui.predictButton.click()
    monkeypatch.setenv("FAKE_WORKER", "{}")
    states = _predict(quick_panel, wait)
    assert states["Brain extraction"] == states[BIAS_FIELD] == "cached"


def test_a_repaired_mask_is_used_and_stays(standin, quick_panel, patient):
    import slicer

    wait, ui = Wait(), quick_panel.ui
    _predict(quick_panel, wait)
    mask = slicer.util.getNode("Brain mask")
    slicer.util.arrayFromVolume(mask)[:10] = 0
    slicer.util.arrayFromVolumeModified(mask)
    ui.brainMaskSelector.setCurrentNode(mask)
    states = _predict(quick_panel, wait)
    wait.some(0.1)
    assert states["Brain extraction"] == "skipped"
    assert states[BIAS_FIELD] == "done", "the field is fitted in the mask, so it is fitted anew"
    assert ui.brainMaskSelector.currentNode() is mask
    assert slicer.util.arrayFromVolume(mask)[:10].max() == 0


def test_every_step_tells_its_state_seconds_and_verdict(standin, quick_panel, patient):
    ui, wait = quick_panel.ui, Wait()
    _predict(quick_panel, wait)
    table = ui.stepsTable
    rows = {table.item(row, 1).text(): row for row in range(table.rowCount)}
    brain, read = rows["Brain extraction"], rows["Read and check"]
    assert table.item(brain, 0).text() == "✓"
    assert table.item(brain, 3).text() == "check"
    assert "Check its outline" in table.item(brain, 1).toolTip()
    assert table.item(read, 3).text() == "good"
    assert table.item(rows["3D ResNet"], 2).text().endswith(" s")
    assert table.item(rows["T1 to T1Gd (for reading)"], 3).text() == "inspect"
    assert not ui.stepsSection.checked, "folded when all went well"


def test_the_first_run_on_a_computer_has_a_guess_of_its_time(standin, quick_panel, patient):
    """The bar begins at the beginning, never goes back, and the guess gives way to what was measured."""
    from slicer_standin import cli

    standin.app.userSettings().clear()
    cli.plans["swissskullstripper"] = {"quick": True, "seconds": 0.5}
    ui, wait, seen = quick_panel.ui, Wait(), []
    ui.predictButton.click()
    wait.until(lambda: _states(quick_panel)["Brain extraction"] == "running")
    wait.some(0.1)
    assert ui.progressBar.value < 50, "thousandths"
    assert "no timings on this computer yet" in ui.progressLabel.text

    def ended():
        if quick_panel.logic.run is not None:
            seen.append(quick_panel.logic.run.steps.fraction())
        return quick_panel.logic.run is None

    wait.until(ended)
    assert seen == sorted(seen)
    ui.predictButton.click()
    assert "no timings on this computer" not in ui.progressLabel.text
    assert " s to the prediction" in ui.progressLabel.text
    ui.predictButton.click()


def test_time_left_counts_every_step_that_is_to_come(standin, application):
    from PCNSLSurvivalUI.run import timings
    from PCNSLSurvivalUI.run.step_list import FIRST, PROCESS, READING, StepList

    steps = StepList()
    for key, lane, seconds in (("a", FIRST, 2), ("b", PROCESS, 10), ("c", PROCESS, 3), ("d", READING, 4)):
        timings.remember(key, seconds)
        steps.add(key, key, lane=lane)
    assert steps.secondsLeft() == 2 + 10 + 3 + 4
    steps.add("never seen here", "x", lane=READING)
    assert steps.secondsLeft() is None


def test_outputs_lie_in_one_folder_under_the_patients_study(standin, quick_panel, patient):
    import slicer

    sh = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    person = sh.CreateSubjectItem(sh.GetSceneItemID(), "Patient")
    study = sh.CreateStudyItem(person, "MRI")
    sh.SetItemParent(sh.GetItemByDataNode(patient[0]) or sh.CreateItem(study, patient[0]), study)
    wait = Wait()
    for _run in range(2):
        _predict(quick_panel, wait)
    children = [sh.GetItemName(item) for item in slicer.util.getSubjectHierarchyItemChildren(study)]
    assert sorted(children) == ["PCNSL Survival", "T1 Gd"]
    folder = sh.GetItemChildWithName(study, "PCNSL Survival")
    names = [sh.GetItemName(item) for item in slicer.util.getSubjectHierarchyItemChildren(folder)]
    # The items of removed nodes go with Slicer's own plugins, which the stand-in does not have.
    named = [name for name in names if name]
    assert len(named) == len(set(named))
    assert {"Brain mask", "T2 aligned with T1Gd", "T2 to T1Gd", "Report (HTML)"} <= set(named)


def test_the_steps_of_our_own_process_are_kept_in_a_folder_until_the_scene_closes(
    standin, quick_panel, patient, monkeypatch, tmp_path
):
    import json
    from pathlib import Path

    import slicer
    from made_scenes import temporary_files
    from PCNSLSurvivalUI.run import request, step_list
    from PCNSLSurvivalUI.run.plan import showProcessEvent

    record = tmp_path / "arguments.json"
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(record)}))
    monkeypatch.setattr(request, "is_brain_extractor_installed", lambda method: True)
    ui, wait, folders = quick_panel.ui, Wait(), []
    ui.brainEngineSelector.setCurrentText("Built in")
    ui.biasEngineSelector.setCurrentText("Built in")
    for _run in range(2):
        _predict(quick_panel, wait)
        words = json.loads(record.read_text(encoding="utf-8"))
        folders.append(words[words.index("--cache-dir") + 1])
    assert folders[0] == folders[1]
    assert Path(folders[0]).is_dir()
    slicer.mrmlScene.Clear(0)
    assert temporary_files() == []
    steps = step_list.StepList()
    steps.add("bias_field t1gd", "N4", lane=step_list.PROCESS)
    assert showProcessEvent(steps, {"type": "step", "step": "bias_field", "sequence": "t1gd", "state": "kept"})
    assert steps.find("bias_field t1gd").state == "kept"


def _list(standin):
    from PCNSLSurvivalUI.run import step_list

    steps = step_list.StepList()
    steps.add("first", "N4")
    steps.add("second", "BRAINSFit", lane=step_list.READING)
    for step, expected in zip(steps.steps, (10.0, 20.0), strict=True):
        step.expected = expected
    return steps


def test_nothing_stands_after_the_colon_only_when_there_is_something_to_come(standin, quick_panel):
    from PCNSLSurvivalUI.panel.steps_table import progressInWords

    steps = _list(standin)
    steps.start("second")
    assert "Remaining: BRAINSFit, N4 …" in progressInWords(steps, hasResult=True)
    for key in ("first", "second"):
        steps.mark(key, "done")
    assert progressInWords(steps, hasResult=True).startswith("The prediction and its map are ready … ")


def test_a_step_that_takes_longer_than_it_should_is_called_so(standin, quick_panel):
    """On a busy machine the seconds left stood still for minutes."""
    from PCNSLSurvivalUI.panel.steps_table import progressInWords

    steps = _list(standin)
    steps.add("ours", "3D ResNet", lane="process").expected = 20.0
    steps.start("first")
    assert "roughly 30 s to the prediction" in progressInWords(steps, hasResult=False)
    steps.find("first").started -= 11.0
    assert "roughly 20 s to the prediction" in progressInWords(steps, hasResult=False)
    steps.find("first").started -= 10.0
    assert progressInWords(steps, hasResult=False) == "N4 … longer than expected, then about 20 s"
    steps.mark("ours", "done")
    assert progressInWords(steps, hasResult=False) == "N4 … longer than expected"


def test_the_time_to_the_prediction_leaves_out_what_comes_after_it(standin, quick_panel):
    """The number of the real patient came after 60 s, and the panel had said 117 s: those of T1 and T2 as well."""
    from PCNSLSurvivalUI.panel.steps_table import progressInWords

    steps = _list(standin)
    steps.start("first")
    assert progressInWords(steps, hasResult=False).startswith("N4 … roughly 10 s to the prediction")
    steps.mark("first", "done")
    assert "Remaining: BRAINSFit … roughly 20 s left" in progressInWords(steps, hasResult=True)
