"""One person is one patient, whatever the names of the exams: no patient is on both sides of a fold."""

from __future__ import annotations

import pytest

from PCNSLSurvivalLib.cohorts.cohort import find_cohort
from PCNSLSurvivalLib.cohorts.identities import person_of
from PCNSLSurvivalLib.cohorts.splits import repeated_stratified_folds


@pytest.fixture
def table(tmp_path):
    def write(header: str, *rows: str):
        path = tmp_path / "patients.csv"
        path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
        return find_cohort(path)

    return write


def _patients(found) -> list[str]:
    return [case.patient_id for case in found.cases]


def test_time_points_of_a_public_data_set_stay_on_one_side_of_every_fold(table):
    rows = [
        f"UPENN-GBM-{n:05d}_{point},{n}_{point}.nii,{100 if n % 2 else 900},1" for n in range(10) for point in (11, 21)
    ]
    found = table("ID,t1gd,OS,event", *rows)
    names = [case.name for case in found.cases]
    folds = repeated_stratified_folds(
        names, _patients(found), [int(case.os_class() or 0) for case in found.cases], seed=12
    )
    for fold in folds:
        assert not {name[:15] for name in fold.train} & {name[:15] for name in fold.test}
    (remark,) = found.remarks
    assert remark.startswith("10 patients have several names")
    assert "UPENN-GBM-00003_11 = UPENN-GBM-00003_21;" in remark


def test_folders_of_brats_time_points_are_one_patient(tmp_path):
    for name in ("BraTS-GLI-00012-000", "BraTS-GLI-00012-001", "BraTS-GLI-00013-000"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}-t1c.nii.gz").touch()
    assert _patients(find_cohort(tmp_path)) == ["BraTS-GLI-00012-000", "BraTS-GLI-00012-000", "BraTS-GLI-00013-000"]


def test_rows_that_share_an_alias_are_one_patient_even_against_the_column_of_the_patient(table):
    found = table(
        "patient,session,t1gd,aliases",
        "a,,a.nii,TCGA-06-0133-01A",
        "b,1,b1.nii,x;TCGA-06-0133",
        "b,2,b2.nii,",
        "c,,c.nii,",
        "d,,d.nii,C",
    )
    assert _patients(found) == ["a", "a", "a", "c", "c"]
    assert found.remarks == (
        "2 patients have several names, by their public identifiers, aliases or keys, and count once each: "
        "a = b; c = d.",
    )


def test_names_that_only_look_alike_stay_apart(table):
    found = table(
        "patient_id,t1gd,aliases", "sub-1,a.nii,", "sub-01,b.nii,", "sub-001,c.nii,sub-0001", "d,d.nii,sub-01"
    )
    assert _patients(found) == ["d", "sub-001", "d", "sub-1"]


def test_subjects_of_one_durable_key_are_one_patient(tmp_path):
    # The third has no row of dates, and is not the person whose key is its number.
    for subject in ("sub-0001", "sub-0002", "sub-0003", "sub-0004"):
        folder = tmp_path / f"pyalfe/{subject}/ses-0001/skullstripped/lesions_T1Post_space"
        folder.mkdir(parents=True)
        (folder / "x_T1Post_to_T1Post_skullstripped.nii.gz").touch()
    (tmp_path / "demographics.csv").write_text("patientdurablekey,BirthDate,Deathdate\nK1,1/2/47,8/1/15\n3,1/2/47,\n")
    (tmp_path / "biopsy_and_diagnosis_dates.csv").write_text(
        "accessions,patientdurablekey,DiagnosisDate,ImageDate\n"
        "0001,K1,3/1/15,3/1/15\n0002,K1,3/1/15,3/1/15\n0004,3,3/1/15,3/1/15\n"
    )
    assert _patients(find_cohort(tmp_path)) == ["sub-0001", "sub-0001", "sub-0003", "sub-0004"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Brats18_2013_11_1", "Brats18_2013_2_1"),
        ("brats_2013_pat0001_1", "brats_2013_pat0002_1"),
        ("W1_2015_001", "W1_2015_002"),
        ("BraTS19_TMC_06290_1", "BraTS19_TMC_06643_1"),
    ],
)
def test_a_year_or_an_institution_is_no_person(one, other):
    assert person_of(one)[0] != person_of(other)[0]


@pytest.mark.parametrize(("one", "other"), [("007", "7"), ("p 1", "p-1"), ("A-01", "a-1"), ("sub-010", "10"),
        ("Р01", "P01"), ("Ｐ０１", "P01"), ("ΑΒ 3", "AB-3")])  # fmt: skip
def test_names_that_spreadsheets_make_alike_stay_apart_with_a_remark(table, one, other):
    found = table("patient_id,t1gd", f"{one},a.nii", f"{other},b.nii", "p100,c.nii", "p10,d.nii")
    assert len(set(_patients(found))) == 4
    (remark,) = found.remarks
    assert "count as different patients" in remark
    assert "p100" not in remark


def test_a_bids_table_that_lost_its_zeros_is_told(tmp_path):
    (tmp_path / "sub-001" / "anat").mkdir(parents=True)
    (tmp_path / "sub-001" / "anat" / "sub-001_ce-gadolinium_T1w.nii.gz").touch()
    (tmp_path / "participants.tsv").write_text("participant_id\tos_days\tdeath_observed\n1\t300\t1\n")
    assert "sub-001 and sub-1" in " ".join(find_cohort(tmp_path).remarks)


def test_exams_of_one_name_and_two_sexes_are_told(table):
    found = table("patient_id,session,t1gd,sex", "a,1,a.nii,F", "a,2,b.nii,M", "b,1,c.nii,F", "b,2,d.nii,")
    (said,) = found.remarks
    assert "give different sexes: a." in said


def test_a_number_that_became_a_fraction_is_told_beside_the_number(table):
    found = table("patient_id,t1gd", "17.0,a.nii", "17,b.nii", "1.5,c.nii", "15,d.nii")
    (said,) = found.remarks
    assert "17 and 17.0. If" in said
