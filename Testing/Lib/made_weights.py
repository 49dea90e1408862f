"""Weights as others distribute them."""

from __future__ import annotations

from pathlib import Path

import torch

from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import HEAD_TENSORS
from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet


def medicalnet_file(path: Path, architecture: ResNetArchitecture) -> dict[str, torch.Tensor]:
    """A file in MedicalNet's raw form: nested, prefixed, with counters and a segmentation head instead of fc."""
    network = build_resnet(architecture)
    state = {
        f"module.{name}": torch.randn(tensor.shape) if tensor.is_floating_point() else tensor
        for name, tensor in network.state_dict().items()
        if name not in HEAD_TENSORS
    }
    state["module.conv_seg.0.weight"] = torch.zeros(architecture.features, 32, 2, 2, 2)
    state["module.conv_seg.0.bias"] = torch.zeros(32)
    torch.save({"state_dict": state}, path)
    return state
