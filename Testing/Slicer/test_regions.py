"""Names of brain regions: the user's atlas is registered in the background, and the region under the pointer is named.

Only where the registration passed its check, only inside the brain, and only for the result it was made for.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_scenes import LESION_RAS_MM, Wait, add_head, child_processes, temporary_files

from PCNSLSurvivalLib.cli.__main__ import command_line_parser

MIDDLE = "Under the pointer: Thalamus <b>L</b>; within 6 mm also Thalamus R"


@pytest.fixture
def crosshair(standin):
    """Where the pointer is."""
    import slicer

    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    return node if node is not None else slicer.mrmlScene.AddNewNodeByClass("vtkMRMLCrosshairNode")


@pytest.fixture
def case(quick_panel, opened, crosshair, standin, monkeypatch, tmp_path):
    """A result, and an atlas that the user will choose."""
    import qt

    standin.app.userSettings().clear()
    (tmp_path / "atlas").mkdir()
    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", lambda *words: str(tmp_path / "atlas"))
    yield opened(add_head("T1 Gd", "oblique"))
    standin.app.userSettings().clear()


def _plan(monkeypatch, tmp_path, **plan):
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(tmp_path / "words"), **plan}))


def _named(panel):
    wait = Wait()
    wait.until(lambda: "Cancel" not in panel.ui.regionsButton.text)
    return wait


def _middle(panel):
    """RAS of the middle of the shown T1Gd."""
    node = panel.ui.t1gdSelector.currentNode()
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    return np.array(bounds).reshape(3, 2).mean(axis=1)


def _point(crosshair, middle, right_mm):
    """Move the pointer beside the middle of the head."""
    ras = middle + np.array([right_mm, 0.0, 0.0])
    crosshair.SetCursorPositionRAS([float(v) for v in ras])


def test_the_region_under_the_pointer_is_named(case, crosshair, monkeypatch, tmp_path):
    import qt

    _plan(monkeypatch, tmp_path)
    ui = case.ui
    assert not ui.regionLabel.isVisibleTo(case.parent)
    ui.regionsButton.click()
    wait = _named(case)
    assert wait.is_calm(), wait.longest_gap_ms
    words = json.loads((tmp_path / "words").read_text())
    asked = command_line_parser().parse_args(words)  # the real command line takes every word
    assert asked.command == "regions"
    assert asked.atlas == tmp_path / "atlas"
    assert asked.already_corrected
    middle = _middle(case)
    _point(crosshair, middle, -40)  # R is +x in RAS
    assert ui.regionLabel.text == "Under the pointer: Thalamus <b>L</b>"
    assert ui.regionLabel.textFormat == qt.Qt.PlainText, "the atlas's own words, never markup"
    _point(crosshair, middle, 40)
    assert ui.regionLabel.text == "Under the pointer: Thalamus R"
    _point(crosshair, middle, -2)
    assert ui.regionLabel.text == MIDDLE
    _point(crosshair, middle, 500)
    assert ui.regionLabel.text == "Move the pointer over the brain to see the region."
    assert "a name, which are not shown: 3" in ui.regionLabel.toolTip
    assert child_processes() == []


def test_the_strongest_hotspot_of_the_shown_map_and_the_foci_are_named(case, crosshair, monkeypatch, tmp_path):
    _plan(monkeypatch, tmp_path)
    ui = case.ui
    assert not ui.regionPlacesLabel.isVisibleTo(case.parent)
    ui.regionsButton.click()
    _named(case)
    side = "Thalamus R" if LESION_RAS_MM[0] > 0 else "Thalamus <b>L</b>"
    first, *foci = ui.regionPlacesLabel.text.splitlines()
    assert first.startswith(f"Strongest hotspot: {side}")
    assert foci == [], "without a tumor outline there are none"
    parameters = case.logic.getParameterNode()
    result = json.loads(parameters.result)
    focus = {"volume_ml": 2.1, "side": "left", "diameters": {}, "center_ras_mm": (_middle(case) - (40, 0, 0)).tolist()}
    outside = focus | {"center_ras_mm": [900.0, 0.0, 0.0]}
    diameters = {"longest_mm": 16.4, "perpendicular_mm": 15.6, "superior_mm": 9.0}
    foci = [one | {"diameters": diameters} for one in (focus, outside)]
    parameters.result = json.dumps(result | {"lesion": {"source": "given", "volume_ml": 2.2, "foci": foci}})
    _named(case)
    assert ui.regionPlacesLabel.text.splitlines()[1:] == ["Middle of focus 1 (2.1 mL): Thalamus <b>L</b>"]
    ui.regionsButton.click()
    assert ui.regionPlacesLabel.text == ""


def test_a_registration_that_failed_its_check_names_nothing_and_says_why(case, crosshair, monkeypatch, tmp_path):
    _plan(monkeypatch, tmp_path, apart=True)
    case.ui.regionsButton.click()
    _named(case)
    _point(crosshair, _middle(case), 0)
    assert case.ui.regionLabel.text.startswith("No region names are shown: two registrations of the atlas differ")
    assert case.ui.regionsButton.text == "Name the brain regions"


def test_an_atlas_that_cannot_be_used_is_refused_with_a_sentence(case, monkeypatch, tmp_path):
    _plan(monkeypatch, tmp_path, stop_at="regions")
    case.ui.regionsButton.click()
    _named(case)
    assert case.ui.regionLabel.text.startswith("The table of names holds no names.")


def test_a_second_click_cancels_and_a_third_starts_again(case, crosshair, monkeypatch, tmp_path):
    _plan(monkeypatch, tmp_path, seconds=30.0)
    ui, left = case.ui, []
    for _time in range(2):
        ui.regionsButton.click()
        Wait().until(lambda: (tmp_path / "words").is_file())
        assert "Cancel" in ui.regionsButton.text
        ui.regionsButton.click()
        assert ui.regionsButton.text == "Name the brain regions"
        assert ui.regionLabel.text == ""
        Wait().until(lambda: child_processes() == [])
        (tmp_path / "words").unlink()
        left.append(temporary_files())
    assert left[0] == left[1], "only the cache of the panel stays"
    _plan(monkeypatch, tmp_path)
    ui.regionsButton.click()
    _named(case)
    _point(crosshair, _middle(case), 40)
    assert ui.regionLabel.text == "Under the pointer: Thalamus R"


def test_names_go_with_their_result_and_come_for_the_next_patient(case, crosshair, opened, monkeypatch, tmp_path):
    _plan(monkeypatch, tmp_path)
    ui = case.ui
    ui.regionsButton.click()
    _named(case)
    _point(crosshair, _middle(case), 40)
    ui.closeResultButton.click()
    assert ui.regionLabel.text == ""
    assert not ui.regionsButton.enabled
    (tmp_path / "words").unlink()
    opened(add_head("T1 Gd of another patient"))
    assert ui.regionLabel.text != "Under the pointer: Thalamus R", "until its own registration is there, no name"
    _named(case)
    assert (tmp_path / "words").is_file(), "the names stay wanted"
    _point(crosshair, _middle(case), -40)
    assert ui.regionLabel.text == "Under the pointer: Thalamus <b>L</b>"
    ui.regionsButton.click()  # hides them
    assert ui.regionLabel.text == ""
    (tmp_path / "words").unlink()
    opened(add_head("T1 Gd of a third patient"))
    Wait().until(lambda: True)
    assert ui.regionsButton.text == "Name the brain regions"
    assert not (tmp_path / "words").is_file()


def test_closing_the_scene_during_the_registration_leaves_nothing_running(case, standin, monkeypatch, tmp_path):
    import slicer

    _plan(monkeypatch, tmp_path, seconds=30.0)
    case.ui.regionsButton.click()
    Wait().until(lambda: (tmp_path / "words").is_file())
    slicer.mrmlScene.Clear(0)
    Wait().until(lambda: child_processes() == [])
    assert case.ui.regionLabel.text == ""
