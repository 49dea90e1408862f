"""The report says which days part its OS classes, what its maps explain, and what was wrong with whom it left out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_predictions import made_folds, made_outcomes

from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.reports.experiment.activation_figure import activation_figure
from PCNSLSurvivalLib.reports.experiment.facts import ActivationExample, ExperimentFacts
from PCNSLSurvivalLib.reports.experiment.report import NetworksShown, write_experiment_report
from PCNSLSurvivalLib.reports.sentences import first_sentence

A_YEAR = re.compile(r"one[- ]year|1 year|(the|a) year|\b1 y\b", re.IGNORECASE)


def example(**changed: object) -> ActivationExample:
    activation = np.zeros((24, 24, 4), np.float32)
    activation[12, 12, 2] = 1.0
    made = ActivationExample(
        number="P001", outcome="TP", probability=0.7, t1gd=np.ones((24, 24, 4), np.float32), activation=activation
    )
    return replace(made, **changed)


def report_at(out: Path, days: float) -> dict[str, str]:
    """Every text of a report whose OS classes are parted at some day, by file name."""
    write_experiment_report(
        out,
        [*made_folds("network"), *made_folds("svm")],
        outcomes=made_outcomes(),
        facts=ExperimentFacts(threshold_days=days),
        networks=NetworksShown(examples=[example(activation_of=OSClass.OVER_ONE_YEAR.label_at(days))]),
        resamples=20,
    )
    texts = {path.name: path.read_text(encoding="utf-8") for path in out.rglob("*") if path.suffix not in ("", ".png")}
    texts["experiment_report.html"] = re.sub(r'src="data:[^"]*"', "", texts["experiment_report.html"])
    return texts


def test_another_limit_than_a_year_is_named_in_days_and_no_year_is_spoken_of(tmp_path):
    texts = report_at(tmp_path / "out", 730)
    assert not {name: found[0] for name, text in texts.items() if (found := A_YEAR.search(text))}
    html = texts["experiment_report.html"]
    assert "<h1>Overall survival over 730 days: report of an experiment</h1>" in html
    assert "risk of death within 730 days" in html
    assert "Predicted P(OS > 730 days)" in texts["calibration.svg"].replace("&gt;", ">")
    assert "predicted OS ≤ 730 d" in texts["kaplan_meier.svg"]
    assert "predicted P(> 730 d) 0.70" in texts["activation.svg"].replace("&gt;", ">")


def test_a_year_stays_a_year_and_the_choice_of_the_patients_with_maps_is_told(tmp_path):
    texts = report_at(tmp_path / "out", 365)
    html = texts["experiment_report.html"]
    assert "<h1>One-year overall survival: report of an experiment</h1>" in html
    assert "the patient with the probability farthest from 0.5 is shown" in " ".join(html.split())
    assert "Predicted P(OS > 1 year)" in texts["calibration.svg"].replace("&gt;", ">")
    assert OSClass.UP_TO_ONE_YEAR.label == "OS ≤ 1 year"


def said(one: ActivationExample) -> str:
    return " ".join(text.get_text() for ax in activation_figure([one]).axes for text in ax.texts)


def test_a_map_says_which_class_it_explains_and_an_empty_one_that_it_is_empty():
    filled, nothing = example(activation_of="OS > 1 year"), np.zeros((24, 24, 4), np.float32)
    assert "map explains OS > 1 year" in said(filled)
    assert "no activation" not in said(filled)
    assert "no activation" in said(replace(filled, activation=nothing, map_is_empty=True))
    lesion = np.zeros((24, 24, 4), bool)
    lesion[5, 5, 0] = True
    assert "no activation in this slice" in said(replace(filled, lesion=lesion))


@pytest.mark.parametrize(
    ("reason", "wrong"),
    [
        ("The brain mask holds 281 mL, too little. Look at its outline.", "The brain mask holds 281 mL, too little."),
        ("Slices are 7.5 mm apart. In Slicer, choose another.", "Slices are 7.5 mm apart."),
        ("Excluded after a look by Dr. Smith", "Excluded after a look by Dr. Smith"),
        ("No T1 and no T2.", "No T1 and no T2."),
    ],
)
def test_of_a_message_the_report_keeps_what_is_wrong(reason, wrong):
    assert first_sentence(reason) == wrong


def test_the_table_of_the_left_out_gives_no_advice_on_buttons(tmp_path):
    reason = "The brain mask is empty. To go on, override the quality stop (in Slicer under Advanced)."
    out = tmp_path / "out"
    facts = ExperimentFacts(excluded={"P9": reason})
    write_experiment_report(out, made_folds("svm"), outcomes=made_outcomes(), facts=facts, resamples=20)
    html = (out / "experiment_report.html").read_text(encoding="utf-8")
    assert "<td>The brain mask is empty.</td>" in html
    assert "Slicer" not in html
