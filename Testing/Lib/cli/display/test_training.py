"""What a terminal shows of trainings: the jobs of an experiment, and below them every network in training."""

from __future__ import annotations

import sys

import pytest

from PCNSLSurvivalLib.cli.display.training import JobProgress
from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.experiment.jobs.job import Job
from PCNSLSurvivalLib.experiment.jobs.outcomes import JobOutcome
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.training.epochs import Epoch
from PCNSLSurvivalLib.training.settings import TrainingSettings

PLAN = ExperimentPlan(training=TrainingSettings(epochs=4))
FIRST, SECOND = (
    Job(kind="network", arm="t1gd_scratch", fold=Fold(0, fold, train=(), test=()), decided_by={"fold": fold})
    for fold in range(2)
)
EPOCH = Epoch(
    epoch=0, learning_rate=1e-3, train_loss=0.7, validation_loss=0.61, best=True, seconds=1.0, samples_per_second=8.0
)


def shown(capsys, *, quiet: bool = False) -> str:
    """Two networks side by side: the first fails, the second is in training when it stops."""
    with JobProgress(PLAN, 3, quiet=quiet) as progress:
        progress.on_epoch(FIRST, EPOCH)
        progress.on_epoch(SECOND, EPOCH)
        progress.on_outcome(FIRST, JobOutcome(state="failed", reason="No room."), 1, 3)
        progress.on_epoch(SECOND, EPOCH)
    return capsys.readouterr().err


def test_a_terminal_shows_a_bar_for_each_network_below_that_of_the_jobs(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    text = shown(capsys)
    assert "Jobs:  33%" in text
    assert "t1gd_scratch repeat1_fold1:  25%" in text
    assert "t1gd_scratch repeat1_fold2:  50%" in text
    assert "training loss 0.700, validation loss 0.610" in text
    assert "t1gd_scratch repeat1_fold1: No room." in text


def test_a_log_gets_one_line_an_epoch_and_one_a_job(capsys):
    line = (
        "t1gd_scratch repeat1_fold{}, epoch 1/4: training loss 0.700, validation loss 0.610, 8.0 samples/s, best so far"
    )
    assert shown(capsys).splitlines() == [
        line.format(1),
        line.format(2),
        "1/3 t1gd_scratch repeat1_fold1 failed No room. 0.0 s",
        line.format(2),
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_is_quiet(capsys, monkeypatch, terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert shown(capsys, quiet=True) == ""
