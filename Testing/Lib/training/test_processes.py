"""Two processes started by torchrun train the network that one process trains."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_experiments import TINY

from PCNSLSurvivalLib.data.prepared_cohort import PreparedCohort

# Batch normalization on CPUs measures each process's part of a batch; a network without it does not look at the batch.
NORM = "instance"
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def pretrain(launcher: list[str], cohort: PreparedCohort, plan: Path, out: Path) -> subprocess.CompletedProcess:
    words = [*launcher, "-m", "PCNSLSurvivalLib.cli", "pretrain", cohort.folder, "--plan", plan, "--out", out]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *map(str, words), "--device", "cpu"], capture_output=True, text=True, env=environment
    )


def losses_of(unit: Path) -> list[float]:
    with (unit / "history.csv").open(newline="", encoding="utf-8") as stream:
        return [float(row[name]) for row in csv.DictReader(stream) for name in ("train_loss", "inner_loss")]


def test_two_processes_train_what_one_trains_and_speak_with_one_voice(cohort, tmp_path):
    plan = tmp_path / "plan.yaml"
    # Instance normalization needs more than one cell in the last block.
    text = TINY.replace("widen_factor: 0.125", f"widen_factor: 0.125, norm: {NORM}").replace("32, 32, 32", "64, 64, 64")
    plan.write_text(text, encoding="utf-8")
    alone = pretrain([], cohort, plan, tmp_path / "alone")
    together = pretrain(TORCHRUN, cohort, plan, tmp_path / "together")
    assert alone.returncode == together.returncode == 0, together.stderr
    assert together.stdout == alone.stdout.replace("alone", "together")
    assert together.stderr.count("training loss") == alone.stderr.count("training loss") == 3
    facts = [json.loads((tmp_path / name / "unit.json").read_text(encoding="utf-8")) for name in ("alone", "together")]
    assert [one["processes"] for one in facts] == [1, 2]
    assert facts[0]["identity"] == facts[1]["identity"]
    assert facts[0]["best_epoch"] == facts[1]["best_epoch"]
    losses = [losses_of(tmp_path / name) for name in ("alone", "together")]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    said = [np.load(tmp_path / name / "answers.npz")["log_odds"] for name in ("alone", "together")]
    assert said[1] == pytest.approx(said[0], abs=1e-3)
    assert np.ptp(said[0]) > 1e-2


@pytest.mark.slow
def test_a_refusal_ends_every_process_with_its_sentence(cohort, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(TINY.replace("batch_size: 4", "batch_size: 2"), encoding="utf-8")
    done = pretrain(TORCHRUN, cohort, plan, tmp_path / "out")
    assert done.returncode != 0
    assert "2 processes need a batch of at least 4" in done.stderr
    assert not (tmp_path / "out").exists()
