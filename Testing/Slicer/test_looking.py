"""Looking at a result: all sequences with one crosshair, two steps in turn, the brain's surface in 3-D."""

from __future__ import annotations

import numpy as np
import pytest
from made_scenes import (
    LESION_RAS_MM,
    Wait,
    add_head,
    fail_check,
    outputs_of,
    slice_views,
    step_buttons,
    wait_for_answer,
)
from test_map import predicted  # noqa: F401 — a fixture


def _background(view="Red"):
    import slicer

    composite = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{view}")
    return slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID())


def _align(panel, *sequences):
    from PCNSLSurvivalUI.scene.output_nodes import ALIGNED

    for sequence in sequences:
        outputs_of(panel).place(ALIGNED + sequence, add_head(f"{sequence} aligned"), f"{sequence} aligned", None)
    panel.ui.fourUpButton.click()  # the panel looks again


def test_all_aligned_sequences_stand_beside_the_map_with_one_crosshair(standin, predicted):  # noqa: F811
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import ALIGNED
    from PySide6 import QtCore, QtTest

    panel = predicted(add_head("T1 Gd"))
    assert not panel.ui.sequencesButton.enabled
    _align(panel, "t2", "flair")
    assert panel.ui.sequencesButton.enabled
    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    own = crosshair is None
    if own:
        crosshair = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLCrosshairNode")
    before = crosshair.GetCrosshairMode()
    panel.ui.mapVisibleCheckBox.setChecked(False)  # the views are kept with the crosshair of before
    panel.ui.mapVisibleCheckBox.setChecked(True)
    own_choice = slicer.vtkMRMLCrosshairNode.ShowIntersection
    crosshair.SetCrosshairMode(own_choice)
    for button in (panel.ui.sideBySideButton, panel.ui.fourUpButton):
        button.click()
        assert crosshair.GetCrosshairMode() == own_choice, "the user's, which is none of the sequences"
    crosshair.SetCrosshairMode(before)
    with slice_views(standin, "PCNSLT2", "PCNSLFLAIR") as (t2, flair):
        panel.ui.sequencesButton.click()
        Wait().some(0.1)
        manager = standin.app.layoutManager()
        description = manager.standin_layouts[manager.layout]
        assert [f'singletontag="{tag}"' in description for tag in ("Red", "PCNSLT2", "PCNSLFLAIR", "PCNSLT1")] == [
            True, True, True, False,
        ]  # fmt: skip
        for composite, name in ((t2, "t2"), (flair, "flair")):
            assert composite.GetBackgroundVolumeID() == outputs_of(panel).node(ALIGNED + name).GetID()
            assert composite.GetForegroundVolumeID() is None
            assert composite.GetLinkedControl() == composite.GetHotLinkedControl() == 1
        assert _background() is panel.ui.t1gdSelector.currentNode()
        assert crosshair.GetCrosshairMode() == slicer.vtkMRMLCrosshairNode.ShowBasic
        slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed").SetSliceOffset(-16.0)
        QtTest.QTest.keyClick(panel.ui.profilePlot, QtCore.Qt.Key.Key_Up)
        for name in ("Red", "PCNSLT2", "PCNSLFLAIR"):
            node = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}")
            assert node.GetSliceOffset() == pytest.approx(-14.0)
        panel.ui.fourUpButton.click()
        assert crosshair.GetCrosshairMode() == before
        panel.ui.sequencesButton.click()
        crosshair.SetCrosshairMode(own_choice)
        panel.ui.fourUpButton.click()
        assert crosshair.GetCrosshairMode() == own_choice, "chosen while the sequences were shown"
        crosshair.SetCrosshairMode(before)
        panel.ui.sequencesButton.click()
        panel.ui.closeResultButton.click()
        assert crosshair.GetCrosshairMode() == before
    if own:
        slicer.mrmlScene.RemoveNode(crosshair)


def test_a_view_with_other_edges_shows_the_head_undistorted_and_whole(standin, predicted):  # noqa: F811
    """Seen in Slicer 5.8.1: the third sequence had a row to itself, and its head was twice as broad as high."""
    import slicer

    panel = predicted(add_head("T1 Gd"))
    _align(panel, "t1", "t2")
    with slice_views(standin, "PCNSLT1", "PCNSLT2"):
        for name, edges in (("PCNSLT1", (200, 300)), ("PCNSLT2", (700, 300))):
            slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}").SetDimensions(*edges, 1)
        panel.ui.sequencesButton.click()
        Wait().some(0.1)
        red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed").GetFieldOfView()
        for name in ("PCNSLT1", "PCNSLT2"):
            node = slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{name}")
            width, height = node.GetFieldOfView()[:2]
            edges = node.GetDimensions()
            assert width / edges[0] == pytest.approx(height / edges[1])
            assert width >= red[0] - 1e-6
            assert height >= red[1] - 1e-6


def test_the_next_patient_is_shown_without_the_scans_of_the_one_before(standin, predicted):  # noqa: F811
    import slicer
    from PCNSLSurvivalUI.result.repair import markRepaired
    from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, TRANSFORM

    first = add_head("T1 Gd of A")
    panel = predicted(first)
    outputs = outputs_of(panel)
    _align(panel, "t2", "flair")
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    outputs.place(TRANSFORM + "t2", transform, "T2 to T1Gd", first)
    predicted(first)
    assert panel.ui.sequencesButton.enabled, "they lie on the T1Gd that was predicted again"
    repaired = outputs.node(ALIGNED + "flair")
    markRepaired(repaired, ALIGNED + "flair", first)
    with slice_views(standin, "PCNSLT2", "PCNSLFLAIR") as views:
        panel.ui.sequencesButton.click()
        assert [view.GetBackgroundVolumeID() for view in views] == [
            outputs.node(ALIGNED + name).GetID() for name in ("t2", "flair")
        ]
        panel = predicted(add_head("T1 Gd of B", lesion=800.0))
        assert [view.GetBackgroundVolumeID() for view in views] == [None, None]
    assert not panel.ui.sequencesButton.enabled
    assert {role for start in (ALIGNED, TRANSFORM) for role in outputs.roles(start)} == set()
    assert not any(role.startswith(ALIGNED) for role in step_buttons(panel))
    assert repaired.GetScene() is not None, "what was aligned by hand stays in the scene"


def test_two_steps_alternate_until_the_button_is_pressed_again(standin, predicted):  # noqa: F811
    from PCNSLSurvivalUI.scene.output_nodes import CORRECTED, T1GD

    panel = predicted(add_head("T1 Gd"))
    outputs, button = outputs_of(panel), panel.ui.flickerButton

    def alternates():
        return button.text == "Stop the alternation"

    def fail():
        fail_check(panel)
        wait_for_answer(panel)

    assert not button.isVisibleTo(panel.parent)
    step_buttons(panel)[CORRECTED].click()
    assert button.text == "Alternate with: As acquired"
    assert _background() is outputs.node(CORRECTED)
    button.click()
    assert alternates()
    assert _background() is outputs.node(T1GD)
    seconds = Wait().until(lambda: _background() is outputs.node(CORRECTED), 5)
    assert seconds > 1 / 3, "more flashes in a second harm some people (WCAG 2.2, 2.3.1)"
    button.click()
    assert _background() is outputs.node(CORRECTED)
    assert not alternates()
    button.click()
    panel.exit()
    assert not alternates(), "no view moves on its own in another module"
    button.click()
    step_buttons(panel)[CORRECTED].click()
    assert not alternates()
    _align(panel, "t2")
    for show in (panel.ui.fourUpButton.click, panel.ui.sideBySideButton.click, panel.ui.sequencesButton.click, fail):
        step_buttons(panel)[CORRECTED].click()
        button.click()
        assert alternates()
        show()
        assert not alternates(), "the map is shown now, and stays"
        assert not step_buttons(panel)[CORRECTED].checked
    assert not button.isVisibleTo(panel.parent)


def _bounds(node):
    return np.reshape(node.GetPolyData().GetBounds(), (3, 2))


def test_the_3d_view_shows_brain_tumor_and_strongest_region_where_they_are(standin, predicted):  # noqa: F811
    import slicer
    from PCNSLSurvivalUI.result.surfaces import BRAIN, REGION, TUMOR

    head = add_head("T1 Gd", "oblique")
    panel = predicted(head)
    outputs = outputs_of(panel)
    brain, region = outputs.node(BRAIN), outputs.node(REGION)
    np.testing.assert_allclose(_bounds(brain), [(-60, 60), (-75, 75), (-60, 60)], atol=5.0)
    assert np.linalg.norm(_bounds(region).mean(axis=1) - LESION_RAS_MM) < 4.0
    assert np.ptp(_bounds(region), axis=1).max() < 24.0
    assert outputs.node(TUMOR) is None
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "drawn")
    slicer.util.updateVolumeFromArray(mask, (slicer.util.arrayFromVolume(head) > 900).astype("uint8"))
    mask.CopyOrientation(head)
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    segmentation.CreateDefaultDisplayNodes()
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(mask, segmentation)
    for outline in (mask, segmentation):
        panel.logic.getParameterNode().lesion = outline
        panel.ui.fourUpButton.click()
        tumor = _bounds(outputs.node(TUMOR))
        assert np.linalg.norm(tumor.mean(axis=1) - LESION_RAS_MM) < 3.0
        assert (np.abs(np.ptp(tumor, axis=1) - 16.0) < 5.0).all()
    panel.ui.closeResultButton.click()
    assert not any(outputs.node(role).GetDisplayVisibility() for role in (BRAIN, TUMOR, REGION))


def test_a_map_that_fails_its_check_loses_its_region_in_the_3d_view(standin, predicted):  # noqa: F811
    """In 3-D it could not be hatched."""
    from PCNSLSurvivalUI.result.surfaces import BRAIN, REGION

    panel = predicted(add_head("T1 Gd"))
    outputs = outputs_of(panel)
    assert outputs.node(REGION) is not None
    fail_check(panel)
    assert outputs.node(REGION) is None, "at once, before the hatched copies are made"
    wait_for_answer(panel)
    assert outputs.node(REGION) is None
    assert outputs.node(BRAIN) is not None


def test_the_tumor_in_the_3d_view_follows_the_outline_and_no_slider_reads_its_voxels(standin, predicted, monkeypatch):  # noqa: F811
    import slicer
    from PCNSLSurvivalUI.result.surfaces import TUMOR
    from PCNSLSurvivalUI.second_thoughts import outline

    head = add_head("T1 Gd")
    panel = predicted(head)
    parameters, outputs = panel.logic.getParameterNode(), outputs_of(panel)
    masks = []
    for start in (20, 40):
        masks.append(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "drawn"))
        values = np.zeros(slicer.util.arrayFromVolume(head).shape, np.uint8)
        values[start : start + 6, 30:36, 30:36] = 1
        slicer.util.updateVolumeFromArray(masks[-1], values)
        masks[-1].CopyOrientation(head)
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    segmentation.CreateDefaultDisplayNodes()
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(masks[0], segmentation)
    parameters.lesion = segmentation
    before = _bounds(outputs.node(TUMOR)).mean(axis=1)
    read = []
    own = outline.contentOf
    monkeypatch.setattr(outline, "contentOf", lambda node: (read.append(node), own(node))[1])
    surface = outputs.node(TUMOR).GetPolyData()
    first = outline.contentMark(segmentation)
    panel.ui.opacitySlider.value = 0.3
    panel.ui.opacitySlider.value = 0.4
    assert all(outline.contentMark(segmentation) for _ in range(3))
    assert len(read) <= 1, "its voxels are read once"
    assert outputs.node(TUMOR).GetPolyData() is surface
    read.clear()
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(masks[1], segmentation)
    segmentation.GetSegmentation().RemoveSegment(segmentation.GetSegmentation().GetNthSegmentID(0))
    assert outline.contentMark(segmentation) != first
    assert len(read) == 1
    panel.enter()
    after = _bounds(outputs.node(TUMOR)).mean(axis=1)
    np.testing.assert_allclose(after - before, (0, 0, 40.0), atol=0.5)
    parameters.lesion = None
    assert outputs.node(TUMOR) is None


@pytest.fixture
def drawn_tumor(standin):
    """Gives a function that draws an outline in the 3-D view; its surface."""
    import slicer
    from PCNSLSurvivalUI.choices.parameters import parametersOf
    from PCNSLSurvivalUI.result.surfaces import TUMOR, showSurfaces
    from PCNSLSurvivalUI.scene.output_nodes import T1GD, SceneOutputs

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    parameters, outputs = parametersOf(node), SceneOutputs(node)
    t1gd = parameters.t1gdVolume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    outputs.refer(T1GD, t1gd)

    def draw(outline):
        parameters.lesion = outline
        showSurfaces(outputs, t1gd, {}, parameters, [TUMOR])
        return outputs.node(TUMOR).GetPolyData()

    return draw


def test_the_surface_of_an_outline_is_the_ball_it_is_wherever_it_lies(drawn_tumor):
    """Moved and turned by a parent transform, kept as voxels, label map or surface; a hidden segment is not drawn."""
    import slicer
    import vtk

    move = np.eye(4)
    move[:3, :3] = [[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]
    move[:3, 3] = (11.0, -7.0, 23.0)
    parent = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    parent.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(move))
    places = np.stack(np.meshgrid(*[np.arange(64)] * 3, indexing="ij"), axis=-1)  # of k, j, i; edges of 1 mm
    center, radius = np.array([30.0, 20.0, 41.0]), 9.0

    def ball(middle_ijk, radius_mm):
        return np.linalg.norm(places[..., ::-1] - middle_ijk, axis=-1) < radius_mm

    def labels(values):
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
        slicer.util.updateVolumeFromArray(node, values.astype(np.uint8))
        return node

    def volume_mm3(surface):
        measured = vtk.vtkMassProperties()
        measured.SetInputData(surface)
        return measured.GetVolume()

    mask = labels(ball(center, radius))
    drawn = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    drawn.CreateDefaultDisplayNodes()
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.ImportLabelmapToSegmentationNode(mask, drawn)
    logic.ImportLabelmapToSegmentationNode(labels(ball((10.0, 50.0, 10.0), 6.0)), drawn)
    drawn.GetDisplayNode().SetSegmentVisibility(drawn.GetSegmentation().GetNthSegmentID(1), False)
    sphere = vtk.vtkSphereSource()
    sphere.SetCenter(*center)
    sphere.SetRadius(radius)
    sphere.SetThetaResolution(40)
    sphere.SetPhiResolution(40)
    sphere.Update()
    stl = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    stl.CreateDefaultDisplayNodes()
    stl.SetReferenceImageGeometryParameterFromVolumeNode(mask)
    stl.GetSegmentation().SetSourceRepresentationName("Closed surface")
    stl.AddSegmentFromClosedSurfaceRepresentation(sphere.GetOutput(), "Tumor", (1, 0, 0))
    truth = move[:3, :3] @ center + move[:3, 3]
    for outline in (mask, drawn, stl):
        outline.SetAndObserveTransformNodeID(parent.GetID())
        surface = drawn_tumor(outline)
        bounds = np.reshape(surface.GetBounds(), (3, 2))
        np.testing.assert_allclose(bounds.mean(axis=1), truth, atol=0.6)
        assert volume_mm3(surface) == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.1)
    focus = labels(ball((33.0, 33.0, 33.0), 1.5) | ball((50.0, 50.0, 50.0), 8.0))
    low = np.reshape(drawn_tumor(focus).GetBounds(), (3, 2))[:, 0]
    assert (low < 34.0).all(), "a focus of 3 mm is drawn beside a larger one"


@pytest.mark.parametrize("hand", [1.0, -1.0], ids=["right-handed", "left-handed"])
def test_a_surface_looks_outward_whatever_the_hand_of_the_voxels(drawn_tumor, hand):
    """Seen in Slicer: where corners and normals disagree the surface is black."""
    import slicer
    from vtk.util.numpy_support import vtk_to_numpy

    block = np.zeros((8, 8, 8), np.uint8)
    block[2:6, 2:6, 2:6] = 1
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    slicer.util.updateVolumeFromArray(mask, block)
    mask.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.diag([hand, 1.0, 1.0, 1.0])))
    surface = drawn_tumor(mask)
    points, normals = (vtk_to_numpy(a) for a in (surface.GetPoints().GetData(), surface.GetPointData().GetNormals()))
    corners = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    a, b, c = points[corners].transpose(1, 0, 2)
    agree = (np.cross(b - a, c - a) * normals[corners[:, 0]]).sum(axis=1) > 0
    assert agree.all()
