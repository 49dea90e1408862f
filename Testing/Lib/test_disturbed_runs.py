"""A few kills and full disks; ``Testing/disturbed_runs.py`` does as many as are asked for.

Every run of the tests has the kill of ``test_preprocess_killed`` and the full disks of ``core/test_files``,
``cohorts/test_preprocess`` and ``experiment/test_run``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "disturbed_runs.py"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are neither forks nor kill -9 on Windows")


def run(*words: str) -> str:
    done = subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_killed_at_random_moments_nothing_is_lost_and_nothing_stays():
    told = run("kills", "--count", "3", "--seed", "5", "--only", "predict", "import", "export")
    assert "3 kills over predict, import, export: nothing lost, nothing left over." in told


@pytest.mark.slow
def test_a_full_disk_is_told_in_a_sentence_by_whatever_writes():
    told = run("full-disk", "--only", "key images", "import", "export")
    assert told.count("stopped with a sentence") == 3


@pytest.mark.slow
def test_two_hundred_kills():
    assert "200 kills over" in run("kills", "--count", "200", "--seed", "2026")


@pytest.mark.slow
def test_every_command_tells_a_full_disk():
    run("full-disk")
