"""Learning from lesion masks: a second task for layer4, and evidence that has to come from the lesion.

With some dozens of patients, one bit of survival each, a network finds many accidental reasons for a class in every
part of the head, and hardly any that hold for the next patient. A mask says much more: a second head, which is thrown
away after the training, reads from every cell of layer4 whether lesion lies there and how much of it. It is linear and
has no constant, so that the cells themselves must be silent where no lesion is, and what it learned stays within reach
of the network's own head, whose average over all cells then measures lesions and not the rest of the brain. And behind
a global average pool and a linear head the evidence of every cell is known exactly (``explain.evidence_map``), so that
it can be asked to lie in the lesion. This is "right for the right reasons" without second derivatives.

References:
    Caruana, Multitask learning, Machine Learning 28, 1997. doi:10.1023/A:1007379606734
    Ross, Hughes and Doshi-Velez, Right for the right reasons: training differentiable models by constraining their
    explanations, IJCAI 2017. arXiv:1703.03717
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from PCNSLSurvivalLib.data.dataset import NetworkInputs
from PCNSLSurvivalLib.training.batches import in_order, read_ahead
from PCNSLSurvivalLib.training.settings import TrainingSettings

# Few cells hold lesion: this brings the mean squared error over all to the size of the other terms.
_WEIGHT_OF_PRESENCE = 10.0
# Shares are compared as square roots, so that 1 mL too few counts more in a small lesion than in a large one; this
# brings their squared errors to the size of the other term.
_WEIGHT_OF_SHARE = 60.0
_LEAST_SHARE = 1e-3
# Keeps the share of evidence outside defined for a network without any; in log-odds.
_LEAST_EVIDENCE = 1e-3


class LesionTask:
    """Watches layer4 of a network in training and measures what its cells know of the lesion.

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
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._reader = nn.Conv3d(head.in_features, 2, 1, bias=False)
        self._reader.to(head.weight.device)
        self._network, self._head, self._settings = network, head, settings
        self._cells: torch.Tensor | None = None
        network.get_submodule("layer4").register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, given: object, cells: torch.Tensor) -> None:
        self._cells = cells

    def parameters(self) -> list[nn.Parameter]:
        """Of the second head, for the optimizer."""
        return list(self._reader.parameters())

    def state(self) -> dict[str, Any]:
        """Tensors of the second head, for a checkpoint."""
        return self._reader.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._reader.load_state_dict(state)

    def loss(self, lesion: torch.Tensor) -> torch.Tensor:
        """What the masks add to the loss of the last forward pass.

        Args:
            lesion: (N, 1, I, J, K) share of lesion on the network's block, moved as the scans were.

        Returns:
            Scalar: sum over the samples, weighted as the settings say.
        """
        cells, self._cells = self._cells, None
        assert cells is not None
        cells = cells.float()
        shape = (cells.shape[2], cells.shape[3], cells.shape[4])
        near = cells_near(lesion, shape).float()
        said = self._reader(cells)
        presence = (said[:, 0] - near) ** 2
        root = torch.sqrt(said[:, 1].clamp_min(0.0) + _LEAST_SHARE)
        share = (root - torch.sqrt(share_in_cells(lesion, shape) + _LEAST_SHARE)) ** 2
        task = (_WEIGHT_OF_PRESENCE * presence + _WEIGHT_OF_SHARE * share).mean((1, 2, 3))
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


def _strides(lesion: torch.Tensor, cells: tuple[int, int, int]) -> list[int]:
    strides = []
    for size, count in zip(lesion.shape[2:], cells, strict=True):
        stride = 1
        while -(-size // stride) > count:
            stride *= 2
        strides.append(stride)
    return strides
