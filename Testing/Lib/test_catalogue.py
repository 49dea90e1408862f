"""The catalogue of odd, broken and hostile inputs through the command line: a sentence for each, and no debris."""

from __future__ import annotations

import os
from pathlib import Path

import pydicom
import pytest
import SimpleITK as sitk
from catalogue import dicom_files, exports, scan_files
from catalogue.refused import REFUSED
from catalogue.rows import Row
from catalogue.scan_builders import truth

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical
from PCNSLSurvivalLib.imaging.io import Scan, read_scan


@pytest.mark.parametrize("row", REFUSED, ids=str)
def test_a_broken_input_ends_in_a_sentence(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "in").mkdir()
    given = row.build(tmp_path / "in")
    before = _everything(tmp_path)
    assert main(row.command(given, tmp_path / "in", tmp_path / "new" / "out")) == row.code
    said = capsys.readouterr().err
    assert row.says in said
    assert said.startswith("pcnsl-survival: ")
    assert said.endswith(".\n")
    assert "Traceback" not in said
    assert str(tmp_path) not in said
    assert _everything(tmp_path) == before


@pytest.mark.parametrize("row", [*scan_files.READ, *dicom_files.READ], ids=str)
def test_a_sound_input_has_every_voxel_in_its_place(row: Row, tmp_path: Path):
    scan = read_scan(row.build(tmp_path), MRSequence.T1GD)
    known, read = canonical(truth()), canonical(scan.image)
    assert Grid.of(read).matches(Grid.of(known), tolerance_mm=0.2 if "rounded" in row.name else 0.05)
    assert (sitk.GetArrayFromImage(read) == sitk.GetArrayFromImage(known)).all()
    _check_remark(scan, row)


@pytest.mark.parametrize("row", scan_files.UNKNOWN_ORIENTATION, ids=str)
def test_an_input_without_orientation_is_read_with_its_remark(row: Row, tmp_path: Path):
    scan = read_scan(row.build(tmp_path), MRSequence.T1GD)
    assert scan.image.GetSpacing() == pytest.approx(truth().GetSpacing(), abs=1e-4)
    assert (sitk.GetArrayFromImage(scan.image) == sitk.GetArrayFromImage(truth())).all()
    _check_remark(scan, row)


@pytest.mark.parametrize("row", exports.EXPORTED, ids=str)
def test_a_result_is_exported_beside_any_sound_series(row: Row, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    (tmp_path / "in").mkdir()
    given = row.build(tmp_path / "in")
    assert main([*row.command(given, tmp_path / "in", tmp_path / "out"), "--debug"]) == row.code
    assert capfd.readouterr().err == ""
    written = [pydicom.dcmread(path) for path in (tmp_path / "out").iterdir()]
    assert len(written) > 2
    for data in written:
        assert all(name in data for name in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate"))
        assert "Jörg" in str(data.PatientName) or "Latin" not in row.name


def _check_remark(scan: Scan, row: Row) -> None:
    assert len(scan.remarks) == bool(row.says)
    assert all(row.says in str(remark) for remark in scan.remarks)


def _everything(folder: Path) -> list[bytes]:
    return sorted(
        os.fsencode(os.path.join(where, name)) for where, folders, files in os.walk(folder) for name in folders + files
    )
