"""Repairs of the brain mask and of an alignment, from Segment Editor and Transforms to the next run."""

from __future__ import annotations

import json

import numpy as np
from made_scenes import Wait, add_head, outputs_of, red_view, shown_steps, step_buttons, wait_for_exam, way_back


def test_a_mask_is_repaired_in_segment_editor_and_used(standin, predicted_from_three, monkeypatch, tmp_path):
    import slicer
    from slicer_standin.application import messages

    panel = predicted_from_three()
    step_buttons(panel)["output.mask"].click()
    assert panel.ui.repairButton.isVisibleTo(panel.parent)
    panel.ui.repairButton.click()
    assert ("module", "SegmentEditor") in messages
    segmentation = outputs_of(panel).node("output.repair.mask")
    assert segmentation.GetSegmentation().GetNthSegment(0).GetName() == "Brain"
    mask = outputs_of(panel).node("output.mask")
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
    used = panel.logic.getParameterNode().brainMask
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(used), repaired)
    assert used.GetName() == "Brain mask of T1 Gd, repaired"
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLColorTableNode") == tables, "Slicer's export adds one"
    Wait().until(lambda: panel.logic.run is None)
    assert "--brain-mask" in json.loads(record.read_text(encoding="utf-8"))
    assert not panel.ui.goOnButton.isVisibleTo(panel.parent)


def test_the_brain_is_repaired_as_an_outline_on_t1gd(standin, predicted_from_three, capfd):
    """Segment Editor reads T1Gd, although it edited something else before; the mask covers nothing."""
    import slicer
    from made_scenes import add_head

    other = add_head("another patient", gain=0.9)
    tumor = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "tumor")
    tumor.SetReferenceImageGeometryParameterFromVolumeNode(other)
    editor = slicer.modules.segmenteditor.editor
    editor.setSegmentationNode(tumor)
    panel = predicted_from_three()
    t1gd = outputs_of(panel).node("shown.t1gd")
    step_buttons(panel)["output.mask"].click()
    capfd.readouterr()
    panel.ui.repairButton.click()
    assert "subject hierarchy" not in capfd.readouterr().err
    segmentation = outputs_of(panel).node("output.repair.mask")
    assert editor.segmentationNode() is segmentation
    assert editor.sourceVolumeNode() is t1gd
    assert (red_view().GetBackgroundVolumeID(), red_view().GetForegroundVolumeID()) == (t1gd.GetID(), None)
    assert red_view().GetLabelVolumeID() is None
    display = segmentation.GetDisplayNode()
    assert display.GetVisibility2DOutline()
    assert not display.GetVisibility2DFill()
    legends = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
    assert not any(legend.GetVisibility() for legend in legends)


def test_one_button_leads_back_from_segment_editor(standin, predicted_from_three):
    """It stands in Slicer's window while a repair is under way, opens the panel and goes on from the repair."""
    from slicer_standin.application import messages

    panel = predicted_from_three()
    assert way_back() is None
    step_buttons(panel)["output.mask"].click()
    panel.ui.repairButton.click()
    assert way_back().text == panel.ui.goOnButton.text
    messages.clear()
    way_back().click()
    assert messages[0] == ("module", "PCNSLSurvival")
    assert panel.logic.run is not None
    assert panel.logic.getParameterNode().brainMask.GetName() == "Brain mask of T1 Gd, repaired"
    assert way_back() is None
    Wait().until(lambda: panel.logic.run is None)
    assert way_back() is None
    first = panel.ui.t1gdSelector.currentNode()
    panel.ui.t1gdSelector.setCurrentNode(add_head("T1 Gd of another day", gain=0.9))
    assert panel.logic.getParameterNode().brainMask is None, "it was drawn on another head"
    panel.ui.t1gdSelector.setCurrentNode(first)
    assert panel.logic.getParameterNode().brainMask.GetName() == "Brain mask of T1 Gd, repaired"


def test_the_way_back_goes_with_the_scene(standin, predicted_from_three):
    import slicer

    panel = predicted_from_three()
    step_buttons(panel)["output.mask"].click()
    panel.ui.repairButton.click()
    slicer.mrmlScene.Clear(0)
    assert way_back() is None


def test_an_empty_repair_is_refused_with_a_sentence(standin, predicted_from_three):
    import slicer

    panel = predicted_from_three()
    step_buttons(panel)["output.mask"].click()
    panel.ui.repairButton.click()
    segmentation = outputs_of(panel).node("output.repair.mask")
    segmentation.RemoveSegment(segmentation.GetSegmentation().GetNthSegmentID(0))
    count = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLLabelMapVolumeNode")
    panel.ui.goOnButton.click()
    assert "is empty" in panel.ui.messageLabel.text
    assert panel.logic.run is None
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLLabelMapVolumeNode") == count


def _read_as_t2():
    """The voxels of the hidden copy of T2 that a run works on."""
    import slicer

    volumes = [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if node.GetHideFromEditors()]
    (copy,) = [node for node in volumes if node.GetName().split("_")[0] == "T2"]
    return copy.GetImageData()


def test_an_alignment_is_repaired_in_transforms_and_used(standin, predicted_from_three):
    """Moved by 12 mm in Transforms, the aligned T2 shows the head 12 mm further on the voxels of T1Gd."""
    import slicer
    from PCNSLSurvivalUI.choices.parameters import chosenVolumes
    from PCNSLSurvivalUI.result import repair

    from PCNSLSurvivalLib.core.terms import MRSequence

    panel = predicted_from_three()
    outputs, t2 = outputs_of(panel), panel.ui.t2Selector.currentNode()
    before = slicer.util.arrayFromVolume(t2).copy()
    step_buttons(panel)["output.aligned.t2"].click()
    panel.ui.repairButton.click()
    moving = outputs.node(repair.MOVING + "t2")
    assert red_view().GetForegroundVolumeID() == moving.GetID()
    matrix = np.eye(4)
    matrix[0, 3] = 12.0
    outputs.node("output.transform.t2").SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    panel.ui.goOnButton.click()
    Wait().until(lambda: outputs.node(repair.MOVING + "t2") is None)
    aligned = slicer.util.arrayFromVolume(outputs.node("output.aligned.t2"))
    np.testing.assert_array_equal(aligned[:, :, 6:], before[:, :, :-6])  # voxels of 2 mm
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(t2), before)
    assert "moved 12.0 mm" in step_buttons(panel)["output.aligned.t2"].text
    assert list(repair.repairedAlignments(outputs, chosenVolumes(panel.logic.getParameterNode()))) == [MRSequence.T2]
    other = add_head("T2 of another series", gain=0.5)
    panel.ui.t2Selector.setCurrentNode(other)
    panel.ui.predictButton.click()
    assert _read_as_t2() is other.GetImageData(), "the scan that was chosen"
    panel.ui.predictButton.click()
    panel.ui.t2Selector.setCurrentNode(t2)
    panel.ui.predictButton.click()
    assert _read_as_t2() is outputs.node("output.aligned.t2").GetImageData()
    Wait().until(lambda: panel.logic.run is None)
    step = shown_steps(panel)["T2 to T1Gd (for reading)"]
    assert (step.words, step.note) == ("skipped", "your registration is used")
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(outputs.node("output.aligned.t2")), aligned)
    first, other = panel.ui.t1gdSelector.currentNode(), add_head("T1 Gd of another day")
    for t1gd, words in ((other, "inspect"), (first, "skipped")):
        panel.ui.t1gdSelector.setCurrentNode(t1gd)
        assert panel.ui.t2Selector.currentNode() is t2, "what was aligned by hand belongs to no scan chosen as T1Gd"
        panel.ui.predictButton.click()
        Wait().until(lambda: panel.logic.run is None)
        assert shown_steps(panel)["T2 to T1Gd (for reading)"].words == words
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(outputs.node("output.aligned.t2")), aligned)
    toT1gd = slicer.util.arrayFromTransformMatrix(outputs.node("output.transform.t2"))
    np.testing.assert_allclose(toT1gd, matrix)


def _move_t2(panel):
    """Begin to repair the alignment of T2, and move it by 40 mm; returns the matrix of before."""
    import slicer

    transform = outputs_of(panel).node("output.transform.t2")
    before = slicer.util.arrayFromTransformMatrix(transform)
    step_buttons(panel)["output.aligned.t2"].click()
    panel.ui.repairButton.click()
    matrix = np.eye(4)
    matrix[0, 3] = 40.0
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    return before


def _t2_is_as_before(panel, before):
    import slicer
    from PCNSLSurvivalUI.result import repair

    outputs = outputs_of(panel)
    np.testing.assert_array_equal(slicer.util.arrayFromTransformMatrix(outputs.node("output.transform.t2")), before)
    assert outputs.node(repair.MOVING + "t2") is None
    assert not panel.ui.discardButton.isVisibleTo(panel.parent)


def test_a_repair_is_discarded_and_until_then_nothing_takes_it_away(
    standin, predicted_from_three, monkeypatch, tmp_path
):
    from PCNSLSurvivalUI.result import repair
    from slicer_standin.application import messages

    panel = predicted_from_three()
    ui, outputs = panel.ui, outputs_of(panel)
    aligned, first, other = outputs.node("output.aligned.t2"), ui.t1gdSelector.currentNode(), add_head("T1 Gd of B")
    before = _move_t2(panel)
    panel.enter()  # from another module
    assert "moved 40." in step_buttons(panel)["output.aligned.t2"].text
    for t1gd in (other, first):
        ui.t1gdSelector.setCurrentNode(t1gd)
        ui.messageLabel.text = ""
        ui.predictButton.click()
        assert panel.logic.run is None
        assert "alignment of T2 is being repaired" in ui.messageLabel.text
    ui.messageLabel.text = ""
    chosen = ui.t1gdSelector.currentNode()
    panel.view.openCase(tmp_path, other)
    assert ui.t1gdSelector.currentNode() is chosen, "nothing is opened"
    assert "alignment of T2 is being repaired" in ui.messageLabel.text
    assert outputs.node(repair.MOVING + "t2") is not None
    with monkeypatch.context() as user:
        user.setattr(standin.app, "standin_testing", False)  # somebody is there, and says no
        ui.discardButton.click()
    assert "Discard this repair?" in messages[-1][1]
    assert outputs.node(repair.MOVING + "t2") is not None
    ui.discardButton.click()
    _t2_is_as_before(panel, before)
    assert outputs.node("output.aligned.t2") is aligned
    assert ui.messageLabel.text == ""
    assert "moved 40." not in step_buttons(panel)["output.aligned.t2"].text
    assert red_view().GetForegroundVolumeID() not in (None, aligned.GetID()), "the map is shown again"
    _outline_is_discarded(panel)
    _repairs_end_with_the_shown_result(panel)


def _outline_is_discarded(panel):
    ui, outputs = panel.ui, outputs_of(panel)
    step_buttons(panel)["output.mask"].click()
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
    assert panel.logic.getParameterNode().brainMask is None


def _repairs_end_with_the_shown_result(panel):
    """Quality goes with it: nothing could be used or discarded any more."""
    ui, outputs = panel.ui, outputs_of(panel)
    result, before = panel.logic.getParameterNode().result, _move_t2(panel)
    panel.view.closeResult()
    _t2_is_as_before(panel, before)
    assert "repair of the alignment of T2 was discarded" in ui.messageLabel.text
    panel.logic.getParameterNode().result = result
    step_buttons(panel)["output.mask"].click()
    ui.repairButton.click()
    drawn = outputs.node("output.repair.mask")
    panel.view.closeResult()
    assert f'stays in the scene as "{drawn.GetName()}"' in ui.messageLabel.text
    assert drawn.GetScene() is not None
    assert not drawn.GetDisplayVisibility()
    ui.predictButton.click()
    assert panel.logic.run is not None
    assert ui.messageLabel.text == ""


def test_an_alignment_that_is_sampled_is_not_used_twice_and_can_be_discarded(standin, predicted_from_three, tmp_path):
    panel = predicted_from_three()
    ui, before = panel.ui, _move_t2(panel)
    ui.messageLabel.text = "of before"
    ui.goOnButton.click()
    assert ui.messageLabel.text == ""
    assert not ui.goOnButton.enabled
    ui.overrideQualityCheckBox.toggle()  # any choice
    assert not ui.goOnButton.enabled
    assert not ui.repairButton.enabled
    ui.discardButton.click()
    _t2_is_as_before(panel, before)
    assert ui.repairButton.enabled
    panel.view.openCase(tmp_path, ui.t1gdSelector.currentNode())
    assert not ui.repairButton.enabled, "another result may come"
    wait_for_exam(panel)


def test_a_repair_goes_on_only_with_the_scans_that_it_was_begun_with(standin, predicted_from_three):
    panel = predicted_from_three()
    _alignment_goes_on_with_its_scans(panel)
    _mask_goes_on_with_its_t1gd(panel)


def _mask_goes_on_with_its_t1gd(panel):
    parameters, outputs = panel.logic.getParameterNode(), outputs_of(panel)
    first, other = panel.ui.t1gdSelector.currentNode(), add_head("T1 Gd of B", gain=0.9)
    step_buttons(panel)["output.mask"].click()
    panel.ui.t1gdSelector.setCurrentNode(other)
    panel.ui.repairButton.click()
    assert outputs.node("output.repair.mask") is None
    assert first.GetName() in panel.ui.messageLabel.text
    panel.ui.t1gdSelector.setCurrentNode(first)
    panel.ui.repairButton.click()
    panel.ui.t1gdSelector.setCurrentNode(other)
    panel.ui.messageLabel.text = ""
    way_back().click()
    assert first.GetName() in panel.ui.messageLabel.text
    assert panel.logic.run is None
    assert parameters.brainMask is None
    assert outputs.node("output.repair.mask") is not None, "the work of the user is still there"
    panel.ui.t1gdSelector.setCurrentNode(first)
    way_back().click()
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

    outputs, t2 = outputs_of(panel), panel.ui.t2Selector.currentNode()
    first, other = panel.ui.t1gdSelector.currentNode(), add_head("T2 of B", gain=0.5)
    before = slicer.util.arrayFromVolume(outputs.node("output.aligned.t2")).copy()
    step_buttons(panel)["output.aligned.t2"].click()
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
        assert panel.ui.goOnButton.enabled, "nothing is sampled"
        selector.setCurrentNode(own)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(outputs.node("output.aligned.t2")), before)
    panel.ui.goOnButton.click()
    Wait().until(lambda: outputs.node(repair.MOVING + "t2") is None)
    assert repair.movedScan(outputs, "output.aligned.t2") is t2
    aligned = _move_t2(panel)
    slicer.mrmlScene.RemoveNode(t2)
    way_back().click()
    assert "no longer in the scene" in panel.ui.messageLabel.text
    assert "repair of the alignment of T2 was discarded" in panel.ui.messageLabel.text
    _t2_is_as_before(panel, aligned)
    assert not panel.ui.goOnButton.isVisibleTo(panel.parent), "nothing can go on from it"
    assert way_back() is None
