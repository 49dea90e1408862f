"""Names in any script stay apart, and two spellings of one name are one patient."""

from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.cohorts.case_names import safe_name
from PCNSLSurvivalLib.cohorts.cohort import find_cohort
from PCNSLSurvivalLib.core.errors import CohortError


@pytest.fixture
def folders(tmp_path):
    def find(*names: str, table: str = ""):
        for name in names:
            (tmp_path / name).mkdir()
            (tmp_path / name / "T1_gd.nii.gz").touch()
        if table:
            (tmp_path / "p.csv").write_text(table, encoding="utf-8")
        return find_cohort(tmp_path)

    return find


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file names of bytes")
@pytest.mark.parametrize("command", ["preprocess", "predict-cohort"])
def test_names_that_are_not_utf8_stay_apart_and_fit_into_every_table(command, tmp_path, capsys):
    cohort = tmp_path / "cohort"
    for name in (b"M\xfcller", b"M\xf6ller"):
        folder = cohort / os.fsdecode(name)
        folder.mkdir(parents=True)
        for scan in (b"T1_gd.nii.gz", b"T1_gd r\xfcck.nii.gz"):
            (folder / os.fsdecode(scan)).touch()
    assert main([command, str(cohort), "--out", str(tmp_path / "out"), "--progress", "none"]) == 3
    said = capsys.readouterr()
    assert "Internal" not in said.err
    (table,) = (tmp_path / "out").glob("*.csv")
    text = table.read_text(encoding="utf-8")
    assert "M_udcfcller" in text
    assert "M_udcf6ller" in text


@pytest.mark.parametrize(
    "names",
    [
        ("张伟", "李娜"),
        ("Müller", "Möller"),
        ("Иван", "Анна"),
        ("नेहा", "नाहा"),
        ("محمد", "أحمد"),
        ("A B", "A_B", "A+B"),
        ("★", "☆"),
        ("x" * 90 + "é" * 40, "x" * 90 + "é" * 41),
    ],
    ids=lambda names: names[0][:10],
)
def test_names_in_any_script_stay_apart(folders, names):
    cases = folders(*names).cases
    assert len({case.name for case in cases}) == len({case.patient_id for case in cases}) == len(names)
    assert all(len(case.name.encode()) < 200 for case in cases)


def test_two_spellings_of_one_name_are_one(folders):
    composed, apart = (unicodedata.normalize(form, "Müller") for form in ("NFC", "NFD"))
    assert composed != apart
    (case,) = folders(apart, table=f"patient_id,os_days,event\n{composed},400,1\n").cases
    assert (case.os_days, case.name, case.remarks) == (400, composed, ())


def test_two_spellings_of_one_patient_are_one_in_a_table(tmp_path):
    composed, apart = (unicodedata.normalize(form, "Müller") for form in ("NFC", "NFD"))
    for session in (1, 2):
        (tmp_path / f"{apart}{session}.nii").touch()
    (tmp_path / "p.csv").write_text(
        f"patient_id,session,t1gd\n{composed},1,{composed}1.nii\n{apart},2,{composed}2.nii\n", encoding="utf-8"
    )
    first, second = find_cohort(tmp_path / "p.csv").cases
    assert first.patient_id == second.patient_id
    assert all(path.exists() for case in (first, second) for path in case.scans.values())


def test_one_patient_twice_is_refused_whatever_the_capitals(tmp_path):
    (tmp_path / "p.csv").write_text("patient_id,t1gd\nMÜLLER,a.nii\nMüller,b.nii\n", encoding="utf-8")
    with refused(CohortError, "cohort.names_twice", count=1):
        find_cohort(tmp_path / "p.csv")


@given(st.text(max_size=200))
def test_a_safe_name_is_one_folder_and_says_nothing_to_a_terminal_or_a_spreadsheet(name):
    safe = safe_name(name)
    assert safe == safe_name(safe)
    assert 0 < len(safe.encode()) < 160
    assert not set(safe) & set('/\\:*?"<>|=@\0\x1b\n')
    assert safe[0] not in ".-_"
