"""The tumor outline in the panel: proposed, corrected, drawn or chosen; the next run reads what a person made of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_scenes import (
    LESION_RAS_MM,
    Wait,
    add_head,
    child_processes,
    scene_state,
    shown_steps,
    temporary_files,
    way_back,
)


@pytest.fixture
def ready(standin, quick_panel, monkeypatch, tmp_path):
    """The panel with a T1Gd; ``predict`` runs it and gives the words of the command line and the result."""
    from PCNSLSurvivalUI.run import request
    from PCNSLSurvivalUI.run.engines import BUILT_IN

    monkeypatch.setattr(request, "is_brain_extractor_installed", lambda method: True)
    for engine in ("biasEngine", "brainEngine", "registrationEngine"):
        setattr(quick_panel.logic.getParameterNode(), engine, BUILT_IN)
    head = add_head("T1 Gd", "oblique")
    quick_panel.ui.guessButton.click()
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(tmp_path / "words")}))

    def predict():
        (tmp_path / "lesion.nrrd").unlink(missing_ok=True)
        quick_panel.ui.predictButton.click()
        Wait().until(lambda: quick_panel.logic.run is None, what=quick_panel.ui.messageLabel.text)
        assert quick_panel.ui.messageLabel.text == ""
        return json.loads((tmp_path / "words").read_text()), json.loads(quick_panel.logic.getParameterNode().result)

    return quick_panel, head, predict


def _segmentations():
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLSegmentationNode")


def _draw(segmentation, values_kji, like):
    """What a person does in Segment Editor: other voxels in the one segment."""
    import slicer

    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "drawn")
    slicer.util.updateVolumeFromArray(mask, values_kji)
    mask.CopyOrientation(like)
    segmentation.GetSegmentation().RemoveAllSegments()
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(mask, segmentation)
    slicer.mrmlScene.RemoveNode(mask)


def _sent(tmp_path):
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "lesion.nrrd")))


def test_without_an_outline_nothing_is_said_or_done(ready):
    panel, _head, predict = ready
    words, _result = predict()
    assert not {"--segment", "--lesion-mask"} & set(words)
    assert panel.ui.lesionLabel.text == ""
    assert _segmentations() == []


def test_a_proposal_is_a_segmentation_and_is_called_one(ready):
    from PySide6 import QtGui

    panel, _head, predict = ready
    panel.ui.proposeLesionCheckBox.setChecked(True)
    for _run in range(2):
        words, _result = predict()
        assert "--segment" in words
        (segmentation,) = _segmentations()
        assert segmentation.GetName() == "Tumor outline (proposal)"
        assert segmentation.GetSegmentation().GetNthSegment(0).GetName() == "Tumor (proposal)"
        assert segmentation.GetDisplayNode().GetVisibility()
    assert panel.ui.lesionLabel.text.startswith("Proposed outline, not confirmed: 2.2 mL, foci: 1.")
    assert "2.1 mL, 16 × 16 mm, right, evidence +0.31<" in panel.ui.lesionLabel.text
    assert "Tumor outline (proposal)" in shown_steps(panel)
    panel.ui.lesionSection.setEnabled(False)  # as during a run
    palette = QtGui.QPalette()
    palette.setColor(QtGui.QPalette.ColorGroup.Active, QtGui.QPalette.ColorRole.WindowText, QtGui.QColor("#123456"))
    palette.setColor(QtGui.QPalette.ColorGroup.Disabled, QtGui.QPalette.ColorRole.WindowText, QtGui.QColor("#777777"))
    panel.ui.lesionLabel.setPalette(palette)
    assert 'style="color: #123456"' in panel.ui.lesionLabel.text
    panel.ui.lesionSection.setEnabled(True)
    panel.ui.closeResultButton.click()
    assert not segmentation.GetDisplayNode().GetVisibility()


def test_every_focus_tells_its_evidence_where_the_result_has_it(ready):
    panel, _head, predict = ready
    panel.ui.proposeLesionCheckBox.setChecked(True)
    _words, result = predict()
    (focus,) = result["lesion"]["foci"]
    shared = "share its evidence by volume"
    assert shared not in panel.ui.lesionLabel.text, "with one focus there is nothing to share"
    result["lesion"]["foci"] = [focus, focus | {"volume_ml": 0.4, "evidence": -0.05}]
    panel.logic.getParameterNode().result = json.dumps(result)
    one, other = (line for line in panel.ui.lesionLabel.text.split("<br>") if "<a" in line)
    assert "2.1 mL" in one
    assert "evidence +0.31" in one
    assert "0.4 mL" in other
    assert "evidence -0.05" in other
    assert shared in panel.ui.lesionLabel.text
    for each in result["lesion"]["foci"]:
        del each["evidence"]
    panel.logic.getParameterNode().result = json.dumps(result)
    assert "0.4 mL" in panel.ui.lesionLabel.text
    assert "evidence -" not in panel.ui.lesionLabel.text
    assert shared not in panel.ui.lesionLabel.text, "a result of an earlier version"


def test_the_corrected_proposal_is_what_the_next_run_reads(ready, tmp_path):
    import slicer
    from slicer_standin.application import messages

    panel, head, predict = ready
    panel.ui.proposeLesionCheckBox.setChecked(True)
    predict()
    assert panel.ui.editLesionButton.text == "Correct the outline in Segment Editor"
    panel.ui.editLesionButton.click()
    assert ("module", "SegmentEditor") in messages
    (segmentation,) = _segmentations()
    assert panel.ui.lesionSelector.currentNode() is segmentation
    assert "proposal" not in segmentation.GetName()
    assert not panel.ui.proposeLesionCheckBox.enabled
    corrected = np.zeros(slicer.util.arrayFromVolume(head).shape, np.uint8)
    corrected[30:36, 40:48, 32:35] = 1
    _draw(segmentation, corrected, head)
    before = set(scene_state())
    words, result = predict()
    assert "--segment" not in words
    assert "--lesion-mask" in words
    np.testing.assert_array_equal(_sent(tmp_path), corrected)
    assert result["lesion"]["source"] == "given"
    assert panel.ui.lesionLabel.text.startswith("Tumor outline: 2.2 mL")
    assert _segmentations() == [segmentation], "no run removes what a person drew"
    new = {slicer.mrmlScene.GetNodeByID(node).GetClassName() for node in set(scene_state()) - before}
    assert not new & {"vtkMRMLColorTableNode", "vtkMRMLSegmentationNode"}
    panel.logic.kept.forget()  # what our process keeps for the next run
    assert temporary_files() == []
    assert child_processes() == []


def test_a_proposal_corrected_in_segment_editor_itself_is_kept_and_read(ready, tmp_path):
    import slicer

    panel, head, predict = ready
    panel.ui.proposeLesionCheckBox.setChecked(True)
    predict()
    (segmentation,) = _segmentations()
    corrected = np.zeros(slicer.util.arrayFromVolume(head).shape, np.uint8)
    corrected[30:36, 40:48, 32:35] = 1
    _draw(segmentation, corrected, head)  # without the button of the panel
    words, result = predict()
    assert "--segment" not in words
    np.testing.assert_array_equal(_sent(tmp_path), corrected)
    assert _segmentations() == [segmentation]
    assert segmentation.GetName() == "Tumor outline"
    assert panel.logic.getParameterNode().lesion is segmentation
    assert result["lesion"]["source"] == "given"


def test_a_stroke_during_the_next_run_is_not_lost(ready):
    """The run reads the scan of before; the proposal that was changed meanwhile stays beside the new one."""
    import slicer

    panel, head, predict = ready
    panel.ui.proposeLesionCheckBox.setChecked(True)
    predict()
    (segmentation,) = _segmentations()
    panel.ui.predictButton.click()
    assert panel.logic.run is not None
    corrected = np.zeros(slicer.util.arrayFromVolume(head).shape, np.uint8)
    corrected[30:36, 40:48, 32:35] = 1
    _draw(segmentation, corrected, head)
    Wait().until(lambda: panel.logic.run is None)
    assert sorted(one.GetName() for one in _segmentations()) == ["Tumor outline", "Tumor outline (proposal)"]
    assert segmentation.GetName() == "Tumor outline"


def test_a_proposal_chosen_as_outline_of_the_earlier_exam_is_kept(ready):
    """The run of the later exam proposes its own; no selector may jump to it, or to another outline."""
    import slicer

    panel, _head, predict = ready
    panel.ui.proposeLesionCheckBox.setChecked(True)
    predict()
    (segmentation,) = _segmentations()
    parameters = panel.logic.getParameterNode()
    panel.ui.keepEarlierButton.click()
    panel.ui.earlierLesionSelector.setCurrentNode(segmentation)
    parameters.t1gdVolume = add_head("T1 Gd May", "oblique")
    predict()
    assert parameters.earlierLesion is segmentation
    assert sorted(one.GetName() for one in _segmentations()) == ["Tumor outline", "Tumor outline (proposal)"]
    earlier = parameters.earlierVolume
    slicer.mrmlScene.RemoveNode(segmentation)
    Wait().some(0.1)
    assert parameters.earlierLesion is None, "not the outline of the later exam"
    slicer.mrmlScene.RemoveNode(earlier)
    Wait().some(0.1)
    assert parameters.earlierVolume is None


def test_showing_hiding_or_renaming_a_proposal_is_no_correction(ready):
    panel, _head, predict = ready
    panel.ui.proposeLesionCheckBox.setChecked(True)
    predict()
    (segmentation,) = _segmentations()
    segmentation.GetDisplayNode().SetVisibility(False)
    segmentation.GetSegmentation().GetNthSegment(0).SetName("x")
    segmentation.CreateClosedSurfaceRepresentation()
    words, _result = predict()
    assert "--segment" in words
    assert [one.GetName() for one in _segmentations()] == ["Tumor outline (proposal)"]


def test_a_label_map_without_a_voxel_is_refused(ready):
    import slicer

    panel, head, _predict = ready
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "empty")
    slicer.util.updateVolumeFromArray(mask, np.zeros_like(slicer.util.arrayFromVolume(head), dtype=np.uint8))
    mask.CopyOrientation(head)
    panel.ui.lesionSelector.setCurrentNode(mask)
    before = scene_state()
    panel.ui.predictButton.click()
    assert "all its voxels are 0" in panel.ui.messageLabel.text
    assert panel.logic.run is None
    assert scene_state() == before


def test_an_outline_is_drawn_from_nothing_and_an_empty_one_is_refused(ready, tmp_path):
    import slicer

    panel, head, _predict = ready
    assert panel.ui.editLesionButton.text == "Draw an outline in Segment Editor"
    panel.ui.editLesionButton.click()
    (segmentation,) = _segmentations()
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    assert editor.segmentationNode() is segmentation
    assert editor.sourceVolumeNode() is head
    before = scene_state()
    panel.ui.predictButton.click()
    assert "outline is empty" in panel.ui.messageLabel.text
    assert panel.logic.run is None
    assert scene_state() == before
    drawn = (slicer.util.arrayFromVolume(head) > 900).astype(np.uint8)
    _draw(segmentation, drawn, head)
    way_back().click()
    Wait().until(lambda: panel.logic.run is None)
    np.testing.assert_array_equal(_sent(tmp_path), drawn)
    assert way_back() is None


def test_an_outline_on_another_grid_is_brought_onto_t1gd(ready, tmp_path):
    import slicer

    panel, head, predict = ready
    other = add_head("T2", "thick slices")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    _draw(segmentation, (slicer.util.arrayFromVolume(other) > 900).astype(np.uint8), other)
    panel.ui.lesionSelector.setCurrentNode(segmentation)
    predict()
    sent, truth = _sent(tmp_path) > 0, slicer.util.arrayFromVolume(head) > 900
    assert sent.shape == truth.shape
    assert 2 * (sent & truth).sum() / (sent.sum() + truth.sum()) > 0.6
    assert panel.logic.getParameterNode().lesion is segmentation


def test_a_label_map_on_t1gd_is_taken_as_it_is_and_can_be_edited(ready, tmp_path):
    import slicer

    panel, head, predict = ready
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "my tumor")
    values = 3 * (slicer.util.arrayFromVolume(head) > 900).astype(np.uint8)
    slicer.util.updateVolumeFromArray(mask, values)
    mask.CopyOrientation(head)
    panel.ui.lesionSelector.setCurrentNode(mask)
    predict()
    np.testing.assert_array_equal(_sent(tmp_path), values)
    panel.ui.editLesionButton.click()
    assert panel.logic.getParameterNode().lesion.IsA("vtkMRMLSegmentationNode")
    predict()
    np.testing.assert_array_equal(_sent(tmp_path) > 0, values > 0)


def test_the_outline_of_one_patient_is_never_used_for_another(ready):
    import slicer

    panel, _head, predict = ready
    panel.ui.editLesionButton.click()
    parameters = panel.logic.getParameterNode()
    assert parameters.lesion is not None
    parameters.t1gdVolume = add_head("another patient")
    assert parameters.lesion is None
    assert "--lesion-mask" not in predict()[0]
    panel.ui.editLesionButton.click()
    slicer.mrmlScene.RemoveNode(parameters.lesion)
    Wait().until(lambda: parameters.lesion is None)


def test_a_click_on_a_focus_leads_there(ready):
    import slicer

    panel, _head, predict = ready
    panel.ui.proposeLesionCheckBox.setChecked(True)
    predict()
    red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")
    red.SetSliceOffset(-50.0)
    panel.ui.lesionLabel.linkActivated("0")
    normal = np.array([red.GetSliceToRAS().GetElement(row, 2) for row in range(3)])
    assert red.GetSliceOffset() == pytest.approx(float(normal @ LESION_RAS_MM), abs=3.0)
