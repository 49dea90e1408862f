"""The network of the lesion reader as an ONNX graph, built from the checked weights; needs no torch."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from PCNSLSurvivalLib.models.networks.onnx_writer import GraphWriter
from PCNSLSurvivalLib.models.networks.weights_file import Tensors

_CLASSES = 4
_TUMOR = 1
_EPSILON = 1e-5
"""Of the instance normalization, as torch has it."""


def unet_shapes(widths: tuple[int, ...], hidden: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of ``lesion_unet.LesionUNet``."""
    shapes: dict[str, tuple[int, ...]] = {}

    def block(at: str, inputs: int, outputs: int) -> None:
        shapes[f"{at}.conv.weight"] = (outputs, inputs, 3, 3, 3)
        shapes[f"{at}.norm.weight"] = shapes[f"{at}.norm.bias"] = (outputs,)

    def point(at: str, inputs: int, outputs: int) -> None:
        shapes[f"{at}.weight"], shapes[f"{at}.bias"] = (outputs, inputs, 1, 1, 1), (outputs,)

    block("stem.0", 16, widths[0])
    block("stem.1", widths[0], widths[0])
    for level, (fine, coarse) in enumerate(pairwise(widths)):
        block(f"down.{level}.0", fine, coarse)
        block(f"down.{level}.1", coarse, coarse)
        point(f"reduce.{level}", coarse, fine)
        block(f"up.{level}", fine, fine)
    point("mix", widths[0] + 16, hidden)
    point("out", hidden, 8 * _CLASSES)
    return shapes


def unet_graph(weights: Tensors, widths: tuple[int, ...], edge: int) -> bytes:
    """Serialize the network with the softmax behind it.

    Args:
        weights: By the names of ``unet_shapes``.
        widths: Channels of every level.
        edge: Voxels of a block along each axis, a multiple of 16.

    Returns:
        An ONNX model: input ``blocks`` (N, 2, edge, edge, edge), output ``tumor`` (N, edge, edge, edge), the
        probability of enhancing tumor.

    Raises:
        ModelFolderError: The package onnx is not installed.
    """
    unet = _UNetWriter(weights)
    half = edge // 2
    split = unet.reshaped("blocks", (-1, 2, half, 2, half, 2, half, 2))
    fine = unet.reshaped(unet.node("Transpose", [split], perm=[0, 1, 3, 5, 7, 2, 4, 6]), (-1, 16, *[half] * 3))
    levels = [unet.block(unet.block(fine, "stem.0"), "stem.1")]
    for level in range(len(widths) - 1):
        x = unet.block(levels[-1], f"down.{level}.0", stride=2)
        levels.append(unet.block(x, f"down.{level}.1"))
    x = levels.pop()
    for level in reversed(range(len(widths) - 1)):
        x = unet.twice_as_large(unet.convolution(x, f"reduce.{level}"))
        x = unet.block(unet.node("Add", [x, levels.pop()]), f"up.{level}")
    x = unet.leaky(unet.convolution(unet.node("Concat", [x, fine], axis=1), "mix"))
    x = unet.reshaped(unet.convolution(x, "out"), (-1, _CLASSES, 2, 2, 2, half, half, half))
    x = unet.node("Transpose", [x], perm=[0, 1, 5, 2, 6, 3, 7, 4])
    shares = unet.node("Softmax", [unet.reshaped(x, (-1, _CLASSES, *[edge] * 3))], axis=1)
    tumor = unet.node("Gather", [shares, unet.constant(np.array([_TUMOR], dtype=np.int64))], axis=1)
    unet.reshaped(tumor, (-1, *[edge] * 3), output="tumor")
    blocks, found = ("n", 2, edge, edge, edge), ("n", edge, edge, edge)
    return unet.serialized("lesion_reader", {"blocks": blocks}, {"tumor": found})


class _UNetWriter(GraphWriter):
    """Writes the parts of the network, each under the names of its tensors."""

    def __init__(self, weights: Tensors) -> None:
        super().__init__()
        self._weights = weights

    def block(self, x: str, at: str, *, stride: int = 1) -> str:
        x = self.convolution(x, f"{at}.conv", stride=stride)
        gain, offset = (self.constant(self._weights[f"{at}.norm.{part}"]) for part in ("weight", "bias"))
        return self.leaky(self.node("InstanceNormalization", [x, gain, offset], epsilon=_EPSILON))

    def convolution(self, x: str, at: str, *, stride: int = 1) -> str:
        weight = self._weights[f"{at}.weight"]
        parts = [weight, *([self._weights[f"{at}.bias"]] if f"{at}.bias" in self._weights else [])]
        kernel = weight.shape[2]
        inputs = [x, *(self.constant(part) for part in parts)]
        return self.node("Conv", inputs, kernel_shape=[kernel] * 3, strides=[stride] * 3, pads=[kernel // 2] * 6)

    def leaky(self, x: str) -> str:
        return self.node("LeakyRelu", [x], alpha=0.01)

    def twice_as_large(self, x: str) -> str:
        scales = self.constant(np.array([1, 1, 2, 2, 2], np.float32))
        return self.node(
            "Resize",
            [x, "", scales],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def reshaped(self, x: str, shape: tuple[int, ...], *, output: str | None = None) -> str:
        return self.node("Reshape", [x, self.constant(np.array(shape, dtype=np.int64))], output=output)
