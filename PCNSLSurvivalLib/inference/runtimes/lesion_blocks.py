"""The network of a lesion reader in torch, or in ONNX Runtime for computers without torch."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.inference.runtimes.names import Device, RuntimeName
from PCNSLSurvivalLib.inference.runtimes.runtime import NetworkError
from PCNSLSurvivalLib.models.lesion_reader_folder import ReaderFolder
from PCNSLSurvivalLib.models.networks.lesion_unet_onnx import unet_graph, unet_shapes
from PCNSLSurvivalLib.models.networks.weights_file import Tensors

if TYPE_CHECKING:
    import torch

    from PCNSLSurvivalLib.models.networks.lesion_unet import LesionUNet

Blocks = NDArray[np.float32]
ReadBlocks = Callable[[Blocks], Blocks]
"""From (N, 2, E, E, E) values and shares of brain to the (N, E, E, E) probability of enhancing tumor; E is ``EDGE``."""
EDGE = 64
"""Voxels of a block along each axis: the size that the network learned on."""


def start_reading(folder: ReaderFolder, *, runtime: RuntimeName = "auto", device: Device = "auto") -> ReadBlocks:
    """Load a lesion reader into torch or ONNX Runtime.

    Args:
        folder: From ``read_reader_folder``.
        runtime: "auto" takes torch where it is installed, otherwise ONNX Runtime.
        device: "auto" takes CUDA, then Apple MPS, where they reproduce the stored answer, otherwise the CPU.

    Raises:
        ModelFolderError: The weights are not those that the folder's metadata describes.
        NetworkError: The runtime or the device is not there.
    """
    settings = folder.settings
    weights = folder.load_weights(unet_shapes(settings.widths, settings.hidden))
    if runtime == "auto":
        runtime = "torch" if find_spec("torch") is not None else "onnx"
    if runtime == "onnx":
        return _in_onnx_runtime(weights, settings.widths, device)
    if find_spec("torch") is None:
        raise NetworkError(Message("runtime.no_torch"))
    import torch

    from PCNSLSurvivalLib.inference.runtimes.automatic_device import automatic_device
    from PCNSLSurvivalLib.inference.runtimes.torch_runtime import device_named
    from PCNSLSurvivalLib.models.networks.lesion_unet import LesionUNet

    chosen = device_named(automatic_device().device if device == "auto" else device)
    network = LesionUNet(settings.widths, settings.hidden)
    network.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in weights.items()})
    return in_torch(network.eval().to(chosen), chosen)


def in_torch(network: LesionUNet, device: torch.device | str = "cpu") -> ReadBlocks:
    """A network in evaluation mode, on the device where it lies."""
    import torch

    from PCNSLSurvivalLib.models.networks.devices import reproducible_float32

    def read(blocks: Blocks) -> Blocks:
        with torch.inference_mode(), reproducible_float32():
            found: Blocks = network(torch.from_numpy(blocks).to(device)).softmax(dim=1)[:, 1].float().cpu().numpy()
        return found

    return read


def _in_onnx_runtime(weights: Tensors, widths: tuple[int, ...], device: Device) -> ReadBlocks:
    if find_spec("onnxruntime") is None or find_spec("onnx") is None:
        raise NetworkError(Message("runtime.none_installed"))
    if device not in ("auto", "cpu"):
        torch_there = find_spec("torch") is not None
        raise NetworkError(Message("runtime.onnx_is_float32_on_cpu" if torch_there else "runtime.gpu_needs_torch"))
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    graph = unet_graph(weights, widths, EDGE)
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def read(blocks: Blocks) -> Blocks:
        (found,) = session.run(["tumor"], {"blocks": np.ascontiguousarray(blocks)})
        tumor: Blocks = found
        return tumor

    return read
