"""The 3D ResNets as MONAI builds them: for training, for comparison, and for making new model folders."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from monai.networks.nets import resnet
from numpy.typing import NDArray
from torch import nn

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.models.networks.architecture import NORM_EPSILON, ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import MAP_BLOCK
from PCNSLSurvivalLib.models.networks.folded_resnet import brain_share


def monai_arguments(architecture: ResNetArchitecture) -> dict[str, Any]:
    """The named arguments of MONAI's builder for this architecture."""
    return {
        "spatial_dims": 3,
        "n_input_channels": architecture.channels,
        "num_classes": architecture.outputs,
        "conv1_t_size": 7,
        "conv1_t_stride": architecture.conv1_stride,
        "no_max_pool": not architecture.max_pool,
        "shortcut_type": architecture.shortcut,
        "widen_factor": architecture.widen_factor,
        "bias_downsample": architecture.bias_downsample,
    }


def build_resnet(architecture: ResNetArchitecture) -> nn.Module:
    """MONAI's network for this architecture, with MONAI's random start.

    Args:
        architecture: Which ResNet; see ``ResNetArchitecture``.

    Returns:
        A module from (N, C, I, J, K) to (N, outputs): the logits of OS up to one year and of OS over one year, then
        the further outputs of a time head.
    """
    network: nn.Module = getattr(resnet, architecture.design.builder)(**monai_arguments(architecture))
    if architecture.pooling == "brain":
        _count_cells_by_brain(network, architecture)
    if architecture.norm == "instance":
        # MONAI's constructor cannot make instance normalization without parameters.
        for module in list(network.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.BatchNorm3d):
                    setattr(module, name, nn.InstanceNorm3d(child.num_features, eps=NORM_EPSILON))
    for module in network.modules():
        # MONAI 1.6.1 joins ``out.data``: same numbers, and no gradient through a shortcut of type A.
        if isinstance(shortcut := getattr(module, "downsample", None), partial):
            words = shortcut.keywords
            setattr(module, "downsample", partial(_shortcut_a, planes=words["planes"], stride=words["stride"]))  # noqa: B010 — MONAI declares a module
    return network


def _count_cells_by_brain(network: nn.Module, architecture: ResNetArchitecture) -> None:
    """Let layer4 give each cell times its share of brain: head, lesion task and Grad-CAM then all read it so.

    The share is kept on the module itself, so that a copy of the network counts by its own input.
    """

    def look(module: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        module.get_submodule(MAP_BLOCK).brain_share = brain_share(given[0], architecture)

    def count(layer4: nn.Module, given: object, cells: torch.Tensor) -> torch.Tensor:
        share = layer4.__dict__.pop("brain_share")
        return cells * share.to(cells.dtype)

    network.register_forward_pre_hook(look)
    network.get_submodule(MAP_BLOCK).register_forward_hook(count)


def _shortcut_a(x: torch.Tensor, planes: int, stride: int) -> torch.Tensor:
    """(N, C, I, J, K) to (N, planes, …): every ``stride``-th voxel, zeros in the channels that x does not have."""
    sampled = x[..., ::stride, ::stride, ::stride]
    return nn.functional.pad(sampled, (0, 0, 0, 0, 0, 0, 0, planes - x.shape[1]))


def tensors_of(network: nn.Module) -> dict[str, NDArray[np.float32]]:
    """Every floating-point tensor of a network by MONAI's name, as ``float32`` arrays."""
    return {
        name: tensor.detach().cpu().numpy().astype(np.float32)
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point()
    }


def load_tensors(network: nn.Module, tensors: Mapping[str, NDArray[np.float32]]) -> None:
    """Put tensors into a network; every one must match by name and shape.

    Raises:
        ModelFolderError: A tensor is missing, unknown, or of another shape.
    """
    state = network.state_dict()
    wanted = {name: tuple(t.shape) for name, t in state.items() if t.is_floating_point()}
    if wanted != {name: tuple(array.shape) for name, array in tensors.items()}:
        raise ModelFolderError(Message("weights.other_network"))
    for name, array in tensors.items():
        state[name] = torch.from_numpy(np.array(array, dtype=np.float32))
    network.load_state_dict(state, strict=True)
