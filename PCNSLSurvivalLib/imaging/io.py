"""Reading scans as they come and writing volumes, with the geometry intact."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import DTypeLike, NDArray

from PCNSLSurvivalLib.core.errors import OutputFolderError, UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.installed_files import sha256_of
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.dicom.series import read_dicom_series
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.imaging.headers.metaimage import read_metaimage_header
from PCNSLSurvivalLib.imaging.headers.nifti import read_nifti_header
from PCNSLSurvivalLib.imaging.headers.nrrd import read_nrrd_header
from PCNSLSurvivalLib.imaging.headers.regular_files import Volume, kind_of, refuse_not_fetched, size_of_regular
from PCNSLSurvivalLib.imaging.headers.stored_voxels import read_voxels
from PCNSLSurvivalLib.imaging.headers.volume_header import VolumeHeader
from PCNSLSurvivalLib.imaging.sequences.header import SeriesHeader, read_series_header
from PCNSLSurvivalLib.imaging.sequences.names import Reason, judge_series
from PCNSLSurvivalLib.imaging.sequences.sidecar import read_sidecar

FILE_ENDINGS = (".nii", ".nii.gz", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd")

_NO_HEADER = SeriesHeader()
_A_VOLUME = Message("word.volume")

_OTHER = (Reason.OTHER_IMAGE, Reason.OTHER_REGION, Reason.IMAGE_TYPE, Reason.CONTRADICTION, Reason.MODALITY)
"""What is said of a scan that was chosen by hand: diffusion, a subtraction, the spine, timing that does not fit."""

_NO_GADOLINIUM = re.compile(
    r"(?<![a-z])(?:ferumox[a-z]*|feraheme|rienso|ferucarbotran|resovist|endorem|feridex|sinerem|combidex|uspio|"
    r"iron[ _-]?oxide|mangafodipir|teslascan|iodine)(?![a-z])",
    re.IGNORECASE,
)
"""Agents of iron, manganese or iodine."""

_DETACHED = (".hdr", ".img", ".nhdr", ".mhd")
_NIFTI_HEADER_BYTES = 352

_HALF = 0.5
_WHOLE_NUMBER = 1e-3
_FEW_LABELS = 10
"""More are a parcellation, or percentages."""
_ALIKE_IN_REGIONS = 0.6
_MOST_LABELS = 200
"""Whole-brain parcellations have up to about 190 labels; an image has more values."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """One volume as it was read.

    Attributes:
        sequence: What the user says it is.
        image: 3-D ``float32`` volume on its own grid, LPS mm, in the file's own voxel order.
        source_format: "NIfTI", "NRRD", "MetaImage" or "DICOM".
        remarks: On anything odd in the header that reading could resolve.
        agent: The contrast agent that a DICOM header or a JSON sidecar names; empty where a DICOM header names none,
            None where there is neither.
    """

    sequence: MRSequence
    image: sitk.Image
    source_format: str
    remarks: tuple[Message, ...] = ()
    agent: str | None = None


def read_scan(path: Path, sequence: MRSequence) -> Scan:
    """Read one 3-D MR volume from a file or from a folder with one DICOM series.

    Headers are read and bounded here (``imaging.headers``, ``imaging.dicom``) and held against the file's length before
    any voxel is read; docs/accepted-inputs.md says what is accepted. Axes of length one around three others are
    dropped; integers become ``float32``.

    Args:
        path: A NIfTI, NRRD or MetaImage file, or a folder that holds the files of one DICOM series.
        sequence: Which sequence the volume is, for messages.

    Returns:
        The scan; its content is not judged here (see ``imaging.quality``).

    Raises:
        UnreadableScanError: Nothing there, not a volume, more than one time point, color, or damaged.
    """
    refuse_not_fetched(path, sequence)
    kind = kind_of(path)
    if kind == "absent":
        raise UnreadableScanError(Message("scan.not_found", sequence=sequence))
    if kind == "folder":
        series = read_dicom_series(path, sequence)
        header_of_series = read_series_header(path)
        doubts = _another_sequence(path.name, sequence, header_of_series)
        return Scan(
            sequence=sequence,
            image=series.image,
            source_format="DICOM",
            remarks=(*series.remarks, *doubts, *_another_agent(path.name, sequence, header_of_series)),
            agent=header_of_series.agent,
        )
    header, sidecar = read_header(path, sequence), read_sidecar(path)
    return Scan(
        sequence=sequence,
        image=_image(header, np.float32, sequence),
        source_format=header.source_format,
        remarks=(
            *header.remarks,
            *_another_sequence(path.name, sequence, sidecar),
            *_another_agent(path.name, sequence, sidecar),
        ),
        agent=sidecar.agent or None,
    )


def _another_sequence(name: str, sequence: MRSequence, header: SeriesHeader = _NO_HEADER) -> tuple[Message, ...]:
    """A word where name, DICOM header or JSON sidecar tell of another sequence, or of no anatomical scan of the brain.

    A region is taken from the header alone: a file's name may be a patient's, such as Herz, and would be quoted.
    """
    judged, by_header = judge_series(name, header), judge_series("", header)
    for one in (judged, by_header):
        if (
            one.sequence is None
            and one.reason in _OTHER
            and (one is by_header or one.reason is not Reason.OTHER_REGION)
        ):
            return (Message("scan.other_image", sequence=sequence, reason=one.message),)
    if judged.sequence in (sequence, None):
        return ()
    return (Message("scan.other_sequence", sequence=sequence, seen=judged.sequence, reason=judged.message),)


def _another_agent(name: str, sequence: MRSequence, header: SeriesHeader) -> tuple[Message, ...]:
    """A word where name or header tell of an agent that is no gadolinium: it enhances other tissue, at other times."""
    told = (header.agent, header.description, header.protocol, name)
    found = next((match for text in told if (match := _NO_GADOLINIUM.search(text))), None)
    if sequence is not MRSequence.T1GD or found is None:
        return ()
    return (Message("scan.other_agent", sequence=sequence, agent=found[0]),)


@dataclass(frozen=True, kw_only=True)
class Mask:
    """A mask as it was read.

    Attributes:
        image: ``uint8``, 1 inside, on its own grid.
        remarks: On how its values were understood, where that is not plain.
    """

    image: sitk.Image
    remarks: tuple[Message, ...] = ()


def read_mask(path: Path, volume: Message, *, labels: tuple[int, ...] | None = None) -> sitk.Image:
    """The image of ``read_mask_file``."""
    return read_mask_file(path, volume, labels=labels, may_be_empty=True).image


def read_mask_file(
    path: Path, volume: Message, *, labels: tuple[int, ...] | None = None, may_be_empty: bool = False
) -> Mask:
    """Read a mask file: 1 where the file holds a label, or a probability of one half or more.

    Args:
        path: NIfTI, NRRD or MetaImage file.
        volume: What the mask is, for messages.
        labels: The labels that count; every one but 0 if left out.
        may_be_empty: Whether no voxel need be inside, as where a tumor is gone. Probabilities that all lie below one
            half are refused in any case.

    Returns:
        The mask; a remark where the file holds fractions or many labels.

    Raises:
        UnreadableScanError: As for ``read_scan``; or the values are neither labels nor probabilities, such as
            percentages, or no voxel is inside.
    """
    refuse_not_fetched(path, volume)
    if kind_of(path) == "absent":
        raise UnreadableScanError(Message("mask.not_found", volume=volume))
    header = read_header(path, volume)
    image = _image(header, np.float32, volume)
    values = sitk.GetArrayViewFromImage(image)
    if not np.isfinite(values).all():
        raise UnreadableScanError(
            Message("mask.not_numbers", volume=volume, count=int(np.count_nonzero(~np.isfinite(values))))
        )
    whole = np.rint(values)
    remarks = header.remarks
    if np.abs(values - whole).max() <= _WHOLE_NUMBER:
        found = np.unique(whole)
        if len(found) > _MOST_LABELS or found[0] < 0:
            raise _no_mask(volume)
        if labels is None and len(found) > _FEW_LABELS:
            if _is_graded(whole):
                raise UnreadableScanError(Message("mask.graded", volume=volume, highest=float(found[-1])))
            remarks = (*remarks, Message("mask.many_labels", volume=volume, count=len(found) - 1))
        inside = whole != 0 if labels is None else np.isin(whole, labels)
    elif labels is None and values.min() >= 0 and values.max() <= 1 + _WHOLE_NUMBER:
        inside = values >= _HALF
        remarks = (
            *remarks,
            Message("mask.fractions", volume=volume),
        )
    else:
        raise _no_mask(volume)
    if not inside.any() and (not may_be_empty or (labels is None and values.any())):
        raise UnreadableScanError(Message("mask.empty", volume=volume, highest=float(values.max())))
    return Mask(image=image_on_grid(inside.astype(np.uint8), Grid.of(image)), remarks=remarks)


def read_volume(path: Path, volume: Volume = _A_VOLUME) -> sitk.Image:
    """Read a volume that is no scan, such as one that ``write_volume`` wrote, whole, with its own type of voxel.

    Args:
        path: A NIfTI, NRRD or MetaImage file.
        volume: What it is, for messages.

    Raises:
        UnreadableScanError: The file is gone, or damaged in any place.
    """
    header = read_header(path, volume)
    as_type = np.float32 if header.stored.scaled else header.stored.dtype.newbyteorder("=")
    return _image(header, as_type, volume)


def read_header(path: Path, volume: Volume) -> VolumeHeader:
    """Read and bound the header of a scan file, before any voxel.

    Args:
        path: A NIfTI, NRRD or MetaImage file.
        volume: What the volume is, for messages.

    Raises:
        UnreadableScanError: Not a regular file of these formats, no 3-D scalar volume, or its header contradicts
            itself or the length of the file.
    """
    ending = path.name.lower()
    if ending.endswith(".img"):
        path = path.with_name(path.name[:-4] + ".hdr")
    elif not ending.endswith(FILE_ENDINGS):
        raise UnreadableScanError(Message("scan.unknown_format", volume=volume))
    size_of_regular(path, volume)
    try:
        if ending.endswith((".nii", ".nii.gz", ".hdr", ".img")):
            return read_nifti_header(path, volume)
        if ending.endswith((".nrrd", ".nhdr")):
            return read_nrrd_header(path, volume)
        return read_metaimage_header(path, volume)
    except OSError as problem:
        raise UnreadableScanError(
            Message("scan.cannot_be_read", volume=volume, reason=problem.strerror or type(problem).__name__)
        ) from problem


def content_sha256(path: Path) -> str:
    """SHA-256 of a scan: of its file, of header and voxels of a detached one, or of a DICOM folder's files by name.

    Raises:
        UnreadableScanError: It is a pipe or a device, or not there.
    """
    kind = kind_of(path)
    if kind == "folder":
        files = sorted(file for file in path.iterdir() if kind_of(file) == "file")
    else:
        size_of_regular(path, Message("word.volume"))
        if not path.name.lower().endswith(_DETACHED):
            return sha256_of(path)
        files = sorted({path, read_header(path, Message("word.volume")).stored.path})
    return hashlib.sha256(
        "\n".join(f"{file.name} {sha256_of(file)}" for file in files).encode("utf-8", "surrogateescape")
    ).hexdigest()


def write_volume(image: sitk.Image, path: Path, *, note: str = "") -> None:
    """Write a volume with its grid; the ending of ``path`` chooses the format, and whether it is compressed.

    Args:
        image: The volume.
        path: File to make.
        note: For the header, in ASCII: the field ``descrip`` of a NIfTI file, which holds 79 letters; ``image`` has it
            afterwards, too.

    Raises:
        OutputFolderError: The file was cut short, as a full disk does it: ITK says nothing then.
    """
    if note:
        image.SetMetaData("ITK_FileNotes", note)
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


def _image(header: VolumeHeader, as_type: DTypeLike, volume: Volume) -> sitk.Image:
    """The volume of a header, its values as ``as_type``."""
    values = read_voxels(header.stored, as_type, volume)
    return image_on_grid(values.reshape(header.grid.size[::-1]), header.grid)


def _is_graded(whole_kji: NDArray[np.floating]) -> bool:
    """Whether whole numbers are percentages, or a mask that was interpolated, and no labels of regions.

    Within a region neighbors are equal: at least 71 % of them in six atlases of 33 to 193 labels. Percentages change
    from voxel to voxel: 10 to 44 % are equal around a ball with a blurred edge, up to a blur of 8 voxels. Neighbors
    outside do not count, so that small lesions with a number each are labels.
    """
    one, other = whole_kji[:, :, 1:], whole_kji[:, :, :-1]
    between = (one > 0) & (other > 0) & (one < whole_kji.max())
    return bool(between.any() and (one == other)[between].mean() < _ALIKE_IN_REGIONS)


def _no_mask(volume: Volume) -> UnreadableScanError:
    return UnreadableScanError(Message("mask.no_mask", volume=volume))
