"""The device that "auto" takes: the fastest of torch's that reproduces the stored answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.inference.runtimes.names import Device
from PCNSLSurvivalLib.inference.runtimes.stored_answer import ARCHITECTURE, TOLERANCE, difference_from_stored
from PCNSLSurvivalLib.inference.runtimes.torch_runtime import TorchRuntime
from PCNSLSurvivalLib.models.networks.devices import devices_present


@dataclass(frozen=True)
class AutomaticDevice:
    """A device of torch, and what to say about faster ones that were passed over."""

    device: Device
    notes: tuple[Message, ...]


@cache
def automatic_device() -> AutomaticDevice:
    """Choose once per process; the CPU is the reference and is not checked here."""
    notes: list[Message] = []
    for device in devices_present():
        if device == "cpu" or torch_difference(device) <= TOLERANCE:
            return AutomaticDevice(device, tuple(notes))
        notes.append(Message("runtime.device_disagrees", device=device.upper()))
    raise AssertionError("torch always has a CPU")


@cache
def torch_difference(device: Device) -> float:
    """How far a device of torch is from the stored answer in log-odds; infinite if it cannot compute it."""
    try:
        return difference_from_stored(lambda tensors: TorchRuntime(ARCHITECTURE, [tensors], device=device))
    except (RuntimeError, NotImplementedError):  # a driver, kernel or operator is missing
        return float("inf")
