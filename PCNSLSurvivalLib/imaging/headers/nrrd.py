"""NRRD headers, attached (.nrrd) and detached (.nhdr).

References:
    https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import FloatArray
from PCNSLSurvivalLib.imaging.headers.detached import data_file_beside
from PCNSLSurvivalLib.imaging.headers.grids import check_edges, rigid_grid
from PCNSLSurvivalLib.imaging.headers.regular_files import Volume
from PCNSLSurvivalLib.imaging.headers.stored_voxels import Packing, StoredVoxels, damaged, plain_number
from PCNSLSurvivalLib.imaging.headers.volume_header import (
    VolumeHeader,
    color,
    orientation_unknown,
    several_volumes,
    three_axes,
    unknown_storage,
)

_LARGEST_HEADER_BYTES = 1 << 20
_MOST_AXES = 16
_TYPES = {
    "i1": "signed char|int8|int8_t",
    "u1": "uchar|unsigned char|uint8|uint8_t",
    "i2": "short|short int|signed short|signed short int|int16|int16_t",
    "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "i4": "int|signed int|int32|int32_t",
    "u4": "uint|unsigned int|uint32|uint32_t",
    "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "f4": "float",
    "f8": "double",
}
_TYPE_OF = {word: kind for kind, words in _TYPES.items() for word in words.split("|")}
_TO_LPS = {
    "right-anterior-superior": (-1.0, -1.0, 1.0),
    "ras": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0),
    "las": (1.0, -1.0, 1.0),
    "left-posterior-superior": (1.0, 1.0, 1.0),
    "lps": (1.0, 1.0, 1.0),
}
_MM_PER_UNIT = {
    **dict.fromkeys(("", "none", "???", "mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1.0),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1000.0),
    **dict.fromkeys(("cm", "centimeter", "centimeters"), 10.0),
    **dict.fromkeys(("um", "µm", "μm", "micron", "microns", "micrometer", "micrometers"), 0.001),
}
_VOLUME_KINDS = {"time", "list"}
_SPACE_KINDS = {"domain", "space", "???", "none", ""}
_PACKING: dict[str, Packing] = {
    "raw": "raw",
    "gzip": "deflate",
    "gz": "deflate",
    "text": "text",
    "txt": "text",
    "ascii": "text",
}

_Fields = dict[str, str]


def read_nrrd_header(path: Path, volume: Volume) -> VolumeHeader:
    """Read the header of a .nrrd or .nhdr file.

    Args:
        path: A regular file.
        volume: What the volume is, for messages.

    Raises:
        UnreadableScanError: It is no NRRD file, contradicts itself, holds no 3-D scalar volume, or names voxels that
            do not lie in one file beside it.
    """
    fields, end = _fields(path, volume)
    dims = _whole_numbers(fields.get("sizes", ""), volume)
    if not 1 <= len(dims) <= _MOST_AXES or str(len(dims)) != fields.get("dimension") or min(dims) < 1:
        raise damaged(volume)
    if len(dims) < 3:
        three_axes(dims, volume)
    spatial = _spatial_axes(fields, dims, volume)
    dropped, size = three_axes([dims[axis] for axis in spatial], volume)
    spatial = spatial[dropped : dropped + 3]
    affine, known = _affine(fields, len(dims), spatial, volume)
    check_edges(np.linalg.norm(affine[:3, :3], axis=0), size, volume)
    return VolumeHeader(
        source_format="NRRD",
        grid=rigid_grid(affine, size, volume),
        stored=_stored(path, fields, end, size, volume),
        remarks=() if known else (orientation_unknown(volume),),
    )


def _fields(path: Path, volume: Volume) -> tuple[_Fields, int | None]:
    """The fields in small letters, and where attached voxels begin."""
    with path.open("rb") as stream:
        content = stream.read(_LARGEST_HEADER_BYTES)
    if not re.match(rb"NRRD000[1-5]\r?\n", content):
        raise damaged(volume)
    blank = re.search(rb"\r?\n\r?\n", content)
    if blank is None and len(content) == _LARGEST_HEADER_BYTES:
        raise damaged(volume)
    head = content if blank is None else content[: blank.start()]
    fields: _Fields = {}
    for line in head.decode("utf-8", "replace").splitlines()[1:]:
        if line.startswith("#") or ":=" in line:
            continue
        field, colon, value = line.partition(": ")
        field = field.strip().lower().replace("datafile", "data file")
        if not colon or field in fields:
            raise damaged(volume)
        fields[field] = value.strip()
    return fields, None if blank is None else blank.end()


def _spatial_axes(fields: _Fields, dims: list[int], volume: Volume) -> list[int]:
    """Axes that run through the patient, in order; further ones must have a length of one."""
    kinds = [word.lower() for word in fields.get("kinds", "").split()] or [""] * len(dims)
    directions = _directions(fields, volume)
    if len(kinds) != len(dims) or (directions is not None and len(directions) != len(dims)):
        raise damaged(volume)
    spatial = []
    for axis, length in enumerate(dims):
        if kinds[axis] in _SPACE_KINDS and (directions is None or directions[axis] is not None):
            spatial.append(axis)
        elif length > 1:
            raise several_volumes(volume, length) if kinds[axis] in _VOLUME_KINDS else color(volume)
    return spatial


def _directions(fields: _Fields, volume: Volume) -> list[FloatArray | None] | None:
    text = fields.get("space directions")
    if text is None:
        return None
    words = re.findall(r"none|\([^()]*\)", text)
    if re.sub(r"none|\([^()]*\)|\s", "", text):
        raise damaged(volume)
    return [None if word == "none" else _vector(word, volume) for word in words]


def _vector(text: str, volume: Volume) -> FloatArray:
    numbers = _numbers(text.strip().strip("()").replace(",", " "), volume)
    if len(numbers) not in (3, 4):
        raise damaged(volume)
    return np.array(numbers[:3])  # a fourth one is time


def _affine(fields: _Fields, axes: int, spatial: list[int], volume: Volume) -> tuple[FloatArray, bool]:
    """(4, 4) to LPS mm, and whether the file says how the axes lie in the patient."""
    affine = np.eye(4)
    directions = _directions(fields, volume)
    signs = _TO_LPS.get(fields.get("space", "").lower().removesuffix("-time"))
    if directions is None:
        spacings = _numbers(fields.get("spacings", ""), volume)
        if len(spacings) != axes:
            raise UnreadableScanError(Message("scan.no_voxel_size", volume=volume))
        factor = _mm_per_unit(fields.get("units", ""), spatial, volume)
        affine[:3, :3] = np.diag([spacings[axis] * factor for axis in spatial])
        return affine, False
    steps = [step for axis in spatial if (step := directions[axis]) is not None]
    affine[:3, :3] = np.column_stack(steps)
    if "space origin" in fields:
        affine[:3, 3] = _vector(fields["space origin"], volume)
    affine[:3] *= _mm_per_unit(fields.get("space units", ""), [0, 1, 2], volume)
    if signs is None:
        return affine, False
    return np.array([*signs, 1.0])[:, None] * affine, True


def _mm_per_unit(stated: str, axes: list[int], volume: Volume) -> float:
    """Millimeters per unit of a field in which every axis has its own unit, between quotation marks."""
    words = re.findall(r'"([^"]*)"', stated) or stated.split()
    units = {words[axis].strip().lower() for axis in axes if axis < len(words)} or {""}
    factors = {_MM_PER_UNIT.get(unit) for unit in units}
    factor = factors.pop()
    if factors or factor is None:
        raise UnreadableScanError(Message("scan.unknown_unit", volume=volume, unit=stated[:40]))
    return factor


def _stored(path: Path, fields: _Fields, end: int | None, size: tuple[int, int, int], volume: Volume) -> StoredVoxels:
    kind = _TYPE_OF.get(" ".join(fields.get("type", "").lower().split()))
    if kind is None:
        raise unknown_storage(volume, f"NRRD type {fields.get('type', '')[:20]!r}")
    packing = _PACKING.get(fields.get("encoding", "").lower())
    if packing is None:
        raise unknown_storage(volume, f"NRRD encoding {fields.get('encoding', '')[:20]!r}")
    endian = fields.get("endian", "").lower()
    if endian not in ("little", "big") and kind[1] != "1" and packing != "text":
        raise unknown_storage(volume, "NRRD endian")
    skip = _skip(fields, "byte skip", volume)
    if _skip(fields, "line skip", volume) or skip < -1:
        raise unknown_storage(volume, "NRRD line skip")
    count = size[0] * size[1] * size[2]
    dtype = np.dtype((">" if endian == "big" else "<") + kind)
    if "data file" in fields:
        data, start = data_file_beside(path, fields["data file"], volume), 0
    elif end is not None:
        data, start = path, end
    else:
        raise damaged(volume)
    if skip and packing != "raw":
        raise unknown_storage(volume, "NRRD byte skip")
    if skip == -1:
        start, skip = max(start, data.stat().st_size - count * dtype.itemsize), 0
    return StoredVoxels(path=data, start=start, skip=skip, packing=packing, dtype=dtype, count=count)


def _skip(fields: _Fields, field: str, volume: Volume) -> int:
    words = _whole_numbers(fields.get(field, fields.get(field.replace(" ", ""), "0")), volume)
    if len(words) != 1:
        raise damaged(volume)
    return words[0]


def _numbers(text: str, volume: Volume) -> list[float]:
    try:
        return [plain_number(word) for word in text.split()]
    except ValueError as problem:
        raise damaged(volume) from problem


def _whole_numbers(text: str, volume: Volume) -> list[int]:
    words = text.split()
    if len(words) > _MOST_AXES or not all(re.fullmatch(r"-?\d{1,18}", word, re.ASCII) for word in words):
        raise damaged(volume)
    return [int(word) for word in words]
