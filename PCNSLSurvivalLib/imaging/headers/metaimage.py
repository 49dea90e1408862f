"""MetaImage headers, attached (.mha) and detached (.mhd).

References:
    https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import FloatArray
from PCNSLSurvivalLib.imaging.headers.detached import data_file_beside
from PCNSLSurvivalLib.imaging.headers.grids import check_edges, rigid_grid
from PCNSLSurvivalLib.imaging.headers.regular_files import Volume
from PCNSLSurvivalLib.imaging.headers.stored_voxels import StoredVoxels, damaged, plain_number
from PCNSLSurvivalLib.imaging.headers.volume_header import (
    VolumeHeader,
    color,
    orientation_unknown,
    three_axes,
    unknown_storage,
)

_LARGEST_HEADER_BYTES = 1 << 16
_MOST_AXES = 8
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_MR_OR_UNSTATED = ("", "MR", "MRI", "OTHER", "UNKNOWN")

_Fields = dict[str, str]


def read_metaimage_header(path: Path, volume: Volume) -> VolumeHeader:
    """Read the header of a .mha or .mhd file.

    Args:
        path: A regular file.
        volume: What the volume is, for messages.

    Raises:
        UnreadableScanError: It is no MetaImage file, contradicts itself, holds no 3-D scalar volume, or names voxels
            that do not lie in one file beside it.
    """
    fields, end = _fields(path, volume)
    axes = _whole_number(fields.get("NDims", ""), volume)
    if not 1 <= axes <= _MOST_AXES:
        raise damaged(volume)
    dims = [_whole_number(word, volume) for word in fields.get("DimSize", "").split()]
    if len(dims) != axes or min(dims) < 1 or fields.get("ObjectType", "Image").lower() != "image":
        raise damaged(volume)
    if fields.get("ElementNumberOfChannels", "1") != "1" or fields.get("ElementType", "").endswith("_ARRAY"):
        raise color(volume)
    modality = fields.get("Modality", "").upper().removeprefix("MET_MOD_")
    if isinstance(volume, MRSequence) and modality not in _MR_OR_UNSTATED:
        raise UnreadableScanError(Message("scan.other_modality", volume=volume, modality=modality[:16]))
    dropped, size = three_axes(dims, volume)
    affine, known = _affine(fields, axes, dropped, size, volume)
    return VolumeHeader(
        source_format="MetaImage",
        grid=rigid_grid(affine, size, volume),
        stored=_stored(path, fields, end, size, volume),
        remarks=() if known else (orientation_unknown(volume),),
    )


def _fields(path: Path, volume: Volume) -> tuple[_Fields, int]:
    """The fields, the last of which names the voxels, and where attached voxels begin."""
    with path.open("rb") as stream:
        content = stream.read(_LARGEST_HEADER_BYTES)
    last = re.search(rb"^[ \t]*ElementDataFile[ \t]*=[^\n]*(\n|\Z)", content, re.MULTILINE)
    if last is None:
        raise damaged(volume)
    fields: _Fields = {}
    for line in content[: last.end()].decode("utf-8", "replace").splitlines():
        field, equals, value = (part.strip() for part in line.partition("="))
        if line.strip() and (not equals or field in fields):
            raise damaged(volume)
        fields[field] = value
    return fields, last.end()


def _affine(
    fields: _Fields, axes: int, dropped: int, size: tuple[int, int, int], volume: Volume
) -> tuple[FloatArray, bool]:
    """(4, 4) to LPS mm, and whether the file says how the axes lie in the patient."""
    # The size of an element may be smaller than their distance.
    edges = _floats(fields, ("ElementSpacing" if "ElementSpacing" in fields else "ElementSize",), axes, volume)
    if edges is None:
        raise UnreadableScanError(Message("scan.no_voxel_size", volume=volume))
    unit = fields.get("DistanceUnits", "mm")
    if unit.lower() not in ("mm", "?", ""):
        raise UnreadableScanError(Message("scan.unknown_unit", volume=volume, unit=unit[:40]))
    turn = _floats(fields, ("TransformMatrix", "Rotation", "Orientation"), axes * axes, volume)
    origin = _floats(fields, ("Offset", "Position", "Origin"), axes, volume)
    kept = slice(dropped, dropped + 3)
    check_edges(edges[kept], size, volume)  # as stated: a negative one would turn an axis around
    affine = np.eye(4)
    # A row of the matrix is the direction of one voxel axis.
    affine[:3, :3] = (np.eye(3) if turn is None else turn.reshape(axes, axes)[kept, kept].T) * edges[kept]
    affine[:3, 3] = 0.0 if origin is None else origin[kept]
    return affine, turn is not None


def _stored(path: Path, fields: _Fields, end: int, size: tuple[int, int, int], volume: Volume) -> StoredVoxels:
    kind = _TYPES.get(fields.get("ElementType", ""))
    if kind is None:
        raise unknown_storage(volume, f"MetaImage type {fields.get('ElementType', '')[:20]!r}")
    if (_scale(fields, "Slope", 1.0, volume), _scale(fields, "Offset", 0.0, volume)) != (1.0, 0.0):
        # ITK passes over it, and so over a negative one that swaps bright and dark.
        raise unknown_storage(volume, "MetaImage ElementToIntensityFunction")
    orders = {_said(fields, name) for name in ("BinaryDataByteOrderMSB", "ElementByteOrderMSB") if name in fields}
    if len(orders) > 1:
        raise damaged(volume)
    dtype = np.dtype((">" if orders == {True} else "<") + kind)
    named = fields["ElementDataFile"]
    attached = named.upper() == "LOCAL"
    data = path if attached else data_file_beside(path, named, volume)
    count = size[0] * size[1] * size[2]
    packed = _said(fields, "CompressedData")
    text = fields.get("BinaryData", "True").lower() in ("false", "0")
    skip = _whole_number(fields.get("HeaderSize", "0"), volume)
    if skip and (attached or packed or text or skip < -1):
        raise unknown_storage(volume, "MetaImage HeaderSize")
    start = end if attached else 0
    if skip == -1:
        start, skip = max(0, data.stat().st_size - count * dtype.itemsize), 0
    return StoredVoxels(
        path=data,
        start=start,
        packing="deflate" if packed else "text" if text else "raw",
        skip=skip,
        dtype=dtype,
        count=count,
    )


def _said(fields: _Fields, name: str) -> bool:
    return fields.get(name, "").lower() in ("true", "1")


def _scale(fields: _Fields, what: str, otherwise: float, volume: Volume) -> float:
    stated = _floats(fields, (f"ElementToIntensityFunction{what}",), 1, volume)
    return otherwise if stated is None else float(stated[0])


def _whole_number(text: str, volume: Volume) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise damaged(volume)
    return int(text)


def _floats(fields: _Fields, names: tuple[str, ...], count: int, volume: Volume) -> FloatArray | None:
    """The numbers of a field, which may have one of several names; under two names they must be the same."""
    try:
        stated = [[plain_number(word) for word in fields[one].split()] for one in names if one in fields]
    except ValueError as problem:
        raise damaged(volume) from problem
    if any(len(numbers) != count or numbers != stated[0] for numbers in stated):
        raise damaged(volume)
    return np.array(stated[0]) if stated else None
