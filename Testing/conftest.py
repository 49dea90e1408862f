"""Tests side by side: each process computes with one thread, so that two of them share two cores without a fight."""

from __future__ import annotations

import os

# Set before any test imports torch or SimpleITK; processes that a test starts inherit it.
if os.environ.get("PYTEST_XDIST_WORKER"):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
        os.environ.setdefault(name, "1")
