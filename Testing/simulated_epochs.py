"""Small networks trained on predictors without any signal, and what they say after every epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from PCNSLSurvivalLib.cohorts.splits import repeated_stratified_folds, validation_split
from PCNSLSurvivalLib.evaluation.optimism import EpochScores
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

PREDICTORS, HIDDEN, BATCH, LEARNING_RATE = 20, 16, 8, 1e-3


@dataclass(frozen=True)
class TrainedArm:
    """The folds of one arm, each network followed over all epochs.

    Attributes:
        kept: Held-out predictions after the epoch with the lowest validation loss, as this software keeps it.
        held_out: Held-out predictions after every epoch, which the published code chooses by.
        validation: Validation predictions after every epoch.
    """

    kept: list[FoldPredictions]
    held_out: list[EpochScores]
    validation: list[EpochScores]


def trained_without_skill(
    patients: int, seed: int, *, splits: int = 5, repeats: int = 2, epochs: int = 250
) -> TrainedArm:
    """Cross-validate networks with one hidden layer by Adam, all folds at the same time.

    Args:
        patients: How many, a little more than half of them long survivors.
        seed: Of everything drawn.
        splits: Folds of a repetition.
        repeats: Repetitions.
        epochs: Passes over the training patients.
    """
    random = np.random.default_rng([patients, seed])
    names = [f"p{number:03}" for number in range(patients)]
    os_class = dict(
        zip(names, random.permutation(np.arange(patients) < 0.54 * patients).astype(int).tolist(), strict=True)
    )
    values = dict(zip(names, random.normal(size=(patients, PREDICTORS)).astype(np.float32), strict=True))
    folds = repeated_stratified_folds(names, names, list(os_class.values()), splits=splits, repeats=repeats, seed=seed)
    parts = [
        validation_split(fold.train, fold.train, [os_class[name] for name in fold.train], seed=seed) for fold in folds
    ]
    scores = _scores_by_epoch(values, os_class, [train for train, _ in parts], epochs, seed)
    arm = TrainedArm([], [], [])
    for number, (fold, (_, validation)) in enumerate(zip(folds, parts, strict=True)):
        log_odds = {name: scores[number, :, place] for place, name in enumerate(names)}
        for found, cases in ((arm.held_out, fold.test), (arm.validation, validation)):
            found.append(EpochScores(cases=tuple(cases), log_odds=np.array([log_odds[name] for name in cases]).T))
        toward = 2 * np.array([os_class[name] for name in validation]) - 1
        best = int(np.logaddexp(0, -toward * arm.validation[-1].log_odds).mean(axis=1).argmin())
        arm.kept.append(
            FoldPredictions(
                arm="without skill",
                repeat=fold.repeat,
                fold=fold.fold,
                cases=fold.test,
                os_class=np.array([os_class[name] for name in fold.test]),
                probability=1 / (1 + np.exp(-arm.held_out[-1].log_odds[best])),
            )
        )
    return arm


def _scores_by_epoch(
    values: dict[str, NDArray[np.float32]],
    os_class: dict[str, int],
    train_sides: list[tuple[str, ...]],
    epochs: int,
    seed: int,
) -> NDArray[np.float64]:
    """(folds, epochs, patients) log-odds of every patient after every epoch of every fold's network."""
    draw = torch.Generator().manual_seed(seed)
    number, names = len(train_sides), list(values)
    least = min(len(side) for side in train_sides)  # all folds take the same number of steps
    place = {name: at for at, name in enumerate(names)}
    sides = torch.tensor([[place[name] for name in side[:least]] for side in train_sides])
    x = torch.from_numpy(np.stack(list(values.values())))
    y = torch.tensor([float(os_class[name]) for name in names])
    w1 = (torch.randn((number, PREDICTORS, HIDDEN), generator=draw) / PREDICTORS**0.5).requires_grad_()
    b1 = torch.zeros((number, 1, HIDDEN), requires_grad=True)
    w2 = (torch.randn((number, HIDDEN, 1), generator=draw) / HIDDEN**0.5).requires_grad_()
    b2 = torch.zeros((number, 1, 1), requires_grad=True)
    adam = torch.optim.Adam([w1, b1, w2, b2], lr=LEARNING_RATE)

    def network(inputs: torch.Tensor) -> torch.Tensor:
        return (torch.relu(inputs @ w1 + b1) @ w2 + b2)[..., 0]

    found = []
    for _ in range(epochs):
        order = torch.stack([torch.randperm(least, generator=draw) for _ in range(number)])
        shuffled = torch.gather(sides, 1, order)
        for batch in shuffled.split(BATCH, dim=1):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(network(x[batch]), y[batch], reduction="sum")
            adam.zero_grad()
            (loss / batch.shape[1]).backward()
            adam.step()
        with torch.no_grad():
            found.append(network(x.expand(number, *x.shape)).numpy())
    return np.stack(found, axis=1).astype(np.float64)
