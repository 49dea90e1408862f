"""Reading scans as they come and writing volumes, with the geometry intact."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import OutputFolderError, UnreadableScanError
from PCNSLSurvivalLib.core.installed_files import sha256_of
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.dicom import read_dicom_series

FILE_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")

_FORMATS = "NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr) or MetaImage (.mha, .mhd)"

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
        remarks: Sentences on anything odd in the header that reading could resolve.
    """

    sequence: MRSequence
    image: sitk.Image
    source_format: str
    remarks: tuple[str, ...] = ()


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
    name = sequence.label
    # ITK would print its own lines to stderr beside our sentences.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    if not path.exists():
        raise UnreadableScanError(f"The {name} scan was not found. Check the file or folder name given for {name}.")
    if path.is_dir():
        return Scan(sequence=sequence, image=read_dicom_series(path, name), source_format="DICOM")
    if not path.name.lower().endswith(FILE_ENDINGS):
        raise UnreadableScanError(
            f"The {name} scan is not in a format this software reads. Give {_FORMATS}, or the folder of a DICOM series."
        )
    image, remarks = _read_file(path, name)
    return Scan(
        sequence=sequence,
        image=_as_float_volume(image, name),
        source_format=_format_of(path),
        remarks=remarks,
    )


def read_mask(path: Path, name: str, *, labels: tuple[int, ...] | None = None) -> sitk.Image:
    """Read a mask file as ``uint8``: 1 where the file is not zero, or holds one of some labels.

    Args:
        path: NIfTI, NRRD or MetaImage file.
        name: What the mask is, for messages: "brain mask".
        labels: The labels that count; every one but 0 if left out.

    Raises:
        UnreadableScanError: As for ``read_scan``.
    """
    if not path.is_file():
        raise UnreadableScanError(f"The {name} was not found. Check its file name.")
    image, _ = _read_file(path, name)
    values = _as_float_volume(image, name)
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
    return _read_named_file(path, "volume")[0]


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
        raise OutputFolderError("A volume could not be written whole. Free room on the disk of --out and try again.")


def _unpacked_bytes(path: Path) -> int:
    """What the last four bytes of a gzip file say of its content (RFC 1952), without unpacking it."""
    with path.open("rb") as stream:
        stream.seek(-min(4, path.stat().st_size), 2)
        return int.from_bytes(stream.read(), "little")


def _voxel_bytes(image: sitk.Image) -> int:
    voxel = image.GetSizeOfPixelComponent() * image.GetNumberOfComponentsPerPixel()
    return int(image.GetNumberOfPixels() * voxel) % 2**32


def _read_file(path: Path, name: str) -> tuple[sitk.Image, tuple[str, ...]]:
    # Asked for scan.nii.gz, ITK reads scan.nii where both lie in one folder. A copy apart is read instead.
    if path.name.lower().endswith(".nii.gz") and path.with_suffix("").exists():
        with tempfile.TemporaryDirectory() as apart:
            return _read_named_file(Path(shutil.copy(path, Path(apart) / "scan.nii.gz")), name)
    return _read_named_file(path, name)


def _read_named_file(path: Path, name: str) -> tuple[sitk.Image, tuple[str, ...]]:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as problem:
        raise _unreadable(name, problem) from problem
    _check_shape(reader, name)
    try:
        if path.name.lower().endswith(".gz"):
            _check_compressed_file(path)
        image = reader.Execute()
    except (RuntimeError, MemoryError, EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise _unreadable(name, problem) from problem
    return image, _header_remarks(reader, name)


def _check_compressed_file(path: Path) -> None:
    """Read a gzip file to its end: ITK fills what is missing of a truncated one with noise and says nothing."""
    with gzip.open(path) as stream:
        while stream.read(1 << 24):
            pass


def _check_shape(reader: sitk.ImageFileReader, name: str) -> None:
    """Refuse from the header alone what is no 3-D volume, before a large file is loaded."""
    size = reader.GetSize()
    if reader.GetNumberOfComponents() > 1:
        raise UnreadableScanError(
            f"The {name} file is a color or vector image, not an MR scan. Give the original scan, not a picture "
            "or an overlay made from it."
        )
    if len(size) > 3 and max(size[3:]) > 1:
        raise UnreadableScanError(
            f"The {name} file holds {max(size[3:])} volumes (a time series or several echoes). Save the one "
            "to be used as a file of its own and give that."
        )
    if len(size) < 3 or min(size[:3]) < 2:
        raise UnreadableScanError(
            f"The {name} file is a single two-dimensional image. Give the whole volume: one file with all "
            "slices, or the folder of the DICOM series."
        )


def _as_float_volume(image: sitk.Image, name: str) -> sitk.Image:
    if "complex" in image.GetPixelIDTypeAsString():
        raise UnreadableScanError(f"The {name} file holds complex numbers. Save its magnitude and give that.")
    while image.GetDimension() > 3:
        size = list(image.GetSize())
        size[-1] = 0
        image = sitk.Extract(image, size, [0] * image.GetDimension())
    return sitk.Cast(image, sitk.sitkFloat32)


def _header_remarks(reader: sitk.ImageFileReader, name: str) -> tuple[str, ...]:
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
    return (
        f"The {name} file states two positions (sform and qform) that differ by up to {gap:.0f} mm; its sform "
        "was used. If slices or overlay look displaced, convert the scan from DICOM again.",
    )


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


def _unreadable(name: str, problem: BaseException) -> UnreadableScanError:
    # ITK's own text names the file with its path, so only its kind is passed on.
    if "orthonormal" in str(problem):
        return UnreadableScanError(
            f"The {name} file states sheared or scaled axes, which is no scanner's grid. Resample it to a "
            "rectangular grid, for example in Slicer with 'Harden transform' and 'Resample Image (BRAINS)'."
        )
    if isinstance(problem, MemoryError) or "bad_alloc" in str(problem) or "allocate" in str(problem):
        return UnreadableScanError(f"The {name} file does not fit into this computer's memory.")
    return UnreadableScanError(
        f"The {name} file is damaged or not what its ending says. Convert the scan again from DICOM, or give the "
        "folder of the DICOM series."
    )
