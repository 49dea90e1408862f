"""The tutorial for radiologists, followed in the stand-in: every control that a step names, in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from made_scenes import Wait, add_head, step_buttons

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tutorial-radiologist.md").read_text(encoding="utf-8")


def _section(number):
    (text,) = re.findall(rf"^## {number}\. (.*?)(?=^## |\Z)", PAGE, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"\s+", " ", text)


@pytest.fixture
def follow(quick_panel, monkeypatch):
    """Gives a function that holds a control's own words against the step of the page that names it."""

    def named(section, text):
        shown = re.sub(r"[◀▶…]", "", text).strip()
        assert f"*{shown}" in _section(section), f"step {section} does not name {shown}"

    return quick_panel, named


def test_every_step_of_the_tutorial_for_radiologists_does_what_the_page_says(follow, monkeypatch, tmp_path):
    import slicer
    from PCNSLSurvivalUI.result import report_files
    from PCNSLSurvivalUI.run import request
    from PCNSLSurvivalUI.run.engines import BUILT_IN

    panel, named = follow
    monkeypatch.setattr(request, "is_brain_extractor_installed", lambda method: True)
    ui, parameters = panel.ui, panel.logic.getParameterNode()
    before = {node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")}
    add_head("Demonstration T1Gd")
    Wait().until(lambda: parameters.t1gdVolume is not None, 5, what="step 3.2: the T1Gd is found by its name")
    assert parameters.t1gdVolume.GetID() not in before
    fast = next(row for row in range(ui.preparationSelector.count) if "Fast" in ui.preparationSelector.itemText(row))
    named(3, ui.preparationSelector.itemText(fast).split(":")[0])
    ui.preparationSelector.setCurrentIndex(fast)
    ui.preparationSelector.activated.emit(fast)  # as a click does
    assert {parameters.biasEngine, parameters.brainEngine, parameters.registrationEngine} == {BUILT_IN}
    named(3, ui.predictButton.text)
    ui.predictButton.click()
    named(3, ui.predictButton.text)  # Cancel
    Wait().until(lambda: panel.logic.run is None)
    assert ui.messageLabel.text == ""
    assert ui.warningsLabel.isVisibleTo(panel.parent), "step 4.1"
    assert "63 %" in ui.headlineLabel.text, "step 4.2"
    assert "⚠" in step_buttons(panel)["output.mask"].text, "step 4.3"
    step_buttons(panel)["output.mask"].click()
    assert ui.repairButton.isVisibleTo(panel.parent)
    assert "*Repair the brain outline*" in _section(4)
    assert ui.repairButton.text.startswith("Repair the brain outline")
    step_buttons(panel)["output.mask"].click()
    named(4, ui.nextCellButton.text)
    ui.nextCellButton.click()
    named(4, ui.smoothSelector.itemText(1))
    ui.smoothSelector.setCurrentIndex(1)
    assert parameters.mapAsCells
    named(5, ui.saveReportButton.text)
    monkeypatch.setattr(report_files, "askFile", lambda *words: tmp_path / "report.html")
    ui.saveReportButton.click()
    assert (tmp_path / "report.html").is_file()
    for button in (ui.saveKeyImagesButton, ui.saveDicomButton, ui.closeResultButton):
        named(5, button.text)
    ui.closeResultButton.click()
    assert not ui.resultSection.isVisibleTo(panel.parent)
