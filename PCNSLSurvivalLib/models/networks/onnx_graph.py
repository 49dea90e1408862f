"""The network as an ONNX graph with two outputs, ``logits`` and ``layer4``, built from the checked weights.

A model folder holds each weight once: ONNX Runtime gets its graph from memory, so that there is no second file
to check, and nothing but ONNX Runtime to install. ONNX is a Protocol Buffers message; the few message types a
ResNet needs are written here directly (field numbers: onnx.proto of ONNX, operator set 17).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.models.networks.architecture import CLASSES, NORM_EPSILON, ResNetArchitecture
from PCNSLSurvivalLib.models.networks.folding import Convolution, FoldedNetwork, ResidualBlock, fold

_OPERATOR_SET = 17
_IR_VERSION = 8
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_VARINT, _BYTES, _FIXED32 = 0, 2, 5  # wire types of Protocol Buffers


def onnx_graph(architecture: ResNetArchitecture, network: FoldedNetwork, size: tuple[int, int, int]) -> bytes:
    """Serialize the network.

    Args:
        architecture: Which ResNet.
        network: Its folded weights.
        size: Voxels of the network's input along i, j, k.

    Returns:
        An ONNX model: input ``image`` (1, C, I, J, K), outputs ``logits`` (1, 2) and ``layer4``
        (1, features, i, j, k), all ``float32``; the same arguments give the same bytes.
    """
    writer = _GraphWriter()
    x = writer.convolution(network.stem, "image", relu=True)
    if architecture.max_pool:
        pool = {"kernel_shape": [3, 3, 3], "strides": [2, 2, 2], "pads": [1] * 6}
        x = writer.node("MaxPool", [x], pool)
    blocks = [block for name in network.blocks for block in network.blocks[name]]
    for number, block in enumerate(blocks, start=1):
        x = writer.residual_block(block, x, output="layer4" if number == len(blocks) else None)
    pooled = writer.node("Flatten", [writer.node("GlobalAveragePool", [x])], {"axis": 1})
    weight = writer.constant(network.head_weight)
    writer.node("Gemm", [pooled, weight, writer.constant(network.head_bias)], {"transB": 1}, output="logits")
    cells = architecture.cells("layer4", size)
    graph = b"".join(
        [
            *(_message(1, node) for node in writer.nodes),
            _text(2, "pcnsl_survival"),
            *(_message(5, constant) for constant in writer.constants),
            _message(11, _value("image", (1, architecture.channels, *size))),
            _message(12, _value("logits", (1, CLASSES))),
            _message(12, _value("layer4", (1, architecture.features, *cells))),
        ]
    )
    return b"".join(
        [
            _integer(1, _IR_VERSION),
            _text(2, "pcnsl-survival"),
            _message(7, graph),
            _message(8, _text(1, "") + _integer(2, _OPERATOR_SET)),
        ]
    )


def export_onnx(model: ModelFolder, path: Path) -> None:
    """Write the first member as an ``.onnx`` file for other software.

    Args:
        model: Which one; its weights are checked first.
        path: File to make.

    Raises:
        ModelFolderError: The model holds several members, its weights are damaged, or the file is there already.
    """
    if len(model.members) > 1:
        raise ModelFolderError("The model holds several networks, and an ONNX file one. Export it as a zip instead.")
    if path.exists():
        raise ModelFolderError("The ONNX file exists already; nothing was changed. Choose another name.")
    (tensors,) = model.load_members()
    folded = fold(model.architecture, tensors)
    path.write_bytes(onnx_graph(model.architecture, folded, model.recipe.network_grid.size))


class _GraphWriter:
    """Collects serialized nodes and constants, and names what lies between them."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.constants: list[bytes] = []

    def convolution(self, convolution: Convolution, x: str, *, relu: bool) -> str:
        kernel = convolution.weight.shape[2]
        inputs = [x, self.constant(convolution.weight)]
        if convolution.bias is not None:
            inputs.append(self.constant(convolution.bias))
        y = self.node(
            "Conv",
            inputs,
            {
                "kernel_shape": [kernel] * 3,
                "strides": [convolution.stride] * 3,
                "pads": [convolution.padding] * 6,
            },
        )
        if convolution.instance_norm:
            planes = convolution.weight.shape[0]
            gain = self.constant(np.ones(planes, np.float32))
            offset = self.constant(np.zeros(planes, np.float32))
            y = self.node("InstanceNormalization", [y, gain, offset], {"epsilon": NORM_EPSILON})
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
            shape = {"kernel_shape": [1, 1, 1], "strides": [block.stride] * 3}
            sampled = self.node("AveragePool", [x], shape)
            pads = self.constant(np.array([0] * 6 + [block.pad_channels] + [0] * 3, dtype=np.int64))
            beside = self.node("Pad", [sampled, pads])
        return self.node("Relu", [self.node("Add", [y, beside])], output=output)

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        attributes: Mapping[str, int | float | list[int]] | None = None,
        *,
        output: str | None = None,
    ) -> str:
        output = output or f"t{len(self.nodes)}"
        parts = [_text(1, name) for name in inputs] + [_text(2, output), _text(4, operator)]
        parts += [_message(5, _attribute(name, value)) for name, value in (attributes or {}).items()]
        self.nodes.append(b"".join(parts))
        return output

    def constant(self, array: NDArray[np.float32] | NDArray[np.int64]) -> str:
        name = f"w{len(self.constants)}"
        kind, plain = (_INT64, "<i8") if array.dtype == np.int64 else (_FLOAT, "<f4")
        parts = [_integer(1, n) for n in array.shape]
        parts += [_integer(2, kind), _text(8, name), _message(9, np.ascontiguousarray(array, plain).tobytes())]
        self.constants.append(b"".join(parts))
        return name


def _attribute(name: str, value: int | float | list[int]) -> bytes:
    if isinstance(value, list):
        return _text(1, name) + b"".join(_integer(8, n) for n in value) + _integer(20, 7)
    if isinstance(value, float):
        return _text(1, name) + _key(2, _FIXED32) + np.float32(value).tobytes() + _integer(20, 1)
    return _text(1, name) + _integer(3, value) + _integer(20, 2)


def _value(name: str, shape: Iterable[int]) -> bytes:
    dimensions = b"".join(_message(1, _integer(1, n)) for n in shape)
    tensor = _integer(1, _FLOAT) + _message(2, dimensions)
    return _text(1, name) + _message(2, _message(1, tensor))


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _message(field: int, content: bytes) -> bytes:
    return _key(field, _BYTES) + _varint(len(content)) + content


def _integer(field: int, value: int) -> bytes:
    return _key(field, _VARINT) + _varint(value)


def _key(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
