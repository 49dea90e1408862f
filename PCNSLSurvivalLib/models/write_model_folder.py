"""Make a model folder: what ``read_model_folder`` reads, written from tensors and plain words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.storage.files import refuse_foreign
from PCNSLSurvivalLib.core.storage.installed_files import sha256_of
from PCNSLSurvivalLib.core.terms import CLASS_THRESHOLD, MRSequence, OSClass
from PCNSLSurvivalLib.models.familiarity import FamiliarityStatistics
from PCNSLSurvivalLib.models.model_folder import (
    CARD,
    FAMILIARITY,
    FORMAT_VERSION,
    LICENSE,
    METADATA,
    MONAI_CONFIG,
    TRAINING_PATIENTS,
    Kind,
    json_text,
    monai_config,
)
from PCNSLSurvivalLib.models.model_license import ModelLicense
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.weights_file import write_weights
from PCNSLSurvivalLib.models.training_patients import TrainingPatients
from PCNSLSurvivalLib.preprocessing.recipe import Recipe

_REFERENCES = [
    "She et al. 2023, one-year overall survival of primary CNS lymphoma from MRI with a 3D ResNet",
    "He et al., Deep residual learning for image recognition, CVPR 2016. arXiv:1512.03385",
    "Selvaraju et al., Grad-CAM, ICCV 2017. doi:10.1109/ICCV.2017.74",
]


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """The words and numbers of a model that do not follow from its tensors."""

    name: str
    version: str
    kind: Kind
    description: str
    intended_use: str
    data_source: str
    training_cohort: str
    training_patients: int
    card: str
    """Model card, Markdown."""
    license: ModelLicense
    authors: str = "PCNSLSurvival contributors"
    copyright: str = "Copyright PCNSLSurvival contributors"
    decision_threshold: float = CLASS_THRESHOLD
    temperature: float = 1.0
    calibration_patients: int = 0


def write_model_folder(
    folder: Path,
    *,
    architecture: ResNetArchitecture,
    members: Sequence[Mapping[str, NDArray[np.float32]]],
    sequences: tuple[MRSequence, ...],
    recipe: Recipe,
    description: ModelDescription,
    familiarity: FamiliarityStatistics | None = None,
    known_patients: TrainingPatients | None = None,
) -> None:
    """Write a model folder into an empty folder; equal arguments give equal bytes.

    Args:
        folder: An existing, empty folder, such as the staging folder of ``whole_folder``.
        architecture: Which ResNet.
        members: Tensors of each network of the ensemble, by MONAI's names.
        sequences: Input channels in order.
        recipe: How the training scans were prepared.
        description: Everything else.
        familiarity: Spread of the training scans, if known.
        known_patients: Hashes of the training patients, if known.
    """
    names = [f"models/member_{number}.safetensors" for number in range(len(members))]
    for sub in ("configs", "models", "docs"):
        (folder / sub).mkdir()
    for name, tensors in zip(names, members, strict=True):
        write_weights(tensors, folder / name)
    texts = {
        CARD: description.card,
        LICENSE: description.license.text,
        MONAI_CONFIG: json_text(monai_config(architecture)),
    }
    if familiarity is not None:
        texts[FAMILIARITY] = json_text(familiarity.to_json())
    if known_patients is not None:
        texts[TRAINING_PATIENTS] = json_text(known_patients.to_json())
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    files = {name: _size_and_sum(folder / name) for name in sorted([*names, *texts])}
    metadata = _metadata(architecture, sequences, recipe, description, names, files)
    (folder / METADATA).write_text(json_text(metadata), encoding="utf-8", newline="\n")


def refuse_foreign_model(out: Path) -> None:
    """Refuse early, before a model is made there, a folder that is no model folder of ours, or more than one.

    Raises:
        OutputFolderError: See ``refuse_foreign``.
    """
    refuse_foreign(out, ours=("configs", "models", "docs", LICENSE), mark=METADATA, says='"pcnsl_survival"')


def rename_model(folder: Path, name: str, *, card: str) -> None:
    """Give a model folder another name and card; everything else stays to the last byte.

    Args:
        folder: A model folder.
        name: The model's new name.
        card: Its new model card, Markdown.
    """
    (folder / CARD).write_text(card, encoding="utf-8", newline="\n")
    metadata = json.loads((folder / METADATA).read_text(encoding="utf-8"))
    metadata["name"] = name
    metadata["pcnsl_survival"]["files"][CARD] = _size_and_sum(folder / CARD)
    (folder / METADATA).write_text(json_text(metadata), encoding="utf-8", newline="\n")


def _size_and_sum(path: Path) -> dict[str, int | str]:
    return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}


def _outputs_in_words(architecture: ResNetArchitecture) -> list[str]:
    """What each output of the network is about."""
    classes = [one.label for one in OSClass]
    if architecture.time_head is None:
        return classes
    head = architecture.time_head
    further = [f"{days:g} days" for days in head.limits_days if days != head.class_days]
    return [*classes, *(f"split of the survival curve at {days}" for days in further)]


def _metadata(
    architecture: ResNetArchitecture,
    sequences: tuple[MRSequence, ...],
    recipe: Recipe,
    description: ModelDescription,
    members: list[str],
    files: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    grid = recipe.network_grid
    return {
        "version": description.version,
        "changelog": {description.version: description.description},
        "monai_version": installed_version("monai"),
        "pytorch_version": installed_version("torch").split("+")[0],
        "numpy_version": installed_version("numpy"),
        "required_packages_version": {},
        "name": description.name,
        "task": "Classification of one-year overall survival of primary CNS lymphoma from MRI",
        "description": description.description,
        "authors": description.authors,
        "copyright": description.copyright,
        "data_source": description.data_source,
        "intended_use": description.intended_use,
        "references": _REFERENCES,
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude",
                    "modality": "MR",
                    "num_channels": architecture.channels,
                    "spatial_shape": list(grid.size),
                    "dtype": "float32",
                    "value_range": [],
                    "is_patch_data": False,
                    "channel_def": {str(n): sequence.label for n, sequence in enumerate(sequences)},
                }
            },
            "outputs": {
                "pred": {
                    "type": "probabilities" if architecture.time_head is None else "logits",
                    "format": "classes",
                    "num_channels": architecture.outputs,
                    "spatial_shape": [1, architecture.outputs],
                    "dtype": "float32",
                    "value_range": [0, 1] if architecture.time_head is None else [],
                    "is_patch_data": False,
                    "channel_def": {str(n): words for n, words in enumerate(_outputs_in_words(architecture))},
                }
            },
        },
        "pcnsl_survival": {
            "format_version": FORMAT_VERSION,
            "kind": description.kind,
            "network": {"builder": architecture.design.builder, "arguments": architecture.to_json()},
            "sequences": [str(sequence) for sequence in sequences],
            "preprocessing": recipe.to_json(),
            "decision_threshold": description.decision_threshold,
            "calibration": {
                "temperature": description.temperature,
                "patients": description.calibration_patients,
            },
            "training_cohort": {
                "description": description.training_cohort,
                "patients": description.training_patients,
            },
            "license": description.license.name,
            "members": members,
            "files": files,
        },
    }
