"""Checkpoints: the full state of a training, to resume it exactly; written whole or not at all."""

from __future__ import annotations

import os
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.files import tells_full_disk, whole_file

_VERSION = 2
_READ = (1, _VERSION)
"""Version 1 kept no predictions by epoch."""


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint beside the earlier one, make it safe on disk, then put it in its place.

    Args:
        path: File; its folder is there.
        state: Tensors and plain values only; the states of the random number generators are added.

    Raises:
        TrainingError: The disk is full or cannot be written; the earlier checkpoint is still there. The sentence says
            which.
    """
    try:
        with whole_file(path) as partial, partial.open("wb") as stream:
            torch.save({"version": _VERSION, "random": random_states(), **state}, stream)
            stream.flush()
            os.fsync(stream.fileno())
    except (OSError, RuntimeError) as problem:
        # torch reports a full disk as RuntimeError of its zip writer; any other is a fault.
        if tells_full_disk(problem):
            raise TrainingError(Message("training.checkpoint_disk_full")) from problem
        if isinstance(problem, OSError):
            reason = problem.strerror or type(problem).__name__
            raise TrainingError(Message("training.checkpoint_not_written", reason=reason)) from problem
        raise


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """The checkpoint at ``path``; None if there is none.

    Raises:
        TrainingError: The file is damaged or of another version.
    """
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if state["version"] not in _READ:
            raise KeyError("version")
    except (OSError, RuntimeError, KeyError, EOFError, ValueError, pickle.UnpicklingError) as problem:
        raise TrainingError(Message("training.checkpoint_damaged")) from problem
    return state


def random_states() -> dict[str, Any]:
    """States of the generators of Python, numpy and torch as plain values and tensors."""
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002  the legacy state is what must be kept
    return {
        "python": random.getstate(),
        "numpy": [str(kind), [int(k) for k in keys], int(position), int(has_gauss), float(gauss)],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_states(states: dict[str, Any]) -> None:
    """Put every generator back to a state of ``random_states``."""
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    kind, keys, position, has_gauss, numpy_gauss = states["numpy"]
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), position, has_gauss, numpy_gauss))  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if states["cuda"] and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])
