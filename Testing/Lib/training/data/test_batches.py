"""Batches: no sample is alone in one, in any process, since a single sample has no batch statistics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_trainings import SETTINGS
from refusals import refused

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.training.data.batches import batches_of
from PCNSLSurvivalLib.training.epochs import TrainingData
from PCNSLSurvivalLib.training.loop import Checkpoint, train
from PCNSLSurvivalLib.training.outcome_loss import ClassLoss
from PCNSLSurvivalLib.training.processes import Processes


@pytest.mark.parametrize("batch_size", [2, 3, 4, 8])
@pytest.mark.parametrize("patients", [2, 3, 4, 5, 7, 9, 17])
def test_every_patient_comes_once_and_nobody_alone(patients, batch_size):
    names = [f"P{number}" for number in range(patients)]
    batches = batches_of(names, batch_size, np.random.default_rng(1))
    assert sorted(name for batch in batches for name in batch) == sorted(names)
    assert min(map(len, batches)) >= 2
    assert max(map(len, batches)) <= (3 if batch_size == 2 else batch_size)
    assert max(map(len, batches)) - min(map(len, batches)) <= 1


@pytest.mark.parametrize(
    ("count", "batch_size", "patients", "smallest"), [(2, 4, 6, 3), (2, 2, 8, 2), (1, 2, 1, 1), (3, 8, 10, 5)]
)
def test_a_process_that_would_get_a_single_sample_is_refused_before_training(
    tmp_path, count, batch_size, patients, smallest
):
    train_cases = [f"P{number}" for number in range(patients)]
    outcome = ClassLoss({}, train_cases, SETTINGS, {}, torch.device("cpu"))
    told = {"processes": count, "patients": patients, "batch_size": batch_size, "smallest": smallest}
    with refused(TrainingError, "training.small_batches", **told):
        train(
            TrainingData(
                inputs=None, classes={}, train_cases=train_cases, validation_cases=train_cases, outcome=outcome
            ),
            replace(SETTINGS, batch_size=batch_size),
            initial_weights=None,
            seed=(1,),
            processes=Processes(count=count),
            checkpoint=Checkpoint(path=tmp_path / "checkpoint.pt", identity=""),
        )
