"""The same patient in two cohorts is found by an alias or by the voxels, and not by a generic name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_cohorts import made_cohort
from refusals import refused

from PCNSLSurvivalLib.cohorts.cohort import CohortCase, read_cohort
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, read_prepared_cohort
from PCNSLSurvivalLib.cohorts.shared_patients import KnownPatient, overlap, refuse_shared_patients
from PCNSLSurvivalLib.core.errors import CohortError


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory) -> tuple[PreparedCohort, PreparedCohort]:
    root = tmp_path_factory.mktemp("cohorts")
    first, second = (made_cohort(root / str(seed), patients=2, seed=seed) for seed in (1, 2))
    return read_prepared_cohort(first), read_prepared_cohort(second)


def with_aliases(cohort: PreparedCohort, *aliases: str) -> PreparedCohort:
    first, *others = cohort.exams
    return replace(cohort, exams=(replace(first, aliases=aliases), *others))


def test_equal_names_alone_are_no_patient_in_common(cohorts):
    assert [p.name for p in cohorts[0].exams] == [p.name for p in cohorts[1].exams]
    refuse_shared_patients(cohorts[0], cohorts[1].exams)


@pytest.mark.parametrize(
    ("sides", "pair"),
    [
        (("p001", ""), "P000 = P001"),
        (("", "P001"), "P001 = P000"),
        (("TCGA-06-0133", "tcga-06-0133"), "P000 = P000"),
    ],
)
def test_an_alias_counts_on_either_side(cohorts, sides, pair):
    ours, theirs = (with_aliases(c, alias) if alias else c for c, alias in zip(cohorts, sides, strict=True))
    with refused(CohortError, "cohort.shared_with_second", count=1, pairs=(pair,)):
        refuse_shared_patients(ours, theirs.exams)


def test_the_same_scan_counts_under_any_name(cohorts):
    one = cohorts[0].exams[0]
    theirs = replace(cohorts[1], exams=(replace(one, name="X", patient_id="X"),))
    with refused(CohortError, "cohort.shared_with_second", count=1, pairs=("P000 = X",)):
        refuse_shared_patients(cohorts[0], theirs.exams)
    with refused(CohortError, "cohort.shared_with_weights", count=1, pairs=("P000 = X",)):
        refuse_shared_patients(cohorts[0], [KnownPatient.of(case) for case in theirs.exams])


def _lines(refusal: pytest.ExceptionInfo[CohortError]) -> str:
    return f"{refusal.value.message.values['lines']}\n"


def test_all_who_are_shared_are_given_as_the_file_that_leaves_them_out(cohorts):
    ours, theirs = cohorts
    one, two = theirs.exams
    shared = (replace(one, aliases=("P000",)), replace(two, aliases=("P001",)), replace(two, name="P001_again"))
    with refused(CohortError, "cohort.shared_with_second", count=2, pairs=("P000 = P000", "P001 = P001")) as refusal:
        refuse_shared_patients(ours, shared)
    path = theirs.folder / "excluded.csv"
    lines = _lines(refusal)
    assert "P001_again,The patient" in lines
    path.write_text("".join(line for line in lines.splitlines(True) if "again" not in line), encoding="utf-8")
    left = read_prepared_cohort(theirs.folder)
    path.unlink()
    assert left.exams == ()


def test_weights_that_are_trained_already_leave_the_patients_of_the_other_cohort_out(cohorts):
    known = KnownPatient(name="X", patient_id="X", aliases=("P001",), t1gd_voxels_sha256="")
    with refused(CohortError, "cohort.shared_with_weights", count=1, pairs=("P001 = X",)) as refusal:
        refuse_shared_patients(cohorts[0], [known])
    assert _lines(refusal) == "name,reason\nP001,The patient is also in the other cohort.\n"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("UCSF-PDGM-0004", "UCSF-PDGM-004"),
        ("UPENN-GBM-00001_11", "UPENN-GBM-00001_21"),
        ("TCGA-06-0133-01A", "TCGA-06-0133"),
        ("BraTS-GLI-00012-000", "BraTS-GLI-00012-001"),
        ("BraTS20_Training_014", "brats20_training_014"),
    ],
)
def test_a_public_identifier_counts_whatever_exam_and_zeros_it_carries(ours, theirs):
    first, second, other = (
        CohortCase(name=name, patient_id=name, scans={}) for name in (ours, theirs, "BraTS20_Training_015")
    )
    assert overlap([first], [second]) == ((ours, theirs),)
    assert overlap([first], [other]) == ()


def test_the_columns_of_the_id_maps_connect_two_data_sets(tmp_path):
    root = tmp_path / "MICCAI_BraTS2020_TrainingData"
    case = root / "BraTS20_Training_001"
    case.mkdir(parents=True)
    (case / "BraTS20_Training_001_t1ce.nii").touch()
    (root / "name_mapping.csv").write_text(
        "Grade,BraTS_2017_subject_ID,TCGA_TCIA_subject_ID,BraTS_2020_subject_ID\n"
        "HGG,Brats17_TCIA_1_1,TCGA-06-0133,BraTS20_Training_001\n"
    )
    table = tmp_path / "metadata.csv"
    rows = "UCSF-PDGM-004,a.nii,BraTS2021_00097\nmine,b.nii,TCGA-06-0133\nother,c.nii,\n"
    table.write_text(f"ID,t1gd,BraTS21 ID\n{rows}")
    assert overlap(read_cohort(table), read_cohort(tmp_path)) == (("mine", "BraTS20_Training_001"),)
    later = [CohortCase(name="BraTS2021_00097", patient_id="BraTS2021_00097", scans={})]
    assert overlap(read_cohort(table), later) == (("UCSF-PDGM-004", "BraTS2021_00097"),)
