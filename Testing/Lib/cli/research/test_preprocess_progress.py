"""The progress bar of preprocess: cached cases do not make the remaining time too short."""

from __future__ import annotations

import json
import sys

from PCNSLSurvivalLib.cli.research.preprocess import _Progress
from PCNSLSurvivalLib.cohorts.case_preparation import CaseStatus

OUTCOMES = (
    CaseStatus(name="a", state="cached"),
    CaseStatus(name="b", state="cached"),
    CaseStatus(name="c", state="failed", reason="No T1Gd was found."),
    CaseStatus(name="d", state="prepared", seconds=4.0),
)


def test_the_bar_counts_all_and_takes_its_speed_from_new_cases(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with _Progress("auto") as progress:
        for done, outcome in enumerate(OUTCOMES, start=1):
            progress(outcome, done, len(OUTCOMES))
        assert (progress._bar.n, progress._bar.initial, progress._bar.total) == (4, 2, 4)
    shown = capsys.readouterr().err
    assert "4/4" in shown
    assert "c: No T1Gd was found." in shown
    assert progress.counts == {"prepared": 1, "cached": 2, "failed": 1}


def test_another_program_gets_one_json_object_a_case(capsys):
    with _Progress("json") as progress:
        progress(OUTCOMES[2], 3, 4)
    event = json.loads(capsys.readouterr().out)
    assert (event["name"], event["state"], event["done"], event["total"]) == ("c", "failed", 3, 4)
    assert event["reason"] == "No T1Gd was found."
