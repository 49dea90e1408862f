"""What one DICOM file is, and where each of its frames lies in the patient."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from PCNSLSurvivalLib.imaging.dicom.acquisition import Acquisition, acquisition_of
from PCNSLSurvivalLib.imaging.dicom.elements import DamagedDicomError, DataSet, Elements, read_data_set
from PCNSLSurvivalLib.imaging.geometry import FloatArray
from PCNSLSurvivalLib.imaging.headers.stored_voxels import LARGEST_VOXELS

_SOP_CLASS, _SOP_INSTANCE, _META_CLASS = 0x00080016, 0x00080018, 0x00020002
_IMAGE_TYPE, _MODALITY, _SERIES, _FRAME_OF_REFERENCE = 0x00080008, 0x00080060, 0x0020000E, 0x00200052
_ORIENTATION_TYPE = 0x00102210
_PATIENT_ID, _STUDY = 0x00100020, 0x0020000D
_POSITION, _ORIENTATION, _SPACING = 0x00200032, 0x00200037, 0x00280030
_INSTANCE_NUMBER, _IMAGES_IN_ACQUISITION, _PARTS = 0x00200013, 0x00201002, 0x00209163
_SLOPE, _INTERCEPT, _VALUE_TABLE = 0x00281053, 0x00281052, 0x00283000
_THICKNESS, _APART = 0x00180050, 0x00180088
_PADDING, _PADDING_LIMIT = 0x00280120, 0x00280121
_SAMPLES, _PHOTOMETRIC, _FRAMES, _ROWS, _COLUMNS = 0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011
_ALLOCATED, _STORED, _HIGH_BIT, _SIGNED = 0x00280100, 0x00280101, 0x00280102, 0x00280103
_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_PLANE_POSITION, _PLANE_ORIENTATION = 0x00209113, 0x00209116
_PIXEL_MEASURES, _PIXEL_VALUES = 0x00289110, 0x00289145

_GRAY = ("MONOCHROME1", "MONOCHROME2", "")
"""How the values of an MR image may be meant; those of a palette are numbers of colors."""

_DISC_INDEX = "1.2.840.10008.1.3.10"
_MODALITY_OF_CLASS = {
    **dict.fromkeys((f"1.2.840.10008.5.1.4.1.1.{number}" for number in ("2", "2.1", "2.2")), "CT"),
    **dict.fromkeys((f"1.2.840.10008.5.1.4.1.1.{number}" for number in ("128", "128.1", "130")), "PT"),
    "1.2.840.10008.5.1.4.1.1.20": "NM",
}
"""Images of CT, PET and nuclear medicine are such by their class where the modality is not stated, or as MR."""
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

Role = Literal["slice", "picture", "localizer", "mosaic", "no image", "disc index"]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One slice of the patient.

    Attributes:
        number: Its place among the frames of its file, from 0.
        position: (3,) center of its first pixel in LPS mm; None where the file does not say.
        orientation: (2, 3) directions in which columns and rows follow one another; None as above.
        spacing_mm: (2,) distance of rows and of columns; None as above.
        slope: Value of a pixel is ``slope`` times the stored one plus ``intercept``.
        intercept: See ``slope``.
        thickness_mm: Thickness of the slice; None where the file does not say.
        apart_mm: Distance of slices that the header states, which some scanners mean as the gap between two.
        acquisition: What was set at the scanner.
    """

    number: int
    position: FloatArray | None
    orientation: FloatArray | None
    spacing_mm: FloatArray | None
    slope: float
    intercept: float
    thickness_mm: float | None
    apart_mm: float | None
    acquisition: Acquisition

    @property
    def placed(self) -> bool:
        """Whether the file says where it lies."""
        return self.position is not None and self.orientation is not None and self.spacing_mm is not None


@dataclass(frozen=True, kw_only=True)
class PixelFormat:
    """How pixels are stored."""

    rows: int
    columns: int
    frames: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    inverted: bool
    """MONOCHROME1: the smallest value is white."""
    padding: tuple[int, int] | None
    """Least and largest stored value that stands for 'outside what was scanned'."""
    overlay: bool
    """Whether the bits beside a value hold an overlay."""


@dataclass(frozen=True, kw_only=True)
class DicomFile:
    """One file of a folder, accounted for."""

    path: Path
    data: DataSet
    role: Role
    series: str
    instance: str
    modality: str
    frame_of_reference: str
    patient: str
    """Identifiers of patient and study; held against those of the other files and never told."""
    pixels: PixelFormat | None
    frames: tuple[Frame, ...]
    number: int | None
    """Its number in the series, as the scanner counted."""
    images_stated: int | None
    """So many images the scanner made in this acquisition."""
    parts_stated: int
    """Into so many files the scanner divided the object (In-concatenation Total Number); 1 where it did not."""
    quadruped: bool
    """Whether its directions are those of an animal."""
    value_table: bool
    """Whether values are looked up in a table (Modality LUT) in place of slope and intercept."""


def read_dicom_file(path: Path) -> DicomFile:
    """Read what one file is, without its pixels.

    Raises:
        NoDicomError: It is no DICOM file.
        DamagedDicomError: It contradicts itself.
        OSError: It cannot be read.
    """
    data = read_data_set(path)
    top = data.elements
    sop_class = top.text(_SOP_CLASS)
    has_image = (data.pixels is not None or bool(data.fragments)) and top.short(_ROWS) is not None
    image_type = [word.upper() for word in top.words(_IMAGE_TYPE)]
    pixels = frames = None
    role: Role = "slice"
    if _DISC_INDEX in (sop_class, top.text(_META_CLASS)):
        role = "disc index"
    elif not has_image:
        role = "no image"
    elif (top.short(_SAMPLES) or 1) != 1 or top.text(_PHOTOMETRIC).upper() not in _GRAY:
        role = "picture"
    elif "MOSAIC" in image_type:
        role = "mosaic"
    else:
        pixels = _pixel_format(top)
        frames = _frames(top, pixels.frames)
        secondary = sop_class == _SECONDARY_CAPTURE or sop_class.startswith(_SECONDARY_CAPTURE + ".")
        captured = "SECONDARY" in image_type or "SCREEN SAVE" in image_type
        if secondary or (captured and not all(frame.placed for frame in frames)):
            role = "picture"
        elif "LOCALIZER" in image_type:
            role = "localizer"
    return DicomFile(
        path=path,
        data=data,
        role=role,
        series=top.text(_SERIES),
        instance=top.text(_SOP_INSTANCE),
        modality=_modality(top.text(_MODALITY).upper(), sop_class),
        frame_of_reference=top.text(_FRAME_OF_REFERENCE),
        patient="\\".join((top.text(_PATIENT_ID), top.text(_STUDY))),
        pixels=pixels,
        frames=frames or (),
        number=_whole(top.text(_INSTANCE_NUMBER)),
        images_stated=_whole(top.text(_IMAGES_IN_ACQUISITION)),
        parts_stated=(top.short(_PARTS) or 1) if top.values.get(_PARTS) else 1,
        quadruped=top.text(_ORIENTATION_TYPE).upper() == "QUADRUPED",
        value_table=bool(top.items.get(_VALUE_TABLE)),
    )


def _modality(stated: str, sop_class: str) -> str:
    """The modality as stated; that of the class where none is stated, or where MR contradicts the class."""
    return _MODALITY_OF_CLASS.get(sop_class, "MR") if stated in ("", "MR") else stated


def _whole(text: str) -> int | None:
    """A number of the series; None where the tag is absent or holds something else, since nothing depends on it."""
    return int(text) if re.fullmatch(r"\+?[0-9]{1,9}", text) else None


def _pixel_format(top: Elements) -> PixelFormat:
    rows, columns = top.short(_ROWS) or 0, top.short(_COLUMNS) or 0
    frames = _count_of_frames(top)
    allocated = top.short(_ALLOCATED) or 0
    stored = top.short(_STORED) or allocated
    high_bit = top.short(_HIGH_BIT)
    high_bit = stored - 1 if high_bit is None else high_bit
    if allocated not in (8, 16, 32) or not 1 <= stored <= high_bit + 1 <= allocated:
        raise DamagedDicomError
    if rows < 1 or columns < 1 or rows * columns * frames > LARGEST_VOXELS:
        raise DamagedDicomError
    return PixelFormat(
        rows=rows,
        columns=columns,
        frames=frames,
        allocated=allocated,
        stored=stored,
        high_bit=high_bit,
        signed=bool(top.short(_SIGNED)),
        inverted=top.text(_PHOTOMETRIC).upper() == "MONOCHROME1",
        padding=_padding(top),
        overlay=any(0x60000000 <= tag < 0x60200000 for tag in top.values),
    )


def _padding(top: Elements) -> tuple[int, int] | None:
    """The stored values outside what was scanned; None where none is stated, or the air has it anyway."""
    value = top.values.get(_PADDING, b"")
    limit = top.values.get(_PADDING_LIMIT, value)
    if len(value) != 2 or len(limit) != 2 or value == limit == b"\0\0":
        return None
    one, other = (struct.unpack(top.order + ("h" if top.short(_SIGNED) else "H"), each)[0] for each in (value, limit))
    return min(one, other), max(one, other)


def _count_of_frames(top: Elements) -> int:
    text = top.text(_FRAMES)
    if not text:
        return 1
    if not (text.isascii() and text.lstrip("+").isdigit() and len(text) <= 9) or int(text) < 1:
        raise DamagedDicomError
    return int(text)


def _frames(top: Elements, count: int) -> tuple[Frame, ...]:
    shared, each = top.item(_SHARED), top.items.get(_PER_FRAME, [])
    if each and len(each) != count:
        raise DamagedDicomError
    places = []
    for number in range(count):
        groups = [group for group in (each[number] if each else None, shared) if group is not None]
        position, orientation, spacing, slope, intercept, thickness, apart = (
            _stated(tag, size, top if count == 1 or macro == _PIXEL_MEASURES else None, [g.item(macro) for g in groups])
            for tag, size, macro in (
                (_POSITION, 3, _PLANE_POSITION),
                (_ORIENTATION, 6, _PLANE_ORIENTATION),
                (_SPACING, 2, _PIXEL_MEASURES),
                (_SLOPE, 1, _PIXEL_VALUES),
                (_INTERCEPT, 1, _PIXEL_VALUES),
                (_THICKNESS, 1, _PIXEL_MEASURES),
                (_APART, 1, _PIXEL_MEASURES),
            )
        )
        places.append(
            Frame(
                number=number,
                position=position,
                orientation=None if orientation is None else orientation.reshape(2, 3),
                spacing_mm=spacing,
                slope=1.0 if slope is None else float(slope[0]),
                intercept=0.0 if intercept is None else float(intercept[0]),
                thickness_mm=None if thickness is None else abs(float(thickness[0])),
                apart_mm=None if apart is None else abs(float(apart[0])),
                acquisition=acquisition_of(top, groups),
            )
        )
    return tuple(places)


def _stated(tag: int, count: int, top: Elements | None, groups: list[Elements | None]) -> FloatArray | None:
    """The numbers that count for a frame: its own before those all share, those before the file's."""
    for group in (*groups, top):
        if group is not None and group.values.get(tag):
            numbers = group.numbers(tag, count)
            if numbers is not None:
                return np.array(numbers)
    return None
