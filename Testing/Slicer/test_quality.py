"""The quality strip, and repairs that go on from Segment Editor and Transforms."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_scenes import GEOMETRIES, LESION_RAS_MM, Wait, add_head

from PCNSLSurvivalLib.core.messages import Message


@pytest.fixture
def predicted(standin, quick_panel):
    """The panel after a prediction from T1Gd, T1 and T2."""
    from slicer_standin import cli

    for module in ("n4itkbiasfieldcorrection", "swissskullstripper", "brainsfit"):
        cli.plans[module] = {"quick": True}

    def run(geometry="axial"):
        ui = quick_panel.ui
        ui.t1gdSelector.setCurrentNode(add_head("T1 Gd", geometry))
        ui.t1Selector.setCurrentNode(add_head("T1", lesion=300.0))
        ui.t2Selector.setCurrentNode(add_head("T2", gain=0.6))
        ui.predictButton.click()
        Wait().until(lambda: quick_panel.logic.run is None)
        assert ui.messageLabel.text == ""
        return quick_panel

    return run


def _outputs(panel):
    from PCNSLSurvivalUI.scene.output_nodes import SceneOutputs

    return SceneOutputs(panel.view._parameters.parameterNode)


def _buttons(panel):
    return panel.view._quality.strip.buttons


def _red():
    import slicer

    return slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")


def test_every_step_stands_in_the_strip_with_its_number(predicted):
    panel = predicted()
    texts = [button.text for button in _buttons(panel).values()]
    assert [text.removeprefix("⚠ ").split("\n")[0] for text in texts] == [
        "As acquired", "Bias-corrected", "Brain outline", "T1 aligned", "T2 aligned", "Network input",
    ]  # fmt: skip
    assert texts[0].endswith("2.0×2.0×2.0 mm")
    assert "bias field" in texts[1]
    assert "moved" in texts[3]
    for button in _buttons(panel).values():
        assert not button.icon.isNull()
        assert button.toolTip
        assert button.accessibleName


def test_the_strip_is_drawn_anew_only_when_a_picture_of_it_changes(predicted):
    """The end of a run and every visit of the panel ask for it."""
    import slicer

    panel = predicted()
    before = dict(_buttons(panel))
    panel.view._quality.refresh()
    assert _buttons(panel) == before
    slicer.util.arrayFromVolumeModified(_outputs(panel).node("output.mask"))
    panel.view._quality.refresh()
    assert _buttons(panel)["output.mask"] is not before["output.mask"]


def test_what_a_check_found_stands_at_its_step(predicted):
    panel = predicted()
    parameters = panel.view._parameters
    result = json.loads(parameters.result)
    large = Message("brain.too_large", ml=2100.4)
    finding = {"measure": "brain_volume", "step": "brain_extraction", "sequence": None, "verdict": "check"}
    result["preprocessing"] = {"findings": [{**finding, **large.to_json()}], "brain_volume_ml": 2100.4}
    parameters.result = json.dumps(result)
    button = _buttons(panel)["output.mask"]
    assert button.text == "⚠ Brain outline\n2100 mL"
    assert str(large) in button.toolTip
    assert "⚠" not in _buttons(panel)["shown.t1gd"].text


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


def test_a_click_shows_the_step_large_and_another_one_the_map_again(predicted):
    panel = predicted()
    outputs, before = _outputs(panel), (_red().GetForegroundVolumeID(), _red().GetLabelVolumeID())
    _buttons(panel)["output.input"].click()
    assert _red().GetBackgroundVolumeID() == outputs.node("output.input").GetID()
    assert _red().GetForegroundVolumeID() is None
    _buttons(panel)["output.mask"].click()
    assert not _buttons(panel)["output.input"].checked
    assert _red().GetBackgroundVolumeID() == panel.ui.t1gdSelector.currentNode().GetID()
    assert _red().GetLabelVolumeID() == outputs.node("output.mask").GetID()
    _buttons(panel)["output.mask"].click()
    assert (_red().GetForegroundVolumeID(), _red().GetLabelVolumeID()) == before


def test_working_on_the_map_leaves_the_step(predicted):
    panel = predicted()
    _buttons(panel)["output.corrected"].click()
    assert _red().GetForegroundVolumeID() is None
    panel.ui.opacitySlider.value = 0.9
    assert _red().GetForegroundVolumeID() is not None
    assert not _buttons(panel)["output.corrected"].checked


def test_a_mask_is_repaired_in_segment_editor_and_used(standin, predicted, monkeypatch, tmp_path):
    import slicer
    from slicer_standin.application import messages

    panel = predicted()
    _buttons(panel)["output.mask"].click()
    assert panel.ui.repairButton.isVisibleTo(panel.parent)
    panel.ui.repairButton.click()
    assert ("module", "SegmentEditor") in messages
    segmentation = _outputs(panel).node("output.repair.mask")
    assert segmentation.GetSegmentation().GetNthSegment(0).GetName() == "Brain"
    mask = _outputs(panel).node("output.mask")
    repaired = np.zeros(slicer.util.arrayFromVolume(mask).shape, np.uint8)
    repaired[20:50, 30:60, 20:50] = 1
    drawn = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "drawn")
    slicer.util.updateVolumeFromArray(drawn, repaired)
    drawn.CopyOrientation(mask)
    segmentation.GetSegmentation().RemoveAllSegments()
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(drawn, segmentation)
    slicer.mrmlScene.RemoveNode(drawn)
    panel.enter()
    assert "repaired brain outline" in panel.ui.goOnButton.text
    tables = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLColorTableNode")
    record = tmp_path / "arguments.json"
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(record)}))
    panel.ui.goOnButton.click()
    used = panel.view._parameters.brainMask
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(used), repaired)
    assert used.GetName() == "Brain mask of T1 Gd, repaired"
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLColorTableNode") == tables, "Slicer's export adds one"
    Wait().until(lambda: panel.logic.run is None)
    assert "--brain-mask" in json.loads(record.read_text(encoding="utf-8"))
    assert not panel.ui.goOnButton.isVisibleTo(panel.parent)


def test_the_brain_is_repaired_as_an_outline_on_t1gd(standin, predicted, capfd):
    """Segment Editor reads T1Gd, although it edited something else before; the mask covers nothing."""
    import slicer
    from made_scenes import add_head

    other = add_head("another patient", gain=0.9)
    tumor = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "tumor")
    tumor.SetReferenceImageGeometryParameterFromVolumeNode(other)
    editor = slicer.modules.segmenteditor.editor
    editor.setSegmentationNode(tumor)
    panel = predicted()
    t1gd = _outputs(panel).node("shown.t1gd")
    _buttons(panel)["output.mask"].click()
    capfd.readouterr()
    panel.ui.repairButton.click()
    assert "subject hierarchy" not in capfd.readouterr().err
    segmentation = _outputs(panel).node("output.repair.mask")
    assert editor.segmentationNode() is segmentation
    assert editor.sourceVolumeNode() is t1gd
    assert (_red().GetBackgroundVolumeID(), _red().GetForegroundVolumeID()) == (t1gd.GetID(), None)
    assert _red().GetLabelVolumeID() is None
    display = segmentation.GetDisplayNode()
    assert display.GetVisibility2DOutline()
    assert not display.GetVisibility2DFill()
    legends = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
    assert not any(legend.GetVisibility() for legend in legends)


def test_one_button_leads_back_from_segment_editor(standin, predicted):
    """It stands in Slicer's window while a repair is under way, opens the panel and goes on from the repair."""
    from PySide6 import QtWidgets
    from slicer_standin.application import messages

    def bars():
        found = QtWidgets.QMainWindow.findChildren(standin.main_window, QtWidgets.QToolBar)
        return [bar for bar in found if not bar.isHidden()]

    panel = predicted()
    assert bars() == []
    _buttons(panel)["output.mask"].click()
    panel.ui.repairButton.click()
    assert len(bars()) == 1
    way_back = panel.view._quality.wayBack
    assert way_back.button.text == panel.ui.goOnButton.text
    messages.clear()
    way_back.button.click()
    assert messages[0] == ("module", "PCNSLSurvival")
    assert panel.logic.run is not None
    assert panel.view._parameters.brainMask.GetName() == "Brain mask of T1 Gd, repaired"
    assert bars() == []
    Wait().until(lambda: panel.logic.run is None)
    assert panel.view._quality.wayBack.bar is None
    first = panel.ui.t1gdSelector.currentNode()
    panel.ui.t1gdSelector.setCurrentNode(add_head("T1 Gd of another day", gain=0.9))
    assert panel.view._parameters.brainMask is None, "it was drawn on another head"
    panel.ui.t1gdSelector.setCurrentNode(first)
    assert panel.view._parameters.brainMask.GetName() == "Brain mask of T1 Gd, repaired"


def test_the_way_back_goes_with_the_scene(standin, predicted):
    import slicer

    panel = predicted()
    _buttons(panel)["output.mask"].click()
    panel.ui.repairButton.click()
    slicer.mrmlScene.Clear(0)
    assert panel.view._quality.wayBack.bar is None


def test_an_empty_repair_is_refused_with_a_sentence(standin, predicted):
    import slicer

    panel = predicted()
    _buttons(panel)["output.mask"].click()
    panel.ui.repairButton.click()
    segmentation = _outputs(panel).node("output.repair.mask")
    segmentation.RemoveSegment(segmentation.GetSegmentation().GetNthSegmentID(0))
    count = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLLabelMapVolumeNode")
    panel.ui.goOnButton.click()
    assert "is empty" in panel.ui.messageLabel.text
    assert panel.logic.run is None
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLLabelMapVolumeNode") == count


def test_an_alignment_is_repaired_in_transforms_and_used(standin, predicted):
    """Moved by 12 mm in Transforms, the aligned T2 shows the head 12 mm further on the voxels of T1Gd."""
    import slicer
    from PCNSLSurvivalUI.choices.parameters import chosenVolumes
    from PCNSLSurvivalUI.result import repair

    from PCNSLSurvivalLib.core.terms import MRSequence

    panel = predicted()
    outputs, t2 = _outputs(panel), panel.ui.t2Selector.currentNode()
    before = slicer.util.arrayFromVolume(t2).copy()
    _buttons(panel)["output.aligned.t2"].click()
    panel.ui.repairButton.click()
    moving = outputs.node(repair.MOVING + "t2")
    assert _red().GetForegroundVolumeID() == moving.GetID()
    matrix = np.eye(4)
    matrix[0, 3] = 12.0
    outputs.node("output.transform.t2").SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    panel.ui.goOnButton.click()
    Wait().until(lambda: outputs.node(repair.MOVING + "t2") is None)
    aligned = slicer.util.arrayFromVolume(outputs.node("output.aligned.t2"))
    np.testing.assert_array_equal(aligned[:, :, 6:], before[:, :, :-6])  # voxels of 2 mm
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(t2), before)
    assert "moved 12.0 mm" in _buttons(panel)["output.aligned.t2"].text
    assert list(repair.repairedAlignments(outputs, chosenVolumes(panel.view._parameters))) == [MRSequence.T2]
    other = add_head("T2 of another series", gain=0.5)
    panel.ui.t2Selector.setCurrentNode(other)
    panel.ui.predictButton.click()
    assert panel.logic.run._volumes.raw[MRSequence.T2].GetImageData() is other.GetImageData(), (
        "the scan that was chosen"
    )
    panel.ui.predictButton.click()
    panel.ui.t2Selector.setCurrentNode(t2)
    panel.ui.predictButton.click()
    assert (
        panel.logic.run._volumes.raw[MRSequence.T2].GetImageData() is outputs.node("output.aligned.t2").GetImageData()
    )
    Wait().until(lambda: panel.logic.run is None)
    step = panel.view._steps.find("registration t2")
    assert (step.state, step.note) == ("skipped", "your registration is used")
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(outputs.node("output.aligned.t2")), aligned)
    first, other = panel.ui.t1gdSelector.currentNode(), add_head("T1 Gd of another day")
    for t1gd, state in ((other, "done"), (first, "skipped")):
        panel.ui.t1gdSelector.setCurrentNode(t1gd)
        assert panel.ui.t2Selector.currentNode() is t2, "what was aligned by hand belongs to no scan chosen as T1Gd"
        panel.ui.predictButton.click()
        Wait().until(lambda: panel.logic.run is None)
        assert panel.view._steps.find("registration t2").state == state
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(outputs.node("output.aligned.t2")), aligned)
    toT1gd = slicer.util.arrayFromTransformMatrix(outputs.node("output.transform.t2"))
    np.testing.assert_allclose(toT1gd, matrix)


def _move_t2(panel):
    """Begin to repair the alignment of T2, and move it by 40 mm; returns the matrix of before."""
    import slicer

    transform = _outputs(panel).node("output.transform.t2")
    before = slicer.util.arrayFromTransformMatrix(transform)
    _buttons(panel)["output.aligned.t2"].click()
    panel.ui.repairButton.click()
    matrix = np.eye(4)
    matrix[0, 3] = 40.0
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    return before


def _t2_is_as_before(panel, before):
    import slicer
    from PCNSLSurvivalUI.result import repair

    outputs = _outputs(panel)
    np.testing.assert_array_equal(slicer.util.arrayFromTransformMatrix(outputs.node("output.transform.t2")), before)
    assert outputs.node(repair.MOVING + "t2") is None
    assert not panel.ui.discardButton.isVisibleTo(panel.parent)


def test_a_repair_is_discarded_and_until_then_nothing_takes_it_away(standin, predicted, monkeypatch, tmp_path):
    from PCNSLSurvivalUI.result import repair
    from slicer_standin.application import messages

    panel = predicted()
    ui, outputs = panel.ui, _outputs(panel)
    aligned, first, other = outputs.node("output.aligned.t2"), ui.t1gdSelector.currentNode(), add_head("T1 Gd of B")
    before = _move_t2(panel)
    panel.view._quality.refresh()  # another module was left
    assert "moved 40." in _buttons(panel)["output.aligned.t2"].text
    for t1gd in (other, first):
        ui.t1gdSelector.setCurrentNode(t1gd)
        ui.messageLabel.text = ""
        ui.predictButton.click()
        assert panel.logic.run is None
        assert "alignment of T2 is being repaired" in ui.messageLabel.text
    ui.messageLabel.text = ""
    panel.view._openCase(tmp_path, other)
    assert panel.view._opening is None
    assert "alignment of T2 is being repaired" in ui.messageLabel.text
    assert outputs.node(repair.MOVING + "t2") is not None
    with monkeypatch.context() as user:
        user.setattr(standin.app, "_testing", False)  # somebody is there, and says no
        ui.discardButton.click()
    assert "Discard this repair?" in messages[-1][1]
    assert outputs.node(repair.MOVING + "t2") is not None
    ui.discardButton.click()
    _t2_is_as_before(panel, before)
    assert outputs.node("output.aligned.t2") is aligned
    assert ui.messageLabel.text == ""
    assert "moved 40." not in _buttons(panel)["output.aligned.t2"].text
    assert _red().GetForegroundVolumeID() not in (None, aligned.GetID()), "the map is shown again"
    _outline_is_discarded(panel)
    _repairs_end_with_the_shown_result(panel)


def _outline_is_discarded(panel):
    ui, outputs = panel.ui, _outputs(panel)
    _buttons(panel)["output.mask"].click()
    ui.repairButton.click()
    drawn = outputs.node("output.repair.mask")
    for button in (ui.predictButton, ui.repairButton):  # a second repair would begin anew
        ui.messageLabel.text = ""
        button.click()
        assert panel.logic.run is None
        assert "brain outline is being repaired" in ui.messageLabel.text
    assert outputs.node("output.repair.mask") is drawn
    ui.discardButton.click()
    assert outputs.node("output.repair.mask") is None
    assert panel.view._parameters.brainMask is None


def _repairs_end_with_the_shown_result(panel):
    """Quality goes with it: nothing could be used or discarded any more."""
    ui, outputs = panel.ui, _outputs(panel)
    result, before = panel.view._parameters.result, _move_t2(panel)
    panel.view.closeResult()
    _t2_is_as_before(panel, before)
    assert "repair of the alignment of T2 was discarded" in ui.messageLabel.text
    panel.view._parameters.result = result
    _buttons(panel)["output.mask"].click()
    ui.repairButton.click()
    drawn = outputs.node("output.repair.mask")
    panel.view.closeResult()
    assert f'stays in the scene as "{drawn.GetName()}"' in ui.messageLabel.text
    assert drawn.GetScene() is not None
    assert not drawn.GetDisplayVisibility()
    ui.predictButton.click()
    assert panel.logic.run is not None
    assert ui.messageLabel.text == ""


def test_an_alignment_that_is_sampled_is_not_used_twice_and_can_be_discarded(standin, predicted, tmp_path):
    panel = predicted()
    ui, before = panel.ui, _move_t2(panel)
    ui.messageLabel.text = "of before"
    ui.goOnButton.click()
    assert ui.messageLabel.text == ""
    assert panel.view._quality._pieces is not None
    panel.view._onParameters()  # any choice
    assert not ui.goOnButton.enabled
    assert not ui.repairButton.enabled
    ui.discardButton.click()
    assert panel.view._quality._pieces is None
    _t2_is_as_before(panel, before)
    assert ui.repairButton.enabled
    panel.view._openCase(tmp_path, ui.t1gdSelector.currentNode())
    assert not ui.repairButton.enabled, "another result may come"
    Wait().until(lambda: panel.view._opening is None)
    assert ui.repairButton.enabled


def test_a_repair_goes_on_only_with_the_scans_that_it_was_begun_with(standin, predicted):
    panel = predicted()
    _alignment_goes_on_with_its_scans(panel)
    _mask_goes_on_with_its_t1gd(panel)


def _mask_goes_on_with_its_t1gd(panel):
    parameters, outputs = panel.view._parameters, _outputs(panel)
    first, other = panel.ui.t1gdSelector.currentNode(), add_head("T1 Gd of B", gain=0.9)
    _buttons(panel)["output.mask"].click()
    panel.ui.t1gdSelector.setCurrentNode(other)
    panel.ui.repairButton.click()
    assert outputs.node("output.repair.mask") is None
    assert first.GetName() in panel.ui.messageLabel.text
    panel.ui.t1gdSelector.setCurrentNode(first)
    panel.ui.repairButton.click()
    panel.ui.t1gdSelector.setCurrentNode(other)
    panel.ui.messageLabel.text = ""
    panel.view._quality.wayBack.button.click()
    assert first.GetName() in panel.ui.messageLabel.text
    assert panel.logic.run is None
    assert parameters.brainMask is None
    assert outputs.node("output.repair.mask") is not None, "the work of the user is still there"
    panel.ui.t1gdSelector.setCurrentNode(first)
    panel.view._quality.wayBack.button.click()
    assert panel.logic.run is not None
    panel.ui.predictButton.click()
    mask = parameters.brainMask
    panel.ui.t1gdSelector.setCurrentNode(other)
    parameters.brainMask = mask  # by hand, under Advanced
    panel.ui.predictButton.click()
    assert "repaired for another T1Gd" in panel.ui.messageLabel.text
    assert panel.logic.run is None
    parameters.brainMask = outputs.node("output.mask")
    panel.ui.predictButton.click()
    assert f'was made on "{first.GetName()}"' in panel.ui.messageLabel.text
    assert panel.logic.run is None
    parameters.brainMask = None


def _alignment_goes_on_with_its_scans(panel):
    import slicer
    from PCNSLSurvivalUI.result import repair

    outputs, t2 = _outputs(panel), panel.ui.t2Selector.currentNode()
    first, other = panel.ui.t1gdSelector.currentNode(), add_head("T2 of B", gain=0.5)
    before = slicer.util.arrayFromVolume(outputs.node("output.aligned.t2")).copy()
    _buttons(panel)["output.aligned.t2"].click()
    panel.ui.t2Selector.setCurrentNode(other)
    panel.ui.repairButton.click()
    assert outputs.node(repair.MOVING + "t2") is None, "the transform is that of another scan"
    assert t2.GetName() in panel.ui.messageLabel.text
    panel.ui.t2Selector.setCurrentNode(t2)
    panel.ui.repairButton.click()
    for selector, chosen, own in (
        (panel.ui.t2Selector, other, t2),
        (panel.ui.t1gdSelector, add_head("T1 Gd of B"), first),
    ):
        selector.setCurrentNode(chosen)
        panel.ui.messageLabel.text = ""
        panel.ui.goOnButton.click()
        assert own.GetName() in panel.ui.messageLabel.text
        assert panel.view._quality._pieces is None
        selector.setCurrentNode(own)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(outputs.node("output.aligned.t2")), before)
    panel.ui.goOnButton.click()
    Wait().until(lambda: outputs.node(repair.MOVING + "t2") is None)
    assert repair.movedScan(outputs, "output.aligned.t2") is t2
    aligned = _move_t2(panel)
    slicer.mrmlScene.RemoveNode(t2)
    panel.view._quality.wayBack.button.click()
    assert "no longer in the scene" in panel.ui.messageLabel.text
    assert "repair of the alignment of T2 was discarded" in panel.ui.messageLabel.text
    _t2_is_as_before(panel, aligned)
    assert not panel.ui.goOnButton.isVisibleTo(panel.parent), "nothing can go on from it"
    assert panel.view._quality.wayBack.bar is None


@pytest.fixture
def outputs(standin):
    """Outputs of a parameter node without any panel."""
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import SceneOutputs

    return SceneOutputs(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))


def _repaired_mask(outputs, t1gd, first_slice):
    """Repair the brain mask of a T1Gd: every voxel from one slice on."""
    import slicer
    from PCNSLSurvivalUI.result import repair
    from PCNSLSurvivalUI.scene.output_nodes import MASK, T1GD

    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    values = np.zeros(slicer.util.arrayFromVolume(t1gd).shape, np.uint8)
    values[first_slice:] = 1
    slicer.util.updateVolumeFromArray(mask, values)
    mask.CopyOrientation(t1gd)
    outputs.refer(T1GD, t1gd)
    outputs.place(MASK, mask, "Brain mask", t1gd)
    repair.startMask(outputs)
    repaired = repair.finishMask(outputs)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(repaired), values)
    return repaired


def test_every_t1gd_keeps_its_own_repaired_mask(outputs):
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import brainMaskFor

    voxels = np.ones((8, 10, 12), np.int16)
    first, second, third = (
        slicer.util.addVolumeFromArray(voxels + number, name=f"T1 Gd of {name}") for number, name in enumerate("ABC")
    )
    of_first = _repaired_mask(outputs, first, 3)
    voxels = slicer.util.arrayFromVolume(of_first).copy()
    of_second = _repaired_mask(outputs, second, 5)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(of_first), voxels)
    assert brainMaskFor(outputs, of_second, first) is of_first
    assert brainMaskFor(outputs, of_first, second) is of_second
    assert brainMaskFor(outputs, of_second, third) is None
    assert [of.GetName() for of in (of_first, of_second)] == [f"Brain mask of T1 Gd of {n}, repaired" for n in "AB"]
    assert _repaired_mask(outputs, first, 4) is of_first, "one for each T1Gd: the selector keeps its node"
    assert brainMaskFor(outputs, None, second) is of_second
    slicer.mrmlScene.RemoveNode(first)
    assert brainMaskFor(outputs, of_first, third) is None, "the mask of a T1Gd that is gone is no mask for all"


def test_a_repaired_mask_is_known_again_when_its_t1gd_is_loaded_once_more(outputs):
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import brainMaskFor, whyNotFor

    t1gd = add_head("T1 Gd of A")
    mask = _repaired_mask(outputs, t1gd, 3)
    again = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, t1gd, "T1 Gd of A")
    slicer.mrmlScene.RemoveNode(t1gd)
    assert whyNotFor(outputs, mask, again) == ""
    slicer.util.arrayFromVolume(again)[3, 3, 3] += 1
    assert "repaired for another T1Gd" in whyNotFor(outputs, mask, again)
    bend = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode")
    again.SetAndObserveTransformNodeID(bend.GetID())
    assert brainMaskFor(outputs, mask, again) is None, "and the panel goes on"


def test_a_large_scan_is_known_by_some_of_its_slices(outputs, monkeypatch):
    import slicer
    from PCNSLSurvivalUI.result import repair

    t1gd, hashed = slicer.util.addVolumeFromArray(np.arange(960, dtype=np.int16).reshape(8, 10, 12)), []
    monkeypatch.setattr(repair, "_HASHED_VOXELS", 3 * 10 * 12)
    mask = _repaired_mask(outputs, t1gd, 3)
    again = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, t1gd, "T1 Gd")
    original = repair._hashOfVoxels
    monkeypatch.setattr(repair, "_hashOfVoxels", lambda volume: hashed.append(volume) or original(volume))
    assert repair.isRepairedFor(mask, again)
    again.SetOrigin(0.0, 0.0, 1.0)
    assert not repair.isRepairedFor(mask, again)
    assert hashed == [again], "its place is looked at first"


def test_a_repair_stays_with_its_t1gd_when_its_scene_is_added_to_another(outputs):
    """Both scenes name their first volume alike; Slicer renames the volumes of the one that is added."""
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import brainMaskFor
    from PCNSLSurvivalUI.result.repair import REPAIRED_MASK, markRepaired, repairedAlignments
    from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, SceneOutputs

    from PCNSLSurvivalLib.core.terms import MRSequence

    def add(name, kind="vtkMRMLScalarVolumeNode"):
        return slicer.mrmlScene.AddNewNodeByClass(kind, name)

    t1gd, t2, aligned = add("T1 Gd of A"), add("T2 of A"), add("T2 of A aligned")
    mask = add("mask of A", "vtkMRMLLabelMapVolumeNode")
    markRepaired(aligned, ALIGNED + MRSequence.T2, t1gd, t2)
    markRepaired(mask, REPAIRED_MASK, t1gd)
    first_id = t1gd.GetID()
    slicer.mrmlScene.SetSaveToXMLString(1)
    slicer.mrmlScene.Commit()
    saved = slicer.mrmlScene.GetSceneXMLString()
    slicer.mrmlScene.SetSaveToXMLString(0)
    slicer.mrmlScene.Clear(0)

    mine = {MRSequence.T1GD: add("T1 Gd of B"), MRSequence.T2: add("T2 of B")}
    assert mine[MRSequence.T1GD].GetID() == first_id
    slicer.mrmlScene.SetLoadFromXMLString(1)
    slicer.mrmlScene.SetSceneXMLString(saved)
    slicer.mrmlScene.Import()
    slicer.mrmlScene.SetLoadFromXMLString(0)
    outputs = SceneOutputs(add("choices", "vtkMRMLScriptedModuleNode"))
    theirs = {
        MRSequence.T1GD: slicer.mrmlScene.GetFirstNodeByName("T1 Gd of A"),
        MRSequence.T2: slicer.mrmlScene.GetFirstNodeByName("T2 of A"),
    }
    assert repairedAlignments(outputs, mine) == {}
    assert brainMaskFor(outputs, None, mine[MRSequence.T1GD]) is None
    assert [node.GetName() for node in repairedAlignments(outputs, theirs).values()] == ["T2 of A aligned"]
    assert brainMaskFor(outputs, None, theirs[MRSequence.T1GD]).GetName() == "mask of A"


def test_a_repair_of_a_scene_saved_before_belongs_to_no_t1gd(standin, quick_panel):
    """It holds an ID, which may name another volume by now: the panel says that it is not used."""
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import brainMaskFor
    from PCNSLSurvivalUI.scene.output_nodes import ALIGNED

    parameters, outputs = quick_panel.view._parameters, _outputs(quick_panel)
    t1gd, t2, aligned = (add_head(name) for name in ("T1 Gd", "T2", "T2 moved by hand"))
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    mask.SetAttribute("PCNSLSurvival.output", "output.repairedMask")  # masks had no more than that
    aligned.SetAttribute("PCNSLSurvival.repairedFor", t1gd.GetID())
    outputs.place(ALIGNED + "t2", aligned, "T2 aligned with T1Gd", t1gd)
    assert brainMaskFor(outputs, mask, t1gd) is None
    parameters.t1gdVolume, parameters.brainMask = t1gd, mask
    assert quick_panel.ui.scansNote.text == "", "no T2 is chosen"
    parameters.t2Volume = t2
    assert "T2 was aligned by hand in this scene" in quick_panel.ui.scansNote.text
    quick_panel.ui.predictButton.click()
    assert "the scene does not say for which" in quick_panel.ui.messageLabel.text
    assert quick_panel.logic.run is None


def test_a_brain_mask_is_refused_for_a_t1gd_that_it_was_not_made_on(outputs):
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import brainMaskFor, whyNotFor
    from PCNSLSurvivalUI.scene.output_nodes import MASK, T1GD
    from PCNSLSurvivalUI.two_dates.kept_exam import EARLIER, EARLIER_T1GD

    def labels(like, size=None):
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
        shape = slicer.util.arrayFromVolume(like).shape if size is None else size
        slicer.util.updateVolumeFromArray(node, np.ones(shape, np.uint8))
        node.CopyOrientation(like)
        return node

    first, second = (slicer.util.addVolumeFromArray(np.ones((8, 10, 12), np.int16), name=n) for n in "AB")
    for role, source in ((MASK, T1GD), (EARLIER + MASK, EARLIER_T1GD)):
        made = labels(first)
        outputs.refer(source, first)
        outputs.place(role, made, "Brain mask", first)
        assert whyNotFor(outputs, made, first) == ""
        assert 'was made on "A"' in whyNotFor(outputs, made, second), "although both lie on the same voxels"
        assert brainMaskFor(outputs, made, second) is None
        assert brainMaskFor(outputs, made, first) is made
    slicer.mrmlScene.RemoveNode(first)
    for orphan in (made, outputs.node(MASK)):
        assert "no longer in the scene" in whyNotFor(outputs, orphan, second)
        assert brainMaskFor(outputs, orphan, second) is None
    drawn = labels(second)
    assert whyNotFor(outputs, drawn, second) == ""
    assert brainMaskFor(outputs, drawn, second) is drawn
    for wrong in (labels(second, (8, 10, 11)), slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")):
        assert whyNotFor(outputs, wrong, second) == str(Message("grid.brain_mask_on_t1gd"))
    finer = labels(second, (8, 10, 23))
    finer.SetSpacing(0.5, 1.0, 1.0)  # the same block of the patient
    assert whyNotFor(outputs, finer, second) == str(Message("grid.brain_mask_on_t1gd"))


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0), (2, 1, 0)], ids=["as T1Gd", "turned", "mirrored"])
@pytest.mark.parametrize("backward", [(), (0,), (1, 2)], ids=["forward", "rows backward", "two backward"])
def test_a_brain_mask_is_used_whichever_way_its_axes_run(outputs, axes, backward):
    """It has the voxels of T1Gd, stored in another order: each of them must count where it lies in the patient."""
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import whyNotFor
    from PCNSLSurvivalUI.run.request import RunRequest
    from PCNSLSurvivalUI.run.volumes import RunVolumes

    from PCNSLSurvivalLib.core.terms import MRSequence

    t1gd = add_head("T1 Gd", "oblique")
    shape = slicer.util.arrayFromVolume(t1gd).shape
    brain = (np.random.default_rng(7).random(shape) > 0.5).astype(np.uint8)
    stored, size, matrix = np.flip(brain.transpose(2, 1, 0), backward), brain.shape[::-1], _ijk_to_ras(t1gd)
    for axis in backward:
        matrix[:3, 3] += matrix[:3, axis] * (size[axis] - 1)
        matrix[:3, axis] *= -1.0
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "drawn elsewhere")
    slicer.util.updateVolumeFromArray(mask, np.ascontiguousarray(stored.transpose(axes).transpose(2, 1, 0)))
    matrix[:3, :3] = matrix[:3, axes]
    mask.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    assert whyNotFor(outputs, mask, t1gd) == ""
    request = RunRequest(volumes={MRSequence.T1GD: t1gd}, model=None, brainMask=mask)
    volumes = RunVolumes(request)
    volumes.copyScans(request)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(volumes.mask), brain)
    np.testing.assert_allclose(_ijk_to_ras(volumes.mask), _ijk_to_ras(t1gd), atol=1e-6)
    volumes.remove()
    assert mask.GetScene() is not None


def _ijk_to_ras(node):
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def test_a_repaired_alignment_waits_until_its_scan_is_chosen_again(outputs):
    """The run with another series neither reads it nor overwrites it."""
    import slicer
    from PCNSLSurvivalUI.result.repair import markRepaired, placeAligned, repairedAlignments, takeBackRepairs
    from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, TRANSFORM

    from PCNSLSurvivalLib.core.terms import MRSequence

    def add(name, kind="vtkMRMLScalarVolumeNode"):
        return slicer.mrmlScene.AddNewNodeByClass(kind, name)

    roles = (ALIGNED + MRSequence.T2, TRANSFORM + MRSequence.T2)
    t1gd, scan, other = add("T1 Gd"), add("T2"), add("T2 of another series")
    repaired = add("aligned by hand"), add("its transform", "vtkMRMLLinearTransformNode")
    placeAligned(outputs, MRSequence.T2, repaired, scan, t1gd)
    for role, node in zip(roles, repaired, strict=True):
        markRepaired(node, role, t1gd, scan)
    chosen = {MRSequence.T1GD: t1gd, MRSequence.T2: scan}
    instead = {MRSequence.T1GD: t1gd, MRSequence.T2: other}
    assert repairedAlignments(outputs, chosen) == {MRSequence.T2: repaired[0]}
    assert repairedAlignments(outputs, instead) == {}

    by_run = add("aligned by a run"), add("transform of a run", "vtkMRMLLinearTransformNode")
    placeAligned(outputs, MRSequence.T2, by_run, other, t1gd)
    takeBackRepairs(outputs, t1gd, instead)
    assert tuple(outputs.node(role) for role in roles) == by_run
    assert all(node.GetScene() is not None for node in repaired)
    assert repairedAlignments(outputs, chosen) == {MRSequence.T2: repaired[0]}
    takeBackRepairs(outputs, t1gd, chosen)
    assert tuple(outputs.node(role) for role in roles) == repaired
    assert all(node.GetScene() is None for node in by_run)
