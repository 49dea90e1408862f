"""One run after another, as a user presses the button: each ends by itself, and leaves one set of outputs."""

from __future__ import annotations

import gc
import json
import random
import time
import weakref
from pathlib import Path

import pytest
from made_scenes import Wait, add_head, child_processes, scene_state, temporary_files

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ("biasEngine", "brainEngine", "registrationEngine")


@pytest.fixture
def patient(standin, quick_panel, monkeypatch):
    """T1Gd, T1 and T2, which BRAINSFit aligns after the prediction."""
    from PCNSLSurvivalUI.run import request
    from slicer_standin import cli

    monkeypatch.setenv("FAKE_WORKER", json.dumps({"seconds": 0.05}))
    monkeypatch.setattr(request, "is_brain_extractor_installed", lambda method: True)
    for module in ("n4itkbiasfieldcorrection", "swissskullstripper"):
        cli.plans[module] = {"quick": True}
    cli.plans["brainsfit"] = {"seconds": 1.0, "quick": True}
    return [add_head("T1 Gd"), add_head("T1", "oblique", gain=0.8), add_head("T2", "thick slices", gain=0.5)]


def _choose(panel, patient, *, others: bool, engine: str):
    parameters = panel.logic.getParameterNode()
    parameters.t1gdVolume, parameters.t1Volume, parameters.t2Volume = patient if others else [patient[0], None, None]
    for name in ENGINES:
        setattr(parameters, name, engine)


def _touch(node):
    """Other voxels: no step is cached from the last run."""
    import slicer

    slicer.util.arrayFromVolume(node)[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(node)


def test_a_second_run_with_t1_and_t2_ends_as_the_first_one_did(standin, quick_panel, patient):
    """In the real application the second press of the button waited for ever; the order decides."""
    from PCNSLSurvivalUI.run.engines import SLICER

    ui, wait = quick_panel.ui, Wait()
    for others in (False, True, True):
        _choose(quick_panel, patient, others=others, engine=SLICER)
        _touch(patient[0])
        ui.predictButton.click()
        wait.until(lambda: quick_panel.logic.run is None, 30, what=ui.progressLabel.text)
        assert ui.messageLabel.text == ""
        assert "63 %" in ui.headlineLabel.text
    assert child_processes() == []


def test_a_finished_run_is_forgotten(standin, quick_panel, patient):
    """Each run held its volumes and its process for the rest of the session: Slicer keeps its one-shot timers."""
    from PCNSLSurvivalUI.process.child import ChildProcess
    from PCNSLSurvivalUI.run.engines import BUILT_IN
    from PCNSLSurvivalUI.run.prediction_run import PredictionRun

    _choose(quick_panel, patient, others=False, engine=BUILT_IN)
    quick_panel.ui.predictButton.click()
    Wait().until(lambda: quick_panel.logic.run is None)
    assert "63 %" in quick_panel.ui.headlineLabel.text
    Wait().some(0.2)
    assert _alive(PredictionRun, ChildProcess) == []


class _Turns:
    """What happened in which turn of the event loop."""

    def __init__(self):
        import qt

        self.seen = []
        self._turn = 0
        self._timer = qt.QTimer()
        self._timer.connect("timeout()", self._next)
        self._timer.start(0)

    def _next(self):
        self._turn += 1

    def note(self, what, action):
        """The action, which is noted and takes longer than a turn may."""

        def noted(*arguments, **named):
            self.seen.append((self._turn, what))
            time.sleep(0.03)
            return action(*arguments, **named)

        return noted

    def close(self):
        self._timer.stop()


def test_a_finished_run_is_tidied_up_node_by_node(standin, quick_panel, patient, monkeypatch):
    """Removed all at once, the volumes of a run held the application up for a tenth of a second."""
    from PCNSLSurvivalUI.run import volumes
    from PCNSLSurvivalUI.run.engines import SLICER
    from PCNSLSurvivalUI.scene import volume_files

    turns = _Turns()
    _choose(quick_panel, patient, others=False, engine=SLICER)
    quick_panel.ui.predictButton.click()
    Wait().until(lambda: quick_panel.logic.run.hasResult)
    for place in (volumes, volume_files):
        monkeypatch.setattr(place, "removeNode", turns.note("node", volume_files.removeNode))
    Wait().until(lambda: quick_panel.logic.run is None)
    turns.close()
    assert len(turns.seen) > 3
    assert len(set(turns.seen)) == len(turns.seen), "one node a turn"


def test_an_aligned_scan_is_brought_in_by_steps(standin, quick_panel, patient, monkeypatch):
    """Its sampling, its place in the scene and the start of the next module each have a turn of the event loop."""
    from PCNSLSurvivalUI.panel import logic
    from PCNSLSurvivalUI.run.engines import BUILT_IN
    from PCNSLSurvivalUI.run.tasks import BuiltInRegistrationTask

    turns = _Turns()
    _choose(quick_panel, patient, others=True, engine=BUILT_IN)
    monkeypatch.setattr(logic, "placeAligned", turns.note("place", logic.placeAligned))
    for name in ("finish", "start"):
        noted = turns.note(name, getattr(BuiltInRegistrationTask, name))
        monkeypatch.setattr(BuiltInRegistrationTask, name, lambda self, *words, noted=noted: noted(self, *words))
    quick_panel.ui.predictButton.click()
    Wait().until(lambda: quick_panel.logic.run is None)
    turns.close()
    assert [what for _turn, what in turns.seen] == ["start", "finish", "place"] * 2
    assert len({turn for turn, _what in turns.seen}) == 6


@pytest.mark.parametrize("begun", [False, True])
def test_a_panel_that_is_closed_while_a_run_is_tidied_up_leaves_nothing(
    standin, quick_panel, patient, monkeypatch, begun
):
    from PCNSLSurvivalUI.run import prediction_run
    from PCNSLSurvivalUI.run.engines import SLICER

    tidying, own = [], prediction_run.InPieces
    monkeypatch.setattr(prediction_run, "InPieces", lambda work, *told: tidying.append(work) or own(work, *told))
    _choose(quick_panel, patient, others=False, engine=SLICER)
    quick_panel.ui.predictButton.click()
    run = quick_panel.logic.run
    Wait().until(lambda: tidying)
    if begun:
        next(tidying[0])
        next(tidying[0])
    assert _hidden()
    run.cancel()
    assert _hidden() == []


def _hidden():
    import slicer

    nodes = [slicer.mrmlScene.GetNthNode(index) for index in range(slicer.mrmlScene.GetNumberOfNodes())]
    return [node.GetName() for node in nodes if node.GetAttribute("PCNSLSurvival.temporary")]


def test_a_node_that_nobody_chose_goes_without_a_look_at_every_choice(standin, quick_panel, patient, monkeypatch):
    """Slicer's wrapper takes some milliseconds for them, and a run has many nodes."""
    from PCNSLSurvivalUI.choices.parameters import PanelParameters
    from PCNSLSurvivalUI.scene.volume_files import newHidden, removeNode

    looks = []
    kept = vars(PanelParameters)["brainMask"]
    noted = property(lambda self: looks.append(1) or kept.__get__(self))
    monkeypatch.setattr(PanelParameters, "brainMask", noted, raising=False)  # the class itself does not give it
    removeNode(newHidden("vtkMRMLScalarVolumeNode", "samples"))
    assert looks == []


def _alive(*classes):
    gc.collect()
    # Not isinstance, which asks every object for its class: some of torch's answer with a warning.
    return [type(kept).__name__ for kept in gc.get_objects() if issubclass(type(kept), classes)]


def test_neither_run_nor_panel_outlives_a_panel_that_is_closed_during_a_run(standin, made_model, monkeypatch):
    """BRAINSFit works on for a while after the panel is gone; with its end, all of the run goes."""
    from fake_worker import __file__ as worker
    from slicer_standin import cli

    panel = standin.open_module(ROOT / "PCNSLSurvival" / "PCNSLSurvival.py")
    from PCNSLSurvivalUI.choices import model_list
    from PCNSLSurvivalUI.process import job

    monkeypatch.setattr(model_list, "installedModels", lambda: [made_model])
    monkeypatch.setattr(job, "WORKER", Path(worker))
    panel.view.models.fill()
    cli.plans |= {"n4itkbiasfieldcorrection": {"quick": True}, "swissskullstripper": {"quick": True}}
    cli.plans["brainsfit"] = {"seconds": 60.0}
    panel.logic.getParameterNode().t2Volume = add_head("T2")
    panel.logic.getParameterNode().t1gdVolume = add_head("T1 Gd")
    panel.ui.predictButton.click()
    Wait().until(lambda: panel.logic.run.hasResult and cli.busy(), what=panel.ui.messageLabel.text)
    from PCNSLSurvivalUI.run.slicer_modules import CLIStep

    view, run = weakref.ref(panel.view), weakref.ref(panel.logic.run)
    assert _alive(CLIStep), "BRAINSFit, which works on"
    standin.close_module(panel)
    panel.__dict__.clear()
    standin.reset()
    Wait().some(0.2)  # what was put off comes with the next events
    gc.collect()
    assert (view(), run(), _alive(CLIStep)) == (None, None, [])


@pytest.mark.slow
def test_ten_runs_of_every_kind_end_and_leave_nothing(standin, quick_panel, patient):
    import slicer
    from PCNSLSurvivalUI.process import child
    from PCNSLSurvivalUI.run.engines import BUILT_IN, SLICER
    from PCNSLSurvivalUI.run.prediction_run import PredictionRun
    from slicer_standin import cli
    from slicer_standin.pythonqt import slot_errors

    ui, wait, chance = quick_panel.ui, Wait(), random.Random(14)
    inputs = {node.GetID() for node in patient}
    complete, cancelled = [], 0
    for number in range(10):
        others, engine = number % 2 == 1, (SLICER, BUILT_IN)[number // 2 % 2]
        _choose(quick_panel, patient, others=others, engine=engine)
        _touch(patient[0])
        before = scene_state()
        ui.predictButton.click()
        stop = chance.random() < 0.5
        if stop:
            wait.some(chance.uniform(0.0, 1.5))
        if stop and quick_panel.logic.run is not None and not quick_panel.logic.run.hasResult:
            ui.predictButton.click()
            cancelled += 1
        wait.until(lambda: quick_panel.logic.run is None, 60, what=f"run {number}: {ui.progressLabel.text}")
        wait.until(lambda: not child_processes() and not cli.busy(), 10)
        wait.some(0.2)
        if stop and "Cancelled" in ui.messageLabel.text:
            assert scene_state() == before, number
        else:
            assert ui.messageLabel.text == "", number
            names = {kept[1] for node, kept in scene_state().items() if node not in inputs}
            names = {name for name in names if not name.startswith(("VolumeDisplay", "LabelMap"))}
            if not others:  # scans that an earlier run has aligned with the same T1Gd stay
                names = {name for name in names if not name.endswith((" aligned with T1Gd", " to T1Gd"))}
            complete.append((others, frozenset(names)))
        assert slicer.util.getNodesByClass("vtkMRMLCommandLineModuleNode") == [], number
        assert _alive(PredictionRun, child.ChildProcess) == [], number
    assert 0 < cancelled < 10
    for others in (False, True):
        assert len({names for kind, names in complete if kind is others}) <= 1, "one set of outputs for each kind"
    quick_panel.logic.kept.forget()
    assert temporary_files() == []
    assert (cli.crashes, cli.faults, slot_errors, _alive(child.ChildProcess)) == ([], [], [], [])
