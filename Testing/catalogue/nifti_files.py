"""NIfTI files: refused ones, and odd ones that are read."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk

from catalogue.rows import Build, Row
from catalogue.scan_builders import (
    DAMAGED,
    GZ,
    NAN,
    NII,
    SHEAR,
    SHORT_OR_LONG,
    affine_ras,
    bomb,
    changed,
    cut,
    file_of,
    flip,
    int_ramp,
    labels,
    nifti,
    pair,
    pair_cut,
    pair_with_copy,
    pair_without_voxels,
    patched,
    renamed,
    rounded,
    several,
    truth,
    values_ijk,
)

NIFTI = [
    *(Row(f".nii cut to {share:.0%}", changed(NII, cut(share)), SHORT_OR_LONG) for share in (0.6, 0.95, 0.97)),
    Row(".nii one byte short", changed(NII, lambda content: content[:-1]), SHORT_OR_LONG),
    Row(".nii one byte long", changed(NII, lambda content: content + b"\0"), SHORT_OR_LONG),
    Row(".nii cut inside its header", changed(NII, lambda content: content[:200]), DAMAGED),
    Row(".nii without a byte", file_of("scan.nii", b""), DAMAGED),
    Row(".nii.gz without a byte", file_of("scan.nii.gz", b""), DAMAGED),
    Row(".nii of text", file_of("scan.nii", b"this is no scan\n" * 40), DAMAGED),
    Row(".nii.gz cut", changed(GZ, cut(0.7)), DAMAGED),
    Row(".nii.gz with one damaged byte", changed(GZ, flip), DAMAGED),
    Row(".nii.gz with a wrong checksum", changed(GZ, lambda content: flip(content[:-1], 0.9999) + b"\1"), DAMAGED),
    Row(".nii.gz with a tail of another kind", changed(GZ, lambda content: content + b"more"), DAMAGED),
    Row(".nii.gz whose content is cut", changed(GZ, lambda c: gzip.compress(gzip.decompress(c)[:-7])), SHORT_OR_LONG),
    Row(".nii.gz that unpacks to far more than stated", bomb, SHORT_OR_LONG),
    Row(".nii that is packed", renamed(GZ, "scan.nii"), DAMAGED),
    Row(".nii.gz that is not packed", renamed(NII, "scan.nii.gz"), DAMAGED),
    Row(
        "452 bytes that state 21 GB",
        changed(patched(40, "4h", 3, 2000, 2000, 1300), lambda c: c[:452]),
        "million voxels",
    ),
    Row("a .nii.gz that states 21 GB", patched(40, "4h", 3, 2000, 2000, 1300, name="scan.nii.gz"), "million voxels"),
    Row("a .nii.gz that states 150 MB", patched(40, "4h", 3, 500, 500, 300, name="scan.nii.gz"), SHORT_OR_LONG),
    Row("voxels said to begin 16 bytes late", patched(108, "f", 368.0), SHORT_OR_LONG),
    Row("voxels said to begin 2 bytes late", patched(108, "f", 354.0), SHORT_OR_LONG),
    Row("voxels said to begin inside the header", patched(108, "f", 300.0), DAMAGED),
    Row("voxels said to begin before the file", patched(108, "f", -352.0), DAMAGED),
    Row("voxels said to begin nowhere", patched(108, "f", float("nan")), DAMAGED),
    Row("voxels said to begin at 1e30", patched(108, "f", 1e30), DAMAGED),
    Row("nine axes", patched(40, "h", 9), DAMAGED),
    Row("minus three axes", patched(40, "h", -3), DAMAGED),
    Row("an axis of minus 24", patched(42, "h", -24), DAMAGED),
    Row("an axis of none", patched(44, "h", 0), DAMAGED),
    Row("an unknown data type", patched(70, "h", 77), "data type 77"),
    Row("128-bit numbers", patched(70, "h", 1536), "data type 1536"),
    Row("complex voxels", patched(70, "h", 32), "complex"),
    Row("colors", patched(70, "h", 128), "color"),
    Row("a displacement field", patched(68, "h", 1006), "color or vector"),
    Row("a time series", nifti(values=np.zeros((8, 8, 8, 5), np.int16)), "5 volumes"),
    Row("a single slice", nifti(values=np.zeros((8, 8, 1), np.int16)), "two-dimensional"),
    Row("a plane", nifti(values=np.zeros((8, 8), np.int16)), "two-dimensional"),
    Row("sheared axes", nifti(affine=affine_ras() @ SHEAR, qform=0), "sheared"),
    Row("axes of no length", several((252, "2h", 0, 0), (80, "3f", 0, 0, 0)), "voxels of 0 x 0 x 0"),
    Row("axes of NaN mm", several((254, "h", 0), (80, "f", NAN)), "no scanner produces"),
    Row("axes of a nanometer", nifti(affine=np.diag([1e-6, 1e-6, 1e-6, 1]), qform=0), "no scanner produces"),
    Row("a negative edge beside a qform alone", several((254, "h", 0), (80, "f", -4.0)), "voxels of -4 x 3 x 5.5 mm"),
    Row("axes of a kilometer", nifti(affine=np.diag([1e6, 1e6, 1e6, 1]), qform=0), "no scanner produces"),
    Row("an sform of NaN", several((252, "h", 0), (280, "4f", *[NAN] * 4)), "no scanner produces"),
    Row("an origin of infinity", several((252, "h", 0), (292, "f", float("inf"))), "impossible position"),
    Row("a quaternion that is none", several((254, "h", 0), (256, "f", 3.0)), "no scanner produces"),
    Row("a wrong magic word", patched(344, "4s", b"abcd"), DAMAGED),
    Row("an Analyze header", changed(pair, lambda c: c[:344] + bytes(4)), "Analyze"),
    Row("a .hdr without its .img", pair_without_voxels, "no .img file"),
    Row("two files of voxels for a .hdr", pair_with_copy(flip), ".img and .img.gz, whose contents differ"),
    Row("two files of voxels for a .hdr, one cut", pair_with_copy(cut(0.5)), ".img and .img.gz, whose contents differ"),
    Row("a .hdr whose .img is cut", pair_cut, SHORT_OR_LONG),
    Row("a .nii that is one of a pair", renamed(pair, "scan.nii"), DAMAGED),
    Row("NIfTI-2, cut", changed(nifti(kind=nibabel.Nifti2Image), lambda c: c[:-100]), SHORT_OR_LONG),
    Row(
        "NIfTI-2 of 2^60 voxels",
        changed(nifti(kind=nibabel.Nifti2Image), lambda c: c[:24] + struct.pack("<3q", 2**20, 2**20, 2**20) + c[48:]),
        "million voxels",
    ),
    Row(
        "one voxel that is no number",
        nifti(
            values=np.where(
                np.arange(4096).reshape(16, 16, 16) == 9, np.nan, np.arange(4096).reshape(16, 16, 16)
            ).astype(np.float32)
        ),
        "in 1 of its 4096 voxels",
    ),
    Row(
        "two infinite voxels",
        nifti(values=np.where(np.arange(4096).reshape(16, 16, 16) < 2, np.inf, 1.0).astype(np.float32)),
        "in 2 of its 4096 voxels",
    ),
    Row("a map of labels", nifti(values=labels()), "looks like a mask or a map of labels"),
    Row("the same value everywhere", nifti(values=np.ones((8, 8, 8), np.int16)), "same value in all voxels"),
]

_T2_IN_SECONDS = '{"EchoTime": 0.098, "RepetitionTime": 4.2}'
_T2_IN_MILLISECONDS = '{"EchoTime": 98, "RepetitionTime": 4200}'
_T2 = "TR 4200, TE 98 ms"
_T1GD = '{"EchoTime": 0.003, "RepetitionTime": 2.1, "InversionTime": 0.9, "ContrastBolusIngredient": "GADOLINIUM"}'

_T2_OF_400_DIGITS = '{"EchoTime": 0.098, "RepetitionTime": 1' + 400 * "0" + "}"

SIDECARS = [
    Row("sidecar of T1Gd", lambda folder: _beside("scan.json", _T1GD)(folder)),
    Row("sidecar of T2, in seconds", lambda folder: _beside("scan.json", _T2_IN_SECONDS)(folder), _T2),
    Row("sidecar of T2, in milliseconds", lambda folder: _beside("scan.json", _T2_IN_MILLISECONDS)(folder), _T2),
    Row("sidecar of another scan", lambda folder: _beside("scan2.json", _T2_IN_SECONDS)(folder)),
    Row(
        "sidecar beside .nii, with a byte order mark",
        lambda folder: _beside("scan.json", b"\xef\xbb\xbf" + _T2_IN_SECONDS.encode(), "scan.nii")(folder),
        _T2,
    ),
    Row(
        "sidecar of phase",
        lambda folder: _beside("scan.json", '{"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}')(folder),
        "another kind of image (P)",
    ),
    Row(
        "sidecar of an echo-planar scan",
        lambda folder: _beside("scan.json", '{"ScanningSequence": "EP_SE"}')(folder),
        "echo-planar",
    ),
    Row("sidecar of a knee", lambda folder: _beside("scan.json", '{"BodyPartExamined": "KNEE"}')(folder), "KNEE"),
    Row("sidecar of a CT", lambda folder: _beside("scan.json", '{"Modality": "CT"}')(folder), "not an MR image (CT)"),
    *(
        Row(
            f"sidecar of {agent}",
            lambda folder, agent=agent: _beside("scan.json", f'{{"ContrastBolusAgent": "{agent}"}}')(folder),
            "not gadolinium",
        )
        for agent in ("Ferumoxytol 510 mg", "FERAHEME", "Iron oxide")
    ),
    Row("a name that tells of ferumoxytol", renamed(NII, "T1_post_ferumoxytol.nii"), "ferumoxytol, not gadolinium"),
    Row("sidecar that is a list", lambda folder: _beside("scan.json", "[1, 2]")(folder)),
    Row("sidecar that is cut", lambda folder: _beside("scan.json", _T2_IN_SECONDS[:20])(folder)),
    Row("sidecar nested without end", lambda folder: _beside("scan.json", "[" * 100_000)(folder)),
    Row("sidecar in another encoding", lambda folder: _beside("scan.json", _T2_IN_SECONDS.encode("utf-16"))(folder)),
    Row(
        "sidecar with words for numbers",
        lambda folder: _beside("scan.json", '{"EchoTime": "98", "SliceThickness": NaN, "ImageType": 7}')(folder),
    ),
    Row("sidecar with a time of 400 digits", lambda folder: _beside("scan.json", _T2_OF_400_DIGITS)(folder)),
    Row("sidecar that is a folder", lambda folder: (folder / "scan.json").mkdir() or nifti("scan.nii.gz")(folder)),
]

NIFTI_READ = [
    Row("NIfTI-1, read", NII),
    Row("NIfTI-1, packed, read", GZ),
    Row(
        "NIfTI packed in two parts",
        changed(GZ, lambda c: gzip.compress(gzip.decompress(c)[:3000]) + gzip.compress(gzip.decompress(c)[3000:])),
    ),
    Row("NIfTI packed and filled up with zeros", changed(GZ, lambda c: c + bytes(512))),
    Row("NIfTI-2", nifti(kind=nibabel.Nifti2Image)),
    Row("NIfTI-2, packed", nifti("scan.nii.gz", kind=nibabel.Nifti2Image)),
    Row("a pair of .hdr and .img", pair),
    Row("a pair of .hdr and .img with a packed copy", pair_with_copy(lambda content: content)),
    Row("the .img of a pair", lambda folder: pair(folder).with_suffix(".img")),
    Row("voxels of 8 bytes", nifti(values=int_ramp(np.int64))),
    Row("unsigned voxels", nifti(values=int_ramp(np.uint16))),
    Row("double precision", nifti(values=int_ramp(np.float64))),
    Row("big-endian", lambda folder: _big_endian(folder)),
    Row("scaled values", lambda folder: _scaled(folder)),
    Row("a slope of 0", several((112, "2f", 0.0, 5.0))),
    Row("a slope that is no number", several((112, "2f", NAN, NAN))),
    Row(
        "a negative slope",
        changed(nifti(values=-values_ijk()), lambda c: c[:112] + struct.pack("<2f", -1.0, 0.0) + c[120:]),
        "bright and dark are swapped",
    ),
    Row("p-values", several((68, "h", 22)), "statistical map"),
    Row("an sform of zeros beside a sound qform", several((280, "12f", *[0.0] * 12)), "its qform was used"),
    Row("a fourth axis of one", nifti(values=values_ijk()[..., None])),
    Row("a leading axis of one", nifti(values=values_ijk()[None]), "axis of length one"),
    Row("axes rounded to three digits", nifti(affine=rounded(), qform=0)),
    Row("qform alone", nifti(sform=0)),
    Row(
        "a sheared sform beside a sound qform",
        lambda folder: _two_places(folder, affine_ras() @ SHEAR, 1),
        "its qform was used",
    ),
    *(
        Row(
            f"an sform of code {code} elsewhere",
            lambda folder, code=code: _two_places(folder, moved(), code),
            "its qform was used",
        )
        for code in (2, 3, 4)
    ),
    Row("a name that is not UTF-8", lambda folder: _odd_name(folder)),
    Row("a neighbor of the same name without .gz", lambda folder: _neighbor(folder)),
]


def _big_endian(folder: Path) -> Path:
    image = nibabel.Nifti1Image(values_ijk(), affine_ras(), nibabel.Nifti1Header(endianness=">"))
    image.set_qform(affine_ras(), 1)
    nibabel.save(image, folder / "scan.nii")
    return folder / "scan.nii"


def _scaled(folder: Path) -> Path:
    values = values_ijk()
    path = nifti(values=(values // 4).astype(np.int16) * 0 + values)(folder)
    content = bytearray(path.read_bytes())
    halves = (values.T * 2 - 6).astype("<i2").tobytes()
    struct.pack_into("<2f", content, 112, 0.5, 3.0)
    path.write_bytes(bytes(content[:352]) + halves)
    return path


def moved() -> np.ndarray:
    affine = affine_ras()
    affine[:3, 3] += 20.0
    return affine


def _two_places(folder: Path, sform: np.ndarray, code: int) -> Path:
    image = nibabel.Nifti1Image(values_ijk(), affine_ras())
    image.set_sform(sform, code)
    image.set_qform(affine_ras(), 1)
    nibabel.save(image, folder / "scan.nii")
    return folder / "scan.nii"


def _beside(name: str, content: str | bytes, scan: str = "scan.nii.gz") -> Build:
    """A sound scan and a JSON file beside it."""

    def build(folder: Path) -> Path:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return nifti(scan)(folder)

    return build


def _odd_name(folder: Path) -> Path:
    return NII(folder).rename(folder / os.fsdecode(b"M\xfcller.nii"))


def _neighbor(folder: Path) -> Path:
    sitk.WriteImage(truth() * 0, str(folder / "scan.nii"))
    return nifti("scan.nii.gz")(folder)
