"""The processes that train one unit together: one, or as many as ``torchrun`` started, each with its own device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import distributed, nn

from PCNSLSurvivalLib.errors import TrainingError


@dataclass(frozen=True, kw_only=True)
class Processes:
    """This process among those that train together."""

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def share(self, value: Any) -> Any:
        """The first process's value, in every process."""
        if self.count == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def gather(self, values: dict[str, Any]) -> dict[str, Any]:
        """The tables of all processes as one, in every process."""
        if self.count == 1:
            return values
        boxes: list[Any] = [None] * self.count
        distributed.all_gather_object(boxes, values)
        return {key: value for box in boxes for key, value in box.items()}

    def sum(self, value: float) -> float:
        """The sum over all processes."""
        if self.count == 1:
            return value
        total = torch.tensor([value], dtype=torch.float32 if self.device.type == "mps" else torch.float64)
        total = total.to(self.device)
        distributed.all_reduce(total)
        return float(total)

    def joined(self, network: nn.Module) -> nn.Module:
        """The network with gradients averaged over the processes.

        On GPUs batch normalization measures the whole batch. On CPUs torch has no such layer: each process measures
        its own part there, so that only networks whose normalization does not look at the batch train as one
        process would.
        """
        if self.count == 1:
            return network
        ids = [self.device.index] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(network, device_ids=ids)

    def even_buffers(self, network: nn.Module) -> None:
        """Give every process the running statistics of the first."""
        if self.count > 1:
            for buffer in network.buffers():
                distributed.broadcast(buffer, src=0)

    def wait(self) -> None:
        """Go on when every process has come here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def training_processes(device: str = "auto") -> Iterator[Processes]:
    """Join the processes that ``torchrun`` started, or be the only one.

    Args:
        device: "auto", "cpu", "cuda", or one device such as "cuda:1".

    Yields:
        This process among them.

    Raises:
        TrainingError: The device is not there.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    rank, local = int(os.environ.get("RANK", "0")), int(os.environ.get("LOCAL_RANK", "0"))
    chosen = _device(device, local if count > 1 else None)
    if count == 1:
        yield Processes(device=chosen)
        return
    if distributed.is_initialized():
        yield Processes(rank=rank, count=count, device=chosen)
        return
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Processes(rank=rank, count=count, device=chosen)
    finally:
        distributed.destroy_process_group()


def _device(device: str, local_rank: int | None) -> torch.device:
    name = device
    if device == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    chosen = torch.device(name)
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if not there.get(chosen.type, False):
        raise TrainingError(
            f"This computer has no {chosen.type.upper()} device that torch can use. Choose --device auto or cpu."
        )
    if chosen.type == "cuda" and chosen.index is None:
        return torch.device("cuda", local_rank if local_rank is not None else torch.cuda.current_device())
    return chosen
