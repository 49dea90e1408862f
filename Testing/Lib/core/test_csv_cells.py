"""A patient's name or a reason that looks like a formula is shown by a spreadsheet, never computed."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from PCNSLSurvivalLib.cohorts.cohort import find_cohort
from PCNSLSurvivalLib.core.storage.csv_cells import original_cell, plain_cell
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, read_predictions, write_predictions
from PCNSLSurvivalLib.results.cohort_prediction import PredictedCase, write_prediction_table


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1", " =1+1"])
def test_a_text_that_begins_like_a_formula_is_marked_as_text(text):
    assert str(plain_cell(text)).startswith("'")


@pytest.mark.parametrize("value", ["-5.2", "+1e-3", "sub-01", "Müller", "张伟", "", "a=b", -3, 0.5, None, True])
def test_everything_else_stays_as_it_is(value):
    assert plain_cell(value) == value


def test_control_characters_reach_no_terminal():
    assert plain_cell("a\x1b[31mb\x00") == "a [31mb "


def test_predictions_hold_no_formula_of_a_table(tmp_path):
    (tmp_path / "p.csv").write_text('patient_id,t1gd\n"=HYPERLINK(""http://x"")",a.nii\n', encoding="utf-8")
    (case,) = find_cohort(tmp_path / "p.csv").cases
    failed = PredictedCase(case=case, state="failed", reason="=1+1")
    write_prediction_table([failed], tmp_path, without_scan={"@sum": "-1+1"})
    with (tmp_path / "predictions.csv").open(newline="", encoding="utf-8") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row if cell]
    assert not any(cell[0] in "=+-@" for cell in cells)


@pytest.mark.parametrize("text", ["=1+1", "'quoted'", "sub-01", "-5.2", " @x", "", "'"])
def test_a_cell_is_read_back_as_the_text_it_was(text):
    assert original_cell(str(plain_cell(text))) == text


def test_predictions_of_folds_hold_no_formula_and_are_read_back(tmp_path):
    written = FoldPredictions(
        arm="scratch",
        repeat=0,
        fold=0,
        cases=("=1+1", "sub-01"),
        os_class=np.array([0, 1]),
        probability=np.array([0.25, 0.75]),
        censored=("@SUM(A1)",),
        censored_probability=np.array([0.5]),
    )
    write_predictions([written], tmp_path / "predictions.csv")
    assert not any(mark in (tmp_path / "predictions.csv").read_text() for mark in (",=", ",@"))
    (read,) = read_predictions(tmp_path / "predictions.csv")
    assert (read.cases, read.censored) == (written.cases, written.censored)
