"""Names of what a network can run on."""

from __future__ import annotations

from typing import Literal

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "bf16"]
RuntimeName = Literal["auto", "torch", "onnx"]
