"""Pixels of DICOM files: plain ones are read here, packed ones in a process of their own.

Codecs for packed pixels (JPEG, JPEG 2000, JPEG-LS, RLE) are written in C++ and can end the interpreter over a damaged
stream. They see neither the original header nor this process: a small file is made of the pixels alone, and another
process unpacks it.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.storage.leftovers import scratch_folder
from PCNSLSurvivalLib.imaging.dicom import unpack
from PCNSLSurvivalLib.imaging.dicom.elements import DamagedDicomError
from PCNSLSurvivalLib.imaging.dicom.frames import DicomFile, PixelFormat

_NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"}
_SECONDS = 120


def read_pixels(files: Sequence[DicomFile]) -> Iterator[NDArray[np.integer]]:
    """Stored values of every file, as (frames, rows, columns) integers.

    Raises:
        DamagedDicomError: A file holds other pixels than its header states, or a packed stream is damaged.
    """
    packed = [file for file in files if file.data.transfer_syntax not in _NATIVE]
    unpacked = iter(_unpacked(packed)) if packed else iter(())
    for file in files:
        form = file.pixels
        assert form is not None
        values = _plain(file, form) if file.data.transfer_syntax in _NATIVE else next(unpacked)
        if form.padding is not None:
            values = _without_padding(values, form)
        if form.inverted:
            values = np.invert(values) if form.signed else ((1 << form.stored) - 1) - values
        yield values


def _plain(file: DicomFile, form: PixelFormat) -> NDArray[np.integer]:
    if file.data.pixels is None:
        raise DamagedDicomError
    start, length = file.data.pixels
    count = form.frames * form.rows * form.columns
    needed = count * form.allocated // 8
    if length not in (needed, needed + needed % 2):
        raise DamagedDicomError
    dtype = np.dtype(f"{file.data.elements.order}{'i' if form.signed else 'u'}{form.allocated // 8}")
    values = np.frombuffer(file.data.content, dtype, count, start).astype(dtype.newbyteorder("="))
    above = form.allocated - 1 - form.high_bit
    below = form.high_bit + 1 - form.stored
    if above and not form.signed and not form.overlay and int(values.max()) >> (form.high_bit + 1):
        raise DamagedDicomError  # larger values than the header has room for
    if above or below:  # bits beside the value held overlays once
        values = (values << above) >> (above + below)
    return values.reshape(form.frames, form.rows, form.columns)


def _without_padding(values: NDArray[np.integer], form: PixelFormat) -> NDArray[np.integer]:
    """Values with what lies outside the scanned region set to the darkest value of the rest."""
    assert form.padding is not None
    outside = (values >= form.padding[0]) & (values <= form.padding[1])
    if not outside.any() or outside.all():
        return values
    rest = values[~outside]
    return np.where(outside, rest.max() if form.inverted else rest.min(), values)


def _unpacked(files: list[DicomFile]) -> Iterator[NDArray[np.integer]]:
    with scratch_folder() as folder:
        for number, file in enumerate(files):
            (folder / f"{number:05d}.dcm").write_bytes(_pixels_alone(file))
        # The child is given as a file, since a source checkout need not be on its path.
        command = [sys.executable, "-P", unpack.__file__, str(folder)]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False, env=os.environ
            )
        except subprocess.TimeoutExpired as problem:
            raise DamagedDicomError from problem
        if done.returncode:
            raise DamagedDicomError
        for number, file in enumerate(files):
            form = file.pixels
            assert form is not None
            values = np.load(folder / f"{number:05d}.npy", allow_pickle=False)
            if values.size != form.frames * form.rows * form.columns:
                raise DamagedDicomError
            yield values.reshape(form.frames, form.rows, form.columns)


def _pixels_alone(file: DicomFile) -> bytes:
    """A DICOM file with nothing in it but the pixels and their format."""
    form = file.pixels
    assert form is not None
    several = form.frames > 1
    kind = "1.2.840.10008.5.1.4.1.1.7" + (".3" if several and form.allocated > 8 else ".2" if several else "")
    meta = b"".join(
        (
            _element(0x00020001, b"OB", b"\0\1"),
            _element(0x00020002, b"UI", kind.encode()),
            _element(0x00020003, b"UI", b"2.25.1"),
            _element(0x00020010, b"UI", file.data.transfer_syntax.encode("ascii", "replace")[:64]),
        )
    )
    body = b"".join(
        (
            _element(0x00080016, b"UI", kind.encode()),
            _element(0x00080018, b"UI", b"2.25.1"),
            _element(0x00280002, b"US", struct.pack("<H", 1)),
            _element(0x00280004, b"CS", b"MONOCHROME2"),
            _element(0x00280008, b"IS", str(form.frames).encode()),
            _element(0x00280010, b"US", struct.pack("<H", form.rows)),
            _element(0x00280011, b"US", struct.pack("<H", form.columns)),
            _element(0x00280100, b"US", struct.pack("<H", form.allocated)),
            _element(0x00280101, b"US", struct.pack("<H", form.stored)),
            _element(0x00280102, b"US", struct.pack("<H", form.high_bit)),
            _element(0x00280103, b"US", struct.pack("<H", form.signed)),
        )
    )
    items = [file.data.content[start : start + length] for start, length in file.data.fragments]
    pixels = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item for item in items)
    return b"".join(
        (
            b"\0" * 128 + b"DICM",
            _element(0x00020000, b"UL", struct.pack("<I", len(meta))),
            meta,
            body,
            struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF),
            pixels,
            struct.pack("<HHI", 0xFFFE, 0xE0DD, 0),
        )
    )


def _element(tag: int, kind: bytes, value: bytes) -> bytes:
    value += (b"\0" if kind in (b"UI", b"OB") else b" ") * (len(value) % 2)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, kind)
    return head + (struct.pack("<HI", 0, len(value)) if kind == b"OB" else struct.pack("<H", len(value))) + value
