"""Predictions for the patients that a fold held back: what every table, curve and test is computed from."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.csv_cells import original_cell, plain_cell
from PCNSLSurvivalLib.core.storage.files import whole_file
from PCNSLSurvivalLib.core.terms import CLASS_THRESHOLD

COLUMNS = ("arm", "repeat", "fold", "case", "judged_as", "os_class", "probability")
_HELD_OUT, _CENSORED = "held out", "censored"
_SURVIVAL = "survival_"
_Row = tuple[str, int, float, dict[float, float]]


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldPredictions:
    """What one arm of an experiment says of the patients that one outer fold held back.

    Attributes:
        arm: Name of the method, the same in all its folds, such as ``t1gd_transfer``.
        repeat: Number of the repetition of the cross-validation, from 0.
        fold: Number of the fold in its repetition, from 0.
        cases: (N,) names of the held-out cases.
        os_class: (N,) ``int64`` true class, 1 for OS over one year and 0 for up to one year (``terms.OSClass``).
        probability: (N,) ``float64`` predicted probability of OS over one year, in [0, 1].
        censored: (M,) names of cases without a class, censored before the threshold, that this fold did not train on.
            Where they are in no fold, every fold can say something of them. Kaplan-Meier curves and the C-index use
            them; empty where an arm does not predict them.
        censored_probability: (M,) ``float64`` predicted probability of OS over one year of ``censored``.
        days: (K,) days of a predicted survival curve; empty for an arm that predicts the class alone.
        survival: (N, K) ``float64`` predicted probability of surviving each of ``days``.
        censored_survival: (M, K) the same of ``censored``.
        threshold: From this probability up, a long survival is predicted; a model folder has its own.

    Raises:
        EvaluationError: The lengths differ, a case stands twice, a class is not 0 or 1, or a probability is not
            in [0, 1].
    """

    arm: str
    repeat: int
    fold: int
    cases: tuple[str, ...]
    os_class: NDArray[np.int64]
    probability: NDArray[np.float64]
    censored: tuple[str, ...] = ()
    censored_probability: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    days: tuple[float, ...] = ()
    survival: NDArray[np.float64] | None = None
    censored_survival: NDArray[np.float64] | None = None
    threshold: float = CLASS_THRESHOLD

    def __post_init__(self) -> None:
        os_class, probability = np.asarray(self.os_class), np.asarray(self.probability, dtype=np.float64)
        censored = np.asarray(self.censored_probability, dtype=np.float64)
        where = Message("fold_predictions.of", arm=self.arm, repeat=self.repeat + 1, fold=self.fold + 1)
        if not self.cases or os_class.shape != (len(self.cases),) or probability.shape != os_class.shape:
            raise EvaluationError(Message("fold_predictions.incomplete", where=where))
        if censored.shape != (len(self.censored),):
            raise EvaluationError(Message("fold_predictions.censored_incomplete", where=where))
        twice = [case for case, times in Counter((*self.cases, *self.censored)).items() if times > 1]
        if twice:
            raise EvaluationError(Message("fold_predictions.case_twice", where=where, case=twice[0]))
        if not np.isin(os_class, (0, 1)).all():
            raise EvaluationError(Message("fold_predictions.no_class", where=where))
        if not all(((p >= 0) & (p <= 1)).all() for p in (probability, censored)):
            raise EvaluationError(Message("fold_predictions.no_probability", where=where))
        curves = [
            np.empty((rows, 0)) if values is None else np.asarray(values, dtype=np.float64)
            for values, rows in ((self.survival, len(self.cases)), (self.censored_survival, len(self.censored)))
        ]
        if [one.shape for one in curves] != [(len(names), len(self.days)) for names in (self.cases, self.censored)]:
            raise EvaluationError(Message("fold_predictions.curves_incomplete", where=where))
        if not all(((one >= 0) & (one <= 1)).all() for one in curves):
            raise EvaluationError(Message("fold_predictions.no_survival_probability", where=where))
        object.__setattr__(self, "survival", curves[0])
        object.__setattr__(self, "censored_survival", curves[1])
        object.__setattr__(self, "os_class", os_class.astype(np.int64))
        object.__setattr__(self, "probability", probability)
        object.__setattr__(self, "censored_probability", censored)


def by_arm(predictions: Iterable[FoldPredictions]) -> dict[str, tuple[FoldPredictions, ...]]:
    """The folds of each arm in order of repeat and fold; arms in the order in which they first appear.

    Raises:
        EvaluationError: A fold of an arm is given twice, or one repetition holds back a case in two folds.
    """
    arms: dict[str, list[FoldPredictions]] = {}
    for one in predictions:
        arms.setdefault(one.arm, []).append(one)
    for arm, folds in arms.items():
        folds.sort(key=lambda one: (one.repeat, one.fold))
        places = Counter((one.repeat, one.fold) for one in folds)
        held_out = Counter((one.repeat, case) for one in folds for case in one.cases)
        if max(places.values()) > 1 or max(held_out.values()) > 1:
            raise EvaluationError(Message("fold_predictions.twice", arm=arm))
    return {arm: tuple(folds) for arm, folds in arms.items()}


def write_predictions(predictions: Iterable[FoldPredictions], path: Path) -> None:
    """Write predictions as CSV with the columns ``COLUMNS``, whole or not at all; no digit is lost.

    Repeats and folds are counted from 1, as in every table and folder name. ``os_class`` is blank for censored cases.
    Where an arm predicts survival curves, a column such as ``survival_183`` follows for each of their days.

    Raises:
        EvaluationError: The file cannot be written.
    """
    predictions = tuple(predictions)
    days = sorted({day for one in predictions for day in one.days})
    try:
        with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow([*COLUMNS, *(f"{_SURVIVAL}{day:g}" for day in days)])
            for one in predictions:
                place = (plain_cell(one.arm), one.repeat + 1, one.fold + 1)
                classes, none = [int(os_class) for os_class in one.os_class], [""] * len(one.censored)
                assert one.survival is not None
                assert one.censored_survival is not None
                for kind, cases, labels, probabilities, curves in (
                    (_HELD_OUT, one.cases, classes, one.probability, one.survival),
                    (
                        _CENSORED,
                        one.censored,
                        none,
                        one.censored_probability,
                        one.censored_survival,
                    ),
                ):
                    for case, label, probability, curve in zip(cases, labels, probabilities, curves, strict=True):
                        at = {day: repr(float(value)) for day, value in zip(one.days, curve, strict=True)}
                        row = (*place, plain_cell(case), kind, label, repr(float(probability)))
                        table.writerow([*row, *(at.get(day, "") for day in days)])
    except OSError as problem:
        raise EvaluationError(
            Message("fold_predictions.not_written", reason=problem.strerror or type(problem).__name__)
        ) from problem


def read_predictions(path: Path) -> tuple[FoldPredictions, ...]:
    """Read what ``write_predictions`` wrote: one value for each arm, repeat and fold, in the order of the file.

    Files of finished jobs from before the column ``judged_as`` count repeats and folds from 0; they are read as well.

    Raises:
        EvaluationError: The file is missing, lacks a column, or holds something that is no prediction.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            found = reader.fieldnames or ()
            first = 1 if "judged_as" in found else 0
            missing = [column for column in COLUMNS if column not in (*found, "judged_as")]
            if missing:
                raise EvaluationError(Message("fold_predictions.no_column", column=missing[0]))
            columns = [column for column in found if column.startswith(_SURVIVAL)]
            rows: dict[tuple[str, int, int], tuple[list[_Row], list[_Row]]] = {}
            for row in reader:
                place = (original_cell(row["arm"]), int(row["repeat"]) - first, int(row["fold"]) - first)
                of_class = int(row["os_class"]) if row["os_class"] else -1
                curve = {float(column.removeprefix(_SURVIVAL)): float(row[column]) for column in columns if row[column]}
                one = (original_cell(row["case"]), of_class, float(row["probability"]), curve)
                rows.setdefault(place, ([], []))[0 if row["os_class"] else 1].append(one)
            if not rows:
                raise ValueError("no row")
    except (OSError, UnicodeDecodeError, ValueError, TypeError) as problem:
        raise EvaluationError(Message("fold_predictions.table_damaged")) from problem
    return tuple(
        FoldPredictions(
            arm=arm,
            repeat=repeat,
            fold=fold,
            cases=tuple(row[0] for row in held_out),
            os_class=np.array([row[1] for row in held_out], dtype=np.int64),
            probability=np.array([row[2] for row in held_out]),
            censored=tuple(row[0] for row in censored),
            censored_probability=np.array([row[2] for row in censored]),
            days=tuple(held_out[0][3]) if held_out else (),
            survival=_curves(held_out, held_out),
            censored_survival=_curves(censored, held_out),
        )
        for (arm, repeat, fold), (held_out, censored) in rows.items()
    )


def _curves(rows: Sequence[_Row], like: Sequence[_Row]) -> NDArray[np.float64]:
    """(n, K) survival at the days that the first row of ``like`` has; NaN, which is refused, where a row lacks one."""
    days = tuple(like[0][3]) if like else ()
    return np.array([[row[3].get(day, np.nan) for day in days] for row in rows]).reshape(len(rows), len(days))


def pooled(folds: Sequence[FoldPredictions]) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.float64]]:
    """All held-out predictions of one arm pooled over its repetitions: one probability for each case.

    A case is held back once in every repetition; its probability is the mean over the repetitions, so that each
    patient counts once and a bootstrap over patients is one over independent units.

    Returns:
        (N,) cases in order of name, (N,) classes and (N,) mean probabilities.

    Raises:
        EvaluationError: A case has two different classes.
    """
    probabilities: dict[str, list[float]] = {}
    classes: dict[str, int] = {}
    for one in folds:
        for case, os_class, probability in zip(one.cases, one.os_class, one.probability, strict=True):
            probabilities.setdefault(case, []).append(float(probability))
            if classes.setdefault(case, int(os_class)) != os_class:
                raise EvaluationError(Message("fold_predictions.two_outcomes", case=case))
    cases = tuple(sorted(probabilities))
    return (
        cases,
        np.array([classes[case] for case in cases], dtype=np.int64),
        np.array([np.mean(probabilities[case]) for case in cases]),
    )


def every_held_out(folds: Sequence[FoldPredictions]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """What each fold's model said of the cases it never saw: a case comes once for each repetition.

    Returns:
        (M,) classes and (M,) probabilities.
    """
    return np.concatenate([one.os_class for one in folds]), np.concatenate([one.probability for one in folds])
