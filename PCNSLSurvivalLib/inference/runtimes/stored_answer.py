"""A small network with a stored answer: what a runtime and device must reproduce before they are trusted.

Weights and case come from a formula, so that nothing has to be stored beside the answer itself. The test of this
file computes the same network with MONAI.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from PCNSLSurvivalLib.inference.runtimes.runtime import FloatMap, Runtime
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import HEAD_TENSORS, MAP_BLOCK
from PCNSLSurvivalLib.models.networks.weights_file import Tensors

ARCHITECTURE = ResNetArchitecture(depth=10, conv1_stride=1, widen_factor=0.125)
SIZE = (32, 32, 32)
LOG_ODDS = 1.1129676
TOLERANCE = 1e-4
"""Largest accepted difference in log-odds; different devices sum in different orders."""


def stored_network() -> Tensors:
    """The weights: ``float32`` arrays by MONAI's names."""
    tensors = {}
    for number, (name, shape) in enumerate(ARCHITECTURE.tensor_shapes().items()):
        waves = np.sin(np.arange(np.prod(shape)) * 1.7 + number).reshape(shape)
        if len(shape) == 5:
            values = waves * np.sqrt(2 / np.prod(shape[1:]))
        elif name.endswith(("running_var", "bn1.weight", "bn2.weight", "downsample.1.weight")):
            values = 1.0 + 0.4 * waves
        else:
            values = (0.02 if name == HEAD_TENSORS[0] else 0.3) * waves
        tensors[name] = values.astype(np.float32)
    return tensors


def stored_case() -> FloatMap:
    """(1, I, J, K) input without symmetry."""
    i, j, k = np.meshgrid(*(np.arange(n) for n in SIZE), indexing="ij")
    case: FloatMap = np.sin(0.31 * i + 0.17 * j * k / SIZE[2] + 0.05 * k)[None].astype(np.float32)
    return case


def difference_from_stored(start: Callable[[Tensors], Runtime]) -> float:
    """Compute the stored answer anew.

    Args:
        start: Loads the weights into the runtime in question, on the device in question.

    Returns:
        The absolute difference in log-odds; not a number counts as infinite.
    """
    (output,) = start(stored_network()).run(stored_case(), MAP_BLOCK)
    difference = abs(float(output.logits[1] - output.logits[0]) - LOG_ODDS)
    return difference if np.isfinite(difference) else float("inf")
