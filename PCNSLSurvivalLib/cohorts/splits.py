"""Folds of the cross-validation: split by patient, never by exam, with both OS classes on every side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from PCNSLSurvivalLib.core.errors import FoldError


@dataclass(frozen=True)
class Fold:
    """One outer fold: names of examinations; no patient has examinations on both sides."""

    repeat: int
    """From 0: which of the repeated cross-validations."""
    fold: int
    """From 0: which fold of it."""
    train: tuple[str, ...]
    test: tuple[str, ...]
    """Looked at once, when the training is over."""

    @property
    def label(self) -> str:
        """Counted from 1, for folder names and progress lines: 'repeat1_fold3'."""
        return f"repeat{self.repeat + 1}_fold{self.fold + 1}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "train": list(self.train), "test": list(self.test)}


def repeated_stratified_folds(
    names: Sequence[str],
    patients: Sequence[str],
    classes: Sequence[int],
    *,
    splits: int = 5,
    repeats: int = 2,
    seed: int,
) -> tuple[Fold, ...]:
    """Repeated stratified cross-validation over patients.

    The folds depend on the set of examinations and the seed alone, not on the order in which they are given.

    Args:
        names: (n,) names of examinations, each once.
        patients: (n,) the patient of each; examinations of one patient stay together.
        classes: (n,) OS class of each, 0 or 1. A patient is stratified by the first of their examinations by name.
        splits: Folds of one cross-validation.
        repeats: Cross-validations, each shuffled anew.
        seed: Of the shuffling.

    Returns:
        ``splits * repeats`` folds, repeat by repeat.

    Raises:
        FoldError: A class has fewer patients than there are folds, or names are given twice.
    """
    from sklearn.model_selection import RepeatedStratifiedKFold

    people, strata = _people(names, patients, classes)
    _check_enough(strata, splits)
    splitter = RepeatedStratifiedKFold(n_splits=splits, n_repeats=repeats, random_state=seed)
    folds = []
    for number, (_, test) in enumerate(splitter.split(np.zeros(len(people)), strata)):
        outside = {people[n] for n in test}
        folds.append(_fold(number // splits, number % splits, names, patients, outside))
    return tuple(folds)


def validation_split(
    names: Sequence[str], patients: Sequence[str], classes: Sequence[int], *, share: float = 0.2, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part the training side of a fold into what the weights see and what the epoch is chosen on.

    Args:
        names: (n,) names of the examinations of the training side.
        patients: (n,) the patient of each.
        classes: (n,) OS class of each.
        share: Wanted share of patients to choose on; with few patients of a class it becomes larger, up to a half,
            so that both classes are on both sides.
        seed: Of the shuffling.

    Returns:
        Names of the training cases, and of the validation cases.

    Raises:
        FoldError: A class has fewer than two patients.
    """
    from sklearn.model_selection import StratifiedKFold

    people, strata = _people(names, patients, classes)
    _check_enough(strata, 2)
    parts = max(2, min(round(1 / share), min(Counter(strata).values())))
    splitter = StratifiedKFold(n_splits=parts, shuffle=True, random_state=seed)
    _, chosen = next(iter(splitter.split(np.zeros(len(people)), strata)))
    fold = _fold(0, 0, names, patients, {people[n] for n in chosen})
    return fold.train, fold.test


def _people(
    names: Sequence[str], patients: Sequence[str], classes: Sequence[int]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Patients in the order of their names, and the class each is stratified by."""
    if len(set(names)) != len(names):
        raise FoldError("An exam is listed twice. Give every exam of the cohort a unique name.")
    first: dict[str, int] = {}
    for _, patient, os_class in sorted(zip(names, patients, classes, strict=True)):
        first.setdefault(patient, int(os_class))
    people = tuple(sorted(first))
    return people, tuple(first[patient] for patient in people)


def _check_enough(strata: Sequence[int], least: int) -> None:
    counts = Counter(strata)
    over, up_to = counts[1], counts[0]
    if min(over, up_to) < least:
        raise FoldError(
            f"The cohort cannot be split into {least} parts with both classes in each: {over} of the "
            f"patients lived longer than the threshold, {up_to} did not. Choose fewer folds, another "
            "threshold, or add patients."
        )


def _fold(repeat: int, number: int, names: Sequence[str], patients: Sequence[str], outside: set[str]) -> Fold:
    pairs = sorted(zip(names, patients, strict=True))
    return Fold(
        repeat,
        number,
        train=tuple(name for name, patient in pairs if patient not in outside),
        test=tuple(name for name, patient in pairs if patient in outside),
    )
