"""The interface of the runtimes: torch, the reference, or ONNX Runtime where torch cannot be installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.explain.methods import Method
from PCNSLSurvivalLib.models.networks.designs import Block

FloatMap = NDArray[np.float32]


class NetworkError(PCNSLSurvivalError):
    """The network cannot run here, or its numbers do not agree with themselves."""


@dataclass(frozen=True)
class MemberOutput:
    """What one network made of one case."""

    logits: NDArray[np.float64]
    """(outputs,): the logits of OS up to one year and of OS over one year, then the outputs of a time head."""
    layer4: FloatMap
    """(C, i, j, k) cells of layer4 after the residual sum and ReLU, as they count: times their share of brain where
    the architecture pools so. Evidence, maps and what the head reads follow from these alone."""
    features: FloatMap
    """(C,) layer4 averaged over all its cells alike, before any is counted by its brain: what is compared with the
    training scans."""
    at_block: Any = None
    """What a map of an earlier block is made from, in the runtime's own form, where one was asked for."""


class Runtime(Protocol):
    """Runs every member of a model folder."""

    name: str
    device: str
    notes: list[Message]
    """Sentences about what had to be done otherwise than asked."""

    def run(self, case: FloatMap, block: Block) -> Sequence[MemberOutput]:
        """Put one (C, I, J, K) case through every member."""

    def gradient_map(self, member: int, output: MemberOutput, *, target: int, block: Block, method: Method) -> FloatMap:
        """(i, j, k) raw map of a block before layer4, by differentiation."""
