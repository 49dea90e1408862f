"""One training from start to chosen epoch. Network, optimizer, schedule and stopping are made inside, for it alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.models.networks.devices import reproducible_float32
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.training.checkpoints import read_checkpoint, write_checkpoint
from PCNSLSurvivalLib.training.data.batches import batch_count
from PCNSLSurvivalLib.training.epochs import Epoch, NetworkTraining, Trained, TrainingData
from PCNSLSurvivalLib.training.processes import Processes
from PCNSLSurvivalLib.training.settings import TrainingSettings

CHECKPOINT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where an unfinished training is kept."""

    path: Path
    """Its folder is there."""
    identity: str
    """What the checkpoint must belong to: a hash of all that decides the result."""
    seconds: float = CHECKPOINT_SECONDS
    """Least time between two checkpoints."""


def train(
    data: TrainingData,
    settings: TrainingSettings,
    *,
    initial_weights: Tensors | None,
    seed: tuple[int, ...],
    processes: Processes,
    checkpoint: Checkpoint,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Trained:
    """Train one network, continuing from its checkpoint where there is one.

    Args:
        data: Cases, their tensors and classes.
        settings: Every hyperparameter.
        initial_weights: Tensors to start from; None trains from scratch.
        seed: Decides the initial weights, the order and the augmentation, and nothing else does.
        processes: Who trains.
        checkpoint: Of the unfinished training.
        on_epoch: Called after each pass, and for each pass found in the checkpoint.

    Returns:
        The network of the epoch with the lowest validation loss.

    Raises:
        TrainingError: The training diverged, the batch is too small for the processes, or the checkpoint cannot be
            used.
    """
    _check_batches(len(data.train_cases), settings, processes)
    training = NetworkTraining(data, settings, initial_weights, seed, processes)
    state = read_checkpoint(checkpoint.path)
    if state is not None:
        training.resume(state, checkpoint.identity)
        for row in training.history:
            on_epoch(row)
    training.join()
    last_checkpoint = time.monotonic()
    with reproducible_float32():
        while not training.over:
            training.run_epoch()
            on_epoch(training.history[-1])
            due = training.over or time.monotonic() - last_checkpoint >= checkpoint.seconds
            if processes.first and due:
                write_checkpoint(checkpoint.path, {"identity": checkpoint.identity, **training.state()})
                last_checkpoint = time.monotonic()
    return training.finish()


def _check_batches(train_count: int, settings: TrainingSettings, processes: Processes) -> None:
    """Refuse, before anything is computed, what these processes cannot train."""
    smallest = train_count // batch_count(train_count, settings.batch_size)
    # One sample in each process is enough, unless batch normalization measures there what that process has alone.
    alone = settings.architecture.norm == "batch" and processes.device.type != "cuda"
    least = (2 if alone else 1) * processes.count
    if smallest < max(2, least):
        raise TrainingError(
            Message(
                "training.small_batches",
                processes=processes.count,
                least=max(2, least),
                patients=train_count,
                batch_size=settings.batch_size,
                smallest=smallest,
            )
        )
    if settings.uses_lesions and processes.count > 1:
        raise TrainingError(Message("training.lesions_in_one_process"))
