"""The network as an ONNX graph with two outputs, ``logits`` and ``layer4``, built from the checked weights.

A model folder holds each weight once: ONNX Runtime gets its graph from memory, so that there is no second file
to check.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.models.networks.architecture import NORM_EPSILON, ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import MAP_BLOCK
from PCNSLSurvivalLib.models.networks.folding import Convolution, FoldedNetwork, ResidualBlock, fold
from PCNSLSurvivalLib.models.networks.onnx_writer import GraphWriter


def onnx_graph(architecture: ResNetArchitecture, network: FoldedNetwork, size: tuple[int, int, int]) -> bytes:
    """Serialize the network.

    Args:
        architecture: Which ResNet.
        network: Its folded weights.
        size: Voxels of the network's input along i, j, k.

    Returns:
        An ONNX model: input ``image`` (1, C, I, J, K), outputs ``logits`` (1, outputs) and ``layer4``
        (1, features, i, j, k) as its cells count, all ``float32``; the same arguments give the same bytes. A network
        that counts cells by their brain has a third output, ``features`` (1, features): layer4 averaged before that.

    Raises:
        ModelFolderError: The package onnx is not installed.
    """
    writer = _ResNetWriter()
    x = writer.convolution(network.stem, "image", relu=True)
    if architecture.max_pool:
        x = writer.node("MaxPool", [x], kernel_shape=[3, 3, 3], strides=[2, 2, 2], pads=[1] * 6)
    blocks = [block for name in network.blocks for block in network.blocks[name]]
    counts = architecture.pooling == "brain"
    for number, block in enumerate(blocks, start=1):
        x = writer.residual_block(block, x, output="layer4" if number == len(blocks) and not counts else None)
    features = {}
    if counts:
        mean = writer.node("GlobalAveragePool", [x])
        writer.node("Flatten", [mean], output="features", axis=1)
        features = {"features": (1, architecture.features)}
        x = writer.node("Mul", [x, writer.brain_share("image", architecture)], output="layer4")
    pooled = writer.node("Flatten", [writer.node("GlobalAveragePool", [x])], axis=1)
    weight = writer.constant(network.head_weight)
    writer.node("Gemm", [pooled, weight, writer.constant(network.head_bias)], output="logits", transB=1)

    cells = architecture.cells(MAP_BLOCK, size)
    outputs = {"logits": (1, architecture.outputs), "layer4": (1, architecture.features, *cells), **features}
    return writer.serialized("pcnsl_survival", {"image": (1, architecture.channels, *size)}, outputs)


def export_onnx(model: ModelFolder, path: Path) -> None:
    """Write the first member as an ``.onnx`` file for other software.

    Args:
        model: Which one; its weights are checked first.
        path: File to make.

    Raises:
        ModelFolderError: The model holds several members, its weights are damaged, or the file is there already.
    """
    if len(model.members) > 1:
        raise ModelFolderError(Message("onnx_file.several_networks"))
    if path.exists():
        raise ModelFolderError(Message("onnx_file.exists"))
    (tensors,) = model.load_members()
    folded = fold(model.architecture, tensors)
    path.write_bytes(onnx_graph(model.architecture, folded, model.recipe.network_grid.size))


class _ResNetWriter(GraphWriter):
    """Writes the parts of a ResNet."""

    def convolution(self, convolution: Convolution, x: str, *, relu: bool) -> str:
        """Add a convolution with its normalization."""
        kernel = convolution.weight.shape[2]
        inputs = [x, self.constant(convolution.weight)]
        if convolution.bias is not None:
            inputs.append(self.constant(convolution.bias))
        y = self.node(
            "Conv",
            inputs,
            kernel_shape=[kernel] * 3,
            strides=[convolution.stride] * 3,
            pads=[convolution.padding] * 6,
        )
        if convolution.instance_norm:
            planes = convolution.weight.shape[0]
            gain = self.constant(np.ones(planes, np.float32))
            offset = self.constant(np.zeros(planes, np.float32))
            y = self.node("InstanceNormalization", [y, gain, offset], epsilon=NORM_EPSILON)
        return self.node("Relu", [y]) if relu else y

    def residual_block(self, block: ResidualBlock, x: str, *, output: str | None) -> str:
        y = x
        for convolution in block.convolutions[:-1]:
            y = self.convolution(convolution, y, relu=True)
        y = self.convolution(block.convolutions[-1], y, relu=False)
        beside = x
        if block.shortcut is not None:
            beside = self.convolution(block.shortcut, x, relu=False)
        elif block.pad_channels:
            sampled = self.node("AveragePool", [x], kernel_shape=[1, 1, 1], strides=[block.stride] * 3)
            pads = self.constant(np.array([0] * 6 + [block.pad_channels] + [0] * 3, dtype=np.int64))
            beside = self.node("Pad", [sampled, pads])
        return self.node("Relu", [self.node("Add", [y, beside])], output=output)

    def brain_share(self, image: str, architecture: ResNetArchitecture) -> str:
        """(1, 1, i, j, k) share of each cell of layer4 that shows brain; see ``folded_resnet.brain_share``."""
        kernel, stride, padding = architecture.share_window(MAP_BLOCK)
        brightest = self.node("ReduceMax", [self.node("Abs", [image])], axes=[1], keepdims=1)
        shows = self.node("Greater", [brightest, self.constant(np.zeros(1, np.float32))])
        return self.node(
            "AveragePool",
            [self.node("Cast", [shows], to=1)],  # 1: float32
            kernel_shape=[kernel] * 3,
            strides=[stride] * 3,
            pads=[padding] * 6,
            count_include_pad=1,
        )
