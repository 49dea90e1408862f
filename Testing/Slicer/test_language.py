"""The panel in the user's language: its own words, and what the library says of scans, models and errors."""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path

import library_sentences
import pytest
from fake_worker import FAMILIAR, NO_CONTENT, NOT_OVER_T1GD, SMALL_BRAIN
from made_scenes import Wait, add_head
from slicer_standin import cli, records, translation

from PCNSLSurvivalLib.core.terms import MRSequence, OSClass
from PCNSLSurvivalLib.models.familiarity_measures import measure_names
from PCNSLSurvivalLib.preprocessing.qc.step_checks import ENDS

MODULE = library_sentences.ROOT / "PCNSLSurvival"
CODE = sorted([*MODULE.glob("*.py"), *(MODULE / "PCNSLSurvivalUI").rglob("*.py")])
COMMANDS = {file.stem.replace("_", "-") for file in (library_sentences.ROOT / "PCNSLSurvivalLib" / "cli").glob("*.py")}
WITH_VALUE = "«The brain mask holds 700 mL, too little for an adult brain. Look at its outline on the slices.»"


@pytest.fixture
def words(standin, monkeypatch):
    """``library_words``, in an invented language in which every known sentence stands in «»."""
    monkeypatch.setattr(translation, "language", lambda text: f"«{text}»")

    from PCNSLSurvivalUI.messages import translation as messages

    return messages


def _known(words):
    return [sentence for table in words._TABLES for sentence in table.sentences(str)]


def _without_names(sentence):
    return re.sub(r"{\w+}", "{}", sentence)


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
    panel = standin.open_module(MODULE / "PCNSLSurvival.py")
    from PCNSLSurvivalUI.panel import model_list
    from PCNSLSurvivalUI.result import map_display
    from PCNSLSurvivalUI.run import prediction_run

    monkeypatch.setattr(model_list, "installedModels", lambda: [made_model])
    worker = (Path(__file__).with_name("fake_worker.py"),)
    monkeypatch.setattr(prediction_run.PredictionRun.__init__, "__defaults__", worker)
    panel.view.models.fill()
    for module in records.cli_parameters():
        cli.plans[module] = {"quick": True}
    heads = {add_head(name).GetName() for name in ("T1 Gd", "T1", "T2")}
    panel.ui.guessButton.click()
    panel.ui.predictButton.click()
    Wait().until(lambda: panel.logic.run is None)
    shown = list(_texts(panel.parent))
    names = heads | {"cpu", "cuda", "mps", *map_display.COLOR_NODES}
    bare = [
        f"{place}: {line}"
        for place, text in shown
        for line in text.splitlines()
        if any(map(str.isalpha, line)) and "«" not in line and line not in names
    ]
    standin.close_module(panel)
    assert bare == []
    assert ("warningsLabel", f"⚠ {WITH_VALUE}") in shown
    assert ("familiarityLabel", f"«{FAMILIAR}»") in shown
    assert ("demonstrationBanner", f"«{made_model.warning}»") in shown
    assert [place for place, text in shown if text == WITH_VALUE] == ["stepsTable"], "beside the brain extraction"


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


# --- what the library says ------------------------------------------------------------------------------------


def test_every_sentence_that_the_library_can_send_is_there_to_translate(words):
    sent, known = library_sentences.templates(), {_without_names(sentence) for sentence in _known(words)}
    assert {where: sentence for sentence, where in sent.items() if sentence not in known} == {}
    literals = library_sentences.literals()
    assert [sentence for sentence in known if sentence not in literals] == [], "the library no longer says these"


def test_a_new_sentence_of_the_library_is_noticed(tmp_path):
    ignored = shutil.ignore_patterns("bundled", "__pycache__")
    library = tmp_path / "PCNSLSurvivalLib"
    shutil.copytree(library_sentences.ROOT / "PCNSLSurvivalLib", library, ignore=ignored)
    before = library_sentences.templates(library)
    for file, code in (
        ("imaging/io.py", 'raise UnreadableScanError(f"The {name} file is from {year}. Scan anew.")'),
        ("preprocessing/qc/step_checks.py", 'sentence = f"The skull is {mm:.0f} mm thick."'),
        ("cli/register.py", 'clock.skip(Step.READ, "it is too late" if late else "it is too early")'),
    ):
        with (library / file).open("a", encoding="utf-8") as stream:
            stream.write(f"\n\ndef new():\n    {code}\n")
    assert library_sentences.templates(library).keys() - before.keys() == {
        "The {} file is from {}. Scan anew.", "The skull is {} mm thick.", "it is too late", "it is too early",
    }  # fmt: skip


def test_the_commands_that_the_panel_starts_are_those_looked_through():
    started = {
        node.elts[0].value
        for file in CODE
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.List) and node.elts and getattr(node.elts[0], "value", None) in COMMANDS
    }
    assert started == {name.replace("_", "-") for name in library_sentences.COMMANDS}


def test_every_sentence_is_known_again_with_its_values(words):
    for table in words._TABLES:
        for sentence in table.sentences(str):
            names = re.findall(r"{(\w+)}", sentence)
            values = {name: f"T1 {number}.5" for number, name in enumerate(names)}
            assert words.recognized(sentence.format(**values)) == ((table, sentence), values)


def test_several_sentences_are_translated_one_by_one_and_values_with_them(words, monkeypatch):
    cut = "The front of the brain is cut off by the border of T1Gd: the last section still has 70 % of the largest one."
    there = "Use a series that covers the whole brain."
    german = {
        "The {side} of the brain is cut off by the border of T1Gd: the last section still has {share} % of the largest "
        f"one. {there}": "Abgeschnitten: noch {share} % {side}.",
        "front": "vorn",
        "The brain mask is one piece.": "Die Maske ist ein Stück.",
    }
    monkeypatch.setattr(translation, "language", lambda text: german.get(text, text))
    said = f"{cut} {there} An unknown sentence. The brain mask is one piece."
    told = "Abgeschnitten: noch 70 % vorn. An unknown sentence. Die Maske ist ein Stück."
    assert words.inUsersLanguage(said) == told
    assert words.inUsersLanguage("A sentence of an older version: 3 mm.") == "A sentence of an older version: 3 mm."
    assert words.inUsersLanguage("") == ""


def test_words_that_stand_for_a_value_are_translated(words):
    sequences = [str(sequence) for sequence in MRSequence]
    measures = [name for group in measure_names(sequences).values() for name in group]
    for word in [*measures, *(end for ends in ENDS for end in ends), *(each.label for each in OSClass)]:
        assert words.inUsersLanguage(word).startswith("«"), word


def test_what_our_process_does_is_listed_in_the_users_language(words):
    from PCNSLSurvivalUI.run.plan import showProcessEvent
    from PCNSLSurvivalUI.run.step_list import StepList

    steps = StepList()
    for step in ("bias_field", "brain_extraction"):
        steps.add(step, step)
    for event in (
        {"step": "registration", "state": "started", "detail": "T2, rough"},
        {"step": "bias_field", "state": "skipped", "detail": "the scans have no bias field left"},
        {"step": "brain_extraction", "state": "skipped", "detail": "a brain mask was given"},
    ):
        assert showProcessEvent(steps, {"type": "step", **event})
    assert steps.find("registration T2, rough").label == "«Registration to T1Gd», «T2, rough»"
    assert steps.find("bias_field").note == "«the scans have no bias field left»"
    assert steps.find("brain_extraction").note == "«a brain mask was given»"


@pytest.mark.parametrize("how", ["error", "alignment", "model"])
def test_errors_and_refusals_are_told_in_the_users_language(words, quick_panel, monkeypatch, tmp_path, how):
    plan = {"error": {"stop_at": "read", "how": "sentence"}, "alignment": {"stop_at": "register"}}
    monkeypatch.setenv("FAKE_WORKER", json.dumps(plan.get(how, {})))
    for module in records.cli_parameters():
        cli.plans[module] = {"quick": True}
    ui = quick_panel.ui
    if how == "model":
        quick_panel.view.models.addFolder(tmp_path)
        assert ui.messageLabel.text.startswith("«The folder given as model holds no configs/metadata.json. ")
        return
    ui.t1gdSelector.setCurrentNode(add_head("T1 Gd"))
    ui.t2Selector.setCurrentNode(add_head("T2"))
    ui.registrationEngineSelector.setCurrentIndex(1)  # built in
    ui.predictButton.click()
    Wait().until(lambda: quick_panel.logic.run is None)
    assert ui.messageLabel.text == f"«{NO_CONTENT if how == 'error' else NOT_OVER_T1GD.format('T2')}»"


def test_the_remarks_of_the_quality_strip_are_in_the_users_language(words):
    from PCNSLSurvivalUI.result.quality_strip import _remarks
    from PCNSLSurvivalUI.scene.output_nodes import MASK

    finding = {"code": "brain_volume", "subject": "brain mask", "verdict": "check", "sentence": SMALL_BRAIN}
    assert _remarks({"preprocessing": {"findings": [finding]}}, MASK) == (WITH_VALUE,)
