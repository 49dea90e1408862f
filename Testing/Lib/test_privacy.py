"""Names planted in tags, files, folders and NIfTI texts come out nowhere, and nothing asks the network."""

from __future__ import annotations

import gzip
import json
import socket
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from made_cohorts import made_cohort
from made_dicom import write_classic
from made_experiments import one_arm
from made_heads import made_head
from made_models import small_model

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.terms import MRSequence

PLANT = "Planted"
_TAGS = {
    "PatientName": f"{PLANT}^Name",
    "PatientID": f"{PLANT}ID",
    "OtherPatientNames": f"{PLANT}^Other",
    "PatientComments": f"{PLANT} comment",
    "InstitutionName": f"{PLANT} hospital",
    "ReferringPhysicianName": f"{PLANT}^Physician",
    "OperatorsName": f"{PLANT}^Operator",
    "AccessionNumber": f"{PLANT}1",
    "StudyDescription": f"{PLANT} study",
    "StationName": f"{PLANT}MR",
    "ContrastBolusAgent": f"{PLANT}^Agent",
    "SeriesDescription": f"T1 {PLANT} post",
    "ProtocolName": f"{PLANT} T1",
    "BodyPartExamined": "HEAD",
}


@pytest.fixture
def closed_network(monkeypatch):
    """Every socket but those between processes of this computer raises."""
    made = socket.socket.__init__

    def refuse(self, family=-1, *more, **named):
        if family != socket.AF_UNIX:
            raise AssertionError("a socket was opened")
        made(self, family, *more, **named)

    monkeypatch.setattr(socket.socket, "__init__", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **named: pytest.fail("a host was looked up"))


def stripped() -> sitk.Image:
    scans, brain, _ = made_head(1, shift_mm=0.0)
    return sitk.Mask(scans[MRSequence.T1GD], brain)


def planted_nifti(path: Path) -> Path:
    """A scan whose header texts and whose own name hold the plant."""
    path.parent.mkdir(parents=True)
    sitk.WriteImage(stripped(), str(path))
    volume = nibabel.load(path, mmap=False)
    for field in ("descrip", "aux_file", "intent_name", "db_name"):
        volume.header[field] = PLANT.encode()
    nibabel.save(nibabel.Nifti1Image(np.asanyarray(volume.dataobj), volume.affine, volume.header), path)
    assert PLANT.encode() in path.read_bytes()
    return path


def planted_series(folder: Path) -> Path:
    def plant(data, k):
        for name, value in _TAGS.items():
            setattr(data, name, value)

    write_classic(sitk.Cast(stripped(), sitk.sitkUInt16), folder, plant)
    for path in sorted(folder.iterdir()):
        path.rename(path.with_name(f"{PLANT}_{path.name}"))
    return folder


def held(out: Path) -> list[str]:
    """Files below a folder that hold the plant in their name or their bytes, packed ones unpacked."""
    found = []
    for path in out.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        if path.name.endswith(".gz"):
            content = gzip.decompress(content)
        both = PLANT.encode("utf-16-le")
        if PLANT.lower() in path.name.lower() or PLANT.encode() in content or both in content:
            found.append(str(path.relative_to(out)))
    return found


@pytest.mark.parametrize(
    "make", [planted_series, lambda folder: planted_nifti(folder / f"{PLANT}.nii")], ids=["DICOM", "NIfTI"]
)
def test_a_prediction_tells_no_name_and_asks_no_network(make, closed_network, tmp_path, capfd):
    scan = make(tmp_path / PLANT)
    small_model(tmp_path / "model")
    words = ["--model", str(tmp_path / "model"), "--out", str(tmp_path / "out"), "--already-stripped"]
    assert main(["predict", "--t1gd", str(scan), *words, "--progress", "json"]) == 0
    told = capfd.readouterr()
    assert PLANT not in told.out + told.err
    assert (tmp_path / "out" / "prediction.json").is_file()
    assert held(tmp_path / "out") == []


def test_a_refusal_tells_no_name(closed_network, tmp_path, capfd):
    series = planted_series(tmp_path / PLANT)
    sorted(series.iterdir())[7].unlink()
    words = ["--out", str(tmp_path / "out"), "--progress", "json"]
    assert main(["predict", "--t1gd", str(series), *words]) == 3
    told = capfd.readouterr()
    assert json.loads(told.out.splitlines()[-1])["code"] == "dicom.unevenly_spaced"
    assert PLANT not in told.out + told.err


def test_an_experiment_asks_no_network(closed_network, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made_cohort(tmp_path / "cohort", patients=12, seed=1, sequences=(MRSequence.T1GD,))
    (tmp_path / "plan.yaml").write_text(one_arm(epochs=1), encoding="utf-8")
    words = ["--cohort", str(tmp_path / "cohort"), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main(["experiment", str(tmp_path / "plan.yaml"), *words]) == 0
    assert (tmp_path / "out" / "results" / "results.csv").is_file()


def test_a_prepared_cohort_tells_no_name_and_asks_no_network(closed_network, tmp_path, capfd):
    planted_nifti(tmp_path / "cohort" / PLANT / f"{PLANT}.nii")
    table = tmp_path / "cohort" / "patients.csv"
    table.write_text(f"patient_id,t1gd,stripped,name\np1,{PLANT}/{PLANT}.nii,1,{PLANT}\n", encoding="utf-8")
    assert main(["preprocess", str(table), "--out", str(tmp_path / "out"), "--progress", "none"]) == 0
    told = capfd.readouterr()
    assert PLANT not in told.out + told.err
    assert (tmp_path / "out" / "cases" / "p1").is_dir()
    assert held(tmp_path / "out") == []
