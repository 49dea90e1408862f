"""The two trained networks of deepbet in memory: in torch where it is installed, otherwise in ONNX Runtime."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import MissingFilesError
from PCNSLSurvivalLib.core.messages import Message

if TYPE_CHECKING:
    import torch

BrainNetwork: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Takes a scaled (I, J, K) volume in RAS order, gives the brain probability of each voxel."""


@dataclass(frozen=True)
class DeepbetNetworks:
    """The loaded networks: one finds the brain in the head, one draws its outline."""

    finder: BrainNetwork
    outliner: BrainNetwork


def load_networks(*, finder: Path, outliner: Path) -> DeepbetNetworks:
    """Load the two TorchScript files, whose checksums were compared before.

    Raises:
        MissingFilesError: Neither runtime is installed.
    """
    load = _in_torch if find_spec("torch") is not None else _in_onnx_runtime
    return DeepbetNetworks(load(finder), load(outliner))


def load_torchscript(path: Path) -> torch.jit.ScriptModule:
    """One of the networks in torch, for evaluation on the CPU."""
    import torch

    with warnings.catch_warnings():
        # torch.jit.load is announced to go one day; these networks exist in no other form.
        warnings.filterwarnings("ignore", message=".*torch.jit.load", category=DeprecationWarning)
        network: torch.jit.ScriptModule = torch.jit.load(path, map_location="cpu").eval()
    return network


def _in_torch(path: Path) -> BrainNetwork:
    import torch

    network = load_torchscript(path)

    def probability(volume_ijk: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            brain: NDArray[np.float32] = network(torch.from_numpy(volume_ijk)[None, None])[0, 1].numpy()
        return brain

    return probability


def _in_onnx_runtime(path: Path) -> BrainNetwork:
    if find_spec("onnxruntime") is None or find_spec("onnx") is None:
        raise MissingFilesError(Message("runtime.none_installed"))
    from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet_onnx import OnnxLinkNet

    return OnnxLinkNet(path)
