"""Devices of torch: reproducible arithmetic on CUDA, and errors that mean too little memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def reproducible_float32() -> Iterator[None]:
    """Compute convolutions without TF32, and by the same algorithm every time where the device offers one.

    By default torch rounds the inputs of float32 convolutions to TF32 on CUDA, ten bits of mantissa. bf16 is left as
    it is, and so is every other device.
    """
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


def tells_memory_short(problem: RuntimeError) -> bool:
    """Whether an error says that a device has too little memory; its text is all that MPS and cuDNN give.

    Without memory for the workspace of any algorithm, torch reports that cuDNN has no engine for a convolution.
    """
    text = str(problem).lower()
    return any(sign in text for sign in ("out of memory", "alloc_failed", "unable to find an engine"))
