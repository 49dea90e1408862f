"""Key images, DICOM objects and the PDF of a result, read back as another program would."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PIL import Image
from refusals import refusal

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence, OSClass
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.imaging.io import read_scan
from PCNSLSurvivalLib.phantoms.scanner.dicom import write_dicom_series
from PCNSLSurvivalLib.phantoms.scanner.protocol import SequenceProtocol
from PCNSLSurvivalLib.reports.case.key_images import key_images
from PCNSLSurvivalLib.reports.pdf import find_browser
from PCNSLSurvivalLib.results.stored_case import read_stored_case

PROTOCOL = SequenceProtocol(
    contrast="gradient_echo",
    tr_ms=8,
    te_ms=3,
    gadolinium=1.0,
    matrix=(60, 72, 30),
    voxel_mm=(2.5, 2.5, 5.0),
    slice_mm=5,
)
LESION_LPS_MM = np.array([-22.0, 14.0, 12.0])


def _oblique() -> Grid:
    x, z = np.radians((14.0, -10.0))
    tilt = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    turn = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    direction = turn @ tilt
    size, spacing = (60, 72, 30), (2.5, 2.5, 5.0)
    origin = -direction @ ((np.array(size) - 1) / 2 * spacing)
    return Grid(size, spacing, tuple(origin), tuple(direction.ravel()))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An oblique T1Gd series of an invented patient, and a result whose map is 1 at the lesion."""
    folder = tmp_path_factory.mktemp("export")
    grid = _oblique()
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.size], indexing="ij"), axis=-1)
    points = grid.index_to_lps(index).transpose(2, 1, 0, 3)
    brain = ((points / (55.0, 70.0, 55.0)) ** 2).sum(axis=-1) < 1
    apart = np.linalg.norm(points - LESION_LPS_MM, axis=-1)
    t1gd = image_on_grid(np.where(brain, 300, 0).astype(np.int16) + np.where(apart < 8, 500, 0).astype(np.int16), grid)
    write_dicom_series(t1gd, folder / "t1gd", patient_id="invented", sequence=MRSequence.T1GD, protocol=PROTOCOL)
    result = folder / "result"
    result.mkdir()
    activation = np.where(brain, np.exp(-((apart / 20.0) ** 2)), 0).astype(np.float32)
    volumes = {
        "activation_map": activation,
        "activation_map_other_class": activation[:, :, ::-1] * brain,
        "brain_mask": brain.astype(np.uint8),
    }
    for name, values in volumes.items():
        sitk.WriteImage(image_on_grid(np.ascontiguousarray(values), grid), str(result / f"{name}.nrrd"))
    prediction = {
        "schema_version": "2.0",
        "probability_over_one_year": 0.31,
        "log_odds": -0.8001,
        "class": "up_to_one_year",
        "preprocessing": {"brain_volume_ml": 1187.4},
        "lesion": {"source": "proposal", "volume_ml": 4.2, "foci": [{"volume_ml": 4.1}, {"volume_ml": 0.1}]},
        "warnings": [Message("model.untrained").to_json()],
        "model": {"name": "made-up", "version": "1", "checksum_sha256": "ab" * 32, "prognostic_meaning": False},
        "activation_map": {"explains": "up_to_one_year", "scale": 0.4},
        "activation_map_other_class": {"explains": "over_one_year", "scale": 0.2},
    }
    (result / "prediction.json").write_text(json.dumps(prediction), encoding="utf-8")
    (result / "report.html").write_text(
        f"<html><head><style>@page {{ size: A4 }}</style></head><body>{RESEARCH_USE_ONLY}</body></html>",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def exported(made):
    out = made / "dicom"
    words = ["export", str(made / "result"), "--t1gd", str(made / "t1gd"), "--dicom", str(out), *_printed(made)]
    assert main([*words, "--key-images", str(made / "pictures"), "--debug"]) == 0
    return out


def _printed(made):
    """The words for the report among the DICOM objects, where this computer can print it."""
    return ["--pdf", str(made / "report.pdf")] if find_browser() is not None else []


def test_a_result_of_schema_1_is_read_as_one_of_today(made, tmp_path):
    old = shutil.copytree(made / "result", tmp_path / "old")
    prediction = json.loads((old / "prediction.json").read_text(encoding="utf-8"))
    prediction["schema_version"] = "1.1"
    prediction["warnings"] = ["Old words."]
    prediction["activation_map"]["explains"] = "OS ≤ 1 year"
    prediction["activation_map_other_class"]["explains"] = "OS > 1 year"
    (old / "prediction.json").write_text(json.dumps(prediction), encoding="utf-8")
    case = read_stored_case(old)
    assert list(case.maps) == [OSClass.UP_TO_ONE_YEAR, OSClass.OVER_ONE_YEAR]
    assert case.prediction["warnings"] == [{"code": None, "values": {}, "sentence": "Old words."}]
    picture, *_ = key_images(case, read_scan(made / "t1gd", MRSequence.T1GD).image, OSClass.UP_TO_ONE_YEAR)
    assert picture.rgb.any()


def _source(made):
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted((made / "t1gd").iterdir())]


def test_the_parametric_map_keeps_every_value_on_its_place_in_the_patient(made, exported):
    data = pydicom.dcmread(exported / "activation_map.dcm")
    wanted = sitk.ReadImage(str(made / "result" / "activation_map.nrrd"))
    assert data.SOPClassUID == pydicom.uid.ParametricMapStorage
    shared = data.SharedFunctionalGroupsSequence[0]
    row, column = np.reshape(shared.PlaneOrientationSequence[0].ImageOrientationPatient, (2, 3)).astype(float)
    down, across = (float(mm) for mm in shared.PixelMeasuresSequence[0].PixelSpacing)
    values, grid = sitk.GetArrayFromImage(wanted), Grid.of(wanted)
    for frame, pixels in zip(data.PerFrameFunctionalGroupsSequence, data.pixel_array, strict=True):
        corner = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        i, j, k = grid.lps_to_index(corner + 20 * across * row + 33 * down * column)
        assert (i, j, k) == pytest.approx((20, 33, round(k)), abs=1e-3)
        np.testing.assert_array_equal(pixels, values[round(k)])
    mapping = shared.RealWorldValueMappingSequence[0]
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1.0, 0.0)
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "1"


def test_everything_belongs_to_the_study_of_the_t1gd_and_refers_to_it(made, exported):
    source = _source(made)
    files = sorted(exported.glob("*.dcm"))
    assert len({pydicom.dcmread(path).SOPInstanceUID for path in files}) == len(files) > 4
    for path in files:
        data = pydicom.dcmread(path)
        assert (data.PatientID, data.StudyInstanceUID) == ("invented", source[0].StudyInstanceUID)
        assert data.SeriesInstanceUID != source[0].SeriesInstanceUID
        assert data.SeriesDescription.startswith("RESEARCH ")
        if data.Modality in ("SR", "DOC"):
            continue
        assert RESEARCH_USE_ONLY in data.ImageComments
        assert data.ImageType[0] == "DERIVED"
    parametric = pydicom.dcmread(exported / "activation_map.dcm")
    assert parametric.FrameOfReferenceUID == source[0].FrameOfReferenceUID
    assert parametric.ContentQualification == "RESEARCH"
    referenced = {
        item.ReferencedSOPInstanceUID for item in parametric.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    }
    assert referenced == {one.SOPInstanceUID for one in source}


def test_a_key_image_refers_to_the_slice_it_shows_and_holds_no_name(made, exported):
    data = pydicom.dcmread(exported / "key_image_1.dcm")
    assert data.SOPClassUID == pydicom.uid.SecondaryCaptureImageStorage
    assert (data.PhotometricInterpretation, data.BurnedInAnnotation) == ("RGB", "NO")
    one = next(
        one for one in _source(made) if one.SOPInstanceUID == data.SourceImageSequence[0].ReferencedSOPInstanceUID
    )
    normal = np.cross(*np.reshape(np.array(one.ImageOrientationPatient, dtype=float), (2, 3)))
    off = np.dot(normal, LESION_LPS_MM - np.array(one.ImagePositionPatient))
    assert abs(off) <= 2.6, "slices are 5 mm apart"


@pytest.fixture(scope="module")
def report(exported):
    """The structured report as pydicom reads it."""
    return pydicom.dcmread(exported / "report.dcm")


def _items(item):
    """Every content item below one, with its value."""
    for each in item.get("ContentSequence", []):
        yield each
        yield from _items(each)


def test_the_structured_report_holds_probability_class_volumes_model_and_warnings(made, report):
    assert report.SOPClassUID == pydicom.uid.EnhancedSRStorage
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    items = list(_items(report))
    numbers = [
        (one.ConceptNameCodeSequence[0].CodeMeaning, float(one.MeasuredValueSequence[0].NumericValue))
        for one in items
        if one.ValueType == "NUM"
    ]
    assert numbers == [
        ("Probability of overall survival > 1 year", 0.31),
        ("Log-odds of overall survival > 1 year", -0.8001),
        ("Volume", 1187.4),
        ("Volume", 4.1),
        ("Volume", 0.1),
    ]
    coded = {one.ConceptNameCodeSequence[0].CodeMeaning: one for one in items if one.ValueType == "CODE"}
    assert coded["Predicted class"].ConceptCodeSequence[0].CodeMeaning == "OS <= 1 year"
    texts = [one.TextValue for one in items if one.ValueType == "TEXT"]
    assert {"made-up", "1", RESEARCH_USE_ONLY, str(Message("model.untrained"))} <= set(texts)
    assert "The lesion outline is a proposal of the software that no person confirmed." in texts
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert {one.ReferencedSOPInstanceUID for one in evidence.ReferencedSOPSequence} == {
        one.SOPInstanceUID for one in _source(made)
    }


def test_the_report_is_among_the_dicom_objects_where_a_browser_prints_it(made, exported):
    path = exported / "report_pdf.dcm"
    assert path.is_file() is (find_browser() is not None)
    if not path.is_file():
        pytest.skip("no Chromium, Chrome or Edge is installed")
    document = pydicom.dcmread(path)
    assert document.SOPClassUID == pydicom.uid.EncapsulatedPDFStorage
    assert document.MIMETypeOfEncapsulatedDocument == "application/pdf"
    content = document.EncapsulatedDocument[: document.EncapsulatedDocumentLength]
    assert content == (made / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert {one.ReferencedSOPInstanceUID for one in document.SourceInstanceSequence} == {
        one.SOPInstanceUID for one in _source(made)
    }


def test_an_independent_reader_reads_the_structured_report_without_complaint(exported):
    """DCMTK's dsrdump checks the relationships of the content tree; it knows nothing of highdicom or pydicom."""
    if shutil.which("dsrdump") is None:
        pytest.skip("dsrdump is not installed (Debian package dcmtk)")
    told = subprocess.run(["dsrdump", "+Pl", exported / "report.dcm"], capture_output=True, text=True, check=True)
    complaints = [line for line in told.stderr.splitlines() if line.startswith(("W:", "E:"))]
    assert [line for line in complaints if "does not support this Specific Character Set" not in line] == []
    assert "Enhanced SR Document" in told.stdout
    assert "Probability of overall survival > 1 year" in told.stdout
    assert RESEARCH_USE_ONLY in told.stdout


def test_an_independent_reader_takes_the_pdf_out_of_its_dicom_object(made, exported, tmp_path):
    if shutil.which("dcm2pdf") is None or find_browser() is None:
        pytest.skip("dcm2pdf (Debian package dcmtk) or a browser that prints is not installed")
    told = subprocess.run(
        ["dcm2pdf", exported / "report_pdf.dcm", tmp_path / "out.pdf"], capture_output=True, text=True, check=True
    )
    assert [line for line in told.stderr.splitlines() if line.startswith(("W:", "E:"))] == []
    printed, taken = (made / "report.pdf").read_bytes(), (tmp_path / "out.pdf").read_bytes()
    assert taken[: len(printed)] == printed
    assert len(taken) - len(printed) <= 1, "padded to an even length at most"


def test_an_independent_checker_finds_no_error_in_any_object(exported):
    """dciodvfy compares attributes with the definitions of the objects (PS3.3) and codes with their templates."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed (Debian package dicom3tools)")
    for path in sorted(exported.glob("*.dcm")):
        told = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
        lines = (told.stdout + told.stderr).splitlines()
        assert [line for line in lines if line.startswith("Error")] == [], path.name


def test_the_same_export_is_the_same_series_and_the_other_class_another(made, exported):
    again = made / "again"
    words = ["export", str(made / "result"), "--t1gd", str(made / "t1gd"), "--dicom", str(again), *_printed(made)]
    assert main(words) == 0
    for path in exported.iterdir():
        first, second = pydicom.dcmread(path), pydicom.dcmread(again / path.name)
        assert (first.SOPInstanceUID, first.SeriesInstanceUID) == (second.SOPInstanceUID, second.SeriesInstanceUID)
    maps = [pydicom.dcmread(exported / f"activation_map{ending}.dcm") for ending in ("", "_other_class")]
    assert maps[0].SeriesInstanceUID != maps[1].SeriesInstanceUID
    assert [one.SeriesDescription for one in maps] == [
        "RESEARCH Grad-CAM OS <= 1 year",
        "RESEARCH Grad-CAM OS > 1 year",
    ]


def test_a_map_that_failed_a_check_says_so_wherever_it_goes(made, exported, tmp_path):
    """On the picture, in the series description, in the structured report; the map that passed is not marked."""
    doubted = shutil.copytree(made / "result", tmp_path / "doubted")
    prediction = json.loads((doubted / "prediction.json").read_text(encoding="utf-8"))
    prediction["explanation_checks_other_class"] = {"verdict": "check", "sentence": "0 of 1 passed.", "checks": []}
    prediction["explanation_checks"] = {"verdict": "good", "sentence": "1 of 1 passed.", "checks": []}
    (doubted / "prediction.json").write_text(json.dumps(prediction), encoding="utf-8")
    out = tmp_path / "dicom"
    words = ["export", str(doubted), "--t1gd", str(made / "t1gd"), "--dicom", str(out)]
    assert main([*words, "--key-images", str(tmp_path / "pictures")]) == 0
    described = {path.stem: pydicom.dcmread(path).SeriesDescription for path in out.iterdir()}
    assert described["activation_map_other_class"] == "RESEARCH Grad-CAM OS > 1 year, FAILED A CHECK"
    assert described["key_image_other_class_1"] == "RESEARCH Grad-CAM OS > 1 year, FAILED A CHECK, key images"
    assert described["activation_map"] == "RESEARCH Grad-CAM OS <= 1 year"
    assert max(map(len, described.values())) <= 64
    marked, plain = (pydicom.dcmread(folder / "activation_map_other_class.dcm") for folder in (out, exported))
    assert marked.SOPInstanceUID != plain.SOPInstanceUID, "an archive keeps the first of two objects of one identifier"
    assert marked.SeriesInstanceUID != plain.SeriesInstanceUID
    assert "The Grad-CAM map for OS > 1 year failed a check." in pydicom.dcmread(out / "report.dcm").to_json()
    for ending, lines in (("", 0), ("_other_class", 30)):
        before, after = (
            np.asarray(Image.open(one / "pictures" / f"key_image{ending}_1.png")) for one in (made, tmp_path)
        )
        assert len(after) - len(before) == lines, "one line more"


def test_key_images_show_the_strongest_slices_with_the_patients_right_on_the_left(made, exported):
    pictures = sorted((made / "pictures").glob("key_image_[0-9].png"))
    assert 2 <= len(pictures) <= 4
    shown = np.asarray(Image.open(pictures[0])).astype(int)
    colored = shown.max(axis=-1) - shown.min(axis=-1) > 90
    colored[:, -80:] = False  # the color bar
    assert colored.any()
    # LPS x of the lesion is negative: the patient's right, the left half of the picture.
    assert np.argwhere(colored)[:, 1].mean() < 0.45 * shown.shape[1]


def test_the_letters_of_the_four_sides_are_readable_on_a_bright_scalp(made):
    case = read_stored_case(made / "result")
    bright = sitk.Cast(case.brain_mask, sitk.sitkFloat32) * -900.0 + 1000.0
    picture, *_ = key_images(case, bright, OSClass.UP_TO_ONE_YEAR)
    rows, columns = picture.rgb.shape[0] - 3 * 12 - 30, picture.rgb.shape[1] - 2 * 12 - 84
    shown = picture.rgb[12:, 12:].astype(int)
    down = int(np.argmax(shown[:, :columns].max(axis=(1, 2)) == 0))  # the first black row: the end of the slice
    assert 0 < down <= rows
    sides = (
        shown[down // 2 - 12 : down // 2 + 12, 4:32],
        shown[down // 2 - 12 : down // 2 + 12, columns - 32 : columns - 4],
        shown[4:32, columns // 2 - 12 : columns // 2 + 12],
        shown[down - 32 : down - 4, columns // 2 - 12 : columns // 2 + 12],
    )
    for side in sides:
        assert side.max() > 240, "the letter"
        assert side.min() < 10, "its outline"


def test_no_word_under_a_key_image_is_cut(made):
    case = read_stored_case(made / "result")
    case.prediction["model"]["name"] = "a model whose name says where each of its networks was trained and on how many"
    picture, *_ = key_images(case, read_scan(made / "t1gd", MRSequence.T1GD).image, OSClass.UP_TO_ONE_YEAR)
    assert (picture.rgb[-100:, -8:] == 0).all()


@pytest.mark.parametrize(
    ("option", "absent", "asked"),
    [
        ("--key-images", {"highdicom"}, None),
        ("--dicom", {"highdicom"}, "highdicom"),
        ("--key-images", {"PIL"}, "pillow"),
        ("--dicom", {"PIL", "highdicom"}, "pillow, highdicom"),
    ],
)
def test_only_the_packages_of_the_output_are_asked_for(made, tmp_path, capsys, monkeypatch, option, absent, asked):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in absent else find_spec(name))
    words = ["export", str(made / "result"), "--t1gd", str(made / "t1gd"), option, str(tmp_path / "out")]
    assert main(words) == (0 if asked is None else 3)
    said = capsys.readouterr().err
    if asked is not None:
        assert f"These packages are missing: {asked}. Install" in said
        assert 'pip install -c constraints.txt -e ".[export]"' in said
        assert f"pip_install('{asked.replace(',', '')}')" in said


def test_a_series_of_other_slices_is_refused(made, tmp_path, capsys):
    grid = _oblique()
    left, posterior, superior = grid.origin_lps_mm
    moved = replace(grid, origin_lps_mm=(left, posterior, superior + 4.0))
    other = image_on_grid(np.zeros(grid.size[::-1], np.int16), moved)
    write_dicom_series(other, tmp_path / "other", patient_id="b", sequence=MRSequence.T1GD, protocol=PROTOCOL)
    words = ["export", str(made / "result"), "--t1gd", str(made / "t1gd"), "--dicom", str(tmp_path / "out")]
    assert main([*words, "--dicom-series", str(tmp_path / "other")]) == 3
    assert refusal("grid.t1gd_series_on_map") in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["export", str(tmp_path / "other"), "--pdf", str(tmp_path / "x.pdf")]) == 3
    assert refusal("result.incomplete") in capsys.readouterr().err


def test_a_browser_that_does_not_print_takes_no_dicom_object_away(made, tmp_path, capsys, monkeypatch):
    """As one whose administrator forbids printing without a window; the panel asks for the PDF by itself."""
    silent = tmp_path / "browser"
    silent.write_text("#!/bin/sh\n", encoding="utf-8")
    silent.chmod(0o755)
    monkeypatch.setattr("PCNSLSurvivalLib.reports.pdf.find_browser", lambda: silent)
    out, pdf = tmp_path / "dicom", tmp_path / "report.pdf"
    words = ["export", str(made / "result"), "--t1gd", str(made / "t1gd"), "--dicom", str(out), "--pdf", str(pdf)]
    assert main(words) == 3
    assert refusal("export.pdf_not_written") in capsys.readouterr().err
    assert {"report.dcm", "activation_map.dcm"} <= {path.name for path in out.iterdir()}
    assert not pdf.exists()
    assert not (out / "report_pdf.dcm").exists()


def test_the_pdf_is_printed_by_a_browser_or_says_how_to_get_it(made, tmp_path, capsys, monkeypatch):
    pdf = tmp_path / "report.pdf"
    if find_browser() is not None:
        assert main(["export", str(made / "result"), "--pdf", str(pdf), "--debug"]) == 0
        assert pdf.read_bytes().startswith(b"%PDF-")
        assert b"%%EOF" in pdf.read_bytes()[-32:]
    monkeypatch.setattr("PCNSLSurvivalLib.reports.pdf.find_browser", lambda: None)
    assert main(["export", str(made / "result"), "--pdf", str(tmp_path / "none.pdf")]) == 3
    assert refusal("export.no_browser") in capsys.readouterr().err
    assert not (tmp_path / "none.pdf").exists()
