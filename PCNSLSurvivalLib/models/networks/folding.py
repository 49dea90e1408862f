"""A ResNet for prediction: batch normalization folded into the convolutions, in plain numpy.

In evaluation mode batch normalization is a fixed gain and offset of each channel, so that it can be multiplied
into the weights of the convolution before it: the numbers stay, and a third of the passes over memory go. torch
and ONNX Runtime both run this one description.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.models.networks.architecture import NORM_EPSILON, ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import BLOCKS, HEAD_TENSORS, Block

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Convolution:
    """A convolution with its normalization."""

    weight: Array
    """(out, in, kernel, kernel, kernel)."""
    bias: Array | None
    stride: int
    padding: int
    instance_norm: bool
    """Whether instance normalization without parameters follows."""


@dataclass(frozen=True)
class ResidualBlock:
    """Two or three convolutions beside a shortcut, with ReLU between the convolutions and after the sum."""

    convolutions: tuple[Convolution, ...]
    shortcut: Convolution | None
    """The projecting convolution; None for the identity and for zero padding."""
    pad_channels: int
    """Channels of zeros that shortcut "A" appends; 0 otherwise."""
    stride: int


@dataclass(frozen=True)
class FoldedNetwork:
    """Everything prediction computes: stem, four blocks, global average pool, linear head."""

    stem: Convolution
    blocks: dict[Block, tuple[ResidualBlock, ...]]
    head_weight: Array
    """(outputs, features); rows 0 and 1 are the class logits."""
    head_bias: Array
    """(outputs,)."""


def fold(architecture: ResNetArchitecture, tensors: Mapping[str, Array]) -> FoldedNetwork:
    """Fold normalization into convolutions.

    Args:
        architecture: Which ResNet.
        tensors: Weights by MONAI's names, ``float32``.

    Returns:
        The network of evaluation mode; computed in ``float64``, kept in ``float32``.
    """
    blocks = {
        name: tuple(_residual_block(architecture, tensors, layer, block) for block in range(count))
        for layer, (name, count) in enumerate(zip(BLOCKS, architecture.layers, strict=True), start=1)
    }
    stem = _convolution(architecture, tensors, "conv1", "bn1", stride=architecture.conv1_stride, padding=3)
    weight, bias = HEAD_TENSORS
    return FoldedNetwork(stem, blocks, tensors[weight], tensors[bias])


def _residual_block(
    architecture: ResNetArchitecture, tensors: Mapping[str, Array], layer: int, block: int
) -> ResidualBlock:
    at = f"layer{layer}.{block}"
    stride = 2 if layer > 1 and block == 0 else 1
    design = architecture.design.block
    convolutions = tuple(
        _convolution(
            architecture,
            tensors,
            f"{at}.conv{n + 1}",
            f"{at}.bn{n + 1}",
            stride=stride if n == design.strided else 1,
            padding=kernel // 2,
        )
        for n, kernel in enumerate(design.kernels)
    )
    shortcut, pad_channels = None, 0
    if architecture.projects(layer, block):
        names = f"{at}.downsample.0", f"{at}.downsample.1"
        shortcut = _convolution(architecture, tensors, *names, stride=stride, padding=0)
    elif architecture.changes_shape(layer, block):
        pad_channels = convolutions[-1].weight.shape[0] - convolutions[0].weight.shape[1]
    return ResidualBlock(convolutions, shortcut, pad_channels, stride)


def _convolution(
    architecture: ResNetArchitecture,
    tensors: Mapping[str, Array],
    conv: str,
    norm: str,
    *,
    stride: int,
    padding: int,
) -> Convolution:
    weight = tensors[f"{conv}.weight"].astype(np.float64)
    own_bias = tensors.get(f"{conv}.bias")
    bias = None if own_bias is None else own_bias.astype(np.float64)
    if architecture.norm == "batch":
        variance = tensors[f"{norm}.running_var"].astype(np.float64)
        gain = tensors[f"{norm}.weight"] / np.sqrt(variance + NORM_EPSILON)
        offset = (0.0 if bias is None else bias) - tensors[f"{norm}.running_mean"]
        bias = tensors[f"{norm}.bias"] + gain * offset
        weight = weight * gain[:, None, None, None, None]
    return Convolution(
        weight.astype(np.float32),
        None if bias is None else bias.astype(np.float32),
        stride,
        padding,
        architecture.norm == "instance",
    )
