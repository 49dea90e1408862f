"""The data report counts what is there, and lists every excluded patient."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.cohorts.cohort import find_cohort
from PCNSLSurvivalLib.cohorts.data_report import data_report


@pytest.fixture
def table(tmp_path):
    """Six patients; c's T1Gd and a's T1 are not there, d is censored, e's death unknown, f without survival."""
    for name in "abdef":
        (tmp_path / f"{name}.nii").touch()
    rows = [
        "a,a.nii,a_t1.nii,400,1",
        "b,b.nii,,100,1",
        "c,c.nii,,900,1",
        "d,d.nii,,200,0",
        "e,e.nii,,200,",
        "f,f.nii,,,",
    ]
    path = tmp_path / "patients.csv"
    path.write_text("\n".join(("patient_id,t1gd,t1,os_days,event", *rows)) + "\n", encoding="utf-8")
    return path


def test_files_that_are_not_there_are_not_counted_but_named(table):
    report = data_report(find_cohort(table), threshold_days=365)
    found = report.counts["Found"]
    assert (found["exams"], found["with T1Gd"], found["with T1"]) == (6, 5, 0)
    assert report.left_out == {"c": "The T1Gd file of this case does not exist: c.nii. Check its path."}
    assert "c" not in report.case_remarks, "told twice"
    assert report.case_remarks["a"] == ("The T1 file does not exist: a_t1.nii.",)


def test_an_unknown_death_is_not_called_censored(table):
    report = data_report(find_cohort(table), threshold_days=365)
    survival = report.counts["Survival"]
    assert survival["censored by day 365: no class"] == 1
    assert survival["death by day 365 unknown: no class"] == 1
    assert survival["unknown: no class"] == 1
    assert list(report.unlabeled) == ["d", "e", "f"]


def test_a_dry_run_lists_who_is_left_out_and_who_has_no_class(table, capsys):
    assert main(["preprocess", str(table), "--out", str(table.parent / "out"), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "! c: The T1Gd file of this case does not exist" in told
    assert "- d: Censored at day 200, not after day 365: no class." in told
    assert "- e: Whether the patient died at day 200 is not known: no class." in told
    assert "  a: The T1 file does not exist: a_t1.nii." in told


def test_columns_that_are_not_used_are_told(tmp_path):
    (tmp_path / "p.csv").write_text(
        "patient_id,t1gd,t1_pre,Agee,ECOGG,OS_days,Status_,death_observed,Hospital\np1,a.nii,b.nii,60,1,300,x,1,Here\n",
        encoding="utf-8",
    )
    (tmp_path / "a.nii").write_bytes(b"1")
    (tmp_path / "b.nii").write_bytes(b"1")
    report = data_report(find_cohort(tmp_path / "p.csv"), threshold_days=365)
    told = (
        "Columns of p.csv used: patient_id, t1gd, OS_days as os_days, death_observed, Hospital as site. "
        "Not used: t1_pre, Agee, ECOGG, Status_."
    )
    assert told in report.remarks
    assert told in report.lines()


def test_one_t1gd_under_two_names_is_told_before_anything_is_prepared(tmp_path):
    for name, content in (("a", b"same"), ("b", b"same"), ("c", b"else")):
        (tmp_path / f"{name}.nii").write_bytes(content)
    (tmp_path / "p.csv").write_text("patient_id,t1gd\np1,a.nii\np2,b.nii\np3,c.nii\n", encoding="utf-8")
    report = data_report(find_cohort(tmp_path / "p.csv"), threshold_days=365)
    assert {name: len(remarks) for name, remarks in report.case_remarks.items()} == {"p2": 1}
    assert "that of p1" in report.case_remarks["p2"][0]


@pytest.mark.parametrize("ending", ["mhd", "nhdr", "hdr"])
def test_of_detached_headers_the_voxels_are_compared(tmp_path, ending):
    for number, (name, values) in enumerate((("p1", 1), ("p2", 2), ("p3", 1))):
        image = sitk.GetImageFromArray(np.full((4, 5, 6), values, np.int16))
        (tmp_path / name).mkdir()
        sitk.WriteImage(image, str(tmp_path / name / ("t1gd" if number < 2 else "other")) + f".{ending}")
    headers = [(tmp_path / name / f"t1gd.{ending}").read_bytes() for name in ("p1", "p2")]
    assert headers[0] == headers[1]
    rows = "".join(
        f"{name},{name}/{stem}.{ending}\n" for name, stem in (("p1", "t1gd"), ("p2", "t1gd"), ("p3", "other"))
    )
    (tmp_path / "p.csv").write_text(f"patient_id,t1gd\n{rows}", encoding="utf-8")
    remarks = data_report(find_cohort(tmp_path / "p.csv"), threshold_days=365).case_remarks
    copies = {name: [remark for remark in told if "byte by byte" in remark] for name, told in remarks.items()}
    assert [name for name, told in copies.items() if told] == ["p3"]
    assert "that of p1" in copies["p3"][0]


def test_only_t1gd_of_one_size_are_opened_and_little_of_them_is_kept(tmp_path, monkeypatch):
    for number in range(40):
        (tmp_path / f"{number}.nii").write_bytes(bytes([number]) * 140_000)
    (tmp_path / "alone.nii").write_bytes(bytes(150_000))
    rows = "".join(f"p{path.stem},{path.name}\n" for path in tmp_path.glob("*.nii"))
    (tmp_path / "p.csv").write_text(f"patient_id,t1gd\n{rows}", encoding="utf-8")
    found = find_cohort(tmp_path / "p.csv")
    opened: set[str] = set()
    real = Path.open
    monkeypatch.setattr(Path, "open", lambda path, *a, **named: (opened.add(path.name), real(path, *a, **named))[1])
    tracemalloc.start()
    report = data_report(found, threshold_days=365)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.case_remarks == {}
    assert opened == {f"{number}.nii" for number in range(40)}
    assert most < 1_000_000, "the middle of forty files would be 2.6 MB"


def test_a_t1gd_that_cannot_be_read_is_compared_with_no_other(tmp_path, monkeypatch):
    for name in "ab":
        (tmp_path / f"{name}.nii").write_bytes(b"same")
    (tmp_path / "p.csv").write_text("patient_id,t1gd\np1,a.nii\np2,b.nii\n", encoding="utf-8")
    found = find_cohort(tmp_path / "p.csv")
    opened = Path.open

    def refused(path, *arguments, **named):
        if path.name == "a.nii":
            raise PermissionError(path)
        return opened(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refused)
    assert data_report(found, threshold_days=365).case_remarks == {}
