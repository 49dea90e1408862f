"""The elements of a DICOM file, read within bounds.

Readers made for every DICOM file follow whatever lengths and depths a file states, and some end the interpreter over
it. What a volume needs is little: a few numbers and where the pixels lie. Here every length is held against the
file, nesting against a limit, and nothing else is interpreted.

References:
    DICOM PS3.5, sections 7 (data set), 7.5 (nesting) and A (transfer syntaxes); PS3.10, section 7.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from PCNSLSurvivalLib.imaging.dicom.character_sets import decoded
from PCNSLSurvivalLib.imaging.headers.stored_voxels import plain_number

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_BIG_ENDIAN, _DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
TRANSFER_SYNTAX = 0x00020010
_CHARACTER_SET = 0x00080005
PIXEL_DATA = 0x7FE00010

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG_LENGTH = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_SHORT_LENGTH = {
    *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS"),
    *(b"ST", b"TM", b"UI", b"UL", b"US"),
}
_UNDEFINED = 0xFFFFFFFF
_MOST_ELEMENTS = 300_000
_DEEPEST = 16
_LARGEST_UNPACKED = 128 << 20
# Sequences that say where frames lie; every other one is passed over.
_OPENED = {0x52009229, 0x52009230, 0x00209113, 0x00209116, 0x00289110, 0x00289145}
# And those that say how frames were acquired, with which contrast agent, or that values are looked up in a table.
_OPENED |= {0x00209111, 0x00189112, 0x00189114, 0x00189115, 0x00189117, 0x00189226, 0x00283000, 0x00180012, 0x00189341}

Bytes = bytes | mmap.mmap


class NoDicomError(Exception):
    """The file is no DICOM file."""


class DamagedDicomError(Exception):
    """The file begins as a DICOM file and contradicts itself."""


@dataclass
class Elements:
    """Elements of a data set or of one item of a sequence.

    Attributes:
        order: "<" or ">", the byte order of binary values.
        values: Bytes of every element but sequences and pixels; long ones are left out.
        items: Items of the opened sequences.
    """

    order: str
    values: dict[int, bytes] = field(default_factory=dict)
    items: dict[int, list[Elements]] = field(default_factory=dict)

    def text(self, tag: int) -> str:
        """The value as text without padding; empty where it is absent."""
        return self.values.get(tag, b"").decode("latin-1").strip(" \0")

    def readable(self, tag: int) -> str:
        """The value as a person wrote it, in the character set of the file."""
        return decoded(self.values.get(tag, b""), self.text(_CHARACTER_SET)).strip(" \0")

    def words(self, tag: int) -> list[str]:
        """The values of a text element."""
        return [word.strip(" \0") for word in self.text(tag).split("\\")] if self.text(tag) else []

    def numbers(self, tag: int, count: int) -> list[float] | None:
        """``count`` decimal numbers, which may be no numbers; None where the element is absent.

        Raises:
            DamagedDicomError: There is another number of them, or a word.
        """
        if tag not in self.values:
            return None
        try:
            found = [plain_number(word) for word in self.words(tag)]
        except ValueError as problem:
            raise DamagedDicomError from problem
        if len(found) != count:
            raise DamagedDicomError
        return found

    def short(self, tag: int) -> int | None:
        """An unsigned 16-bit value; None where the element is absent."""
        value = self.values.get(tag)
        if value is None:
            return None
        if len(value) < 2:
            raise DamagedDicomError
        return int(struct.unpack_from(self.order + "H", value)[0])

    def item(self, tag: int) -> Elements | None:
        """The only item of a sequence; None where it is absent or empty."""
        found = self.items.get(tag)
        return found[0] if found else None


@dataclass(kw_only=True)
class DataSet:
    """One DICOM file.

    Attributes:
        elements: Top-level elements.
        transfer_syntax: UID of how it is encoded.
        content: The bytes of the data set, to read pixels from.
        pixels: First byte and length of native pixels in ``content``; None where there are none.
        fragments: The same of every fragment of packed pixels, the offset table first.
    """

    elements: Elements
    transfer_syntax: str
    content: Bytes
    pixels: tuple[int, int] | None = None
    fragments: list[tuple[int, int]] = field(default_factory=list)


def read_data_set(path: Path) -> DataSet:
    """Read the elements of a DICOM file.

    Args:
        path: A regular file.

    Raises:
        NoDicomError: It is none.
        DamagedDicomError: A length leads beyond the file, or nesting and number of elements beyond any real object.
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        try:
            content: Bytes = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as problem:  # an empty file
            raise NoDicomError from problem
    return parse(content)


def parse(content: Bytes) -> DataSet:
    """Read the elements of a DICOM file's bytes; see ``read_data_set``."""
    start, syntax = 0, ""
    meta = _Parser(content, "<", explicit=True)
    if content[128:132] == b"DICM":
        start = meta.read_meta(132)
        syntax = meta.found.text(TRANSFER_SYNTAX)
    elif content[:4] not in (b"\x08\0\0\0", b"\x08\0\x05\0", b"\x08\0\x08\0", b"\x08\0\x12\0", b"\x08\0\x16\0"):
        raise NoDicomError
    if not syntax:  # an old file without its first part: it shows by itself whether types are written
        syntax = EXPLICIT if content[start + 4 : start + 6] in _SHORT_LENGTH | _LONG_LENGTH else IMPLICIT
    if syntax == _DEFLATED:
        content, start = _inflated(content[start:]), 0
    order = ">" if syntax == _BIG_ENDIAN else "<"
    parser = _Parser(content, order, explicit=syntax != IMPLICIT)
    parser.found.values.update(meta.found.values)
    parser.read_set(start, len(content), parser.found, depth=0)
    return DataSet(
        elements=parser.found,
        transfer_syntax=syntax,
        content=content,
        pixels=parser.pixels,
        fragments=parser.fragments,
    )


class _Parser:
    """Walks over a data set once, with a budget of elements."""

    def __init__(self, content: Bytes, order: str, *, explicit: bool) -> None:
        self.content, self.order, self.explicit = content, order, explicit
        self.found = Elements(order)
        self.pixels: tuple[int, int] | None = None
        self.fragments: list[tuple[int, int]] = []
        self.budget = _MOST_ELEMENTS

    def read_meta(self, at: int) -> int:
        """Read the first part, group 0002; returns where it ends."""
        while self.content[at : at + 2] == b"\x02\0":
            tag, _, length, at = self._head(at, True, self.order)
            at = self._value(tag, at, length, len(self.content), self.found)
        return at

    def read_set(self, at: int, end: int, into: Elements | None, *, depth: int, explicit: bool | None = None) -> int:
        """Read elements up to ``end`` or the end of an item of undefined length; returns where they end."""
        explicit = self.explicit if explicit is None else explicit
        order = self.order if explicit or depth == 0 else "<"
        if depth > _DEEPEST:
            raise DamagedDicomError
        while at < end:
            if depth == 0 and end - at < 8 and not self.content[at:end].strip(b"\0"):
                return end  # filled up with zeros
            tag, kind, length, at = self._head(at, explicit, order)
            if tag == _ITEM_END and depth:
                return at
            if depth == 0 and tag == PIXEL_DATA:
                self._pixel_data(at, length, end)
                return end  # what follows pixels is no part of a volume
            is_sequence = kind == b"SQ" or (length == _UNDEFINED and kind in (b"UN", b"")) or tag in _OPENED
            if is_sequence and (length == _UNDEFINED or (tag in _OPENED and into is not None)):
                inside = into.items.setdefault(tag, []) if into is not None and tag in _OPENED else None
                at = self._sequence(at, length, end, inside, depth=depth, explicit=explicit and kind != b"UN")
            elif length == _UNDEFINED:
                raise DamagedDicomError
            else:
                at = self._value(tag, at, length, end, into)
        return at

    def _head(self, at: int, explicit: bool, order: str) -> tuple[int, bytes, int, int]:
        """Tag, type, length and the place of the value."""
        self.budget -= 1
        if self.budget < 0:
            raise DamagedDicomError
        try:
            group, element = struct.unpack_from(order + "HH", self.content, at)
            tag = group << 16 | element
            if group == 0xFFFE or not explicit:
                return tag, b"", struct.unpack_from(order + "I", self.content, at + 4)[0], at + 8
            kind = self.content[at + 4 : at + 6]
            if kind in _LONG_LENGTH:
                return tag, kind, struct.unpack_from(order + "I", self.content, at + 8)[0], at + 12
            if kind not in _SHORT_LENGTH:
                raise DamagedDicomError
            return tag, kind, struct.unpack_from(order + "H", self.content, at + 6)[0], at + 8
        except struct.error as problem:
            raise DamagedDicomError from problem

    def _value(self, tag: int, at: int, length: int, end: int, into: Elements | None) -> int:
        if at + length > end:
            raise DamagedDicomError
        if into is not None and length <= 4096:
            if tag in into.values and tag >> 16 not in (0, 0x0002) and not tag >> 16 & 1:
                raise DamagedDicomError
            into.values[tag] = self.content[at : at + length]
        return at + length

    def _sequence(
        self, at: int, length: int, end: int, inside: list[Elements] | None, *, depth: int, explicit: bool
    ) -> int:
        if length != _UNDEFINED:
            if at + length > end:
                raise DamagedDicomError
            end = at + length
        while at < end:
            tag, _, item_length, at = self._head(at, explicit, self.order if explicit or depth == 0 else "<")
            if tag == _SEQUENCE_END and length == _UNDEFINED:
                return at
            if tag != _ITEM or (item_length != _UNDEFINED and at + item_length > end):
                raise DamagedDicomError
            item = None
            if inside is not None:
                item = Elements(self.order)
                inside.append(item)
            item_end = end if item_length == _UNDEFINED else at + item_length
            if item is None and item_length != _UNDEFINED:
                at = item_end
            else:
                at = self.read_set(at, item_end, item, depth=depth + 1, explicit=explicit)
        if length == _UNDEFINED:
            raise DamagedDicomError
        return at

    def _pixel_data(self, at: int, length: int, end: int) -> None:
        if length != _UNDEFINED:
            if at + length > end:
                raise DamagedDicomError
            self.pixels = (at, length)
            return
        while True:
            tag, _, size, at = self._head(at, False, self.order)
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM or size == _UNDEFINED or at + size > end:
                raise DamagedDicomError
            self.fragments.append((at, size))
            at += size


def _inflated(packed: bytes) -> bytes:
    unpack = zlib.decompressobj(wbits=-15)
    try:
        content = unpack.decompress(packed, _LARGEST_UNPACKED)
    except zlib.error as problem:
        raise DamagedDicomError from problem
    if not unpack.eof:
        raise DamagedDicomError
    return content
