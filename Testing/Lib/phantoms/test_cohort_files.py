"""Cohorts on disk: every layout parses as the real one does, and an interrupted run goes on."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from functools import cache

import numpy as np
import pytest
import SimpleITK as sitk
from refusals import refused

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.cli.research import phantom
from PCNSLSurvivalLib.core.errors import OutputFolderError
from PCNSLSurvivalLib.core.storage.leftovers import staging_name
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.imaging.io import read_scan
from PCNSLSurvivalLib.phantoms import patient
from PCNSLSurvivalLib.phantoms.cohort import CohortPlan, draw_cohort, draw_patient
from PCNSLSurvivalLib.phantoms.cohort_files import make_cohort, make_member
from PCNSLSurvivalLib.phantoms.contact_sheet import patient_block
from PCNSLSurvivalLib.phantoms.layouts import BidsLayout, Brats2020Layout, TableLayout, UcsfPcnslLayout
from PCNSLSurvivalLib.phantoms.scanner.protocol import VIRTUAL_SEQUENCES
from PCNSLSurvivalLib.phantoms.virtual_marker import any_virtual


def table(path, delimiter=","):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


@pytest.fixture
def ready_made(monkeypatch, coarse_reference):
    """Layouts write the reference patient instead of making one for seconds each."""
    for layout in (BidsLayout, TableLayout):
        monkeypatch.setattr(layout, "make", lambda self, member: coarse_reference)
    return coarse_reference


@pytest.fixture
def quickly_written(monkeypatch, coarse_reference):
    """As ``ready_made``, and T2 only: for tests of what happens around the patients."""
    acquisitions = {MRSequence.T2: coarse_reference.acquisitions[MRSequence.T2]}
    patient = replace(coarse_reference, acquisitions=acquisitions)
    for layout in (BidsLayout, TableLayout):
        monkeypatch.setattr(layout, "make", lambda self, member: patient)
    return patient


def test_bids_layout_has_the_names_and_tables_of_the_standard(ready_made, tmp_path):
    make_cohort(CohortPlan(patients=2, seed=4), tmp_path / "c", layout="bids")
    names = sorted(path.name for path in (tmp_path / "c" / "sub-0002" / "anat").glob("*.nii.gz"))
    suffixes = ("FLAIR", "T1w", "T2w", "ce-gadolinium_T1w")
    assert names == [f"sub-0002_{suffix}.nii.gz" for suffix in suffixes]
    sidecar = json.loads((tmp_path / "c/sub-0001/anat/sub-0001_ce-gadolinium_T1w.json").read_text(encoding="utf-8"))
    assert sidecar["ContrastBolusIngredient"] == "GADOLINIUM"
    assert sidecar["RepetitionTime"] < 0.1  # seconds
    rows = table(tmp_path / "c/participants.tsv", "\t")
    assert [row["participant_id"] for row in rows] == ["sub-0001", "sub-0002"]
    assert all(row["csf_protein_elevated"] in ("0", "1", "n/a") for row in rows)
    assert json.loads((tmp_path / "c/dataset_description.json").read_text(encoding="utf-8"))["BIDSVersion"]
    truth = tmp_path / "c/derivatives/truth/sub-0002/t1gd_lesion_mask.nii.gz"
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(truth))).any()


def test_dicom_series_reads_back_voxel_by_voxel(ready_made, tmp_path):
    make_cohort(CohortPlan(patients=1, seed=4), tmp_path / "c", layout="table", dicom=True)
    scan = read_scan(tmp_path / "c/dicom/sub-0001/T2", MRSequence.T2)
    expected = ready_made.scans[MRSequence.T2]
    assert scan.source_format == "DICOM"
    assert Grid.of(scan.image).matches(Grid.of(expected), tolerance_mm=1e-3)
    assert np.array_equal(sitk.GetArrayFromImage(scan.image), sitk.GetArrayFromImage(expected))
    rows = table(tmp_path / "c/patients.csv")
    assert (tmp_path / "c" / rows[0]["t1gd"]).is_file()


@pytest.fixture(scope="module", autouse=True)
def heads_built_once():
    """Every layout scans the head of the same patient: it is built once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patient, "build_head", cache(patient.build_head))
        yield


@pytest.fixture(scope="module")
def brats_patient(registered_member, tmp_path_factory):
    return Brats2020Layout(tmp_path_factory.mktemp("brats")).make(registered_member)


def test_brats2020_volumes_are_registered_stripped_and_labeled(registered_member, brats_patient, monkeypatch, tmp_path):
    monkeypatch.setattr(Brats2020Layout, "make", lambda self, member: brats_patient)
    make_member(Brats2020Layout(tmp_path), registered_member)
    case = tmp_path / "MICCAI_BraTS2020_TrainingData" / "BraTS20_Training_002"
    images = {n: sitk.ReadImage(str(case / f"{case.name}_{n}.nii.gz")) for n in ("t1", "t1ce", "t2", "flair", "seg")}
    for image in images.values():
        assert image.GetSize() == (240, 240, 155)
        assert image.GetSpacing() == (1.0, 1.0, 1.0)
        assert image.GetOrigin() == (0.0, -239.0, 0.0)
    labels = sitk.GetArrayFromImage(images["seg"])
    assert set(np.unique(labels)) <= {0, 1, 2, 4}
    assert (labels == 4).sum() / 1000 == pytest.approx(registered_member.plan.volume_ml, rel=0.25)
    t1ce = sitk.GetArrayFromImage(images["t1ce"])
    assert (t1ce == 0).mean() > 0.7  # background is exactly 0
    middle = np.argwhere(t1ce > 0).mean(axis=0)[::-1]
    assert np.abs(middle - (119.5, 119.5, 77)).max() < 12
    assert t1ce[labels == 4].mean() > 1.15 * np.median(t1ce[(t1ce > 0) & (labels == 0)])
    pose = sitk.ReadTransform(str(tmp_path / "truth" / case.name / "t1gd_to_head.tfm"))
    largest = registered_member.plan.lesions[0]
    start = Grid.of(images["seg"]).lps_to_index(np.asarray(pose.GetInverse().TransformPoint(largest.center_lps_mm)))
    i, j, k = np.rint(start).astype(int)
    assert (labels[k - 6 : k + 7, j - 6 : j + 7, i - 6 : i + 7] == 4).mean() > 0.2  # the lesion is where it was planned


def test_brats2020_tables_keep_the_quirks(tmp_path):
    plan = CohortPlan(patients=200, seed=6, grid="registered")
    Brats2020Layout(tmp_path).write_tables(plan, draw_cohort(plan))
    path = tmp_path / "MICCAI_BraTS2020_TrainingData" / "survival_info.csv"
    assert path.read_text(encoding="utf-8").startswith("Brats20ID,Age,Survival_days,Extent_of_Resection\n")
    rows = table(path)
    numbers = [int(row["Brats20ID"][-3:]) for row in rows]
    assert numbers[:129] == list(range(1, 130))
    assert len(numbers) < 200  # part of the cases have no survival
    texts = [row for row in rows if not row["Survival_days"].isdigit()]
    assert [(row["Brats20ID"], row["Survival_days"]) for row in texts] == [
        ("BraTS20_Training_084", "ALIVE (361 days later)")
    ]
    assert {row["Extent_of_Resection"] for row in rows} == {"GTR", "STR", "NA"}
    assert len(table(path.with_name("name_mapping.csv"))) == 200


def test_brats2020_odd_mask_name_is_kept(brats_patient, tmp_path):
    odd = draw_patient(CohortPlan(patients=355, seed=6, grid="registered"), 355)
    Brats2020Layout(tmp_path).write_scans(odd, brats_patient, tmp_path)
    assert (tmp_path / "W39_1998.09.19_Segm.nii").is_file()
    assert not (tmp_path / "BraTS20_Training_355_seg.nii.gz").exists()


def test_ucsf_pcnsl_survival_can_be_built_from_its_dates(tmp_path):
    plan = CohortPlan(patients=80, seed=3, grid="registered")
    members = draw_cohort(plan)
    UcsfPcnslLayout(tmp_path).write_tables(plan, members)
    folder = tmp_path / "pcnsl-dataset_v1.0" / "csvs_for_amazon_anonymized"
    people = {row["patientdurablekey"]: row for row in table(folder / "demographics.csv")}
    dates = {row["patientdurablekey"]: row for row in table(folder / "biopsy_and_diagnosis_dates.csv")}
    history = {row["patientdurablekey"]: row for row in table(folder / "diagnosis_history.csv")}
    for member in members:
        key = f"{member.number:04d}"
        diagnosis = datetime.strptime(dates[key]["DiagnosisDate"], "%m/%d/%y")
        death = people[key]["Deathdate"]
        assert bool(death) == member.outcome.death_observed
        last = (
            datetime.strptime(death, "%m/%d/%y") if death else datetime.strptime(history[key]["EndDateKey"], "%Y%m%d")
        )
        assert (last - diagnosis).days == member.outcome.os_days
        assert re.fullmatch(r"\d{1,2}/\d{1,2}/\d{2}", people[key]["BirthDate"])


def test_ucsf_pcnsl_images_lie_in_both_spaces_and_have_no_t2(registered_member, tmp_path):
    make_member(UcsfPcnslLayout(tmp_path), registered_member)
    session = tmp_path / "pcnsl-dataset_v1.0/derivatives/pyalfe/sub-0002/ses-0001"
    for space in ("FLAIR", "T1Post"):
        names = {path.name for path in (session / f"skullstripped/lesions_{space}_space").iterdir()}
        assert names == {f"sub-0002_ses-0001_{n}_to_{space}_skullstripped.nii.gz" for n in ("T1", "T1Post", "FLAIR")}
    mask = sitk.ReadImage(str(session / "masks/lesions_seg_comp/sub-0002_ses-0001_T1Post_abnormal_seg_comp.nii.gz"))
    rows = table(session / "statistics/lesions_SummaryLesions/sub-0002_ses-0001_T1Post_SummaryLesions.csv")
    statistics = {row["Label"]: float(row["Value"]) for row in rows}
    assert statistics["total_lesion_volume"] == pytest.approx((sitk.GetArrayFromImage(mask) > 0).sum(), rel=1e-6)


def test_an_interrupted_cohort_goes_on_where_it_stopped(quickly_written, monkeypatch, tmp_path):
    plan, out = CohortPlan(patients=3, seed=4), tmp_path / "c"
    made: list[int] = []

    def stop_at_second(self, member):
        made.append(member.number)
        if len(made) == 2:
            raise KeyboardInterrupt
        return quickly_written

    monkeypatch.setattr(TableLayout, "make", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        make_cohort(plan, out, layout="table")
    assert [path.name for path in sorted((out / "scans").iterdir())] == ["sub-0001"]
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine = staging_name(out / "scans" / "sub-0002")
    mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-")).mkdir()  # what a kill leaves behind
    summary = make_cohort(plan, out, layout="table")
    assert (summary.found, summary.made) == (1, 2)
    assert made == [1, 2, 2, 3]
    assert not list(out.rglob("*.partial"))
    assert len(table(out / "patients.csv")) == 3


def test_a_folder_with_another_cohort_is_refused(quickly_written, tmp_path):
    make_cohort(CohortPlan(patients=1, seed=4), tmp_path / "c", layout="table")
    with refused(OutputFolderError, "phantom.other_cohort"):
        make_cohort(CohortPlan(patients=1, seed=5), tmp_path / "c", layout="table")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine", encoding="utf-8")
    with refused(OutputFolderError, "files.output_holds_others"):
        make_cohort(CohortPlan(patients=1, seed=4), tmp_path / "other", layout="table")


def test_command_tells_balance_and_best_auc(quickly_written, tmp_path, capsys):
    arguments = ["phantom", "--patients", "2", "--seed", "4", "--layout", "table", "--oracle-auc", "0.7"]
    assert main([*arguments, "--out", str(tmp_path / "c")]) == 0
    told = capsys.readouterr().out
    assert "2 virtual patients (2 generated, 0 already there)" in told
    assert "0.700 with all variables known" in told
    assert any_virtual([tmp_path / "c" / "scans" / "sub-0001" / "t2.nii.gz"])
    about = json.loads((tmp_path / "c" / "cohort.json").read_text(encoding="utf-8"))
    assert about["survival_model"]["oracle_auc"] == pytest.approx(0.7, abs=1e-6)
    assert str(tmp_path) not in (tmp_path / "c" / "cohort.json").read_text(encoding="utf-8")


def test_the_command_offers_what_the_virtual_scanner_acquires():
    assert tuple(map(str, VIRTUAL_SEQUENCES)) == phantom._SEQUENCES


@pytest.mark.parametrize(
    "wrong", [["--patients", "0"], ["--oracle-auc", "0.4"], ["--layout", "brats2020", "--dicom"]], ids=" ".join
)
def test_wrong_usage_ends_with_2(wrong, tmp_path):
    arguments = ["phantom", "--patients", "1", "--seed", "1", "--out", str(tmp_path / "c"), *wrong]
    try:
        code = main(arguments)
    except SystemExit as leaving:
        code = leaving.code
    assert code == 2
    assert not (tmp_path / "c").exists()


def test_contact_sheet_block_shows_the_lesion_bright_on_t1gd(reference):
    block = patient_block(reference)
    assert block.dtype == np.uint8
    side = (block.shape[0] - 8) // 2
    t1, t1gd = (block[4 : 4 + side, 4 + n * side : 4 + (n + 1) * side] for n in (0, 1))
    middle = slice(side // 2 - 30, side // 2 + 10)
    assert np.quantile(t1gd[middle, side // 2 - 30 : side // 2], 0.9) > np.quantile(
        t1[middle, side // 2 - 30 : side // 2], 0.9
    )


@pytest.mark.slow
def test_two_processes_make_what_one_makes(tmp_path):
    plan = CohortPlan(patients=2, seed=12, grid="registered")
    for jobs in (1, 2):
        make_cohort(plan, tmp_path / str(jobs), layout="brats2020", jobs=jobs)
    for path in sorted((tmp_path / "1").rglob("*.nii.gz")):
        other = tmp_path / "2" / path.relative_to(tmp_path / "1")
        assert np.array_equal(*(sitk.GetArrayFromImage(sitk.ReadImage(str(p))) for p in (path, other)))


def test_sites_go_with_survival_on_request_and_change_nothing_else_of_a_patient(quickly_written, tmp_path):
    alone = draw_cohort(CohortPlan(patients=60, seed=5))
    spread = draw_cohort(CohortPlan(patients=60, seed=5, sites=3, confounding=1.0))
    for before, after in zip(alone, spread, strict=True):
        assert replace(after, protocol=before.protocol, site=None) == before
        assert (after.site == "site B") == (after.outcome.true_os_days <= 365)
        ratio = after.protocol.sequences[MRSequence.T1].snr / before.protocol.sequences[MRSequence.T1].snr
        assert ratio == pytest.approx(0.35 if after.site == "site B" else 1.3)
    assert {member.site for member in spread} == {"site A", "site B", "site C"}
    plan = CohortPlan(patients=2, seed=5, sites=3, confounding=1.0)
    make_cohort(plan, tmp_path / "c", layout="bids")
    assert [row["site"] for row in table(tmp_path / "c" / "participants.tsv", "\t")] == [m.site for m in spread[:2]]
    with refused(OutputFolderError, "phantom.other_cohort"):
        make_cohort(replace(plan, confounding=0.5), tmp_path / "c", layout="bids")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--sites", "2", "--layout", "brats2020"], "has no column for the site"),
        (["--confounding", "0.5"], "requires --sites 2 or more"),
    ],
)
def test_sites_that_cannot_be_are_refused(tmp_path, capsys, options, reason):
    assert main(["phantom", "--patients", "2", "--seed", "1", "--out", str(tmp_path / "c"), *options]) == 2
    assert reason in capsys.readouterr().err
