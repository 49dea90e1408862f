"""What can stand in the place of a scan file or an output folder."""

from __future__ import annotations

import os
from pathlib import Path

from catalogue.rows import Build, Row
from catalogue.scan_builders import NII, file_of, pair

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n"
"""What Git LFS leaves in the place of a file that was not fetched."""


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "scan.nii.gz")
    return folder / "scan.nii.gz"


def _link(target: str) -> Build:
    def build(folder: Path) -> Path:
        (folder / "scan.nii").symlink_to(target)
        return folder / "scan.nii"

    return build


def folder_so_named(folder: Path) -> Path:
    (folder / "scan.nii.gz").mkdir()
    return folder / "scan.nii.gz"


def _pointer_as_voxels(folder: Path) -> Path:
    path = pair(folder)
    path.with_suffix(".img").write_bytes(LFS)
    return path


PLACES = [
    Row("a pipe", fifo, "pipe or device"),
    Row("a link to a device without end", _link("/dev/zero"), "pipe or device"),
    Row("a link that leads nowhere", _link("absent.nii"), "is a link to a file that is not there"),
    Row("a link in a circle", _link("scan.nii"), "is a link to a file that is not there"),
    Row("a link of DataLad", _link("../.git/annex/objects/x/y/scan.nii"), "'datalad get'"),
    *(Row(f"a pointer of Git LFS as {name}", file_of(name, LFS), "'git lfs pull'") for name in ("a.nii.gz", "a.nrrd")),
    Row("a pointer of git-annex", file_of("a.nii", b"/annex/objects/MD5E-s12--ab.nii\n"), "'git annex get'"),
    Row("a pointer of Git LFS as voxels of a .hdr", _pointer_as_voxels, "'git lfs pull'"),
    Row("a folder named as a file", folder_so_named, "no DICOM images"),
    Row("a file that is not there", lambda folder: folder / "scan.nii", "was not found"),
    Row("a name of 5000 letters", lambda folder: folder / ("x" * 5000 + ".nii"), "was not found"),
    Row("a name with a NUL", lambda folder: folder / "a\0b.nii", "was not found"),
    Row("a picture", file_of("scan.png", b"\x89PNG"), "not in a format"),
    Row("a DICOM file by itself", file_of("scan.dcm", bytes(128) + b"DICM"), "not in a format"),
]

PATHS = [
    *(
        Row(
            f"a name of 5000 letters given to {words[0]}",
            lambda folder: folder / ("x" * 5000),
            "longer than this computer allows",
            words,
        )
        for words in (
            ("preprocess", "{}", "--out", "{out}"),
            ("predict-cohort", "{}", "--out", "{out}"),
            ("model", "check", "{}"),
            ("baselines", "{}", "--out", "{out}"),
        )
    ),
    Row("a pipe as the zip file of a model", fifo, "not a readable zip file", ("model", "import", "{}")),
]

OUTPUTS = [
    Row(
        f"an output {what}",
        NII,
        "path of an output",
        ("predict", "--t1gd", "{}", "--out", name, "--progress", "none"),
    )
    for what, name in (
        ("of 5000 letters", "{in}/" + "x" * 5000),
        ("with a NUL", "{in}/a\0b"),
        ("that is not UTF-8", "{in}/" + os.fsdecode(b"M\xfcller")),
    )
]
