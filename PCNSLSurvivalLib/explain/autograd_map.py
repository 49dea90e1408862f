"""Activation maps of any block by autograd, from that block upward only."""

from __future__ import annotations

from collections.abc import Callable

import torch

from PCNSLSurvivalLib.explain.methods import Method


def autograd_map(
    features: torch.Tensor, logits_of: Callable[[torch.Tensor], torch.Tensor], target: int, *, method: Method
) -> torch.Tensor:
    """Differentiate one logit in the cells of a block.

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
