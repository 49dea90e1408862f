"""Experiments small enough for tests, run as a user runs them: by the command, here or in a process of its own."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from made_cohorts import made_cohort

from PCNSLSurvivalLib.cli.__main__ import main

TINY = """
virtual_patients: true
sequences: [t1gd]
initializations: [scratch, transfer]
baselines: [logistic_clinical]
splits: 2
repeats: 2
network: {depth: 10, widen_factor: 0.125}
network_grid: {size: [32, 32, 32], spacing_mm: [1.5, 1.5, 1.5]}
training: {epochs: 3, batch_size: 4}
pretraining: {epochs: 3, batch_size: 4}
finetuning: {epochs: 2, batch_size: 4}
"""


def one_arm(*, epochs: int) -> str:
    """An experiment file with one untrained network, one baseline, two folds and no model."""
    return f"""
virtual_patients: true
sequences: [t1gd]
initializations: [scratch]
baselines: [logistic_clinical]
splits: 2
repeats: 1
model_arm: null
network: {{depth: 10, widen_factor: 0.125}}
network_grid: {{size: [32, 32, 32], spacing_mm: [1.5, 1.5, 1.5]}}
training: {{epochs: {epochs}, batch_size: 4}}
"""


def made_cohorts(root: Path) -> Path:
    """Two prepared cohorts and an experiment file under ``root``."""
    made_cohort(root / "pcnsl", patients=12, censored=2, seed=1)
    made_cohort(root / "brats", patients=8, seed=2, prefix="B")
    (root / "plan.yaml").write_text(TINY, encoding="utf-8")
    return root


def command(root: Path, out: Path, *options: str) -> list[str]:
    """The words of the command line."""
    words = [sys.executable, "-m", "PCNSLSurvivalLib.cli", "experiment", root / "plan.yaml"]
    return [
        str(word)
        for word in (*words, "--cohort", root / "pcnsl", "--pretrain-cohort", root / "brats", "--out", out, *options)
    ]


def start(root: Path, out: Path, *options: str) -> subprocess.Popen:
    """Start the command in a process group of its own and wait until it has read the plan and the cohorts."""
    running = subprocess.Popen(
        command(root, out, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert running.stdout is not None
    assert "jobs" in running.stdout.readline(), running.communicate()[1]
    return running


def run_to_the_end(root: Path, out: Path, *options: str) -> subprocess.CompletedProcess:
    """Run the command and wait for it."""
    running = start(root, out, *options)
    told, complained = running.communicate()
    return subprocess.CompletedProcess(running.args, running.returncode, told, complained)


def run_here(root: Path, out: Path, *options: str) -> subprocess.CompletedProcess:
    """Run the command in this process, which has loaded the libraries, with as many threads as ``start`` gives it."""
    words = command(root, out, *options)[3:]
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(io.StringIO()) as told,
        redirect_stderr(io.StringIO()) as complained,
    ):
        patch.setenv("OMP_NUM_THREADS", "1")
        code = main(words)
    return subprocess.CompletedProcess(words, code, told.getvalue(), complained.getvalue())


def tables(out: Path) -> dict[str, bytes]:
    """Every table of the results by name."""
    return {path.name: path.read_bytes() for path in sorted((out / "results").rglob("*.csv"))}


def kill(running: subprocess.Popen) -> None:
    """End the command and everything it started, as a power cut would; it must not have ended before."""
    assert running.poll() is None, "the command ended before it could be killed"
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()


def finished(out: Path) -> dict[str, int]:
    """When each finished job was finished, by its folder."""
    return {str(path.parent): path.stat().st_mtime_ns for path in (out / "jobs").glob("*/*/job.json")}
