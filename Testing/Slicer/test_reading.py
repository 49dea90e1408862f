"""The reading mode: no score and no map before the reader's own estimate, and readings without identity."""

from __future__ import annotations

import csv
import json

import pytest
from made_scenes import Wait, add_head, shortcuts

NAME = "T1 Gd of Jane Doe"


@pytest.fixture
def hidden(standin, quick_panel, monkeypatch):
    """The panel in reading mode with a prediction that has just arrived."""
    from PCNSLSurvivalUI.run import request
    from PCNSLSurvivalUI.run.engines import BUILT_IN

    standin.app.userSettings().clear()
    monkeypatch.setattr(request, "is_brain_extractor_installed", lambda method: True)
    parameters, ui = quick_panel.logic.getParameterNode(), quick_panel.ui
    parameters.biasEngine = parameters.brainEngine = parameters.registrationEngine = BUILT_IN
    parameters.t1gdVolume = add_head(NAME)
    ui.proposeLesionCheckBox.setChecked(True)
    ui.readFirstCheckBox.setChecked(True)
    _predict(quick_panel)
    return quick_panel


def _predict(panel):
    panel.ui.predictButton.click()
    Wait().until(lambda: panel.logic.run is None, what=panel.ui.messageLabel.text)
    assert panel.ui.messageLabel.text == ""


def _isShown(panel):
    """What would tell the reader: text, map, legend, outline."""
    import slicer

    ui = panel.ui
    sections = (ui.resultSection, ui.mapSection, ui.qualitySection, ui.reportSection)
    seen = {section.isVisibleTo(panel.parent) for section in sections}
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    seen |= {composite.GetForegroundVolumeID() is not None for composite in composites}
    legends = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
    seen.add(any(legend.GetVisibility() for legend in legends))
    outlines = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    seen |= {bool(outline.GetDisplayNode().GetVisibility()) for outline in outlines}
    seen.add(bool(ui.lesionLabel.text))
    assert len(seen) == 1, "all of it or nothing"
    return seen.pop()


def _saved(panel, monkeypatch, tmp_path):
    from PCNSLSurvivalUI.result import report_files

    monkeypatch.setattr(report_files, "askFile", lambda *_words: tmp_path / "readings.csv")
    panel.ui.saveReadingsButton.click()
    text = (tmp_path / "readings.csv").read_text(encoding="utf-8")
    return text, list(csv.DictReader(text.splitlines()))


def test_score_and_map_are_hidden_until_estimate_and_confidence_are_given(hidden):
    """What is to be read is in the views, and nothing else."""
    import slicer

    ui = hidden.ui
    shown = {node.GetBackgroundVolumeID() for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")}
    assert shown == {ui.t1gdSelector.currentNode().GetID()}
    assert not _isShown(hidden)
    assert ui.readingSection.isVisibleTo(hidden.parent)
    assert not ui.revealButton.enabled
    ui.mapVisibleCheckBox.toggle()  # the keyboard shortcut of the map
    ui.mapVisibleCheckBox.toggle()
    shortcuts()["Ctrl+Shift+N"].activated.emit()
    ui.stepsSection.setChecked(True)
    Wait().some(0.1)
    hidden.view.listenToKeys(True)
    assert not _isShown(hidden)
    ui.estimateSlider.value = 20.0
    ui.confidenceSelector.setCurrentIndex(4)
    ui.revealButton.click()
    assert _isShown(hidden)
    assert "63 %" in ui.headlineLabel.text
    assert not ui.readingSection.isVisibleTo(hidden.parent)
    assert not ui.stepsSection.checked


def test_readings_have_estimate_and_prediction_and_no_identity(hidden, monkeypatch, tmp_path):
    from PCNSLSurvivalUI.sections.reading_section import COLUMNS

    for number, (estimate, grade) in enumerate(((20.0, 4), (80.0, 1))):
        if number:
            _predict(hidden)
        assert not hidden.ui.revealButton.enabled, "each prediction is read anew"
        hidden.ui.estimateSlider.value = estimate
        hidden.ui.confidenceSelector.setCurrentIndex(grade)
        hidden.ui.revealButton.click()
        hidden.logic.getParameterNode().revealed = ""
    text, rows = _saved(hidden, monkeypatch, tmp_path)
    assert tuple(rows[0]) == COLUMNS
    assert [(row["reading"], row["estimate_percent"], row["confidence_1_to_5"]) for row in rows] == [
        ("1", "20", "4"),
        ("2", "80", "1"),
    ]
    assert {(row["probability_percent"], row["class"], row["model"]) for row in rows} == {
        ("63.0", "over_one_year", "made-up")
    }
    read = json.loads(hidden.logic.getParameterNode().result)["inputs"]["t1gd"]["voxels_sha256"]
    assert {row["t1gd_voxels_sha256"] for row in rows} == {read}
    assert all(float(row["seconds"]) >= 0 for row in rows)
    assert "Jane" not in text


def test_what_was_read_stays_shown_and_the_mode_can_be_left(hidden, monkeypatch, tmp_path):
    ui = hidden.ui
    ui.readFirstCheckBox.setChecked(False)
    assert "63 %" in ui.headlineLabel.text
    assert ui.resultSection.isVisibleTo(hidden.parent)
    assert not ui.readingSection.isVisibleTo(hidden.parent)
    ui.saveReadingsButton.click()
    assert "no readings yet" in ui.messageLabel.text
    ui.readFirstCheckBox.setChecked(True)
    assert ui.resultSection.isVisibleTo(hidden.parent), "what has been seen is not hidden again"
    parameters = hidden.logic.getParameterNode()
    hidden.view.unbind()
    hidden.view.bind(parameters)
    assert ui.resultSection.isVisibleTo(hidden.parent), "nor after the scene was opened again"
