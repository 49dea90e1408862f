"""NRRD files: refused ones, and odd ones that are read."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from catalogue.rows import Build, Row
from catalogue.scan_builders import (
    DAMAGED,
    ELSEWHERE,
    SHORT_OR_LONG,
    affine_ras,
    changed,
    file_of,
    flip,
    truth,
    written,
)


def nrrd(name: str = "scan.nrrd", **fields: str | None) -> Build:
    """An NRRD file written field by field; a field of None is left out, ``voxels`` are its bytes as latin-1."""

    def build(folder: Path) -> Path:
        image = truth()
        steps = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
        header: dict[str, str | None] = {
            "type": "short",
            "dimension": "3",
            "space": "left-posterior-superior",
            "sizes": "24 20 12",
            "space directions": " ".join(f"({','.join(repr(float(x)) for x in steps[:, axis])})" for axis in range(3)),
            "kinds": "domain domain domain",
            "endian": "little",
            "encoding": "raw",
            "space origin": f"({','.join(repr(float(x)) for x in image.GetOrigin())})",
        }
        given = {key.replace("_", " "): value for key, value in fields.items()}
        voxels = given.pop("voxels", None)
        header |= given
        lines = "".join(f"{key}: {value}\n" for key, value in header.items() if value is not None)
        plain = sitk.GetArrayFromImage(image).astype("<i2").tobytes()
        content = plain if voxels is None else voxels.encode("latin-1")
        (folder / name).write_bytes(
            b"NRRD0004\n" + lines.encode() + b"\n" + (b"" if name.endswith("nhdr") else content)
        )
        if name.endswith("nhdr"):
            (folder / "scan.raw").write_bytes(content)
        return folder / name

    return build


def latin(content: bytes) -> str:
    return content.decode("latin-1")


PLAIN = sitk.GetArrayFromImage(truth()).astype("<i2").tobytes()

_PACKED = gzip.compress(PLAIN)


def _detached_pipe(folder: Path) -> Path:
    path = nrrd("scan.nhdr", data_file="scan.raw")(folder)
    (folder / "scan.raw").unlink()
    os.mkfifo(folder / "scan.raw")
    return path


def _detached_outside(folder: Path) -> Path:
    (folder / "in").mkdir()
    return nrrd("scan.nhdr", data_file="../scan.raw")(folder).rename(folder / "in" / "scan.nhdr")


NRRD = [
    Row("NRRD cut", nrrd(voxels=latin(PLAIN[:-400])), SHORT_OR_LONG),
    Row("NRRD one byte long", nrrd(voxels=latin(PLAIN + b"\n")), SHORT_OR_LONG),
    Row("NRRD packed and cut", nrrd(encoding="gzip", voxels=latin(_PACKED[:-300])), DAMAGED),
    Row("NRRD packed with one damaged byte", nrrd(encoding="gzip", voxels=latin(flip(_PACKED))), DAMAGED),
    Row("NRRD said to be packed", nrrd(encoding="gzip"), DAMAGED),
    Row(
        "NRRD whose packed content is short",
        nrrd(encoding="gzip", voxels=latin(gzip.compress(PLAIN[:-2]))),
        SHORT_OR_LONG,
    ),
    Row("a field of 10 MB", nrrd(content="x" * 10_000_000), DAMAGED),
    Row("a header that does not end", file_of("scan.nrrd", b"NRRD0004\n" + b"# more\n" * 200_000), DAMAGED),
    Row("no header at all", file_of("scan.nrrd", bytes(5000)), DAMAGED),
    Row("a printf pattern in .nhdr", nrrd("scan.nhdr", data_file="%s%s%s%n.raw 1 9 1"), ELSEWHERE),
    Row("a numbered pattern in .nhdr", nrrd("scan.nhdr", data_file="slice%03d.raw 1 12 1"), ELSEWHERE),
    Row("a list in .nhdr", nrrd("scan.nhdr", data_file="LIST"), ELSEWHERE),
    Row("an absolute path in .nhdr", nrrd("scan.nhdr", data_file="/etc/passwd"), ELSEWHERE),
    Row("a Windows path in .nhdr", nrrd("scan.nhdr", data_file="C:\\data\\scan.raw"), ELSEWHERE),
    Row("a folder above in .nhdr", _detached_outside, ELSEWHERE),
    Row("voxels of .nhdr not there", nrrd("scan.nhdr", data_file="other.raw"), "was not found beside it"),
    Row("a pipe in the place of voxels", _detached_pipe, "pipe or device"),
    Row("the header itself as voxels", nrrd("scan.nhdr", data_file="scan.nhdr"), SHORT_OR_LONG),
    Row(".nhdr that names no voxels", changed(nrrd("scan.nhdr"), lambda c: c.rstrip(b"\n")), DAMAGED),
    Row("an NRRD axis of none", nrrd(sizes="24 0 12"), DAMAGED),
    Row("an NRRD axis of minus 24", nrrd(sizes="-24 20 12"), DAMAGED),
    Row("sizes that are words", nrrd(sizes="a b c"), DAMAGED),
    Row("fewer sizes than axes", nrrd(sizes="24 20"), DAMAGED),
    Row("99 NRRD axes", nrrd(dimension="99", sizes=" ".join(["1"] * 99)), DAMAGED),
    Row("NRRD of 21 GB", nrrd(sizes="2000 2000 2600"), "million voxels"),
    Row("NRRD of 10^54 voxels", nrrd(sizes=" ".join(["9" * 18] * 3)), "million voxels"),
    Row("an NRRD type of blocks", nrrd(type="block"), "NRRD type"),
    Row("an unknown NRRD type", nrrd(type="quaternion"), "NRRD type"),
    Row("NRRD packed by bzip2", nrrd(encoding="bzip2"), "NRRD encoding"),
    Row("NRRD as hex digits", nrrd(encoding="hex"), "NRRD encoding"),
    Row("NRRD without its encoding", nrrd(encoding=None), "NRRD encoding"),
    Row("NRRD without its byte order", nrrd(endian=None), "NRRD endian"),
    Row("NRRD with lines before its voxels", nrrd(line_skip="3"), "NRRD line skip"),
    Row("NRRD that skips backward", nrrd(byte_skip="-9"), "NRRD line skip"),
    Row("NRRD without voxel sizes", nrrd(space_directions=None, space_origin=None), "size of its voxels"),
    Row("NRRD with spacings of NaN", nrrd(space_directions=None, spacings="nan nan nan"), "no scanner produces"),
    Row("NRRD with spacings of 0", nrrd(space_directions=None, spacings="0 0 0"), "no scanner produces"),
    Row("NRRD in inches", nrrd(space_units='"in" "in" "in"'), "unit that is not read here"),
    Row("NRRD in two units", nrrd(space_units='"mm" "mm" "cm"'), "unit that is not read here"),
    Row(
        "NRRD with spacings in inches",
        nrrd(space_directions=None, space=None, space_origin=None, spacings="4 3 5.5", units='"in" "in" "in"'),
        "unit that is not read here",
    ),
    Row("NRRD numbers with underscores", nrrd(space_directions=None, spacings="4 3 5_5"), DAMAGED),
    Row("NRRD directions that are words", nrrd(space_directions="(a,b,c) (1,0,0) (0,1,0)"), DAMAGED),
    Row("NRRD directions in a plane", nrrd(space_directions="(1,0,0) (1,0,0) (0,1,0)"), "sheared"),
    Row("NRRD sheared", nrrd(space_directions="(4,0,0) (2,3,0) (0,0,5)"), "sheared"),
    Row("NRRD origin of infinity", nrrd(space_origin="(inf,0,0)"), "impossible position"),
    Row("an NRRD field twice", changed(nrrd(), lambda c: c.replace(b"endian", b"type: short\nendian", 1)), DAMAGED),
    Row(
        "NRRD colors",
        nrrd(
            dimension="4",
            sizes="3 24 20 4",
            kinds="RGB-color domain domain domain",
            space_directions="none (1,0,0) (0,1,0) (0,0,1)",
        ),
        "color",
    ),
    Row(
        "NRRD time series",
        nrrd(
            dimension="4",
            sizes="24 20 6 2",
            kinds="domain domain domain list",
            space_directions="(1,0,0) (0,1,0) (0,0,1) none",
        ),
        "2 volumes",
    ),
]

NRRD_READ = [
    Row("NRRD, read", nrrd()),
    Row("NRRD by ITK", lambda folder: written(folder, "scan.nrrd")),
    Row("NRRD by ITK, packed", lambda folder: written(folder, "scan.nrrd", packed=True)),
    Row("NRRD packed", nrrd(encoding="gzip", voxels=latin(_PACKED))),
    Row(
        "NRRD as text", nrrd(encoding="text", voxels=" ".join(str(x) for x in sitk.GetArrayFromImage(truth()).ravel()))
    ),
    Row("NRRD detached", nrrd("scan.nhdr", data_file="scan.raw")),
    Row(
        "NRRD detached, voxels at the end",
        nrrd("scan.nhdr", data_file="./scan.raw", byte_skip="-1", voxels=latin(b"head of its own" + PLAIN)),
    ),
    Row(
        "NRRD in big-endian",
        nrrd(endian="big", voxels=latin(sitk.GetArrayFromImage(truth()).astype(">i2").tobytes())),
    ),
    Row("NRRD in millimeters spelled out", nrrd(space_units='"millimeters" "millimeters" "millimeters"')),
    Row("NRRD in meters", lambda folder: _in_meters(folder)),
    Row(
        "NRRD with its first axis of one",
        nrrd(
            dimension="4",
            sizes="1 24 20 12",
            kinds="vector domain domain domain",
            space_directions="none "
            + " ".join(
                f"({','.join(repr(float(x)) for x in step)})"
                for step in (np.diag([-1, -1, 1]) @ affine_ras()[:3, :3]).T
            ),
        ),
    ),
]


def _in_meters(folder: Path) -> Path:
    steps = np.reshape(truth().GetDirection(), (3, 3)) * truth().GetSpacing() / 1000
    vectors = " ".join(f"({','.join(repr(float(x)) for x in steps[:, axis])})" for axis in range(3))
    return nrrd(space_directions=vectors, space_origin="(-0.048,-0.04,0.03)", space_units='"m" "m" "m"')(folder)
