"""The option that chooses the device of a training."""

from __future__ import annotations

import argparse
import re

WORDS = "auto, cpu, cuda, mps, or one GPU of several, such as cuda:1"


def device_name(text: str) -> str:
    """The type of ``--device``; whether the device is there is found out by torch."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", text):
        raise argparse.ArgumentTypeError(f"must be {WORDS}")
    return text
