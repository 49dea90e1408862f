"""The panel in the user's language: its own words, and what the library says of scans, models and errors."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import fake_worker
import pytest
from made_scenes import Wait, add_head
from slicer_standin import cli, records, translation

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.messages.message import placeholders, templates
from PCNSLSurvivalLib.core.progress import StepClock, StepEvent
from PCNSLSurvivalLib.core.terms import MRSequence, Step

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "PCNSLSurvival"
CODE = sorted([*MODULE.glob("*.py"), *(MODULE / "PCNSLSurvivalUI").rglob("*.py")])
SMALL_BRAIN = f"«{fake_worker.SMALL_BRAIN['sentence']}»"


@pytest.fixture
def invented(standin, monkeypatch):
    """An invented language in which every text that was translated stands in «»."""
    monkeypatch.setattr(translation, "language", lambda text: f"«{text}»")


# --- the panel's own words ------------------------------------------------------------------------------------


def test_what_the_user_reads_goes_through_the_translation():
    """Texts given to widgets are ``_("…")`` or come from a function, never a bare literal with words."""
    setters = {"setText", "setToolTip", "addItem", "setItemText", "setWindowTitle", "_say", "setInformativeText"}
    faults = []
    for file in CODE:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            texts = []
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Attribute) and target.attr in ("text", "toolTip") for target in node.targets
            ):
                texts = [node.value]
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in setters:
                texts = node.args[:1]
            for text in texts:
                if isinstance(text, ast.Constant) and isinstance(text.value, str) and any(map(str.isalpha, text.value)):
                    faults.append(f"{file.name}:{text.lineno} {text.value}")
    assert faults == []


def test_the_panel_speaks_the_users_language(standin, made_model, monkeypatch):
    """In an invented language every line of panel, steps, result and step pictures is that language's.

    Names of volumes, models, devices and color maps stay.
    """
    monkeypatch.setattr(translation, "language", lambda text: f"«{text}»")
    # Slicer takes a language at its start; here, panels of other tests have looked words up before.
    for name in [name for name in sys.modules if name.split(".")[0] in ("PCNSLSurvival", "PCNSLSurvivalUI")]:
        del sys.modules[name]
    panel = standin.open_module(MODULE / "PCNSLSurvival.py")
    from PCNSLSurvivalUI.choices import model_list
    from PCNSLSurvivalUI.process import job
    from PCNSLSurvivalUI.result import map_display

    monkeypatch.setattr(model_list, "installedModels", lambda: [made_model])
    monkeypatch.setattr(job, "WORKER", Path(__file__).with_name("fake_worker.py"))
    panel.view.models.fill()
    for module in records.cli_parameters():
        cli.plans[module] = {"quick": True}
    heads = {add_head(name).GetName() for name in ("T1 Gd", "T1", "T2")}
    panel.ui.guessButton.click()
    panel.ui.predictButton.click()
    Wait().until(lambda: panel.logic.run is None)
    shown = list(_texts(panel.parent))
    names = heads | {"cpu", "cuda", "mps", model_list.titleOf(made_model), *map_display.COLOR_NODES}
    bare = [
        f"{place}: {line}"
        for place, text in shown
        for line in text.splitlines()
        if any(map(str.isalpha, line)) and "«" not in line and line not in names
    ]
    standin.close_module(panel)
    assert bare == []
    assert ("warningsLabel", f"⚠ {SMALL_BRAIN}") in shown
    assert ("familiarityLabel", f"«{fake_worker.FAMILIAR['sentence']}»") in shown
    assert ("demonstrationBanner", f"«{made_model.warning}»") in shown
    assert [place for place, text in shown if text == SMALL_BRAIN] == ["stepsTable"], "beside the brain extraction"


def _texts(parent):
    """Name of the widget, or its class, and every text it shows."""
    from PySide6 import QtCore, QtWidgets

    for widget in QtCore.QObject.findChildren(parent, QtWidgets.QWidget):
        place = QtCore.QObject.objectName(widget) or type(widget).__name__
        yield place, QtWidgets.QWidget.toolTip(widget)
        if isinstance(widget, QtWidgets.QAbstractButton):
            yield place, QtWidgets.QAbstractButton.text(widget)
        elif isinstance(widget, QtWidgets.QLabel):
            yield place, QtWidgets.QLabel.text(widget)
        elif isinstance(widget, QtWidgets.QComboBox):
            combo = QtWidgets.QComboBox
            yield from ((place, combo.itemText(widget, row)) for row in range(combo.count(widget)))
        elif isinstance(widget, QtWidgets.QTableWidget):
            table = QtWidgets.QTableWidget
            places = [(r, c) for r in range(table.rowCount(widget)) for c in range(table.columnCount(widget))]
            for item in (table.item(widget, *at) for at in places):
                yield place, item.text()
                if table.column(widget, item) == 0:  # every column of a row has the same
                    yield place, item.toolTip()


# --- what the library tells -----------------------------------------------------------------------------------


def test_every_template_is_looked_up_under_its_file_and_keeps_its_values(standin, monkeypatch):
    """Slicer's tool files a literal under folder and file, so that is where the panel must ask for it."""
    from PCNSLSurvivalUI import messages

    asked = []
    monkeypatch.setattr(messages, "translate", lambda context, text: asked.append((context, text)) or f"«{text}»")
    sources = {}
    for code, template in templates().items():
        asked.clear()
        names = sorted(placeholders(template))
        told = Message(code, **{name: 3 + number for number, name in enumerate(names)})
        assert messages.shown(told) == messages.shown(told.to_json()) == f"«{told}»", code
        (context, text), *_ = asked
        assert text == template, code
        if context not in sources:
            folder, file = context.split(".")
            (found,) = (ROOT / "PCNSLSurvivalLib").rglob(f"{folder}/{file}.py")
            sources[context] = found.read_text(encoding="utf-8")
        marked = f'_("{text}")' if code.startswith("step.") else f'"{code}": _('
        assert marked in sources[context], code


def test_values_that_are_words_are_translated_with_their_sentence(standin, monkeypatch):
    from PCNSLSurvivalUI.messages import shown

    german = {
        templates()["brain.cut_off"]: "Abgeschnitten: noch {percent:.0f} % {side}.",
        templates()["quality.stop"]: "{findings} Weiter?",
        templates()["scan.noisy"]: "{sequence} rauscht: {ratio:.1f}.",
        "front": "vorn",
    }
    monkeypatch.setattr(translation, "language", lambda text: german.get(text, text))
    cut = Message("brain.cut_off", side=Message("word.front"), percent=70.2)
    noisy = Message("scan.noisy", sequence=MRSequence.T2, ratio=2.26)
    assert shown(Message("quality.stop", findings=(cut, noisy))) == (
        "Abgeschnitten: noch 70 % vorn. T2 rauscht: 2.3. Weiter?"
    )


def test_what_this_version_does_not_know_is_shown_as_it_was_said(invented):
    from PCNSLSurvivalUI.messages import shown

    assert shown({"code": None, "values": {}, "sentence": "Of an older version: 3 mm."}) == "Of an older version: 3 mm."
    assert shown({"code": "scan.of_the_future", "values": {}, "sentence": "Of a later one."}) == "Of a later one."
    assert shown(None) == ""


def test_what_our_process_does_is_listed_in_the_users_language(invented):
    from PCNSLSurvivalUI.run.plan import showProcessEvent
    from PCNSLSurvivalUI.run.step_list import StepList

    steps = StepList()
    for step in ("bias_field", "brain_extraction"):
        steps.add(step, step)
    skip = StepClock(lambda event: showProcessEvent(steps, event.to_json()))
    skip.listener(StepEvent(step=Step.REGISTRATION, state="started", sequence=MRSequence.T2, rough=True))
    skip.skip(Step.BIAS_FIELD, Message("skipped.no_bias_field"))
    skip.skip(Step.BRAIN_EXTRACTION, Message("skipped.brain_mask_given"))
    assert steps.find("registration t2 rough").label == "«Registration to T1Gd», T2, «coarse»"
    assert steps.find("bias_field").note == "«already bias-corrected»"
    assert steps.find("brain_extraction").note == "«a brain mask was given»"


@pytest.mark.parametrize("how", ["error", "alignment", "model"])
def test_errors_and_refusals_are_told_in_the_users_language(invented, quick_panel, monkeypatch, tmp_path, how):
    plan = {"error": {"stop_at": "read", "how": "sentence"}, "alignment": {"stop_at": "register"}}
    monkeypatch.setenv("FAKE_WORKER", json.dumps(plan.get(how, {})))
    for module in records.cli_parameters():
        cli.plans[module] = {"quick": True}
    ui = quick_panel.ui
    if how == "model":
        quick_panel.view.models.addFolder(tmp_path)
        assert ui.messageLabel.text == f"«{templates()['model.no_metadata']}»"
        return
    ui.t1gdSelector.setCurrentNode(add_head("T1 Gd"))
    ui.t2Selector.setCurrentNode(add_head("T2"))
    ui.registrationEngineSelector.setCurrentIndex(1)  # built in
    ui.predictButton.click()
    Wait().until(lambda: quick_panel.logic.run is None)
    told = fake_worker.NO_CONTENT if how == "error" else fake_worker.not_over_t1gd("t2")
    assert ui.messageLabel.text == f"«{told['sentence']}»"


def test_the_stand_in_of_our_process_says_what_the_library_says():
    said = (fake_worker.NO_CONTENT, fake_worker.SMALL_BRAIN, fake_worker.THIN_SLICES, fake_worker.FAMILIAR)
    for told in (*said, fake_worker.VOLUMES, fake_worker.NO_RESPONSE, fake_worker.not_over_t1gd("t1")):
        assert Message.from_json(told).to_json() == told


# --- results of an earlier version ------------------------------------------------------------------------------

OLD = {
    "schema_version": "1.1",
    "probability_over_one_year": 0.3,
    "class": "OS ≤ 1 year",
    "decision_threshold": 0.5,
    "warnings": ["T2 is thick.", "This scan is unlike anything."],
    "activation_map": {"explains": "OS ≤ 1 year"},
    "activation_map_other_class": {"explains": "OS > 1 year"},
    "familiarity": {
        "verdict": "unlike anything the model has seen",
        "furthest": "fullness of the brain",
        "sentence": "This scan is unlike anything.",
    },
    "evidence": {"constant": 0.1, "ledger": {"warning": "Outside."}},
    "preprocessing": {
        "findings": [
            {"code": "uncovered_brain", "subject": "T2", "verdict": "check", "value": 0.1, "sentence": "T2 is thick."},
            {"code": "mask_near_skin", "subject": "brain mask", "verdict": "good", "value": 0, "sentence": "Away."},
        ]
    },
    "seconds": {"bias_field T1Gd": 2.0, "registration T2, rough": 3.0, "report": 1.0},
}


def test_a_result_of_schema_1_is_shown_from_a_saved_scene(standin):
    import slicer
    from PCNSLSurvivalUI.result.map_display import classOf
    from PCNSLSurvivalUI.result.quality_strip import stripSteps
    from PCNSLSurvivalUI.run.step_list import StepList
    from PCNSLSurvivalUI.run.step_verdicts import judgeSteps
    from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, OVER, UP_TO, SceneOutputs, storedResult
    from PCNSLSurvivalUI.sections import result_text

    result = storedResult(json.dumps(OLD))
    assert "OS ≤ 1 year" in result_text.headline(result)
    assert result_text.warningsInWords(result) == "⚠ T2 is thick.\n⚠ This scan is unlike anything."
    assert result_text.familiarityInWords(result) == "", "a warning says it"
    explained = [classOf(result[name]["explains"]) for name in ("activation_map", "activation_map_other_class")]
    assert explained == [UP_TO, OVER]
    outputs = SceneOutputs(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))
    outputs.place(ALIGNED + MRSequence.T2, add_head("T2"), "T2 aligned with T1Gd", None)
    assert [(step.role, step.remarks) for step in stripSteps(outputs, result)] == [
        (ALIGNED + MRSequence.T2, ("T2 is thick.",))
    ]
    steps = StepList()
    for key in ("registration t2", "brain_extraction"):
        steps.add(key, key)
    judgeSteps(steps, result)
    assert (steps.find("registration t2").verdict, steps.find("brain_extraction").verdict) == ("check", "good")


def test_engines_that_an_older_scene_kept_in_words_are_the_same_engines(standin):
    import slicer
    from PCNSLSurvivalUI.choices.parameters import parametersOf
    from PCNSLSurvivalUI.run.engines import BUILT_IN, SKIP, SLICER

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    for name, words in (("biasEngine", "Skip: done already"), ("brainEngine", "Built in")):
        node.SetParameter(name, words)
    parameters = parametersOf(node)
    assert (parameters.biasEngine, parameters.brainEngine, parameters.registrationEngine) == (SKIP, BUILT_IN, SLICER)
