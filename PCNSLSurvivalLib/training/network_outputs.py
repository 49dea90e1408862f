"""The outputs of a trained network: logits, and the features its head reads; always in full precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from PCNSLSurvivalLib.models.calibration import logistic
from PCNSLSurvivalLib.models.networks.designs import MAP_BLOCK
from PCNSLSurvivalLib.models.networks.devices import reproducible_float32
from PCNSLSurvivalLib.training.data.batches import in_order, read_ahead
from PCNSLSurvivalLib.training.data.dataset import NetworkInputs
from PCNSLSurvivalLib.training.processes import Processes


@dataclass(frozen=True)
class CasePredictions:
    """What one network says of some cases."""

    names: tuple[str, ...]
    logits: NDArray[np.float64]
    """(N, outputs): the logits of OS up to one year and of OS over one year, then the outputs of a time head."""
    features: NDArray[np.float32]
    """(N, F) layer4 averaged over all its cells alike, before any is counted by its brain."""

    @property
    def log_odds(self) -> NDArray[np.float64]:
        """(N,) uncalibrated log-odds of OS over one year."""
        odds: NDArray[np.float64] = self.logits[:, 1] - self.logits[:, 0]
        return odds

    @property
    def probability(self) -> NDArray[np.float64]:
        """(N,) softmax over both classes, without overflow."""
        p: NDArray[np.float64] = logistic(self.log_odds)
        return p


def predict_cases(
    network: nn.Module, names: Sequence[str], inputs: NetworkInputs, processes: Processes, *, batch_size: int
) -> CasePredictions:
    """Ask a network about cases; the processes share the work.

    Args:
        network: The plain network, not joined; it is left in evaluation mode.
        names: The cases.
        inputs: Their tensors.
        processes: Who computes.
        batch_size: Cases at a time; in evaluation mode it changes nothing but the speed.
    """
    network.eval()
    channels = len(inputs.sequences)
    pooled: list[torch.Tensor] = []
    hook = network.get_submodule(MAP_BLOCK).register_forward_hook(
        lambda module, given, out: pooled.append(out.float().mean((2, 3, 4))), prepend=True
    )
    mine = list(names)[processes.rank :: processes.count]
    found: dict[str, tuple[NDArray[np.float64], NDArray[np.float32]]] = {}
    try:
        with torch.no_grad(), reproducible_float32():
            for batch, tensors in read_ahead(in_order(mine, batch_size), inputs, processes.device):
                logits = network(as_network_wants(tensors[:, :channels])).float().cpu().numpy().astype(np.float64)
                features = pooled.pop().cpu().numpy()
                found.update(zip(batch, zip(logits, features, strict=True), strict=True))
    finally:
        hook.remove()
    found = processes.gather(found)
    return CasePredictions(
        tuple(names),
        np.array([found[name][0] for name in names]).reshape(len(names), -1),
        np.array([found[name][1] for name in names], dtype=np.float32).reshape(len(names), -1),
    )


def as_network_wants(tensors: torch.Tensor) -> torch.Tensor:
    """Channels last where the device has it: convolutions are faster so."""
    return tensors if tensors.device.type == "mps" else tensors.to(memory_format=torch.channels_last_3d)


def mean_log_loss(predicted: CasePredictions, classes: Sequence[int], weights: Sequence[float] | None = None) -> float:
    """Mean negative log-likelihood of the outcomes, in nats; weighted where weights are given."""
    toward = np.where(np.asarray(classes) == 1, predicted.log_odds, -predicted.log_odds)
    return float(np.average(np.logaddexp(0.0, -toward), weights=weights))
