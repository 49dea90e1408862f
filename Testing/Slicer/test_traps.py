"""Traps of the running application that the code does not show: the panel survives each.

The sixth, Slicer crashing when an output of a running module goes, is met at every step in test_interruptions.py.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from made_scenes import Wait, add_head
from slicer_standin import records

MODULE = Path(__file__).resolve().parents[2] / "PCNSLSurvival"


@pytest.fixture
def predicted(opened):
    """The panel with a result."""
    return opened(add_head("T1 Gd"))


def test_every_control_can_be_worked_without_a_failing_slot(standin, predicted, monkeypatch):
    """A property called, or a slot read as a value, raises inside a slot, and only the console reports it."""
    from slicer_standin.pythonqt import slot_errors

    qt = standin.qt
    for name in ("getExistingDirectory", "getSaveFileName", "getOpenFileName"):
        monkeypatch.setattr(qt.QFileDialog, name, lambda *_: "")
    monkeypatch.setattr(qt.QDesktopServices, "openUrl", lambda url: True)
    wait, worked = Wait(), []
    for name, widget in vars(predicted.ui).items():
        kind = widget.className() if hasattr(widget, "className") else ""
        if kind == "QPushButton" and name != "predictButton":
            widget.click()
        elif kind == "QCheckBox":
            widget.click()
            widget.click()
        elif kind == "QComboBox":
            for row in range(widget.count):
                widget.setCurrentIndex(row)
        elif kind == "ctkSliderWidget":
            widget.value = widget.maximum
            widget.value = widget.minimum
        elif kind == "ctkCollapsibleButton":
            widget.setChecked(not widget.checked)
            widget.setChecked(not widget.checked)
        else:
            continue
        worked.append(name)
        wait.some(0.02)
    assert len(worked) > 25
    assert slot_errors == []


@pytest.mark.parametrize(
    ("home", "name"),
    [("tasks.BiasFieldTask", "finish"), ("prediction_process", "showProcessEvent"), ("prediction_process.job", "Job")],
)
def test_a_fault_in_a_callback_ends_the_run_with_a_sentence(standin, quick_panel, monkeypatch, home, name):
    """Slicer prints what a slot raises and goes on: the run must not wait for ever for a call that never comes."""
    from slicer_standin import cli

    for kind in records.cli_parameters():
        cli.plans[kind] = {"quick": True}

    def fault(*_arguments, **_keywords):
        raise RuntimeError("a fault")

    monkeypatch.setattr(f"PCNSLSurvivalUI.run.{home}.{name}", fault)
    add_head("T1 Gd")
    ui, wait = quick_panel.ui, Wait()
    ui.guessButton.click()
    ui.predictButton.click()
    wait.until(lambda: quick_panel.logic.run is None, 30)
    assert "Internal error (RuntimeError)" in ui.messageLabel.text
    assert ui.predictButton.enabled
    assert ui.predictButton.text == "Predict overall survival"


def test_a_fault_in_the_step_list_does_not_stop_the_run(standin, quick_panel, monkeypatch):
    from PCNSLSurvivalUI.panel import steps_table
    from slicer_standin import cli
    from slicer_standin.pythonqt import slot_errors

    for kind in records.cli_parameters():
        cli.plans[kind] = {"quick": True}
    shown, show = [], steps_table.showSteps

    def sometimes(table, steps):
        shown.append(1)
        if len(shown) % 3 == 0:
            raise RuntimeError("a fault")
        show(table, steps)

    add_head("T1 Gd")
    quick_panel.ui.guessButton.click()
    quick_panel.ui.predictButton.click()
    with monkeypatch.context() as patch:  # gone again before the panel is closed, which shows the steps once more
        patch.setattr(steps_table, "showSteps", sometimes)
        Wait().until(lambda: quick_panel.logic.run is None, 30)
    assert "63 %" in quick_panel.ui.headlineLabel.text
    slot_errors.clear()


def test_own_attributes_of_widgets_are_no_qt_properties():
    """``self.x = 1`` in a subclass of a widget writes the property of that name, or raises."""
    checked, faults = [], []
    for path in (MODULE / "PCNSLSurvivalUI").rglob("*.py"):
        for kind in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            bases = [b.attr for b in getattr(kind, "bases", []) if isinstance(b, ast.Attribute)]
            qt_base = next((b for b in bases if records.properties(b)), None)
            if qt_base is None:
                continue
            checked.append(kind.name)
            for node in ast.walk(kind):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.ctx, ast.Store)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "self"
                    and node.attr in {**records.properties(qt_base), "name": None}
                ):
                    faults.append(f"{path.name}: {kind.name}.{node.attr}")
    assert "ProfilePlot" in checked
    assert faults == []


def test_every_connection_of_the_panel_holds(standin, monkeypatch):
    """``connect`` takes anything: a wrong signature gives False, a slot that cannot be called fails later."""
    from slicer_standin import pythonqt

    made, connect = [], pythonqt.PythonQtObject.connect

    def noted(self, signature, slot, *receiver):
        held = connect(self, signature, slot, *receiver)
        called = getattr(slot, receiver[0].split("(")[0], None) if receiver else slot
        made.append((type(self).__name__, signature, held, callable(called)))
        return held

    monkeypatch.setattr(pythonqt.PythonQtObject, "connect", noted)
    panel = standin.open_module(MODULE / "PCNSLSurvival.py")
    standin.close_module(panel)
    assert len(made) > 20
    assert [entry for entry in made if not (entry[2] and entry[3])] == []


def test_a_brain_mask_that_goes_is_not_exchanged_for_another(standin, quick_panel):
    """A selector moves on to another node by itself: here to a label map that is no brain at all."""
    import slicer

    masks = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", n) for n in ("mask", "tumor")]
    selector, wait = quick_panel.ui.brainMaskSelector, Wait()
    selector.setCurrentNode(masks[0])
    slicer.mrmlScene.RemoveNode(masks[0])
    assert selector.currentNode() is masks[1], "Slicer's habit"
    wait.until(lambda: selector.currentNode() is None)
    wait.some(0.1)
    assert selector.currentNode() is None
    assert quick_panel.logic.getParameterNode().brainMask is None
