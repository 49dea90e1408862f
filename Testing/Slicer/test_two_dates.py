"""A second time point: the earlier result kept, both exams compared in the background, their maps side by side."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fake_worker import MOVED_BY_MM
from made_scenes import (
    LESION_RAS_MM,
    Wait,
    add_head,
    child_processes,
    fail_check,
    outputs_of,
    scene_state,
    slice_views,
    step_buttons,
    temporary_files,
)

from PCNSLSurvivalLib.cli.__main__ import command_line_parser
from PCNSLSurvivalLib.core.messages import Message

HERE = Path(__file__).resolve().parent


@pytest.fixture
def two_exams(quick_panel, opened, monkeypatch):
    """The result of the earlier exam shown and kept, then that of the later one."""
    from PCNSLSurvivalUI.install import packages
    from PCNSLSurvivalUI.run import request
    from PCNSLSurvivalUI.run.engines import BUILT_IN

    monkeypatch.setattr(request, "is_brain_extractor_installed", lambda method: True)
    monkeypatch.setattr(packages, "ensureInstalled", lambda lines: None)
    parameters = quick_panel.logic.getParameterNode()
    for engine in ("biasEngine", "brainEngine", "registrationEngine"):
        setattr(parameters, engine, BUILT_IN)
    opened(add_head("T1 Gd January"))
    quick_panel.ui.keepEarlierButton.click()
    return opened(add_head("T1 Gd May", "oblique", lesion=800.0))


def _predict(panel):
    panel.ui.predictButton.click()
    Wait().until(lambda: panel.logic.run is None)


def _compare(panel):
    wait = Wait()
    panel.ui.followUpButton.click()
    wait.until(lambda: _is_over(panel))
    return wait


def _is_over(panel):
    return panel.ui.followUpButton.text == "Compare the two exams"


def _legend(node):
    import slicer

    return slicer.modules.colors.logic().GetColorLegendDisplayNode(node)


def _drawnIn(displays, view):
    return [bool(display.IsDisplayableInView(f"vtkMRMLSliceNode{view}")) for display in displays]


def _plane(view):
    import slicer

    node = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{view}")
    return slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS()).copy()


def _sent(tmp_path, monkeypatch, **plan):
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(tmp_path / "words"), **plan}))


def _words(tmp_path):
    return json.loads((tmp_path / "words").read_text(encoding="utf-8"))


def test_while_the_chosen_t1gd_is_the_kept_one_the_next_click_is_told(two_exams):
    """A button that was gray for no visible reason."""
    parameters, ui = two_exams.logic.getParameterNode(), two_exams.ui
    later, parameters.t1gdVolume = parameters.t1gdVolume, parameters.earlierVolume
    assert not ui.followUpButton.enabled
    assert "Choose the T1Gd of the later exam" in ui.followUpLabel.text
    parameters.t1gdVolume = later
    assert ui.followUpButton.enabled
    assert ui.followUpLabel.text == ""


def test_the_change_is_told_and_no_response_is_unless_a_reader_entered_one(two_exams, monkeypatch, tmp_path):
    import SimpleITK as sitk
    import slicer

    _sent(tmp_path, monkeypatch)
    ui = two_exams.ui
    wait = _compare(two_exams)
    assert wait.is_calm(), wait.longest_gap_ms
    assert ui.messageLabel.text == ""
    told = ui.followUpLabel.text
    assert "Enhancing volume: 12.0 mL, then 3.0 mL (−75 %)." in told
    assert "Abrey et al. 2005" in told
    assert "not an assessment of response" in told
    assert "entered by the reader" not in told
    assert {"--reader-response", "--override-quality"} & set(_words(tmp_path)) == set()
    parameters = two_exams.logic.getParameterNode()
    for name, node in (("earlier", parameters.earlierVolume), ("later", parameters.t1gdVolume)):
        sent = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / f"{name}.nrrd")))
        np.testing.assert_array_equal(sent, slicer.util.arrayFromVolume(node))
        assert (tmp_path / f"{name}-brain-mask.nrrd").is_file(), "the brain is not outlined again"
        assert not (tmp_path / f"{name}-lesion.nrrd").is_file(), "without an outline, the run proposes one"
    ui.responseSelector.setCurrentIndex(ui.responseSelector.findData("PR"))
    parameters.overrideQuality = True
    _compare(two_exams)
    asked = command_line_parser().parse_args(_words(tmp_path))  # the real command line takes every word
    assert (asked.reader_response, asked.override_quality) == ("PR", True)
    assert "Response as entered by the reader: PR." in ui.followUpLabel.text
    parameters.earlierVolume = add_head("T1 Gd of another date")
    assert ui.responseSelector.currentIndex == 0, "it was entered for other exams"
    assert ui.followUpLabel.text == ""


def test_a_brain_mask_that_does_not_fit_is_refused_only_where_it_was_chosen(two_exams, monkeypatch, tmp_path):
    import slicer

    _sent(tmp_path, monkeypatch)
    ui, parameters = two_exams.ui, two_exams.logic.getParameterNode()
    mask, bend = outputs_of(two_exams).node("output.mask"), slicer.vtkMRMLBSplineTransformNode()
    mask.SetSpacing(9.0, 9.0, 9.0)
    _compare(two_exams)
    assert ui.messageLabel.text == ""
    assert (tmp_path / "earlier-brain-mask.nrrd").is_file()
    assert not (tmp_path / "later-brain-mask.nrrd").is_file(), "the brain is outlined anew"
    parameters.brainMask = mask
    _compare(two_exams)
    assert ui.messageLabel.text == str(Message("grid.brain_mask_on_t1gd"))
    parameters.t1gdVolume.SetAndObserveTransformNodeID(slicer.mrmlScene.AddNode(bend).GetID())
    _compare(two_exams)
    assert "bends or shears" in ui.messageLabel.text


def test_both_exams_stand_side_by_side_with_their_maps_on_the_earlier_head(two_exams, standin):
    import slicer
    from PCNSLSurvivalUI.result.navigation import EARLIER_VIEW, LATER_VIEW
    from PCNSLSurvivalUI.scene.output_nodes import OVER, mapRole
    from PCNSLSurvivalUI.scene.volume_files import ijkToWorld
    from PCNSLSurvivalUI.two_dates.kept_exam import EARLIER

    _compare(two_exams)
    parameters, outputs = two_exams.logic.getParameterNode(), outputs_of(two_exams)
    before = standin.app.layoutManager().layout
    with slice_views(standin, EARLIER_VIEW, LATER_VIEW):
        step_buttons(two_exams)["output.corrected"].click()
        two_exams.ui.flickerButton.click()
        parameters.earlierLesion, drawnLater = (
            slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode") for _each in range(2)
        )
        for outline in (parameters.earlierLesion, drawnLater):
            outline.CreateDefaultDisplayNodes()
        outlines = [outline.GetDisplayNode() for outline in (parameters.earlierLesion, drawnLater)]
        slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed").SetSliceOffset(17.0)
        left_at = [_plane(view) for view in ("Red", "Green", "Yellow")]
        two_exams.ui.examsButton.click()
        assert _drawnIn(outlines, EARLIER_VIEW) == [True, False], "it lies on the later head"
        assert _drawnIn(outlines, LATER_VIEW) == [False, False], "that of the earlier exam would be taken for the later"
        assert _drawnIn(outlines, "Red") == [True, True]
        assert [outline.GetVisibility2DFill() for outline in outlines] == [0, 1], "filled, it would hide the map"
        assert two_exams.ui.flickerButton.text != "Stop the alternation", "the two exams are not drawn over"
        Wait().some(0.1)
        np.testing.assert_allclose([_plane(view) for view in ("Red", "Green", "Yellow")], left_at, atol=1e-9)
        left, right = (
            slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{n}") for n in (EARLIER_VIEW, LATER_VIEW)
        )
        for name in (EARLIER_VIEW, LATER_VIEW):
            plane = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}").GetSliceToRAS()
            assert plane.GetElement(0, 0) == pytest.approx(-1.0), "patient right is on the left of the picture"
        assert left.GetBackgroundVolumeID() == parameters.earlierVolume.GetID()
        kept = outputs.node(EARLIER + OVER)
        assert left.GetForegroundVolumeID() == kept.GetID()
        later = slicer.mrmlScene.GetNodeByID(right.GetBackgroundVolumeID())
        map_ = slicer.mrmlScene.GetNodeByID(right.GetForegroundVolumeID())
        for moved, own in ((later, parameters.t1gdVolume), (map_, outputs.node(mapRole(OVER, cells=False)))):
            assert moved.GetImageData() is own.GetImageData(), "no voxel is interpolated"
            shift = ijkToWorld(moved, "") - ijkToWorld(own, "")
            np.testing.assert_allclose(shift[:3, 3], (MOVED_BY_MM, 0, 0), atol=1e-9)
        titles = [_legend(node).GetTitleText() for node in (kept, map_)]
        assert titles[0].startswith("Earlier exam")
        assert titles[1].startswith("Later exam")
        assert all("Research use only" in title for title in titles)
        assert left.GetLinkedControl() == right.GetLinkedControl() == 1
        views = ("Red", EARLIER_VIEW, LATER_VIEW)
        slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed").SetOrientation("Sagittal")  # as the user wants it
        planes = [_plane(view) for view in views]
        two_exams.ui.opacitySlider.value = 0.9
        assert [_legend(node).GetVisibility() for node in (kept, map_)] == [1, 1], "the exams' own stay with them"
        np.testing.assert_allclose([_plane(view) for view in views], planes, atol=1e-9)
        assert right.GetBackgroundVolumeID() == later.GetID(), "the map's controls leave the two exams alone"
        assert two_exams.ui.examsButton.text == "Back to the views from before"
        two_exams.ui.examsButton.click()
        assert standin.app.layoutManager().layout == before
        assert [outline.GetNumberOfViewNodeIDs() for outline in outlines] == [0, 0]
        assert [outline.GetVisibility2DFill() for outline in outlines] == [1, 1], "as the user had it"
        red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")
        assert red.GetForegroundVolumeID() == outputs.node(mapRole(OVER, cells=False)).GetID()
        assert not any(_legend(node).GetVisibility() for node in (kept, map_))
        planes = [_plane(view) for view in views]
        two_exams.ui.opacitySlider.value = 0.4
        np.testing.assert_allclose([_plane(view) for view in views], planes, atol=1e-9)


def test_two_exams_give_way_to_what_is_shown_next_and_hide_no_outline_for_good(two_exams, standin):
    import slicer
    from PCNSLSurvivalUI.result.navigation import EARLIER_VIEW, LATER_VIEW, isShowingExams
    from PCNSLSurvivalUI.scene.output_nodes import OVER, mapRole

    def show():
        ui.examsButton.click()
        assert isShowingExams()
        assert ui.examsButton.text == "Back to the views from before"
        assert _drawnIn(outlines, EARLIER_VIEW) == [True, False]

    def left():
        told = ui.examsButton.text == "Show both exams side by side"
        return told and not isShowingExams() and not any(outline.GetNumberOfViewNodeIDs() for outline in outlines)

    _compare(two_exams)
    ui, parameters, outputs = two_exams.ui, two_exams.logic.getParameterNode(), outputs_of(two_exams)
    parameters.earlierLesion, other = (
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode") for _each in range(2)
    )
    for outline in (parameters.earlierLesion, other):
        outline.CreateDefaultDisplayNodes()
    outlines = [outline.GetDisplayNode() for outline in (parameters.earlierLesion, other)]
    manager = standin.app.layoutManager()
    with slice_views(standin, EARLIER_VIEW, LATER_VIEW) as views:
        # The second one makes room to draw in Segment Editor.
        for replace in (step_buttons(two_exams)["output.corrected"].click, ui.editLesionButton.click):
            show()
            replace()
            assert left()
        show()
        manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView)  # Slicer's own tool bar
        Wait().some(0.1)
        assert left()
        assert manager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView, "what the user chose stays"
        assert {view.GetBackgroundVolumeID() for view in views} == {None}
        assert _legend(outputs.node(mapRole(OVER, cells=False))).GetVisibility()
        show()
        parameters.earlierLesion = other
        assert _drawnIn(outlines, EARLIER_VIEW) == [False, True]
        parameters.earlierLesion = None
        assert _drawnIn(outlines, EARLIER_VIEW) == [False, False]
        arrived = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        arrived.CreateDefaultDisplayNodes()
        Wait().some(0.1)
        arrived = [*outlines, arrived.GetDisplayNode()]
        assert _drawnIn(arrived, EARLIER_VIEW) == _drawnIn(arrived, LATER_VIEW) == [False] * 3
        assert _drawnIn(arrived, "Red") == [True] * 3
        for event in (slicer.vtkMRMLScene.StartImportEvent, slicer.vtkMRMLScene.EndImportEvent):
            slicer.mrmlScene.InvokeEvent(event)  # as after opening a scene that was saved like this
        assert left()
        two_exams.logic.getParameterNode().earlierLesion = outlines[0].GetDisplayableNode()
        show()
        slicer.mrmlScene.Clear(0)
        assert manager.standin_slots == []


def test_two_exams_without_a_shown_result_keep_no_view_for_the_next_one(two_exams, standin):
    """Left by Slicer's own layout menu or by our button, they leave nothing behind for the end of a later result."""
    import slicer
    from PCNSLSurvivalUI.result.navigation import EARLIER_VIEW, LATER_VIEW, isShowingExams

    _compare(two_exams)
    ui, parameters, manager = two_exams.ui, two_exams.logic.getParameterNode(), standin.app.layoutManager()
    red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")
    conventional = slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView
    result = parameters.result
    with slice_views(standin, EARLIER_VIEW, LATER_VIEW):
        for leave, chosen_mm in ((lambda: manager.setLayout(conventional), 21.0), (ui.examsButton.click, -13.0)):
            ui.closeResultButton.click()
            ui.examsButton.click()
            Wait().some(0.1)
            assert isShowingExams()
            leave()
            Wait().some(0.1)
            assert not isShowingExams()
            red.SetSliceOffset(chosen_mm)  # what the user looks at before the next result
            layout = manager.layout
            parameters.result = result
            Wait().some(0.1)
            red.SetSliceOffset(3.0)
            ui.closeResultButton.click()
            assert red.GetSliceOffset() == pytest.approx(chosen_mm)
            assert manager.layout == layout


def test_the_next_patient_takes_the_place_of_two_exams(two_exams, standin, monkeypatch):
    import slicer
    from PCNSLSurvivalUI.result.navigation import EARLIER_VIEW, LATER_VIEW, isShowingExams
    from PCNSLSurvivalUI.two_dates.kept_exam import EARLIER, LATER, LATER_MAP

    parameters, outputs = two_exams.logic.getParameterNode(), outputs_of(two_exams)
    patients = SimpleNamespace(
        instanceValue=lambda uid, tag: uid if tag == "0010,0020" else "", fileForInstance=lambda uid: ""
    )
    monkeypatch.setattr(slicer, "dicomDatabase", patients, raising=False)
    for node in (parameters.earlierVolume, parameters.t1gdVolume):
        node.SetAttribute("DICOM.instanceUIDs", "A")
    _compare(two_exams)
    with slice_views(standin, EARLIER_VIEW, LATER_VIEW) as views:
        two_exams.ui.examsButton.click()
        assert isShowingExams()
        assert None not in [view.GetForegroundVolumeID() for view in views]
        other = add_head("T1 Gd of another patient", lesion=900.0)
        other.SetAttribute("DICOM.instanceUIDs", "B")
        parameters.t1gdVolume = other
        _predict(two_exams)
        assert not isShowingExams()
        assert {layer for v in views for layer in (v.GetBackgroundVolumeID(), v.GetForegroundVolumeID())} == {None}
    assert {outputs.node(LATER), outputs.node(LATER_MAP)} == {None}
    assert outputs.roles(EARLIER), "what was kept by hand stays for the patient that it is of"
    legends = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
    assert sum(legend.GetVisibility() for legend in legends) == 1
    assert not two_exams.ui.examsButton.isVisibleTo(two_exams.parent)
    two_exams.ui.followUpButton.click()
    assert _is_over(two_exams)
    assert "name two patients" in two_exams.ui.messageLabel.text
    earlier = parameters.earlierVolume
    another = add_head("T1 Gd of a third date")
    another.SetAttribute("DICOM.instanceUIDs", "A")
    two_exams.logic.chooseAlone(parameters, another)
    assert parameters.earlierVolume is earlier, "another exam of the same patient"
    parameters.earlierLesion = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "tumor of A")
    two_exams.logic.chooseAlone(parameters, other)
    assert (parameters.earlierVolume, parameters.earlierLesion) == (None, None)


def test_a_check_that_fails_after_keeping_reaches_the_kept_map(two_exams, standin):
    from PCNSLSurvivalUI.result.navigation import EARLIER_VIEW, LATER_VIEW
    from PCNSLSurvivalUI.scene.output_nodes import HATCHED, OVER, mapRole
    from PCNSLSurvivalUI.two_dates.kept_exam import EARLIER, LATER_MAP

    def fail(shown):
        fail_check(two_exams)
        hatched = HATCHED + mapRole(OVER, cells=False)
        Wait().until(lambda: image(hatched) is not None and image(shown) is image(hatched), 10)
        return image(hatched)

    def image(role):
        node = outputs.node(role)
        return None if node is None else node.GetImageData()

    def marked():
        titles = [_legend(outputs.node(role)).GetTitleText() for role in (EARLIER + OVER, LATER_MAP)]
        return ["FAILED A CHECK" in title for title in titles]

    parameters, outputs = two_exams.logic.getParameterNode(), outputs_of(two_exams)
    january, may = parameters.earlierVolume, parameters.t1gdVolume
    parameters.t1gdVolume = january
    _predict(two_exams)
    two_exams.ui.keepEarlierButton.click()
    hatched = fail(EARLIER + OVER)
    parameters.t1gdVolume = may
    _predict(two_exams)
    assert image(EARLIER + OVER) is hatched, "the result of May changes nothing of January"
    _compare(two_exams)
    with slice_views(standin, EARLIER_VIEW, LATER_VIEW):
        two_exams.ui.examsButton.click()
        assert marked() == [True, False]
        fail(LATER_MAP)
        assert marked() == [True, True], "while both exams are shown"


def test_a_comparison_is_cancelled_and_leaves_nothing(two_exams, monkeypatch, tmp_path):
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"seconds": 60}))
    files, scene = temporary_files(), scene_state()
    button = two_exams.ui.followUpButton
    button.click()
    Wait().until(lambda: child_processes() != [] and "Registration" in button.text)
    assert button.text.endswith("Cancel")
    button.click()
    Wait().until(lambda: child_processes() == [])
    assert _is_over(two_exams)
    assert button.text == "Compare the two exams"
    assert (temporary_files(), scene_state()) == (files, scene)
    assert two_exams.ui.followUpLabel.text == ""


def test_an_empty_outline_says_no_tumor_and_a_hidden_segment_is_asked_for(two_exams, monkeypatch, tmp_path):
    import SimpleITK as sitk
    import slicer
    from PCNSLSurvivalUI.scene.segmentations import addOutline

    _sent(tmp_path, monkeypatch)
    parameters = two_exams.logic.getParameterNode()
    head = parameters.t1gdVolume
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "tumor")
    addOutline(segmentation, None, head, "Tumor", (1, 0, 0))
    parameters.lesion = segmentation
    _compare(two_exams)
    sent = sitk.ReadImage(str(tmp_path / "later-lesion.nrrd"))
    assert sent.GetSize() == head.GetImageData().GetDimensions()
    assert not sitk.GetArrayFromImage(sent).any()
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "drawn")
    slicer.util.updateVolumeFromArray(mask, (slicer.util.arrayFromVolume(head) > 700).astype("uint8"))
    mask.CopyOrientation(head)
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(mask, segmentation)
    two_exams.enter()
    assert two_exams.ui.followUpLabel.text.startswith("⚠ An outline was changed since.")
    _compare(two_exams)
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "later-lesion.nrrd"))).sum() > 0
    segmentation.GetDisplayNode().SetAllSegmentsVisibility(False)
    two_exams.ui.followUpButton.click()
    assert two_exams.ui.messageLabel.text.startswith("No segment of the tumor outline of the later T1Gd is visible")
    assert _is_over(two_exams)


def test_an_outline_kept_as_a_surface_is_sent_as_the_ball_it_is(two_exams, monkeypatch, tmp_path):
    """STL files and RTSTRUCT come without voxels: they must not say that the tumor is gone."""
    import SimpleITK as sitk
    import slicer
    import vtk

    _sent(tmp_path, monkeypatch)
    parameters = two_exams.logic.getParameterNode()
    ball = vtk.vtkSphereSource()
    ball.SetCenter(*LESION_RAS_MM)
    ball.SetRadius(9.0)
    ball.SetThetaResolution(40)
    ball.SetPhiResolution(40)
    ball.Update()
    outline = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "from STL")
    outline.CreateDefaultDisplayNodes()
    outline.SetReferenceImageGeometryParameterFromVolumeNode(parameters.t1gdVolume)
    outline.GetSegmentation().SetSourceRepresentationName("Closed surface")
    outline.AddSegmentFromClosedSurfaceRepresentation(ball.GetOutput(), "Tumor", (1, 0, 0))
    parameters.lesion = outline
    _compare(two_exams)
    sent = sitk.ReadImage(str(tmp_path / "later-lesion.nrrd"))
    volume_mm3 = sitk.GetArrayFromImage(sent).sum() * np.prod(sent.GetSpacing())
    assert volume_mm3 == pytest.approx(4 / 3 * np.pi * 9.0**3, rel=0.1)
    outline.GetSegmentation().RemoveAllSegments()
    outline.GetSegmentation().SetSourceRepresentationName("Planar contour")  # no rule for it without SlicerRT
    contour = slicer.vtkSegment()
    contour.AddRepresentation("Planar contour", ball.GetOutput())
    outline.GetSegmentation().AddSegment(contour, "contour")
    two_exams.ui.followUpButton.click()
    assert "cannot be turned into voxels" in two_exams.ui.messageLabel.text
    assert _is_over(two_exams)


def test_one_volume_is_not_compared_with_itself(two_exams):
    parameters = two_exams.logic.getParameterNode()
    parameters.earlierVolume = parameters.t1gdVolume
    assert not two_exams.ui.followUpButton.enabled
    parameters.earlierVolume = None
    assert not two_exams.ui.followUpButton.enabled


def test_a_result_hidden_in_the_reading_mode_is_not_kept(two_exams):
    parameters = two_exams.logic.getParameterNode()
    assert two_exams.ui.keepEarlierButton.enabled
    parameters.readFirst = True
    parameters.t1gdVolume = add_head("T1 Gd of the next patient", lesion=900.0)
    _predict(two_exams)
    assert not two_exams.ui.keepEarlierButton.enabled
