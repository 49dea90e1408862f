"""From the published recipe to the clean one, a defect at a time: what each repair does to the reported and true AUC.

Usage: ``make walk-defects``, or ``python Testing/benchmarks/walk_defects.py [--cohorts N]``. Each cohort has 56 virtual
patients, simulated predictors of known skill in place of scans, and 500 further patients to whom every network is
applied: their AUC is the true one. The networks have one hidden layer with batch normalization and two outputs, as the
head of the published one; folds, repetitions, Adam, schedule and batch are those of the published code. The learning
rate is ten times its, since so small networks learn more slowly. Numbers of the defects are those of
docs/decisions/defects.md; those that concern files, scans or tables change no number here.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kept_tables import add_keep, report

from PCNSLSurvivalLib.cohorts.splits import Fold, repeated_stratified_folds, validation_split

PATIENTS, FRESH, PREDICTORS, HIDDEN = 56, 500, 20, 16
SPLITS, REPEATS, EPOCHS, BATCH, LEARNING_RATE = 5, 2, 100, 8, 1e-2
STEP_EPOCHS, GAMMA = 30, 0.1
SKILL = 1.0
"""Difference of the class means of one predictor, in standard deviations; the best possible AUC is 0.76."""
LOST = 0.15
"""Share of long survivors who are lost to follow-up within the year."""
MOMENTUM, EPSILON = 0.1, 1e-5


@dataclass(frozen=True)
class Recipe:
    """Which defects are repaired."""

    name: str
    trains: bool = False
    """1: the optimizer is that of the fold's network."""
    own_schedule: bool = False
    """2: the schedule begins anew in every fold."""
    both_logits: bool = False
    """5: the score is the difference of both logits, as softmax has it."""
    own_best: bool = False
    """3: the best values are reset in every fold."""
    excludes_censored: bool = False
    """18: a patient lost within the year has no class, instead of that of the dead."""
    validates: bool = False
    """4: a part of the training patients chooses the epoch, instead of the reported fold."""


def recipes() -> list[Recipe]:
    """The published recipe, then one repair after the other."""
    found = [Recipe("published code")]
    for name, repair in (
        ("1: an optimizer for each network", {"trains": True}),
        ("2: a schedule for each fold", {"own_schedule": True}),
        ("5: softmax over both logits", {"both_logits": True}),
        ("3: best values reset in each fold", {"own_best": True}),
        ("18: no class for the early censored", {"excludes_censored": True}),
        ("4: epoch chosen on training patients", {"validates": True}),
    ):
        found.append(replace(found[-1], name=name, **repair))
    return found


@dataclass(frozen=True)
class Cohort:
    """Virtual patients: (N, PREDICTORS) values and what is known of their survival.

    Attributes:
        values: Of the cohort.
        over_one_year: (N,) the truth.
        lost: (N,) lost to follow-up within the year.
        fresh_values: Of patients whom no network saw.
        fresh_over_one_year: The truth of these.
    """

    values: NDArray[np.float32]
    over_one_year: NDArray[np.int64]
    lost: NDArray[np.bool_]
    fresh_values: NDArray[np.float32]
    fresh_over_one_year: NDArray[np.int64]


def draw_cohort(seed: int, skill: float = SKILL) -> Cohort:
    """A cohort with as many long survivors as the paper's, 30 of 56."""
    random = np.random.default_rng(seed)

    def values_of(classes: NDArray[np.int64]) -> NDArray[np.float32]:
        values = random.normal(size=(len(classes), PREDICTORS))
        values[:, 0] += skill * classes
        return values.astype(np.float32)

    classes, fresh = (random.permutation(np.arange(n) < n * 30 / 56).astype(np.int64) for n in (PATIENTS, FRESH))
    lost = (classes == 1) & (random.random(PATIENTS) < LOST)
    return Cohort(values_of(classes), classes, lost, values_of(fresh), fresh)


def walk(cohort: Cohort, seed: int, *, epochs: int = EPOCHS) -> list[tuple[float, float]]:
    """Reported and true AUC by each recipe, means over all folds."""
    made: dict[tuple[object, ...], tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    found = []
    for recipe in recipes():
        folds = _folds(cohort, recipe, seed)
        key = (recipe.trains, recipe.own_schedule, recipe.excludes_censored, recipe.validates)
        if key not in made:
            made[key] = _trained(cohort, recipe, folds, epochs, seed)
        found.append(_reported_and_true(cohort, recipe, folds, *made[key]))
    return found


@dataclass(frozen=True)
class _Sides:
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def _folds(cohort: Cohort, recipe: Recipe, seed: int) -> list[_Sides]:
    usable = np.flatnonzero(~cohort.lost) if recipe.excludes_censored else np.arange(PATIENTS)
    names, classes = [f"{number:03}" for number in usable], dict(enumerate(_labels(cohort).tolist()))
    of = [classes[number] for number in usable]
    folds: tuple[Fold, ...] = repeated_stratified_folds(names, names, of, splits=SPLITS, repeats=REPEATS, seed=seed)
    found = []
    for fold in folds:
        train, validation = fold.train, ()
        if recipe.validates:
            train, validation = validation_split(
                fold.train, fold.train, [classes[int(name)] for name in fold.train], seed=seed
            )
        sides = ([int(name) for name in names] for names in (train, validation, fold.test))
        found.append(_Sides(*(np.array(side, dtype=np.int64) for side in sides)))
    return found


def _labels(cohort: Cohort) -> NDArray[np.int64]:
    """What the published table says: whoever is lost within the year counts as dead."""
    return np.where(cohort.lost, 0, cohort.over_one_year)


def _trained(
    cohort: Cohort, recipe: Recipe, folds: list[_Sides], epochs: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(folds, epochs, patients, 2) logits of the cohort and of the fresh patients; all folds train side by side."""
    draw = torch.Generator().manual_seed(seed)
    number, least = len(folds), min(len(fold.train) for fold in folds)
    x, fresh = torch.from_numpy(cohort.values), torch.from_numpy(cohort.fresh_values)
    y = torch.from_numpy(_labels(cohort))
    sides = torch.from_numpy(np.stack([fold.train[:least] for fold in folds]))
    # The same start in every fold, as the published code has it.
    shapes = {"w1": (1, PREDICTORS, HIDDEN), "gamma": (1, 1, HIDDEN), "beta": (1, 1, HIDDEN), "w2": (1, HIDDEN, 2)}
    start = {name: torch.randn(shape, generator=draw) / shape[1] ** 0.5 for name, shape in shapes.items()}
    start |= {"gamma": torch.ones(shapes["gamma"]), "beta": torch.zeros(shapes["beta"])}
    weights = {name: value.repeat(number, 1, 1).requires_grad_() for name, value in start.items()}
    moments = {name: (torch.zeros_like(value), torch.zeros_like(value)) for name, value in weights.items()}
    mean, variance = torch.zeros(number, 1, HIDDEN), torch.ones(number, 1, HIDDEN)

    def head(hidden: torch.Tensor, center: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
        normal = (hidden - center) / (spread + EPSILON).sqrt() * weights["gamma"] + weights["beta"]
        return torch.relu(normal) @ weights["w2"]

    found, found_fresh, steps = [], [], 0
    for epoch in range(epochs):
        done = torch.full((number,), epoch) + (0 if recipe.own_schedule else epochs * torch.arange(number))
        rate = LEARNING_RATE * GAMMA ** (done // STEP_EPOCHS) * float(recipe.trains)
        order = torch.stack([torch.randperm(least, generator=draw) for _ in range(number)])
        for batch in torch.gather(sides, 1, order).split(BATCH, dim=1):
            if batch.shape[1] < 2:
                continue
            hidden = x[batch] @ weights["w1"]
            center, spread = hidden.mean(1, keepdim=True), hidden.var(1, unbiased=False, keepdim=True)
            logits = head(hidden, center, spread)
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), y[batch].flatten(), reduction="sum")
            slopes = torch.autograd.grad(loss / batch.shape[1], list(weights.values()))
            mean = (1 - MOMENTUM) * mean + MOMENTUM * center.detach()
            variance = (1 - MOMENTUM) * variance + MOMENTUM * spread.detach()
            steps += 1
            with torch.no_grad():
                for (name, value), slope in zip(weights.items(), slopes, strict=True):
                    first, second = moments[name]
                    first.mul_(0.9).add_(0.1 * slope)
                    second.mul_(0.999).add_(0.001 * slope**2)
                    step = first / (1 - 0.9**steps) / ((second / (1 - 0.999**steps)).sqrt() + 1e-8)
                    value.sub_(rate[:, None, None] * step)
        with torch.no_grad():
            found.append(head(x @ weights["w1"], mean, variance).numpy())
            found_fresh.append(head(fresh @ weights["w1"], mean, variance).numpy())
    return np.stack(found, axis=1).astype(np.float64), np.stack(found_fresh, axis=1).astype(np.float64)


def _reported_and_true(
    cohort: Cohort, recipe: Recipe, folds: list[_Sides], logits: NDArray[np.float64], fresh: NDArray[np.float64]
) -> tuple[float, float]:
    score, fresh_score = (x[..., 1] - x[..., 0] if recipe.both_logits else x[..., 1] for x in (logits, fresh))
    labels = _labels(cohort)
    reported, true, best = [], [], (-np.inf, 0.0)
    for number, sides in enumerate(folds):
        if recipe.validates:
            toward = (2 * labels[sides.validation] - 1) * (logits[..., 1] - logits[..., 0])[number][:, sides.validation]
            epoch = int(np.logaddexp(0, -toward).mean(axis=1).argmin())
            auc = _auc(score[number, epoch, sides.test], labels[sides.test])
        else:
            aucs = [_auc(row, labels[sides.test]) for row in score[number][:, sides.test]]
            epoch = int(np.argmax(aucs))
            auc = aucs[epoch]
        now = (auc, _auc(fresh_score[number, epoch], cohort.fresh_over_one_year))
        # With the best values of all earlier folds, only a better epoch is noted; its network stays, too.
        best = now if recipe.own_best or now[0] > best[0] else best
        reported.append(best[0])
        true.append(best[1])
    return float(np.mean(reported)), float(np.mean(true))


def _auc(score: NDArray[np.float64], os_class: NDArray[np.int64]) -> float:
    over = int(os_class.sum())
    ranks = rankdata(score)[os_class == 1].sum()
    return float((ranks - over * (over + 1) / 2) / (over * (len(os_class) - over)))


def main() -> int:
    """Print the walk, with and without skill."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=30, help="at least 2")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of every network")
    add_keep(parser)
    args = parser.parse_args()
    cells = [[recipe.name] for recipe in recipes()]
    for skill in (SKILL, 0.0):
        aucs = np.array([walk(draw_cohort(seed, skill), seed, epochs=args.epochs) for seed in range(args.cohorts)])
        error = aucs.std(axis=0, ddof=1) / np.sqrt(args.cohorts)
        for row, mean, se in zip(cells, aucs.mean(axis=0), error, strict=True):
            row += [f"{value:.3f} ({spread:.3f})" for value, spread in zip(mean, se, strict=True)]
    columns = ["repaired, each with those above"]
    columns += [f"{auc} AUC, {words}" for words in ("with skill", "without skill") for auc in ("reported", "true")]
    settings = f"{args.cohorts} cohorts of {PATIENTS}, {SPLITS} folds {REPEATS} times, {args.epochs} epochs; mean (SE)"
    report("walk-defects", columns, cells, settings=settings, keep=args.keep)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
