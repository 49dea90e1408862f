"""From files to the result folder: what a user sees of `pcnsl-survival predict`."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import write_series
from refusals import refusal

import PCNSLSurvivalLib
from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.storage.installed_files import sha256_of
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, resample
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.inference.predict import CaseOptions, predict_case
from PCNSLSurvivalLib.models.familiarity import FamiliarityVerdict
from PCNSLSurvivalLib.models.installed_models import find_model
from PCNSLSurvivalLib.phantoms import VirtualPatient
from PCNSLSurvivalLib.reports.case.report import case_report_html
from PCNSLSurvivalLib.reports.pictures import make_display

NETWORK_VOXEL_MM = 1.5


@pytest.fixture(scope="module")
def patient(coarse_reference: VirtualPatient) -> VirtualPatient:
    return coarse_reference


@pytest.fixture(scope="module")
def t1gd(patient: VirtualPatient) -> sitk.Image:
    """The virtual patient's T1Gd, in the integers a scanner stores."""
    return patient.scans[MRSequence.T1GD]


@pytest.fixture(scope="module")
def result(predicted_reference: Path) -> Path:
    """The result folder of T1Gd, T1 and T2 as NIfTI."""
    return predicted_reference / "result"


@pytest.fixture(scope="module")
def prediction(result: Path) -> dict:
    return json.loads((result / "prediction.json").read_text(encoding="utf-8"))


def test_the_result_folder_is_complete_and_lies_on_the_patients_grid(result, prediction, patient, t1gd):
    names = {*(f"{name}_preprocessed.nii.gz" for name in ("t1gd", "t1", "t2")), "brain_mask.nii.gz"}
    names |= {"activation_map.nii.gz", "activation_cells.nii.gz", "evidence_cells.nii.gz"}
    names |= {"activation_map_other_class.nii.gz", "activation_cells_other_class.nii.gz"}
    assert {p.name for p in result.iterdir()} == names | {"prediction.json", "report.html"}
    mask = sitk.ReadImage(str(result / "brain_mask.nii.gz"))
    activation = sitk.ReadImage(str(result / "activation_map.nii.gz"))
    for image in (mask, activation):
        assert Grid.of(image).matches(Grid.of(t1gd), tolerance_mm=0.01)
    inside = sitk.GetArrayFromImage(mask) > 0
    truth = sitk.GetArrayFromImage(patient.brain_masks[MRSequence.T1GD]) > 0
    assert 2 * (inside & truth).sum() / (inside.sum() + truth.sum()) > 0.94
    values = sitk.GetArrayFromImage(activation)
    assert (values[~inside] == 0).all()
    assert 0.5 < values.max() <= 1.0
    assert values.min() >= 0
    assert activation.GetMetaData("descrip") == prediction["activation_map"]["note"]
    assert "Not checked. Research use only." in prediction["activation_map"]["note"]
    preprocessed = sitk.ReadImage(str(result / "t1gd_preprocessed.nii.gz"))
    assert preprocessed.GetSpacing() == pytest.approx((1.0, 1.0, 1.0))


def test_the_prediction_file_keeps_what_made_it(prediction):
    assert prediction["schema"] == "pcnsl-survival/prediction"
    assert prediction["research_use_only"] == RESEARCH_USE_ONLY
    probability = prediction["probability_over_one_year"]
    assert 0 < probability < 1
    over = probability >= prediction["decision_threshold"]
    assert prediction["class"] == ("over_one_year" if over else "up_to_one_year")
    assert prediction["log_odds"] == pytest.approx(np.log(probability / (1 - probability)), abs=1e-4)
    evidence = prediction["evidence"]
    assert evidence["constant"] + evidence["for"] + evidence["against"] == pytest.approx(
        prediction["log_odds"], abs=1e-4
    )
    assert set(prediction["inputs"]) == {"t1gd", "t1", "t2"}
    assert {"bias_field t1gd", "registration t2", "brain_extraction", "prediction"} <= set(prediction["seconds"])
    assert prediction["activation_map"]["cell_size_mm"] == [32.0, 32.0, 32.0]
    # An untrained or demonstration model says so before anything else.
    if not prediction["model"]["prognostic_meaning"]:
        assert prediction["warnings"][0]["code"] in ("model.untrained", "model.demonstration")


def test_the_prediction_file_follows_its_schema_and_knows_its_files(result, prediction):
    schema = json.loads(
        (Path(PCNSLSurvivalLib.__file__).parent / "results" / "prediction.schema.json").read_text(encoding="utf-8")
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(prediction, schema, jsonschema.Draft202012Validator)
    assert prediction["files_sha256"] == {
        path.name: sha256_of(path) for path in result.iterdir() if path.name != "prediction.json"
    }


def test_a_scan_prepared_by_slicer_is_known_by_its_checksum_and_by_who_prepared_it(result, prediction, t1gd, tmp_path):
    """What the Slicer module gives: a scan without bias field, a mask, and beside them the scan as it was loaded."""
    assert prediction["preprocessing"]["engines"]["bias_field"]["name"] == "pcnsl-survival"
    sitk.WriteImage(t1gd, str(tmp_path / "raw.nrrd"))
    sitk.WriteImage(sitk.Cast(t1gd, sitk.sitkFloat32) * 1.01, str(tmp_path / "corrected.nrrd"))
    engines = {
        "brain_extraction": {"name": "SwissSkullStripper", "version": "1"},
        "bias_field": {"name": "N4ITKBiasFieldCorrection", "version": "2"},
    }
    told = {"engines": engines, "loaded": {"t1gd": "raw.nrrd"}}
    (tmp_path / "prepared.json").write_text(json.dumps(told), encoding="utf-8")
    words = ["--t1gd", str(tmp_path / "corrected.nrrd"), "--brain-mask", str(result / "brain_mask.nii.gz")]
    words += ["--already-corrected", "--prepared", str(tmp_path / "prepared.json"), "--progress", "none"]
    assert main(["predict", *words, "--out", str(tmp_path / "out"), "--debug"]) == 0
    made = json.loads((tmp_path / "out" / "prediction.json").read_text(encoding="utf-8"))
    assert made["inputs"]["t1gd"]["voxels_sha256"] == prediction["inputs"]["t1gd"]["voxels_sha256"]
    assert made["preprocessing"]["engines"] == engines
    codes = [[told["code"] for told in one["warnings"]] for one in (made, prediction)]
    assert ["prepared.other_engines" in found for found in codes] == [True, False]
    schema = Path(PCNSLSurvivalLib.__file__).parent / "results" / "prediction.schema.json"
    jsonschema.validate(made, json.loads(schema.read_text(encoding="utf-8")), jsonschema.Draft202012Validator)


def test_no_volume_is_written_while_the_report_is_drawn_from_it(result, t1gd, tmp_path, monkeypatch):
    """As in the panel: the corrected scans are written as well, and one that came so is the T1Gd of the report."""
    sitk.WriteImage(canonical(sitk.Cast(t1gd, sitk.sitkFloat32)), str(tmp_path / "corrected.nrrd"))
    sitk.WriteImage(canonical(sitk.ReadImage(str(result / "brain_mask.nii.gz"))), str(tmp_path / "mask.nrrd"))
    written, drawn = [], []

    def write(image, *arguments, **options):
        written.append(image)
        write_volume(image, *arguments, **options)

    def display(scan, activation, brain_mask):
        drawn.extend((scan, brain_mask))
        return make_display(scan, activation, brain_mask)

    monkeypatch.setattr("PCNSLSurvivalLib.results.case_folder.write_volume", write)
    monkeypatch.setattr("PCNSLSurvivalLib.reports.case.report.make_display", display)
    words = ["--t1gd", str(tmp_path / "corrected.nrrd"), "--brain-mask", str(tmp_path / "mask.nrrd")]
    words += ["--already-corrected", "--keep-intermediate", "--progress", "none"]
    assert main(["predict", *words, "--out", str(tmp_path / "out"), "--debug"]) == 0
    assert len(drawn) == 2
    assert (tmp_path / "out" / "t1gd_corrected.nii").is_file()
    assert not [image for image in written if any(image is one for one in drawn)]


def test_the_published_scores_stand_beside_the_prediction(result, prediction):
    clinical = prediction["clinical"]
    assert clinical["findings"] == {"age_years": 67, "ecog": 2, "karnofsky": 60}
    assert (clinical["ielsg"]["lowest"], clinical["ielsg"]["highest"], clinical["mskcc"]["classes"]) == (2, 5, [3])
    page = (result / "report.html").read_text(encoding="utf-8")
    for told in (*clinical["sentences"], clinical["comparison"]):
        assert told["sentence"] in page


def test_nothing_in_the_result_names_a_path(result, tmp_path):
    for name in ("prediction.json", "report.html"):
        text = (result / name).read_text(encoding="utf-8")
        assert str(result.parent) not in text
        assert str(Path.home()) not in text


def test_the_report_stands_alone(result):
    page = (result / "report.html").read_text(encoding="utf-8")
    assert RESEARCH_USE_ONLY in page
    assert "<script" not in page
    for attribute in ("src=", "href="):
        for piece in page.split(attribute)[1:]:
            assert piece.startswith(('"data:image/png;base64,', '"#slice')), piece[:40]
    assert page.count("<svg") >= 6
    for title in ("Axial", "Coronal", "Sagittal"):
        assert title in page


def test_the_slices_of_the_report_are_scrolled_and_their_map_is_switched_without_a_script(result):
    """Each slice is there once: the strip on paper and the pictures to scroll through draw the same images."""
    page = (result / "report.html").read_text(encoding="utf-8")
    switch, stack = page.split('<input type="checkbox" id="with-map" checked>')[1].split('<div class="stack"')
    assert '<label for="with-map">Activation map</label>' in switch
    assert "#with-map:not(:checked) ~ .stack .map { visibility: hidden; }" in page
    assert "script-src 'none'" in page
    stack = stack.split("Scroll in the picture")[0]
    slices = re.findall(r'<use href="#(slice\d+)"/><use class="map" href="#(slice\d+-map)"/>', stack)
    assert len(set(slices)) == stack.count("<figcaption>") >= 12
    for name in (name for pair in slices for name in pair):
        assert page.count(f'<image id="{name}" href="data:image/png;base64,') == 1


def test_a_number_that_must_not_stand_out_is_gray_in_the_report(predicted_reference):
    """As in the panel; a scan that is like the training scans keeps it in black."""
    options = CaseOptions(cache_dir=predicted_reference / "cache")
    case = predict_case({MRSequence.T1GD: predicted_reference / "t1gd.nii.gz"}, find_model(None), options)
    for verdict in FamiliarityVerdict:
        familiarity = replace(case.network.familiarity, verdict=verdict)
        page = case_report_html(replace(case, network=replace(case.network, familiarity=familiarity)), {})
        assert ('<section class="result doubtful"' in page) == (verdict is FamiliarityVerdict.UNLIKE)


def _as_dicom(image: sitk.Image, folder: Path) -> Path:
    folder.mkdir()
    write_series(image, folder)
    return folder


def _turned_and_cropped(image: sitk.Image, folder: Path) -> Path:
    """Axes flipped and permuted; air and some neck cut away, so that the origin moves."""
    i, j, k = image.GetSize()
    cropped = image[3 : i - 2, 2 : j - 3, max(1, k // 20) : k - 1]
    turned = sitk.PermuteAxes(sitk.Flip(cropped, [True, False, True]), [2, 0, 1])
    folder.mkdir()
    sitk.WriteImage(turned, str(folder / "scan.nrrd"))
    return folder / "scan.nrrd"


@pytest.mark.parametrize(
    ("make", "outline"),
    [
        pytest.param(_as_dicom, "found", marks=pytest.mark.slow),
        pytest.param(_turned_and_cropped, "found", marks=pytest.mark.slow),
        (_turned_and_cropped, "given"),
    ],
)
def test_the_same_scan_in_another_form_gives_the_same_answer_in_the_same_place(
    make, outline, result, prediction, t1gd, tmp_path
):
    words = ["predict", "--t1gd", str(make(t1gd, tmp_path / "scan"))]
    if outline == "given":
        mask = make(sitk.ReadImage(str(result / "brain_mask.nii.gz")), tmp_path / "mask")
        words += ["--brain-mask", str(mask)]
    out = tmp_path / "out"
    assert main([*words, "--out", str(out), "--progress", "none", "--debug"]) == 0
    other = json.loads((out / "prediction.json").read_text(encoding="utf-8"))
    assert other["probability_over_one_year"] == pytest.approx(prediction["probability_over_one_year"], abs=0.02)
    there = sitk.ReadImage(str(result / "activation_map.nii.gz"))
    here = sitk.ReadImage(str(out / "activation_map.nii.gz"))
    assert np.linalg.norm(_center_of_mass(here) - _center_of_mass(there)) < NETWORK_VOXEL_MM
    grid = Grid.of(there)
    a, b = (sitk.GetArrayFromImage(resample(image, grid)).ravel() for image in (there, here))
    assert np.corrcoef(a, b)[0, 1] > 0.98


def _center_of_mass(image: sitk.Image) -> np.ndarray:
    values = sitk.GetArrayFromImage(image)
    index_kji = np.argwhere(values > 0)
    weights = values[values > 0]
    return Grid.of(image).index_to_lps((index_kji * weights[:, None]).sum(axis=0)[::-1] / weights.sum())


@pytest.mark.slow
def test_a_second_prediction_uses_the_steps_that_the_first_one_kept(patient, tmp_path, capsys):
    fine = Grid.of(patient.scans[MRSequence.T1GD])
    i, j, k = (math.ceil(n * mm / 3.0) for n, mm in zip(fine.size, fine.spacing_mm, strict=True))
    coarse = Grid((i, j, k), (3.0, 3.0, 3.0), fine.origin_lps_mm, fine.direction_lps)
    for name, volumes in (("scan", patient.scans), ("mask", patient.brain_masks)):
        image = resample(volumes[MRSequence.T1GD], coarse, interpolation="nearest")
        sitk.WriteImage(image, str(tmp_path / f"{name}.nrrd"))
    words = ["--t1gd", str(tmp_path / "scan.nrrd"), "--brain-mask", str(tmp_path / "mask.nrrd"), "--override-quality"]
    words += ["--cache-dir", str(tmp_path / "kept"), "--progress", "json"]
    states = []
    for run in ("first", "second"):
        assert main(["predict", *words, "--out", str(tmp_path / run)]) == 0
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        states.append([e["state"] for e in events if e.get("step") == "bias_field" and e["sequence"] == "t1gd"])
    assert states[0][-1] == "finished"
    assert states[1] == ["kept"]
    first, second = (
        json.loads((tmp_path / run / "prediction.json").read_text(encoding="utf-8")) for run in ("first", "second")
    )
    assert first["probability_over_one_year"] == pytest.approx(second["probability_over_one_year"], abs=1e-5)


def test_an_existing_result_is_kept_unless_overwrite_is_given(t1gd, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    sitk.WriteImage(t1gd, str(tmp_path / "scan.nrrd"))
    assert main(["predict", "--t1gd", str(tmp_path / "scan.nrrd"), "--out", str(out)]) == 3
    assert refusal("files.output_not_empty") in capsys.readouterr().err
    assert (out / "mine.txt").read_text(encoding="utf-8") == "mine"
