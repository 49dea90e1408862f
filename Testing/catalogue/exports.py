"""Results and the series beside which they are exported: tampered, de-identified, and of another kind."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from made_dicom import Change, write_classic
from pydicom.dataset import Dataset

from catalogue.rows import Build, Row
from catalogue.scan_builders import truth

EXPORT = ("export", "{in}/result", "--t1gd", "{in}/series", "--dicom", "{out}")
FROM_FILE = ("export", "{in}/result", "--t1gd", "{in}/scan.nii", "--dicom", "{out}")
FROM_BOTH = (*FROM_FILE, "--dicom-series", "{}")
_INCOMPLETE, _NO_SERIES = "not a complete result folder", "does not hold exactly one DICOM series"


def _result(folder: Path, change: Callable[[dict], None] | None = None) -> Path:
    """A result of the truth volume, as ``predict`` writes it but for what is not read."""
    (folder / "result").mkdir()
    shape = sitk.GetArrayFromImage(truth()).shape
    values = np.linspace(0, 1, np.prod(shape), dtype=np.float32).reshape(shape)
    for name, voxels in (
        ("activation_map", values),
        ("activation_map_other_class", values[::-1].copy()),
        ("brain_mask", np.ones(shape, np.uint8)),
    ):
        image = sitk.GetImageFromArray(voxels)
        image.CopyInformation(truth())
        sitk.WriteImage(image, str(folder / "result" / f"{name}.nrrd"))
    prediction = {
        "probability_over_one_year": 0.31,
        "class": "OS ≤ 1 year",
        "warnings": [],
        "model": {"name": "made-up", "version": "1", "checksum_sha256": "ab" * 32, "prognostic_meaning": False},
        "activation_map": {"explains": "OS ≤ 1 year", "scale": 0.4},
        "activation_map_other_class": {"explains": "OS > 1 year", "scale": 0.2},
    }
    if change is not None:
        change(prediction)
    (folder / "result" / "prediction.json").write_text(json.dumps(prediction), encoding="utf-8")
    return folder / "result"


def _beside(change: Change | None = None) -> Build:
    """A result and its series, the tags of which are changed."""

    def build(folder: Path) -> Path:
        _result(folder)
        write_classic(truth(), folder / "series", change)
        return folder / "series"

    return build


def _tags(**values: object) -> Build:
    def change(data: Dataset, k: int) -> None:
        for name, value in values.items():
            if value is not None:
                setattr(data, name, value)
            elif name in data:
                delattr(data, name)

    return _beside(change)


def _raw(tag: tuple[int, int], kind: bytes, value: bytes) -> Build:
    """Beside a series in which an element has bytes that pydicom would not write."""

    def build(folder: Path) -> Path:
        series = _beside()(folder)
        element = struct.pack("<HH2sH", *tag, kind, len(value)) + value
        for path in series.iterdir():
            content = path.read_bytes()
            at = next(
                place
                for place in range(content.index(b"\x08\0\x08\0CS"), len(content))
                if content[place : place + 4] == b"\x10\0\x10\0" and content[place + 4 : place + 6] == b"PN"
            )
            if tag[0] == 0x0010:
                at += 8 + struct.unpack_from("<H", content, at + 6)[0] if tag > (0x0010, 0x0010) else 0
                at += 8 + struct.unpack_from("<H", content, at + 6)[0] if tag > (0x0010, 0x0020) else 0
            else:
                at = content.index(b"\x08\0\x08\0CS")
            path.write_bytes(content[:at] + element + content[at:])
        return series

    return build


def _tampered(change: Callable[[dict], None]) -> Build:
    def build(folder: Path) -> Path:
        write_classic(truth(), folder / "series")
        return _result(folder, change)

    return build


def _damaged(change: Callable[[Path], object]) -> Build:
    def build(folder: Path) -> Path:
        write_classic(truth(), folder / "series")
        change(_result(folder))
        return folder / "result"

    return build


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _moved(path: Path) -> None:
    image = sitk.ReadImage(str(path))
    image.SetOrigin((0, 0, 0))
    sitk.WriteImage(image, str(path))


def _file(folder: Path) -> Path:
    _result(folder)
    sitk.WriteImage(truth(), str(folder / "scan.nii"))
    return folder / "scan.nii"


def _list_of_none(folder: Path) -> Path:
    _file(folder)
    (folder / "series.txt").write_text("nowhere/1.dcm\nnowhere/2.dcm\n")
    return folder / "series.txt"


REFUSED = [
    Row("export: a file that is not DICOM", _file, _NO_SERIES, FROM_FILE),
    Row("export: a file as series", _file, _NO_SERIES, FROM_BOTH),
    Row("export: a list of files that are not there", _list_of_none, _NO_SERIES, FROM_BOTH),
    Row("export: no study", _tags(StudyInstanceUID=None), "to which study", EXPORT),
    Row("export: no frame of reference", _tags(FrameOfReferenceUID=None), "to which study", EXPORT),
    Row("export: JSON cut", _damaged(lambda f: _cut(f / "prediction.json")), _INCOMPLETE, EXPORT),
    Row(
        "export: JSON nested", _damaged(lambda f: (f / "prediction.json").write_text("[" * 99_999)), _INCOMPLETE, EXPORT
    ),
    Row(
        "export: JSON of 11 MB",
        _damaged(lambda f: (f / "prediction.json").write_text(" " * 11_000_000)),
        _INCOMPLETE,
        EXPORT,
    ),
    Row("export: a list as JSON", _damaged(lambda f: (f / "prediction.json").write_text("[1]")), _INCOMPLETE, EXPORT),
    Row("export: a map cut", _damaged(lambda f: _cut(f / "activation_map.nrrd")), _INCOMPLETE, EXPORT),
    Row("export: a map gone", _damaged(lambda f: (f / "activation_map.nrrd").unlink()), _INCOMPLETE, EXPORT),
    Row("export: a map of another place", _damaged(lambda f: _moved(f / "activation_map.nrrd")), _INCOMPLETE, EXPORT),
    Row(
        "export: a probability that is a word",
        _tampered(lambda p: p.update(probability_over_one_year="x")),
        _INCOMPLETE,
        EXPORT,
    ),
    Row(
        "export: a probability of NaN",
        _tampered(lambda p: p.update(probability_over_one_year=float("nan"))),
        _INCOMPLETE,
        EXPORT,
    ),
    Row(
        "export: a diameter of 400 digits",
        _tampered(lambda p: p.update(lesion={"foci": [{"diameter_mm": 10**400}]})),
        _INCOMPLETE,
        EXPORT,
    ),
    Row("export: no class", _tampered(lambda p: p.pop("class")), _INCOMPLETE, EXPORT),
    Row("export: a preparation that is a list", _tampered(lambda p: p.update(preprocessing=[1])), _INCOMPLETE, EXPORT),
    Row("export: foci that are numbers", _tampered(lambda p: p.update(lesion={"foci": [1]})), _INCOMPLETE, EXPORT),
    Row("export: a model that is a number", _tampered(lambda p: p.update(model=3)), _INCOMPLETE, EXPORT),
    Row("export: a model without name", _tampered(lambda p: p["model"].pop("name")), _INCOMPLETE, EXPORT),
    Row(
        "export: a class that is a list",
        _tampered(lambda p: p["activation_map"].update(explains=[1])),
        _INCOMPLETE,
        EXPORT,
    ),
    Row(
        "export: one class twice",
        _tampered(lambda p: p["activation_map"].update(explains="OS > 1 year")),
        _INCOMPLETE,
        EXPORT,
    ),
    Row("export: no scale", _tampered(lambda p: p["activation_map"].pop("scale")), _INCOMPLETE, EXPORT),
    Row(
        "export: a folder that is no result", lambda folder: (folder / "result").mkdir() or folder, _INCOMPLETE, EXPORT
    ),
]

EXPORTED = [
    Row("export", _beside(), "", EXPORT, 0),
    Row("export: de-identified", _tags(PatientName=None, PatientID=None, SeriesDescription=None), "", EXPORT, 0),
    Row("export: empty name and number", _tags(PatientName="", PatientID=""), "", EXPORT, 0),
    Row("export: a birth date that is none", _raw((0x0010, 0x0030), b"DA", b"19ANONYM"), "", EXPORT, 0),
    Row("export: a sex that is none", _raw((0x0010, 0x0040), b"CS", b"ANON"), "", EXPORT, 0),
    Row(
        "export: a character set that begins with a backslash",
        _raw((0x0008, 0x0005), b"CS", b"\\ISO 2022 IR 87 "),
        "",
        EXPORT,
        0,
    ),
    Row("export: an unknown character set", _raw((0x0008, 0x0005), b"CS", b"KLINGON "), "", EXPORT, 0),
    Row(
        "export: a name in Latin-1", _tags(SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jörg"), "", EXPORT, 0
    ),
]
