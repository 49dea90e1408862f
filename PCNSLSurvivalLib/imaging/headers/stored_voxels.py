"""Voxels as a file stores them: where they begin, how they are packed, and that the file holds exactly them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.headers.regular_files import Volume, size_of_regular

LARGEST_VOXELS = 160_000_000
"""A whole head at 0.4 mm holds 136 million voxels."""
Packing = Literal["raw", "deflate", "text"]

_LARGEST_TEXT_BYTES = 64_000_000
_PIECE_BYTES = 1 << 22
_LARGEST_RATIO = 1032
"""Deflate cannot pack one byte into less than 1/1032 of it."""


@dataclass(frozen=True, kw_only=True)
class StoredVoxels:
    """Where the voxels of a volume lie, first index fastest.

    Attributes:
        path: The file that holds them.
        start: Byte of the file at which the (packed) stream begins.
        packing: How the stream is packed; "deflate" stands for zlib and gzip alike.
        skip: Bytes of the unpacked stream before the first voxel.
        dtype: Type and byte order of a stored voxel.
        count: Number of voxels.
        slope: Value of a voxel is ``slope`` times the stored one plus ``intercept``.
        intercept: See ``slope``.
    """

    path: Path
    start: int = 0
    packing: Packing = "raw"
    skip: int = 0
    dtype: np.dtype
    count: int
    slope: float = 1.0
    intercept: float = 0.0

    @property
    def scaled(self) -> bool:
        """Whether values are other than the stored ones."""
        return (self.slope, self.intercept) != (1.0, 0.0)


def plain_number(word: str) -> float:
    """A number as files write it, or NaN or infinity by name; ``float`` also takes 1_5 for 15, and other scripts.

    Raises:
        ValueError: The word is something else.
    """
    if "_" in word or not word.isascii():
        raise ValueError
    return float(word)


def damaged(volume: Volume) -> UnreadableScanError:
    """A file that contradicts itself or its ending."""
    return UnreadableScanError(Message("scan.damaged_file", volume=volume))


def wrong_length(volume: Volume, needed: int) -> UnreadableScanError:
    """A file that holds fewer or more bytes than its header states."""
    return UnreadableScanError(Message("scan.wrong_length", volume=volume, needed=needed))


def check_count(count: int, volume: Volume) -> None:
    """Refuse more voxels than any scan of a head has, before anything is made for them.

    Raises:
        UnreadableScanError: There are more than ``LARGEST_VOXELS``.
    """
    if count > LARGEST_VOXELS:
        raise UnreadableScanError(Message("scan.too_many_voxels", volume=volume, millions=LARGEST_VOXELS // 1_000_000))


def read_voxels(stored: StoredVoxels, as_type: DTypeLike, volume: Volume) -> NDArray[np.generic]:
    """Read all voxels, checking that the stream ends where they end.

    Args:
        stored: Where they lie.
        as_type: Type of the result; larger values than it holds become infinite.
        volume: What the volume is, for messages.

    Returns:
        (count,) voxels in the order of the file.

    Raises:
        UnreadableScanError: The file is shorter or longer than stated, its stream is damaged, or the result does
            not fit into memory.
    """
    check_count(stored.count, volume)
    size = size_of_regular(stored.path, volume)
    needed = stored.count * stored.dtype.itemsize
    if stored.packing == "text":
        return _from_text(stored, size, as_type, volume)
    there = size - stored.start
    if stored.packing == "raw" and there - stored.skip != needed:
        raise wrong_length(volume, needed)
    if stored.packing == "deflate" and there * _LARGEST_RATIO < needed:
        raise wrong_length(volume, needed)
    try:
        return _filled(stored, needed, as_type, volume)
    except MemoryError as problem:
        raise UnreadableScanError(Message("scan.too_large_for_memory", volume=volume)) from problem
    except (zlib.error, EOFError, OSError) as problem:
        raise damaged(volume) from problem


def first_bytes(path: Path, count: int, *, packed: bool) -> bytes:
    """Up to ``count`` bytes from the beginning of a regular file, unpacked where it is ``packed`` by gzip.

    Raises:
        OSError, EOFError, zlib.error: The file cannot be read, or its stream is damaged before these bytes.
    """
    with path.open("rb") as stream:
        if not packed:
            return stream.read(count)
        found = bytearray()
        for piece in _inflated(stream):
            found += piece
            if len(found) >= count:
                break
        return bytes(found[:count])


def _filled(stored: StoredVoxels, needed: int, as_type: DTypeLike, volume: Volume) -> NDArray[np.generic]:
    voxels = np.empty(stored.count, as_type)
    width, filled, skip, rest = stored.dtype.itemsize, 0, stored.skip, b""
    with stored.path.open("rb") as stream, np.errstate(all="ignore"):
        stream.seek(stored.start)
        for piece in _inflated(stream) if stored.packing == "deflate" else iter(lambda: stream.read(_PIECE_BYTES), b""):
            left_out = min(skip, len(piece))
            skip -= left_out
            rest += piece[left_out:]
            whole = len(rest) // width
            if filled + whole > stored.count or (filled + whole == stored.count and len(rest) % width):
                raise wrong_length(volume, needed)
            values = np.frombuffer(rest, stored.dtype, whole)
            with np.errstate(over="ignore"):  # infinite values are refused by number, not told by numpy
                if stored.scaled:
                    values = values.astype(float) * stored.slope + stored.intercept
                voxels[filled : filled + whole] = values
            filled, rest = filled + whole, rest[whole * width :]
    if filled < stored.count:
        raise wrong_length(volume, needed)
    return voxels


def _inflated(stream: BinaryIO) -> Iterator[bytes]:
    """Unpack a gzip or zlib stream to its end, with its checksums; gzip may hold several parts one after another.

    Raises:
        EOFError: The stream ends before it says so.
        zlib.error: It is damaged, or something else follows it.
    """
    held = b""
    while True:
        unpack = zlib.decompressobj(wbits=47)
        while not unpack.eof:
            held = held or stream.read(_PIECE_BYTES)
            if not held:
                raise EOFError
            yield unpack.decompress(held, _PIECE_BYTES)
            held = unpack.unconsumed_tail
        held = unpack.unused_data
        while not held.lstrip(b"\0"):  # tapes and some archives fill up with zeros
            held = stream.read(_PIECE_BYTES)
            if not held:
                return


def _from_text(stored: StoredVoxels, size: int, as_type: DTypeLike, volume: Volume) -> NDArray[np.generic]:
    if size - stored.start > _LARGEST_TEXT_BYTES:
        raise UnreadableScanError(Message("scan.long_text", volume=volume, megabytes=_LARGEST_TEXT_BYTES // 1_000_000))
    with stored.path.open("rb") as stream:
        stream.seek(stored.start)
        content = stream.read()
    words = content.split()
    if len(words) != stored.count or b"_" in content:
        raise damaged(volume)
    try:
        return np.array(words, dtype=float).astype(as_type)
    except ValueError as problem:
        raise damaged(volume) from problem
