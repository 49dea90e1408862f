"""Raw activation maps of the last block in closed form, and the evidence that adds up to the log-odds.

For a head of global average pool and one linear layer, the gradient of a logit in layer4 is the head's weight
over the number of cells, the same in every cell: neither map nor evidence needs a backward pass, or torch. Where the
architecture counts cells by their share of brain, "cells" are the counted ones, which are 0 where there is no brain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.explain.methods import Method

FloatMap = NDArray[np.float32]


def pooled_linear_map(layer4: FloatMap, head_weight: FloatMap, target: int, *, method: Method = "grad_cam") -> FloatMap:
    """Activation map of the last block: ReLU of the head-weighted sum of channels.

    Args:
        layer4: (C, i, j, k) cells of layer4 after the residual sum and ReLU.
        head_weight: (outputs, C) weight of the linear head; rows 0 and 1 are the class logits.
        target: Which logit is explained.
        method: "grad_cam" and "hires_cam" are the same numbers for this head; "layer_cam" keeps only channels
            whose weight is positive.

    Returns:
        (i, j, k) raw map, at least 0, in logits.

    References:
        Selvaraju et al., Grad-CAM: visual explanations from deep networks via gradient-based localization,
        ICCV 2017. doi:10.1109/ICCV.2017.74
    """
    gradient = head_weight[target].astype(np.float64) / layer4[0].size
    if method == "layer_cam":
        gradient = np.maximum(gradient, 0.0)
    summed = np.tensordot(gradient, layer4.astype(np.float64), axes=1)
    raw_map: FloatMap = np.maximum(summed, 0.0).astype(np.float32)
    return raw_map


def signed_evidence(layer4: FloatMap, head_weight: FloatMap, head_bias: FloatMap) -> tuple[NDArray[np.float64], float]:
    """Split the log-odds of OS over one year exactly into one share for each cell and a constant.

    Args:
        layer4: (C, i, j, k) cells of layer4.
        head_weight: (outputs, C); rows 0 and 1 are the class logits.
        head_bias: (outputs,).

    Returns:
        (i, j, k) contributions, positive for OS over one year and negative against it, in natural-logarithm
        odds; and the constant. Their sum is logit 1 minus logit 0.
    """
    weight, bias = head_weight.astype(np.float64), head_bias.astype(np.float64)
    evidence = np.tensordot((weight[1] - weight[0]) / layer4[0].size, layer4.astype(np.float64), axes=1)
    return evidence, float(bias[1] - bias[0])
