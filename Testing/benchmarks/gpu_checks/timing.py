"""Seconds of work on a device: after warming up, several times, with the device idle at both ends."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

REPEATS, _FEWEST = 7, 5
_LEAST_SECONDS = 0.02
_LONG_SECONDS = 0.5
"""From here on, one call warms up and the fewest repeats are made."""


def seconds_of(work: Callable[[], Any], device: str) -> list[float]:
    """Seconds of one call in each of several repeats; short calls are repeated within one."""
    work()
    once = _timed(work, device, 1)
    if once > _LONG_SECONDS:
        return [_timed(work, device, 1) for _ in range(_FEWEST)]
    once = min(_timed(work, device, 1) for _ in range(2))
    inner = max(1, int(_LEAST_SECONDS / once)) if once > 0 else 1
    return [_timed(work, device, inner) for _ in range(REPEATS)]


def rates(seconds: list[float], count: int) -> dict[str, float]:
    """Samples per second: the median, and the slowest and fastest repeat."""
    return {
        "median": count / statistics.median(seconds),
        "least": count / max(seconds),
        "most": count / min(seconds),
        "repeats": len(seconds),
    }


def _timed(work: Callable[[], Any], device: str, times: int) -> float:
    _wait(device)
    begin = time.perf_counter()
    for _ in range(times):
        work()
    _wait(device)
    return (time.perf_counter() - begin) / times


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
