"""Preparation killed at random moments ends as an undisturbed one, and no finished step is computed again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from made_heads import made_table

from PCNSLSurvivalLib.cli.__main__ import main
from PCNSLSurvivalLib.phantoms.cohort import CohortPlan
from PCNSLSurvivalLib.phantoms.cohort_files import make_cohort


def volumes_and_tables(out: Path) -> dict[str, bytes]:
    files = (path for path in out.rglob("*") if path.is_file() and ".steps" not in path.parts)
    return {str(path.relative_to(out)): path.read_bytes() for path in files if path.name != "seconds.json"}


def computed_steps(out: Path) -> Counter[str]:
    """How often each step was really computed, by its content hash, over all runs into this folder."""
    logs = out.glob(".steps/*/log.txt")
    return Counter(f"{log.parent.name} {line.split()[0]}" for log in logs for line in log.read_text().splitlines())


def kill_at_random_moments(command: list[str], out: Path, *, times: int, steps: int, seed: int) -> None:
    """Run a command and kill it a moment after some step was finished; between none and all of them."""
    draw = random.Random(seed)
    moments = sorted(draw.sample(range(steps), times))
    for wanted in moments:
        # A session of its own, so that no helper of the command outlives the kill unseen.
        running = subprocess.Popen([sys.executable, "-m", "PCNSLSurvivalLib.cli", *command], start_new_session=True)
        while running.poll() is None and computed_steps(out).total() < wanted:
            time.sleep(0.05)
        time.sleep(draw.uniform(0.0, 1.0))
        assert running.poll() is None, "the command ended before it could be killed"
        os.kill(running.pid, signal.SIGKILL)
        running.wait()


def finish_as_if_undisturbed(cohort: Path, options: list[str], tmp_path: Path, *, steps: int, kills: int) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    base = ["preprocess", str(cohort), "--progress", "none", *options]
    assert main([*base, "--out", str(undisturbed)]) == 0
    assert computed_steps(undisturbed).total() == steps
    command = [*base, "--out", str(killed)]
    kill_at_random_moments(command, killed, times=kills, steps=steps, seed=21)
    assert not (killed / "cohort.json").exists()
    assert main(command) == 0
    assert volumes_and_tables(killed) == volumes_and_tables(undisturbed)
    assert set(computed_steps(killed).values()) == {1}, "a finished step was computed again"
    assert computed_steps(killed) == computed_steps(undisturbed)
    assert not list(killed.rglob("*.partial"))


def test_a_case_that_was_finished_before_a_kill_is_kept(tmp_path):
    table, out = made_table(tmp_path / "cohort", 2), tmp_path / "out"
    command = ["preprocess", str(table), "--progress", "none", "--use-brain-masks", "--jobs", "1", "--out", str(out)]
    running = subprocess.Popen([sys.executable, "-m", "PCNSLSurvivalLib.cli", *command], start_new_session=True)
    finished = out / "cases" / "p1"
    while running.poll() is None and not finished.is_dir():
        time.sleep(0.01)
    running.kill()
    running.wait()
    assert not (out / "cohort.json").exists(), "the command ended before it could be killed"
    assert not (out / "cases" / "p2").exists()
    before = {path: path.stat().st_mtime_ns for path in finished.iterdir()}
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in finished.iterdir()} == before
    assert (out / "cases" / "p2" / "case.json").is_file()


def test_a_kill_changes_nothing(tmp_path):
    table = made_table(tmp_path / "cohort", 1, with_t1=(1,))
    # Two fields, two poses.
    finish_as_if_undisturbed(table, ["--use-brain-masks"], tmp_path, steps=4, kills=1)


@pytest.mark.slow
def test_two_kills_change_nothing_in_twelve_virtual_patients(tmp_path):
    make_cohort(CohortPlan(patients=12, seed=31), tmp_path / "cohort", layout="table")
    options = ["--sequences", "t1gd", "--jobs", "3"]
    # Brain outline and field of each.
    finish_as_if_undisturbed(tmp_path / "cohort" / "patients.csv", options, tmp_path, steps=24, kills=2)
