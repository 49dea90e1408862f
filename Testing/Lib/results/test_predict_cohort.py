"""`pcnsl-survival predict-cohort`: every case on its own, none stops the others, no finished one is repeated."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import brain_shape
from made_models import small_model
from no_heads import no_head, object_mask
from refusals import refusal

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.reports.case import report


def stripped_brain(seed: int) -> sitk.Image:
    """A brain without skull on 4 mm voxels: dark rim, bright middle, a lesion; 0 around it."""
    rng = np.random.default_rng(seed)
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in (40, 48, 40)), indexing="ij")
    radius = np.sqrt((i / 0.85) ** 2 + (j / 0.9) ** 2 + (k / 0.85) ** 2)
    values = np.where(radius < 0.8, 500.0, 300.0) + 20 * rng.standard_normal(radius.shape)
    values[(i - 0.3) ** 2 + j**2 + (k - rng.uniform(-0.2, 0.2)) ** 2 < 0.04] = 900.0
    points = np.stack([i * 80, j * 96, k * 80], axis=-1)
    image = sitk.GetImageFromArray((values * brain_shape(points.transpose(2, 1, 0, 3))).astype(np.float32))
    image.SetSpacing((4.0, 4.0, 4.0))
    return image


def without_contrast(t1gd: sitk.Image) -> sitk.Image:
    """The same brain before the agent, in a scan with noise of its own: the lesion does not enhance."""
    inside = sitk.Cast(t1gd != 0, sitk.sitkUInt8)
    return sitk.Mask(sitk.AdditiveGaussianNoise(sitk.Minimum(t1gd, 520.0), 10.0, 0.0, 5), inside)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "small_untrained"
    small_model(path)
    return path


@pytest.fixture
def no_report(monkeypatch):
    """Cases without their page, for tests that look at none: drawing it takes most of the time of a small case."""
    monkeypatch.setattr(report, "case_report_html", lambda result, versions: "")


@pytest.fixture
def cohort(tmp_path):
    folder = tmp_path / "cohort"
    folder.mkdir()
    for seed, name in enumerate(("one", "two")):
        sitk.WriteImage(stripped_brain(seed), str(folder / f"{name}.nrrd"))
    (folder / "broken.nrrd").write_bytes(b"NRRD0004\nnothing else")
    rows = ["patient_id,t1gd,os_days,death_observed", "a,one.nrrd,700,1", "b,broken.nrrd,100,1", "c,two.nrrd,90,1"]
    (folder / "patients.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def table(out):
    with (out / "predictions.csv").open(newline="", encoding="utf-8") as stream:
        return {row["case"]: row for row in csv.DictReader(stream)}


def predict(cohort, model, out, *more):
    words = ["predict-cohort", str(cohort / "patients.csv"), "--out", str(out), "--model", str(model)]
    return main([*words, "--progress", "none", *more])


@pytest.mark.usefixtures("no_report")
def test_a_damaged_case_stops_no_other_and_finished_ones_are_found(cohort, model, tmp_path, capsys):
    out = tmp_path / "results"
    assert predict(cohort, model, out) == 0
    rows = table(out)
    assert [rows[name]["state"] for name in "abc"] == ["predicted", "failed", "predicted"]
    assert "T1Gd" in rows["b"]["reason"]
    assert "b: " in capsys.readouterr().out
    assert not (out / "b").exists()
    stored = json.loads((out / "a" / "prediction.json").read_text(encoding="utf-8"))
    assert float(rows["a"]["probability_over_one_year"]) == stored["probability_over_one_year"]
    assert rows["a"]["os_days"] == "700.0"
    before = (out / "a" / "prediction.json").stat().st_mtime_ns

    # The damaged scan is replaced, another changes: only these two are computed.
    sitk.WriteImage(stripped_brain(5), str(cohort / "broken.nrrd"))
    sitk.WriteImage(stripped_brain(6), str(cohort / "two.nrrd"))
    assert predict(cohort, model, out) == 0
    assert [table(out)[name]["state"] for name in "abc"] == ["cached", "predicted", "predicted"]
    assert (out / "a" / "prediction.json").stat().st_mtime_ns == before

    # Other options are another question.
    assert predict(cohort, model, out, "--tta") == 0
    assert {row["state"] for row in table(out).values()} == {"predicted"}


def test_each_result_is_that_of_predict(cohort, model, tmp_path):
    out, alone = tmp_path / "results", tmp_path / "alone"
    assert predict(cohort, model, out) == 0
    words = ["predict", "--t1gd", str(cohort / "one.nrrd"), "--out", str(alone), "--model", str(model)]
    assert main([*words, "--progress", "none"]) == 0
    first, second = (json.loads((f / "prediction.json").read_text(encoding="utf-8")) for f in (out / "a", alone))
    for name in ("log_odds", "warnings", "evidence", "preprocessing"):
        assert first[name] == second[name]


def test_a_cohort_that_is_not_there_is_an_error_in_a_sentence(model, tmp_path, capsys):
    assert predict(tmp_path, model, tmp_path / "results") == 3
    assert refusal("cohort.not_found") in capsys.readouterr().err


def test_a_cohort_in_which_every_case_fails_leaves_its_table_and_no_success(model, tmp_path, capsys):
    bids, out = tmp_path / "bids", tmp_path / "deep" / "results"
    for name, file in (("sub-1", "ce-gd_T1w"), ("sub-2", "ce-gd_T1w"), ("sub-3", "PDw")):
        (bids / name / "anat").mkdir(parents=True)
        (bids / name / "anat" / f"{name}_{file}.nii.gz").touch()
    (bids / "sub-2" / "anat" / "sub-2_ce-gd_T1w.nii.gz").unlink()
    (bids / "sub-2" / "anat" / "sub-2_ce-gd_T1w.nii.gz").symlink_to("../.git/annex/objects/x.nii.gz")
    (bids / "participants.tsv").write_text("participant_id\tage\nsub-1\t60\nsub-2\t61\nsub-4\t62\n")
    words = ["predict-cohort", str(bids), "--out", str(out), "--model", str(model), "--progress", "none"]
    assert main(words) == 3
    rows = table(out)
    assert {name: row["state"] for name, row in rows.items()} == {
        "sub-1": "failed", "sub-2": "failed", "sub-3": "no scan", "sub-4": "no scan",
    }  # fmt: skip
    assert str(Message("fetched.git_annex")) in rows["sub-2"]["reason"]
    assert all(row["reason"] for row in rows.values())
    assert "cannot be written" not in capsys.readouterr().err


@pytest.fixture
def pairs(tmp_path):
    """Stripped exams with T1 and T1Gd: in order, swapped, and with a T1 that is unreadable, not fetched, or T1Gd."""
    folder = tmp_path / "cohort"
    folder.mkdir()
    rows = ["patient_id,t1gd,t1,stripped"]
    for seed, name in enumerate(("ordered", "swapped", "unreadable", "absent", "twice")):
        after = stripped_brain(seed)
        before = without_contrast(after)
        for kind, image in (("after", after), ("before", before)):
            sitk.WriteImage(image, str(folder / f"{name}_{kind}.nrrd"))
        t1gd, t1 = ("before", "after") if name == "swapped" else ("after", "before")
        rows.append(f"{name},{name}_{t1gd}.nrrd,{name}_{t1}.nrrd,1")
    sitk.WriteImage(sitk.ReadImage(str(folder / "twice_after.nrrd")) * 2, str(folder / "twice_before.nrrd"))
    (folder / "unreadable_before.nrrd").write_bytes(b"NRRD0004\nnothing else")
    (folder / "absent_before.nrrd").unlink()
    (folder / "absent_before.nrrd").symlink_to(".git/annex/objects/absent_before.nrrd")
    (folder / "patients.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def warned(out, name):
    stored = json.loads((out / name / "prediction.json").read_text(encoding="utf-8"))
    return "enhancement.not_compared" in {warning["code"] for warning in stored["warnings"]}


@pytest.mark.usefixtures("no_report")
def test_swapped_scans_stop_a_case_although_the_model_reads_t1gd_alone(pairs, model, tmp_path):
    out = tmp_path / "results"
    assert predict(pairs, model, out) == 0
    rows = table(out)
    assert rows["ordered"]["state"] == "predicted"
    assert not warned(out, "ordered")
    assert rows["swapped"]["state"] == "failed"
    assert str(Message("enhancement.swapped")) in rows["swapped"]["reason"]
    assert rows["twice"]["state"] == "failed"
    assert str(Message("scan.same_scan", sequence=MRSequence.T1, other=MRSequence.T1GD)) in rows["twice"]["reason"]
    assert not (out / "swapped").exists()
    assert not (out / "twice").exists()
    # A T1 that the model does not read costs no prediction; that nothing was compared is said.
    for name in ("unreadable", "absent"):
        assert rows[name]["state"] == "predicted"
        assert warned(out, name)

    # The T1 that was not there comes: only its case is computed, and compared.
    (pairs / "absent_before.nrrd").unlink()
    sitk.WriteImage(without_contrast(stripped_brain(3)), str(pairs / "absent_before.nrrd"))
    assert predict(pairs, model, out) == 0
    assert [table(out)[name]["state"] for name in ("ordered", "unreadable", "absent")] == [
        "cached",
        "cached",
        "predicted",
    ]
    assert not warned(out, "absent")


@pytest.mark.usefixtures("no_report")
def test_an_earlier_result_that_was_damaged_is_made_again(cohort, model, tmp_path, capsys):
    out = tmp_path / "results"
    assert predict(cohort, model, out) == 0
    before = table(out)
    (out / "a" / "prediction.json").write_text("[1]", encoding="utf-8")
    tampered = json.loads((out / "c" / "prediction.json").read_text(encoding="utf-8"))
    tampered.update(probability_over_one_year="high", familiarity=3)
    (out / "c" / "prediction.json").write_text(json.dumps(tampered), encoding="utf-8")
    assert predict(cohort, model, out) == 0
    assert "Internal error" not in capsys.readouterr().err
    assert [row["state"] for row in table(out).values()] == ["predicted", "failed", "predicted"]
    assert all(table(out)[name]["log_odds"] == before[name]["log_odds"] for name in "ac")


def test_a_cohort_of_fruit_and_spines_gets_no_number(model, tmp_path):
    folder = tmp_path / "cohort"
    folder.mkdir()
    rows = ["patient_id,t1gd,brain_mask,os_days,death_observed"]
    for name in ("orange", "spine", "noise"):
        scan = no_head(name, spacing_mm=4.0)
        mask = object_mask(scan) if name != "noise" else sitk.Cast(scan > 0, sitk.sitkUInt8)
        for kind, image in (("scan", scan), ("mask", mask)):
            sitk.WriteImage(image, str(folder / f"{name}_{kind}.nrrd"))
        rows.append(f"{name},{name}_scan.nrrd,{name}_mask.nrrd,300,1")
    (folder / "patients.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    out = tmp_path / "results"
    assert predict(folder, model, out, "--use-brain-masks") == 3
    found = table(out)
    assert {row["state"] for row in found.values()} == {"failed"}
    assert {row["probability_over_one_year"] for row in found.values()} == {""}
    assert all("adult human head" in found[name]["reason"] for name in ("orange", "spine"))
    assert not any((out / name).exists() for name in found)
    words = ["--brain-mask", str(folder / "orange_mask.nrrd"), "--model", str(model), "--out", str(tmp_path / "one")]
    assert main(["predict", "--t1gd", str(folder / "orange_scan.nrrd"), *words, "--progress", "none"]) == 3
    assert not (tmp_path / "one").exists()


@pytest.mark.usefixtures("no_report")
def test_one_scan_under_two_names_is_told(cohort, model, tmp_path, capsys):
    sitk.WriteImage(sitk.ReadImage(str(cohort / "one.nrrd")), str(cohort / "broken.nrrd"), useCompression=True)
    assert predict(cohort, model, tmp_path / "out") == 0
    rows = table(tmp_path / "out")
    assert rows["a"]["reason"] == "The same T1Gd, voxel by voxel, is given for b: check whose scan it is."
    assert "is given for a" in rows["b"]["reason"]
    assert rows["c"]["reason"] == ""
    assert "! a: The same T1Gd" in capsys.readouterr().out
