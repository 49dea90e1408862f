"""Choose the runtime of a model: torch where it is installed, otherwise ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.inference.runtimes.names import Device, Precision, RuntimeName
from PCNSLSurvivalLib.inference.runtimes.runtime import NetworkError, Runtime
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.weights_file import Tensors


def start_runtime(
    architecture: ResNetArchitecture,
    members: Sequence[Tensors],
    size: tuple[int, int, int],
    *,
    runtime: RuntimeName = "auto",
    device: Device = "auto",
    precision: Precision = "float32",
    threads: int | None = None,
) -> Runtime:
    """Load networks into torch or ONNX Runtime.

    Args:
        architecture: Which ResNet.
        members: The weights of each network, by ``ModelFolder.load_members``.
        size: Voxels of the networks' input along i, j, k.
        runtime: "auto" takes torch where it is installed, otherwise ONNX Runtime.
        device: "auto" takes CUDA, then Apple MPS, where they reproduce the stored answer, otherwise the CPU.
        precision: "float32" is the reference; "bf16" for hardware that has it, torch only.
        threads: CPU threads; the runtime's own choice if left out.

    Raises:
        NetworkError: The runtime, device or precision is not there.
    """
    if runtime == "auto":
        runtime = "torch" if find_spec("torch") is not None else "onnx"
    if runtime == "onnx":
        from PCNSLSurvivalLib.inference.runtimes.onnx_runtime import OnnxRuntime

        return OnnxRuntime(architecture, members, size, device=device, precision=precision, threads=threads)
    if find_spec("torch") is None:
        raise NetworkError(Message("runtime.no_torch"))
    from PCNSLSurvivalLib.inference.runtimes.automatic_device import automatic_device
    from PCNSLSurvivalLib.inference.runtimes.torch_runtime import TorchRuntime

    chosen = automatic_device() if device == "auto" else None
    started = TorchRuntime(
        architecture,
        members,
        device=device if chosen is None else chosen.device,
        precision=precision,
        threads=threads,
    )
    started.notes += [] if chosen is None else chosen.notes
    return started
