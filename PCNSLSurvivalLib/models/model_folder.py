"""A model on disk: weights, preparation of the scans, decision threshold and card, none of it ever executed.

The layout is MONAI's Bundle (MONAI documentation, mb_specification): ``configs/metadata.json``, weights under
``models/``, card and license. What prediction needs stands in the metadata under ``pcnsl_survival``; every other
file is listed there with size and SHA-256. ``configs/inference.json`` serves stock MONAI only; ours reads no
config, and refuses one that is not exactly what the architecture gives.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PCNSLSurvivalLib.core.errors import ModelFolderError, PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.printable import printable
from PCNSLSurvivalLib.core.storage.installed_files import sha256_of
from PCNSLSurvivalLib.core.storage.strict_json import only_keys, read_json_file
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.models.familiarity import FamiliarityStatistics
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.weights_file import Tensors, check_weights_size, read_weights
from PCNSLSurvivalLib.models.training_patients import TrainingPatients
from PCNSLSurvivalLib.preprocessing.recipe import Recipe

FORMAT_VERSION = 1
METADATA = "configs/metadata.json"
MONAI_CONFIG = "configs/inference.json"
FAMILIARITY = "configs/familiarity.json"
TRAINING_PATIENTS = "configs/training_patients.json"
CARD = "docs/README.md"
LICENSE = "LICENSE"

Kind = Literal["untrained", "demonstration", "trained"]

_TOP_KEYS = {
    "version", "changelog", "monai_version", "pytorch_version", "numpy_version", "required_packages_version",
    "name", "task", "description", "authors", "copyright", "data_source", "intended_use", "references",
    "network_data_format", "pcnsl_survival",
}  # fmt: skip
_OUR_KEYS = {
    "format_version", "kind", "network", "sequences", "preprocessing", "decision_threshold", "calibration",
    "training_cohort", "license", "members", "files",
}  # fmt: skip
_TEXTS = ("version", "name", "task", "description", "authors", "copyright", "data_source", "intended_use")
_KNOWN_FILES = {MONAI_CONFIG, FAMILIARITY, TRAINING_PATIENTS, CARD, LICENSE, "docs/data_license.txt"}


@dataclass(frozen=True, kw_only=True)
class ModelFolder:
    """A model folder whose every file but the weights has been checked; the weights are when they are read."""

    path: Path
    name: str
    version: str
    kind: Kind
    architecture: ResNetArchitecture
    sequences: tuple[MRSequence, ...]
    """Input channels of the network, in their order."""
    recipe: Recipe
    decision_threshold: float
    """Decision threshold: the lowest probability that is classified as OS over one year."""
    temperature: float
    """The logits are divided by it (Guo et al. 2017); 1 where no calibration was fitted."""
    description: str
    intended_use: str
    training_cohort: str
    """In words: on whom, or on what, the weights were trained."""
    training_patients: int
    license: str
    authors: str
    familiarity: FamiliarityStatistics | None
    """How the training scans are spread; None if the model keeps no such statistics."""
    known_patients: TrainingPatients | None
    """Hashes of the training patients, so that they are not taken for a test; None if the model keeps none."""
    members: tuple[str, ...]
    """Weights files, one for each network of the ensemble, relative to the folder."""
    files: Mapping[str, tuple[int, str]]
    """Size in bytes and SHA-256 of every file but the metadata."""
    checksum: str
    """SHA-256 of the metadata, which names the SHA-256 of every other file."""

    @property
    def demonstration(self) -> bool:
        """Whether the probabilities have no prognostic meaning: untrained, or trained on phantoms."""
        return self.kind != "trained"

    @property
    def warning(self) -> Message | None:
        """What must stand beside every result of this model; None for a model trained on patients."""
        return {
            "untrained": Message("model.untrained"),
            "demonstration": Message("model.demonstration"),
            "trained": None,
        }[self.kind]

    def read_card(self) -> str:
        """Read the model card, Markdown."""
        return printable((self.path / CARD).read_text(encoding="utf-8", errors="replace"))

    def to_json(self) -> dict[str, Any]:
        """What a result file says of the model that made it."""
        return {
            "name": self.name,
            "version": self.version,
            "checksum_sha256": self.checksum,
            "kind": self.kind,
            "prognostic_meaning": not self.demonstration,
            "architecture": self.architecture.to_json(),
            "members": len(self.members),
            "sequences": [str(sequence) for sequence in self.sequences],
            "decision_threshold": self.decision_threshold,
            "temperature": self.temperature,
            "training_cohort": self.training_cohort,
            "training_patients": self.training_patients,
            "recipe_sha256": self.recipe.sha256,
        }

    def load_members(self) -> tuple[Tensors, ...]:
        """The weights of every member, checked to the last byte.

        Returns:
            One mapping from MONAI's tensor name to ``float32`` array for each member.

        Raises:
            ModelFolderError: Size, checksum, a tensor's name, shape or type differs.
        """
        shapes = self.architecture.tensor_shapes()
        return tuple(
            read_weights(
                self.path / name,
                shapes=shapes,
                bytes_expected=self.files[name][0],
                sha256=self.files[name][1],
            )
            for name in self.members
        )


def bundled_model_path() -> Path:
    """The model folder that prediction uses when none is named; it is packaged with the library."""
    return Path(__file__).parent / "bundled" / "pcnsl_os1y_t1gd_virtual_heads_only"


def read_model_folder(path: Path) -> ModelFolder:
    """Read and check a model folder; torch is not needed, and nothing in the folder is executed.

    Args:
        path: A folder in the layout above.

    Returns:
        The model; its weights are read by ``load_members``.

    Raises:
        ModelFolderError: The folder is no model folder of this version, or a file in it is missing, unknown,
            a link, or differs from what the metadata says.
    """
    path = Path(path)
    _check_no_links(path)
    metadata_file = path / METADATA
    if not metadata_file.is_file():
        raise ModelFolderError(Message("model.no_metadata"))
    metadata = only_keys(read_json_file(metadata_file), _TOP_KEYS, name="metadata.json")
    _no_code(metadata)
    ours = only_keys(metadata["pcnsl_survival"], _OUR_KEYS, name=Message("word.metadata_entry_ours"))
    if ours["format_version"] != FORMAT_VERSION:
        raise _refused(Message("refusal.format_version", version=FORMAT_VERSION))
    for key in _TEXTS:
        if not isinstance(metadata[key], str) or not metadata[key]:
            raise _refused(Message("refusal.entry_no_text", entry=key))
    network = only_keys(ours["network"], {"builder", "arguments"}, name=Message("word.metadata_entry_network"))
    architecture = ResNetArchitecture.from_json(network["arguments"])
    if network["builder"] != architecture.design.builder:
        raise _refused(Message("refusal.network_disagrees"))
    cohort = only_keys(
        ours["training_cohort"], {"description", "patients"}, name=Message("word.metadata_entry_training_cohort")
    )
    calibration = only_keys(
        ours["calibration"], {"temperature", "patients"}, name=Message("word.metadata_entry_calibration")
    )
    sequences = _sequences(ours["sequences"], architecture.channels)
    members = _members(ours["members"])
    model = ModelFolder(
        path=path,
        name=_word(metadata["name"], "name"),
        version=_word(metadata["version"], "version"),
        kind=_choice(ours["kind"], ("untrained", "demonstration", "trained"), "kind"),
        architecture=architecture,
        sequences=sequences,
        recipe=_recipe(ours["preprocessing"]),
        decision_threshold=_number(ours["decision_threshold"], "decision_threshold", 0.0, 1.0),
        temperature=_number(calibration["temperature"], "temperature", 0.01, 100.0),
        description=printable(metadata["description"]),
        intended_use=printable(metadata["intended_use"]),
        training_cohort=_text(cohort["description"], "training_cohort", limit=5000),
        training_patients=int(_number(cohort["patients"], "patients", 0, 10_000_000)),
        license=_text(ours["license"], "license", limit=200),
        authors=printable(metadata["authors"]),
        familiarity=_familiarity(path, sequences, architecture.features * len(members)),
        known_patients=_known_patients(path),
        members=members,
        files=_files(ours["files"]),
        checksum=sha256_of(metadata_file),
    )
    _check_files(model)
    return model


def monai_config(architecture: ResNetArchitecture) -> dict[str, Any]:
    """``configs/inference.json``: how stock MONAI rebuilds the network. This software never builds from it.

    MONAI cannot be asked for instance normalization without parameters, so such a model has no ``network_def``.
    """
    workplace = {"bundle_root": ".", "device": "cpu"}
    if architecture.norm == "instance":
        return workplace
    return {
        **workplace,
        "network_def": {
            "_target_": f"monai.networks.nets.{architecture.design.builder}",
            "spatial_dims": 3,
            "n_input_channels": architecture.channels,
            "num_classes": architecture.outputs,
            "conv1_t_size": 7,
            "conv1_t_stride": architecture.conv1_stride,
            "shortcut_type": architecture.shortcut,
            "widen_factor": architecture.widen_factor,
            "bias_downsample": architecture.bias_downsample,
            "no_max_pool": not architecture.max_pool,
        },
    }


def json_text(value: Mapping[str, Any]) -> str:
    """JSON as this software writes it into model folders: plain ASCII, since MONAI reads it in the local encoding."""
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


def _check_no_links(path: Path) -> None:
    if not path.is_dir():
        raise ModelFolderError(Message("model.not_a_folder"))
    for entry in path.rglob("*"):
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            raise _refused(Message("refusal.link"))


def _check_files(model: ModelFolder) -> None:
    present = {f.relative_to(model.path).as_posix() for f in model.path.rglob("*") if f.is_file()} - {METADATA}
    allowed = _KNOWN_FILES | set(model.members)
    if unknown := sorted(set(model.files) - allowed):
        raise _refused(Message("refusal.file_out_of_place", file=unknown[0][:60]))
    if needed := sorted({MONAI_CONFIG, CARD, LICENSE, *model.members} - set(model.files)):
        raise _refused(Message("refusal.file_unlisted", file=needed[0]))
    if missing := sorted(set(model.files) - present):
        raise _refused(Message("refusal.file_missing", file=missing[0]))
    if extra := sorted(present - set(model.files)):
        raise _refused(Message("refusal.file_extra", file=extra[0][:60]))
    shapes = model.architecture.tensor_shapes()
    for name, (size, sha256) in model.files.items():
        file = model.path / name
        if name in model.members:
            check_weights_size(file, shapes=shapes, bytes_expected=size)
        elif file.stat().st_size != size or size > 1_000_000 or sha256_of(file) != sha256:
            raise _refused(Message("refusal.file_differs", file=name))
    if read_json_file(model.path / MONAI_CONFIG) != monai_config(model.architecture):
        raise _refused(Message("refusal.monai_config"))


def _sequences(value: Any, channels: int) -> tuple[MRSequence, ...]:
    known = {str(sequence) for sequence in MRSequence}
    if not isinstance(value, list) or not all(isinstance(v, str) and v in known for v in value):
        raise _refused(Message("refusal.unknown_sequences"))
    if len(value) != channels or len(set(value)) != channels:
        raise _refused(Message("refusal.sequence_count"))
    return tuple(MRSequence(v) for v in value)


def _recipe(value: Any) -> Recipe:
    if not isinstance(value, dict):
        raise _refused(Message("refusal.recipe_no_object"))
    try:
        return Recipe.from_json(value)
    except PreparationError as problem:
        raise ModelFolderError(Message("model.recipe_refused", reason=problem.message or str(problem))) from problem
    except (TypeError, ValueError, AttributeError) as problem:
        raise _refused(Message("refusal.recipe_unreadable")) from problem


def _members(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= 50:
        raise _refused(Message("refusal.no_members"))
    if value != [f"models/member_{number}.safetensors" for number in range(len(value))]:
        raise _refused(Message("refusal.member_names"))
    return tuple(value)


def _familiarity(path: Path, sequences: tuple[MRSequence, ...], features: int) -> FamiliarityStatistics | None:
    if not (path / FAMILIARITY).is_file():
        return None
    return FamiliarityStatistics.from_json(read_json_file(path / FAMILIARITY), sequences=sequences, features=features)


def _known_patients(path: Path) -> TrainingPatients | None:
    if not (path / TRAINING_PATIENTS).is_file():
        return None
    try:
        return TrainingPatients.from_json(read_json_file(path / TRAINING_PATIENTS))
    except ValueError as problem:
        raise _refused(Message("refusal.training_patients")) from problem


def _files(value: Any) -> dict[str, tuple[int, str]]:
    if not isinstance(value, dict):
        raise _refused(Message("refusal.no_files"))
    files = {}
    for name, entry in value.items():
        only_keys(entry, {"bytes", "sha256"}, name=Message("word.metadata_entry_file"))
        size, sha256 = entry["bytes"], entry["sha256"]
        hexadecimal = isinstance(sha256, str) and len(sha256) == 64 and set(sha256) <= set("0123456789abcdef")
        if type(size) is not int or size < 0 or not hexadecimal:
            raise _refused(Message("refusal.file_without_hash"))
        files[name] = (size, sha256)
    return files


def _text(value: Any, name: str, *, limit: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= limit or "\n" in value[:200]:
        raise _refused(Message("refusal.entry_text_too_long", entry=name, limit=limit))
    return printable(value)


def _word(value: str, name: str) -> str:
    """Names and versions become folder names: letters, digits, point, hyphen and underscore."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", value):
        raise _refused(Message("refusal.entry_no_plain_word", entry=name))
    return value


def _no_code(value: Any) -> None:
    """Refuse what MONAI's config parser would execute, so that no tool that opens the folder runs it."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if key.startswith("_") and key.endswith("_"):
                raise _refused(Message("refusal.code_key", key=key[:40]))
            _no_code(entry)
    elif isinstance(value, list):
        for entry in value:
            _no_code(entry)
    elif isinstance(value, str) and value.startswith(("$", "@", "%")):
        raise _refused(Message("refusal.expression"))


def _choice(value: Any, choices: tuple[Kind, ...], name: str) -> Kind:
    for choice in choices:
        if value == choice:
            return choice
    raise _refused(Message("refusal.entry_not_a_choice", entry=name, choices=choices))


def _number(value: Any, name: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _refused(Message("refusal.entry_no_number", entry=name))
    if not least <= value <= most:
        raise _refused(Message("refusal.entry_out_of_range", entry=name, least=least, most=most))
    return float(value)


def _refused(reason: Message) -> ModelFolderError:
    return ModelFolderError(Message("model.refused", reason=reason))
