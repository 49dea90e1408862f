"""Clinical findings in the panel: entered by hand, scored at once, taken into the result only as given."""

from __future__ import annotations

import json

import pytest
from made_scenes import Wait, add_head

SELECTORS = ("ecog", "karnofsky", "ldh", "csfProtein", "deepLesion", "steroids", "surgery")
ALL_GIVEN = {
    "age_years": 67,
    "ecog": 2,
    "karnofsky": 60,
    "ldh_elevated": True,
    "csf_protein_elevated": True,
    "deep_lesion": True,
    "steroids": False,
    "surgery": "biopsy",
}


def _choose(ui, **words):
    ui.ageEdit.text = words.pop("age", "")
    for name in SELECTORS:
        getattr(ui, f"{name}Selector").setCurrentText(words.pop(name, "not given"))
    assert not words


def _give_all(ui):
    _choose(
        ui, age="67", ecog="2", karnofsky="60 %", ldh="elevated", csfProtein="elevated", deepLesion="yes",
        steroids="no", surgery="biopsy",
    )  # fmt: skip


@pytest.fixture
def ready(standin, quick_panel):
    head = add_head("T1 Gd")
    quick_panel.ui.guessButton.click()
    return quick_panel.ui, head


def test_scores_are_shown_at_once_with_bounds_survival_and_source(ready):
    ui, _head = ready
    assert ui.clinicalScoresLabel.text == ""
    _give_all(ui)
    told = ui.clinicalScoresLabel.text
    assert "IELSG score 5 of 5: high risk." in told
    assert "15% ± 7% (SD)" in told
    assert "MSKCC class 3" in told
    assert "Ferreri et al., J Clin Oncol 21:266-272, 2003" in told
    assert "Abrey et al., J Clin Oncol 24:5711-5715, 2006" in told
    _choose(ui, age="67", ecog="2")
    told = ui.clinicalScoresLabel.text
    assert "2 to 5 of 5 (intermediate risk, high risk); unknown: LDH, CSF protein, deep structures." in told
    assert "MSKCC class: one of 2, 3; unknown: Karnofsky." in told
    assert "2-year OS" not in told
    _choose(ui)
    assert ui.clinicalScoresLabel.text == ""


def test_findings_go_into_the_result_as_given(ready, quick_panel, monkeypatch, tmp_path):
    ui, _head = ready
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(tmp_path / "words")}))
    wait = Wait()

    def predict():
        ui.predictButton.click()
        wait.until(lambda: quick_panel.logic.run is None, what=ui.messageLabel.text)
        assert ui.messageLabel.text == ""
        return json.loads((tmp_path / "words").read_text()), json.loads(quick_panel.logic.getParameterNode().result)

    words, result = predict()
    assert "--clinical" not in words
    assert result["clinical"] is None
    assert ui.clinicalLabel.text == ""
    _choose(ui, age="67", deepLesion="no")
    assert "do not hold these findings" in ui.clinicalScoresLabel.text
    words, result = predict()
    assert "--clinical" in words
    assert result["clinical"]["findings"] == {"age_years": 67, "deep_lesion": False}
    assert ui.clinicalLabel.text == "The image model and the IELSG score agree."
    assert "do not hold" not in ui.clinicalScoresLabel.text
    _give_all(ui)
    assert predict()[1]["clinical"]["findings"] == ALL_GIVEN


@pytest.mark.parametrize("age", ["6", "670", "old", "inf", "nan"])
def test_an_age_that_is_none_stops_the_run_in_words(ready, quick_panel, age):
    ui, _head = ready
    _choose(ui, age=age)
    assert "18 to 110 years" in ui.clinicalScoresLabel.text
    assert ui.ageEdit.text == age
    ui.predictButton.click()
    assert quick_panel.logic.run is None
    assert "18 to 110 years" in ui.messageLabel.text


def test_half_years_are_read_with_comma_or_point(ready):
    ui, _head = ready
    for age in ("49,5", "49.5"):
        _choose(ui, age=age, karnofsky="90 %")
        assert "MSKCC class 1" in ui.clinicalScoresLabel.text


def test_another_patient_never_gets_the_findings(ready, quick_panel):
    ui, first = ready
    _give_all(ui)
    second = add_head("another patient")
    parameters = quick_panel.logic.getParameterNode()
    parameters.t1gdVolume = second
    assert ui.ageEdit.text == ""
    assert {getattr(ui, f"{name}Selector").currentText for name in SELECTORS} == {"not given"}
    assert ui.clinicalScoresLabel.text == ""
    parameters.t1gdVolume = first
    assert ui.ageEdit.text == "67"
    assert ui.surgerySelector.currentText == "biopsy"
    parameters.t1gdVolume = None
    assert not ui.ageEdit.enabled
    assert "Choose a T1Gd first" in ui.clinicalScoresLabel.text


def test_findings_come_back_with_a_saved_scene(ready, quick_panel, standin, tmp_path):
    import slicer

    ui, _head = ready
    _give_all(ui)
    path = tmp_path / "scene.mrml"
    slicer.mrmlScene.Commit(str(path))
    assert "clinicalFindings" in path.read_text()
