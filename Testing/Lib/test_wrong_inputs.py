"""A wrong input ends with exit code 3 and a sentence, without partial output."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import write_series
from refusals import refusal, refused

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid

GRID = Grid((40, 44, 30), (4.0, 4.0, 5.0), (-80.0, -88.0, -70.0), tuple(np.eye(3).ravel()))


def _write(image: sitk.Image, folder: Path) -> Path:
    path = folder / "scan.nrrd"
    sitk.WriteImage(image, str(path))
    return path


def _volume(values: np.ndarray) -> sitk.Image:
    return image_on_grid(values.astype(np.float32), GRID)


def _noise() -> np.ndarray:
    return np.random.default_rng(7).normal(100, 10, GRID.size[::-1])


def _ct() -> np.ndarray:
    """A crude head in Hounsfield jobs: air -1000, skull 1000, brain 35."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in GRID.size], indexing="ij"), axis=-1)
    radius = np.linalg.norm(GRID.index_to_lps(index) - GRID.center_lps_mm, axis=-1).transpose(2, 1, 0)
    noise = np.random.default_rng(7).normal(0, 4, radius.shape)
    return np.select([radius < 62, radius < 68, radius < 74], [35.0, 1000.0, 20.0], -1000.0) + noise


def _absent(folder: Path) -> Path:
    return folder / "absent.nii.gz"


def _flat(folder: Path) -> Path:
    return _write(_volume(_noise())[:, :, 4], folder)


def _time_series(folder: Path) -> Path:
    return _write(sitk.JoinSeries([_volume(_noise())] * 2), folder)


def _color(folder: Path) -> Path:
    return _write(sitk.Compose(*[sitk.Cast(_volume(_noise()), sitk.sitkUInt8)] * 3), folder)


def _zeros(folder: Path) -> Path:
    return _write(_volume(np.zeros(GRID.size[::-1])), folder)


def _nan(folder: Path) -> Path:
    values = _noise()
    values[10, 10, 10] = np.nan
    return _write(_volume(values), folder)


def _ct_in_hounsfield_units(folder: Path) -> Path:
    return _write(_volume(_ct()), folder)


def _three_slices(folder: Path) -> Path:
    return _write(_volume(_noise()[:3]), folder)


def _empty_folder(folder: Path) -> Path:
    (folder / "series").mkdir()
    return folder / "series"


def _two_series(folder: Path) -> Path:
    (folder / "series").mkdir()
    for number in (1, 2):
        write_series(sitk.Cast(_volume(_noise()), sitk.sitkInt16), folder / "series", series=number)
    return folder / "series"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_absent, "scan.not_found"),
        (_flat, "scan.two_dimensional_file"),
        (_time_series, "scan.time_series"),
        (_color, "scan.color_file"),
        (_zeros, "scan.same_value"),
        (_nan, "scan.not_numbers"),
        (_ct_in_hounsfield_units, "scan.looks_like_ct"),
        (_three_slices, "scan.few_slices"),
        (_empty_folder, "dicom.no_images"),
        (_two_series, "dicom.several_series"),
    ],
)
def test_a_wrong_scan_is_refused_in_a_sentence(make: Callable[[Path], Path], code: str, tmp_path, capsys):
    scan = make(tmp_path)
    out = tmp_path / "results" / "case"
    assert main(["predict", "--t1gd", str(scan), "--out", str(out), "--progress", "json"]) == 3
    told, text = capsys.readouterr()
    error = json.loads(told.splitlines()[-1])
    assert (error["type"], error["code"]) == ("error", code)
    assert {"sequence": "t1gd"} in error["values"].values()
    assert text == f"pcnsl-survival: {error['sentence']}\n"
    assert "Traceback" not in text
    assert str(tmp_path) not in text
    assert not (tmp_path / "results").exists()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that refuses even root")
def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path, capsys):
    scan = _write(_volume(_noise()), tmp_path)
    assert main(["predict", "--t1gd", str(scan), "--out", "/proc/self/out"]) == 3
    assert refusal("files.output_not_writable", reason="No such file or directory") in capsys.readouterr().err


def test_a_model_that_is_no_model_is_refused(tmp_path, capsys):
    scan = _write(_volume(_noise()), tmp_path)
    words = ["--t1gd", str(scan), "--out", str(tmp_path / "out"), "--model", str(tmp_path)]
    assert main(["predict", *words]) == 3
    assert refusal("model.no_metadata") in capsys.readouterr().err


def test_an_interruption_leaves_nothing(tmp_path, capsys, monkeypatch):
    import PCNSLSurvivalLib.inference.predict as predict

    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(predict, "prepare_case", interrupted)
    scan = _write(_volume(_noise()), tmp_path)
    assert main(["predict", "--t1gd", str(scan), "--out", str(tmp_path / "new" / "out")]) == 130
    assert "Interrupted" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_a_terminated_process_leaves_nothing(tmp_path):
    scan = _write(_volume(_noise()), tmp_path)
    words = ["predict", "--t1gd", str(scan), "--out", str(tmp_path / "new" / "out"), "--progress", "json"]
    command = [sys.executable, "-m", "PCNSLSurvivalLib.cli", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["step"] == "read"
        process.terminate()
    assert process.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["scan.nrrd"]


def test_debug_shows_where_an_error_came_from(tmp_path):
    with refused(UnreadableScanError, "scan.not_found", sequence=MRSequence.T1GD):
        main(["predict", "--t1gd", str(tmp_path / "absent.nrrd"), "--out", str(tmp_path / "out"), "--debug"])
