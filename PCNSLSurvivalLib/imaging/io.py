"""Reading scans as they come and writing volumes, with the geometry intact."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import OutputFolderError, UnreadableScanError
from PCNSLSurvivalLib.core.installed_files import sha256_of
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.dicom import read_dicom_series

FILE_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")

Volume: TypeAlias = "MRSequence | Message"
"""How messages call what is read: a sequence, or words such as ``Message("word.brain_mask")``."""

# Headers of one scan that differ by more than this place the head visibly elsewhere.
_HEADER_TOLERANCE_MM = 1.0

_NIFTI_HEADER_BYTES = 352


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One volume as it was read.

    Attributes:
        sequence: What the user says it is.
        image: 3-D ``float32`` volume on its own grid, LPS mm, in the file's own voxel order.
        source_format: "NIfTI", "NRRD", "MetaImage" or "DICOM".
        remarks: On anything odd in the header that reading could resolve.
    """

    sequence: MRSequence
    image: sitk.Image
    source_format: str
    remarks: tuple[Message, ...] = ()


def read_scan(path: Path, sequence: MRSequence) -> Scan:
    """Read one 3-D MR volume from a file or from a folder with one DICOM series.

    A fourth axis of length one is dropped; integers become ``float32``.

    Args:
        path: A NIfTI, NRRD or MetaImage file, or a folder that holds the files of one DICOM series.
        sequence: Which sequence the volume is, for messages.

    Returns:
        The scan; its content is not judged here (see ``imaging.quality``).

    Raises:
        UnreadableScanError: Nothing there, not a volume, more than one time point, color, or damaged.
    """
    # ITK would print its own lines to stderr beside our sentences.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    if not path.exists():
        raise UnreadableScanError(Message("scan.not_found", sequence=sequence))
    if path.is_dir():
        return Scan(sequence=sequence, image=read_dicom_series(path, sequence), source_format="DICOM")
    if not path.name.lower().endswith(FILE_ENDINGS):
        raise UnreadableScanError(Message("scan.unknown_format", sequence=sequence))
    image, remarks = _read_file(path, sequence)
    return Scan(
        sequence=sequence,
        image=_as_float_volume(image, sequence),
        source_format=_format_of(path),
        remarks=remarks,
    )


def read_mask(path: Path, volume: Message, *, labels: tuple[int, ...] | None = None) -> sitk.Image:
    """Read a mask file as ``uint8``: 1 where the file is not zero, or holds one of some labels.

    Args:
        path: NIfTI, NRRD or MetaImage file.
        volume: What the mask is: ``Message("word.brain_mask")``.
        labels: The labels that count; every one but 0 if left out.

    Raises:
        UnreadableScanError: As for ``read_scan``.
    """
    if not path.is_file():
        raise UnreadableScanError(Message("mask.not_found", volume=volume))
    image, _ = _read_file(path, volume)
    values = _as_float_volume(image, volume)
    if labels is None:
        return sitk.Cast(values != 0, sitk.sitkUInt8)
    mask = sitk.GetImageFromArray(np.isin(sitk.GetArrayViewFromImage(values), labels).astype(np.uint8))
    mask.CopyInformation(values)
    return mask


def read_volume(path: Path) -> sitk.Image:
    """Read a volume that ``write_volume`` wrote, whole, with its own type of voxel.

    Raises:
        UnreadableScanError: The file is gone, or damaged in any place.
    """
    return _read_named_file(path, Message("word.volume"))[0]


def content_sha256(path: Path) -> str:
    """SHA-256 of a scan file, or of all files of a DICOM folder in the order of their names."""
    if path.is_file():
        return sha256_of(path)
    files = sorted(file for file in path.iterdir() if file.is_file())
    return hashlib.sha256("\n".join(f"{file.name} {sha256_of(file)}" for file in files).encode()).hexdigest()


def write_volume(image: sitk.Image, path: Path) -> None:
    """Write a volume with its grid, compressed; the ending of ``path`` chooses the format.

    Raises:
        OutputFolderError: The file was cut short, as a full disk does it: ITK says nothing then.
    """
    sitk.WriteImage(image, str(path), useCompression=True)
    if path.name.lower().endswith(".nii.gz") and _unpacked_bytes(path) != _NIFTI_HEADER_BYTES + _voxel_bytes(image):
        raise OutputFolderError(Message("files.volume_cut_short"))


def _unpacked_bytes(path: Path) -> int:
    """What the last four bytes of a gzip file say of its content (RFC 1952), without unpacking it."""
    with path.open("rb") as stream:
        stream.seek(-min(4, path.stat().st_size), 2)
        return int.from_bytes(stream.read(), "little")


def _voxel_bytes(image: sitk.Image) -> int:
    voxel = image.GetSizeOfPixelComponent() * image.GetNumberOfComponentsPerPixel()
    return int(image.GetNumberOfPixels() * voxel) % 2**32


def _read_file(path: Path, volume: Volume) -> tuple[sitk.Image, tuple[Message, ...]]:
    # Asked for scan.nii.gz, ITK reads scan.nii where both lie in one folder. A copy apart is read instead.
    if path.name.lower().endswith(".nii.gz") and path.with_suffix("").exists():
        with tempfile.TemporaryDirectory() as apart:
            return _read_named_file(Path(shutil.copy(path, Path(apart) / "scan.nii.gz")), volume)
    return _read_named_file(path, volume)


def _read_named_file(path: Path, volume: Volume) -> tuple[sitk.Image, tuple[Message, ...]]:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as problem:
        raise _unreadable(volume, problem) from problem
    _check_shape(reader, volume)
    try:
        if path.name.lower().endswith(".gz"):
            _check_compressed_file(path)
        image = reader.Execute()
    except (RuntimeError, MemoryError, EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise _unreadable(volume, problem) from problem
    return image, _header_remarks(reader, volume)


def _check_compressed_file(path: Path) -> None:
    """Read a gzip file to its end: ITK fills what is missing of a truncated one with noise and says nothing."""
    with gzip.open(path) as stream:
        while stream.read(1 << 24):
            pass


def _check_shape(reader: sitk.ImageFileReader, volume: Volume) -> None:
    """Refuse from the header alone what is no 3-D volume, before a large file is loaded."""
    size = reader.GetSize()
    if reader.GetNumberOfComponents() > 1:
        raise UnreadableScanError(Message("scan.color_file", volume=volume))
    if len(size) > 3 and max(size[3:]) > 1:
        raise UnreadableScanError(Message("scan.time_series", volume=volume, count=max(size[3:])))
    if len(size) < 3 or min(size[:3]) < 2:
        raise UnreadableScanError(Message("scan.two_dimensional_file", volume=volume))


def _as_float_volume(image: sitk.Image, volume: Volume) -> sitk.Image:
    if "complex" in image.GetPixelIDTypeAsString():
        raise UnreadableScanError(Message("scan.complex_numbers", volume=volume))
    while image.GetDimension() > 3:
        size = list(image.GetSize())
        size[-1] = 0
        image = sitk.Extract(image, size, [0] * image.GetDimension())
    return sitk.Cast(image, sitk.sitkFloat32)


def _header_remarks(reader: sitk.ImageFileReader, volume: Volume) -> tuple[Message, ...]:
    """Say so when the two positions that a NIfTI header can hold differ."""
    if not (_code(reader, "qform_code") and _code(reader, "sform_code")):
        return ()
    quaternion = [_number(reader, f"quatern_{axis}") for axis in "bcd"]
    offset = [_number(reader, f"qoffset_{axis}") for axis in "xyz"]
    rows = [reader.GetMetaData(f"srow_{axis}").split() for axis in "xyz"]
    sform = np.array(rows, dtype=float)
    spacing = np.array([_number(reader, f"pixdim[{axis}]") for axis in (1, 2, 3)])
    corners = np.array(np.meshgrid(*[(0.0, n - 1.0) for n in reader.GetSize()[:3]])).reshape(3, -1)
    # ITK does not pass on the sign (qfac) that turns the third axis of the qform, so the nearer of both counts.
    qforms = [np.column_stack([_rotation(quaternion) * spacing * (1, 1, sign), offset]) for sign in (1, -1)]
    gap = min(np.abs((sform - qform) @ np.vstack([corners, np.ones(8)])).max() for qform in qforms)
    if gap <= _HEADER_TOLERANCE_MM:
        return ()
    return (Message("scan.two_positions", volume=volume, gap=gap),)


def _rotation(quaternion_bcd: list[float]) -> np.ndarray:
    b, c, d = quaternion_bcd
    a = np.sqrt(max(0.0, 1.0 - b * b - c * c - d * d))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


def _code(reader: sitk.ImageFileReader, key: str) -> int:
    return int(_number(reader, key)) if reader.HasMetaDataKey(key) else 0


def _number(reader: sitk.ImageFileReader, key: str) -> float:
    return float(reader.GetMetaData(key))


def _format_of(path: Path) -> str:
    ending = path.name.lower()
    if ending.endswith((".nii", ".nii.gz")):
        return "NIfTI"
    return "NRRD" if ending.endswith((".nrrd", ".nhdr")) else "MetaImage"


def _unreadable(volume: Volume, problem: BaseException) -> UnreadableScanError:
    # ITK's own text names the file with its path, so only its kind is passed on.
    if "orthonormal" in str(problem):
        return UnreadableScanError(Message("scan.sheared_axes", volume=volume))
    if isinstance(problem, MemoryError) or "bad_alloc" in str(problem) or "allocate" in str(problem):
        return UnreadableScanError(Message("scan.too_large_for_memory", volume=volume))
    return UnreadableScanError(Message("scan.damaged_file", volume=volume))
