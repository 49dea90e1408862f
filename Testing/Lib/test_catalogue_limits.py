"""A row that hangs, takes memory without end or leaves something is found; hostile rows stay within the limits."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("no fork", allow_module_level=True)
import catalogue_limits
from catalogue.rows import Row
from catalogue_limits import REFUSED, measure

HOSTILE = (
    "a .nii.gz that states 21 GB",
    "NRRD of 10^54 voxels",
    "DICOM: 100,000 nested sequences",
    "DICOM: JPEG 2000 of 4 EB in 7 KB",
    "a pipe",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_row_stays_within_the_limits(name):
    (row,) = (row for row in REFUSED if row.name == name)
    found = measure(row)
    assert found.fault == ""
    assert found.grown_mb < 1500


def _row() -> Row:
    return Row("made", lambda folder: folder, says="", words=("{out}",))


def test_a_command_that_hangs_is_stopped():
    found = measure(_row(), lambda words: signal.pause() or 3, longest_s=0.2)
    assert found.fault == "stopped after 0.2 s"


def test_a_command_that_asks_for_too_much_memory_is_stopped():
    def ask(words: list[str]) -> int:
        bytearray(2 * catalogue_limits.LARGEST_BYTES)
        return 3

    assert measure(_row(), ask).fault == "ended with 70"


def test_a_command_that_leaves_a_file_is_found():
    def leave(words: list[str]) -> int:
        Path(words[0]).parent.mkdir()
        return 3

    assert measure(_row(), leave).fault == "left something behind"
