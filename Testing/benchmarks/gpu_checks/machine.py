"""What the figures were measured on."""

from __future__ import annotations

import os
import platform

import monai
import numpy as np
import torch

from gpu_checks.section import Bench, Section


def run(bench: Bench, section: Section) -> None:
    """Start the device and note versions."""
    if bench.small:
        torch.set_num_threads(1)
    section.note("python", platform.python_version())
    section.note("packages", {"torch": torch.__version__, "monai": monai.__version__, "numpy": np.__version__})
    section.note("cpu", {"cores": os.cpu_count(), "threads of torch": torch.get_num_threads()})
    if bench.device == "cuda":
        if not torch.cuda.is_available():
            raise RuntimeError("torch sees no CUDA device. Choose --small for a try on the CPU.")
        about = torch.cuda.get_device_properties(0)
        section.note("gpu", {"name": about.name, "memory in GiB": round(about.total_memory / 2**30, 1)})
        section.note("cuda", {"runtime": torch.version.cuda, "cudnn": torch.backends.cudnn.version()})
        torch.zeros(1, device="cuda")
    section.note(
        "tf32 outside our code",
        {"convolutions": torch.backends.cudnn.allow_tf32, "matmul": torch.backends.cuda.matmul.allow_tf32},
    )
