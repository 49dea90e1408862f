"""What runs the networks: torch, the reference, or ONNX Runtime where torch will not install."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.explain.grad_cam import Method
from PCNSLSurvivalLib.models.architecture import Block
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.models.weights_file import Tensors

FloatMap = NDArray[np.float32]
Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "bf16"]
RuntimeName = Literal["auto", "torch", "onnx"]


class NetworkError(PCNSLSurvivalError):
    """The network cannot run here, or its numbers do not agree with themselves."""


@dataclass(frozen=True)
class MemberOutput:
    """What one network made of one case."""

    logits: NDArray[np.float64]
    """(2,): OS up to one year, OS over one year."""
    layer4: FloatMap
    """(C, i, j, k) cells of layer4 after the residual sum and ReLU."""
    at_block: Any = None
    """The cells of an earlier block, in the runtime's own form, where one was asked for."""


class Runtime(Protocol):
    """Runs every member of a model folder."""

    name: str
    device: str
    notes: list[str]
    """Sentences about what had to be done otherwise than asked."""

    def run(self, case: FloatMap, block: Block) -> Sequence[MemberOutput]:
        """Put one (C, I, J, K) case through every member."""

    def gradient_map(self, member: int, output: MemberOutput, *, target: int, block: Block, method: Method) -> FloatMap:
        """(i, j, k) raw map of a block before layer4, by differentiation."""


def start_runtime(
    folder: ModelFolder,
    members: Sequence[Tensors],
    *,
    runtime: RuntimeName = "auto",
    device: Device = "auto",
    precision: Precision = "float32",
    threads: int | None = None,
) -> Runtime:
    """Load the networks of a model folder into torch or ONNX Runtime.

    Args:
        folder: The model.
        members: Its weights, by ``ModelFolder.load_members``.
        runtime: "auto" takes torch where it is installed, otherwise ONNX Runtime.
        device: "auto" takes CUDA, then Apple MPS, then the CPU.
        precision: "float32" is the reference; "bf16" for hardware that has it, torch only.
        threads: CPU threads; the runtime's own choice if left out.

    Raises:
        NetworkError: The runtime, device or precision is not there.
    """
    if runtime == "auto":
        runtime = "torch" if find_spec("torch") is not None else "onnx"
    if runtime == "onnx":
        from PCNSLSurvivalLib.inference.onnx_runtime import OnnxRuntime

        return OnnxRuntime(folder, members, device=device, precision=precision, threads=threads)
    if find_spec("torch") is None:
        raise NetworkError("torch is not installed. Install it, or choose --runtime onnx.")
    from PCNSLSurvivalLib.inference.torch_runtime import TorchRuntime

    return TorchRuntime(folder, members, device=device, precision=precision, threads=threads)
