"""Several patients of the DICOM database: listed, predicted one after another, opened from the table."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from made_scenes import Wait, add_head, child_processes, temporary_files, write_dicom_of

HERE = Path(__file__).resolve().parent


class _Database:
    """As much of ``slicer.dicomDatabase`` (ctkDICOMDatabase) as the panel asks."""

    def __init__(self, files):
        gadolinium = {"0008,0060": "MR", "0018,0081": "3.1", "0018,0080": "9.6", "0018,0010": "Gadovist"}
        plain = {"0008,0060": "MR", "0018,0081": "101", "0018,0080": "5200"}
        self.exams = {"Doe^One": ("1.1", files), "Doe^Two": ("2.1", files[:1]), "Doe^Three": ("3.1", files)}
        self.headers = {"1.1": gadolinium, "2.1": gadolinium, "3.1": gadolinium, "9": plain}

    def patients(self):
        return [*self.exams, "Roe^NoGd"]

    def nameForPatient(self, patient):
        return patient

    def studiesForPatient(self, patient):
        return [patient]

    def descriptionForStudy(self, study):
        return "Brain"

    def seriesForStudy(self, study):
        return ["9", *([self.exams[study][0]] if study in self.exams else [])]

    def descriptionForSeries(self, uid):
        return "AX T2" if uid == "9" else "AX T1 GD"

    def instancesForSeries(self, uid):
        return [uid]

    def filesForSeries(self, uid):
        return next(files for one, files in self.exams.values() if one == uid)

    def instanceValue(self, uid, tag):
        return self.headers.get(uid, {}).get(tag, "")


@pytest.fixture
def batch(standin, quick_panel, monkeypatch, tmp_path):
    import slicer
    from PCNSLSurvivalUI.batch import batch_run

    head = add_head("made")
    files = write_dicom_of(head, tmp_path / "series")
    slicer.mrmlScene.Clear(0)
    monkeypatch.setattr(slicer, "dicomDatabase", _Database(files), raising=False)
    monkeypatch.setattr(batch_run.BatchRun.__init__, "__defaults__", (HERE / "fake_worker.py",))
    monkeypatch.setattr(batch_run, "is_brain_extractor_installed", lambda: True)
    loaded = ModuleType("DICOMLib")
    loaded.DICOMUtils = ModuleType("DICOMUtils")
    loaded.DICOMUtils.loadSeriesByUID = lambda uids: [add_head(f"T1Gd of {uids[0]}").GetID()]
    monkeypatch.setitem(sys.modules, "DICOMLib", loaded)
    quick_panel.view._refresh()
    quick_panel.ui.batchListButton.click()
    Wait().until(lambda: quick_panel.view._batch.listing is None)
    return quick_panel


def _table(panel):
    table = panel.ui.batchTable
    return [[table.item(row, column).text() for column in range(3)] for row in range(table.rowCount)]


def test_exams_with_a_t1gd_are_listed_and_predicted_one_after_another(batch, monkeypatch):
    ui = batch.ui
    assert ui.batchSection.isVisibleTo(batch.parent)
    assert _table(batch) == [[f"Doe {name}", "AX T1 GD", ""] for name in ("One", "Two", "Three")]
    assert not ui.batchPredictButton.enabled
    ui.batchTable.selectAll()
    wait = Wait()
    ui.batchPredictButton.click()
    assert [row[2] for row in _table(batch)] == ["running", "", ""]
    wait.until(lambda: batch.view._batch.run is None)
    assert wait.is_calm(), wait.longest_gap_ms
    assert [row[2] for row in _table(batch)] == ["63 % (1 ⚠)", "failed", "63 % (1 ⚠)"]
    assert "2 of 3" in ui.batchLabel.text
    assert ui.batchTable.item(1, 2).toolTip() != "", "why it failed"
    assert child_processes() == []


def test_a_predicted_exam_opens_on_its_t1gd(batch):
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import T1GD, SceneOutputs

    ui = batch.ui
    ui.batchTable.selectRow(2)
    ui.batchPredictButton.click()
    Wait().until(lambda: batch.view._batch.run is None)
    assert [row[2] for row in _table(batch)] == ["", "", "63 % (1 ⚠)"]
    ui.batchOpenButton.click()
    Wait().until(lambda: batch.view._opening is None)
    assert ui.messageLabel.text == ""
    parameters = batch.view._parameters
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
    assert batch.view._batch.run is None
    Wait().until(lambda: child_processes() == [])
    assert [row[2] for row in _table(batch)] == ["failed"] * 3
    assert temporary_files() == before


def test_reading_mode_tells_no_probability_in_the_table(batch):
    batch.view._parameters.readFirst = True
    batch.ui.batchTable.selectRow(0)
    batch.ui.batchPredictButton.click()
    Wait().until(lambda: batch.view._batch.run is None)
    assert _table(batch)[0][2] == "ready to read"


def test_without_a_dicom_database_there_is_no_section(standin, quick_panel):
    assert not quick_panel.ui.batchSection.isVisibleTo(quick_panel.parent)
