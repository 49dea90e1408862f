"""Packages, wheels and extensions: one question, then the way this Slicer offers; nothing of Slicer's is changed."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest
from made_scenes import add_head, scene_state, take_away, temporary_files


@pytest.fixture
def ready(standin, quick_panel):
    add_head("T1 Gd")
    quick_panel.ui.guessButton.click()
    return quick_panel


@pytest.fixture
def needing(standin, ready, monkeypatch, tmp_path):
    """Says what the prediction needs and what the user answers; gives the panel's sentence after a click."""
    from PCNSLSurvivalUI.install import packages

    monkeypatch.setattr(packages, "REQUIREMENTS", tmp_path / "requirements.txt")

    def click(*lines, answer=None):
        (tmp_path / "requirements.txt").write_text("# comment\n" + "\n".join(lines), encoding="utf-8")
        if answer is not None:
            standin.app.standin_testing = False
            monkeypatch.setattr(packages, "askForSource", lambda what, how: answer)
        before = scene_state()
        ready.ui.predictButton.click()
        assert ready.logic.run is None
        assert ready.ui.predictButton.enabled
        assert scene_state() == before
        assert temporary_files() == []
        return ready.ui.messageLabel.text

    return click


@pytest.fixture
def pip(monkeypatch):
    """Notes the words that would go to pip, and the constraints, instead of installing."""
    import slicer

    calls = []

    def install(words):
        calls.append((words[2:], Path(words[1]).read_text(encoding="utf-8").splitlines()))

    monkeypatch.setattr(slicer.util, "pip_install", install, raising=False)
    return calls


def test_missing_and_outdated_packages_are_named(needing):
    said = needing("no-such-package>=1", "numpy>=99", "scipy")
    assert "no-such-package>=1" in said
    assert "numpy>=99" in said
    assert "scipy" not in said


def test_wheels_of_a_folder_are_installed_without_the_internet(needing, pip):
    said = needing("no-such-package>=1", answer="wheels")
    ((words, _constraints),) = pip
    assert words == ["--no-index", "--find-links", "wheels", "no-such-package>=1"]
    assert "not installed yet" in said, "pip did nothing here, and the panel noticed"


def test_slicers_own_packages_are_never_changed_and_no_other_one_downgraded(needing, pip):
    from importlib.metadata import version

    needing("no-such-package>=1", answer="")
    ((_words, constraints),) = pip
    assert f"numpy=={version('numpy')}" in constraints
    assert f"SimpleITK=={version('SimpleITK')}".lower() in [line.lower() for line in constraints]
    assert f"torch>={version('torch').split('+')[0]}" in constraints


def test_slicers_packaging_is_used_where_there_is_one(needing, pip, monkeypatch):
    calls = []
    packaging = types.ModuleType("slicer.packaging")
    packaging.pip_install = lambda requirements, constraints=None, requester=None: calls.append(
        (requirements, Path(constraints).is_file(), requester)
    )
    monkeypatch.setitem(sys.modules, "slicer.packaging", packaging)
    needing("no-such-package>=1", answer="")
    assert calls == [(["no-such-package>=1"], True, "PCNSL Survival")]
    assert pip == []


def test_torch_comes_through_its_extension_where_there_is_one(needing, pip, monkeypatch):
    calls = []

    class Logic:
        def installTorch(self, askConfirmation=True, torchVersionRequirement=None):
            calls.append((askConfirmation, torchVersionRequirement))
            return types.ModuleType("torch")

    extension = types.ModuleType("PyTorchUtils")
    extension.PyTorchUtilsLogic = Logic
    monkeypatch.setitem(sys.modules, "PyTorchUtils", extension)
    needing("torch>=99", "no-such-package>=1", answer="")
    assert calls == [(False, ">=99")]
    assert [words for words, _constraints in pip] == [["no-such-package>=1"]]


def test_a_second_click_while_pip_works_starts_nothing(needing, ready, monkeypatch):
    import slicer

    said = []

    def install(words):
        ready.ui.predictButton.enabled = True  # as it is shown again by what else happens meanwhile
        ready.ui.predictButton.click()
        said.append(ready.ui.messageLabel.text)

    monkeypatch.setattr(slicer.util, "pip_install", install, raising=False)
    needing("no-such-package>=1", answer="")
    assert said == ["Python packages are being installed. Wait until that is done."]
    needing("no-such-package>=1", answer="")
    assert len(said) == 2, "the next click installs again"


def test_pip_that_fails_is_told(needing, monkeypatch):
    import slicer

    def fails(words):
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(slicer.util, "pip_install", fails, raising=False)
    assert "could not be installed" in needing("no-such-package>=1", answer="")


@pytest.mark.parametrize(("press", "installs"), [("Install", [["torch>=99", "jinja2>=99"]]), ("Not now", [])])
def test_the_one_question_tells_what_and_how_big(standin, pip, press, installs):
    from PCNSLSurvivalUI.install import packages
    from PySide6 import QtCore, QtWidgets

    standin.app.standin_testing, seen = False, []

    def answer():
        box = QtWidgets.QApplication.activeModalWidget()
        seen.append(QtWidgets.QMessageBox.text(box) + QtWidgets.QMessageBox.informativeText(box))
        buttons = QtWidgets.QMessageBox.buttons(box)
        QtWidgets.QAbstractButton.click(next(b for b in buttons if QtWidgets.QAbstractButton.text(b) == press))

    QtCore.QTimer.singleShot(100, answer)
    with pytest.raises(packages.MissingPackagesError):  # pip does nothing here
        packages.ensureInstalled(["torch>=99", "jinja2>=99"])
    assert [words for words, _constraints in pip] == installs
    assert "torch>=99, jinja2>=99" in seen[0]
    assert "several hundred megabytes" in seen[0]
    assert "GB are free on the disk" in seen[0]
    assert "Without internet" in seen[0]


@pytest.mark.parametrize(
    ("installed", "choice", "expected", "spared"),
    [
        (False, None, "onnxruntime>=99", "torch"),
        (False, "proposal", "onnxruntime>=99", "torch"),
        (False, "cuda", "torch>=99", "onnx"),
        (True, None, "torch>=99", "onnx"),
    ],
)
def test_the_small_runtime_is_offered_where_torch_is_absent(
    needing, ready, monkeypatch, installed, choice, expected, spared
):
    if not installed:
        take_away(monkeypatch, "torch")
    ready.ui.proposeLesionCheckBox.setChecked(choice == "proposal")
    if choice == "cuda":
        ready.logic.getParameterNode().device = "cuda"
    said = needing("torch>=99", "onnxruntime>=99", "onnx>=99")
    assert expected in said
    assert spared not in said


def test_the_question_says_what_the_small_runtime_can_do(standin, monkeypatch):
    from PCNSLSurvivalUI.install import packages

    told = []
    monkeypatch.setattr(packages, "askForSource", lambda what, how: told.append(how))
    with pytest.raises(packages.MissingPackagesError):
        packages.ensureInstalled(["onnxruntime>=99", "onnx>=99"])
    assert "100 megabytes" in told[0]
    assert "install PyTorch" in told[0]


def test_the_shipped_requirements_name_one_runtime(standin, monkeypatch):
    from PCNSLSurvivalUI.install import packages

    for absent, names in (((), {"torch"}), (("torch",), {"onnxruntime", "onnx"})):
        take_away(monkeypatch, *absent)
        found = {line.split(">")[0] for line in packages.requirements()}
        assert found & {"torch", "onnxruntime", "onnx"} == names


# --- the self-check -----------------------------------------------------------------------------------------------


def test_the_self_check_gives_text_to_copy(standin, ready, monkeypatch):
    from made_scenes import Wait, child_processes
    from PCNSLSurvivalUI.process import job

    ui = ready.ui
    monkeypatch.setattr(job, "WORKER", Path(__file__).with_name("fake_worker.py"))
    ui.advancedSection.setChecked(True)
    assert not ui.selfCheckLabel.visible
    ui.selfCheckButton.click()
    assert not ui.selfCheckButton.enabled
    Wait().until(lambda: ui.selfCheckButton.enabled)
    assert ui.selfCheckLabel.text == "everything is\nas it should be"
    assert child_processes() == []


# --- the extension SwissSkullStripper -----------------------------------------------------------------------------


@pytest.fixture
def withoutSwiss(standin, ready):
    standin.offer_cli_modules("n4itkbiasfieldcorrection", "brainsfit")
    return ready


def test_an_absent_extension_is_installed_when_the_user_says_so(standin, withoutSwiss, monkeypatch):
    from PCNSLSurvivalUI.install import extensions

    asked = []

    class Manager:
        def installExtensionFromServer(self, name, restart, update):
            asked.append((name, restart, update))
            return True

    monkeypatch.setattr(type(standin.app), "extensionsManagerModel", lambda self: Manager(), raising=False)
    monkeypatch.setattr(extensions, "ask", lambda: "install")
    withoutSwiss.ui.predictButton.click()
    assert asked == [("SwissSkullStripper", True, False)]
    assert "Restart Slicer" in withoutSwiss.ui.messageLabel.text


def test_the_other_brain_extractor_takes_its_place(standin, withoutSwiss, monkeypatch):
    from PCNSLSurvivalUI.install import extensions
    from PCNSLSurvivalUI.run import request

    monkeypatch.setattr(extensions, "ask", lambda: "built-in")
    monkeypatch.setattr(request, "is_brain_extractor_installed", lambda method: True)
    withoutSwiss.ui.predictButton.click()
    assert withoutSwiss.logic.run is not None
    assert withoutSwiss.ui.brainEngineSelector.currentText == "Built in"
    withoutSwiss.ui.predictButton.click()


def test_the_question_about_the_extension_offers_what_this_slicer_can_do(standin):
    from PCNSLSurvivalUI.install import extensions
    from PySide6 import QtCore, QtWidgets

    standin.app.standin_testing, seen = False, []

    def answer():
        buttons = QtWidgets.QMessageBox.buttons(QtWidgets.QApplication.activeModalWidget())
        seen.extend(QtWidgets.QAbstractButton.text(b) for b in buttons)
        QtWidgets.QAbstractButton.click(next(b for b in buttons if "built-in" in QtWidgets.QAbstractButton.text(b)))

    QtCore.QTimer.singleShot(100, answer)
    assert extensions.ask() == "built-in"
    assert sorted(seen) == ["Not now", "Use the built-in brain extraction"], "no extensions manager here"
    assert not extensions.install()


@pytest.mark.parametrize(("answer", "words"), [("", []), ("wheels", ["--wheels", "wheels"]), (None, None)])
def test_the_brain_extractor_comes_from_the_internet_or_a_folder(standin, ready, monkeypatch, answer, words):
    from PCNSLSurvivalUI.install import brain_extractor_button, packages

    started = []

    class Job:
        def __init__(self, arguments, onEvent, ended):
            started.append(arguments)
            ended("The networks could not be had.")

        def cancel(self):
            pass

    monkeypatch.setattr(packages, "askForSource", lambda what, how: answer)
    monkeypatch.setattr(brain_extractor_button.job, "Job", Job)
    ready.view.brainExtractor.fetch()
    assert started == ([] if words is None else [["install-brain-extractor", "--method", "deepbet-1.0.2", *words]])
    assert ("could not be had" in ready.ui.messageLabel.text) == (words is not None)
    assert ready.ui.brainExtractorButton.enabled
