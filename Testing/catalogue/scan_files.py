"""Scan files: NIfTI, NRRD, MetaImage, and what can stand in the place of a file."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk

from catalogue.rows import Build, Row

NAN = float("nan")
PREDICT = ("predict", "--t1gd", "{}", "--out", "{out}", "--progress", "none")
SHORT_OR_LONG, DAMAGED, ELSEWHERE = (
    "shorter or longer than its header says",
    "damaged",
    "in another folder, by a pattern",
)


def truth() -> sitk.Image:
    """Every voxel has a value of its own, on an oblique, anisotropic grid whose third axis runs downward."""
    values = np.random.default_rng(7).permutation(12 * 20 * 24).reshape(12, 20, 24).astype(np.int16)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((4.0, 3.0, 5.5))
    image.SetOrigin((-48.0, -40.0, 30.0))
    image.SetDirection((1, 0, 0, 0, 0.96, 0.28, 0, 0.28, -0.96))
    return image


def _written(folder: Path, name: str, image: sitk.Image | None = None, *, packed: bool = False) -> Path:
    sitk.WriteImage(truth() if image is None else image, str(folder / name), useCompression=packed)
    return folder / name


def _affine_ras() -> np.ndarray:
    image = truth()
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return np.diag([-1, -1, 1, 1]) @ affine


def _values_ijk() -> np.ndarray:
    return sitk.GetArrayFromImage(truth()).T


def _nifti(
    name: str = "scan.nii",
    *,
    values: np.ndarray | None = None,
    affine: np.ndarray | None = None,
    sform: int = 1,
    qform: int = 1,
    change: Callable[[nibabel.Nifti1Header], None] | None = None,
    kind: type = nibabel.Nifti1Image,
) -> Build:
    """A NIfTI file by nibabel, its header changed before it is written."""

    def build(folder: Path) -> Path:
        place = _affine_ras() if affine is None else affine
        stored = _values_ijk() if values is None else values
        image = kind(stored, place, dtype=stored.dtype)
        image.set_sform(place, sform)
        image.set_qform(place if qform else None, qform, strip_shears=True)
        if change is not None:
            change(image.header)
        nibabel.save(image, folder / name)
        return folder / name

    return build


def _labels() -> np.ndarray:
    """Three regions with the values of a tumor's parts."""
    values = np.zeros((24, 20, 12), np.uint8)
    values[4:20, 4:16, 2:10], values[8:16, 6:12, 4:8], values[10:13, 7:9, 5:7] = 2, 4, 1
    return values


def _patched(place: int, kind: str, *values: float, name: str = "scan.nii") -> Build:
    """A NIfTI file with some bytes of its header replaced."""

    def build(folder: Path) -> Path:
        path = _nifti()(folder)
        content = bytearray(path.read_bytes())
        struct.pack_into("<" + kind, content, place, *values)
        path.unlink()
        path = folder / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return build


def _several(*patches: tuple) -> Build:
    """A NIfTI file with several places of its header replaced: (first byte, struct format, values)."""

    def build(folder: Path) -> Path:
        path = _nifti()(folder)
        content = bytearray(path.read_bytes())
        for place, kind, *values in patches:
            struct.pack_into("<" + kind, content, place, *values)
        path.write_bytes(content)
        return path

    return build


def _bytes(make: Build, change: Callable[[bytes], bytes]) -> Build:
    """A file whose bytes are changed after it was written."""

    def build(folder: Path) -> Path:
        path = make(folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return build


def _flip(content: bytes, share: float = 0.6) -> bytes:
    changed = bytearray(content)
    changed[int(len(content) * share)] ^= 0xFF
    return bytes(changed)


def _file(name: str, content: bytes) -> Build:
    def build(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return build


_SHEAR = np.array([[1, 0.6, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])


def _set(**fields: object) -> Callable[[nibabel.Nifti1Header], None]:
    def change(header: nibabel.Nifti1Header) -> None:
        for name, value in fields.items():
            header[name] = value

    return change


def _pair(folder: Path) -> Path:
    return _nifti("scan.hdr", kind=nibabel.Nifti1Pair)(folder)


def _pair_without_voxels(folder: Path) -> Path:
    path = _pair(folder)
    path.with_suffix(".img").unlink()
    return path


def _pair_cut(folder: Path) -> Path:
    path = _pair(folder)
    image = path.with_suffix(".img")
    image.write_bytes(image.read_bytes()[:-1])
    return path


def _renamed(make: Build, name: str) -> Build:
    return lambda folder: make(folder).rename(folder / name)


def _bomb(folder: Path) -> Path:
    content = _nifti()(folder).read_bytes()
    (folder / "scan.nii").unlink()
    (folder / "scan.nii.gz").write_bytes(gzip.compress(content + bytes(200_000_000)))
    return folder / "scan.nii.gz"


def _int_ramp(dtype: object) -> np.ndarray:
    return _values_ijk().astype(dtype)


def _rounded() -> np.ndarray:
    affine = _affine_ras()
    affine[:3, :3] = np.round(affine[:3, :3] / (4.0, 3.0, 5.5), 3) * (4.0, 3.0, 5.5)
    return affine


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: int(len(content) * share)]


_NII, _GZ = _nifti(), _nifti("scan.nii.gz")

NIFTI = [
    *(Row(f".nii cut to {share:.0%}", _bytes(_NII, _cut(share)), SHORT_OR_LONG) for share in (0.6, 0.95, 0.97)),
    Row(".nii one byte short", _bytes(_NII, lambda content: content[:-1]), SHORT_OR_LONG),
    Row(".nii one byte long", _bytes(_NII, lambda content: content + b"\0"), SHORT_OR_LONG),
    Row(".nii cut inside its header", _bytes(_NII, lambda content: content[:200]), DAMAGED),
    Row(".nii without a byte", _file("scan.nii", b""), DAMAGED),
    Row(".nii.gz without a byte", _file("scan.nii.gz", b""), DAMAGED),
    Row(".nii of text", _file("scan.nii", b"this is no scan\n" * 40), DAMAGED),
    Row(".nii.gz cut", _bytes(_GZ, _cut(0.7)), DAMAGED),
    Row(".nii.gz with one damaged byte", _bytes(_GZ, _flip), DAMAGED),
    Row(".nii.gz with a wrong checksum", _bytes(_GZ, lambda content: _flip(content[:-1], 0.9999) + b"\1"), DAMAGED),
    Row(".nii.gz with a tail of another kind", _bytes(_GZ, lambda content: content + b"more"), DAMAGED),
    Row(".nii.gz whose content is cut", _bytes(_GZ, lambda c: gzip.compress(gzip.decompress(c)[:-7])), SHORT_OR_LONG),
    Row(".nii.gz that unpacks to far more than stated", _bomb, SHORT_OR_LONG),
    Row(".nii that is packed", _renamed(_GZ, "scan.nii"), DAMAGED),
    Row(".nii.gz that is not packed", _renamed(_NII, "scan.nii.gz"), DAMAGED),
    Row(
        "452 bytes that state 21 GB",
        _bytes(_patched(40, "4h", 3, 2000, 2000, 1300), lambda c: c[:452]),
        "million voxels",
    ),
    Row("a .nii.gz that states 21 GB", _patched(40, "4h", 3, 2000, 2000, 1300, name="scan.nii.gz"), "million voxels"),
    Row("a .nii.gz that states 150 MB", _patched(40, "4h", 3, 500, 500, 300, name="scan.nii.gz"), SHORT_OR_LONG),
    Row("voxels said to begin 16 bytes late", _patched(108, "f", 368.0), SHORT_OR_LONG),
    Row("voxels said to begin 2 bytes late", _patched(108, "f", 354.0), SHORT_OR_LONG),
    Row("voxels said to begin inside the header", _patched(108, "f", 300.0), DAMAGED),
    Row("voxels said to begin before the file", _patched(108, "f", -352.0), DAMAGED),
    Row("voxels said to begin nowhere", _patched(108, "f", float("nan")), DAMAGED),
    Row("voxels said to begin at 1e30", _patched(108, "f", 1e30), DAMAGED),
    Row("nine axes", _patched(40, "h", 9), DAMAGED),
    Row("minus three axes", _patched(40, "h", -3), DAMAGED),
    Row("an axis of minus 24", _patched(42, "h", -24), DAMAGED),
    Row("an axis of none", _patched(44, "h", 0), DAMAGED),
    Row("an unknown data type", _patched(70, "h", 77), "data type 77"),
    Row("128-bit numbers", _patched(70, "h", 1536), "data type 1536"),
    Row("complex voxels", _patched(70, "h", 32), "complex"),
    Row("colors", _patched(70, "h", 128), "color"),
    Row("a displacement field", _patched(68, "h", 1006), "color or vector"),
    Row("a time series", _nifti(values=np.zeros((8, 8, 8, 5), np.int16)), "5 volumes"),
    Row("a single slice", _nifti(values=np.zeros((8, 8, 1), np.int16)), "two-dimensional"),
    Row("a plane", _nifti(values=np.zeros((8, 8), np.int16)), "two-dimensional"),
    Row("sheared axes", _nifti(affine=_affine_ras() @ _SHEAR, qform=0), "sheared"),
    Row("axes of no length", _several((252, "2h", 0, 0), (80, "3f", 0, 0, 0)), "voxels of 0 x 0 x 0"),
    Row("axes of NaN mm", _several((254, "h", 0), (80, "f", NAN)), "no scanner gives"),
    Row("axes of a nanometer", _nifti(affine=np.diag([1e-6, 1e-6, 1e-6, 1]), qform=0), "no scanner gives"),
    Row("a negative edge beside a qform alone", _several((254, "h", 0), (80, "f", -4.0)), "voxels of -4 x 3 x 5.5 mm"),
    Row("axes of a kilometer", _nifti(affine=np.diag([1e6, 1e6, 1e6, 1]), qform=0), "no scanner gives"),
    Row("an sform of NaN", _several((252, "h", 0), (280, "4f", *[NAN] * 4)), "no scanner gives"),
    Row("an origin of infinity", _several((252, "h", 0), (292, "f", float("inf"))), "possible place"),
    Row("a quaternion that is none", _several((254, "h", 0), (256, "f", 3.0)), "no scanner gives"),
    Row("a wrong magic word", _patched(344, "4s", b"abcd"), DAMAGED),
    Row("an Analyze header", _bytes(_pair, lambda c: c[:344] + bytes(4)), "Analyze"),
    Row("a .hdr without its .img", _pair_without_voxels, "no .img file"),
    Row("a .hdr whose .img is cut", _pair_cut, SHORT_OR_LONG),
    Row("a .nii that is one of a pair", _renamed(_pair, "scan.nii"), DAMAGED),
    Row("NIfTI-2, cut", _bytes(_nifti(kind=nibabel.Nifti2Image), lambda c: c[:-100]), SHORT_OR_LONG),
    Row(
        "NIfTI-2 of 2^60 voxels",
        _bytes(_nifti(kind=nibabel.Nifti2Image), lambda c: c[:24] + struct.pack("<3q", 2**20, 2**20, 2**20) + c[48:]),
        "million voxels",
    ),
    Row(
        "one voxel that is no number",
        _nifti(
            values=np.where(
                np.arange(4096).reshape(16, 16, 16) == 9, np.nan, np.arange(4096).reshape(16, 16, 16)
            ).astype(np.float32)
        ),
        "in 1 of its 4096 voxels",
    ),
    Row(
        "two infinite voxels",
        _nifti(values=np.where(np.arange(4096).reshape(16, 16, 16) < 2, np.inf, 1.0).astype(np.float32)),
        "in 2 of its 4096 voxels",
    ),
    Row("a map of labels", _nifti(values=_labels()), "looks like a mask or a map of labels"),
    Row("the same value everywhere", _nifti(values=np.ones((8, 8, 8), np.int16)), "same value in all voxels"),
]

NIFTI_READ = [
    Row("NIfTI-1, read", _NII),
    Row("NIfTI-1, packed, read", _GZ),
    Row(
        "NIfTI packed in two parts",
        _bytes(_GZ, lambda c: gzip.compress(gzip.decompress(c)[:3000]) + gzip.compress(gzip.decompress(c)[3000:])),
    ),
    Row("NIfTI packed and filled up with zeros", _bytes(_GZ, lambda c: c + bytes(512))),
    Row("NIfTI-2", _nifti(kind=nibabel.Nifti2Image)),
    Row("NIfTI-2, packed", _nifti("scan.nii.gz", kind=nibabel.Nifti2Image)),
    Row("a pair of .hdr and .img", _pair),
    Row("the .img of a pair", lambda folder: _pair(folder).with_suffix(".img")),
    Row("voxels of 8 bytes", _nifti(values=_int_ramp(np.int64))),
    Row("unsigned voxels", _nifti(values=_int_ramp(np.uint16))),
    Row("double precision", _nifti(values=_int_ramp(np.float64))),
    Row("big-endian", lambda folder: _big_endian(folder)),
    Row("scaled values", lambda folder: _scaled(folder)),
    Row("a slope of 0", _several((112, "2f", 0.0, 5.0))),
    Row("a slope that is no number", _several((112, "2f", NAN, NAN))),
    Row(
        "a negative slope",
        _bytes(_nifti(values=-_values_ijk()), lambda c: c[:112] + struct.pack("<2f", -1.0, 0.0) + c[120:]),
        "bright and dark change places",
    ),
    Row("p-values", _several((68, "h", 22)), "statistical map"),
    Row("an sform of zeros beside a sound qform", _several((280, "12f", *[0.0] * 12)), "its qform was used"),
    Row("a fourth axis of one", _nifti(values=_values_ijk()[..., None])),
    Row("a leading axis of one", _nifti(values=_values_ijk()[None]), "axis of length one"),
    Row("axes rounded to three digits", _nifti(affine=_rounded(), qform=0)),
    Row("qform alone", _nifti(sform=0)),
    Row(
        "a sheared sform beside a sound qform",
        lambda folder: _two_places(folder, _affine_ras() @ _SHEAR, 1),
        "its qform was used",
    ),
    *(
        Row(
            f"an sform of code {code} elsewhere",
            lambda folder, code=code: _two_places(folder, _moved(), code),
            "its qform was used",
        )
        for code in (2, 3, 4)
    ),
    Row("a name that is not UTF-8", lambda folder: _odd_name(folder)),
    Row("a neighbor of the same name without .gz", lambda folder: _neighbor(folder)),
]


def _big_endian(folder: Path) -> Path:
    image = nibabel.Nifti1Image(_values_ijk(), _affine_ras(), nibabel.Nifti1Header(endianness=">"))
    image.set_qform(_affine_ras(), 1)
    nibabel.save(image, folder / "scan.nii")
    return folder / "scan.nii"


def _scaled(folder: Path) -> Path:
    values = _values_ijk()
    path = _nifti(values=(values // 4).astype(np.int16) * 0 + values)(folder)
    content = bytearray(path.read_bytes())
    halves = (values.T * 2 - 6).astype("<i2").tobytes()
    struct.pack_into("<2f", content, 112, 0.5, 3.0)
    path.write_bytes(bytes(content[:352]) + halves)
    return path


def _moved() -> np.ndarray:
    affine = _affine_ras()
    affine[:3, 3] += 20.0
    return affine


def _two_places(folder: Path, sform: np.ndarray, code: int) -> Path:
    image = nibabel.Nifti1Image(_values_ijk(), _affine_ras())
    image.set_sform(sform, code)
    image.set_qform(_affine_ras(), 1)
    nibabel.save(image, folder / "scan.nii")
    return folder / "scan.nii"


def _odd_name(folder: Path) -> Path:
    return _NII(folder).rename(folder / os.fsdecode(b"M\xfcller.nii"))


def _neighbor(folder: Path) -> Path:
    sitk.WriteImage(truth() * 0, str(folder / "scan.nii"))
    return _nifti("scan.nii.gz")(folder)


def _nrrd(name: str = "scan.nrrd", **fields: str | None) -> Build:
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


def _latin(content: bytes) -> str:
    return content.decode("latin-1")


_PLAIN = sitk.GetArrayFromImage(truth()).astype("<i2").tobytes()
_PACKED = gzip.compress(_PLAIN)


def _detached_pipe(folder: Path) -> Path:
    path = _nrrd("scan.nhdr", data_file="scan.raw")(folder)
    (folder / "scan.raw").unlink()
    os.mkfifo(folder / "scan.raw")
    return path


def _detached_outside(folder: Path) -> Path:
    (folder / "in").mkdir()
    return _nrrd("scan.nhdr", data_file="../scan.raw")(folder).rename(folder / "in" / "scan.nhdr")


NRRD = [
    Row("NRRD cut", _nrrd(voxels=_latin(_PLAIN[:-400])), SHORT_OR_LONG),
    Row("NRRD one byte long", _nrrd(voxels=_latin(_PLAIN + b"\n")), SHORT_OR_LONG),
    Row("NRRD packed and cut", _nrrd(encoding="gzip", voxels=_latin(_PACKED[:-300])), DAMAGED),
    Row("NRRD packed with one damaged byte", _nrrd(encoding="gzip", voxels=_latin(_flip(_PACKED))), DAMAGED),
    Row("NRRD said to be packed", _nrrd(encoding="gzip"), DAMAGED),
    Row(
        "NRRD whose packed content is short",
        _nrrd(encoding="gzip", voxels=_latin(gzip.compress(_PLAIN[:-2]))),
        SHORT_OR_LONG,
    ),
    Row("a field of 10 MB", _nrrd(content="x" * 10_000_000), DAMAGED),
    Row("a header that does not end", _file("scan.nrrd", b"NRRD0004\n" + b"# more\n" * 200_000), DAMAGED),
    Row("no header at all", _file("scan.nrrd", bytes(5000)), DAMAGED),
    Row("a printf pattern in .nhdr", _nrrd("scan.nhdr", data_file="%s%s%s%n.raw 1 9 1"), ELSEWHERE),
    Row("a numbered pattern in .nhdr", _nrrd("scan.nhdr", data_file="slice%03d.raw 1 12 1"), ELSEWHERE),
    Row("a list in .nhdr", _nrrd("scan.nhdr", data_file="LIST"), ELSEWHERE),
    Row("an absolute path in .nhdr", _nrrd("scan.nhdr", data_file="/etc/passwd"), ELSEWHERE),
    Row("a Windows path in .nhdr", _nrrd("scan.nhdr", data_file="C:\\data\\scan.raw"), ELSEWHERE),
    Row("a folder above in .nhdr", _detached_outside, ELSEWHERE),
    Row("voxels of .nhdr not there", _nrrd("scan.nhdr", data_file="other.raw"), "was not found"),
    Row("a pipe in the place of voxels", _detached_pipe, "pipe or device"),
    Row("the header itself as voxels", _nrrd("scan.nhdr", data_file="scan.nhdr"), SHORT_OR_LONG),
    Row(".nhdr that names no voxels", _bytes(_nrrd("scan.nhdr"), lambda c: c.rstrip(b"\n")), DAMAGED),
    Row("an NRRD axis of none", _nrrd(sizes="24 0 12"), DAMAGED),
    Row("an NRRD axis of minus 24", _nrrd(sizes="-24 20 12"), DAMAGED),
    Row("sizes that are words", _nrrd(sizes="a b c"), DAMAGED),
    Row("fewer sizes than axes", _nrrd(sizes="24 20"), DAMAGED),
    Row("99 NRRD axes", _nrrd(dimension="99", sizes=" ".join(["1"] * 99)), DAMAGED),
    Row("NRRD of 21 GB", _nrrd(sizes="2000 2000 2600"), "million voxels"),
    Row("NRRD of 10^54 voxels", _nrrd(sizes=" ".join(["9" * 18] * 3)), "million voxels"),
    Row("an NRRD type of blocks", _nrrd(type="block"), "NRRD type"),
    Row("an unknown NRRD type", _nrrd(type="quaternion"), "NRRD type"),
    Row("NRRD packed by bzip2", _nrrd(encoding="bzip2"), "NRRD encoding"),
    Row("NRRD as hex digits", _nrrd(encoding="hex"), "NRRD encoding"),
    Row("NRRD without its encoding", _nrrd(encoding=None), "NRRD encoding"),
    Row("NRRD without its byte order", _nrrd(endian=None), "NRRD endian"),
    Row("NRRD with lines before its voxels", _nrrd(line_skip="3"), "NRRD line skip"),
    Row("NRRD that skips backward", _nrrd(byte_skip="-9"), "NRRD line skip"),
    Row("NRRD without voxel sizes", _nrrd(space_directions=None, space_origin=None), "size of its voxels"),
    Row("NRRD with spacings of NaN", _nrrd(space_directions=None, spacings="nan nan nan"), "no scanner gives"),
    Row("NRRD with spacings of 0", _nrrd(space_directions=None, spacings="0 0 0"), "no scanner gives"),
    Row("NRRD in inches", _nrrd(space_units='"in" "in" "in"'), "unit that is not read here"),
    Row("NRRD in two units", _nrrd(space_units='"mm" "mm" "cm"'), "unit that is not read here"),
    Row("NRRD directions that are words", _nrrd(space_directions="(a,b,c) (1,0,0) (0,1,0)"), DAMAGED),
    Row("NRRD directions in a plane", _nrrd(space_directions="(1,0,0) (1,0,0) (0,1,0)"), "sheared"),
    Row("NRRD sheared", _nrrd(space_directions="(4,0,0) (2,3,0) (0,0,5)"), "sheared"),
    Row("NRRD origin of infinity", _nrrd(space_origin="(inf,0,0)"), "possible place"),
    Row("an NRRD field twice", _bytes(_nrrd(), lambda c: c.replace(b"endian", b"type: short\nendian", 1)), DAMAGED),
    Row(
        "NRRD colors",
        _nrrd(
            dimension="4",
            sizes="3 24 20 4",
            kinds="RGB-color domain domain domain",
            space_directions="none (1,0,0) (0,1,0) (0,0,1)",
        ),
        "color",
    ),
    Row(
        "NRRD time series",
        _nrrd(
            dimension="4",
            sizes="24 20 6 2",
            kinds="domain domain domain list",
            space_directions="(1,0,0) (0,1,0) (0,0,1) none",
        ),
        "2 volumes",
    ),
]

NRRD_READ = [
    Row("NRRD, read", _nrrd()),
    Row("NRRD by ITK", lambda folder: _written(folder, "scan.nrrd")),
    Row("NRRD by ITK, packed", lambda folder: _written(folder, "scan.nrrd", packed=True)),
    Row("NRRD packed", _nrrd(encoding="gzip", voxels=_latin(_PACKED))),
    Row(
        "NRRD as text", _nrrd(encoding="text", voxels=" ".join(str(x) for x in sitk.GetArrayFromImage(truth()).ravel()))
    ),
    Row("NRRD detached", _nrrd("scan.nhdr", data_file="scan.raw")),
    Row(
        "NRRD detached, voxels at the end",
        _nrrd("scan.nhdr", data_file="./scan.raw", byte_skip="-1", voxels=_latin(b"head of its own" + _PLAIN)),
    ),
    Row(
        "NRRD in big-endian",
        _nrrd(endian="big", voxels=_latin(sitk.GetArrayFromImage(truth()).astype(">i2").tobytes())),
    ),
    Row("NRRD in millimeters spelled out", _nrrd(space_units='"millimeters" "millimeters" "millimeters"')),
    Row("NRRD in meters", lambda folder: _in_meters(folder)),
    Row(
        "NRRD with its first axis of one",
        _nrrd(
            dimension="4",
            sizes="1 24 20 12",
            kinds="vector domain domain domain",
            space_directions="none "
            + " ".join(
                f"({','.join(repr(float(x)) for x in step)})"
                for step in (np.diag([-1, -1, 1]) @ _affine_ras()[:3, :3]).T
            ),
        ),
    ),
]


def _in_meters(folder: Path) -> Path:
    steps = np.reshape(truth().GetDirection(), (3, 3)) * truth().GetSpacing() / 1000
    vectors = " ".join(f"({','.join(repr(float(x)) for x in steps[:, axis])})" for axis in range(3))
    return _nrrd(space_directions=vectors, space_origin="(-0.048,-0.04,0.03)", space_units='"m" "m" "m"')(folder)


def _meta(name: str = "scan.mha", **fields: str | None) -> Build:
    """A MetaImage file written field by field; see ``_nrrd``."""

    def build(folder: Path) -> Path:
        image = truth()
        header: dict[str, str | None] = {
            "ObjectType": "Image",
            "NDims": "3",
            "BinaryData": "True",
            "BinaryDataByteOrderMSB": "False",
            "CompressedData": "False",
            "TransformMatrix": " ".join(repr(float(x)) for x in np.reshape(image.GetDirection(), (3, 3)).T.ravel()),
            "Offset": " ".join(repr(float(x)) for x in image.GetOrigin()),
            "ElementSpacing": "4 3 5.5",
            "DimSize": "24 20 12",
            "ElementType": "MET_SHORT",
        }
        given = dict(fields)
        voxels, data = given.pop("voxels", None), given.pop("ElementDataFile", "LOCAL")
        header |= given
        lines = "".join(f"{key} = {value}\n" for key, value in header.items() if value is not None)
        content = _PLAIN if voxels is None else voxels.encode("latin-1")
        last = "" if data is None else f"ElementDataFile = {data}\n"
        (folder / name).write_bytes((lines + last).encode() + (content if name.endswith(".mha") else b""))
        (folder / "scan.raw").write_bytes(content)
        return folder / name

    return build


_ZLIB = zlib.compress(_PLAIN)

META = [
    *(Row(f"{text} MetaImage axes", _meta(NDims=text), DAMAGED) for text in ("99", "-1", "0", "x")),
    Row("MetaImage cut", _meta(voxels=_latin(_PLAIN[:-9])), SHORT_OR_LONG),
    Row("MetaImage one byte long", _meta(voxels=_latin(_PLAIN + b"\0")), SHORT_OR_LONG),
    Row("MetaImage packed with one damaged byte", _meta(CompressedData="True", voxels=_latin(_flip(_ZLIB))), DAMAGED),
    Row("MetaImage packed and cut, no length", _meta(CompressedData="True", voxels=_latin(_ZLIB[:-500])), DAMAGED),
    Row(
        "MetaImage packed, content short",
        _meta(CompressedData="True", voxels=_latin(zlib.compress(_PLAIN[:-2]))),
        SHORT_OR_LONG,
    ),
    Row(
        "MetaImage packed, content long",
        _meta(CompressedData="True", voxels=_latin(zlib.compress(_PLAIN * 40))),
        SHORT_OR_LONG,
    ),
    Row("MetaImage said to be packed", _meta(CompressedData="True"), DAMAGED),
    Row("a printf pattern in .mhd", _meta("scan.mhd", ElementDataFile="%s%n%d.raw 1 9 1"), ELSEWHERE),
    Row("a list in .mhd", _meta("scan.mhd", ElementDataFile="LIST"), ELSEWHERE),
    Row("an absolute path in .mhd", _meta("scan.mhd", ElementDataFile="/dev/zero"), ELSEWHERE),
    Row("a folder above in .mhd", _meta("scan.mhd", ElementDataFile="../scan.raw"), ELSEWHERE),
    Row("voxels of .mhd not there", _meta("scan.mhd", ElementDataFile="other.raw"), "was not found"),
    Row("voxels of .mhd cut", _meta("scan.mhd", ElementDataFile="scan.raw", voxels=_latin(_PLAIN[:-1])), SHORT_OR_LONG),
    Row("fewer MetaImage sizes than axes", _meta(DimSize="24 20"), DAMAGED),
    Row("a MetaImage axis of minus 24", _meta(DimSize="-24 20 12"), DAMAGED),
    Row("MetaImage of 21 GB", _meta(DimSize="2000 2000 2600"), "million voxels"),
    Row("MetaImage colors", _meta(ElementNumberOfChannels="3"), "color"),
    Row("MetaImage arrays", _meta(ElementType="MET_UCHAR_ARRAY"), "color"),
    Row("MetaImage of an unknown type", _meta(ElementType="MET_STRING"), "MetaImage type"),
    Row("MetaImage without voxel sizes", _meta(ElementSpacing=None), "size of its voxels"),
    Row("MetaImage with sizes of 0", _meta(ElementSpacing="0 0 0"), "no scanner gives"),
    Row("MetaImage with sizes of NaN", _meta(ElementSpacing="nan 1 1"), "no scanner gives"),
    Row("MetaImage with a negative size", _meta(ElementSpacing="-4 3 5.5"), "voxels of -4 x 3 x 5.5 mm"),
    Row("MetaImage in centimeters", _meta(DistanceUnits="cm"), "unit that is not read here"),
    Row("MetaImage of two byte orders", _meta(ElementByteOrderMSB="True"), DAMAGED),
    Row("MetaImage sheared", _meta(TransformMatrix="1 0 0 0.6 0.8 0 0 0 1"), "sheared"),
    Row("MetaImage axes that are words", _meta(TransformMatrix="a b c d e f g h i"), DAMAGED),
    Row("MetaImage with too few cosines", _meta(TransformMatrix="1 0 0 0"), DAMAGED),
    Row("MetaImage that names no voxels", _meta(ElementDataFile=None), DAMAGED),
    Row("MetaImage of text with too few words", _meta(BinaryData="False", voxels="1 2 3"), DAMAGED),
    Row("MetaImage with another header inside", _meta(HeaderSize="12"), "MetaImage HeaderSize"),
    Row("a MetaImage scene", _meta(ObjectType="Scene"), DAMAGED),
    Row("a MetaImage field twice", _bytes(_meta(), lambda c: b"NDims = 3\n" + c), DAMAGED),
]

META_READ = [
    Row("MetaImage, read", _meta()),
    Row("MetaImage by ITK, packed", lambda folder: _written(folder, "scan.mha", packed=True)),
    Row("MetaImage packed, no length", _meta(CompressedData="True", voxels=_latin(_ZLIB))),
    Row("MetaImage detached", _meta("scan.mhd", ElementDataFile="scan.raw")),
    Row(
        "MetaImage detached, voxels at the end",
        _meta("scan.mhd", ElementDataFile="scan.raw", HeaderSize="-1", voxels="head" + _latin(_PLAIN)),
    ),
    Row(
        "MetaImage as text",
        _meta(BinaryData="False", voxels=" ".join(str(x) for x in sitk.GetArrayFromImage(truth()).ravel())),
    ),
]


def _fifo(folder: Path) -> Path:
    os.mkfifo(folder / "scan.nii.gz")
    return folder / "scan.nii.gz"


def _link(target: str) -> Build:
    def build(folder: Path) -> Path:
        (folder / "scan.nii").symlink_to(target)
        return folder / "scan.nii"

    return build


def _folder(folder: Path) -> Path:
    (folder / "scan.nii.gz").mkdir()
    return folder / "scan.nii.gz"


PLACES = [
    Row("a pipe", _fifo, "pipe or device"),
    Row("a link to a device without end", _link("/dev/zero"), "pipe or device"),
    Row("a link that leads nowhere", _link("absent.nii"), "was not found"),
    Row("a link in a circle", _link("scan.nii"), "was not found"),
    Row("a folder named as a file", _folder, "no DICOM images"),
    Row("a file that is not there", lambda folder: folder / "scan.nii", "was not found"),
    Row("a name of 5000 letters", lambda folder: folder / ("x" * 5000 + ".nii"), "was not found"),
    Row("a name with a NUL", lambda folder: folder / "a\0b.nii", "was not found"),
    Row("a picture", _file("scan.png", b"\x89PNG"), "not in a format"),
    Row("a DICOM file by itself", _file("scan.dcm", bytes(128) + b"DICM"), "not in a format"),
]


OUTPUTS = [
    Row(
        f"an output {what}",
        _NII,
        "path of an output",
        ("predict", "--t1gd", "{}", "--out", name, "--progress", "none"),
    )
    for what, name in (
        ("of 5000 letters", "{in}/" + "x" * 5000),
        ("with a NUL", "{in}/a\0b"),
        ("that is not UTF-8", "{in}/" + os.fsdecode(b"M\xfcller")),
    )
]

WITH_MASK = ("predict", "--t1gd", "{in}/t1gd.nii", "--brain-mask", "{}", "--out", "{out}", "--progress", "none")


def _beside_a_scan(make: Build) -> Build:
    """A mask in a folder of its own beside a sound scan."""

    def build(folder: Path) -> Path:
        _whole_head(folder)
        (folder / "mask").mkdir()
        return make(folder / "mask")

    return build


def _whole_head(folder: Path) -> None:
    image = truth()
    image.SetSpacing((8.0, 8.0, 14.0))
    sitk.WriteImage(image, str(folder / "t1gd.nii"))


def _soft(high: float) -> np.ndarray:
    values = np.linspace(0, high, 24 * 20 * 12).reshape(24, 20, 12)
    return values.astype(np.float32)


_ONES = np.ones((24, 20, 12), np.uint8)
_MASKS: list[tuple[str, Build, str]] = [
    ("a brain mask that is not there", lambda folder: folder / "mask.nii", "brain mask was not found"),
    ("a brain mask that is a pipe", _fifo, "pipe or device stands where the file of brain mask"),
    ("a brain mask that is a folder", _folder, "stands where the file of brain mask"),
    ("a brain mask of another place", _nifti(values=_ONES, affine=_moved()), "brain mask does not line up"),
    ("a brain mask of another size", _nifti(values=_ONES[:-1]), "brain mask does not line up"),
    ("a brain mask of percents", _nifti(values=_soft(100)), "neither labels nor probabilities"),
    ("a brain mask with negative fractions", _nifti(values=_soft(1) - 0.5), "neither labels nor probabilities"),
    ("a brain mask of -1 and 1", _nifti(values=np.where(_soft(1) > 0.5, 1, -1).astype(np.int16)), "neither labels nor"),
    ("a scan as brain mask", _NII, "neither labels nor probabilities"),
    (
        "a brain mask of NaN",
        _nifti(values=np.where(_ONES.astype(bool), np.nan, 0).astype(np.float32)),
        "not numbers in 5760",
    ),
    ("a brain mask cut", _bytes(_nifti(values=_ONES), _cut(0.8)), "brain mask file is damaged"),
    ("a time series as brain mask", _nifti(values=np.ones((8, 8, 8, 2), np.uint8)), "brain mask file holds 2 volumes"),
]
MASKS = [Row(name, _beside_a_scan(build), says, WITH_MASK) for name, build, says in _MASKS]

REFUSED = [
    *(Row(row.name, row.build, row.says, PREDICT) for row in (*NIFTI, *NRRD, *META, *PLACES)),
    *MASKS,
    *OUTPUTS,
]
READ = [*NIFTI_READ, *NRRD_READ, *META_READ]
UNKNOWN_ORIENTATION = [
    Row("NIfTI whose two codes are 0", _nifti(sform=0, qform=0), "left and right"),
    Row(
        "NRRD with spacings alone",
        _nrrd(space_directions=None, space=None, space_origin=None, spacings="4 3 5.5"),
        "left and right",
    ),
    Row("NRRD in a space without a patient", _nrrd(space="scanner-xyz"), "left and right"),
    Row("MetaImage without directions", _meta(TransformMatrix=None), "left and right"),
]
