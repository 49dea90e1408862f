"""Choose the runtime of a model: torch where it is installed, otherwise ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.inference.runtime import Device, NetworkError, Precision, Runtime, RuntimeName
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.models.networks.weights_file import Tensors


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
        raise NetworkError(Message("runtime.no_torch"))
    from PCNSLSurvivalLib.inference.torch_runtime import TorchRuntime

    return TorchRuntime(folder, members, device=device, precision=precision, threads=threads)
