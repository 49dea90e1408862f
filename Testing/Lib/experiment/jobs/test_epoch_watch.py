"""Whoever waits for an experiment sees every epoch of every network once, wherever it trains."""

from __future__ import annotations

import shutil

import pytest

from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.core.storage.files import unfinished_folder
from PCNSLSurvivalLib.experiment.jobs.epoch_watch import EpochWatch
from PCNSLSurvivalLib.experiment.jobs.job import Job
from PCNSLSurvivalLib.training.epochs import Epoch
from PCNSLSurvivalLib.training.logs import HISTORY, TrainingLog, read_epochs

FOLD = Fold(0, 1, train=("a", "b"), test=("c",))
NETWORK = Job(kind="network", arm="t1gd_scratch", fold=FOLD, decided_by={})
BASELINE = Job(kind="baseline", arm="svm_clinical", fold=FOLD, decided_by={})


def epoch(number: int) -> Epoch:
    return Epoch(
        epoch=number,
        learning_rate=1e-3,
        train_loss=0.7 - 0.1 * number,
        validation_loss=0.69,
        best=number == 0,
        seconds=1.5,
        samples_per_second=8.0,
    )


@pytest.fixture
def told():
    return []


@pytest.fixture
def watch(tmp_path, told):
    return EpochWatch([NETWORK, BASELINE], tmp_path, lambda job, one: told.append((job.label, one)))


def log_of(tmp_path, *numbers: int):
    folder = unfinished_folder(NETWORK.folder(tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    with TrainingLog(folder) as write:
        for number in numbers:
            write(epoch(number))
    return folder


def test_every_epoch_is_told_once_and_the_last_when_the_job_is_done(tmp_path, watch, told):
    watch.look()
    assert told == []
    unfinished = log_of(tmp_path, 0)
    watch.look()
    watch.look()
    assert told == [("t1gd_scratch repeat1_fold2", epoch(0))]
    log_of(tmp_path, 0, 1, 2)
    shutil.copytree(unfinished, NETWORK.folder(tmp_path))
    watch.done(NETWORK)
    watch.done(BASELINE)
    watch.look()
    assert [one for _, one in told] == [epoch(0), epoch(1), epoch(2)]


def test_a_line_still_being_written_waits_for_its_end(tmp_path, watch, told):
    path = log_of(tmp_path, 0, 1) / HISTORY
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert read_epochs(path.parent) == (epoch(0), epoch(1))[: max(0, whole[:length].count(b"\r") - 1)]


def test_a_training_that_goes_on_from_its_checkpoint_is_not_told_again(tmp_path, watch, told):
    log_of(tmp_path, 0, 1)
    watch.look()
    for numbers in ((0,), (0, 1), (0, 1, 2)):
        log_of(tmp_path, *numbers)
        watch.look()
    assert [one for _, one in told] == [epoch(0), epoch(1), epoch(2)]
