"""The network of one training: initial weights, frozen layers and learning rates."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import nn

from PCNSLSurvivalLib.core.errors import ModelFolderError, TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import HEAD, part_of
from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet, load_tensors
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.training.settings import TrainingSettings

_NORMALIZATIONS = (nn.BatchNorm3d, nn.SyncBatchNorm)


def build_network(
    settings: TrainingSettings, channels: int, initial_weights: Tensors | None, *, seed: int
) -> nn.Module:
    """A fresh network: random from the seed, or with the given initial weights.

    Args:
        settings: Its architecture and what of it is frozen.
        channels: Number of sequences.
        initial_weights: Every tensor of the network (see ``models.networks.pretrained.load_initial_weights``); None
            trains from scratch.
        seed: Of the random start.

    Raises:
        TrainingError: The initial weights belong to another network, or everything or nothing sensible is frozen.
    """
    if initial_weights is None and (settings.frozen or settings.batch_norm == "frozen"):
        raise TrainingError(Message("training.frozen_without_weights"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_resnet(network_architecture(settings, channels))
    if initial_weights is not None:
        try:
            load_tensors(network, initial_weights)
        except ModelFolderError as problem:
            raise TrainingError(Message("training.initial_weights_do_not_fit")) from problem
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not _frozen(name, settings))
    return network


def network_architecture(settings: TrainingSettings, channels: int) -> ResNetArchitecture:
    """The architecture of the settings with the channels of the sequences."""
    return replace(settings.architecture, channels=channels)


def set_training_mode(network: nn.Module, settings: TrainingSettings) -> None:
    """Training mode, but for normalization that keeps its statistics; called at the begin of each epoch.

    Batch normalization of a frozen part keeps its statistics too: they belong to the weights.
    """
    network.train()
    for name, module in network.named_modules():
        if isinstance(module, _NORMALIZATIONS) and (settings.batch_norm == "frozen" or _frozen(name, settings)):
            module.eval()


def build_optimizer(network: nn.Module, settings: TrainingSettings, *, transfer: bool) -> torch.optim.AdamW:
    """AdamW over four groups: backbone and head, with and without weight decay."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            factor = settings.backbone_factor if transfer and part_of(name) != HEAD else 1.0
            decay = settings.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((factor * settings.learning_rate, decay), []).append(parameter)
    return torch.optim.AdamW([{"params": p, "lr": lr, "weight_decay": wd} for (lr, wd), p in groups.items()])


def build_schedule(optimizer: torch.optim.Optimizer, settings: TrainingSettings) -> torch.optim.lr_scheduler.LambdaLR:
    """Linear warm-up, then a cosine down to 1 % or a tenth every 30 epochs; one step per epoch."""

    def share(epoch: int) -> float:
        if epoch < settings.warmup_epochs:
            return (epoch + 1) / (settings.warmup_epochs + 1)
        if settings.schedule == "step":
            return float(0.1 ** ((epoch - settings.warmup_epochs) // 30))
        progress = (epoch - settings.warmup_epochs) / max(1, settings.epochs - 1 - settings.warmup_epochs)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * min(progress, 1.0))) / 2

    return torch.optim.lr_scheduler.LambdaLR(optimizer, share)


def _frozen(name: str, settings: TrainingSettings) -> bool:
    return part_of(name) in settings.frozen
