"""An ONNX graph written node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message

if TYPE_CHECKING:
    import onnx

_OPERATOR_SET = 17
_IR_VERSION = 8
"""Of the ONNX file format: what operator set 17 came with, so that older runtimes read it."""


class GraphWriter:
    """Collects nodes and constants, and names what lies between them.

    Raises:
        ModelFolderError: The package onnx is not installed.
    """

    def __init__(self) -> None:
        if find_spec("onnx") is None:
            raise ModelFolderError(Message("model.no_onnx"))
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        *,
        output: str | None = None,
        **attributes: int | float | str | list[int],
    ) -> str:
        """Add an operator; returns the name of its output."""
        from onnx import helper

        output = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, array: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Add a constant; returns its name."""
        from onnx import numpy_helper

        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def serialized(
        self,
        name: str,
        inputs: Mapping[str, Sequence[int | str]],
        outputs: Mapping[str, Sequence[int | str]],
    ) -> bytes:
        """A whole ONNX model of ``float32`` volumes; the same arguments give the same bytes.

        Args:
            name: Of the graph.
            inputs, outputs: Shapes by name; an edge of any length has a name.
        """
        from onnx import TensorProto, helper

        def volumes(shapes: Mapping[str, Sequence[int | str]]) -> list[onnx.ValueInfoProto]:
            return [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in shapes.items()]

        graph = helper.make_graph(self.nodes, name, volumes(inputs), volumes(outputs), initializer=self.constants)
        opset = [helper.make_opsetid("", _OPERATOR_SET)]
        model = helper.make_model(graph, producer_name="pcnsl-survival", opset_imports=opset, ir_version=_IR_VERSION)
        return model.SerializeToString(deterministic=True)
