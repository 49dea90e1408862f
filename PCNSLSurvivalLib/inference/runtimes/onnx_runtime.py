"""The second runtime: ONNX Runtime on the CPU, for computers without torch."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.explain.methods import Method
from PCNSLSurvivalLib.inference.runtimes.names import Device, Precision
from PCNSLSurvivalLib.inference.runtimes.runtime import FloatMap, MemberOutput, NetworkError
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import MAP_BLOCK, Block
from PCNSLSurvivalLib.models.networks.folding import fold
from PCNSLSurvivalLib.models.networks.onnx_graph import onnx_graph
from PCNSLSurvivalLib.models.networks.weights_file import Tensors


class OnnxRuntime:
    """Every network of a model as an ONNX session; see ``start_runtime``."""

    name = "onnx"
    device = "cpu"

    def __init__(
        self,
        architecture: ResNetArchitecture,
        members: Sequence[Tensors],
        size: tuple[int, int, int],
        *,
        device: Device = "auto",
        precision: Precision = "float32",
        threads: int | None = None,
    ) -> None:
        if find_spec("onnxruntime") is None or find_spec("onnx") is None:
            raise NetworkError(Message("runtime.none_installed"))
        if device not in ("auto", "cpu") or precision != "float32":
            raise NetworkError(Message("runtime.onnx_is_float32_on_cpu"))
        import onnxruntime

        self.notes: list[Message] = []
        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors only
        self._sessions = [
            onnxruntime.InferenceSession(
                onnx_graph(architecture, fold(architecture, tensors), size),
                options,
                providers=["CPUExecutionProvider"],
            )
            for tensors in members
        ]

    def run(self, case: FloatMap, block: Block) -> list[MemberOutput]:
        """Put one (C, I, J, K) case through every member.

        Raises:
            NetworkError: The cells of another block than layer4 are asked for.
        """
        if block != MAP_BLOCK:
            raise NetworkError(Message("runtime.onnx_layer4_only"))
        batch = np.ascontiguousarray(case, dtype=np.float32)[None]
        outputs = []
        for session in self._sessions:
            logits, layer4, *uncounted = session.run(None, {"image": batch})
            features = uncounted[0][0] if uncounted else layer4[0].mean(axis=(1, 2, 3))
            outputs.append(MemberOutput(logits[0].astype(np.float64), layer4[0], features))
        return outputs

    def gradient_map(self, member: int, output: MemberOutput, *, target: int, block: Block, method: Method) -> FloatMap:
        """Differentiation is not there.

        Raises:
            NetworkError: Always.
        """
        raise NetworkError(Message("runtime.onnx_layer4_only"))
