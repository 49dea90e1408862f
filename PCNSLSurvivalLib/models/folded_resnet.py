"""The forward pass of prediction: a ResNet whose batch normalization is folded into its convolutions.

In evaluation mode batch normalization is a fixed gain and offset for each channel, so that it can be multiplied
into the weights of the convolution before it: the numbers stay, and a third of the passes over memory go.
MONAI is not needed here; a test holds every depth against MONAI's network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from PCNSLSurvivalLib.models.architecture import BLOCKS, NORM_EPSILON, Block, ResNetArchitecture

Arrays = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Convolution:
    """A convolution with its normalization."""

    weight: torch.Tensor
    bias: torch.Tensor | None
    stride: int
    padding: int
    instance_norm: bool

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, I, J, K) to (N, C', I', J', K')."""
        y = functional.conv3d(x, self.weight, self.bias, self.stride, self.padding)
        return functional.instance_norm(y, eps=NORM_EPSILON) if self.instance_norm else y


@dataclass(frozen=True)
class ResidualBlock:
    """Two or three convolutions beside a shortcut."""

    convolutions: tuple[Convolution, ...]
    shortcut: Convolution | None
    """The projecting convolution; None for the identity and for zero padding."""
    pad_to: int | None
    """Channels after zero padding (shortcut "A"); None otherwise."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, I, J, K) to (N, C', I', J', K')."""
        y = x
        for convolution in self.convolutions[:-1]:
            y = convolution(y).relu_()
        y = self.convolutions[-1](y)
        y += self._beside(x)
        return y.relu_()

    def _beside(self, x: torch.Tensor) -> torch.Tensor:
        if self.shortcut is not None:
            return self.shortcut(x)
        if self.pad_to is None:
            return x
        stride = max(convolution.stride for convolution in self.convolutions)
        x = x[:, :, ::stride, ::stride, ::stride]
        return functional.pad(x, (0, 0, 0, 0, 0, 0, 0, self.pad_to - x.shape[1]))


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
        tensors: Arrays,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.architecture = architecture
        self.device = device or torch.device("cpu")
        self.dtype = dtype
        self._tensors = tensors
        self._stem = self._convolution("conv1", "bn1", stride=architecture.conv1_stride, padding=3)
        self._blocks = {
            name: tuple(self._residual_block(number, block) for block in range(count))
            for number, (name, count) in enumerate(zip(BLOCKS, architecture.layers, strict=True), start=1)
        }
        self.head_weight = self._on_device(tensors["fc.weight"].astype(np.float64), dtype=torch.float32)
        self.head_bias = self._on_device(tensors["fc.bias"].astype(np.float64), dtype=torch.float32)
        del self._tensors

    def up_to(self, block: Block, x: torch.Tensor) -> torch.Tensor:
        """Feature cells of ``block``, after its last residual sum and ReLU.

        Args:
            block: "layer1" to "layer4".
            x: (N, C, I, J, K) network input.

        Returns:
            (N, features, i, j, k).
        """
        y = self._stem(x.to(device=self.device, dtype=self.dtype)).relu_()
        y = functional.max_pool3d(y, kernel_size=3, stride=2, padding=1)
        for name in BLOCKS[: BLOCKS.index(block) + 1]:
            for residual in self._blocks[name]:
                y = residual(y)
        return y

    def above(self, block: Block, features: torch.Tensor) -> torch.Tensor:
        """Feature cells of layer4 from those of ``block``; gradients flow when ``features`` asks for them."""
        y = features
        for name in BLOCKS[BLOCKS.index(block) + 1 :]:
            for residual in self._blocks[name]:
                y = residual(y)
        return y

    def head(self, layer4: torch.Tensor) -> torch.Tensor:
        """(N, features, i, j, k) of layer4 to (N, 2) logits, in float32."""
        pooled = layer4.float().mean(dim=(2, 3, 4))
        return functional.linear(pooled, self.head_weight, self.head_bias)

    def _residual_block(self, layer: int, block: int) -> ResidualBlock:
        architecture, at = self.architecture, f"layer{layer}.{block}"
        stride = 2 if layer > 1 and block == 0 else 1
        basic = architecture.expansion == 1
        shapes = ((stride, 1), (1, 1)) if basic else ((1, 0), (stride, 1), (1, 0))  # (stride, padding)
        convolutions = tuple(
            self._convolution(f"{at}.conv{number}", f"{at}.bn{number}", stride=s, padding=p)
            for number, (s, p) in enumerate(shapes, start=1)
        )
        shortcut, pad_to = None, None
        if architecture.projects(layer, block):
            shortcut = self._convolution(f"{at}.downsample.0", f"{at}.downsample.1", stride=stride, padding=0)
        elif architecture.changes_shape(layer, block):
            pad_to = architecture.planes[layer - 1] * architecture.expansion
        return ResidualBlock(convolutions, shortcut, pad_to)

    def _convolution(self, conv: str, norm: str, *, stride: int, padding: int) -> Convolution:
        weight = self._tensors[f"{conv}.weight"].astype(np.float64)
        own_bias = self._tensors.get(f"{conv}.bias")
        bias = None if own_bias is None else own_bias.astype(np.float64)
        instance = self.architecture.norm == "instance"
        if not instance:
            gain = self._tensors[f"{norm}.weight"] / np.sqrt(
                self._tensors[f"{norm}.running_var"].astype(np.float64) + NORM_EPSILON
            )
            offset = (0.0 if bias is None else bias) - self._tensors[f"{norm}.running_mean"]
            bias = self._tensors[f"{norm}.bias"] + gain * offset
            weight = weight * gain[:, None, None, None, None]
        return Convolution(
            self._on_device(weight),
            None if bias is None else self._on_device(bias),
            stride,
            padding,
            instance,
        )

    def _on_device(self, array: NDArray[np.float64], *, dtype: torch.dtype | None = None) -> torch.Tensor:
        return torch.from_numpy(array).to(device=self.device, dtype=dtype or self.dtype)
