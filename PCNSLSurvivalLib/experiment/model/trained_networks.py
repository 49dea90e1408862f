"""The trained networks of an experiment, read back from the folders of their jobs."""

from __future__ import annotations

from pathlib import Path

from PCNSLSurvivalLib.core.errors import ExperimentError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.installed_files import sha256_of
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.weights_file import Tensors, read_weights
from PCNSLSurvivalLib.training.finished_job import MEMBER


def member_of(folder: Path, architecture: ResNetArchitecture) -> Tensors:
    """The weights of a finished job.

    Raises:
        ExperimentError: The folder holds no weights.
        ModelFolderError: They are damaged, or another network's.
    """
    path = folder / MEMBER
    if not path.is_file():
        raise ExperimentError(Message("experiment.weights_missing", job=folder.parent.name))
    return read_weights(
        path,
        shapes=architecture.tensor_shapes(),
        bytes_expected=path.stat().st_size,
        sha256=sha256_of(path),
    )
