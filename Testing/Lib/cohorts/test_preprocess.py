"""The preprocess command, from scans to prepared patients: whole, found again, side by side, whatever fails."""

from __future__ import annotations

import csv
import json
import shutil
from collections import namedtuple
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from made_heads import made_table
from made_models import small_recipe
from refusals import refusal, refused

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.cohorts import case_preparation, cohort_preparation
from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.terms import MRSequence, OSClass
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep

BLOCK = NetworkGridStep(size=(32, 32, 32), spacing_mm=(6.0, 6.0, 6.0))


@pytest.fixture(scope="module", autouse=True)
def on_2_mm():
    """The command prepares on 2 mm instead of 1 mm: an eighth of the voxels."""
    with pytest.MonkeyPatch.context() as patch:
        options = partial(cohort_preparation.PreparationOptions, recipe=small_recipe())
        patch.setattr(cohort_preparation, "PreparationOptions", options)
        yield


def outputs(out: Path) -> dict[str, bytes]:
    """Every file of a prepared cohort but the wall times."""
    files = (path for path in out.rglob("*") if path.is_file() and ".steps" not in path.parts)
    return {str(path.relative_to(out)): path.read_bytes() for path in files if path.name != "seconds.json"}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    """Three stripped heads; p4 has no T1Gd, p5 a damaged one, and twin the T1Gd of p1 under another name."""
    folder = tmp_path_factory.mktemp("cohort")
    path = made_table(folder, 3, with_t1=(1,), stripped=True)
    rows = rows_of(path)
    whole = (folder / "p2" / "t1gd.nii.gz").read_bytes()
    (folder / "damaged.nii.gz").write_bytes(whole[: len(whole) // 2])
    sitk.WriteImage(sitk.ReadImage(str(folder / "p1" / "t1gd.nii.gz")), str(folder / "twin.nrrd"))
    shutil.copy(folder / "p1" / "t1.nii.gz", folder / "t1_of_p4.nii.gz")
    empty = dict.fromkeys(rows[0], "") | {"stripped": "1"}
    rows += [
        empty | {"patient_id": "p4", "t1": "t1_of_p4.nii.gz"},
        empty | {"patient_id": "p5", "t1gd": "damaged.nii.gz"},
        empty | {"patient_id": "twin", "t1gd": "twin.nrrd"},
    ]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def prepared(table, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("prepared") / "out"
    assert main(["preprocess", str(table), "--out", str(out), "--progress", "none"]) == 0
    return out


def test_prepared_patients_come_back_with_scans_survival_and_lesion(prepared):
    cohort = read_prepared_cohort(prepared)
    assert [patient.name for patient in cohort.exams] == ["p1", "p2", "p3"]
    one, two, three = cohort.exams
    assert one.sequences == (MRSequence.T1GD, MRSequence.T1)
    assert two.sequences == (MRSequence.T1GD,)
    assert (two.os_class(), two.os_class(150)) == (OSClass.UP_TO_ONE_YEAR, OSClass.OVER_ONE_YEAR)
    assert (three.death_observed, three.os_class()) == (False, None)
    assert one.clinical.ecog == 1
    channels = one.network_input((MRSequence.T1GD, MRSequence.T1), BLOCK)
    assert channels.shape == (2, 32, 32, 32)
    lesion = one.lesion_on(BLOCK)
    assert lesion.sum() * 0.216 == pytest.approx(11.5, rel=0.1)  # mL: a ball of 14 mm radius
    assert channels[0][lesion].mean() > channels[1][lesion].mean() + 2, "only T1Gd enhances"
    with refused(CohortError, "prepared_cohort.no_sequence", sequence=MRSequence.FLAIR):
        one.scan(MRSequence.FLAIR)


def test_who_is_left_out_is_listed_with_the_reason(prepared):
    left_out = read_prepared_cohort(prepared).left_out
    assert left_out["p4"].startswith("No T1Gd was found")
    assert left_out["p5"].startswith("The T1Gd file is damaged")
    assert left_out["twin"].startswith("Its T1Gd is identical, voxel by voxel")
    report = (prepared / "data_report.html").read_text(encoding="utf-8")
    assert all(reason.split(",")[0] in report for reason in left_out.values())
    assert "Censored at day 200, not after day 365: no class." in report
    sheet = (prepared / "contact_sheet.html").read_text(encoding="utf-8")
    assert sheet.count('<img loading="lazy"') == 4
    assert sheet.count('class="verdict failed"') == 2


def test_the_table_has_every_number_with_its_verdict(prepared):
    rows = {row["name"]: row for row in rows_of(prepared / "cases.csv")}
    assert list(rows) == ["p1", "p2", "p3", "p4", "p5", "twin"]
    for name in ("p1", "p2", "p3"):
        record = json.loads((prepared / "cases" / name / "case.json").read_text(encoding="utf-8"))
        for finding in record["findings"]:
            column = f"{finding['measure']} ({finding['sequence'] or 'brain_mask'})"
            assert rows[name][column] == ("" if finding["value"] is None else str(finding["value"]))
            assert rows[name][f"{column} verdict"] == finding["verdict"]
    assert rows["p5"]["state"] == "failed"


def test_one_scan_of_two_patients_with_different_survival_is_used_for_neither(tmp_path):
    table = made_table(tmp_path / "cohort", 2, stripped=True)
    shutil.copy(tmp_path / "cohort" / "p1" / "t1gd.nii.gz", tmp_path / "cohort" / "p2" / "t1gd.nii.gz")
    assert main(["preprocess", str(table), "--out", str(tmp_path / "out"), "--progress", "none"]) == 3
    for row in rows_of(tmp_path / "out" / "cases.csv"):
        assert row["state"] == "excluded"
        assert "unknown whose scan it is" in row["reason"]


def test_no_path_of_this_computer_is_written(prepared, table):
    for name, content in outputs(prepared).items():
        assert str(table.parent).encode() not in content, name
        assert str(prepared.parent).encode() not in content, name


def test_the_same_command_again_finds_everything(prepared, table, capsys):
    before = {path: path.stat().st_mtime_ns for path in (prepared / "cases").rglob("*")}
    assert main(["preprocess", str(table), "--out", str(prepared)]) == 0
    assert "0 prepared, 4 already prepared (skipped), 2 failed" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in (prepared / "cases").rglob("*")}


def test_a_scan_that_changed_is_prepared_again_and_the_others_are_found(prepared, table, tmp_path, capsys):
    moved, out = tmp_path / "cohort", tmp_path / "out"
    shutil.copytree(table.parent, moved)
    shutil.copytree(prepared, out)
    sitk.WriteImage(sitk.ReadImage(str(moved / "p2/t1gd.nii.gz")) * 2.0, str(moved / "p2/t1gd.nii.gz"))
    assert main(["preprocess", str(moved / table.name), "--out", str(out)]) == 0
    assert "1 prepared, 3 already prepared (skipped)" in capsys.readouterr().out


@pytest.mark.slow
def test_two_processes_and_a_cluster_make_what_one_process_makes(prepared, table, tmp_path):
    distributed = pytest.importorskip("distributed")
    command = ["preprocess", str(table), "--progress", "none"]
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=":0"
    ) as cluster:
        assert main([*command, "--out", str(tmp_path / "dask"), "--scheduler", cluster.scheduler_address]) == 0
    assert main([*command, "--out", str(tmp_path / "jobs"), "--jobs", "2"]) == 0
    assert outputs(tmp_path / "dask") == outputs(prepared)
    assert outputs(tmp_path / "jobs") == outputs(prepared)


def test_sequences_choose_the_scans_and_excluded_csv_leaves_patients_out(prepared, table, tmp_path, capsys):
    out = tmp_path / "out"
    shutil.copytree(prepared, out)
    (out / "excluded.csv").write_text("name,reason\np2,The patient moved.\n", encoding="utf-8")
    assert main(["preprocess", str(table), "--out", str(out), "--sequences", "t1gd"]) == 0
    assert "! p2: The patient moved." in capsys.readouterr().out
    cohort = read_prepared_cohort(out)
    assert [patient.sequences for patient in cohort.exams] == [(MRSequence.T1GD,)] * 2
    assert cohort.left_out["p2"] == "The patient moved."


def test_a_full_disk_stops_the_run_with_a_sentence_and_loses_nothing(table, tmp_path, monkeypatch, capsys):
    usage = namedtuple("usage", "total used free")
    rooms = iter((10**9, 0))
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr(case_preparation.shutil, "disk_usage", lambda path: usage(0, 0, next(rooms, 0)))
        assert main(["preprocess", str(table), "--out", str(out), "--progress", "none"]) == 3
    assert refusal("prepared_cohort.disk_full", gb=0.2) in capsys.readouterr().err
    with refused(CohortError, "prepared_cohort.not_found"):
        read_prepared_cohort(out)
    assert main(["preprocess", str(table), "--out", str(out)]) == 0
    assert "2 already prepared" not in capsys.readouterr().out
    assert len(read_prepared_cohort(out).exams) == 3


def test_a_dry_run_reports_and_writes_nothing(table, tmp_path, capsys):
    assert main(["preprocess", str(table), "--out", str(tmp_path / "out"), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "6  exams" in told
    assert "1  censored by day 365: no class" in told
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_files_is_left_alone(table, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    assert main(["preprocess", str(table), "--out", str(tmp_path)]) == 3
    assert refusal("files.output_holds_others") in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_strip_shows_the_outlines_of_brain_and_lesion(prepared):
    strip = sitk.GetArrayFromImage(sitk.ReadImage(str(prepared / "cases/p1/contact.png")))
    blue, yellow = ((strip == color).all(axis=-1) for color in ((86, 180, 233), (240, 228, 66)))
    # The axial tile is 152 pixels of 1.25 mm wide; the lesion is a circle of 14 mm radius there, the brain 64 x 80 mm.
    columns, rows = np.nonzero(blue[:, :152].any(axis=0))[0], np.nonzero(yellow[:, :152].any(axis=1))[0]
    assert np.ptp(columns) * 1.25 == pytest.approx(128, abs=8)
    assert np.ptp(rows) * 1.25 == pytest.approx(28, abs=8)
    assert not yellow[:, 640:].any(), "checkerboards carry no outline"
