"""Learning from lesion masks: a second task for the blocks, and evidence that has to come from the lesion.

With some dozens of patients, one bit of survival each, a network finds many accidental reasons for a class in every
part of the head, and hardly any that hold for the next patient. A mask says much more. Readers that are thrown away
after the training tell from layer2 and layer3 which share of each cell is lesion: fine cells, many of them, teach the
early filters quickly. Another reads from every cell of layer4 whether lesion lies there and how much of it. It is
linear and has no constant, so that the cells themselves must be silent where no lesion is, and what it learned stays
within reach of the network's own head, whose average over all cells then measures lesions and not the rest of the
brain. And behind a global average pool and a linear head the evidence of every cell is known exactly
(``explain.evidence_map``), so that it can be asked to lie in the lesion. This is "right for the right reasons" without
second derivatives.

References:
    Caruana, Multitask learning, Machine Learning 28, 1997. doi:10.1023/A:1007379606734
    Lee et al., Deeply-supervised nets, AISTATS 2015. arXiv:1409.5185
    Ross, Hughes and Doshi-Velez, Right for the right reasons: training differentiable models by constraining their
    explanations, IJCAI 2017. arXiv:1703.03717
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from PCNSLSurvivalLib.data.dataset import NetworkInputs
from PCNSLSurvivalLib.training.batches import in_order, read_ahead
from PCNSLSurvivalLib.training.settings import TrainingSettings

# The weights bring the terms to about the same size once the lesion is found. Few cells hold lesion.
_WEIGHT_OF_PRESENCE = 10.0
_WEIGHT_OF_SHARE = 60.0
_WEIGHT_OF_AMOUNT = 3.0
_WEIGHT_OF_FINE_SHARE = 10.0
_WEIGHT_OF_LESION_VOXELS = 3.0
_FINE_BLOCKS = ("layer2", "layer3")
_LEAST_SHARE = 1e-3
_RARE = -3.0  # log-odds of lesion in a cell, to start with
# Keeps the share of evidence outside defined for a network without any; in log-odds.
_LEAST_EVIDENCE = 1e-3


class LesionTask:
    """Watches the blocks of a network in training and measures what their cells know of the lesion.

    The constants of the network's own head are held at zero: a constant is evidence that lies nowhere, and with one
    a network could have reasons against a class only. The two rows of the head start as each other's opposite and
    stay so, since their gradients are; a map of either class is then half the evidence, and no common part disturbs it.
    """

    def __init__(self, network: nn.Module, settings: TrainingSettings, *, seed: int) -> None:
        head = network.get_submodule("fc")
        assert isinstance(head, nn.Linear)
        with torch.no_grad():
            half = (head.weight[1] - head.weight[0]) / 2
            head.weight.copy_(torch.stack([-half, half]))
            head.bias.zero_()
        head.bias.requires_grad_(False)
        planes = settings.architecture.planes
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            reader = nn.Conv3d(head.in_features, 2, 1, bias=False)
            fine = [nn.Conv3d(planes[n] * settings.architecture.expansion, 1, 1) for n in (1, 2)]
        nn.init.zeros_(reader.weight)  # the sum over all cells of a random start is far from any amount of lesion
        for convolution in fine:
            assert convolution.bias is not None
            nn.init.constant_(convolution.bias, _RARE)
        self._readers = nn.ModuleDict(dict(zip((*_FINE_BLOCKS, "layer4"), (*fine, reader), strict=True)))
        self._readers.to(head.weight.device)
        self._network, self._head, self._settings = network, head, settings
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
            Scalar: sum over the samples, weighted as the settings say.
        """
        seen, self._cells = self._cells, {}
        cells = seen.pop("layer4")
        near = cells_near(lesion, _count(cells)).float()
        said = self._readers["layer4"](cells)
        share = share_in_cells(lesion, _count(cells))
        presence = ((said[:, 0] - near) ** 2).mean((1, 2, 3))
        by_cell = ((_root(said[:, 1]) - _root(share)) ** 2).mean((1, 2, 3))
        in_all = (_root(said[:, 1].sum((1, 2, 3))) - _root(share.sum((1, 2, 3)))) ** 2
        task = _WEIGHT_OF_PRESENCE * presence + _WEIGHT_OF_SHARE * by_cell + _WEIGHT_OF_AMOUNT * in_all
        for name, fine in seen.items():
            logit = self._readers[name](fine)[:, 0]
            target = share_in_cells(lesion, _count(fine))
            weight = torch.tensor(_WEIGHT_OF_LESION_VOXELS, device=logit.device)
            off = functional.binary_cross_entropy_with_logits(logit, target, pos_weight=weight, reduction="none")
            task = task + _WEIGHT_OF_FINE_SHARE * off.mean((1, 2, 3))
        weight = self._head.weight[1] - self._head.weight[0]
        evidence = (torch.einsum("c,ncijk->nijk", weight, cells) / cells[0, 0].numel()).abs()
        total = evidence.sum((1, 2, 3)) + _LEAST_EVIDENCE
        outside = (evidence * (1 - near)).sum((1, 2, 3)) / total
        return (self._settings.lesion_task * task + self._settings.lesion_focus * outside).sum()

    def mean_loss(self, names: Sequence[str], inputs: NetworkInputs, *, batch_size: int) -> float:
        """The same for cases as they are, averaged; the network is left in evaluation mode."""
        self._network.eval()
        total = 0.0
        with torch.no_grad():
            for _, tensors in read_ahead(in_order(names, batch_size), inputs, self._head.weight.device):
                self._network(tensors[:, :-1])
                total += float(self.loss(tensors[:, -1:]))
        return total / len(names)


def cells_near(lesion: torch.Tensor, cells: tuple[int, int, int]) -> torch.Tensor:
    """(N, i, j, k) whether lesion lies within half the distance of cells, along each axis, of a cell's center.

    The network's map cannot tell less apart; the pointing game dilates the lesion in the same way.

    Args:
        lesion: (N, 1, I, J, K) share of lesion; half and more is lesion.
        cells: Cells of the block; cell n is centered on voxel n times the stride.
    """
    strides = _strides(lesion, cells)
    near = lesion
    for axis, stride in enumerate(strides):  # one axis after the other: a cube of 33 voxels is too much at once
        kernel, steps, margin = [1, 1, 1], [1, 1, 1], [0, 0, 0]
        kernel[axis], steps[axis], margin[axis] = 2 * (stride // 2) + 1, stride, stride // 2
        near = functional.max_pool3d(near, kernel, steps, margin)
    return near[:, 0] >= 0.5


def share_in_cells(lesion: torch.Tensor, cells: tuple[int, int, int]) -> torch.Tensor:
    """(N, i, j, k) share of lesion in the box around each cell's center; see ``cells_near``."""
    strides = _strides(lesion, cells)
    kernel = [2 * (stride // 2) + 1 for stride in strides]
    return functional.avg_pool3d(lesion, kernel, strides, [stride // 2 for stride in strides])[:, 0]


def _root(share: torch.Tensor) -> torch.Tensor:
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
