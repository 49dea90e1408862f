"""One scan given as two sequences, under two names, in two formats or two ways of storing it."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk
from made_dicom import write_classic

from catalogue.rows import Build, Row
from catalogue.scan_builders import truth, written


def _beside(name: str, image: sitk.Image | None = None) -> Build:
    """The volume as ``scan.nii``, and once more."""

    def build(folder: Path) -> Path:
        written(folder, name, image)
        return written(folder, "scan.nii")

    return build


def _series_beside(folder: Path) -> Path:
    written(folder, "scan.nii")
    write_classic(truth(), folder / "series")
    return folder / "series"


def _row(name: str, build: Build, first: str, second: str, other: str, command: str = "predict") -> Row:
    """Given as ``first``, and the other file as ``second``."""
    scans = (f"--{first}", "{}", f"--{second}", f"{{in}}/{other}")
    words = (command, *scans, "--out", "{out}", "--progress", "none")
    return Row(f"one scan twice: {name}", build, "are the same scan", words)


REFUSED = [
    _row("T1 is a copy of T1Gd", _beside("copy.nii"), "t1gd", "t1", "copy.nii"),
    _row("T1 is the file of T1Gd", _beside("copy.nii"), "t1gd", "t1", "scan.nii"),
    _row("T1 is T1Gd compressed", _beside("scan.nii.gz"), "t1gd", "t1", "scan.nii.gz"),
    _row("T2 is T1Gd as NRRD", _beside("b.nrrd"), "t1gd", "t2", "b.nrrd"),
    _row("FLAIR is T1Gd with another gain", _beside("b.nii", truth() * 3 - 70), "t1gd", "flair", "b.nii"),
    _row(
        "FLAIR is T1Gd in another voxel order",
        _beside("b.mha", sitk.DICOMOrient(truth(), "RPI")),
        "t1gd",
        "flair",
        "b.mha",
    ),
    _row("T1Gd is the DICOM series of T1", _series_beside, "t1gd", "t1", "scan.nii"),
    _row("T1 to compare is a copy of T1Gd", _beside("copy.nii"), "t1gd", "compare-t1", "copy.nii"),
    _row("T1 to register is a copy of T1Gd", _beside("copy.nii"), "t1gd", "t1", "copy.nii", command="register"),
]
