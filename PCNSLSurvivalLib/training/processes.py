"""The processes that train one job together: one, or as many as ``torchrun`` started, each with its own device."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import distributed, nn

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError, RefusedElsewhereError, TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.models.networks.devices import devices_present

_REFUSALS = "refusals"
_PATIENCE_SECONDS = 10.0


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

    def sync_buffers(self, network: nn.Module) -> None:
        """Synchronize the running statistics of all processes with the first."""
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

    Of several processes, the first that fails reports its error; the others, which cannot continue, end silently.

    Args:
        device: "auto", "cpu", "cuda", or one device such as "cuda:1".

    Yields:
        This process among them.

    Raises:
        TrainingError: The device is not there.
        RefusedElsewhereError: Another process refused.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes(device=_device(device, None))
        return
    store, rank, count = next(distributed.rendezvous("env://"))
    try:
        with report_first_error_only(store):
            chosen = _device(device, int(os.environ.get("LOCAL_RANK", "0")))
            if chosen.type == "cuda":
                torch.cuda.set_device(chosen)
            backend = "nccl" if chosen.type == "cuda" else "gloo"
            distributed.init_process_group(backend, store=store, rank=rank, world_size=count)
            yield Processes(rank=rank, count=count, device=chosen)
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


@contextmanager
def report_first_error_only(store: distributed.Store) -> Iterator[None]:
    """Let only the first failing process report its error; all processes share ``store``."""
    try:
        yield
    except PCNSLSurvivalError as problem:
        if store.add(_REFUSALS, 1) > 1:
            raise _refused_elsewhere() from problem
        raise
    except (RuntimeError, KeyboardInterrupt) as problem:
        # Torch has lost the process that refused, or torchrun ends us for its sake.
        if store.add(_REFUSALS, 0) > 0:
            raise _refused_elsewhere() from problem
        raise


def _refused_elsewhere() -> RefusedElsewhereError:
    """Torchrun ends all processes as soon as one has ended: leaving at once could cut the sentence short."""
    with suppress(KeyboardInterrupt):
        time.sleep(_PATIENCE_SECONDS)
    return RefusedElsewhereError(Message("training.refused_elsewhere"))


def _device(device: str, local_rank: int | None) -> torch.device:
    present = devices_present()
    name = present[0] if device == "auto" else device
    chosen = torch.device(name)
    if chosen.type not in present:
        raise TrainingError(Message("training.no_device", device=chosen.type.upper()))
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise TrainingError(Message("training.no_such_gpu", device=name, count=torch.cuda.device_count()))
    if chosen.type == "cuda" and chosen.index is None:
        return torch.device("cuda", local_rank if local_rank is not None else torch.cuda.current_device())
    return chosen
