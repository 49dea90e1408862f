"""The folder of a finished job: written whole, read back, and known again by what it was made from."""

from __future__ import annotations

import os
import shutil
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import OutputFolderError, TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.files import unfinished_folder, whole_folder
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, read_predictions, write_predictions
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.resnet3d import tensors_of
from PCNSLSurvivalLib.models.networks.weights_file import write_weights
from PCNSLSurvivalLib.training.job_record import is_whole, read_record, write_record
from PCNSLSurvivalLib.training.loop import Trained
from PCNSLSurvivalLib.training.network_outputs import CasePredictions

PREDICTIONS, MEMBER = "predictions.csv", "member.safetensors"
OUTPUTS, _FORMER_OUTPUTS = "network_outputs.npz", "answers.npz"
CHECKPOINT = "checkpoint.pt"
JOB_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class FinishedJob:
    """A job read back from its folder."""

    folder: Path
    facts: dict[str, Any]
    """What ``job.json`` holds."""
    predictions: FoldPredictions | None
    """Of the held-out cases; None for a job without held-out cases."""
    names: tuple[str, ...]
    """Every case of the inference, including the training cases."""
    held_out: NDArray[np.bool_]
    log_odds: NDArray[np.float64]
    features: NDArray[np.float32]
    validation_log_odds: NDArray[np.float32] | None = None
    """(epochs, validation cases) after every epoch; None where an earlier version trained or began it."""

    @property
    def architecture(self) -> ResNetArchitecture:
        """The network's."""
        return ResNetArchitecture.from_json(self.facts["architecture"])


def read_job(folder: Path) -> FinishedJob:
    """Read a finished job.

    Raises:
        TrainingError: The folder is no finished job.
    """
    try:
        facts = read_record(folder)
        if facts["version"] not in (1, JOB_VERSION):
            raise ValueError("version")
        outputs = folder / (OUTPUTS if facts["version"] == JOB_VERSION else _FORMER_OUTPUTS)
        with np.load(outputs, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in ("names", "held_out", "log_odds", "features")}
            scores = stored["validation_log_odds"] if "validation_log_odds" in stored.files else None
        if not is_whole(folder):
            raise ValueError("a file is not as it was written")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as problem:
        raise TrainingError(Message("training.folder_damaged")) from problem
    predictions = read_predictions(folder / PREDICTIONS)[0] if (folder / PREDICTIONS).is_file() else None
    names = tuple(str(name) for name in arrays.pop("names"))
    return FinishedJob(
        folder=folder, facts=facts, predictions=predictions, names=names, validation_log_odds=scores, **arrays
    )


def is_training(folder: Path) -> bool:
    """Whether a folder is one that a training left, and not somebody else's."""
    try:
        return read_record(folder).get("made_by") == "pcnsl-survival"
    except (OSError, ValueError):
        return False


def known_job(out: Path, identity: str) -> FinishedJob:
    """The finished job in ``out``, if it is the one that ``identity`` names.

    Raises:
        OutputFolderError: The folder holds other files.
        TrainingError: It holds another training.
    """
    if not is_training(out):
        raise OutputFolderError(Message("files.output_holds_others"))
    job = read_job(out)
    if job.facts["identity"] != identity:
        raise TrainingError(Message("training.other_finished"))
    shutil.rmtree(unfinished_folder(out), ignore_errors=True)
    return job


def write_job(
    out: Path,
    unfinished: Path,
    facts: dict[str, Any],
    trained: Trained,
    predicted: CasePredictions,
    predictions: FoldPredictions | None,
) -> None:
    """Make the folder of a finished job, safe on disk, and remove what the unfinished one kept.

    Args:
        out: Folder to make, whole or not at all.
        unfinished: Its logs are taken over.
        facts: What ``job.json`` keeps.
        trained: The network.
        predicted: What it predicts for all cases.
        predictions: Of the held-out cases; None where there are none.
    """
    kept: dict[str, Any] = {}
    if trained.validation_log_odds is not None:
        kept["validation_log_odds"] = trained.validation_log_odds
    held_out = np.array([name not in set(facts["fold"]["train"]) for name in predicted.names])
    with whole_folder(out) as staging:
        for entry in unfinished.iterdir():
            if not entry.name.lstrip(".").startswith(CHECKPOINT):
                (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, staging / entry.name)
        write_weights(tensors_of(trained.network), staging / MEMBER)
        np.savez(
            staging / OUTPUTS,
            names=np.array(predicted.names),
            held_out=held_out,
            log_odds=predicted.log_odds,
            features=predicted.features,
            **kept,
        )
        if predictions is not None:
            write_predictions([predictions], staging / PREDICTIONS)
        write_record(staging, facts)
        for path in staging.rglob("*"):
            if path.is_file():
                with path.open("rb") as stream:
                    os.fsync(stream.fileno())
    shutil.rmtree(unfinished, ignore_errors=True)
