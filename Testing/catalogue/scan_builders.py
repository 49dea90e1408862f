"""What the rows of scan files are built of: one known volume, written in each format and then damaged."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk

from catalogue.rows import Build

NAN = float("nan")

PREDICT = ("predict", "--t1gd", "{}", "--out", "{out}", "--progress", "none")

SHORT_OR_LONG, DAMAGED, ELSEWHERE = (
    "the file is shorter or longer",
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


def written(folder: Path, name: str, image: sitk.Image | None = None, *, packed: bool = False) -> Path:
    sitk.WriteImage(truth() if image is None else image, str(folder / name), useCompression=packed)
    return folder / name


def affine_ras() -> np.ndarray:
    image = truth()
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return np.diag([-1, -1, 1, 1]) @ affine


def values_ijk() -> np.ndarray:
    return sitk.GetArrayFromImage(truth()).T


def nifti(
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
        place = affine_ras() if affine is None else affine
        stored = values_ijk() if values is None else values
        image = kind(stored, place, dtype=stored.dtype)
        image.set_sform(place, sform)
        image.set_qform(place if qform else None, qform, strip_shears=True)
        if change is not None:
            change(image.header)
        nibabel.save(image, folder / name)
        return folder / name

    return build


def labels() -> np.ndarray:
    """Three regions with the values of a tumor's parts."""
    values = np.zeros((24, 20, 12), np.uint8)
    values[4:20, 4:16, 2:10], values[8:16, 6:12, 4:8], values[10:13, 7:9, 5:7] = 2, 4, 1
    return values


def patched(place: int, kind: str, *values: float, name: str = "scan.nii") -> Build:
    """A NIfTI file with some bytes of its header replaced."""

    def build(folder: Path) -> Path:
        path = nifti()(folder)
        content = bytearray(path.read_bytes())
        struct.pack_into("<" + kind, content, place, *values)
        path.unlink()
        path = folder / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return build


def several(*patches: tuple) -> Build:
    """A NIfTI file with several places of its header replaced: (first byte, struct format, values)."""

    def build(folder: Path) -> Path:
        path = nifti()(folder)
        content = bytearray(path.read_bytes())
        for place, kind, *values in patches:
            struct.pack_into("<" + kind, content, place, *values)
        path.write_bytes(content)
        return path

    return build


def changed(make: Build, change: Callable[[bytes], bytes]) -> Build:
    """A file whose bytes are changed after it was written."""

    def build(folder: Path) -> Path:
        path = make(folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return build


def flip(content: bytes, share: float = 0.6) -> bytes:
    changed = bytearray(content)
    changed[int(len(content) * share)] ^= 0xFF
    return bytes(changed)


def file_of(name: str, content: bytes) -> Build:
    def build(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return build


SHEAR = np.array([[1, 0.6, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])


def _set(**fields: object) -> Callable[[nibabel.Nifti1Header], None]:
    def change(header: nibabel.Nifti1Header) -> None:
        for name, value in fields.items():
            header[name] = value

    return change


def pair(folder: Path) -> Path:
    return nifti("scan.hdr", kind=nibabel.Nifti1Pair)(folder)


def pair_without_voxels(folder: Path) -> Path:
    path = pair(folder)
    path.with_suffix(".img").unlink()
    return path


def pair_cut(folder: Path) -> Path:
    path = pair(folder)
    image = path.with_suffix(".img")
    image.write_bytes(image.read_bytes()[:-1])
    return path


def pair_with_copy(change: Callable[[bytes], bytes]) -> Build:
    """A pair with a packed file of voxels beside it, which is a changed copy of the other."""

    def build(folder: Path) -> Path:
        path = pair(folder)
        image = path.with_suffix(".img")
        (folder / f"{image.name}.gz").write_bytes(gzip.compress(change(image.read_bytes())))
        return path

    return build


def renamed(make: Build, name: str) -> Build:
    return lambda folder: make(folder).rename(folder / name)


def bomb(folder: Path) -> Path:
    content = nifti()(folder).read_bytes()
    (folder / "scan.nii").unlink()
    (folder / "scan.nii.gz").write_bytes(gzip.compress(content + bytes(200_000_000)))
    return folder / "scan.nii.gz"


def int_ramp(dtype: object) -> np.ndarray:
    return values_ijk().astype(dtype)


def rounded() -> np.ndarray:
    affine = affine_ras()
    affine[:3, :3] = np.round(affine[:3, :3] / (4.0, 3.0, 5.5), 3) * (4.0, 3.0, 5.5)
    return affine


def cut(share: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: int(len(content) * share)]


NII, GZ = nifti(), nifti("scan.nii.gz")
