"""Devices of torch: which are there, reproducible arithmetic on CUDA, and errors that mean too little memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

from PCNSLSurvivalLib.core.errors import with_causes


def devices_present() -> tuple[Literal["cuda", "mps", "cpu"], ...]:
    """What torch offers here, the fastest first; the CPU is always among them."""
    cuda: tuple[Literal["cuda"], ...] = ("cuda",) if torch.cuda.is_available() else ()
    mps: tuple[Literal["mps"], ...] = ("mps",) if torch.backends.mps.is_available() else ()
    return (*cuda, *mps, "cpu")


@contextmanager
def reproducible_float32() -> Iterator[None]:
    """Compute convolutions without TF32, and by the same algorithm every time where the device offers one.

    By default torch rounds the inputs of float32 convolutions to TF32 on CUDA, ten bits of mantissa. bf16 is left as
    it is, and so is every other device.
    """
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


def tells_memory_short(problem: BaseException) -> bool:
    """Whether an error, or one that it was raised from, says that a device has too little memory.

    Its text is all that MPS and cuDNN give. Without memory for the workspace of any algorithm, torch reports that cuDNN
    has no engine for a convolution. MONAI hides the error of a transform behind one that names the transform.
    """
    return any(
        sign in str(cause).lower()
        for cause in with_causes(problem)
        for sign in ("out of memory", "alloc_failed", "unable to find an engine")
    )
