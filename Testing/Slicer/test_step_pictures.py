"""The strip of pictures, one for every step of the preparation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_scenes import GEOMETRIES, LESION_RAS_MM, add_head, outputs_of, red_view, step_buttons

from PCNSLSurvivalLib.core.messages import Message


def test_every_step_stands_in_the_strip_with_its_number(predicted_from_three):
    panel = predicted_from_three()
    texts = [button.text for button in step_buttons(panel).values()]
    assert [text.removeprefix("⚠ ").split("\n")[0] for text in texts] == [
        "As acquired", "Bias-corrected", "Brain outline", "T1 aligned", "T2 aligned", "Network input",
    ]  # fmt: skip
    assert texts[0].endswith("2.0×2.0×2.0 mm")
    assert "bias field" in texts[1]
    assert "moved" in texts[3]
    for button in step_buttons(panel).values():
        assert not button.icon.isNull()
        assert button.toolTip
        assert button.accessibleName


def test_the_strip_is_drawn_anew_only_when_a_picture_of_it_changes(predicted_from_three):
    """The end of a run and every visit of the panel ask for it."""
    import slicer

    panel = predicted_from_three()
    before = step_buttons(panel)
    panel.enter()
    assert step_buttons(panel) == before
    slicer.util.arrayFromVolumeModified(outputs_of(panel).node("output.mask"))
    panel.enter()
    assert step_buttons(panel)["output.mask"] is not before["output.mask"]


def test_what_a_check_found_stands_at_its_step(predicted_from_three):
    panel = predicted_from_three()
    parameters = panel.logic.getParameterNode()
    result = json.loads(parameters.result)
    large = Message("brain.too_large", ml=2100.4)
    finding = {"measure": "brain_volume", "step": "brain_extraction", "sequence": None, "verdict": "check"}
    result["preprocessing"] = {"findings": [{**finding, **large.to_json()}], "brain_volume_ml": 2100.4}
    parameters.result = json.dumps(result)
    button = step_buttons(panel)["output.mask"]
    assert button.text == "⚠ Brain outline\n2100 mL"
    assert str(large) in button.toolTip
    assert "⚠" not in step_buttons(panel)["shown.t1gd"].text


@pytest.mark.parametrize("geometry", list(GEOMETRIES))
def test_a_thumbnail_shows_the_patient_as_a_radiologist_does(standin, geometry):
    """The lesion on the patient's right stands on the left of the picture, anterior is up, wherever voxels run."""
    import slicer
    from PCNSLSurvivalUI.result.thumbnails import Place, axialValues

    head = add_head("T1 Gd", geometry, lesion=3000.0)
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "mask")
    slicer.util.updateVolumeFromArray(mask, (slicer.util.arrayFromVolume(head) > 100).astype(np.uint8))
    mask.CopyOrientation(head)
    place = Place(mask)
    np.testing.assert_allclose(place.center_ras_mm, (0, 0, 0), atol=8.0)
    place.center_ras_mm = np.array([0.0, 0.0, LESION_RAS_MM[2]])
    row, column = np.argwhere(axialValues(head, place, 101) > 2000).mean(axis=0)
    millimeters = place.edge_mm / 100
    assert (50 - column) * millimeters == pytest.approx(LESION_RAS_MM[0], abs=2.0)
    assert (50 - row) * millimeters == pytest.approx(LESION_RAS_MM[1], abs=2.0)


def test_a_click_shows_the_step_large_and_another_one_the_map_again(predicted_from_three):
    panel = predicted_from_three()
    outputs, before = outputs_of(panel), (red_view().GetForegroundVolumeID(), red_view().GetLabelVolumeID())
    step_buttons(panel)["output.input"].click()
    assert red_view().GetBackgroundVolumeID() == outputs.node("output.input").GetID()
    assert red_view().GetForegroundVolumeID() is None
    step_buttons(panel)["output.mask"].click()
    assert not step_buttons(panel)["output.input"].checked
    assert red_view().GetBackgroundVolumeID() == panel.ui.t1gdSelector.currentNode().GetID()
    assert red_view().GetLabelVolumeID() == outputs.node("output.mask").GetID()
    step_buttons(panel)["output.mask"].click()
    assert (red_view().GetForegroundVolumeID(), red_view().GetLabelVolumeID()) == before


def test_working_on_the_map_leaves_the_step(predicted_from_three):
    panel = predicted_from_three()
    step_buttons(panel)["output.corrected"].click()
    assert red_view().GetForegroundVolumeID() is None
    panel.ui.opacitySlider.value = 0.9
    assert red_view().GetForegroundVolumeID() is not None
    assert not step_buttons(panel)["output.corrected"].checked
