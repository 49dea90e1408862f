"""The reference runtime: torch on the CPU, on CUDA or on Apple MPS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.explain.autograd_map import autograd_map
from PCNSLSurvivalLib.explain.methods import Method
from PCNSLSurvivalLib.inference.runtimes.names import Device, Precision
from PCNSLSurvivalLib.inference.runtimes.runtime import FloatMap, MemberOutput, NetworkError
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import MAP_BLOCK, Block
from PCNSLSurvivalLib.models.networks.devices import devices_present, reproducible_float32, tells_memory_short
from PCNSLSurvivalLib.models.networks.folded_resnet import FoldedResNet
from PCNSLSurvivalLib.models.networks.weights_file import Tensors

Result = TypeVar("Result")


class TorchRuntime:
    """Every network of a model in torch; see ``start_runtime``."""

    name = "torch"

    def __init__(
        self,
        architecture: ResNetArchitecture,
        members: Sequence[Tensors],
        *,
        device: Device,
        precision: Precision = "float32",
        threads: int | None = None,
    ) -> None:
        self.notes: list[Message] = []
        self._architecture = architecture
        self._members = members
        self._precision = precision
        if threads is not None:
            torch.set_num_threads(threads)
        try:
            self._place(device_named(device))
        except RuntimeError as problem:
            self._leave_full_device(problem)

    def run(self, case: FloatMap, block: Block) -> list[MemberOutput]:
        """Put one case through every member; on the CPU when the memory of a GPU does not suffice.

        Args:
            case: (C, I, J, K) prepared input.
            block: Whose cells are kept beside those of layer4.
        """
        return self._or_on_cpu(lambda: self._run(case, block))

    def gradient_map(self, member: int, output: MemberOutput, *, target: int, block: Block, method: Method) -> FloatMap:
        """(i, j, k) raw map of ``block``; see ``explain.autograd_map``."""
        return self._or_on_cpu(lambda: self._gradient_map(member, output, target, block, method))

    def _or_on_cpu(self, compute: Callable[[], Result]) -> Result:
        """Compute, on the CPU where the memory of a GPU does not suffice."""
        try:
            return compute()
        except RuntimeError as problem:
            self._leave_full_device(problem)
        return compute()

    def _leave_full_device(self, problem: RuntimeError) -> None:
        """Go on on the CPU and say so, if an error says that a GPU has too little memory; otherwise raise it."""
        if self.device == "cpu" or not tells_memory_short(problem):
            raise problem
        self.notes.append(Message("runtime.memory_short", device=self.device.upper()))
        self._place(torch.device("cpu"))

    def _gradient_map(self, member: int, output: MemberOutput, target: int, block: Block, method: Method) -> FloatMap:
        network = self._networks[member]
        cells, batch = output.at_block

        def logits_of(x: torch.Tensor) -> torch.Tensor:
            return network.head(network.counted(network.above(block, x), batch))

        with reproducible_float32():
            raw = autograd_map(cells.to(network.device), logits_of, target, method=method)[:, None]
            raw = network.counted(raw, batch, block)[:, 0]
        array: FloatMap = raw[0].float().cpu().numpy()
        return array

    def _run(self, case: FloatMap, block: Block) -> list[MemberOutput]:
        outputs = []
        with reproducible_float32(), torch.no_grad():
            batch = torch.from_numpy(np.ascontiguousarray(case, dtype=np.float32))[None]
            for network in self._networks:
                at_block = network.up_to(block, batch)
                uncounted = network.above(block, at_block)
                layer4 = network.counted(uncounted, batch)
                logits = network.head(layer4)[0]
                outputs.append(
                    MemberOutput(
                        logits.double().cpu().numpy() if self.device != "mps" else logits.cpu().double().numpy(),
                        layer4[0].float().cpu().numpy(),
                        uncounted[0].float().cpu().numpy().mean(axis=(1, 2, 3)),
                        None if block == MAP_BLOCK else (at_block, batch),
                    )
                )
        return outputs

    def _place(self, device: torch.device) -> None:
        self.device = device.type
        dtype = torch.float32
        if self._precision == "bf16":
            if not has_bf16(device):
                raise NetworkError(Message("runtime.no_bf16", device=device.type.upper()))
            dtype = torch.bfloat16
        self._networks = [
            FoldedResNet(self._architecture, tensors, device=device, dtype=dtype) for tensors in self._members
        ]


def device_named(device: Device) -> torch.device:
    """The device to run on; "auto" takes the fastest.

    Raises:
        NetworkError: The device asked for is not there.
    """
    present = devices_present()
    if device != "auto" and device not in present:
        raise NetworkError(Message("runtime.no_device", device=device.upper()))
    return torch.device(present[0] if device == "auto" else device)


def has_bf16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 by itself; emulated, it would be slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return False
