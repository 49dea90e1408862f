"""Learning from lesion masks: an auxiliary task for the blocks of the network.

With some dozens of patients and one bit of survival each, a network finds many chance associations in every part of
the head, and hardly any that generalize. A mask carries more information. Auxiliary heads, discarded after the
training, predict the lesion fraction of each cell from layer2 and layer3: many fine cells train the early filters
quickly. Another predicts from every cell of layer4 the amount of lesion in it, and its fraction of the whole lesion.
It is linear without a bias, so the cells must be zero where there is no lesion, and the network's own head can use
what it learned: its average over all cells then measures lesions and not the rest of the brain. The fractions sum to
one in every patient. They are a constant located in the lesion, from which the amount can be subtracted
(``training.lesions.head``).

References:
    Caruana, Multitask learning, Machine Learning 28, 1997. doi:10.1023/A:1007379606734
    Lee et al., Deeply-supervised nets, AISTATS 2015. arXiv:1409.5185
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from PCNSLSurvivalLib.models.networks.designs import HEAD, LESION_BLOCKS, MAP_BLOCK
from PCNSLSurvivalLib.training.data.batches import in_order, read_ahead
from PCNSLSurvivalLib.training.data.dataset import NetworkInputs
from PCNSLSurvivalLib.training.settings import TrainingSettings

# The weights bring the terms to about the same size once the lesion is found, but for the amount in all cells, which
# matters most: a small error that all cells share is large in their sum.
_WEIGHT_OF_FRACTION = 3.0
_WEIGHT_OF_SHARE = 60.0
_WEIGHT_OF_AMOUNT = 20.0
_WEIGHT_OF_FINE_SHARE = 10.0
_WEIGHT_OF_LESION_VOXELS = 3.0
_LEAST_SHARE = 1e-3
_RARE = -3.0  # log-odds of lesion in a cell, to start with


class LesionTask:
    """Watches the blocks of a network in training and measures what their cells know of the lesion."""

    def __init__(self, network: nn.Module, settings: TrainingSettings, *, seed: int) -> None:
        head = network.get_submodule(HEAD)
        assert isinstance(head, nn.Linear)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            reader = nn.Conv3d(head.in_features, 2, 1, bias=False)
            fine = [nn.Conv3d(settings.architecture.block_channels(block), 1, 1) for block in LESION_BLOCKS]
        nn.init.zeros_(reader.weight)  # the sum over all cells of a random start is far from any amount of lesion
        for convolution in fine:
            assert convolution.bias is not None
            nn.init.constant_(convolution.bias, _RARE)
        self._readers = nn.ModuleDict(dict(zip((*LESION_BLOCKS, MAP_BLOCK), (*fine, reader), strict=True)))
        self._readers.to(head.weight.device)
        self._network, self._device, self._weight = network, head.weight.device, settings.lesion_task
        self._cells: dict[str, torch.Tensor] = {}
        for name in self._readers:
            network.get_submodule(name).register_forward_hook(self._keep(name))

    def _keep(self, name: str) -> Callable[[nn.Module, object, torch.Tensor], None]:
        def keep(module: nn.Module, given: object, cells: torch.Tensor) -> None:
            self._cells[name] = cells.float()

        return keep

    def parameters(self) -> list[nn.Parameter]:
        """Of the readers, for the optimizer."""
        return list(self._readers.parameters())

    def state(self) -> dict[str, Any]:
        """Tensors of the readers, for a checkpoint."""
        return self._readers.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._readers.load_state_dict(state)

    def loss(self, lesion: torch.Tensor) -> torch.Tensor:
        """What the masks add to the loss of the last forward pass.

        Args:
            lesion: (N, 1, I, J, K) share of lesion on the network's block, moved as the scans were.

        Returns:
            Scalar: sum over the samples, weighted as ``lesion_task`` says.
        """
        seen, self._cells = self._cells, {}
        cells = seen.pop(MAP_BLOCK)
        said = self._readers[MAP_BLOCK](cells)
        share = share_in_cells(lesion, _count(cells))
        amount = share.sum((1, 2, 3))
        fraction = fraction_in_cells(share)
        there = (amount > 0).float()
        placed = ((said[:, 0] - fraction) ** 2).sum((1, 2, 3)) + (said[:, 0].sum((1, 2, 3)) - there) ** 2
        by_cell = ((signed_root(said[:, 1]) - signed_root(share)) ** 2).mean((1, 2, 3))
        in_all = (signed_root(said[:, 1].sum((1, 2, 3))) - signed_root(amount)) ** 2
        task = _WEIGHT_OF_FRACTION * placed + _WEIGHT_OF_SHARE * by_cell + _WEIGHT_OF_AMOUNT * in_all
        for name, fine in seen.items():
            logit = self._readers[name](fine)[:, 0]
            target = share_in_cells(lesion, _count(fine))
            weight = torch.tensor(_WEIGHT_OF_LESION_VOXELS, device=logit.device)
            off = functional.binary_cross_entropy_with_logits(logit, target, pos_weight=weight, reduction="none")
            task = task + _WEIGHT_OF_FINE_SHARE * off.mean((1, 2, 3))
        return self._weight * task.sum()

    def mean_loss(self, names: Sequence[str], inputs: NetworkInputs, *, batch_size: int) -> float:
        """The same for cases as they are, averaged; the network is left in evaluation mode."""
        self._network.eval()
        total = 0.0
        with torch.no_grad():
            for _, tensors in read_ahead(in_order(names, batch_size), inputs, self._device):
                self._network(tensors[:, :-1])
                total += float(self.loss(tensors[:, -1:]))
        return total / len(names)


def share_in_cells(lesion: torch.Tensor, cells: tuple[int, int, int]) -> torch.Tensor:
    """(N, i, j, k) share of lesion in the box around each cell's center, of half the distance of cells to each side.

    Args:
        lesion: (N, 1, I, J, K) share of lesion of each voxel.
        cells: Cells of the block; cell n is centered on voxel n times the stride.
    """
    strides = _strides(lesion, cells)
    kernel = [2 * (stride // 2) + 1 for stride in strides]
    return functional.avg_pool3d(lesion, kernel, strides, [stride // 2 for stride in strides])[:, 0]


def fraction_in_cells(share: torch.Tensor) -> torch.Tensor:
    """(N, i, j, k) fraction of all lesion that lies in each cell, from the shares; 0 everywhere without lesion."""
    amount = share.sum((1, 2, 3), keepdim=True)
    return torch.where(amount > 0, share / amount.clamp_min(1e-12), torch.zeros_like(share))


def signed_root(share: torch.Tensor) -> torch.Tensor:
    """Square root with its sign, smooth at 0: 1 mL too few counts more in a small lesion than in a large one."""
    return share / (torch.sqrt(share.abs() + _LEAST_SHARE) + _LEAST_SHARE**0.5)


def _count(cells: torch.Tensor) -> tuple[int, int, int]:
    return cells.shape[2], cells.shape[3], cells.shape[4]


def _strides(lesion: torch.Tensor, cells: tuple[int, int, int]) -> list[int]:
    strides = []
    for size, count in zip(lesion.shape[2:], cells, strict=True):
        stride = 1
        while -(-size // stride) > count:
            stride *= 2
        strides.append(stride)
    return strides
