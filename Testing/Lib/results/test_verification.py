"""A result computed again from its scans: identical, or the step and the place of the first difference."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import made_head
from made_models import small_model
from refusals import refusal

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.terms import MRSequence, OSClass
from PCNSLSurvivalLib.imaging.geometry import Grid, lps_to_ras
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.inference.predict import CaseOptions, CaseResult, predict_case
from PCNSLSurvivalLib.results import verification

VOXEL = (14, 20, 22)
_RUNS: dict[str, CaseResult] = {}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a made T1Gd, masks of brain and lesion, and the result of their prediction."""
    folder = tmp_path_factory.mktemp("case")
    scans, brain, lesion = made_head(3)
    for name, image in (("t1gd", scans[MRSequence.T1GD]), ("brain", brain), ("lesion", lesion)):
        write_volume(image, folder / f"{name}.nii.gz")
    words = ["--t1gd", str(folder / "t1gd.nii.gz"), "--brain-mask", str(folder / "brain.nii.gz"), "--override-quality"]
    words += ["--lesion-mask", str(folder / "lesion.nii.gz"), "--keep-intermediate", "--progress", "none"]
    assert main(["predict", *words, *_model(folder), "--out", str(folder / "result")]) == 0
    return folder


def _model(case: Path) -> tuple[str, str]:
    """An untrained model that reads voxels of 2 mm; those of the made head have 6 mm."""
    folder = case / "small_untrained"
    if not folder.is_dir():
        small_model(folder, edge=64)  # cells of 48 mm; the largest voxels that are read have 50
    return "--model", str(folder)


def _verify(case: Path, result: Path, t1gd: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict]:
    capsys.readouterr()
    code = main(["verify", str(result), "--t1gd", str(t1gd), "--progress", "json", *_model(case), *more])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])["verification"]


def _not_identical(found: dict) -> dict[str, str]:
    return {one["part"]: one["agreement"] for one in found["comparisons"] if one["agreement"] != "identical"}


def test_the_same_scan_gives_an_identical_result_in_another_file_format_too(case, tmp_path, capsys):
    sitk.WriteImage(sitk.ReadImage(str(case / "t1gd.nii.gz")), str(tmp_path / "t1gd.nrrd"))
    lesion = ("--lesion-mask", str(case / "lesion.nii.gz"))
    code, found = _verify(case, case / "result", tmp_path / "t1gd.nrrd", capsys, *lesion)
    assert (code, found["agreement"], _not_identical(found), found["software"]) == (0, "identical", {}, {})
    parts = {one["part"] for one in found["comparisons"]}
    assert {"T1Gd", "T1Gd without bias field", "brain mask", "log-odds", "map on T1Gd", "lesion volume in mL"} <= parts


@pytest.fixture
def same_run(case, monkeypatch) -> None:
    """A second run that ends as the first one did, without its seconds: what is tested is a changed folder."""

    def predict_once(*arguments, **named):
        if str(case) not in _RUNS:
            _RUNS[str(case)] = predict_case(*arguments, **named)
        return _RUNS[str(case)]

    monkeypatch.setattr(verification, "predict_case", predict_once)


def test_one_changed_voxel_is_found_at_its_place(case, tmp_path, capsys):
    image = sitk.ReadImage(str(case / "t1gd.nii.gz"))
    image[VOXEL] = image[VOXEL] + 1
    write_volume(image, tmp_path / "t1gd.nii.gz")
    code, found = _verify(case, case / "result", tmp_path / "t1gd.nii.gz", capsys)
    assert (code, found["agreement"]) == (3, "different")
    first = next(one for one in found["comparisons"] if one["agreement"] == "different")
    assert (first["step"], first["part"]) == ("read", "T1Gd")
    right, anterior, superior = lps_to_ras(Grid.of(image).index_to_lps(np.array(VOXEL)))
    assert f"1 voxel changed, at R {right:.1f} A {anterior:.1f} S {superior:.1f} mm" in first["detail"]


@pytest.mark.usefixtures("same_run")
def test_a_result_that_was_changed_is_told_from_a_run_that_differs(case, tmp_path, capsys):
    result = tmp_path / "result"
    shutil.copytree(case / "result", result)
    mask = sitk.ReadImage(str(result / "activation_map.nii.gz"))
    mask[VOXEL] = 1.0 - mask[VOXEL]
    write_volume(mask, result / "activation_map.nii.gz")
    prediction = json.loads((result / "prediction.json").read_text(encoding="utf-8"))
    prediction["log_odds"] += 0.5
    (result / "prediction.json").write_text(json.dumps(prediction), encoding="utf-8")
    code, found = _verify(case, result, case / "t1gd.nii.gz", capsys)
    told = _not_identical(found)
    assert code == 3
    assert (told["files of the result folder"], told["log-odds"]) == ("different", "different")
    assert told["map on T1Gd"] != "identical"
    assert (told.get("map cells"), told.get("brain mask")) == (None, None)


def test_options_are_repeated_from_their_record_and_from_a_result_that_has_none(case):
    def repeated(stored):
        given = CaseOptions(device="cpu", runtime="onnx", tta=True, lesion_mask=case / "lesion.nii.gz")
        return verification._options_of(stored, case / "result", given)

    stored = json.loads((case / "result" / "prediction.json").read_text(encoding="utf-8"))
    plain = CaseOptions(
        device="cpu",
        runtime="onnx",
        lesion_mask=case / "lesion.nii.gz",
        brain_mask=case / "result" / "brain_mask.nii.gz",
        override_quality=True,
        target=OSClass.of_key(stored["class"]),
    )
    asked = {"tta": True, "block": "layer3", "segment": True, "robustness": True, "runtime": "torch"}
    another = replace(plain, tta=True, block="layer3", segment=True)
    assert repeated(stored) == plain
    assert repeated(stored | {"options": stored["options"] | asked}) == another
    del stored["options"]
    assert repeated(stored) == plain
    stored["test_time_augmentation"], stored["activation_map"]["block"] = True, "layer3"
    stored["seconds"]["lesion_outline"] = 1.0
    assert repeated(stored) == another


@pytest.mark.usefixtures("same_run")
def test_a_changed_probability_is_found_though_its_log_odds_stayed(case, tmp_path, capsys):
    result = tmp_path / "result"
    shutil.copytree(case / "result", result)
    prediction = json.loads((result / "prediction.json").read_text(encoding="utf-8"))
    prediction["probability_over_one_year"] = 1 - prediction["probability_over_one_year"] / 2
    (result / "prediction.json").write_text(json.dumps(prediction), encoding="utf-8")
    code, found = _verify(case, result, case / "t1gd.nii.gz", capsys)
    assert (code, _not_identical(found)["probability"]) == (3, "different")
    del prediction["inputs"]
    (result / "prediction.json").write_text(json.dumps(prediction), encoding="utf-8")
    assert main(["verify", str(result), "--t1gd", str(case / "t1gd.nii.gz"), *_model(case)]) == 3
    assert refusal("result.incomplete") in capsys.readouterr().err


@pytest.mark.usefixtures("same_run")
def test_what_is_no_number_differs_and_what_commands_a_terminal_is_left_out(case, tmp_path, capsys):
    result = tmp_path / "result"
    shutil.copytree(case / "result", result)
    prediction = json.loads((result / "prediction.json").read_text(encoding="utf-8"))
    prediction["log_odds"] = float("nan")
    prediction["files_sha256"]["gone\x1b[2J.txt"] = "0"
    (result / "prediction.json").write_text(json.dumps(prediction), encoding="utf-8")
    code, found = _verify(case, result, case / "t1gd.nii.gz", capsys)
    assert (code, _not_identical(found)["log-odds"]) == (3, "different")
    assert main(["verify", str(result), "--t1gd", str(case / "t1gd.nii.gz"), *_model(case)]) == 3
    told = capsys.readouterr().out
    assert "missing: gone[2J.txt" in told
    assert "\x1b" not in told


@pytest.mark.usefixtures("same_run")
def test_a_small_difference_is_within_tolerance(case, tmp_path, capsys):
    result = tmp_path / "result"
    shutil.copytree(case / "result", result)
    prediction = json.loads((result / "prediction.json").read_text(encoding="utf-8"))
    prediction["log_odds"] += 0.001
    (result / "prediction.json").write_text(json.dumps(prediction), encoding="utf-8")
    code, found = _verify(case, result, case / "t1gd.nii.gz", capsys)
    assert (code, found["agreement"]) == (0, "within tolerance")
    assert _not_identical(found) == {"log-odds": "within tolerance", "lesion": "not compared"}
    words = ["verify", str(result), "--t1gd", str(case / "t1gd.nii.gz"), *_model(case), "--progress", "none"]
    assert main(words) == 0
    assert "What was compared is within tolerance. Not compared: lesion." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda stored: stored["model"].update(checksum_sha256="0" * 64), "verify.other_model"),
        (lambda stored: stored["inputs"].update(t2=stored["inputs"]["t1gd"]), "verify.other_sequences"),
        (
            lambda stored: stored["preprocessing"].update(
                already_corrected=True, engines={"bias_field": {"name": "N4ITKBiasFieldCorrection", "version": "2"}}
            ),
            "verify.prepared_before",
        ),
        (
            lambda stored: stored["preprocessing"]["engines"].update(
                smoothing={"name": "SmoothingFilter", "version": "1"}
            ),
            "verify.prepared_before",
        ),
        (lambda stored: stored["options"].update(tta="yes"), "result.incomplete"),
        (lambda stored: stored["preprocessing"]["findings"].append({"step": "read"}), "result.incomplete"),
        (lambda stored: stored["preprocessing"].pop("findings"), "result.incomplete"),
        (lambda stored: stored.update(familiarity="familiar"), "result.incomplete"),
        (lambda stored: stored.update(lesion={"source": "proposal", "volume_ml": "many"}), "result.incomplete"),
        (lambda stored: stored.update(probability_over_one_year=10**400), "result.incomplete"),
    ],
)
def test_what_cannot_be_computed_again_is_refused_with_the_reason(case, tmp_path, capsys, change, code):
    result = tmp_path / "result"
    shutil.copytree(case / "result", result)
    stored = json.loads((result / "prediction.json").read_text(encoding="utf-8"))
    change(stored)
    (result / "prediction.json").write_text(json.dumps(stored), encoding="utf-8")
    words = ["verify", str(result), "--t1gd", str(case / "t1gd.nii.gz"), *_model(case), "--progress", "json"]
    assert main(words) == 3
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["code"] == code
