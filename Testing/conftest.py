"""Tests side by side: one thread each, so that two share two cores without a fight, and the longest files first."""

from __future__ import annotations

import gc
import os

import pytest

# Set before any test imports torch or SimpleITK; processes that a test starts inherit it.
if os.environ.get("PYTEST_XDIST_WORKER"):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
        os.environ.setdefault(name, "1")

LONG_FILES = (
    "test_predict.py",
    "test_run.py",
    "test_catalogue.py",
    "test_cohort_files.py",
    "test_segment.py",
    "test_preprocess_killed.py",
    "test_predict_cohort.py",
    "test_preparation.py",
    "test_faults.py",
    "test_map.py",
    "test_order.py",
    "test_quality_stops.py",
    "test_interruptions.py",
    "test_views.py",
)
"""Files of about ten seconds of a processor or more: one that comes last lets the other processes wait for it."""


def pytest_collection() -> None:
    """Importing all tests makes half a million objects that stay: looking for garbage among them takes seconds."""
    gc.disable()


def pytest_collection_finish() -> None:
    """From here on, only what tests make is looked through."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, each whole; the others stay in their order."""
    place = {name: number for number, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONG_FILES)))
