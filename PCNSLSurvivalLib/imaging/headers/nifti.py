"""NIfTI-1 and NIfTI-2 headers, single files and pairs.

References:
    https://nifti.nimh.nih.gov/nifti-1 and https://nifti.nimh.nih.gov/nifti-2
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import FloatArray, Grid
from PCNSLSurvivalLib.imaging.headers.grids import check_edges, rigid_grid
from PCNSLSurvivalLib.imaging.headers.regular_files import Volume, kind_of, size_of_regular
from PCNSLSurvivalLib.imaging.headers.stored_voxels import StoredVoxels, damaged, first_bytes
from PCNSLSurvivalLib.imaging.headers.volume_header import (
    VolumeHeader,
    color,
    complex_numbers,
    orientation_unknown,
    three_axes,
    unknown_storage,
)

_NIFTI_1, _NIFTI_2 = 348, 540
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_COMPLEX, _COLOR = {32, 1792, 2048}, {128, 2304}
_VECTOR_INTENTS = {1005, 1006, 1007, 1011, 2003, 2004}
_STATISTICS = range(2, 25)
"""Intents of correlation, t, F, z and other statistics, p-values among them."""
_MM_PER_UNIT = {1: 1000.0, 3: 0.001}
_POSITION_TOLERANCE_MM = 1.0
"""Two positions that differ by more place the head visibly elsewhere."""
_SCANNER = 1
_PIECE_BYTES = 1 << 20
_RAS_TO_LPS = np.array([[-1.0], [-1.0], [1.0], [1.0]])
"""Signs of the rows; not a matrix, whose zeros would make NaN of an infinite origin with a warning."""


@dataclass(frozen=True, kw_only=True)
class _Fields:
    """The fields of either version that count here; places as stated, before units."""

    paired: bool
    dims: tuple[int, ...]
    datatype: int
    intent: int
    pixdim: tuple[float, ...]
    vox_offset: float
    slope: float
    intercept: float
    units: int
    qform_code: int
    sform_code: int
    quaternion: tuple[float, ...]
    offset: tuple[float, ...]
    rows: tuple[float, ...]
    order: str
    first_voxel: int
    """The least offset of voxels in a single file."""


def read_nifti_header(path: Path, volume: Volume) -> VolumeHeader:
    """Read the header of a .nii, .nii.gz or .hdr file.

    Args:
        path: A regular file.
        volume: What the volume is, for messages.

    Raises:
        UnreadableScanError: It is no NIfTI file, contradicts itself, or holds no 3-D scalar volume.
    """
    packed = path.name.lower().endswith(".gz")
    try:
        content = first_bytes(path, _NIFTI_2, packed=packed)
    except (OSError, EOFError, zlib.error) as problem:
        raise damaged(volume) from problem
    fields = _fields(content, volume)
    if fields.paired != path.name.lower().endswith(".hdr"):
        raise damaged(volume)
    dropped, size = three_axes(fields.dims, volume)
    grid, remarks = _grid(fields, size, volume)
    if dropped:
        remarks = (*remarks, Message("scan.leading_axis_dropped", volume=volume))
    if fields.intent in _STATISTICS:
        remarks = (*remarks, Message("scan.statistical_map", volume=volume))
    if fields.slope < 0:
        remarks = (*remarks, Message("scan.inverted", volume=volume))
    return VolumeHeader(
        source_format="NIfTI",
        grid=grid,
        stored=_stored(path, fields, size, volume),
        remarks=remarks,
    )


def _fields(content: bytes, volume: Volume) -> _Fields:
    order = next(
        (o for o in "<>" if content[:4] in (struct.pack(o + "i", _NIFTI_1), struct.pack(o + "i", _NIFTI_2))), ""
    )
    if not order:
        raise damaged(volume)
    second = content[:4] == struct.pack(order + "i", _NIFTI_2)
    if len(content) < (_NIFTI_2 if second else _NIFTI_1):
        raise damaged(volume)

    def at(place: int, kind: str) -> tuple:
        return struct.unpack_from(order + kind, content, place)

    magic = content[4:12] if second else content[344:348]
    if magic == b"\0\0\0\0" and not second:
        raise UnreadableScanError(Message("scan.analyze_format", volume=volume))
    if magic[:3] not in ((b"n+2", b"ni2") if second else (b"n+1", b"ni1")) or magic[3:4] != b"\0":
        raise damaged(volume)
    if second and magic[4:] != b"\r\n\x1a\n":
        raise damaged(volume)
    dim = at(16, "8q") if second else at(40, "8h")
    if not 1 <= dim[0] <= 7 or min(dim[1 : dim[0] + 1]) < 1:
        raise damaged(volume)
    return _Fields(
        paired=magic[1:2] == b"i",
        dims=dim[1 : dim[0] + 1],
        datatype=at(12 if second else 70, "h")[0],
        intent=at(504, "i")[0] if second else at(68, "h")[0],
        pixdim=at(104, "8d") if second else at(76, "8f"),
        vox_offset=at(168, "q")[0] if second else at(108, "f")[0],
        slope=at(176, "d")[0] if second else at(112, "f")[0],
        intercept=at(184, "d")[0] if second else at(116, "f")[0],
        units=at(500, "i")[0] if second else content[123],
        qform_code=at(344, "i")[0] if second else at(252, "h")[0],
        sform_code=at(348, "i")[0] if second else at(254, "h")[0],
        quaternion=at(352, "3d") if second else at(256, "3f"),
        offset=at(376, "3d") if second else at(268, "3f"),
        rows=at(400, "12d") if second else at(280, "12f"),
        order=order,
        first_voxel=544 if second else 352,
    )


def _stored(path: Path, fields: _Fields, size: tuple[int, int, int], volume: Volume) -> StoredVoxels:
    if fields.datatype in _COLOR or fields.intent in _VECTOR_INTENTS:
        raise color(volume)
    if fields.datatype in _COMPLEX:
        raise complex_numbers(volume)
    kind = _TYPES.get(fields.datatype)
    if kind is None:
        raise unknown_storage(volume, f"NIfTI data type {fields.datatype}")
    offset = fields.vox_offset
    if not (np.isfinite(offset) and 0 <= offset < 2**31 and offset == int(offset)):
        raise damaged(volume)
    if not fields.paired:
        # The reference library reads an offset of 0 in a single file as "right after the header".
        offset = offset or fields.first_voxel
        if offset < fields.first_voxel:
            raise damaged(volume)
    data = _beside(path, volume) if fields.paired else path
    # A slope of 0 stands for "not scaled".
    scaled = bool(np.isfinite([fields.slope, fields.intercept]).all()) and fields.slope != 0
    return StoredVoxels(
        path=data,
        packing="deflate" if data.name.lower().endswith(".gz") else "raw",
        skip=int(offset),
        dtype=np.dtype(fields.order + kind),
        count=size[0] * size[1] * size[2],
        slope=fields.slope if scaled else 1.0,
        intercept=fields.intercept if scaled else 0.0,
    )


def _beside(path: Path, volume: Volume) -> Path:
    """The file of voxels that belongs to a .hdr file; several must have the same content."""
    there = {
        ending: image
        for ending in (".img", ".IMG", ".img.gz", ".IMG.gz")
        if kind_of(image := path.with_name(path.name[:-4] + ending)) != "absent"
    }
    for image in there.values():
        size_of_regular(image, volume)
    if not there:
        raise UnreadableScanError(Message("scan.no_img_file", volume=volume))
    (first, image), *others = there.items()
    for ending, other in others:
        if not image.samefile(other) and not _same_content(image, other):
            raise UnreadableScanError(Message("scan.two_img_files", volume=volume, one=first, other=ending))
    return image


def _same_content(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes, once unpacked; a damaged one is no copy."""
    try:
        with _unpacked(one) as stream, _unpacked(other) as second:
            while (piece := stream.read(_PIECE_BYTES)) == second.read(_PIECE_BYTES):
                if not piece:
                    return True
        return False
    except (OSError, EOFError, zlib.error):
        return False


def _unpacked(path: Path) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def _grid(fields: _Fields, size: tuple[int, int, int], volume: Volume) -> tuple[Grid, tuple[Message, ...]]:
    """The grid of the position that counts, and remarks where it may be the wrong one.

    Two positions can be stated. As in ITK, and so in Slicer, the sform counts where it says "scanner" or stands
    alone, otherwise the qform; one whose axes are not at right angles gives way to the other.
    """
    unit = _MM_PER_UNIT.get(fields.units & 7, 1.0)
    stated = {
        which: unit_scaled
        for which, code, affine in (
            ("sform", fields.sform_code, _sform(fields)),
            ("qform", fields.qform_code, _qform(fields)),
        )
        if code > 0
        for unit_scaled in [np.array([[unit], [unit], [unit], [1.0]]) * affine]
    }
    if not stated:
        edges = np.abs(fields.pixdim[1:4]) * unit
        check_edges(edges, size, volume)
        return rigid_grid(np.diag([*edges, 1.0]), size, volume), (orientation_unknown(volume),)
    if list(stated) == ["qform"]:
        check_edges(np.array(fields.pixdim[1:4]) * unit, size, volume)
    order = sorted(stated, key=lambda which: which != ("sform" if fields.sform_code == _SCANNER else "qform"))
    grid, used = None, order[0]
    for used in order:
        try:
            grid = rigid_grid(_RAS_TO_LPS * stated[used], size, volume)
            break
        except UnreadableScanError:
            if used == order[-1]:
                # What is wrong with the one that counts is said.
                rigid_grid(_RAS_TO_LPS * stated[order[0]], size, volume)
                raise
    assert grid is not None
    return grid, _doubts(stated, used, np.array(fields.pixdim[1:4]) * unit, size, volume)


def _doubts(
    stated: dict[str, FloatArray], used: str, edges_mm: FloatArray, size: tuple[int, int, int], volume: Volume
) -> tuple[Message, ...]:
    """Say so when the header contradicts itself, and which statement was read."""
    if len(stated) == 2:
        corners = np.array(np.meshgrid(*[(0.0, n - 1.0) for n in size])).reshape(3, -1)
        gap = np.abs((stated["sform"] - stated["qform"])[:3] @ np.vstack([corners, np.ones(8)])).max()
        if np.isfinite(gap) and gap > _POSITION_TOLERANCE_MM:
            return (Message("scan.two_positions", volume=volume, gap=gap, used=used),)
    of_sform = np.linalg.norm(stated[used][:3, :3], axis=0)
    if used == "sform" and not np.allclose(of_sform, edges_mm, rtol=0.01):
        here, there = (" x ".join(f"{edge:.3g}" for edge in edges) for edges in (of_sform, edges_mm))
        return (Message("scan.two_voxel_sizes", volume=volume, used=here, other=there),)
    return ()


def _sform(fields: _Fields) -> FloatArray:
    return np.vstack([np.reshape(fields.rows, (3, 4)), [0.0, 0.0, 0.0, 1.0]])


def _qform(fields: _Fields) -> FloatArray:
    """(4, 4) of the qform, in its own units; not finite where the quaternion is none or an edge is not positive."""
    affine = np.eye(4)
    b, c, d = fields.quaternion
    square = b * b + c * c + d * d
    if square > 1.0:
        b, c, d = (x / np.sqrt(square) for x in (b, c, d))
    a = np.sqrt(max(0.0, 1.0 - min(square, 1.0)))
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    # Of a negative edge some readers take the size, some one millimeter, and some turn the axis around.
    edges = np.array(fields.pixdim[1:4]) * (1.0, 1.0, -1.0 if fields.pixdim[0] < 0 else 1.0)
    affine[:3, :3] = turn * edges if square < 1.02 and min(fields.pixdim[1:4]) > 0 else np.nan
    affine[:3, 3] = fields.offset
    return affine
