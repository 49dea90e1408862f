"""Raw activation maps on the cells of one block, and the evidence that adds up to the log-odds.

For a head of global average pool and one linear layer, the gradient of a logit in layer4 is the head's weight
over the number of cells, the same in every cell: the map needs no backward pass. For earlier blocks autograd
runs from the chosen block upward only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch

Method = Literal["grad_cam", "hires_cam", "layer_cam"]
METHODS: tuple[Method, ...] = get_args(Method)


def pooled_linear_map(features: torch.Tensor, head_weight: torch.Tensor, target: int) -> torch.Tensor:
    """Grad-CAM of the last block in closed form: ReLU of the head-weighted sum of channels.

    Args:
        features: (N, C, i, j, k) cells of layer4 after the residual sum and ReLU.
        head_weight: (2, C) weight of the linear head.
        target: Which logit is explained.

    Returns:
        (N, i, j, k) raw map, at least 0, in logits; HiResCAM gives the same numbers for this head.

    References:
        Selvaraju et al., Grad-CAM: visual explanations from deep networks via gradient-based localization,
        ICCV 2017. doi:10.1109/ICCV.2017.74
    """
    cells = features[0, 0].numel()
    weights = head_weight[target].to(features.dtype) / cells
    return torch.einsum("ncijk,c->nijk", features, weights).relu()


def autograd_map(
    features: torch.Tensor, logits_of: Callable[[torch.Tensor], torch.Tensor], target: int, *, method: Method
) -> torch.Tensor:
    """Activation map of any block, by differentiating from that block upward.

    Args:
        features: (N, C, i, j, k) cells of the block after the residual sum and ReLU.
        logits_of: The rest of the network: features to (N, 2) logits.
        target: Which logit is explained.
        method: "grad_cam" weights channels by their mean gradient; "hires_cam" weights every cell by its own
            gradient; "layer_cam" by the positive part of it.

    Returns:
        (N, i, j, k) raw map, at least 0.

    References:
        Selvaraju et al., Grad-CAM, ICCV 2017. doi:10.1109/ICCV.2017.74
        Draelos and Carin, HiResCAM, 2020. arXiv:2011.08891
        Jiang et al., LayerCAM, IEEE TIP 30, 2021. doi:10.1109/TIP.2021.3089943
    """
    with torch.enable_grad():
        leaf = features.detach().requires_grad_()
        logit = logits_of(leaf)[:, target].sum()
        (gradient,) = torch.autograd.grad(logit, leaf)
    if method == "grad_cam":
        gradient = gradient.mean(dim=(2, 3, 4), keepdim=True)
    elif method == "layer_cam":
        gradient = gradient.relu()
    return (gradient * features.detach()).sum(dim=1).relu()


def signed_evidence(
    layer4: torch.Tensor, head_weight: torch.Tensor, head_bias: torch.Tensor
) -> tuple[torch.Tensor, float]:
    """Split the log-odds of OS over one year exactly into one share for each cell and a constant.

    Args:
        layer4: (1, C, i, j, k) cells of layer4.
        head_weight: (2, C).
        head_bias: (2,).

    Returns:
        (i, j, k) contributions, positive for OS over one year and negative against it, in natural-logarithm
        odds; and the constant. Their sum is logit 1 minus logit 0.
    """
    difference = (head_weight[1] - head_weight[0]).double()
    cells = layer4[0, 0].numel()
    evidence = torch.einsum("cijk,c->ijk", layer4[0].double(), difference / cells)
    return evidence, float(head_bias[1].double() - head_bias[0].double())
