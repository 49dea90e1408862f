"""What the panel takes out of the scene: map files, key images, DICOM objects, PDF."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from made_scenes import Wait, add_head, outputs_of, temporary_files, write_dicom_of

HERE = Path(__file__).resolve().parent


@pytest.fixture
def predicted(opened):
    """Gives a function that shows the result of a head."""
    return opened


def _save(panel, monkeypatch, target, button):
    from PCNSLSurvivalUI.result import report_files

    monkeypatch.setattr(report_files, "askFolder", lambda caption: target)
    monkeypatch.setattr(report_files, "askFile", lambda *words: target)
    before = temporary_files()
    button.click()
    Wait().until(lambda: panel.ui.exportLabel.text == "", 240)
    assert temporary_files() == before
    return panel.ui.messageLabel.text


def _real_command_line(monkeypatch):
    from PCNSLSurvivalUI.process import job

    monkeypatch.setattr(job, "WORKER", Path(job.__file__).with_name("worker.py"))


def _from_dicom(monkeypatch, folder):
    """A head written as a DICOM series and loaded as Slicer does, with a database that knows its files."""
    import pydicom
    import slicer

    head = add_head("T1 Gd", "oblique", lesion=3000.0)
    paths = write_dicom_of(head, folder)
    files = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID: path for path in paths}
    database = SimpleNamespace(fileForInstance=lambda uid: files.get(uid, ""), instanceValue=lambda uid, tag: "")
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    head.SetAttribute("DICOM.instanceUIDs", " ".join(files))
    return head


def _affine(node):
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def test_a_result_from_dicom_goes_beside_its_study(standin, predicted, monkeypatch, tmp_path):
    """Through the real command line: the map of the scene, on the slices of the series, in the same study."""
    import pydicom
    import slicer

    head = _from_dicom(monkeypatch, tmp_path / "series")
    panel = predicted(head)
    assert panel.ui.saveDicomButton.isVisibleTo(panel.parent)
    _real_command_line(monkeypatch)
    assert _save(panel, monkeypatch, tmp_path, panel.ui.saveDicomButton) == ""
    out = tmp_path / "PCNSL-survival-DICOM"
    source = pydicom.dcmread(next((tmp_path / "series").iterdir()), stop_before_pixels=True)
    data = pydicom.dcmread(out / "activation_map.dcm")
    assert data.StudyInstanceUID == source.StudyInstanceUID
    assert data.SeriesDescription == "RESEARCH Grad-CAM OS > 1 year"
    assert data.pixel_array.max() == 1.0
    assert list(out.glob("key_image_*.dcm"))
    from PCNSLSurvivalUI.result import export

    assert (out / "report_pdf.dcm").is_file() is (export.find_browser() is not None)

    written = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in out.glob("*.dcm")}
    library = ModuleType("DICOMLib")
    library.DICOMUtils = SimpleNamespace(importDicom=lambda *words: True)
    monkeypatch.setitem(sys.modules, "DICOMLib", library)
    asked = []
    monkeypatch.setattr(slicer.dicomDatabase, "fileForInstance", lambda uid: asked.append(uid) or "taken")
    assert export.intoDatabase(out) is None
    assert set(asked) == written


@pytest.mark.parametrize("name", ["map.nrrd", "map.nii.gz"])
def test_the_shown_map_is_saved_where_it_lies(standin, predicted, monkeypatch, tmp_path, name):
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import UP_TO, mapRole

    panel = predicted(add_head("T1 Gd", "oblique"))
    panel.ui.mapSelector.setCurrentIndex(1)
    assert _save(panel, monkeypatch, tmp_path / name, panel.ui.saveMapButton) == ""
    shown = outputs_of(panel).node(mapRole(UP_TO, cells=False))
    saved = sitk.ReadImage(str(tmp_path / name))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(saved), slicer.util.arrayFromVolume(shown))
    corner = np.array(saved.TransformContinuousIndexToPhysicalPoint((10.0, 20.0, 30.0))) * (-1, -1, 1)
    np.testing.assert_allclose(corner, (_affine(shown) @ (10, 20, 30, 1))[:3], atol=1e-3)
    key = "note" if name.endswith(".nrrd") else "descrip"
    assert saved.GetMetaData(key) == "Grad-CAM OS <= 1 year. Not checked. Research use only."


@pytest.mark.parametrize("name", ["map.xyz", "no-folder/map.nrrd"])
def test_a_map_that_cannot_be_saved_there_is_told(standin, predicted, monkeypatch, tmp_path, name):
    panel = predicted(add_head("T1 Gd"))
    said = _save(panel, monkeypatch, tmp_path / name, panel.ui.saveMapButton)
    assert said.startswith("The map can be saved as .nrrd or .nii.gz" if "xyz" in name else "The map cannot be written")
    assert list(tmp_path.iterdir()) == []


def test_the_report_is_saved_as_html_and_pdf(standin, predicted, monkeypatch, tmp_path):
    panel = predicted(add_head("T1 Gd"))
    _real_command_line(monkeypatch)
    assert _save(panel, monkeypatch, tmp_path / "report.html", panel.ui.saveReportButton) == ""
    assert "<title>report</title>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    said = _save(panel, monkeypatch, tmp_path / "report.pdf", panel.ui.saveReportButton)
    if said:  # no browser that prints on this computer
        assert "Chrom" in said
        assert not (tmp_path / "report.pdf").exists()
    else:
        assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("taken", [2, 1, 0])
def test_dicom_objects_go_into_slicers_database_on_request_alone(
    standin, predicted, quick_panel, monkeypatch, tmp_path, taken
):
    """Slicer's import says True whatever became of the objects; of the two written, the database takes some."""
    import pydicom
    import slicer
    from PCNSLSurvivalUI.process import job
    from PCNSLSurvivalUI.result import export

    asked = []
    out = tmp_path / "PCNSL-survival-DICOM"

    def importDicom(*words):
        asked.append(words)
        known = [pydicom.dcmread(path).SOPInstanceUID for path in sorted(out.iterdir())][:taken]
        monkeypatch.setattr(slicer.dicomDatabase, "fileForInstance", lambda uid: "taken" if uid in known else "")
        return True

    library = ModuleType("DICOMLib")
    library.DICOMUtils = SimpleNamespace(importDicom=importDicom)
    monkeypatch.setitem(sys.modules, "DICOMLib", library)
    monkeypatch.setattr(export.packages, "ensureInstalled", lambda packages: None)
    monkeypatch.setattr(job, "WORKER", HERE / "fake_worker.py")
    panel = predicted(_from_dicom(monkeypatch, tmp_path / "series"))
    out.mkdir()  # what the played export is said to have written
    for path in sorted((tmp_path / "series").iterdir())[:2]:
        shutil.copyfile(path, out / f"{path.stem}.dcm")
    assert _save(panel, monkeypatch, tmp_path, panel.ui.saveDicomButton) == ""
    assert asked == []
    panel.ui.dicomDatabaseCheckBox.setChecked(True)
    said = _save(panel, monkeypatch, tmp_path, panel.ui.saveDicomButton)
    assert [(folder, copies) for folder, _database, copies in asked] == [(str(tmp_path / "PCNSL-survival-DICOM"), True)]
    assert (said == "") if taken == 2 else ("could not be added" in said)


def test_dicom_is_offered_only_beside_dicom(standin, predicted):
    panel = predicted(add_head("T1 Gd"))
    assert not panel.ui.dicomDatabaseCheckBox.isVisibleTo(panel.parent)
    assert not panel.ui.saveDicomButton.isVisibleTo(panel.parent)
    assert panel.ui.saveKeyImagesButton.isVisibleTo(panel.parent)


def test_an_export_without_its_volumes_says_so(standin, predicted, monkeypatch, tmp_path):
    import slicer

    panel = predicted(add_head("T1 Gd"))
    slicer.mrmlScene.RemoveNode(slicer.util.getNode("Brain mask"))
    sentence = _save(panel, monkeypatch, tmp_path, panel.ui.saveKeyImagesButton)
    assert "no longer in the scene" in sentence
    assert list(tmp_path.iterdir()) == []


def test_closing_the_scene_stops_an_export(standin, predicted, monkeypatch, tmp_path):
    import slicer
    from PCNSLSurvivalUI.result import report_files

    panel = predicted(add_head("T1 Gd"))
    monkeypatch.setattr(report_files, "askFolder", lambda caption: tmp_path)
    panel.ui.saveKeyImagesButton.click()
    assert not panel.ui.saveKeyImagesButton.enabled
    slicer.mrmlScene.Clear(0)
    Wait().some(0.3)
    assert panel.ui.exportLabel.text == ""
    assert temporary_files() == []
    assert list(tmp_path.iterdir()) == []
    assert panel.ui.saveKeyImagesButton.enabled
