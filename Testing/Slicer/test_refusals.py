"""What cannot be run is refused with its own sentence, and the panel stays usable."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_scenes import Wait, add_head, outputs_of, scene_state


@pytest.fixture
def ready(standin, quick_panel):
    add_head("T1 Gd")
    quick_panel.ui.guessButton.click()
    return quick_panel


def _refused(panel):
    before = scene_state()
    panel.ui.predictButton.click()
    assert panel.logic.run is None
    assert panel.ui.predictButton.enabled
    assert panel.ui.predictButton.text == "Predict overall survival"
    assert scene_state() == before
    return panel.ui.messageLabel.text


def test_an_absent_cli_module_is_named_with_what_to_do(standin, ready):
    standin.offer_cli_modules("n4itkbiasfieldcorrection", "brainsfit")
    said = _refused(ready)
    assert "SwissSkullStripper is not installed" in said
    assert "Extensions Manager" in said
    standin.offer_cli_modules("swissskullstripper", "brainsfit")
    assert "N4ITKBiasFieldCorrection" in _refused(ready)


def test_space_on_the_disk_is_asked_for_only_where_the_disk_is_full(standin, ready, monkeypatch):
    """Before, any fault while the scans were written sent the user to the disk."""
    from PCNSLSurvivalUI.run import prediction_process, request
    from PCNSLSurvivalUI.run.engines import BUILT_IN

    monkeypatch.setattr(request, "is_brain_extractor_installed", lambda method: True)
    parameters = ready.logic.getParameterNode()
    for engine in ("biasEngine", "brainEngine", "registrationEngine"):
        setattr(parameters, engine, BUILT_IN)

    def told(fault):
        def write(*_arguments):
            yield
            raise fault

        monkeypatch.setattr(prediction_process, "writeNrrd", write)
        ready.ui.predictButton.click()
        Wait().until(lambda: ready.logic.run is None)
        return ready.ui.messageLabel.text

    begin = "The scans could not be written"
    space, report, folder = "Free some space on the disk", "please report it", "Modules > Temporary directory"
    place = str(Path(standin.app.temporaryPath, "made", "t1gd.nrrd"))  # Slicer could not make the folder in it
    for fault, reason, asked, not_asked in (
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device", space, report),
        (OSError(errno.EACCES, "Permission denied"), "Permission denied", report, space),
        (OSError(errno.EACCES, "Permission denied", place), "Permission denied", folder, report),
        (OSError(errno.ENOENT, "No such file or directory", place), "No such file or directory", folder, report),
        (ValueError("a fault of ours"), "ValueError", report, space),
    ):
        said = told(fault)
        assert said.startswith(f"{begin} ({reason}).")
        assert asked in said
        assert not_asked not in said


@pytest.mark.parametrize("sequence", ["T1Gd", "T2"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [("ct", "looks like a CT"), ("flat", "has too few slices (1)"), ("constant", "has the same value")],
)
def test_what_is_no_mr_volume_is_refused_before_any_step(standin, ready, sequence, fault, said):
    """A CT was recognized after brain extraction and N4, a flat picture never by its name."""
    import numpy as np
    import slicer

    head = slicer.util.arrayFromVolume(ready.ui.t1gdSelector.currentNode()).astype(np.float32)
    values = {
        "ct": np.where(head > 100, head / 8.0, -1000.0),
        "flat": head[30:31],
        "constant": np.full_like(head, 7.0),
    }[fault]
    node = slicer.util.addVolumeFromArray(np.ascontiguousarray(values), name="other")
    (ready.ui.t1gdSelector if sequence == "T1Gd" else ready.ui.t2Selector).setCurrentNode(node)
    assert f"{sequence} {said}" in _refused(ready)


def test_no_model_is_told(standin, ready, monkeypatch):
    from PCNSLSurvivalUI.choices import model_list

    monkeypatch.setattr(model_list, "installedModels", list)
    ready.view.models.fill()
    assert "No model is installed" in ready.ui.modelDescription.text
    assert "Add a model folder" in _refused(ready)


def test_a_model_that_reads_more_than_was_given_is_refused(standin, ready, made_model):
    from PCNSLSurvivalLib.core.terms import MRSequence

    made_model.sequences = (MRSequence.T1GD, MRSequence.T2)
    assert "also needs T2" in _refused(ready)


def test_a_damaged_model_folder_is_told(standin, ready, tmp_path):
    ready.view.models.addFolder(tmp_path)
    assert ready.ui.messageLabel.text
    assert str(tmp_path) not in ready.ui.messageLabel.text


def test_the_built_in_brain_extraction_is_asked_for_first(standin, ready, monkeypatch):
    from PCNSLSurvivalUI.install import brain_extractor_button
    from PCNSLSurvivalUI.run import request

    for module in (brain_extractor_button, request):
        monkeypatch.setattr(module, "is_brain_extractor_installed", lambda method: False)
    ready.ui.brainEngineSelector.setCurrentText("Built in")
    assert "Download brain extraction model" in _refused(ready)
    ready.view.brainExtractor.show()
    assert ready.ui.brainExtractorButton.isVisibleTo(ready.ui.advancedSection)


def test_the_brain_extraction_that_the_model_names_is_asked_for(standin, ready, made_model, monkeypatch):
    """One that this version lists is offered for download; of another one the run says what the model requires."""
    from PCNSLSurvivalUI.install import packages

    from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet import Deepbet
    from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import EXTRACTORS

    class Other(Deepbet):
        package, version, license, download_mb = "other-bet", "1.0", "ISC", 23

    monkeypatch.setitem(EXTRACTORS, "other-bet-1.0", Other())
    step = replace(made_model.recipe.brain_extraction, method="other-bet-1.0")
    made_model.recipe = replace(made_model.recipe, brain_extraction=step)
    ready.ui.brainEngineSelector.setCurrentText("Built in")
    assert "Download brain extraction model" in _refused(ready)
    ready.view.brainExtractor.show()
    assert "23 MB" in ready.ui.brainExtractorButton.text
    asked = []
    monkeypatch.setattr(packages, "askForSource", lambda *texts: asked.extend(texts))
    ready.view.brainExtractor.fetch()
    assert "other-bet 1.0, ISC license" in asked[0]
    monkeypatch.delitem(EXTRACTORS, "other-bet-1.0")
    assert "requires the brain extraction 'other-bet-1.0'" in _refused(ready)
    ready.view.brainExtractor.show()
    assert not ready.ui.brainExtractorButton.isVisibleTo(ready.ui.advancedSection)


def test_what_is_hidden_stays_hidden_when_its_section_opens(standin, ready, monkeypatch):
    from PCNSLSurvivalUI.install import brain_extractor_button

    wait = Wait()
    monkeypatch.setattr(brain_extractor_button, "is_brain_extractor_installed", lambda method: True)
    ready.ui.advancedSection.setChecked(True)
    wait.some(0.1)
    assert not ready.ui.brainExtractorButton.isVisibleTo(ready.ui.advancedSection)
    for section in (ready.ui.scansSection, ready.ui.modelSection):
        section.setChecked(False)
        section.setChecked(True)
    wait.some(0.1)
    assert not ready.ui.scansNote.isVisibleTo(ready.ui.scansSection)


def test_the_banner_of_a_demonstration_model_cannot_be_folded_away(standin, ready):
    ready.ui.modelSection.setChecked(False)
    assert ready.ui.demonstrationBanner.isVisibleTo(ready.parent)
    assert "DEMONSTRATION" in ready.ui.demonstrationBanner.text


def test_one_volume_in_two_roles_is_refused(standin, ready):
    ready.ui.t1Selector.setCurrentNode(ready.ui.t1gdSelector.currentNode())
    assert "selected for two sequences" in ready.ui.scansNote.text
    assert "selected for two sequences" in _refused(ready)


def test_a_volume_without_an_image_disables_the_button(standin, quick_panel):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1Gd")
    quick_panel.ui.t1gdSelector.setCurrentNode(node)
    assert not quick_panel.ui.predictButton.enabled
    assert "Choose a T1Gd first" in quick_panel.ui.predictButton.toolTip


def test_no_python_for_the_process_is_told(standin, ready, monkeypatch):
    from PCNSLSurvivalUI.process import job
    from slicer_standin import cli

    for module in ("n4itkbiasfieldcorrection", "swissskullstripper"):
        cli.plans[module] = {"quick": True}
    wait, python = Wait(), job.pythonExecutable()
    monkeypatch.setattr(job, "pythonExecutable", lambda: python + "-which-does-not-exist")
    ready.ui.predictButton.click()
    wait.until(lambda: ready.logic.run is None)
    assert "could not be started" in ready.ui.messageLabel.text


def test_a_report_that_cannot_be_written_is_told(standin, ready, tmp_path):
    import slicer
    from PCNSLSurvivalUI.result.report_files import writeReport
    from PCNSLSurvivalUI.scene.output_nodes import REPORT

    from PCNSLSurvivalLib.core.errors import OutputFolderError

    outputs = outputs_of(ready)
    with pytest.raises(OutputFolderError, match="no report yet"):
        writeReport(outputs, tmp_path / "report.html")
    outputs.place(REPORT, slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", "r"), "Report", None)
    with pytest.raises(OutputFolderError, match="cannot be written") as told:
        writeReport(outputs, tmp_path / "no-folder" / "report.html")
    assert str(tmp_path) not in str(told.value)


def test_what_the_user_said_reaches_the_command_line(standin, ready, monkeypatch, tmp_path):
    record = tmp_path / "arguments.json"
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(record)}))
    ui, wait = ready.ui, Wait()
    ui.biasEngineSelector.setCurrentText("None (already done)")
    ui.brainEngineSelector.setCurrentText("None (already done)")
    ui.deviceSelector.setCurrentText("cpu")
    ui.overrideQualityCheckBox.setChecked(True)
    ui.predictButton.click()
    wait.until(lambda: ready.logic.run is None)
    words = json.loads(record.read_text(encoding="utf-8"))
    for option in ("--already-corrected", "--already-stripped", "--override-quality"):
        assert option in words
    assert words[words.index("--device") + 1] == "cpu"
    from PCNSLSurvivalLib.cli.__main__ import command_line_parser

    parsed = command_line_parser().parse_args(words)  # the command line understands every word
    assert parsed.command == "predict"


def test_every_control_can_be_reached_with_the_keyboard(standin, quick_panel):
    """Slicer's own selectors of nodes too, whose list would give the focus to one that takes none."""
    from PySide6 import QtCore, QtWidgets

    kinds = (QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QSlider, QtWidgets.QAbstractSpinBox)
    controls = [w for kind in kinds for w in QtCore.QObject.findChildren(quick_panel.parent, kind)]
    # Qt's own corner button of a table is not meant for the keyboard.
    controls = [w for w in controls if not QtCore.QObject.objectName(w).startswith("qt_tableview")]
    assert [w for w in controls if QtWidgets.QWidget.focusProxy(w) is not None] == []
    assert len(controls) > 25
    tab = QtCore.Qt.FocusPolicy.TabFocus
    assert [QtCore.QObject.objectName(w) for w in controls if not QtWidgets.QWidget.focusPolicy(w) & tab] == []
    assert QtWidgets.QWidget.focusPolicy(quick_panel.ui.profilePlot) & tab


def test_the_prepared_t1gd_is_kept_only_when_asked_for(standin, ready):
    import slicer
    from slicer_standin import cli

    for module in ("n4itkbiasfieldcorrection", "swissskullstripper"):
        cli.plans[module] = {"quick": True}
    wait, found = Wait(), []
    for wanted in (True, False):
        ready.ui.keepIntermediateCheckBox.setChecked(wanted)
        ready.ui.predictButton.click()
        wait.until(lambda: ready.logic.run is None)
        (node,) = slicer.util.getNodes("Preprocessed T1Gd (network input)*").values()
        found.append(node.GetSaveWithScene())
    assert found == [1, 0]
