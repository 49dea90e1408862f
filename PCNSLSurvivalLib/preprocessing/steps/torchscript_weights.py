"""The weights inside a TorchScript file, read without torch: nothing in the file is executed or imported."""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]


def read_torchscript_weights(path: Path) -> Weights:
    """Read every ``float32`` tensor of a TorchScript module.

    Args:
        path: A file that ``torch.jit.save`` wrote, with float32 tensors only.

    Returns:
        Arrays by the names of ``state_dict``, such as "down0.block1.double_conv.0.weight".

    Raises:
        pickle.UnpicklingError: The file holds something else than modules, plain values and such tensors.
    """
    with zipfile.ZipFile(path) as archive:
        (listing,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        folder = listing.removesuffix("data.pkl")
        with archive.open(listing) as stream:
            module = _WeightsUnpickler(stream, archive, folder).load()
    weights: Weights = {}
    _collect(module, "", weights)
    return weights


class _Module:
    """Stands for any class of the file; keeps the attributes."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.attributes = state


class _WeightsUnpickler(pickle.Unpickler):
    """Looks no name up in Python: every allowed name stands for something defined here."""

    def __init__(self, stream: Any, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(stream)
        self._archive, self._folder = archive, folder

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__"):
            return _Module
        known = {
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch", "FloatStorage"): np.dtype("<f4"),
            ("collections", "OrderedDict"): OrderedDict,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} is not read from a weights file")
        return known[module, name]

    def persistent_load(self, pid: Any) -> Any:
        kind, dtype, key, _location, count = pid
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError("a storage of another type")
        values = np.frombuffer(self._archive.read(f"{self._folder}data/{key}"), dtype=dtype)
        if len(values) != count:
            raise pickle.UnpicklingError("a storage of another length")
        return values


def _tensor(storage: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_rest: Any) -> Any:
    steps = tuple(stride * storage.itemsize for stride in strides)
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if min((offset, *shape, *strides)) < 0 or last >= len(storage):
        raise pickle.UnpicklingError("a tensor outside its storage")
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps).copy()


def _collect(module: Any, prefix: str, weights: Weights) -> None:
    for name, value in getattr(module, "attributes", {}).items():
        if isinstance(value, np.ndarray):
            weights[prefix + name] = value
        elif isinstance(value, _Module):
            _collect(value, f"{prefix}{name}.", weights)
