"""A lesion reader on disk: weights, what it was trained on, card; nothing in it is ever executed.

``metadata.json`` lists every other file with size and SHA-256, as model folders do (``models.model_folder``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.installed_files import sha256_of
from PCNSLSurvivalLib.core.storage.strict_json import only_keys, read_json_file
from PCNSLSurvivalLib.models.model_folder import json_text
from PCNSLSurvivalLib.models.networks.weights_file import Tensors, read_weights, write_weights

FORMAT_VERSION = 2
METADATA, WEIGHTS, CARD, LICENSE = "metadata.json", "weights.safetensors", "README.md", "LICENSE"
_FILES = {WEIGHTS, CARD, LICENSE}
_KEYS = {
    "format_version", "name", "version", "widths", "hidden", "spacing_mm", "grid_size", "probability",
    "peak_probability", "volume_factor", "trained_on", "license", "files",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ReaderSettings:
    """What a lesion reader needs beside its weights.

    Attributes:
        name, version: Name of the reader.
        widths, hidden: Channels of ``LesionUNet``.
        spacing_mm: Edge of the voxels it reads.
        grid_size: Voxels along each edge of the block it reads.
        probability: Voxels from this probability on are outlined.
        peak_probability: A focus is outlined if at least one of its voxels reaches this probability.
        volume_factor: On nine of ten fresh virtual heads, (outlined mL + 0.5) and (true mL + 0.5) differ by at most
            this factor.
        trained_on: In words.
        license: Of the weights.
    """

    name: str
    version: str
    widths: tuple[int, ...]
    hidden: int
    spacing_mm: float
    grid_size: int
    probability: float
    peak_probability: float
    volume_factor: float
    trained_on: str
    license: str

    def interval_ml(self, volume_ml: float) -> tuple[float, float]:
        """The volumes that would be this near to the outlined one in nine of ten fresh virtual heads."""
        low = (volume_ml + 0.5) / self.volume_factor - 0.5
        return max(low, 0.0), (volume_ml + 0.5) * self.volume_factor - 0.5


@dataclass(frozen=True, kw_only=True)
class ReaderFolder:
    """A lesion reader whose files have been checked; the weights are when they are read."""

    path: Path
    settings: ReaderSettings
    files: Mapping[str, tuple[int, str]]
    checksum: str

    def load_weights(self, shapes: Mapping[str, tuple[int, ...]]) -> Tensors:
        """The weights, checked to the last byte.

        Raises:
            ModelFolderError: Anything differs.
        """
        size, sha256 = self.files[WEIGHTS]
        return read_weights(self.path / WEIGHTS, shapes=shapes, bytes_expected=size, sha256=sha256)

    def to_json(self) -> dict[str, Any]:
        """What a result file says of the reader that made it."""
        return {
            "name": self.settings.name,
            "version": self.settings.version,
            "checksum_sha256": self.checksum,
            "trained_on": self.settings.trained_on,
            "probability": self.settings.probability,
            "peak_probability": self.settings.peak_probability,
        }


def bundled_reader_path() -> Path:
    """The lesion reader that is packaged with the library."""
    return Path(__file__).parent / "bundled" / "lesion_reader_virtual_heads_only"


def read_reader_folder(path: Path | None = None) -> ReaderFolder:
    """Read and check the folder of a lesion reader.

    Args:
        path: The folder; the bundled one if left out.

    Raises:
        ModelFolderError: It is no such folder, or a file in it is missing, unknown, a link, or differs.
    """
    path = bundled_reader_path() if path is None else Path(path)
    if not (path / METADATA).is_file():
        raise ModelFolderError(Message("model.no_metadata"))
    if any(entry.is_symlink() or not entry.is_file() for entry in path.iterdir()):
        raise _refused(Message("refusal.link"))
    stored = only_keys(read_json_file(path / METADATA), _KEYS, name=METADATA)
    if stored["format_version"] != FORMAT_VERSION:
        raise _refused(Message("refusal.format_version", version=FORMAT_VERSION))
    settings = _settings(stored)
    files = only_keys(stored["files"], _FILES, name=Message("word.metadata_entry_file"))
    present = {entry.name for entry in path.iterdir()} - {METADATA}
    if extra := sorted(present - _FILES):
        raise _refused(Message("refusal.file_extra", file=extra[0][:60]))
    if missing := sorted(_FILES - present):
        raise _refused(Message("refusal.file_missing", file=missing[0]))
    for name, entry in files.items():
        only_keys(entry, {"bytes", "sha256"}, name=Message("word.metadata_entry_file"))
        if name != WEIGHTS and sha256_of(path / name) != entry["sha256"]:
            raise _refused(Message("refusal.file_differs", file=name))
    return ReaderFolder(
        path=path,
        settings=settings,
        files={name: (int(entry["bytes"]), str(entry["sha256"])) for name, entry in files.items()},
        checksum=sha256_of(path / METADATA),
    )


def write_reader_folder(
    path: Path, settings: ReaderSettings, weights: Tensors, *, card: str, license_text: str
) -> None:
    """Write a lesion reader into an existing folder.

    Args:
        path: The folder, empty.
        settings: What stands in the metadata.
        weights: ``float32`` arrays by the names of ``LesionUNet``.
        card: Markdown.
        license_text: Of the weights.
    """
    write_weights(weights, path / WEIGHTS)
    (path / CARD).write_text(card, encoding="utf-8", newline="\n")
    (path / LICENSE).write_text(license_text, encoding="utf-8", newline="\n")
    files = {n: {"bytes": (path / n).stat().st_size, "sha256": sha256_of(path / n)} for n in sorted(_FILES)}
    stored = {"format_version": FORMAT_VERSION, **asdict(settings), "files": files}
    (path / METADATA).write_text(json_text(stored), encoding="utf-8", newline="\n")


def _settings(stored: Mapping[str, Any]) -> ReaderSettings:
    for key in ("name", "version", "trained_on", "license"):
        if not isinstance(stored[key], str) or not stored[key]:
            raise _refused(Message("refusal.entry_no_text", entry=key))
    widths = stored["widths"]
    if not isinstance(widths, list) or not 2 <= len(widths) <= 6 or not all(_whole(n, 4, 512) for n in widths):
        raise _refused(Message("refusal.entry_no_number", entry="widths"))
    for key, least, most in (("hidden", 4, 512), ("grid_size", 16, 256)):
        if not _whole(stored[key], least, most):
            raise _refused(Message("refusal.entry_no_number", entry=key))
    ranges = {
        "spacing_mm": (0.5, 4.0),
        "probability": (0.01, 0.99),
        "peak_probability": (0.01, 0.99),
        "volume_factor": (1.0, 1000.0),
    }
    for key, (low, high) in ranges.items():
        value = stored[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise _refused(Message("refusal.entry_no_number", entry=key))
        if not low <= value <= high:
            raise _refused(Message("refusal.entry_out_of_range", entry=key, least=low, most=high))
    names = set(ReaderSettings.__dataclass_fields__)
    return ReaderSettings(**{**{key: stored[key] for key in names}, "widths": tuple(widths)})


def _whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _refused(reason: Message) -> ModelFolderError:
    return ModelFolderError(Message("model.refused", reason=reason))
