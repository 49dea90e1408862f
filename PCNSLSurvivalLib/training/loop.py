"""One training from start to chosen epoch. Network, optimizer, schedule and stopping are made inside, for it alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.training.batches import batch_count, training_batches
from PCNSLSurvivalLib.training.checkpoints import read_checkpoint, restore_random_states, write_checkpoint
from PCNSLSurvivalLib.training.dataset import NetworkInputs
from PCNSLSurvivalLib.training.early_stopping import EarlyStopping
from PCNSLSurvivalLib.training.lesion_head import refit_head
from PCNSLSurvivalLib.training.lesion_task import LesionTask
from PCNSLSurvivalLib.training.network import (
    build_network,
    build_optimizer,
    build_schedule,
    reproducible_kernels,
    set_training_mode,
)
from PCNSLSurvivalLib.training.network_outputs import as_network_wants, mean_log_loss, predict_cases
from PCNSLSurvivalLib.training.processes import Processes
from PCNSLSurvivalLib.training.settings import TrainingSettings

CHECKPOINT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass over the training cases, as the logs keep it."""

    epoch: int
    """From 0."""
    learning_rate: float
    train_loss: float
    validation_loss: float
    """Mean negative log-likelihood on the inner split, in nats; always predicting 1/2 gives 0.693. Where lesion masks
    are learned from, with what they add."""
    best: bool
    """Whether it was the lowest inner loss so far."""
    seconds: float
    samples_per_second: float
    """Training samples over all processes, augmentation included, evaluation not."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished training."""

    network: nn.Module
    """With the weights of the best epoch, in evaluation mode."""
    history: tuple[Epoch, ...]
    best_epoch: int
    best_loss: float


def train(
    inputs: NetworkInputs,
    classes: Mapping[str, int],
    *,
    train_cases: Sequence[str],
    validation_cases: Sequence[str],
    settings: TrainingSettings,
    initial_weights: Tensors | None,
    seed: tuple[int, ...],
    processes: Processes,
    checkpoint: Path,
    identity: str,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Trained:
    """Train one network, going on from its checkpoint where there is one.

    Args:
        inputs: Tensors of all cases.
        classes: Class by name.
        train_cases: Cases that the weights learn from.
        validation_cases: Cases on which the best epoch is chosen.
        settings: Every hyperparameter.
        initial_weights: Tensors to start from; None trains from scratch.
        seed: Decides the start, the order and the augmentation, and nothing else does.
        processes: Who trains.
        checkpoint: File of the unfinished training; its folder is there.
        identity: What the checkpoint must belong to.
        on_epoch: Called after each pass, and for each pass found in the checkpoint.
        checkpoint_seconds: Least time between two checkpoints.

    Returns:
        The network of the epoch with the lowest inner loss.

    Raises:
        TrainingError: The training diverged, the batch is too small for the processes, or the checkpoint cannot be
            used.
    """
    device = processes.device
    smallest = len(train_cases) // batch_count(len(train_cases), settings.batch_size)
    # One sample in each process is enough, unless batch normalization measures there what that process has alone.
    alone = settings.architecture.norm == "batch" and device.type != "cuda"
    least = (2 if alone else 1) * processes.count
    if smallest < max(2, least):
        raise TrainingError(
            f"{processes.count} {'process needs' if processes.count == 1 else 'processes need'} batches of at least "
            f"{max(2, least)}, and {len(train_cases)} training patients in batches of up to {settings.batch_size} give "
            f"some of {smallest}. Choose a larger batch_size, fewer processes, or add patients."
        )
    if settings.uses_lesions and processes.count > 1:
        raise TrainingError(
            "Learning from lesion masks works in one process. Start the command without torchrun, or "
            "leave 'lesion_task' and 'lesion_head' out."
        )
    network = build_network(settings, len(inputs.sequences), initial_weights, seed=_whole(seed)).to(device)
    if device.type != "mps":
        network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # missing in torch's stubs
    if device.type == "cuda" and processes.count > 1:
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    task = LesionTask(network, settings, seed=_whole((*seed, 2))) if settings.lesion_task else None
    optimizer = build_optimizer(network, settings, transfer=initial_weights is not None)
    if task is not None:
        optimizer.add_param_group({"params": task.parameters(), "lr": settings.learning_rate, "weight_decay": 0.0})
    schedule = build_schedule(optimizer, settings)
    averaged = _averaged(network, settings)
    judged = network if averaged is None else averaged.module
    stopping = EarlyStopping(settings.patience)
    history: list[Epoch] = []
    best = _tensors(judged)
    state = read_checkpoint(checkpoint)
    if state is not None:
        if state["identity"] != identity:
            raise TrainingError(
                "An unfinished training with other settings, patients or scans, or by another version of this software "
                "lies beside the output folder. Delete it (the hidden folder that ends in .unfinished), or choose "
                "another output folder."
            )
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        stopping.restore(state["stopping"])
        if task is not None:
            task.restore(state["lesion_task"])
        if averaged is not None:
            averaged.load_state_dict(state["averaged"])
        best = state["best"]
        history = [Epoch(**row) for row in state["history"]]
        restore_random_states(state["random"])
        for row in history:
            on_epoch(row)
    joined = processes.joined(network)
    weights = _class_weights(train_cases, classes, settings, device)
    last_checkpoint = time.monotonic()
    with reproducible_kernels():
        while len(history) < settings.epochs and not stopping.over:
            epoch, begin = len(history), time.perf_counter()
            set_training_mode(network, settings)
            rate = float(schedule.get_last_lr()[-1])
            loss = 0.0
            for names, own, tensors in training_batches(
                train_cases, inputs, settings, processes, seed=seed, epoch=epoch
            ):
                share = weights[[classes[name] for name in names]].sum()
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=_bf16(settings, device)):
                    logits = joined(as_network_wants(tensors[:, : len(inputs.sequences)]))
                target = torch.tensor([classes[name] for name in own], device=device)
                one = functional.cross_entropy(
                    logits.float(), target, weight=weights, reduction="sum", label_smoothing=settings.label_smoothing
                )
                if task is not None:
                    one = one + task.loss(tensors[:, -1:]) * share / len(names)
                optimizer.zero_grad(set_to_none=True)
                # Gradients are averaged over the processes; the sum over the whole batch is wanted.
                (one * processes.count / share).backward()
                optimizer.step()
                if averaged is not None:
                    averaged.update_parameters(network)
                loss += one.item() / float(share) * len(names)
            schedule.step()
            seconds = time.perf_counter() - begin
            processes.sync_buffers(network)
            if averaged is not None:
                processes.sync_buffers(averaged)
            predicted = predict_cases(judged, validation_cases, inputs, processes, batch_size=settings.batch_size)
            inner = mean_log_loss(predicted, [classes[name] for name in validation_cases])
            if task is not None:
                inner += task.mean_loss(validation_cases, inputs, batch_size=settings.batch_size)
            improved = stopping.improved(epoch, inner)
            if improved:
                best = _tensors(judged)
            history.append(
                Epoch(
                    epoch=epoch,
                    learning_rate=rate,
                    train_loss=processes.sum(loss) / len(train_cases),
                    validation_loss=inner,
                    best=improved,
                    seconds=seconds,
                    samples_per_second=len(train_cases) / seconds,
                )
            )
            on_epoch(history[-1])
            over = len(history) == settings.epochs or stopping.over
            if processes.first and (over or time.monotonic() - last_checkpoint >= checkpoint_seconds):
                write_checkpoint(
                    checkpoint,
                    {
                        "identity": identity,
                        "network": network.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        "schedule": schedule.state_dict(),
                        "stopping": stopping.state(),
                        "lesion_task": None if task is None else task.state(),
                        "averaged": None if averaged is None else averaged.state_dict(),
                        "best": best,
                        "history": [asdict(row) for row in history],
                    },
                )
                last_checkpoint = time.monotonic()
    network.load_state_dict(best)
    network.eval()
    if settings.lesion_head:
        # The epoch is chosen: the patients it was chosen on may teach too.
        refit_head(network, (*train_cases, *validation_cases), classes, inputs, batch_size=settings.batch_size)
    return Trained(
        network=network, history=tuple(history), best_epoch=stopping.best_epoch, best_loss=stopping.best_loss
    )


def _averaged(network: nn.Module, settings: TrainingSettings) -> AveragedModel | None:
    """A running mean of weights and batch statistics, which is judged and kept in place of the network itself."""
    if not settings.weight_averaging:
        return None
    mean = get_ema_multi_avg_fn(settings.weight_averaging)
    return AveragedModel(network, multi_avg_fn=mean, use_buffers=True)


def _tensors(network: nn.Module) -> dict[str, Any]:
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


def _class_weights(
    train_cases: Sequence[str], classes: Mapping[str, int], settings: TrainingSettings, device: torch.device
) -> torch.Tensor:
    """(2,) weight of each class in the loss; their mean over the training cases is 1."""
    if not settings.class_weights:
        return torch.ones(2, device=device)
    over = sum(classes[name] for name in train_cases)
    counts = torch.tensor([len(train_cases) - over, over], dtype=torch.float32, device=device)
    return len(train_cases) / (2 * counts)


def _bf16(settings: TrainingSettings, device: torch.device) -> bool:
    if settings.precision != "auto" or device.type != "cuda":
        return False
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def _whole(seed: tuple[int, ...]) -> int:
    """One number from several, for torch."""
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint32)[0])
