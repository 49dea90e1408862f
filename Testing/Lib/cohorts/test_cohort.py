"""Every layout in which cohorts come is read into one schema, quirks included."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import write_series
from refusals import refused

from PCNSLSurvivalLib.cohorts.case import os_class_of
from PCNSLSurvivalLib.cohorts.case_preparation import contents_of
from PCNSLSurvivalLib.cohorts.cohort import CohortCase, find_cohort, read_cohort
from PCNSLSurvivalLib.cohorts.cohort_preparation import PreparationOptions, prepare_cohort
from PCNSLSurvivalLib.cohorts.data_report import data_report
from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, OSClass
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.phantoms.cohort import CohortPlan, draw_cohort
from PCNSLSurvivalLib.phantoms.layouts import (
    BidsLayout,
    Brats2020Layout,
    Layout,
    TableLayout,
    UcsfPcnslLayout,
    bids,
    brats2020,
    table,
    ucsf_pcnsl,
)
from PCNSLSurvivalLib.phantoms.scanner.protocol import VIRTUAL_SEQUENCES
from PCNSLSurvivalLib.phantoms.virtual_marker import COHORT_FILE, MADE_BY

PATIENTS = 40


@pytest.fixture
def written(monkeypatch, tmp_path):
    """A cohort as a phantom layout writes it, with empty files for volumes: only names and tables are read here."""
    image = sitk.Image(2, 2, 2, sitk.sitkUInt8)
    for module in (bids, brats2020, table, ucsf_pcnsl):
        monkeypatch.setattr(module, "write_volume", lambda image, path: path.touch())
    for module in (brats2020, ucsf_pcnsl):
        monkeypatch.setattr(module, "stripped", lambda scan: image)
    monkeypatch.setattr(brats2020, "_labels", lambda patient: np.zeros((2, 2, 2), np.uint8))

    def write(layout: type[Layout], with_scans: int = 3):
        plan = CohortPlan(patients=PATIENTS, seed=8, grid="clinical" if layout.whole_heads else "registered")
        place, members = layout(tmp_path / "cohort"), draw_cohort(plan)
        place.out.mkdir()
        place.write_tables(plan, members)
        for member in members[:with_scans]:
            images = dict.fromkeys(VIRTUAL_SEQUENCES, image)
            patient = SimpleNamespace(scans=images, acquisitions=images, lesion_masks=images, protocol=member.protocol)
            place.folder(member).mkdir(parents=True)
            place.write_scans(member, patient, place.folder(member))
            place.truth_folder(member).mkdir(parents=True)
            for name in ("t1gd_brain_mask", "t1gd_lesion_mask", "t2_brain_mask", "tissues"):
                (place.truth_folder(member) / f"{name}.nii.gz").touch()
        return place, members

    return write


def _has_facts(case: CohortCase, member) -> bool:
    clinical, outcome = member.clinical, member.outcome
    return (
        case.os_days == outcome.os_days
        and case.death_observed is outcome.death_observed
        and case.clinical.ecog == clinical.ecog
        and case.clinical.age_years == clinical.age_years
        and case.clinical.ldh_elevated is clinical.ldh_elevated
        and case.clinical.csf_protein_elevated is clinical.csf_protein_elevated
        and case.clinical.deep_lesion is clinical.deep_structures
        and case.clinical.ielsg_score == clinical.ielsg_score
    )


def test_bids_with_participants(written):
    place, members = written(BidsLayout)
    found = find_cohort(place.out)
    assert [case.name for case in found.cases] == ["sub-0001", "sub-0002", "sub-0003"]
    assert all(_has_facts(case, member) for case, member in zip(found.cases, members, strict=False))
    case = found.cases[1]
    assert {s: path.name for s, path in case.scans.items()} == {
        MRSequence.T1GD: "sub-0002_ce-gadolinium_T1w.nii.gz",
        MRSequence.T1: "sub-0002_T1w.nii.gz",
        MRSequence.T2: "sub-0002_T2w.nii.gz",
        MRSequence.FLAIR: "sub-0002_FLAIR.nii.gz",
    }
    assert (case.brain_mask.name, case.lesion_mask.name) == ("t1gd_brain_mask.nii.gz", "t1gd_lesion_mask.nii.gz")
    (remark,) = found.remarks
    assert remark.startswith(f"{PATIENTS - 3} patients of participants.tsv have no scan: sub-0004, sub-0005, ")


@pytest.mark.parametrize("layout", [BidsLayout, Brats2020Layout, TableLayout, UcsfPcnslLayout])
def test_a_cohort_of_phantoms_is_known_as_virtual_in_every_layout_and_stays_so_once_prepared(written, tmp_path, layout):
    place, _ = written(layout, with_scans=1)
    path = place.out / "patients.csv" if layout is TableLayout else place.out
    assert not find_cohort(path).virtual
    (place.out / COHORT_FILE).write_text(json.dumps({"made_by": MADE_BY}), encoding="utf-8")
    found = find_cohort(path)
    assert found.virtual
    assert "The patients are virtual: 'pcnsl-survival phantom' made the scans." in found.remarks
    # The empty files cannot be prepared; what is known of the whole cohort is kept all the same.
    prepare_cohort(found, tmp_path / "prepared", PreparationOptions(), draw=lambda folder: None)
    assert read_prepared_cohort(tmp_path / "prepared").virtual


def test_bids_sessions_belong_to_one_patient(tmp_path):
    for session in ("01", "02"):
        anat = tmp_path / "sub-x" / f"ses-{session}" / "anat"
        anat.mkdir(parents=True)
        (anat / f"sub-x_ses-{session}_acq-mprage_ce-GAD_run-1_T1w.nii.gz").touch()
        (anat / f"sub-x_ses-{session}_acq-mprage_ce-GAD_run-2_T1w.nii.gz").touch()
    cases = read_cohort(tmp_path)
    assert [(case.name, case.patient_id) for case in cases] == [("sub-x_ses-01", "sub-x"), ("sub-x_ses-02", "sub-x")]
    assert [set(case.scans) for case in cases] == [{MRSequence.T1GD}] * 2
    assert "run-1" in cases[0].scans[MRSequence.T1GD].name


def _anat(root, *names: str, folder: str = "sub-1") -> None:
    (root / folder / "anat").mkdir(parents=True, exist_ok=True)
    for name in names:
        (root / folder / "anat" / f"{name}.nii.gz").touch()


@pytest.mark.parametrize(
    ("label", "sequence"),
    [
        ("gadolinium", "t1gd"), ("GAD", "t1gd"), ("post", "t1gd"), ("none", "t1"), ("noGd", "t1"), ("pre", "t1"),
        ("preGd", "t1"), ("without", "t1"),
    ],
)  # fmt: skip
def test_a_label_of_bids_may_say_that_no_agent_was_given(tmp_path, label, sequence):
    _anat(tmp_path, f"sub-1_ce-{label}_T1w")
    (case,) = read_cohort(tmp_path)
    assert [str(one.value) for one in case.scans] == [sequence]


@pytest.mark.parametrize("folder", ["sub-1/anat", "p1"], ids=["BIDS", "folders"])
def test_two_files_of_one_name_are_told_apart_by_their_endings(tmp_path, folder):
    (tmp_path / folder).mkdir(parents=True)
    for ending in (".nii", ".nii.gz"):
        (tmp_path / folder / f"sub-1_ce-gadolinium_T1w{ending}").write_text(ending)
    (case,) = read_cohort(tmp_path)
    (said,) = (remark for remark in case.remarks if "could be T1Gd" in remark)
    assert "T1w.nii'" in said
    assert "T1w.nii.gz'" in said


def test_bids_takes_the_magnitude_and_no_other_part_of_the_signal(tmp_path):
    _anat(tmp_path, "sub-1_ce-gd_part-phase_T1w")
    with refused(CohortError, "cohort.no_known_scan", count=1):
        find_cohort(tmp_path)
    _anat(tmp_path, "sub-1_ce-gd_part-real_T1w", "sub-1_ce-gd_part-mag_T1w")
    (case,) = read_cohort(tmp_path)
    assert case.scans[MRSequence.T1GD].name == "sub-1_ce-gd_part-mag_T1w.nii.gz"
    assert not case.remarks


@pytest.mark.parametrize(
    ("folder", "name", "part"),
    [("sub-1", "sub-2_ce-gd_T1w", "sub-1"), ("sub-1/ses-a", "sub-1_ses-b_ce-gd_T1w", "ses-a")],
)
def test_a_scan_in_the_folder_of_another_patient_or_session_is_refused(tmp_path, folder, name, part):
    _anat(tmp_path, name, folder=folder)
    with refused(CohortError, "cohort.scan_in_other_folder", scan=name, folder=part):
        find_cohort(tmp_path)


def test_brats2020_with_its_quirks(written):
    place, members = written(Brats2020Layout, with_scans=PATIENTS)
    root = place.out / "MICCAI_BraTS2020_TrainingData"
    odd = root / "BraTS20_Training_002"
    (odd / "BraTS20_Training_002_seg.nii.gz").rename(odd / "W39_1998.09.19_Segm.nii")
    (odd / "BraTS20_Training_002_t1.nii.gz").rename(odd / "BraTS20_Training_002_t1.nii")
    (odd / "._BraTS20_Training_002_t2.nii.gz").touch()  # what macOS leaves in archives
    cases = {case.name: case for case in read_cohort(place.out)}
    assert len(cases) == PATIENTS
    assert cases == {case.name: case for case in read_cohort(root)}, "the folder above counts as well"
    alive = cases[f"BraTS20_Training_{PATIENTS:03d}"]
    assert (alive.os_days, alive.death_observed, alive.os_class()) == (361, False, None)
    for member in members[:-1]:
        case = cases[place.name(member)]
        assert (case.os_days, case.death_observed) == (member.outcome.true_os_days, True)
        assert case.clinical.age_years == pytest.approx(member.clinical.age_years + 0.013)
        assert case.stripped
        assert case.aliases == (case.name,)
    second = cases["BraTS20_Training_002"]
    assert second.lesion_mask.name == "W39_1998.09.19_Segm.nii"
    assert second.scans[MRSequence.T1].name == "BraTS20_Training_002_t1.nii"
    assert set(second.scans) == set(MRSequence)


def test_brats_cases_without_survival_have_no_class(written):
    place, _ = written(Brats2020Layout)
    table_path = place.out / "MICCAI_BraTS2020_TrainingData" / "survival_info.csv"
    lines = table_path.read_text(encoding="utf-8").splitlines()
    table_path.write_text("\n".join([lines[0], *lines[2:]]) + "\n", encoding="utf-8")
    first, second, _ = read_cohort(place.out)
    assert (first.os_days, first.death_observed, first.os_class()) == (None, None, None)
    assert second.os_class() is not None


def test_ucsf_pcnsl_survival_comes_from_dates_and_is_censored_at_the_last_contact(written):
    place, members = written(UcsfPcnslLayout, with_scans=PATIENTS)
    found = find_cohort(place.out)
    assert len(found.cases) == PATIENTS
    assert {case.death_observed for case in found.cases} == {True, False}
    for case, member in zip(found.cases, members, strict=True):
        assert case.name == f"{place.name(member)}_ses-0001"
        assert case.patient_id == place.name(member)
        assert (case.os_days, case.death_observed) == (member.outcome.os_days, member.outcome.death_observed)
        assert case.clinical.age_years == pytest.approx(member.clinical.age_years, abs=0.1)
        assert set(case.scans) == {MRSequence.T1GD, MRSequence.T1, MRSequence.FLAIR}
        assert all("lesions_T1Post_space" in path.parts for path in case.scans.values())
        assert case.lesion_mask.name.endswith("_T1Post_abnormal_seg_comp.nii.gz")
        assert case.stripped


def test_ucsf_pcnsl_knows_the_older_layout_and_says_when_treatment_may_have_begun(tmp_path):
    for maker in ("auto", "human"):
        folder = tmp_path / "derivatives/pyalfe/sub-0007/ses-0002" / maker / "skullstripped/lesions_T1Post_space"
        folder.mkdir(parents=True)
        (folder / "0f3a_T1Post_to_T1Post_skullstripped.nii.gz").touch()
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "demographics.csv").write_text("patientdurablekey,BirthDate,Deathdate\nK1,3/1/41,\n")
    (tables / "biopsy_and_diagnosis_dates.csv").write_text(
        "accessions,patientdurablekey,DiagnosisDate,ImageDate\n7,K1,3/1/15,5/1/15\n"
    )
    (tables / "diagnosis_history.csv").write_text("patientdurablekey,EndDateKeyValue\nK1,8/1/15\nK1,12/31/99\n")
    (case,) = read_cohort(tmp_path)
    assert "human" in case.scans[MRSequence.T1GD].parts
    assert case.clinical.age_years == 74.0, "a birth in 2041 was in 1941"
    assert (case.os_days, case.death_observed, case.os_class()) == (153, False, None)
    assert "61 days after the diagnosis" in case.remarks[0]


def test_table_with_paths_masks_and_survival(written):
    place, members = written(TableLayout)
    cases = read_cohort(place.out / "patients.csv")
    assert len(cases) == PATIENTS
    assert all(_has_facts(case, member) for case, member in zip(cases, members, strict=True))
    assert cases[0].scans[MRSequence.T2] == place.out / "scans/sub-0001/t2.nii.gz"
    assert all(path.is_file() for path in (*cases[0].scans.values(), cases[0].brain_mask, cases[0].lesion_mask))


def test_free_folders_know_t1gd_before_t1_and_dicom_folders(tmp_path):
    first, second = tmp_path / "Meier A", tmp_path / "p2"
    for name in ("MR_T1_post_gad.nrrd", "MR_T1_pre.nrrd", "T2_tse.nrrd", "tumor_seg.nrrd", "brain_mask.nrrd"):
        first.mkdir(exist_ok=True)
        (first / name).touch()
    (second / "ax t1 mprage +C").mkdir(parents=True)
    (second / "FLAIR").mkdir()
    rows = [("patient", "OS", "event"), ("Meier A", "400", "0"), ("p2", "12", "1"), ("p3", "8", "1")]
    with (tmp_path / "survival.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    found = find_cohort(tmp_path)
    one, two = found.cases
    assert {s: path.name for s, path in one.scans.items()} == {
        MRSequence.T1GD: "MR_T1_post_gad.nrrd",
        MRSequence.T1: "MR_T1_pre.nrrd",
        MRSequence.T2: "T2_tse.nrrd",
    }
    assert (one.brain_mask.name, one.lesion_mask.name) == ("brain_mask.nrrd", "tumor_seg.nrrd")
    assert one.name == "Meier_A"
    assert (one.os_class(), two.os_class()) == (OSClass.OVER_ONE_YEAR, OSClass.UP_TO_ONE_YEAR)
    assert set(two.scans) == {MRSequence.T1GD, MRSequence.FLAIR}
    assert found.remarks == ("1 patient of survival.csv has no scan: p3.",)


@pytest.mark.parametrize(
    ("days", "died", "threshold", "expected"),
    [
        (366, None, 365, OSClass.OVER_ONE_YEAR),
        (365, True, 365, OSClass.UP_TO_ONE_YEAR),
        (365, False, 365, None),
        (361, False, 365, None),
        (361, False, 300, OSClass.OVER_ONE_YEAR),
        (200, None, 365, None),
        (None, True, 365, None),
    ],
)
def test_a_patient_censored_by_the_threshold_has_no_class(days, died, threshold, expected):
    assert os_class_of(days, died, threshold) is expected


WRONG_TABLES = {
    "no T1Gd column": ("patient_id,t1\na,b.nii\n", "table.no_cohort_columns", {"missing": ("t1gd",)}),
    "no death column": ("patient_id,t1gd,os_days\na,b.nii,9\n", "survival.no_deaths", {}),
    "days are text": (
        "patient_id,t1gd,os_days,event\na,b.nii,long,1\n",
        "table.cell_unusable",
        {"line": 2, "column": "os_days", "wanted": Message("wanted.number")},
    ),
    "negative days": ("patient_id,t1gd,os_days,event\na,b.nii,-4,1\n", "survival.negative", {"line": 2}),
    "ECOG of seven": (
        "patient_id,t1gd,ecog\na,b.nii,7\n",
        "table.cell_unusable",
        {"line": 2, "column": "ecog", "wanted": Message("wanted.whole_number", lowest=0, highest=4)},
    ),
    "no patient": ("patient_id,t1gd\n,b.nii\n", "table.no_patient", {"line": 2}),
    "patient twice": ("patient_id,t1gd\na,b.nii\na,c.nii\n", "cohort.names_twice", {"count": 1}),
    "empty": ("", "table.empty", {"table": "patients.csv"}),
    "no rows": ("patient_id,t1gd\n", "cohort.empty", {}),
    "not text": (b"\xff\xfe\x00PNG", "table.unreadable", {"table": "patients.csv"}),
}


@pytest.mark.parametrize("content", WRONG_TABLES)
def test_a_table_that_cannot_be_used_is_refused_in_a_sentence(content, tmp_path):
    text, code, values = WRONG_TABLES[content]
    path = tmp_path / "patients.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with refused(CohortError, code, **values) as refusal:
        read_cohort(path)
    assert str(tmp_path) not in str(refusal.value)


def test_columns_that_may_follow_are_named_as_tables_write_them(tmp_path):
    (tmp_path / "patients.csv").write_text("patient_id,age\na,61\n", encoding="utf-8")
    with refused(CohortError, "table.no_cohort_columns") as refusal:
        read_cohort(tmp_path / "patients.csv")
    assert "t1, t2, flair, brain_mask" in str(refusal.value)


def test_a_score_that_contradicts_its_variables_is_remarked(tmp_path):
    path = tmp_path / "patients.tsv"
    columns = "patient_id\tt1gd\tage\tECOG\tLDH\tcsf_protein\tdeep\tIELSG"
    path.write_text(f"{columns}\na\tx.nii\t70\t2\t1\t0\tyes\t2\nb\ty.nii\t70\t2\tn/a\t0\tyes\t3\n", encoding="utf-8")
    first, second = read_cohort(path)
    assert first.remarks == ("The IELSG score is given as 2, its five variables make 4.",)
    assert second.remarks == ()
    assert second.clinical.ldh_elevated is None


@pytest.mark.parametrize(("place", "code"), [("nowhere", "cohort.not_found"), ("empty", "cohort.empty")])
def test_a_cohort_without_patients_is_refused(place, code, tmp_path):
    (tmp_path / "empty").mkdir()
    with refused(CohortError, code):
        read_cohort(Path(tmp_path / place))


def test_folders_tell_which_series_was_taken_and_why(tmp_path):
    for patient, names in {
        "p1": ("T1_post_gad", "T1_MPRAGE_post_gad", "AX_DWI_POST_GAD", "T1_vor_KM"),
        "p2": ("T1_vor_KM", "SWI", "DWI_post_gad"),
    }.items():
        (tmp_path / patient).mkdir()
        for name in names:
            (tmp_path / patient / f"{name}.nii.gz").touch()
    found = find_cohort(tmp_path)
    report = data_report(found, threshold_days=365)
    first, second = found.cases
    assert first.scans[MRSequence.T1GD].name == "T1_MPRAGE_post_gad.nii.gz"
    assert first.scans[MRSequence.T1].name == "T1_vor_KM.nii.gz"
    lines = report.remark_lines()
    assert "'T1_MPRAGE_post_gad' was chosen, because it is three-dimensional; not used: 'T1_post_gad'" in lines[0]
    assert MRSequence.T1GD not in second.scans
    assert "No series is T1Gd" in lines[1]
    assert "'DWI_post_gad': its name suggests another kind of image ('dwi')" in lines[1]


def test_a_dicom_header_tells_the_sequence_of_a_folder(tmp_path):
    grid = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(4, 4, 3), spacing_mm=(1.0, 1.0, 1.0))
    image = image_on_grid(np.ones(grid.size[::-1], np.float32), grid)
    for number, agent in ((1, ""), (2, "Gadovist")):
        more = {"0008|103e": "AX T1 SE", **({"0018|0010": agent} if agent else {})}
        write_series(sitk.Cast(image, sitk.sitkInt16), tmp_path / "p1" / f"series {number}", series=number, more=more)
    scans = find_cohort(tmp_path).cases[0].scans
    assert {sequence: path.name for sequence, path in scans.items()} == {
        MRSequence.T1: "series 1", MRSequence.T1GD: "series 2",
    }  # fmt: skip


@pytest.mark.parametrize("patient", ["KM-01", "GD_2", "Post 3", "DSC-04", "CE", "Müller, K.M."])
def test_the_name_of_a_patient_tells_no_sequence(patient, tmp_path):
    (tmp_path / patient).mkdir()
    for sequence in ("T1", "T2", "FLAIR", "T1_gd"):
        (tmp_path / patient / f"{patient}_{sequence}.nii.gz").touch()
    (case,) = find_cohort(tmp_path).cases
    assert {s: path.name for s, path in case.scans.items()} == {
        MRSequence.T1GD: f"{patient}_T1_gd.nii.gz",
        MRSequence.T1: f"{patient}_T1.nii.gz",
        MRSequence.T2: f"{patient}_T2.nii.gz",
        MRSequence.FLAIR: f"{patient}_FLAIR.nii.gz",
    }
    assert not any("series" in remark for remark in case.remarks)


def test_a_table_is_not_misled_by_the_name_of_a_patient(tmp_path):
    rows = "patient_id,t1gd,t1\nKM-01,KM-01_T1.nii,KM-01_T1_pre.nii\n"
    (tmp_path / "patients.csv").write_text(rows, encoding="utf-8")
    (remark,) = find_cohort(tmp_path / "patients.csv").cases[0].remarks
    assert remark == "The file given as T1Gd may be another scan: its name says 't1'."


def test_a_folder_named_after_its_sequence_keeps_the_word(tmp_path):
    (tmp_path / "T1_gd").mkdir()
    (tmp_path / "T1_gd" / "T1_gd_0001.nii.gz").touch()
    assert set(find_cohort(tmp_path).cases[0].scans) == {MRSequence.T1GD}


def _with_sidecar(scan, **fields):
    scan.parent.mkdir(parents=True, exist_ok=True)
    scan.touch()
    scan.with_name(scan.name.replace(".nii.gz", ".json")).write_text(json.dumps(fields), encoding="utf-8")


def test_a_sidecar_tells_what_names_do_not(tmp_path):
    _with_sidecar(tmp_path / "p1" / "scan_5.nii.gz", EchoTime=0.003, RepetitionTime=0.55)
    _with_sidecar(tmp_path / "p1" / "scan_7.nii.gz", EchoTime=0.003, RepetitionTime=0.55, ContrastBolusAgent="Gadovist")
    _with_sidecar(tmp_path / "p1" / "scan_9.nii.gz", EchoTime=0.1, RepetitionTime=9, InversionTime=2.5)
    (case,) = find_cohort(tmp_path).cases
    assert {s: path.name for s, path in case.scans.items()} == {
        MRSequence.T1: "scan_5.nii.gz",
        MRSequence.T1GD: "scan_7.nii.gz",
        MRSequence.FLAIR: "scan_9.nii.gz",
    }


@pytest.mark.parametrize(
    ("ingredient", "sequence"), [("GADOLINIUM", MRSequence.T1GD), ("NONE", MRSequence.T1), ("UNKNOWN", MRSequence.T1)]
)
def test_a_t1w_of_bids_with_an_agent_in_its_sidecar_is_t1gd(ingredient, sequence, tmp_path):
    _with_sidecar(tmp_path / "sub-1" / "anat" / "sub-1_T1w.nii.gz", ContrastBolusIngredient=ingredient)
    assert set(find_cohort(tmp_path).cases[0].scans) == {sequence}


@pytest.mark.parametrize(
    ("t1", "t1gd"),
    [("sub-1/anat/sub-1_T1w.nii.gz", "sub-1/anat/sub-1_ce-gadolinium_T1w.nii.gz"), ("p1/T1.nii.gz", "p1/T1Gd.nii.gz")],
)
def test_an_agent_typed_for_the_whole_exam_makes_no_t1gd_beside_a_named_one(t1, t1gd, tmp_path):
    for name in (t1, t1gd):
        _with_sidecar(tmp_path / name, ContrastBolusAgent="Gadovist", SliceThickness=1)
    (case,) = find_cohort(tmp_path).cases
    assert case.scans == {MRSequence.T1: tmp_path / t1, MRSequence.T1GD: tmp_path / t1gd}


@pytest.mark.parametrize(
    "fields",
    [
        {"ProtocolName": "BRAIN TUMOR PERFUSION"},
        {"ProtocolName": "Brain and Spine W WO"},
        {"Modality": "MRI"},
        {"BodyPartExamined": "NECK"},
        {"RepetitionTime": 6.8, "EchoTime": 2.9},
        {"RepetitionTime": 0.55, "EchoTime": 0.01},
    ],
)
def test_a_sidecar_of_a_named_t1gd_leaves_it_in_the_cohort(fields, tmp_path):
    _with_sidecar(tmp_path / "p1" / "T1Gd.nii.gz", **fields)
    assert set(find_cohort(tmp_path).cases[0].scans) == {MRSequence.T1GD}


def test_times_in_milliseconds_are_all_in_milliseconds(tmp_path):
    _with_sidecar(tmp_path / "p1" / "scan.nii.gz", RepetitionTime=6.8, EchoTime=2.9, ContrastBolusAgent="Gadovist")
    assert set(find_cohort(tmp_path).cases[0].scans) == {MRSequence.T1GD}


def test_a_flair_without_inversion_time_is_no_t2(tmp_path):
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "T1Gd.nii.gz").touch()
    _with_sidecar(tmp_path / "p1" / "FLAIR.nii.gz", EchoTime=0.12, RepetitionTime=9)
    assert set(find_cohort(tmp_path).cases[0].scans) == {MRSequence.T1GD, MRSequence.FLAIR}


@pytest.mark.parametrize(
    ("folder", "scan", "sequence"),
    [
        ("P01_CE", "P01_CE_T1", MRSequence.T1GD),
        ("P02_post", "P02_post_T1w", MRSequence.T1GD),
        ("P03 Gd", "P03 Gd MPRAGE", MRSequence.T1GD),
        ("KM-01", "KM-01_T1", MRSequence.T1),
    ],
)
def test_an_agent_at_the_end_of_a_folders_name_counts_where_nothing_else_does(folder, scan, sequence, tmp_path):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / f"{scan}.nii.gz").touch()
    (case,) = find_cohort(tmp_path).cases
    assert set(case.scans) == {sequence}
    assert any("tells of a contrast agent" in remark for remark in case.remarks) == (sequence is MRSequence.T1GD)


def test_another_sidecar_makes_another_case(tmp_path):
    scan = tmp_path / "T1Gd.nii.gz"
    _with_sidecar(scan, ContrastBolusAgent="Gadovist")
    before = contents_of({"t1gd": scan})
    _with_sidecar(scan, ContrastBolusAgent="NONE")
    assert contents_of({"t1gd": scan}) != before


def test_a_table_is_told_of_a_file_that_is_called_otherwise(tmp_path):
    (tmp_path / "patients.csv").write_text("patient_id,t1gd\np1,T1_vor_KM.nii.gz\n", encoding="utf-8")
    (remark,) = find_cohort(tmp_path / "patients.csv").cases[0].remarks
    assert remark == "The file given as T1Gd may be another scan: its name says 't1 vor km'."


@pytest.mark.parametrize(
    ("rows", "sequence", "patient"),
    [
        (["p1,scan.nii,", "p2,scan.nii,"], MRSequence.T1GD, "p2"),
        (["p1,scan.nii,", "p2,../c/scan.nii,"], MRSequence.T1GD, "p2"),
        (["p1,scan.nii,", "p2,link.nii,"], MRSequence.T1GD, "p2"),
        (["p1,scan.nii,", "p2,other.nii,scan.nii"], MRSequence.T1, "p2"),
        (["p1,scan.nii,scan.nii"], MRSequence.T1, "p1"),
    ],
    ids=["one path", "another spelling", "a link", "another sequence", "of one patient"],
)
def test_one_file_for_two_scans_is_refused(tmp_path, rows, sequence, patient):
    folder = tmp_path / "c"
    folder.mkdir()
    for name in ("scan.nii", "other.nii"):
        (folder / name).touch()
    (folder / "link.nii").symlink_to("scan.nii")
    (folder / "p.csv").write_text("\n".join(["patient_id,t1gd,t1", *rows]) + "\n", encoding="utf-8")
    told = {"one": MRSequence.T1GD, "case": "p1", "other": sequence, "other_case": patient}
    with refused(CohortError, "cohort.file_twice", **told):
        find_cohort(folder / "p.csv")


def test_the_table_of_the_patients_is_found_among_others(tmp_path):
    """The folder that ``phantom --layout table`` makes: a table with paths, one of the truth, and folders."""
    (tmp_path / "scans" / "p1").mkdir(parents=True)
    (tmp_path / "scans" / "p1" / "t1gd.nii").write_bytes(b"1")
    (tmp_path / "patients.csv").write_text("patient_id,t1gd\np1,scans/p1/t1gd.nii\n", encoding="utf-8")
    (tmp_path / "patients_truth.csv").write_text("patient_id,risk\np1,0.5\n", encoding="utf-8")
    found = find_cohort(tmp_path)
    assert (found.layout, [case.name for case in found.cases]) == ("table", ["p1"])


def test_a_single_table_with_paths_hides_nothing_that_the_patient_folders_hold(tmp_path):
    for patient in ("p1", "p2"):
        (tmp_path / patient).mkdir()
        for name in ("t1gd", "t2"):
            (tmp_path / patient / f"{name}.nii").write_bytes(f"{patient}{name}".encode())
    (tmp_path / "clinic.csv").write_text(
        "patient_id,t1gd,os_days,death_observed\np1,p1/t1gd.nii,300,1\n", encoding="utf-8"
    )
    found = find_cohort(tmp_path)
    assert [(case.name, len(case.scans), case.os_days) for case in found.cases] == [("p1", 2, 300), ("p2", 2, None)]


def test_other_tables_beside_folders_do_not_hide_that_of_the_patients(tmp_path):
    (tmp_path / "p1").mkdir()
    (tmp_path / "p1" / "t1gd.nii").write_bytes(b"1")
    (tmp_path / "clinic.csv").write_text("patient_id,os_days,death_observed\np1,300,1\n", encoding="utf-8")
    (tmp_path / "notes.csv").write_text("reader,remark\nx,y\n", encoding="utf-8")
    assert find_cohort(tmp_path).cases[0].os_days == 300
    (tmp_path / "other.csv").write_text("patient_id,os_days,death_observed\np1,400,1\n", encoding="utf-8")
    with refused(CohortError, "cohort.several_tables", tables=("clinic.csv", "notes.csv", "other.csv")):
        find_cohort(tmp_path)
