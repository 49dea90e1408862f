"""One DICOM series from a folder to a volume, every file accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.dicom.acquisition import mixed
from PCNSLSurvivalLib.imaging.dicom.elements import DamagedDicomError, NoDicomError
from PCNSLSurvivalLib.imaging.dicom.frames import DicomFile, Frame, read_dicom_file
from PCNSLSurvivalLib.imaging.dicom.pixels import read_pixels
from PCNSLSurvivalLib.imaging.fetched_files import not_fetched
from PCNSLSurvivalLib.imaging.geometry import FloatArray, image_on_grid
from PCNSLSurvivalLib.imaging.headers.grids import LARGEST_MOVE, rigid_grid
from PCNSLSurvivalLib.imaging.headers.regular_files import kind_of
from PCNSLSurvivalLib.imaging.headers.stored_voxels import check_count

_DICOM_ENDINGS = (".dcm", ".dicom", ".ima")
# Scanner tables round slice positions to about 0.01 mm; a missing slice changes a step by the slice distance.
_STEP_TOLERANCE = 0.05
_SAME_PLACE_MM = 0.01
_WIDER = 1.6
"""Times the stated distance; with every second slice missing it is twice as large."""


@dataclass(frozen=True, kw_only=True)
class SeriesVolume:
    """One series as a volume.

    Attributes:
        image: 3-D ``float32``, LPS mm, slices in order of position.
        remarks: What was left out of the folder.
    """

    image: sitk.Image
    remarks: tuple[Message, ...]


@dataclass(frozen=True, kw_only=True)
class _Slice:
    """One frame and the pixels it is made of."""

    frame: Frame
    file: DicomFile


def read_dicom_series(folder: Path, sequence: MRSequence) -> SeriesVolume:
    """Read the one DICOM series of a folder as a volume.

    Secondary captures, localizers, objects without an image and files of another kind are left out and named in a
    remark. Every other file must be a slice that says where it lies, and all slices together must make one block.

    Args:
        folder: Holds the files of exactly one MR series, directly and not in folders below.
        sequence: Which sequence the series is, for messages.

    Raises:
        UnreadableScanError: No series, several series, another modality, a slice without position, orientation or
            pixel spacing, slices that are missing, unevenly spaced, not parallel, stepping sideways or there twice,
            slices acquired with different settings, or a damaged file.
    """
    files, counted = _files_of(folder, sequence)
    _check_one_mr_series(files, sequence)
    files = _without_copies(files, counted)
    if (parts := max(file.parts_stated for file in files)) > len(files):
        raise UnreadableScanError(Message("dicom.missing_parts", sequence=sequence, count=len(files), stated=parts))
    slices = _in_order([_Slice(frame=frame, file=file) for file in files for frame in file.frames], sequence)
    image = _volume(files, slices, sequence)
    of_slices = (
        *_missing_ends(slices, sequence),
        *_repeated_numbers(slices, sequence),
        *_gaps(slices, image, sequence),
    )
    remarks = (*_remarks(counted, sequence), *of_slices)
    if any(one.frame.slope < 0 for one in slices):
        remarks = (*remarks, Message("scan.inverted", volume=sequence))
    return SeriesVolume(image=image, remarks=remarks)


def _files_of(folder: Path, sequence: MRSequence) -> tuple[list[DicomFile], Counter[str]]:
    """Files that hold the slices, and how many others there are, by role."""
    found: list[DicomFile] = []
    counted: Counter[str] = Counter()
    if (reason := not_fetched(folder)) is not None:
        raise UnreadableScanError(Message("dicom.not_fetched", sequence=sequence, reason=reason))
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if kind_of(path) == "folder":
            counted["folder"] += 1
            continue
        try:
            if kind_of(path) != "file":
                raise NoDicomError
            found.append(read_dicom_file(path))
        except NoDicomError:
            if path.name.lower().endswith(_DICOM_ENDINGS):
                raise _damaged(sequence) from None
            counted["no dicom"] += 1
        except (DamagedDicomError, OSError) as problem:
            raise _damaged(sequence) from problem
    if any(file.role == "mosaic" for file in found):
        raise UnreadableScanError(Message("dicom.mosaic", sequence=sequence))
    # What was saved as a picture counts where nothing else lies here and it says where it belongs.
    slices = [file for file in found if file.role == "slice"]
    slices = slices or [file for file in found if file.frames and all(frame.placed for frame in file.frames)]
    if not slices:
        raise _nothing(found, sequence)
    counted.update(file.role for file in found if file not in slices)
    return slices, counted


def _nothing(found: list[DicomFile], sequence: MRSequence) -> UnreadableScanError:
    """Why a folder holds no series."""
    others = Counter(file.modality for file in found if file.role != "disc index")
    if others and "MR" not in others:
        return _other_modality(next(iter(others)), sequence)
    if any(file.role == "localizer" for file in found):
        return UnreadableScanError(Message("dicom.localizers_only", sequence=sequence))
    if any(file.role == "picture" for file in found):
        return UnreadableScanError(Message("dicom.color", sequence=sequence))
    if any(file.role == "no image" for file in found):
        return UnreadableScanError(Message("dicom.no_pixels", sequence=sequence))
    return UnreadableScanError(Message("dicom.no_images", sequence=sequence))


def _check_one_mr_series(files: list[DicomFile], sequence: MRSequence) -> None:
    other = next((file.modality for file in files if file.modality != "MR"), None)
    if other is not None:
        raise _other_modality(other, sequence)
    series = {file.series for file in files}
    if len(series) > 1:
        raise UnreadableScanError(Message("dicom.several_series", sequence=sequence, count=len(series)))
    if len({file.patient for file in files}) > 1:
        raise UnreadableScanError(Message("dicom.two_patients", sequence=sequence))
    bare = sum(not frame.placed for file in files for frame in file.frames)
    if bare:
        total = sum(len(file.frames) for file in files)
        raise UnreadableScanError(Message("dicom.no_place", sequence=sequence, count=bare, total=total))
    if any(file.quadruped for file in files):
        raise UnreadableScanError(Message("dicom.quadruped", sequence=sequence))
    if any(file.value_table for file in files):
        raise UnreadableScanError(Message("dicom.value_table", sequence=sequence))
    if len({file.frame_of_reference for file in files if file.frame_of_reference}) > 1:
        raise UnreadableScanError(Message("dicom.two_frames_of_reference", sequence=sequence))


def _without_copies(files: list[DicomFile], counted: Counter[str]) -> list[DicomFile]:
    """Files without those that are the same object once more, byte for byte."""
    kept: dict[tuple[str, int, int], DicomFile] = {}
    for file in files:
        content = file.data.content
        key = (file.instance, len(content), hash(content[:])) if file.instance else (str(file.path), 0, 0)
        if key in kept:
            counted["copy"] += 1
        else:
            kept[key] = file
    return list(kept.values())


def _in_order(slices: list[_Slice], sequence: MRSequence) -> list[_Slice]:
    """Slices along their normal, of one size, orientation and pixel spacing.

    Raises:
        UnreadableScanError: They do not make one block.
    """
    formats = {(one.file.pixels.rows, one.file.pixels.columns) for one in slices if one.file.pixels is not None}
    spacings = np.array([one.frame.spacing_mm for one in slices])
    if len(formats) > 1 or np.ptp(spacings, axis=0).max() > 1e-3 * np.abs(spacings).max():
        raise UnreadableScanError(Message("dicom.differing_slices", sequence=sequence))
    scales = np.array([(one.frame.slope, one.frame.intercept) for one in slices])
    orientations = np.array([one.frame.orientation for one in slices])
    positions = np.array([one.frame.position for one in slices])
    if not all(np.isfinite(stated).all() for stated in (spacings, scales, orientations, positions)) or (
        spacings.min() <= 0 or not scales[:, 0].all()
    ):
        raise UnreadableScanError(Message("dicom.impossible_header", sequence=sequence))
    if np.ptp(orientations, axis=0).max() > 1e-3:
        raise UnreadableScanError(Message("dicom.not_parallel", sequence=sequence))
    what = mixed([one.frame.acquisition for one in slices])
    if what is None and len({one.file.pixels.inverted for one in slices if one.file.pixels is not None}) > 1:
        what = Message("word.photometric")
    if what is not None:
        raise UnreadableScanError(Message("dicom.mixed_acquisitions", sequence=sequence, what=what))
    check_count(len(slices) * next(iter(formats))[0] * next(iter(formats))[1], sequence)
    along = positions @ _normal(orientations[0], sequence)
    order = np.argsort(along, kind="stable")
    _check_steps(along[order], sequence)
    return [slices[k] for k in order]


def _normal(orientation: FloatArray, sequence: MRSequence) -> FloatArray:
    row, column = orientation
    lengths = np.linalg.norm(orientation, axis=1)
    if np.abs(lengths - 1).max() > 0.01 or abs(row @ column) > 0.01:
        raise UnreadableScanError(Message("dicom.impossible_header", sequence=sequence))
    normal = np.cross(row, column)
    return normal / np.linalg.norm(normal)


def _check_steps(along: FloatArray, sequence: MRSequence) -> None:
    """Refuse slices that are missing or there twice; ``along`` are their sorted places on the normal, in mm."""
    if len(along) < 2:
        raise UnreadableScanError(Message("dicom.two_dimensional", sequence=sequence))
    steps = np.diff(along)
    places = 1 + int((steps > _SAME_PLACE_MM).sum())
    if places < len(along):
        raise UnreadableScanError(Message("dicom.several_volumes", sequence=sequence, count=len(along), places=places))
    step = float(np.median(steps))
    if np.abs(steps - step).max() > _STEP_TOLERANCE * step + 0.02:
        raise UnreadableScanError(
            Message("dicom.unevenly_spaced", sequence=sequence, least=steps.min(), most=steps.max())
        )


def _volume(files: list[DicomFile], slices: list[_Slice], sequence: MRSequence) -> sitk.Image:
    first, last = slices[0].frame, slices[-1].frame
    assert first.position is not None
    assert last.position is not None
    assert first.orientation is not None
    assert first.spacing_mm is not None
    normal = _normal(first.orientation, sequence)
    distance = float(normal @ (last.position - first.position)) / (len(slices) - 1)
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack([*first.orientation, normal]) * (*first.spacing_mm[::-1], distance)
    affine[:3, 3] = first.position
    _check_sideways(slices, affine, sequence)
    form = slices[0].file.pixels
    assert form is not None
    grid = rigid_grid(affine, (form.columns, form.rows, len(slices)), sequence)
    voxels = np.empty((len(slices), form.rows, form.columns), np.float32)
    place = {(id(one.file), one.frame.number): k for k, one in enumerate(slices)}
    try:
        for file, values in zip(files, read_pixels(files), strict=True):
            for frame, pixels in zip(file.frames, values, strict=True):
                with np.errstate(over="ignore"):  # infinite values are refused by number, not told by numpy
                    voxels[place[id(file), frame.number]] = _scaled(pixels, frame)
    except DamagedDicomError as problem:
        raise UnreadableScanError(Message("dicom.damaged_pixels", sequence=sequence)) from problem
    return image_on_grid(voxels, grid)


def _check_sideways(slices: Sequence[_Slice], affine: FloatArray, sequence: MRSequence) -> None:
    """Refuse slices that do not lie straight above one another: a tilted gantry or a sheared block."""
    expected = affine[:3, 3] + np.arange(len(slices))[:, None] * affine[:3, 2]
    gaps = np.linalg.norm(np.array([one.frame.position for one in slices]) - expected, axis=1)
    if gaps.max() >= LARGEST_MOVE * np.linalg.norm(affine[:3, :3], axis=0).min():
        raise UnreadableScanError(Message("dicom.sideways", sequence=sequence, gap=gaps.max()))


def _scaled(pixels: NDArray[np.generic], frame: Frame) -> NDArray[np.floating]:
    return pixels.astype(np.float64) * frame.slope + frame.intercept


def _remarks(counted: Counter[str], sequence: MRSequence) -> tuple[Message, ...]:
    if not counted:
        return ()
    words = {
        "picture": Message("word.secondary_captures", count=counted["picture"]),
        "localizer": Message("word.localizers", count=counted["localizer"]),
        "no image": Message("word.objects_without_image", count=counted["no image"]),
        "disc index": Message("word.disc_indexes", count=counted["disc index"]),
        "no dicom": Message("word.no_dicom", count=counted["no dicom"]),
        "copy": Message("word.copies", count=counted["copy"]),
        "folder": Message("word.folders", count=counted["folder"]),
    }
    files = tuple(message for role, message in words.items() if counted[role])
    return (Message("dicom.left_out", sequence=sequence, files=files),)


def _missing_ends(slices: Sequence[_Slice], sequence: MRSequence) -> tuple[Message, ...]:
    """A word where the headers count more slices than are here: those at an end leave no gap between the others.

    Numbers that run on from another series, or a count for several volumes, say nothing of this one.
    """
    numbers = [one.file.number for one in slices if one.file.number is not None]
    count = len(slices)
    missing = 0
    if len(numbers) == count and {b - a for a, b in pairwise(numbers)} in ({1}, {-1}):
        missing = min(numbers) - 1
    if (stated := slices[0].file.images_stated) is not None:
        missing = max(missing, stated - count)
    if not 0 < missing < count:
        return ()
    return (Message("dicom.missing_ends", sequence=sequence, count=count, missing=missing),)


def _repeated_numbers(slices: Sequence[_Slice], sequence: MRSequence) -> tuple[Message, ...]:
    """A word where slices share their number: two series under one identifier can lie end to end, evenly spaced."""
    numbers = [one.file.number for one in slices if one.file.number is not None and len(one.file.frames) == 1]
    if (repeated := len(numbers) - len(set(numbers))) == 0 or len(set(numbers)) == 1:
        return ()
    return (Message("dicom.repeated_numbers", sequence=sequence, count=repeated),)


def _gaps(slices: Sequence[_Slice], image: sitk.Image, sequence: MRSequence) -> tuple[Message, ...]:
    """A word where slices lie much farther apart than stated: every second one missing leaves an even spacing.

    Some scanners state the gap between slices as their distance. Without a distance the thickness counts where the
    numbers of the slices, too, leave every second one out: a gap as wide as a slice is a choice at the scanner.
    """
    first, found = slices[0].frame, image.GetSpacing()[2]
    stated = max(first.apart_mm or 0.0, first.thickness_mm or 0.0)
    if first.apart_mm and first.thickness_mm and first.apart_mm < first.thickness_mm:
        stated = first.apart_mm + first.thickness_mm
    numbers = [one.file.number for one in slices]
    steps = {abs(b - a) for a, b in pairwise(number for number in numbers if number is not None)}
    left_out = None not in numbers and len(steps) == 1 and steps.pop() > 1
    if not stated or not np.isfinite(stated) or found < _WIDER * stated or not (first.apart_mm or left_out):
        return ()
    return (Message("dicom.wide_apart", sequence=sequence, found=found, stated=stated),)


def _damaged(sequence: MRSequence) -> UnreadableScanError:
    return UnreadableScanError(Message("dicom.damaged_file", sequence=sequence))


def _other_modality(modality: str, sequence: MRSequence) -> UnreadableScanError:
    return UnreadableScanError(Message("dicom.other_modality", sequence=sequence, modality=modality[:16]))
