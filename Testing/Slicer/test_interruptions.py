"""Cancel, close, delete, reload and quit at every step: nothing is left over and nothing crashes."""

from __future__ import annotations

import gc
import json
import time
import weakref

import pytest
from made_scenes import Wait, add_head, child_processes, is_quiet_machine, scene_state, shown_steps, temporary_files

from PCNSLSurvivalLib.core.terms import Step

BIAS_FIELD = "Bias field correction (N4), T1Gd"
OURS = ("read", "normalization", "resampling", "network_grid", "prediction", "grad_cam", "map_to_patient", "report")
"""Steps of our own process."""
_OFTEN = ("bias_field t1gd", "prediction", "import")
# The first of each kind in every test run, the others in `make test-slow`.
MOMENTS = [
    pytest.param(moment, marks=[] if moment in _OFTEN else pytest.mark.slow)
    for moment in ("brain_extraction", "bias_field t1gd", "export", *OURS, "import", "registration t2", "aligning")
]

_begun: set[str] = set()
"""Which of export and import the slow panel has begun."""


@pytest.fixture
def slow_panel(standin, quick_panel, monkeypatch):
    """Every step takes long enough to be interrupted; T1Gd and T2 are chosen."""
    from PCNSLSurvivalUI.result import result_import
    from PCNSLSurvivalUI.run import prediction_process
    from slicer_standin import cli

    write, read = prediction_process.writeNrrd, result_import.readVolume

    _begun.clear()

    def write_slowly(*arguments):
        _begun.add("export")
        for _pause in range(20):
            time.sleep(0.01)
            yield
        yield from write(*arguments)

    def read_slowly(*arguments):
        _begun.add("import")
        for _pause in range(4):
            time.sleep(0.01)
            yield
        yield from read(*arguments)

    monkeypatch.setattr(prediction_process, "writeNrrd", write_slowly)
    monkeypatch.setattr(result_import, "readVolume", read_slowly)
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"seconds": 0.15, "longer": {"prediction": 0.5}}))
    for module in ("n4itkbiasfieldcorrection", "swissskullstripper", "brainsfit"):
        cli.plans[module] = {"seconds": 0.3, "quick": True}
    add_head("T1 Gd")
    add_head("T2", "thick slices", gain=0.5)
    quick_panel.ui.guessButton.click()
    return quick_panel


@pytest.fixture
def quick_modules():
    """No real filters: these tests ask what happens around the modules."""
    from slicer_standin import cli

    for module in ("n4itkbiasfieldcorrection", "swissskullstripper", "brainsfit"):
        cli.plans[module] = {"quick": True}


def _run_until(panel, wait, moment):
    """Start a run and stop waiting when it is in the middle of a step; a reference that dies with the run."""
    if moment == "aligning":  # the prediction is there, the alignment for reading still goes on
        from slicer_standin import cli

        cli.plans["brainsfit"] = {"seconds": 4.0, "quick": True}
    panel.ui.predictButton.click()

    def reached():
        run = panel.logic.run
        if moment == "aligning":
            return run.hasResult
        if moment == "export":
            return moment in _begun and run.steps.find("read").state == "waiting"
        if moment == "import":  # once it is in the scene, the result stays: that is another moment
            return moment in _begun and not run.hasResult
        step = run.steps.find(moment)
        return step is not None and step.state == "running"

    wait.until(reached, what=moment)
    return weakref.ref(panel.logic.run)


def _nothing_left(wait, run=lambda: None):
    """No process, module, file or failing slot; and no observer or timer that would keep the run alive."""
    import slicer
    from slicer_standin import cli
    from slicer_standin.pythonqt import slot_errors

    wait.until(lambda: not cli.busy() and not child_processes(), 5)
    wait.some(0.1)
    assert slicer.util.getNodesByClass("vtkMRMLCommandLineModuleNode") == []
    assert temporary_files() == []
    assert cli.crashes == []
    assert slot_errors == []
    gc.collect()
    assert run() is None


@pytest.mark.parametrize("moment", MOMENTS)
def test_cancel_leaves_the_scene_as_it_was_within_a_second(slow_panel, moment):
    wait = Wait()
    before = scene_state()
    run = _run_until(slow_panel, wait, moment)
    if moment == "aligning":
        wait.some(0.5)  # until the result is shown
        before = scene_state()  # the prediction stays; what is cancelled is the alignment
        temporary = _temporary_nodes()
        before = {node_id: kept for node_id, kept in before.items() if node_id not in temporary}
    begin = time.perf_counter()
    slow_panel.ui.predictButton.click()
    assert slow_panel.ui.predictButton.text == "Predict overall survival"
    wait.until(lambda: child_processes() == [], 5)
    assert time.perf_counter() - begin < 1.0 or not is_quiet_machine()
    _nothing_left(wait, run)
    assert scene_state() == before
    assert slow_panel.ui.predictButton.enabled


@pytest.mark.parametrize("moment", MOMENTS)
def test_closing_the_scene_during_a_run_is_safe(slow_panel, moment):
    import slicer

    wait = Wait()
    run = _run_until(slow_panel, wait, moment)
    slicer.mrmlScene.Clear(0)
    _nothing_left(wait, run)
    assert slow_panel.logic.run is None
    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == []
    assert not slow_panel.ui.predictButton.enabled


@pytest.mark.parametrize("moment", ["brain_extraction", "prediction"])
def test_deleting_the_t1gd_during_a_run_ends_it_with_a_sentence(slow_panel, moment):
    import slicer

    wait = Wait()
    _run_until(slow_panel, wait, moment)
    slicer.mrmlScene.RemoveNode(slow_panel.ui.t1gdSelector.currentNode())
    wait.until(lambda: slow_panel.logic.run is None)
    _nothing_left(wait)
    assert "T1Gd was removed" in slow_panel.ui.messageLabel.text
    left = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")]
    assert left == ["T2"]


@pytest.mark.parametrize("moment", ["prediction", pytest.param("registration t2", marks=pytest.mark.slow)])
def test_deleting_a_scan_that_is_only_for_reading_lets_the_run_go_on(slow_panel, moment):
    """The run works on a copy; what is aligned of it still belongs to the patient."""
    import slicer

    wait = Wait()
    run = _run_until(slow_panel, wait, moment)
    slicer.mrmlScene.RemoveNode(slow_panel.ui.t2Selector.currentNode())
    wait.until(lambda: slow_panel.logic.run is None)
    _nothing_left(wait, run)
    assert slow_panel.ui.messageLabel.text == ""
    assert "63 %" in slow_panel.ui.headlineLabel.text
    assert slow_panel.ui.t2Selector.currentNode() is None
    assert slicer.util.getNode("T2 aligned with T1Gd").GetImageData() is not None


@pytest.mark.parametrize("moment", ["bias_field t1gd", "registration t2"])
def test_deleting_an_output_under_a_running_module_does_not_crash(slow_panel, moment):
    import slicer

    wait = Wait()
    _run_until(slow_panel, wait, moment)
    outputs = {"bias_field t1gd": "T1Gd corrected", "brain_extraction": "Brain mask", "registration t2": "T2 aligned"}
    slicer.mrmlScene.RemoveNode(slicer.util.getNode(outputs[moment] + "*"))
    wait.until(lambda: slow_panel.logic.run is None)
    _nothing_left(wait)
    assert "was removed from the scene" in slow_panel.ui.messageLabel.text


@pytest.mark.parametrize(
    "moment", ["prediction", *(pytest.param(m, marks=pytest.mark.slow) for m in ("brain_extraction", "aligning"))]
)
def test_reloading_the_module_during_a_run_stops_it(slow_panel, moment):
    import slicer

    wait = Wait()
    before = scene_state()
    run = _run_until(slow_panel, wait, moment)
    slow_panel.onReload()
    _nothing_left(wait, run)
    assert set(before) <= set(scene_state())
    if moment != "aligning":
        assert scene_state() == before
    assert slicer.modules.PCNSLSurvivalWidget is not slow_panel


def test_switching_the_module_leaves_the_run_alone(slow_panel):
    wait = Wait()
    run = _run_until(slow_panel, wait, "prediction")
    slow_panel.exit()
    wait.some(0.2)
    assert slow_panel.logic.run is run()
    slow_panel.enter()
    assert slow_panel.ui.predictButton.text == "Cancel"
    wait.until(lambda: slow_panel.logic.run is None)
    assert "63 %" in slow_panel.ui.headlineLabel.text
    _nothing_left(wait, run)


def _temporary_nodes():
    """What a run has in the scene for itself: modules, hidden volumes, and their display nodes."""
    import slicer

    found = {node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLCommandLineModuleNode")}
    for node in slicer.util.getNodesByClass("vtkMRMLDisplayableNode"):
        if node.GetAttribute("PCNSLSurvival.temporary"):
            found |= {node.GetID(), *(node.GetNthDisplayNodeID(n) for n in range(node.GetNumberOfDisplayNodes()))}
    return found


_ENDS = [("read", "sentence"), ("prediction", "crash"), ("report", "crash"), ("report", "code 1")]
_ENDS += [pytest.param(step, how, marks=pytest.mark.slow) for step in OURS for how in ("sentence", "crash")]


@pytest.mark.parametrize(("step", "how"), _ENDS)
def test_every_end_of_the_process_has_its_sentence(standin, quick_panel, quick_modules, monkeypatch, step, how):
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"stop_at": step, "how": how}))
    wait = Wait()
    add_head("T1 Gd")
    quick_panel.ui.guessButton.click()
    before = scene_state()
    quick_panel.ui.predictButton.click()
    run = weakref.ref(quick_panel.logic.run)
    wait.until(lambda: quick_panel.logic.run is None)
    _nothing_left(wait, run)
    assert shown_steps(quick_panel)[Step(step).label].words == "failed"
    said = quick_panel.ui.messageLabel.text
    assert {
        "sentence": "Choose another file for T1Gd",
        "crash": "ended unexpectedly",
        "code 1": "Internal error",
    }[how] in said
    assert scene_state() == before
    assert quick_panel.ui.predictButton.enabled


@pytest.mark.parametrize(
    "plan", [{"spoil": "prediction.json"}, {"spoil": "scene/evidence_cells.npy"}, {"lose": "report.html"}]
)
def test_a_result_folder_that_cannot_be_read_is_told(standin, quick_panel, quick_modules, monkeypatch, plan):
    monkeypatch.setenv("FAKE_WORKER", json.dumps(plan))
    wait = Wait()
    add_head("T1 Gd")
    quick_panel.ui.guessButton.click()
    before = scene_state()
    quick_panel.ui.predictButton.click()
    run = weakref.ref(quick_panel.logic.run)
    wait.until(lambda: quick_panel.logic.run is None)
    _nothing_left(wait, run)
    assert "The result of the prediction could not be read" in quick_panel.ui.messageLabel.text
    assert "disk" not in quick_panel.ui.messageLabel.text
    assert scene_state() == before
    assert quick_panel.ui.predictButton.enabled


def test_the_child_ends_when_its_parent_is_gone():
    import subprocess
    import sys
    from pathlib import Path

    worker = Path(__file__).parents[2] / "PCNSLSurvival" / "PCNSLSurvivalUI" / "process" / "worker.py"
    child = subprocess.Popen(
        [sys.executable, str(worker), "predict", "--help"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert b'"pid"' in child.stdout.readline()
    child.stdin.close()
    child.wait(10)
    child.stdout.close()


@pytest.mark.slow
def test_ten_runs_leave_one_set_of_outputs(standin, quick_panel, quick_modules):
    import slicer

    wait = Wait()
    add_head("T1 Gd")
    quick_panel.ui.guessButton.click()
    names = []
    for _run in range(10):
        quick_panel.ui.predictButton.click()
        wait.until(lambda: quick_panel.logic.run is None)
        assert "63 %" in quick_panel.ui.headlineLabel.text
        names.append(sorted(kept[1] for kept in scene_state().values()))
    _nothing_left(wait)
    # Slicer counts the names of display nodes upward; everything else is the same after every run.
    volumes = [[n for n in run if not n.startswith(("VolumeDisplay", "LabelMap"))] for run in names]
    assert all(run == volumes[0] for run in volumes)
    assert len({len(run) for run in names}) == 1
    assert len(slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")) == 1
    steps = shown_steps(quick_panel)
    assert steps[BIAS_FIELD].state == steps["Brain extraction"].state == "cached"


def test_a_second_run_keeps_the_preprocessing_and_replaces_the_outputs(standin, quick_panel, quick_modules):
    import slicer

    wait = Wait()
    add_head("T1 Gd")
    quick_panel.ui.guessButton.click()
    counts = []
    for _run in range(2):
        quick_panel.ui.predictButton.click()
        wait.until(lambda: quick_panel.logic.run is None)
        counts.append(len(scene_state()))
    assert counts[0] == counts[1]
    assert len(slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")) == 1
    steps = shown_steps(quick_panel)
    assert steps[BIAS_FIELD].state == steps["Brain extraction"].state == "cached"
    # Other voxels are another scan: nothing may be kept then.
    array = slicer.util.arrayFromVolume(quick_panel.ui.t1gdSelector.currentNode())
    array[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(quick_panel.ui.t1gdSelector.currentNode())
    quick_panel.ui.predictButton.click()
    wait.until(lambda: quick_panel.logic.run is None)
    assert shown_steps(quick_panel)[BIAS_FIELD].state == "done"


def test_quitting_kills_the_process(standin, slow_panel):
    wait = Wait()
    _run_until(slow_panel, wait, "prediction")
    slow_panel.cleanup()
    wait.until(lambda: child_processes() == [], 2)
    _nothing_left(wait)


def test_the_nodes_of_the_result_before_go_one_by_one_and_all_of_them(standin):
    """Ten at once hold Slicer up for a fifth of a second; a cancel in between leaves none behind."""
    import slicer
    from PCNSLSurvivalUI.scene.volume_files import removeInPieces

    nodes = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode") for _number in range(4)]
    work = removeInPieces(list(nodes))
    next(work)
    assert sum(node.GetScene() is not None for node in nodes) == 3
    work.close()
    assert all(node.GetScene() is None for node in nodes)


def test_a_cancelled_module_is_tidied_up_although_nothing_refers_to_its_step(standin):
    """Seen in Slicer: Python's garbage collector emptied the step, whose observer only the node knew."""
    import gc

    import slicer
    from PCNSLSurvivalUI.run import slicer_modules
    from slicer_standin import cli

    cli.plans[slicer_modules.SWISS.lower()] = {"seconds": 60.0}
    scan = add_head("T1 Gd")
    stripped = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "stripped")
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "mask")
    over = []
    step = slicer_modules.CLIStep(
        slicer_modules.SWISS, slicer_modules.brainParameters(scan, stripped, mask), lambda good: None
    )
    Wait().some(0.2)
    step.cancel(lambda: over.append(True))
    del step
    gc.collect()
    Wait().until(lambda: over)
    assert slicer.util.getNodesByClass("vtkMRMLCommandLineModuleNode") == []


@pytest.mark.parametrize("held", [False, True], ids=["free", "held by a virus scanner"])
def test_a_registration_ends_whatever_becomes_of_its_inverse_transform(standin, quick_modules, monkeypatch, held):
    """All Slicer windows of a user may share the folder of temporary files."""
    from pathlib import Path

    import slicer
    from PCNSLSurvivalUI.run import slicer_modules

    unlink, ended = Path.unlink, []

    def refuse(path, missing_ok=False):
        if held and path.name.endswith("_Inverse.h5"):
            raise PermissionError(path)
        unlink(path, missing_ok)

    scans = [add_head("T1 Gd"), add_head("T2", gain=0.5)]
    aligned, transform = (
        slicer.mrmlScene.AddNewNodeByClass(f"vtkMRML{kind}Node") for kind in ("ScalarVolume", "LinearTransform")
    )
    parameters = slicer_modules.registrationParameters(*scans, aligned, transform)
    slicer_modules.CLIStep(slicer_modules.BRAINSFIT, parameters, ended.append)
    ofAnotherWindow = Path(slicer.app.temporaryPath, "BIDEA_vtkMRMLLinearTransformNodeE_Inverse.h5")
    ofAnotherWindow.write_bytes(b"")
    monkeypatch.setattr(Path, "unlink", refuse)
    Wait().until(lambda: ended, 10)
    assert ended == [True]
    monkeypatch.undo()
    assert ofAnotherWindow.is_file()
    ofAnotherWindow.unlink()
    assert len(temporary_files()) == held
    for name in temporary_files():
        Path(slicer.app.temporaryPath, name).unlink()


@pytest.mark.parametrize(("put_off", "times"), [("soon", 1), ("soon", 2), ("InPieces", 1)])
def test_a_cancel_that_comes_when_all_is_done_cancels_nothing(
    standin, quick_panel, quick_modules, monkeypatch, put_off, times
):
    """The result is in the scene and nothing is left to do; what is put off is its show, the end, or the tidying."""
    from PCNSLSurvivalUI.run import prediction_run

    clicked, asked, original = [], [], getattr(prediction_run, put_off)

    def click_afterwards(*work):
        begun = original(*work)
        if quick_panel.logic.run.hasResult:
            asked.append(True)
        if len(asked) == times and not clicked:
            clicked.append(quick_panel.ui.predictButton.text)
            quick_panel.ui.predictButton.click()
        return begun

    monkeypatch.setattr(prediction_run, put_off, click_afterwards)
    add_head("T1 Gd")
    quick_panel.ui.guessButton.click()
    quick_panel.ui.predictButton.click()
    wait, run = Wait(), weakref.ref(quick_panel.logic.run)
    wait.until(lambda: quick_panel.logic.run is None)
    assert clicked == ["Cancel"]
    assert quick_panel.ui.messageLabel.text == ""
    assert quick_panel.ui.predictButton.text == "Predict overall survival"
    _nothing_left(wait, run)


@pytest.mark.parametrize("plan", [{}, {"stop_at": "read", "how": "crash"}, None], ids=["good", "crash", "cancel"])
def test_the_panel_hears_of_the_end_although_tidying_up_fails(standin, quick_panel, quick_modules, monkeypatch, plan):
    from PCNSLSurvivalUI.run.volumes import RunVolumes
    from slicer_standin.pythonqt import slot_errors

    monkeypatch.setenv("FAKE_WORKER", json.dumps(plan or {}))
    add_head("T1 Gd")
    quick_panel.ui.guessButton.click()
    tidy, tidyInPieces = RunVolumes.remove, RunVolumes.removeInPieces

    def fails(volumes, *arguments, **named):
        tidy(volumes, *arguments, **named)
        raise OSError("held by another program")

    def failsInPieces(volumes):
        yield from tidyInPieces(volumes)
        raise OSError("held by another program")

    monkeypatch.setattr(RunVolumes, "remove", fails)
    monkeypatch.setattr(RunVolumes, "removeInPieces", failsInPieces)
    quick_panel.ui.predictButton.click()
    if plan is None:
        run = quick_panel.logic.run
        quick_panel.ui.predictButton.click()
        assert quick_panel.ui.messageLabel.text == "Cancelled. The scene is as before."
        assert quick_panel.ui.predictButton.text == "Predict overall survival"
        assert run.isOver
        assert slot_errors == []
    Wait().until(lambda: quick_panel.logic.run is None)
    assert quick_panel.ui.predictButton.enabled


def test_a_run_that_the_panel_has_let_go_of_tells_it_nothing_any_more(slow_panel):
    """After a reload the widgets are gone, and what the run has put off comes later."""
    import slicer

    wait, told, parameters = Wait(), [], slow_panel.logic.getParameterNode()
    model, heard = slow_panel.view.models.chosen(), lambda *_arguments: told.append(True) or ()
    slow_panel.logic.startPrediction(parameters, model, heard, heard, heard)
    wait.until(lambda: slow_panel.logic.run.steps.find("prediction").state == "running")
    assert told
    slicer.mrmlScene.RemoveNode(slow_panel.ui.t1gdSelector.currentNode())  # the end of the run is put off
    slow_panel.logic.cancel()
    told.clear()
    wait.some(0.1)
    assert told == []
    _nothing_left(wait)
