"""What fuzzing begins with, and files that are built from its bytes where bytes alone would not get past a checksum.

The sound and broken files of the catalogue are the seeds; the words of the readers' own code are the dictionary.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import re
import shutil
import stat
import struct
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import atheris
from catalogue import dicom_files, meta_files, model_folders, nifti_files, nrrd_files, tables
from catalogue.rows import Row
from made_models import random_tensors

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.models.familiarity import FEATURES, measure_names
from PCNSLSurvivalLib.models.model_folder import (
    CARD,
    FAMILIARITY,
    LICENSE,
    METADATA,
    MONAI_CONFIG,
    TRAINING_PATIENTS,
    bundled_model_path,
    json_text,
    monai_config,
)
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.weights_file import write_weights

LONGEST = 20_000
"""Bytes of a seed, and of what is made of it."""
BUILT = b"\xff"
"""First byte of an input that says how a file is built; no sound file of these kinds begins with it."""

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**400, 0.5, -0.0, 1e-320, 1e308, float("inf"), float("nan"), ""),
    *("t1gd", "1e400", "\ud800", "\u202e", "\0", "\n", "../x", "/", "=1+1", "a" * 5000, [], {}, [[]], [{}], {"": {}}),
)
_WEIGHTS = "models/member_0.safetensors"


def seeds(target: str) -> Iterator[bytes]:
    """Files of one kind, sound ones and broken ones."""
    if target == "plan":
        yield ExperimentPlan().to_yaml().encode()
    elif target == "zip":
        yield _zipped([(f"model/{name}", content) for name, content in sound_model().items() if name != _WEIGHTS])
    if target in ("plan", "metadata", "zip"):
        for number in range(8):
            yield BUILT + hashlib.sha512(bytes([number])).digest()
    rows, ending = _ROWS.get(target, ((), ""))
    for row in rows:
        with tempfile.TemporaryDirectory() as made:
            try:
                row.build(Path(made))
            except OSError:  # names that this disk does not take
                continue
            for path in sorted(Path(made).rglob("*")):
                if re.fullmatch(ending, path.name) and stat.S_ISREG(path.lstat().st_mode):
                    content = path.read_bytes()
                    if 0 < len(content) <= LONGEST:
                        yield content


_ROWS: dict[str, tuple[Iterable[Row], str]] = {
    "nifti": ((*nifti_files.NIFTI, *nifti_files.NIFTI_READ), r".*\.nii"),
    "nrrd": ((*nrrd_files.NRRD, *nrrd_files.NRRD_READ), r".*\.nrrd"),
    "metaimage": ((*meta_files.META, *meta_files.META_READ), r".*\.mha"),
    "dicom": ((*dicom_files.REFUSED, *dicom_files.READ), "IM0005|IM1"),
    "table": (tables.REFUSED, r".*\.csv"),
    "plan": (tables.REFUSED, r".*\.yaml"),
    "metadata": (model_folders.REFUSED, "metadata.json"),
    "zip": (model_folders.REFUSED, r".*\.zip"),
}


def words(modules: Iterable[str]) -> str:
    """A dictionary for libFuzzer: every short text and every DICOM tag that stands in the code of these modules."""
    found: set[bytes] = set()
    for name in modules:
        for node in ast.walk(ast.parse(Path(sys.modules[name].__file__ or "").read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Constant):
                continue
            if isinstance(node.value, str):
                found |= {part.encode() for part in node.value.split("|") if len(part) <= 40}
            elif isinstance(node.value, bytes):
                found.add(node.value)
            elif type(node.value) is int and 0x10000 <= node.value < 1 << 32:
                found.add(struct.pack("<HH", node.value >> 16, node.value & 0xFFFF))
    escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in sorted(found) if 2 <= len(word) <= 40)
    return "".join(f'"{word}"\n' for word in escaped)


def edited(tree: Any, data: atheris.FuzzedDataProvider) -> Any:
    """A copy of plain values with some of them deleted, added, exchanged or replaced."""
    whole = {"": deepcopy(tree)}
    for _ in range(data.ConsumeIntInRange(1, 4)):
        places = list(_places(whole))
        parent, key = places[data.ConsumeIntInRange(0, len(places) - 1)]
        kind = data.ConsumeIntInRange(0, 6)
        if kind == 0 and parent is not whole:
            del parent[key]
        elif kind == 1:
            parent[key] = deepcopy(_VALUES[data.ConsumeIntInRange(0, len(_VALUES) - 1)])
        elif kind == 2:
            parent[key] = data.ConsumeIntInRange(-(2**40), 2**40)
        elif kind == 3:
            parent[key] = data.ConsumeFloat()
        elif kind == 4:
            parent[key] = data.ConsumeUnicode(12)
        elif kind == 5:
            other, name = places[data.ConsumeIntInRange(0, len(places) - 1)]
            parent[key] = deepcopy(other[name])
        elif isinstance(parent, list):
            parent.insert(key, deepcopy(parent[key]))
        elif parent is not whole:
            parent[data.ConsumeUnicode(12)] = deepcopy(parent[key])
    return whole[""]


def _places(parent: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in parent.items() if isinstance(parent, dict) else enumerate(parent):
        yield parent, key
        if isinstance(value, dict | list):
            yield from _places(value)


def built_metadata(content: bytes) -> bytes:
    """The bundled model's metadata with some entries changed."""
    sound = json.loads((bundled_model_path() / METADATA).read_text(encoding="utf-8"))
    return json.dumps(edited(sound, atheris.FuzzedDataProvider(content))).encode()


def built_plan(content: bytes) -> bytes:
    """Some entries of the default plan, changed; JSON is YAML as well."""
    data = atheris.FuzzedDataProvider(content)
    tree = _sound_plan()
    return json.dumps(edited({name: tree[name] for name in tree if data.ConsumeIntInRange(0, 3) == 0}, data)).encode()


def built_zip(content: bytes) -> bytes:
    """A zip file of a small model with one part and some entries changed, its checksums often made right again."""
    data = atheris.FuzzedDataProvider(content)
    files = sound_model()
    part = data.PickValueInList(["", "", METADATA, FAMILIARITY, TRAINING_PATIENTS, MONAI_CONFIG, _WEIGHTS])
    if part == _WEIGHTS:
        files[part] = _changed_weights(files[part], data)
    elif part:
        files[part] = json.dumps(edited(json.loads(files[part]), data)).encode()
    if part != METADATA and data.ConsumeIntInRange(0, 3):
        files[METADATA] = _with_hashes(files)
    entries = [(f"model/{name}", content) for name, content in files.items()]
    for _ in range(data.ConsumeIntInRange(0, 2)):
        number, kind = data.ConsumeIntInRange(0, len(entries) - 1), data.ConsumeIntInRange(0, 4)
        name, inside = entries[number]
        if kind == 0:
            entries.append((name, inside))
        elif kind == 1 and len(entries) > 1:
            del entries[number]
        elif kind == 2:
            entries[number] = (data.PickValueInList(["", "model/", "model/../", "/", "x/"]) + name, inside)
        elif kind == 3:
            entries[number] = (data.ConsumeUnicode(20), inside)
        else:
            entries[number] = (name, data.ConsumeBytes(40))
    return _zipped(entries, data)


def _changed_weights(content: bytes, data: atheris.FuzzedDataProvider) -> bytes:
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(edited(json.loads(content[8 : 8 + length]), data)).encode()
    stated = len(header) if data.ConsumeIntInRange(0, 7) else data.ConsumeIntInRange(0, 2**64 - 1)
    voxels = bytearray(content[8 + length :])
    for _ in range(data.ConsumeIntInRange(0, 1)):
        struct.pack_into("<f", voxels, 4 * data.ConsumeIntInRange(0, len(voxels) // 4 - 1), data.ConsumeFloat() % 1e38)
    return stated.to_bytes(8, "little") + header + bytes(voxels)


def _with_hashes(files: dict[str, bytes]) -> bytes:
    metadata = json.loads(files[METADATA])
    metadata["pcnsl_survival"]["files"] = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
        if name != METADATA
    }
    return json.dumps(metadata).encode()


def _zipped(entries: list[tuple[str, bytes]], data: atheris.FuzzedDataProvider | None = None) -> bytes:
    """A zip file with right checksums; some numbers of its directory may then be changed."""
    packed = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(packed, "w") as archive:
        warnings.simplefilter("ignore")  # names that stand twice
        for name, content in entries:
            entry = zipfile.ZipInfo(name.encode("utf-8", "replace").decode())
            if data is not None and not data.ConsumeIntInRange(0, 15):
                entry.external_attr = data.ConsumeIntInRange(0, 2**32 - 1)
                entry.extra = data.ConsumeBytes(12)
            kind = zipfile.ZIP_STORED if len(content) > LONGEST else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compress_type=kind)
        directory = archive.start_dir
    content = bytearray(packed.getvalue())
    for _ in range(0 if data is None else data.ConsumeIntInRange(0, 2)):
        format_ = data.PickValueInList(["<B", "<H", "<I"])
        value = data.ConsumeIntInRange(0, 2 ** (8 * struct.calcsize(format_)) - 1)
        struct.pack_into(format_, content, data.ConsumeIntInRange(directory, len(content) - 4), value)
    return bytes(content)


@cache
def _sound_plan() -> dict[str, Any]:
    return ExperimentPlan().to_json()


@cache
def _sound_model() -> dict[str, bytes]:
    """Every file of a small model with all that a model folder may hold."""
    architecture = ResNetArchitecture(depth=10, widen_factor=0.125)
    with tempfile.TemporaryDirectory() as made:
        write_weights(random_tensors(architecture), Path(made) / "weights")
        weights = (Path(made) / "weights").read_bytes()
    bundle = bundled_model_path()
    familiarity = json.loads((bundle / FAMILIARITY).read_text())
    sizes = {group: len(names) for group, names in measure_names((MRSequence.T1GD,)).items()}
    for group, size in (sizes | {FEATURES: architecture.features}).items():
        familiarity["spreads"][group] = {"center": [0.5] * size, "scale": [0.5] * size, "reach": 1.5}
    files = {name: (bundle / name).read_bytes() for name in (METADATA, LICENSE, CARD)}
    metadata = json.loads(files[METADATA])
    metadata["pcnsl_survival"]["members"] = [_WEIGHTS]
    metadata["pcnsl_survival"]["network"]["arguments"] = architecture.to_json()
    files |= {
        METADATA: json.dumps(metadata).encode(),
        MONAI_CONFIG: json_text(monai_config(architecture)).encode(),
        FAMILIARITY: json.dumps(familiarity).encode(),
        TRAINING_PATIENTS: json.dumps({"public": ["a"], "own": [], "voxels": [], "unknown": False}).encode(),
        _WEIGHTS: weights,
    }
    return files | {METADATA: _with_hashes(files)}


def sound_model() -> dict[str, bytes]:
    """A copy, to be changed."""
    return dict(_sound_model())


def neighbors(folder: Path) -> None:
    """Slices on both sides of a slice of the catalogue's series, which is missing."""
    row = next(row for row in dicom_files.READ if row.name == "DICOM")
    with tempfile.TemporaryDirectory() as made:
        series = row.build(Path(made))
        for number in (3, 4, 6, 7):
            shutil.copy(series / f"IM{number:04d}", folder)


BUILDERS: dict[str, Callable[[bytes], bytes]] = {"metadata": built_metadata, "plan": built_plan, "zip": built_zip}
"""Targets of which a part of the inputs says how a file is built."""
