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
from refusals import refusal, refused
from torch import distributed

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.core.errors import RefusedElsewhereError, TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.training import processes

# Batch normalization on CPUs measures each process's part of a batch; a network without it does not look at the batch.
NORM = "instance"
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def pretrain(launcher: list[str], cohort: PreparedCohort, plan: Path, out: Path) -> subprocess.CompletedProcess:
    words = [*launcher, "-m", "PCNSLSurvivalLib.cli", "pretrain", cohort.folder, "--plan", plan, "--out", out]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *map(str, words), "--device", "cpu"], capture_output=True, text=True, env=environment
    )


def losses_of(job: Path) -> list[float]:
    with (job / "history.csv").open(newline="", encoding="utf-8") as stream:
        return [float(row[name]) for row in csv.DictReader(stream) for name in ("train_loss", "validation_loss")]


@pytest.mark.slow
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
    facts = [json.loads((tmp_path / name / "job.json").read_text(encoding="utf-8")) for name in ("alone", "together")]
    assert [one["processes"] for one in facts] == [1, 2]
    assert facts[0]["identity"] == facts[1]["identity"]
    assert facts[0]["best_epoch"] == facts[1]["best_epoch"]
    losses = [losses_of(tmp_path / name) for name in ("alone", "together")]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    said = [np.load(tmp_path / name / "network_outputs.npz")["log_odds"] for name in ("alone", "together")]
    assert said[1] == pytest.approx(said[0], abs=1e-3)
    assert np.ptp(said[0]) > 1e-2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("batch", "out", "line"),
    [
        (
            2,
            "out",
            refusal("training.small_batches", processes=2, least=4, patients=9, batch_size=2, smallest=2),
        ),  # every process finds it
        (
            4,
            "plan.yaml/out",
            refusal("files.output_not_writable", reason="Not a directory"),
        ),  # the first alone finds it
    ],
)
def test_a_refusal_is_told_once_and_ends_every_process(cohort, tmp_path, batch, out, line):
    plan = tmp_path / "plan.yaml"
    plan.write_text(TINY.replace("batch_size: 4", f"batch_size: {batch}"), encoding="utf-8")
    done = pretrain(TORCHRUN, cohort, plan, tmp_path / out)
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if line.startswith("pcnsl-survival:")]
    assert told == [line.rstrip()], done.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def voices(monkeypatch):
    """What two processes share; the second need not wait for torchrun to end it."""
    monkeypatch.setattr(processes, "_PATIENCE_SECONDS", 0.0)
    return distributed.HashStore()


FIRST = TrainingError(Message("training.diverged"))


@pytest.mark.parametrize("after", [FIRST, RuntimeError("Connection closed"), KeyboardInterrupt()])
def test_only_the_first_refusal_is_told(voices, after):
    with refused(TrainingError, "training.diverged"), processes.report_first_error_only(voices):
        raise FIRST
    with pytest.raises(RefusedElsewhereError), processes.report_first_error_only(voices):
        raise after


@pytest.mark.parametrize("fault", [RuntimeError("Connection closed"), KeyboardInterrupt()])
def test_what_no_refusal_explains_stays_what_it_is(voices, fault):
    with pytest.raises(type(fault)), processes.report_first_error_only(voices):
        raise fault
