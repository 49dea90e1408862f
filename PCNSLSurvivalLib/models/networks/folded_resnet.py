"""The forward pass of prediction in torch; MONAI is not needed, and a test holds every depth against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from PCNSLSurvivalLib.models.networks.architecture import NORM_EPSILON, ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import BLOCKS, MAP_BLOCK, Block
from PCNSLSurvivalLib.models.networks.folding import Convolution, ResidualBlock, fold

Layer = Callable[[torch.Tensor], torch.Tensor]


def _halved(x: torch.Tensor) -> torch.Tensor:
    """``max_pool3d`` of kernel 3, stride 2 and padding 1, one axis after the other: the same numbers, sooner on a CPU.

    Args:
        x: (N, C, I, J, K), at least 0 everywhere, so that the padding never wins.
    """
    if x.device.type != "cpu":
        return functional.max_pool3d(x, kernel_size=3, stride=2, padding=1)
    for axis in (2, 3, 4):
        evens = torch.arange(0, x.shape[axis], 2)
        pooled = x.index_select(axis, evens)
        odd = x.transpose(0, axis)[1::2].transpose(0, axis)
        for first, count in ((0, odd.shape[axis]), (1, pooled.shape[axis] - 1)):
            part = pooled.narrow(axis, first, count)
            torch.maximum(part, odd.narrow(axis, 0, count), out=part)
        x = pooled
    return x


def brain_share(x: torch.Tensor, architecture: ResNetArchitecture, block: Block = MAP_BLOCK) -> torch.Tensor:
    """Share of each cell's block that shows brain.

    Args:
        x: (N, C, I, J, K) network input, 0 outside the brain in every channel.
        architecture: Says how far cells lie apart.
        block: Whose cells.

    Returns:
        (N, 1, i, j, k) ``float32`` values from 0 to 1.
    """
    kernel, stride, padding = architecture.share_window(block)
    shows = (x != 0).any(dim=1, keepdim=True).float()
    # Padded by hand: torch refuses a window that is larger than the block without its padding.
    return functional.avg_pool3d(functional.pad(shows, (padding,) * 6), kernel, stride)


class FoldedResNet:
    """One member's network, ready to run on one device.

    Args:
        architecture: Which ResNet.
        tensors: Weights by MONAI's names, ``float32``.
        device: Where to run.
        dtype: ``torch.float32``, or ``torch.bfloat16`` where the hardware has it.
    """

    def __init__(
        self,
        architecture: ResNetArchitecture,
        tensors: Mapping[str, NDArray[np.float32]],
        *,
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.dtype = dtype
        network = fold(architecture, tensors)
        self._architecture = architecture
        self._max_pool = architecture.max_pool
        self._stem = self._convolution(network.stem)
        self._blocks = {
            name: [self._residual_block(block) for block in blocks] for name, blocks in network.blocks.items()
        }
        self.head_weight = torch.tensor(network.head_weight, device=self.device)
        self.head_bias = torch.tensor(network.head_bias, device=self.device)

    def up_to(self, block: Block, x: torch.Tensor) -> torch.Tensor:
        """Feature cells of ``block``, after its last residual sum and ReLU.

        Args:
            block: "layer1" to "layer4".
            x: (N, C, I, J, K) network input.

        Returns:
            (N, features, i, j, k).
        """
        y = self._stem(x.to(device=self.device, dtype=self.dtype)).relu_()
        if self._max_pool:
            y = _halved(y)
        return self._through(BLOCKS[: BLOCKS.index(block) + 1], y)

    def above(self, block: Block, features: torch.Tensor) -> torch.Tensor:
        """Feature cells of layer4 from those of ``block``; gradients flow when ``features`` asks for them."""
        return self._through(BLOCKS[BLOCKS.index(block) + 1 :], features)

    def counted(self, cells: torch.Tensor, x: torch.Tensor, block: Block = MAP_BLOCK) -> torch.Tensor:
        """Cells as they count: times their share of brain where the architecture pools so, otherwise as they are.

        Args:
            cells: (N, features, i, j, k) of ``block``, or a map of it.
            x: (N, C, I, J, K) network input.
            block: Whose cells.
        """
        if self._architecture.pooling == "mean":
            return cells
        return cells * brain_share(x, self._architecture, block).to(device=cells.device, dtype=cells.dtype)

    def head(self, layer4: torch.Tensor) -> torch.Tensor:
        """(N, features, i, j, k) of layer4, as they count, to (N, outputs), in float32."""
        return functional.linear(layer4.float().mean(dim=(2, 3, 4)), self.head_weight, self.head_bias)

    def _through(self, names: tuple[Block, ...], x: torch.Tensor) -> torch.Tensor:
        for name in names:
            for block in self._blocks[name]:
                x = block(x)
        return x

    def _convolution(self, convolution: Convolution) -> Layer:
        weight = torch.from_numpy(convolution.weight).to(device=self.device, dtype=self.dtype)
        bias = convolution.bias
        offset = None if bias is None else torch.from_numpy(bias).to(device=self.device, dtype=self.dtype)
        stride, padding = convolution.stride, convolution.padding

        def run(x: torch.Tensor) -> torch.Tensor:
            y = functional.conv3d(x, weight, offset, stride, padding)
            return functional.instance_norm(y, eps=NORM_EPSILON) if convolution.instance_norm else y

        return run

    def _residual_block(self, block: ResidualBlock) -> Layer:
        convolutions = [self._convolution(convolution) for convolution in block.convolutions]
        projection = None if block.shortcut is None else self._convolution(block.shortcut)

        def beside(x: torch.Tensor) -> torch.Tensor:
            if projection is not None:
                return projection(x)
            if not block.pad_channels:
                return x
            sampled = x[:, :, :: block.stride, :: block.stride, :: block.stride]
            return functional.pad(sampled, (0, 0, 0, 0, 0, 0, 0, block.pad_channels))

        def run(x: torch.Tensor) -> torch.Tensor:
            y = x
            for convolution in convolutions[:-1]:
                y = convolution(y).relu_()
            y = convolutions[-1](y)
            y += beside(x)
            return y.relu_()

        return run
