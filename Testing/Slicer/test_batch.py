"""Several patients of the DICOM database: listed, predicted one after another, opened from the table."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from fake_worker import NO_CONTENT
from made_database import DicomDatabase
from made_scenes import Wait, add_head, child_processes, take_away, temporary_files, wait_for_exam, write_dicom_of

HERE = Path(__file__).resolve().parent


@pytest.fixture
def batch(standin, quick_panel, monkeypatch, tmp_path):
    import slicer
    from PCNSLSurvivalUI.batch import batch_run

    head = add_head("made")
    files = write_dicom_of(head, tmp_path / "series")
    slicer.mrmlScene.Clear(0)
    monkeypatch.setattr(slicer, "dicomDatabase", DicomDatabase(files), raising=False)
    monkeypatch.setattr(batch_run, "is_brain_extractor_installed", lambda method: True)
    library = ModuleType("DICOMLib")
    library.DICOMUtils = ModuleType("DICOMUtils")

    def load(uids):
        slicer.dicomDatabase.loaded += uids
        return [add_head(f"T1Gd of {uids[0]}").GetID()]

    library.DICOMUtils.loadSeriesByUID = load
    monkeypatch.setitem(sys.modules, "DICOMLib", library)
    quick_panel.ui.advancedSection.setChecked(True)  # the panel looks again
    Wait().until(lambda: quick_panel.ui.batchSection.isVisibleTo(quick_panel.parent))
    _list(quick_panel)
    return quick_panel


def _list(panel):
    panel.ui.batchListButton.click()
    assert not panel.ui.batchListButton.enabled
    Wait().until(lambda: panel.ui.batchListButton.enabled)


def _is_over(panel):
    return panel.ui.batchPredictButton.text == "Predict the selected exams"


def _table(panel):
    table = panel.ui.batchTable
    return [[table.item(row, column).text() for column in range(4)] for row in range(table.rowCount)]


def _outcomes(panel):
    return [row[3] for row in _table(panel)]


def _predict(panel, *rows):
    panel.ui.batchTable.clearSelection()
    for row in rows:
        for column in range(4):
            panel.ui.batchTable.item(row, column).setSelected(True)
    panel.ui.batchPredictButton.click()
    Wait().until(lambda: _is_over(panel))


def test_exams_with_a_t1gd_are_listed_and_predicted_one_after_another(batch, monkeypatch):
    ui = batch.ui
    assert ui.batchSection.isVisibleTo(batch.parent)
    assert _table(batch) == [
        ["Doe One", "2026-01-14", "AX T1 GD", ""],
        ["Doe Two", "2026-03-02", "AX T1 GD", ""],
        ["Doe Three", "", "AX T1 GD", ""],
    ]
    assert not ui.batchPredictButton.enabled
    ui.batchTable.selectAll()
    wait = Wait()
    ui.batchPredictButton.click()
    assert _outcomes(batch) == ["running", "", ""]
    wait.until(lambda: _is_over(batch))
    assert wait.is_calm(), wait.longest_gap_ms
    assert _outcomes(batch) == ["63 % (1 ⚠)", "failed", "63 % (1 ⚠)"]
    assert "2 of 3" in ui.batchLabel.text
    assert ui.batchTable.item(1, 3).toolTip() == NO_CONTENT["sentence"]
    assert child_processes() == []


@pytest.fixture
def tagged(monkeypatch):
    """A database whose studies are called by a tag."""
    monkeypatch.setattr(DicomDatabase, "descriptionForStudy", lambda self, study: "<img src='http://x'>")


def test_a_tag_in_a_dicom_header_is_shown_and_not_obeyed(tagged, batch):
    assert "&lt;img" in batch.ui.batchTable.item(0, 3).toolTip()
    assert "<img" not in batch.ui.batchTable.item(0, 3).toolTip()


def test_a_predicted_exam_opens_on_its_t1gd(batch):
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import T1GD, SceneOutputs

    ui = batch.ui
    ui.batchTable.selectRow(2)
    ui.batchPredictButton.click()
    Wait().until(lambda: _is_over(batch))
    assert _outcomes(batch) == ["", "", "63 % (1 ⚠)"]
    ui.batchOpenButton.click()
    wait_for_exam(batch)
    assert ui.messageLabel.text == ""
    parameters = batch.logic.getParameterNode()
    t1gd = SceneOutputs(parameters.parameterNode).node(T1GD)
    assert t1gd.GetName() == "T1Gd of 3.1"
    assert t1gd is parameters.t1gdVolume
    assert "63 %" in ui.headlineLabel.text
    assert ui.resultSection.isVisibleTo(batch.parent)
    composite = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")
    assert composite.GetBackgroundVolumeID() == t1gd.GetID()


def test_a_batch_is_cancelled_and_leaves_no_process_and_no_file(batch, monkeypatch):
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"seconds": 60}))
    before = temporary_files()
    batch.ui.batchTable.selectAll()
    batch.ui.batchPredictButton.click()
    Wait().until(lambda: child_processes() != [])
    assert batch.ui.batchPredictButton.text == "Cancel"
    batch.ui.batchPredictButton.click()
    assert _is_over(batch)
    Wait().until(lambda: child_processes() == [])
    assert _outcomes(batch) == ["cancelled"] * 3
    assert temporary_files() == before


def test_reading_mode_tells_no_probability_in_the_table(batch):
    batch.logic.getParameterNode().readFirst = True
    _predict(batch, 0)
    assert _outcomes(batch)[0] == "ready to read"


def test_reading_mode_switched_on_later_takes_the_probability_out_of_the_table(batch):
    _predict(batch, 0)
    assert _outcomes(batch)[0] == "63 % (1 ⚠)"
    batch.ui.readFirstCheckBox.setChecked(True)
    assert _outcomes(batch)[0] == "ready to read"
    batch.ui.readFirstCheckBox.setChecked(False)
    assert _outcomes(batch)[0] == "63 % (1 ⚠)"


def test_another_scene_in_reading_mode_shows_no_probability(batch):
    import slicer

    _predict(batch, 0)
    slicer.mrmlScene.Clear(0)
    batch.exit()
    batch.view.unbind()
    assert _outcomes(batch)[0] == "ready to read", "nothing says that it may be shown"
    batch.enter()
    assert _outcomes(batch)[0] == "63 % (1 ⚠)"


def test_a_scene_closed_beside_a_running_batch_does_not_stop_it(batch, monkeypatch):
    import slicer

    monkeypatch.setenv("FAKE_WORKER", json.dumps({"seconds": 0.1}))
    batch.ui.batchTable.selectRow(0)
    batch.ui.batchPredictButton.click()
    Wait().until(lambda: child_processes() != [])
    batch.parent.isEntered = False  # another module is open
    slicer.mrmlScene.Clear(0)
    Wait().until(lambda: _is_over(batch))
    assert _outcomes(batch)[0] == "ready to read", "the panel has let go of the scene"
    batch.enter()
    assert _outcomes(batch)[0] == "63 % (1 ⚠)"
    assert batch.ui.batchPredictButton.text == "Predict the selected exams"


def test_another_model_predicts_the_exams_again_and_names_the_old_numbers(batch, made_model, monkeypatch):
    from PCNSLSurvivalUI.choices import model_list

    other = SimpleNamespace(**{**vars(made_model), "checksum": "cd" * 32, "name": "another", "path": HERE / "other"})
    monkeypatch.setattr(model_list, "installedModels", lambda: [made_model, other])
    batch.view.models.fill()
    _predict(batch, 0)
    before = temporary_files()
    button = batch.ui.batchPredictButton
    assert not button.enabled
    assert "already" in button.toolTip
    batch.ui.modelSelector.setCurrentIndex(1)
    assert _outcomes(batch)[0] == "63 % (1 ⚠), model made-up 1"
    assert button.enabled
    batch.logic.getParameterNode().readFirst = True
    assert _outcomes(batch)[0] == "ready to read"
    batch.logic.getParameterNode().readFirst = False
    _predict(batch, 0)
    assert _outcomes(batch)[0] == "63 % (1 ⚠)"
    assert len(temporary_files()) == len(before), "the first result is gone"
    batch.ui.modelSelector.setCurrentIndex(0)
    assert _outcomes(batch)[0] == "63 % (1 ⚠), model another 1"


def test_an_opened_exam_leaves_no_volume_of_the_patient_before(batch):
    import slicer
    from PCNSLSurvivalUI.choices.parameters import VOLUMES

    _predict(batch, 2)
    parameters = batch.logic.getParameterNode()
    for name in VOLUMES.values():
        setattr(parameters, name, add_head(f"{name.removesuffix('Volume').upper()} of another patient"))
    parameters.brainMask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "Brain of another patient")
    parameters.lesion = parameters.brainMask
    batch.ui.batchOpenButton.click()
    wait_for_exam(batch)
    Wait().some(0.5)  # volumes that arrived fill empty roles a moment later
    chosen = {name: getattr(parameters, name) for name in (*VOLUMES.values(), "brainMask", "lesion")}
    assert chosen.pop("t1gdVolume").GetName() == "T1Gd of 3.1"
    assert set(chosen.values()) == {None}


def test_an_exam_is_loaded_once_however_often_it_is_opened(batch):
    import slicer

    _predict(batch, 0, 2)
    for row in (0, 2, 0):
        batch.ui.batchTable.selectRow(row)
        batch.ui.batchOpenButton.click()
        said = batch.ui.messageLabel.text
        batch.ui.batchOpenButton.click()
        assert said == ""
        assert batch.ui.messageLabel.text.startswith("An exam is being opened.")
        batch.ui.predictButton.click()
        assert batch.logic.run is None
        wait_for_exam(batch)
    assert slicer.dicomDatabase.loaded == ["1.1", "3.1"]
    assert batch.logic.getParameterNode().t1gdVolume.GetName() == "T1Gd of 1.1"


def test_nothing_is_loaded_while_a_prediction_runs(batch, monkeypatch):
    import slicer

    _predict(batch, 0)
    monkeypatch.setattr(batch.logic, "run", SimpleNamespace(cancel=lambda: None), raising=False)
    batch.ui.batchOpenButton.click()
    monkeypatch.setattr(batch.logic, "run", None)
    assert batch.ui.messageLabel.text.startswith("A prediction is running.")
    assert slicer.dicomDatabase.loaded == []


def test_a_series_that_cannot_be_loaded_is_told(batch, monkeypatch):
    def closed(uids):
        raise OSError("DICOM module or database cannot be accessed")

    _predict(batch, 0)
    monkeypatch.setattr(sys.modules["DICOMLib"].DICOMUtils, "loadSeriesByUID", closed)
    batch.ui.batchOpenButton.click()
    assert batch.ui.messageLabel.text.startswith("The series of this exam could not be loaded.")


def test_the_scalar_volume_is_taken_among_what_a_series_loads_as(batch, monkeypatch):
    import slicer

    def several(uids):
        mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "mask")
        return ["gone", mask.GetID(), add_head("the scan").GetID()]

    _predict(batch, 0)
    monkeypatch.setattr(sys.modules["DICOMLib"].DICOMUtils, "loadSeriesByUID", several)
    batch.ui.batchOpenButton.click()
    wait_for_exam(batch)
    assert batch.logic.getParameterNode().t1gdVolume.GetName() == "the scan"


def test_a_database_that_cannot_be_read_keeps_the_table_and_is_told(batch, monkeypatch):
    import slicer

    monkeypatch.setattr(slicer.dicomDatabase, "seriesForStudy", lambda study: 1 / 0)
    _list(batch)
    assert batch.ui.messageLabel.text.startswith("The DICOM database could not be read (ZeroDivisionError).")
    assert len(_table(batch)) == 3


@pytest.mark.parametrize("device", ["cuda", "mps", "auto"])
def test_a_gpu_needs_torch_beside_an_installed_onnx_runtime(batch, monkeypatch, device):
    from PCNSLSurvivalUI.install import packages

    needed = []
    take_away(monkeypatch, "torch")
    monkeypatch.setattr(packages, "ensureInstalled", lambda lines: needed.extend(lines))
    batch.logic.getParameterNode().device = device
    _predict(batch, 0)
    named = {packages.Requirement(line).name for line in needed}
    assert named & {"torch", "onnxruntime"} == {"onnxruntime" if device == "auto" else "torch"}


def test_without_a_dicom_database_there_is_no_section(standin, quick_panel):
    assert not quick_panel.ui.batchSection.isVisibleTo(quick_panel.parent)
