"""Weights on disk: safetensors, checked against the architecture before a single tensor is made.

A safetensors file is a table of names, shapes and byte ranges, then plain numbers: nothing in it can run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.strict_json import read_json

Tensors = dict[str, NDArray[np.float32]]

_HEADER_LIMIT_BYTES = 1_000_000


def write_weights(tensors: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """Write tensors as safetensors; the same tensors always give the same bytes.

    Args:
        tensors: ``float32`` arrays by name.
        path: File to write.
    """
    header: dict[str, object] = {}
    begin = 0
    for name in sorted(tensors):
        end = begin + 4 * tensors[name].size
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        for name in sorted(tensors):
            stream.write(np.ascontiguousarray(tensors[name], dtype="<f4").tobytes())


def read_weights(path: Path, *, shapes: Mapping[str, tuple[int, ...]], bytes_expected: int, sha256: str) -> Tensors:
    """Read a weights file whose size, checksum and every tensor are as expected.

    The size is compared before the file is opened, the checksum before its content is interpreted, and the
    table of tensors before any is made.

    Args:
        path: A ``.safetensors`` file.
        shapes: Name and shape of every tensor the network has.
        bytes_expected: File size by the model's metadata.
        sha256: Checksum by the model's metadata, 64 hexadecimal digits.

    Returns:
        ``float32`` arrays by name.

    Raises:
        ModelFolderError: Anything differs.
    """
    check_weights_size(path, shapes=shapes, bytes_expected=bytes_expected)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _refused(path, Message("refusal.checksum"))
    header, data_begin = _header(path, content)
    _check_table(path, header, shapes, len(content) - data_begin)
    tensors = {}
    for name, shape in shapes.items():
        begin, end = header[name]["data_offsets"]
        tensors[name] = np.frombuffer(content[data_begin + begin : data_begin + end], dtype="<f4").reshape(shape)
        if not np.isfinite(tensors[name]).all():
            raise _refused(path, Message("refusal.tensor_not_numbers", tensor=name))
    return tensors


def check_weights_size(path: Path, *, shapes: Mapping[str, tuple[int, ...]], bytes_expected: int) -> None:
    """Refuse a file of another size than the metadata says, or than the network can need.

    Raises:
        ModelFolderError: The size differs.
    """
    needed = sum(4 * int(np.prod(shape)) for shape in shapes.values())
    size = path.stat().st_size
    if size != bytes_expected:
        raise _refused(path, Message("refusal.size"))
    if not needed < size <= needed + _HEADER_LIMIT_BYTES + 8:
        raise _refused(path, Message("refusal.size_of_another_network"))


def _header(path: Path, content: bytes) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= min(_HEADER_LIMIT_BYTES, len(content) - 8):
        raise _refused(path, Message("refusal.no_safetensors"))
    try:
        header = read_json(content[8 : 8 + length], name=path.name)
    except ModelFolderError as problem:
        raise _refused(path, Message("refusal.no_safetensors")) from problem
    header.pop("__metadata__", None)
    return header, 8 + length


def _check_table(path: Path, header: dict[str, Any], shapes: Mapping[str, tuple[int, ...]], data_bytes: int) -> None:
    if missing := sorted(set(shapes) - set(header)):
        raise _refused(path, Message("refusal.tensor_missing", tensor=missing[0]))
    if unknown := sorted(set(header) - set(shapes)):
        raise _refused(path, Message("refusal.tensor_unknown", tensor=unknown[0][:60]))
    ranges = []
    for name, shape in shapes.items():
        entry = header[name]
        if not isinstance(entry, dict) or entry.get("dtype") != "F32" or entry.get("shape") != list(shape):
            raise _refused(path, Message("refusal.tensor_shape", tensor=name))
        offsets = entry.get("data_offsets")
        bytes_needed = 4 * int(np.prod(shape))
        if (
            not isinstance(offsets, list)
            or len(offsets) != 2
            or not all(type(offset) is int for offset in offsets)
            or offsets[1] - offsets[0] != bytes_needed
        ):
            raise _refused(path, Message("refusal.tensor_place", tensor=name))
        ranges.append((offsets[0], offsets[1]))
    end = 0
    for begin, stop in sorted(ranges):
        if begin != end:
            raise _refused(path, Message("refusal.tensors_overlap"))
        end = stop
    if end != data_bytes:
        raise _refused(path, Message("refusal.tensors_short"))


def _refused(path: Path, reason: Message) -> ModelFolderError:
    return ModelFolderError(Message("weights.refused", file=path.name, reason=reason))
