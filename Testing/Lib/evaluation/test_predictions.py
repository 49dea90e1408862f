"""Held-out predictions keep every digit on disk, and what cannot be a prediction is refused in a sentence."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from refusals import refused

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.evaluation.predictions import (
    FoldPredictions,
    by_arm,
    pooled,
    read_predictions,
    write_predictions,
)


def fold(arm="t1gd", repeat=0, fold=0, cases=("a", "b"), os_class=(0, 1), probability=(0.1, 0.9)):
    return FoldPredictions(
        arm=arm, repeat=repeat, fold=fold, cases=cases, os_class=np.array(os_class), probability=np.array(probability)
    )


def test_a_table_of_predictions_is_read_as_it_was_written(tmp_path):
    censored = FoldPredictions(
        arm="t2",
        repeat=0,
        fold=0,
        cases=("a",),
        os_class=np.array([1]),
        probability=np.array([0.7]),
        censored=("e",),
        censored_probability=np.array([0.2]),
    )
    written = [fold(probability=(1 / 3, 0.1 + 0.2)), fold(fold=1, cases=("ä,c", "d")), censored]
    write_predictions(written, tmp_path / "predictions.csv")
    read = read_predictions(tmp_path / "predictions.csv")
    assert [(one.arm, one.repeat, one.fold, one.cases, one.censored) for one in read] == [
        (one.arm, one.repeat, one.fold, one.cases, one.censored) for one in written
    ]
    assert all((one.probability == other.probability).all() for one, other in zip(read, written, strict=True))
    assert read[2].censored_probability.tolist() == [0.2]
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.csv"]


def test_survival_curves_are_read_as_they_were_written_beside_arms_that_have_none(tmp_path):
    curve = FoldPredictions(
        arm="time",
        repeat=0,
        fold=0,
        cases=("a", "b"),
        os_class=np.array([0, 1]),
        probability=np.array([1 / 3, 0.5]),
        censored=("c",),
        censored_probability=np.array([0.25]),
        days=(182.5, 365.0),
        survival=np.array([[2 / 3, 1 / 3], [0.75, 0.5]]),
        censored_survival=np.array([[0.5, 0.25]]),
    )
    write_predictions([fold(), curve], tmp_path / "predictions.csv")
    plain, read = read_predictions(tmp_path / "predictions.csv")
    assert plain.days == ()
    assert plain.survival.shape == (2, 0)
    assert read.days == curve.days
    assert (read.survival == curve.survival).all()
    assert (read.censored_survival == curve.censored_survival).all()


@pytest.mark.parametrize(("days", "survival"), [((365.0,), None), ((), [[0.5], [0.5]]), ((365.0,), [[1.5], [0.2]])])
def test_a_survival_curve_that_cannot_be_one_is_refused(days, survival):
    values = None if survival is None else np.array(survival)
    with refused(
        EvaluationError,
        "fold_predictions.curves_incomplete",
        where=Message("fold_predictions.of", arm="time", repeat=1, fold=1),
    ):
        FoldPredictions(
            arm="time",
            repeat=0,
            fold=0,
            cases=("a", "b"),
            os_class=np.array([0, 1]),
            probability=np.array([0.5, 0.5]),
            days=days,
            survival=values,
        )


def test_repeats_and_folds_are_counted_from_one_in_the_file_and_from_zero_inside(tmp_path):
    path = tmp_path / "predictions.csv"
    write_predictions([fold(repeat=1, fold=2)], path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["repeat"], row["fold"], row["judged_as"]) for row in rows} == {("2", "3", "held out")}
    (read,) = read_predictions(path)
    assert (read.repeat, read.fold) == (1, 2)


def test_a_unit_finished_by_an_earlier_version_counts_from_zero_and_is_read_so(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text("arm,repeat,fold,case,os_class,probability\nt1gd,1,0,a,1,0.5\nt1gd,1,0,e,,0.2\n", encoding="utf-8")
    (read,) = read_predictions(path)
    assert (read.repeat, read.fold, read.cases, read.censored) == (1, 0, ("a",), ("e",))


def test_each_patient_counts_once_in_the_pool_of_all_repetitions():
    cases, os_class, probability = pooled([fold(), fold(repeat=1, cases=("b", "a"), os_class=(1, 0))])
    assert cases == ("a", "b")
    assert os_class.tolist() == [0, 1]
    assert probability == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("change", "code", "values"),
    [
        ({"probability": (0.1,)}, "incomplete", {}),
        ({"cases": ("a", "a")}, "case_twice", {"case": "a"}),
        ({"os_class": (0, 2)}, "no_class", {}),
        ({"probability": (0.1, 1.5)}, "no_probability", {}),
        ({"probability": (0.1, np.nan)}, "no_probability", {}),
    ],
)
def test_what_cannot_be_a_prediction_is_refused(change, code, values):
    where = Message("fold_predictions.of", arm="t1gd", repeat=1, fold=1)
    with refused(EvaluationError, f"fold_predictions.{code}", where=where, **values):
        fold(**change)


def test_a_case_held_back_twice_in_one_repetition_is_refused():
    with refused(EvaluationError, "fold_predictions.twice", arm="t1gd"):
        by_arm([fold(), fold(fold=1)])


def test_two_outcomes_of_one_case_are_refused():
    with refused(EvaluationError, "fold_predictions.two_outcomes", case="a"):
        pooled([fold(), fold(repeat=1, os_class=(1, 1))])


@pytest.mark.parametrize(
    ("text", "code", "values"),
    [
        ("arm,repeat\nx,0\n", "no_column", {"column": "fold"}),
        ("arm,repeat,fold,case,os_class,probability\nx,0,0,a,1,high\n", "table_damaged", {}),
    ],
)
def test_a_table_that_is_none_of_ours_is_refused(tmp_path, text, code, values):
    path = tmp_path / "predictions.csv"
    path.write_text(text, encoding="utf-8")
    with refused(EvaluationError, f"fold_predictions.{code}", **values):
        read_predictions(path)


def test_a_missing_table_is_told_in_a_sentence(tmp_path):
    with refused(EvaluationError, "fold_predictions.table_damaged"):
        read_predictions(tmp_path / "predictions.csv")
