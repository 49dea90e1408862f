"""The networks of deepbet in ONNX Runtime, for computers without torch.

The graph is built from the checked weights: a LinkNet with the encoder of a ResNet-18, and instance normalization
without parameters after every convolution but the last.

References:
    Chaurasia and Culurciello, LinkNet: Exploiting encoder representations for efficient semantic segmentation,
    VCIP 2017. doi:10.1109/VCIP.2017.8305148
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.preprocessing.steps.torchscript_weights import Weights, read_torchscript_weights

if TYPE_CHECKING:
    import onnx

_OPERATOR_SET = 17
_IR_VERSION = 8
_EPSILON = 1e-5


class OnnxLinkNet:
    """One network of deepbet.

    Args:
        path: Its TorchScript file, whose checksum was compared before.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors only
        self._session = onnxruntime.InferenceSession(
            linknet_graph(read_torchscript_weights(path)), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, volume_ijk: NDArray[np.float32]) -> NDArray[np.float32]:
        """(I, J, K) brain probability of a scaled volume in RAS order; its edges are multiples of 32."""
        (answer,) = self._session.run(["probability"], {"image": np.ascontiguousarray(volume_ijk)[None, None]})
        brain: NDArray[np.float32] = answer[0, 1]
        return brain


def linknet_graph(weights: Weights) -> bytes:
    """Serialize the network.

    Args:
        weights: ``float32`` arrays by the names of deepbet's own module.

    Returns:
        An ONNX model: input ``image`` (1, 1, I, J, K), output ``probability`` (1, 2, I, J, K).
    """
    from onnx import TensorProto, helper

    graph = _Graph(weights)
    x = graph.convolution("image", "init.0", stride=2)
    x = stem = graph.node("MaxPool", [x], kernel_shape=[3] * 3, strides=[2] * 3, pads=[1] * 6)
    levels = []
    for level in range(4):
        for block in (1, 2):
            at = f"down{level}.block{block}"
            stride = 2 if level and block == 1 else 1
            beside = graph.convolution(x, f"{at}.downsample.0", stride=2, relu=False) if stride == 2 else x
            y = graph.convolution(x, f"{at}.double_conv.0", stride=stride)
            y = graph.convolution(y, f"{at}.double_conv.3", relu=False)
            x = graph.node("Relu", [graph.node("Add", [y, beside])])
        levels.append(x)
    for number, skipped in enumerate((levels[2], levels[1], levels[0], stem)):
        y = graph.convolution(x, f"up{number}.conv1.0")
        y = graph.transposed(y, f"up{number}.tp_conv.0", stride=1 if number == 3 else 2)
        x = graph.node("Add", [graph.convolution(y, f"up{number}.conv2.0"), skipped])
    x = graph.transposed(x, "tp_conv1.0", stride=2)
    x = graph.convolution(x, "conv.0")
    x = graph.transposed(x, "tp_conv2", stride=2, normalized=False)
    graph.node("Softmax", [x], output="probability", axis=1)

    def volume(name: str, channels: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, channels, "i", "j", "k"))

    made = helper.make_graph(
        graph.nodes, "deepbet", [volume("image", 1)], [volume("probability", 2)], initializer=graph.constants
    )
    model = helper.make_model(
        made,
        producer_name="pcnsl-survival",
        opset_imports=[helper.make_opsetid("", _OPERATOR_SET)],
        ir_version=_IR_VERSION,
    )
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized


class _Graph:
    """Collects nodes and constants, and names what lies between them."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def convolution(self, x: str, name: str, *, stride: int = 1, relu: bool = True) -> str:
        kernel = self._weights[f"{name}.weight"].shape[2]
        inputs = [x, *self._parameters(name)]
        y = self.node("Conv", inputs, kernel_shape=[kernel] * 3, strides=[stride] * 3, pads=[(kernel - 1) // 2] * 6)
        y = self._normalized(y, self._weights[f"{name}.weight"].shape[0])
        return self.node("Relu", [y]) if relu else y

    def transposed(self, x: str, name: str, *, stride: int, normalized: bool = True) -> str:
        """Output edges are those of the input times the stride."""
        weight = self._weights[f"{name}.weight"]
        kernel = weight.shape[2]
        y = self.node(
            "ConvTranspose",
            [x, *self._parameters(name)],
            kernel_shape=[kernel] * 3,
            strides=[stride] * 3,
            pads=[(kernel - 1) // 2] * 6,
            output_padding=[stride - 1 if kernel == 3 else 0] * 3,
        )
        return self.node("Relu", [self._normalized(y, weight.shape[1])]) if normalized else y

    def node(self, operator: str, inputs: list[str], *, output: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        output = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def _parameters(self, name: str) -> list[str]:
        parts = [self._weights.get(f"{name}.{part}") for part in ("weight", "bias")]
        return [self._constant(part) for part in parts if part is not None]

    def _normalized(self, x: str, channels: int) -> str:
        gain, offset = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        return self.node("InstanceNormalization", [x, self._constant(gain), self._constant(offset)], epsilon=_EPSILON)

    def _constant(self, array: NDArray[np.float32]) -> str:
        from onnx import numpy_helper

        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name
