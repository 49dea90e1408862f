"""Folds of the cross-validation: split by patient, never by exam, with both OS classes on every side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from PCNSLSurvivalLib.core.errors import FoldError
from PCNSLSurvivalLib.core.messages import Message


@dataclass(frozen=True)
class Fold:
    """One outer fold: names of exams; no patient has exams on both sides."""

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

    def only(self, names: Collection[str]) -> Fold:
        """The same fold without the exams that are not among ``names``."""
        return replace(
            self,
            train=tuple(name for name in self.train if name in names),
            test=tuple(name for name in self.test if name in names),
        )

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

    The folds depend on the set of exams and the seed alone, not on the order in which they are given.

    Args:
        names: (n,) names of exams, each once.
        patients: (n,) the patient of each; exams of one patient stay together.
        classes: (n,) OS class of each, 0 or 1. A patient is stratified by the first of their exams by name.
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


def group_folds(
    names: Sequence[str],
    patients: Sequence[str],
    classes: Sequence[int],
    groups: Sequence[str | None],
    *,
    by: str = "site",
) -> tuple[Fold, ...]:
    """One fold per group, such as a site: its patients are held out, and all others are trained on.

    Args:
        names: (n,) names of exams, each once.
        patients: (n,) the patient of each; all exams of a patient are in the group of the first by name.
        classes: (n,) OS class of each, 0 or 1.
        groups: (n,) the group of each.
        by: What the groups are, for the error message.

    Raises:
        FoldError: A group is not known, there is one group only, or without a group one class has no patient.
    """
    people, strata = _people(names, patients, classes)
    class_of = dict(zip(people, strata, strict=True))
    group_of = group_of_patients(names, patients, groups, by=by)
    found = sorted(set(group_of.values()))
    if len(found) < 2:
        raise FoldError(Message("folds.one_group", by=by))
    folds = []
    for number, group in enumerate(found):
        inside = {person for person in people if group_of[person] == group}
        if len({class_of[person] for person in people if person not in inside}) < 2:
            raise FoldError(Message("folds.one_class_without", by=by, group=group))
        folds.append(_fold(0, number, names, patients, inside))
    return tuple(folds)


def temporal_fold(
    names: Sequence[str],
    patients: Sequence[str],
    classes: Sequence[int],
    years: Sequence[int | None],
    *,
    share: float,
) -> tuple[Fold, ...]:
    """A single fold: the patients of the latest years are held out, and the earlier ones are trained on.

    Args:
        names: (n,) names of exams, each once.
        patients: (n,) the patient of each; a patient counts with the year of the first exam.
        classes: (n,) OS class of each, 0 or 1.
        years: (n,) year of each exam.
        share: Wanted share of held-out patients; a year is never divided.

    Raises:
        FoldError: A year is not known, there is one year only, or one of both sides has a single class.
    """
    people, _ = _people(names, patients, classes)
    first = first_year_of_patients(names, patients, years)
    starts = sorted(set(first.values()))[1:]
    if not starts:
        raise FoldError(Message("folds.one_year"))
    held_out = [sum(year >= start for year in first.values()) for start in starts]
    start = min(zip(starts, held_out, strict=True), key=lambda pair: abs(pair[1] / len(people) - share))[0]
    outside = {person for person in people if first[person] >= start}
    for side in (outside, set(people) - outside):
        if len({c for patient, c in zip(patients, classes, strict=True) if patient in side}) < 2:
            raise FoldError(Message("folds.one_class_at_year", year=start))
    return (_fold(0, 0, names, patients, outside),)


def group_of_patients(
    names: Sequence[str], patients: Sequence[str], groups: Sequence[str | None], *, by: str = "site"
) -> dict[str, str]:
    """The group of each patient: that of the first exam by name.

    Raises:
        FoldError: The group of an exam is not known.
    """
    missing = [name for name, group in zip(names, groups, strict=True) if not group]
    if missing:
        raise FoldError(Message("folds.group_unknown", by=by, count=len(missing), exam=missing[0]))
    found: dict[str, str] = {}
    for _, patient, group in sorted(zip(names, patients, map(str, groups), strict=True)):
        found.setdefault(patient, group)
    return found


def first_year_of_patients(
    names: Sequence[str], patients: Sequence[str], years: Sequence[int | None]
) -> dict[str, int]:
    """The year of each patient's first exam.

    Raises:
        FoldError: The year of an exam is not known.
    """
    missing = [name for name, year in zip(names, years, strict=True) if year is None]
    if missing:
        raise FoldError(Message("folds.year_unknown", count=len(missing), exam=missing[0]))
    found: dict[str, int] = {}
    for patient, year in zip(patients, years, strict=True):
        found[patient] = min(found.get(patient, int(year or 0)), int(year or 0))
    return found


def add_censored(
    folds: Sequence[Fold],
    censored: Mapping[str, str],
    labeled: Mapping[str, str],
    *,
    seed: int,
    held_out_in: Callable[[Fold, str], bool] | None = None,
) -> tuple[Fold, ...]:
    """Put exams without an OS class into folds that were made from those with one, for methods that learn from time.

    The folds of the others stay as they are. A patient with exams of both kinds stays on one side. Assigned at random,
    each patient is held out once per repetition; otherwise, a patient whom no fold holds out is trained on in all.

    Args:
        folds: Of the exams with a class.
        censored: Patient by name of the exams censored before the limit.
        labeled: Patient by name of the exams with a class.
        seed: Of the shuffling.
        held_out_in: Whether a fold holds out a patient without an exam with a class; these patients are assigned to the
            folds at random if left out.
    """
    assigned: dict[tuple[int, str], int] = {}
    new = sorted(set(censored.values()) - set(labeled.values()))
    for repeat in sorted({fold.repeat for fold in folds}):
        numbers = [fold.fold for fold in folds if fold.repeat == repeat]
        order = np.random.default_rng([seed, repeat]).permutation(len(new))
        assigned |= {(repeat, new[person]): numbers[place % len(numbers)] for place, person in enumerate(order)}
    found = []
    for fold in folds:
        outside = {labeled[name] for name in fold.test}
        if held_out_in is None:
            outside |= {person for person in new if assigned[fold.repeat, person] == fold.fold}
        else:
            outside |= {person for person in new if held_out_in(fold, person)}
        test = tuple(name for name in censored if censored[name] in outside)
        train = tuple(name for name in censored if censored[name] not in outside)
        found.append(replace(fold, train=tuple(sorted((*fold.train, *train))), test=tuple(sorted((*fold.test, *test)))))
    return tuple(found)


def validation_split(
    names: Sequence[str], patients: Sequence[str], classes: Sequence[int], *, share: float = 0.2, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part the training side of a fold into what the weights see and what the epoch is chosen on.

    Args:
        names: (n,) names of the exams of the training side.
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
        raise FoldError(Message("folds.exam_twice"))
    first: dict[str, int] = {}
    for _, patient, os_class in sorted(zip(names, patients, classes, strict=True)):
        first.setdefault(patient, int(os_class))
    people = tuple(sorted(first))
    return people, tuple(first[patient] for patient in people)


def _check_enough(strata: Sequence[int], least: int) -> None:
    counts = Counter(strata)
    over, up_to = counts[1], counts[0]
    if min(over, up_to) < least:
        raise FoldError(Message("folds.too_few", parts=least, over=over, up_to=up_to))


def _fold(repeat: int, number: int, names: Sequence[str], patients: Sequence[str], outside: set[str]) -> Fold:
    pairs = sorted(zip(names, patients, strict=True))
    return Fold(
        repeat,
        number,
        train=tuple(name for name, patient in pairs if patient not in outside),
        test=tuple(name for name, patient in pairs if patient in outside),
    )
