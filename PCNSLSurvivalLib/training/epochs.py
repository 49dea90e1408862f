"""One network in training: its state, one epoch after another, and what is left of it in the end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.training.checkpoints import restore_random_states
from PCNSLSurvivalLib.training.data.batches import training_batches
from PCNSLSurvivalLib.training.data.dataset import NetworkInputs
from PCNSLSurvivalLib.training.early_stopping import EarlyStopping
from PCNSLSurvivalLib.training.lesions.head import refit_head
from PCNSLSurvivalLib.training.lesions.task import LesionTask
from PCNSLSurvivalLib.training.network import (
    build_network,
    build_optimizer,
    build_schedule,
    set_training_mode,
)
from PCNSLSurvivalLib.training.network_outputs import as_network_wants, predict_cases
from PCNSLSurvivalLib.training.outcome_loss import OutcomeLoss
from PCNSLSurvivalLib.training.processes import Processes
from PCNSLSurvivalLib.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass over the training cases, as the logs keep it."""

    epoch: int
    """From 0."""
    learning_rate: float
    train_loss: float
    validation_loss: float
    """Mean negative log-likelihood on the validation cases, in nats; chance level of the classes ln 2 = 0.693. Where
    the network learns from lesion masks, with the loss of that task."""
    best: bool
    """Whether it was the lowest validation loss so far."""
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
    validation_log_odds: NDArray[np.float32] | None
    """(epochs, validation cases) log-odds of a long survival after every epoch; nothing is chosen by them. None where
    an earlier version, which kept none, trained the first epochs."""


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """What one network learns from, and what its epoch is chosen on."""

    inputs: NetworkInputs
    """Tensors of all cases."""
    classes: Mapping[str, int]
    """OS class by name of case; a case censored before the limit has none."""
    train_cases: Sequence[str]
    validation_cases: Sequence[str]
    outcome: OutcomeLoss
    """What the network is to be right about in these cases."""


class NetworkTraining:
    """One network in training: everything that changes from epoch to epoch."""

    def __init__(
        self,
        data: TrainingData,
        settings: TrainingSettings,
        initial_weights: Tensors | None,
        seed: tuple[int, ...],
        processes: Processes,
    ) -> None:
        self._data, self._settings, self._seed, self._processes = data, settings, seed, processes
        device = processes.device
        network = build_network(settings, len(data.inputs.sequences), initial_weights, seed=_whole(seed)).to(device)
        if device.type != "mps":
            network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # missing in torch's stubs
        if device.type == "cuda" and processes.count > 1:
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        self._network = network
        self._task = LesionTask(network, settings, seed=_whole((*seed, 2))) if settings.lesion_task else None
        self._optimizer = build_optimizer(network, settings, transfer=initial_weights is not None)
        if self._task is not None:
            self._optimizer.add_param_group(
                {"params": self._task.parameters(), "lr": settings.learning_rate, "weight_decay": 0.0}
            )
        self._schedule = build_schedule(self._optimizer, settings)
        self._averaged = _averaged(network, settings)
        self._judged = network if self._averaged is None else self._averaged.module
        """What the validation loss is of, and what is kept."""
        self._stopping = EarlyStopping(settings.patience)
        self._best = _tensors(self._judged)
        self._joined: nn.Module = network
        self.history: list[Epoch] = []
        self._validation_log_odds: list[NDArray[np.float32]] | None = []

    @property
    def over(self) -> bool:
        """Whether the last epoch is done, or no better one is to be expected."""
        return len(self.history) >= self._settings.epochs or self._stopping.over

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        kept = self._validation_log_odds
        return {
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "stopping": self._stopping.state(),
            "lesion_task": None if self._task is None else self._task.state(),
            "averaged": None if self._averaged is None else self._averaged.state_dict(),
            "best": self._best,
            "history": [asdict(row) for row in self.history],
            "validation_log_odds": kept if kept is None else [row.tolist() for row in kept],
        }

    def resume(self, state: Mapping[str, Any], identity: str) -> None:
        """Continue where a checkpoint was written.

        Raises:
            TrainingError: It is of another training.
        """
        if state["identity"] != identity:
            raise TrainingError(Message("training.other_unfinished"))
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._stopping.restore(state["stopping"])
        if self._task is not None:
            self._task.restore(state["lesion_task"])
        if self._averaged is not None:
            self._averaged.load_state_dict(state["averaged"])
        self._best = state["best"]
        self.history = [Epoch(**row) for row in state["history"]]
        kept = state.get("validation_log_odds")  # missing in a checkpoint of version 1
        self._validation_log_odds = kept if kept is None else [np.array(row, dtype=np.float32) for row in kept]
        restore_random_states(state["random"])

    def join(self) -> None:
        """Let the processes train together; each has its initial or resumed state by now."""
        self._joined = self._processes.joined(self._network)

    def run_epoch(self) -> None:
        """Train one pass over the training cases, then judge it on the validation cases."""
        rate, begin = float(self._schedule.get_last_lr()[-1]), time.perf_counter()
        set_training_mode(self._network, self._settings)
        loss = self._pass_over_training_cases()
        self._schedule.step()
        seconds = time.perf_counter() - begin
        validation_loss = self._validation_loss()
        improved = self._stopping.improved(len(self.history), validation_loss)
        if improved:
            self._best = _tensors(self._judged)
        train_count = len(self._data.train_cases)
        self.history.append(
            Epoch(
                epoch=len(self.history),
                learning_rate=rate,
                train_loss=self._processes.sum(loss) / train_count,
                validation_loss=validation_loss,
                best=improved,
                seconds=seconds,
                samples_per_second=train_count / seconds,
            )
        )

    def finish(self) -> Trained:
        """The network of the best epoch; its head is fitted anew where the settings ask for it."""
        data, kept = self._data, self._validation_log_odds
        self._network.load_state_dict(self._best)
        self._network.eval()
        if self._settings.lesion_head:
            # The epoch is chosen: the patients it was chosen on may teach too.
            cases = (*data.train_cases, *data.validation_cases)
            refit_head(self._network, cases, data.classes, data.inputs, batch_size=self._settings.batch_size)
        return Trained(
            network=self._network,
            history=tuple(self.history),
            best_epoch=self._stopping.best_epoch,
            best_loss=self._stopping.best_loss,
            validation_log_odds=None if kept is None else np.array(kept, dtype=np.float32),
        )

    def _pass_over_training_cases(self) -> float:
        """One step per batch; the sum of the training loss over this process's samples."""
        data, settings, processes, device = self._data, self._settings, self._processes, self._processes.device
        loss = 0.0
        for names, own, tensors in training_batches(
            data.train_cases, data.inputs, settings, processes, seed=self._seed, epoch=len(self.history)
        ):
            share = data.outcome.weights(names).sum()
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=_bf16(settings, device)):
                outputs = self._joined(as_network_wants(tensors[:, : len(data.inputs.sequences)]))
            one = data.outcome.losses(outputs.float(), own).sum()
            if self._task is not None:
                one = one + self._task.loss(tensors[:, -1:]) * share / len(names)
            self._optimizer.zero_grad(set_to_none=True)
            # Gradients are averaged over the processes; the sum over the whole batch is wanted.
            (one * processes.count / share).backward()
            self._optimizer.step()
            if self._averaged is not None:
                self._averaged.update_parameters(self._network)
            loss += one.item() / float(share) * len(names)
        return loss

    def _validation_loss(self) -> float:
        data, processes, batch_size = self._data, self._processes, self._settings.batch_size
        processes.sync_buffers(self._network)
        if self._averaged is not None:
            processes.sync_buffers(self._averaged)
        predicted = predict_cases(self._judged, data.validation_cases, data.inputs, processes, batch_size=batch_size)
        if self._validation_log_odds is not None:
            self._validation_log_odds.append(predicted.log_odds.astype(np.float32))
        loss = data.outcome.validation_loss(predicted)
        if self._task is not None:
            loss += self._task.mean_loss(data.validation_cases, data.inputs, batch_size=batch_size)
        return loss


def _averaged(network: nn.Module, settings: TrainingSettings) -> AveragedModel | None:
    """A running mean of weights and batch statistics, which is judged and kept in place of the network itself."""
    if not settings.weight_averaging:
        return None
    mean = get_ema_multi_avg_fn(settings.weight_averaging)
    return AveragedModel(network, multi_avg_fn=mean, use_buffers=True)


def _tensors(network: nn.Module) -> dict[str, Any]:
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


def _bf16(settings: TrainingSettings, device: torch.device) -> bool:
    if settings.precision != "auto" or device.type != "cuda":
        return False
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def _whole(seed: tuple[int, ...]) -> int:
    """One number from several, for torch."""
    return int(np.random.SeedSequence(seed).generate_state(1, np.uint32)[0])
