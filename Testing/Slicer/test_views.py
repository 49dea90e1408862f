"""The slice views while a result is open: T1Gd's own planes, nothing above the map, and the user's views afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from made_scenes import (
    GEOMETRIES,
    LESION_RAS_MM,
    Wait,
    add_head,
    ijk_to_ras,
    outputs_of,
    slice_rgb,
    smooth_map,
    step_buttons,
)
from test_map import open_scene, predicted, save_scene  # noqa: F401 — a fixture

VIEWS = ("Red", "Green", "Yellow")


def _slice(view="Red"):
    import slicer

    return slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{view}")


def _layers(view="Red"):
    import slicer

    return slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{view}")


def _plane(view="Red"):
    import slicer

    return slicer.util.arrayFromVTKMatrix(_slice(view).GetSliceToRAS()).copy()


def _axes(node):
    axes = ijk_to_ras(node)[:3, :3]
    return axes / np.linalg.norm(axes, axis=0)


def _shown_state():
    """Everything of the views that a user set up and would miss."""
    state = []
    for view in VIEWS:
        node, layers = _slice(view), _layers(view)
        state += [np.round(_plane(view), 6).tolist(), np.round(node.GetFieldOfView()[:2], 4).tolist()]
        state += [node.GetUseLabelOutline(), layers.GetBackgroundVolumeID(), layers.GetForegroundVolumeID()]
        state += [layers.GetLabelVolumeID(), layers.GetLabelOpacity(), layers.GetForegroundOpacity()]
        state += [layers.GetLinkedControl(), layers.GetHotLinkedControl()]
    return state


def _label_map(like, name="tumor"):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, (slicer.util.arrayFromVolume(like) > 100).astype(np.uint8))
    node.CopyOrientation(like)
    node.CreateDefaultDisplayNodes()
    return node


def test_each_change_of_the_map_draws_the_views_once(standin, predicted):  # noqa: F811
    """Every drawing of the views takes Slicer a tenth of a second, in which nothing else happens."""
    panel = predicted(add_head("T1 Gd"))
    ui, changes = panel.ui, {}
    for name, change in {
        "class": lambda: ui.mapSelector.setCurrentIndex(1),
        "evidence, whose colors come into the scene": lambda: ui.mapSelector.setCurrentIndex(2),
        "threshold": lambda: setattr(ui.thresholdSlider, "value", 0.7),
        "opacity": lambda: setattr(ui.opacitySlider, "value", 0.7),
        "hotspot": ui.nextCellButton.click,
    }.items():
        before = _draws(standin)
        change()
        assert _draws(standin) == before, f"{name}: not before the widgets that follow the views have had their say"
        changes[name] = _draws_after(standin, before)
    assert set(map(tuple, changes.values())) == {(1, 1, 1)}, changes


def _draws(standin):
    return [view.standin_draws for view in _slice_views(standin)]


def _draws_after(standin, before):
    """How often each view has drawn since then, once all have, and a moment later."""
    Wait().until(lambda: all(after > once for after, once in zip(_draws(standin), before, strict=True)), 10)
    Wait().some(0.02)
    return [after - once for after, once in zip(_draws(standin), before, strict=True)]


def _slice_views(standin):
    manager = standin.app.layoutManager()
    return [manager.sliceWidget(name).sliceView() for name in manager.sliceViewNames()]


def test_a_result_that_arrives_draws_every_view_once(standin, predicted):  # noqa: F811
    """The one before leaves the scene, another map covers other slices, the first look: all of that is one drawing."""
    head = add_head("T1 Gd")
    predicted(head)
    for arriving in (head, add_head("T1 Gd of another patient", lesion=900.0)):
        Wait().some(0.02)
        before = _draws(standin)
        panel = predicted(arriving)
        assert _draws_after(standin, before) == [1, 1, 1]
    assert panel.ui.cellLabel.text.startswith("1 of"), "the first look at the other patient"


def test_views_pause_after_the_volumes_are_read_and_the_number_comes_with_the_picture(standin, predicted, monkeypatch):  # noqa: F811
    """The new number never stands beside the picture of before."""
    from PCNSLSurvivalUI.result import result_import
    from PCNSLSurvivalUI.sections.map_section import MapControls
    from PCNSLSurvivalUI.sections.result_section import ResultControls

    panel = predicted(add_head("T1 Gd"))
    order = []

    def noted(name, owner, attribute):
        own = getattr(owner, attribute)
        monkeypatch.setattr(owner, attribute, lambda *given: (order.append(name()), own(*given))[1])

    def readOrPaused():
        return "paused" if any(view.isRenderPaused() for view in _slice_views(standin)) else "read"

    noted(readOrPaused, result_import, "readVolume")
    noted(lambda: "look", MapControls, "showFirstLook")
    noted(lambda: "number", ResultControls, "show")
    shown = panel.ui.resultSection.isVisibleTo
    noted(lambda: "number is hidden" if not shown(panel.parent) else "too early", MapControls, "showNewResult")
    panel.logic.getParameterNode().t1gdVolume = add_head("T1 Gd of another patient", lesion=900.0)
    order.clear()
    panel.ui.predictButton.click()
    views = _slice_views(standin)
    Wait().until(lambda: panel.logic.run is None and not any(view.isRenderPaused() for view in views))
    assert "read" in order
    assert "paused" not in order
    steps = [one for one in order if one != "read"]
    assert steps[-3:] == ["number is hidden", "look", "number"]
    assert shown(panel.parent)


def test_a_picture_that_cannot_be_drawn_hides_no_number(standin, predicted, monkeypatch, capfd):  # noqa: F811
    """As the surface of an outline under a transform that bends."""
    from PCNSLSurvivalUI.sections.map_section import MapControls

    panel = predicted(add_head("T1 Gd"))
    parameters = panel.logic.getParameterNode()
    result = parameters.result
    panel.ui.closeResultButton.click()
    assert not panel.ui.resultSection.isVisibleTo(panel.parent)

    def fails(section):
        raise RuntimeError("no surface")

    monkeypatch.setattr(MapControls, "showSurfaces", fails)
    parameters.result = result
    assert "no surface" in capfd.readouterr().err
    assert panel.ui.resultSection.isVisibleTo(panel.parent)


def test_a_view_that_is_gone_does_not_keep_the_others_from_drawing(standin, monkeypatch):
    from PCNSLSurvivalUI.scene.kept_views import oneRender

    def destroyed():
        raise ValueError("Trying to call 'resumeRender' on a destroyed qMRMLSliceView object")

    gone, *others = _slice_views(standin)
    with monkeypatch.context() as layout:
        with oneRender():
            layout.setattr(gone, "resumeRender", destroyed)
        Wait().until(lambda: not any(view.isRenderPaused() for view in others), 5)
        assert gone.isRenderPaused()
    gone.resumeRender()


# --- what the stand-in copies from the application -------------------------------------------------------------
def test_a_loaded_volume_turns_the_views_to_its_planes_and_they_stay_there(standin):
    """Seen in the running application: the offset is measured along the view's own normal, and a fit turns nothing."""
    t2 = add_head("T2", "oblique")
    standin.show_loaded(t2)
    normal = _plane()[:3, 2]
    assert max(abs(_axes(t2).T @ normal)) == pytest.approx(1.0)
    assert abs(normal[2]) < 0.98, "not the patient's own axial plane"
    standin.app.layoutManager().resetSliceViews()
    np.testing.assert_allclose(_plane()[:3, 2], normal)
    _slice().SetSliceOffset(21.0)
    assert normal @ _plane()[:3, 3] == pytest.approx(21.0)
    assert _plane()[2, 3] != pytest.approx(21.0, abs=0.5)


def test_a_loaded_label_map_lies_above_everything(standin):
    import slicer

    head, other = add_head("T1 Gd"), add_head("T2")
    slicer.util.setSliceViewerLayers(background=head, foreground=other, foregroundOpacity=1.0)
    label = _label_map(head)
    standin.show_loaded(label)
    assert _layers().GetLabelVolumeID() == label.GetID()
    assert _layers().GetLabelOpacity() == 1.0
    slicer.util.setSliceViewerLayers(background=head, foreground=other)
    assert _layers().GetLabelVolumeID() == label.GetID()
    rgb = slice_rgb(standin)
    assert (rgb.max(axis=-1) - rgb.min(axis=-1) > 30).any(), "the colored label hides the gray scan"


# --- T1Gd's own planes -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("geometry", list(GEOMETRIES))
def test_the_result_is_shown_on_the_slices_of_t1gd(standin, predicted, geometry):  # noqa: F811
    """Whatever was loaded last: each view shows the plane of T1Gd next to its own orientation, all of T1Gd in it."""
    t1gd = add_head("T1 Gd", geometry)
    t2 = add_head("T2 tilted", "oblique" if geometry != "oblique" else "thick slices")
    standin.show_loaded(t2)
    _slice().SetOrientation("Sagittal")
    predicted(t1gd)
    for view, axis in (("Red", 2), ("Green", 1), ("Yellow", 0)):
        normal = _plane(view)[:3, 2]
        assert np.abs(_axes(t1gd).T @ normal).max() == pytest.approx(1.0, abs=1e-6), "a plane of T1Gd"
        assert np.argmax(np.abs(normal)) == axis, "axial in Red, coronal in Green, sagittal in Yellow"
        size = np.abs(
            np.linalg.inv(_plane(view)[:3, :3]) @ ijk_to_ras(t1gd)[:3, :3] @ t1gd.GetImageData().GetDimensions()
        )
        assert (np.array(_slice(view).GetFieldOfView())[:2] >= size[:2] - 1.0).all(), "nothing of it is cut"
        assert _layers(view).GetBackgroundVolumeID() == t1gd.GetID()


def test_a_scan_loaded_while_the_result_is_open_does_not_keep_the_views(standin, predicted):  # noqa: F811
    t1gd = add_head("T1 Gd", "oblique")
    panel = predicted(t1gd)
    planes = [_plane(view)[:3, :3] for view in VIEWS]
    standin.show_loaded(add_head("late", "thick slices"))
    assert not np.allclose(_plane()[:3, :3], planes[0])
    panel.ui.opacitySlider.value = 0.8
    for view, plane in zip(VIEWS, planes, strict=True):
        np.testing.assert_allclose(_plane(view)[:3, :3], plane, atol=1e-9)
        assert _layers(view).GetForegroundVolumeID() == smooth_map(panel).GetID()


def _click(plot, s_mm):
    """Click where the plot shows this slice, between rims of 8 pixels."""
    from PySide6 import QtCore, QtGui

    low, high = plot.profile["s_mm"][0], plot.profile["s_mm"][-1]
    place = QtCore.QPointF(8 + (plot.width - 16) * (s_mm - low) / (high - low), 40.0)
    left, kind = QtCore.Qt.MouseButton.LeftButton, QtCore.QEvent.Type.MouseButtonPress
    press = QtGui.QMouseEvent(kind, place, place, left, left, QtCore.Qt.KeyboardModifier.NoModifier)
    QtCore.QCoreApplication.sendEvent(plot, press)


@pytest.mark.parametrize("geometry", list(GEOMETRIES))
def test_profile_marker_click_and_arrow_keys_are_exact(standin, predicted, geometry):  # noqa: F811
    """The slice with the highest bar is the slice that shows the strongest voxel, on every kind of T1Gd."""
    import slicer
    from PySide6 import QtCore, QtTest

    t1gd = add_head("T1 Gd", geometry, lesion=3000.0)
    standin.show_loaded(t1gd)
    panel = predicted(t1gd)
    profile, node = panel.ui.profilePlot, smooth_map(panel)
    heights = profile.profile
    values = slicer.util.arrayFromVolume(node)
    spacing = node.GetSpacing()[2]
    k, j, i = np.argwhere(values == values.max())[0]
    strongest = (ijk_to_ras(node) @ (i, j, k, 1.0))[:3]
    normal = _plane()[:3, 2]
    bands = [s for s, v in zip(heights["s_mm"], heights["value"], strict=True) if v > 0.999]
    assert min(abs(band - normal @ strongest) for band in bands) <= spacing / 2 + 1e-6
    if geometry == "thick slices":
        inside = [v for s, v in zip(heights["s_mm"], heights["value"], strict=True) if bands[0] <= s <= bands[-1]]
        assert min(inside) > 0, "no gaps between slices of 6 mm"

    _click(profile, bands[0])
    assert _slice().GetSliceOffset() == pytest.approx(bands[0])
    assert profile.current == pytest.approx(bands[0])
    rgb = slice_rgb(standin)
    assert (rgb.max(axis=-1) - rgb.min(axis=-1) > 60).any(), "the slice that the profile names shows the map"

    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *LESION_RAS_MM)
    assert profile.current == pytest.approx(normal @ LESION_RAS_MM, abs=1e-6)
    before = _slice().GetSliceOffset()
    profile.resize(300, 96)
    QtTest.QTest.keyClick(profile, QtCore.Qt.Key.Key_Up)
    assert _slice().GetSliceOffset() == pytest.approx(before + max(spacing, 2.0))
    QtTest.QTest.mouseClick(profile, QtCore.Qt.MouseButton.LeftButton, pos=QtCore.QPoint(292, 40))
    assert _slice().GetSliceOffset() == pytest.approx(heights["s_mm"][-1], abs=0.5)


def _axis(panel):
    """The axis of the slices of T1Gd, as the result tells it."""
    from PCNSLSurvivalUI.result.slice_axis import SliceAxis
    from PCNSLSurvivalUI.scene.output_nodes import storedResult

    return SliceAxis(**storedResult(panel.logic.getParameterNode().result)["profile_axis"])


def test_the_profile_goes_on_in_views_that_the_user_turned(standin, predicted):  # noqa: F811
    """A slightly turned view crosses the axis of the slices somewhere; a sagittal one has no place on it."""
    panel = predicted(add_head("T1 Gd", "oblique"))
    profile, axis = panel.ui.profilePlot, _axis(panel)
    _slice().SetOrientation("Axial")
    places = profile.profile["s_mm"]
    place = places[len(places) // 3]
    _click(profile, place)
    normal, center = np.array(axis.normal_ras), np.array(axis.center_ras_mm)
    crossing = center + (place - normal @ center) * normal
    assert _slice().GetSliceOffset() == pytest.approx(crossing[2])
    assert profile.current == pytest.approx(place)
    _slice().SetOrientation("Sagittal")
    assert profile.current is None


def test_the_evidence_profile_is_what_the_slices_show(standin, predicted):  # noqa: F811
    """Sampled point by point with Slicer's own interpolation, each slice gives the values that its bars have."""
    import slicer
    import vtk
    from PCNSLSurvivalUI.scene.output_nodes import EVIDENCE_MAP

    panel = predicted(add_head("T1 Gd", "oblique"))
    panel.ui.mapSelector.setCurrentIndex(2)
    node, heights = outputs_of(panel).node(EVIDENCE_MAP), panel.ui.profilePlot.profile
    normal, center = np.array(_axis(panel).normal_ras), np.array(_axis(panel).center_ras_mm)
    probe = vtk.vtkImageInterpolator()
    probe.SetInterpolationModeToLinear()
    probe.Initialize(node.GetImageData())
    to_index = np.linalg.inv(ijk_to_ras(node))
    across = np.linalg.svd(normal[None])[2][1:]
    count = len(heights["s_mm"])
    for number in range(count // 4, 3 * count // 4, 7):  # near foot and crown 6 mm are too coarse for what is left
        start = center + (heights["s_mm"][number] - normal @ center) * normal
        found = []
        for u in np.arange(-150, 151, 6.0):
            for v in np.arange(-150, 151, 6.0):
                index = (to_index @ [*(start + u * across[0] + v * across[1]), 1.0])[:3]
                if ((index >= 0) & (index <= np.array(node.GetImageData().GetDimensions()) - 1)).all():
                    found.append(probe.Interpolate(*index, 0))
        most = float(np.abs(slicer.util.arrayFromVolume(node)).max())
        # A grid of 6 mm misses the summit of a cell by up to a fifth.
        assert heights["value"][number] == pytest.approx(max([0.0, *found]), abs=0.2 * most)
        assert heights["against"][number] == pytest.approx(min([0.0, *found]), abs=0.2 * most)


# --- nothing above the map, and the user's views afterwards -----------------------------------------------------
@pytest.mark.parametrize("loaded", ["before", "afterwards"])
def test_the_map_is_seen_although_a_label_map_was_loaded(standin, predicted, loaded):  # noqa: F811
    import slicer

    t1gd = add_head("T1 Gd", "oblique", lesion=3000.0)
    label = _label_map(t1gd)
    if loaded == "before":
        standin.show_loaded(label)
    panel = predicted(t1gd)
    if loaded == "afterwards":
        standin.show_loaded(label)
    panel.ui.opacitySlider.value = 1.0
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *LESION_RAS_MM)
    seen = slice_rgb(standin)
    assert _layers().GetLabelVolumeID() is None
    panel.ui.mapVisibleCheckBox.setChecked(False)
    gray = slice_rgb(standin)
    assert (gray.max(axis=-1) == gray.min(axis=-1)).all(), "T1Gd alone"
    assert (seen.max(axis=-1) - seen.min(axis=-1) > 60).sum() > 50, "the colors of the map"
    panel.ui.closeResultButton.click()
    assert _layers().GetLabelVolumeID() == label.GetID()


def test_closing_the_result_gives_the_views_back_as_they_were(standin, predicted):  # noqa: F811
    import slicer

    t1gd, t2 = add_head("T1 Gd"), add_head("T2 tilted", "oblique")
    standin.show_loaded(t1gd)
    standin.show_loaded(t2)
    standin.show_loaded(_label_map(t1gd))
    for view in VIEWS:
        _layers(view).SetForegroundVolumeID(t1gd.GetID())
        _layers(view).SetForegroundOpacity(0.25)
        _layers(view).SetLabelOpacity(0.4)
        _layers(view).SetLinkedControl(True)
        _slice(view).SetFieldOfView(90.0, 90.0, 1.0)
        _slice(view).SetUseLabelOutline(True)
    before = _shown_state()
    panel = predicted(t1gd)
    assert _shown_state() != before
    step_buttons(panel)["output.mask"].click()
    panel.ui.sideBySideButton.click()
    Wait().some(0.05)
    panel.ui.mapSelector.setCurrentIndex(2)
    panel.ui.closeResultButton.click()
    Wait().some(0.05)
    assert _shown_state() == before
    assert standin.app.layoutManager().layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    legends = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
    assert not any(legend.GetVisibility() for legend in legends)
    assert not panel.ui.resultSection.isVisibleTo(panel.parent)
    assert smooth_map(panel) is not None, "the volumes stay in the scene"
    panel.ui.predictButton.click()
    Wait().until(lambda: panel.logic.run is None)
    assert _layers().GetForegroundVolumeID() is not None, "the next result is shown again"


def test_unloading_the_module_gives_the_views_back(standin, predicted):  # noqa: F811
    t1gd = add_head("T1 Gd", "oblique")
    standin.show_loaded(add_head("T2 tilted", "thick slices"))
    before = _shown_state()
    panel = predicted(t1gd)
    panel.cleanup()
    assert _shown_state() == before


def test_closing_the_scene_gives_the_layout_back(standin, predicted):  # noqa: F811
    import slicer
    from PCNSLSurvivalUI.result import navigation

    from PCNSLSurvivalLib.core.terms import MRSequence

    manager, chosen = standin.app.layoutManager(), slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView
    for show in (navigation.showSideBySide, lambda: navigation.showSequences([MRSequence.T1, MRSequence.T2])):
        manager.setLayout(chosen)
        predicted(add_head("T1 Gd"))
        show()
        assert navigation.isOwnLayout(manager.layout)
        slicer.mrmlScene.Clear(0)
        assert manager.layout == chosen


def test_a_reopened_scene_keeps_t1gd_in_the_views_when_its_result_is_closed(standin, predicted, tmp_path):  # noqa: F811
    """Slicer brings the choices of a scene before its volumes: what is shown then is not what the scene holds."""
    import slicer

    panel, manager = predicted(add_head("T1 Gd")), standin.app.layoutManager()
    panel.ui.sideBySideButton.click()
    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    crosshair = crosshair or slicer.mrmlScene.AddNewNodeByClass("vtkMRMLCrosshairNode")
    crosshair.SetCrosshairMode(slicer.vtkMRMLCrosshairNode.ShowBasic)
    saved = save_scene(standin, tmp_path)
    own = manager.layout
    slicer.mrmlScene.Clear(0)
    manager.setLayout(own)  # a part of the scene
    open_scene(saved)
    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    assert crosshair.GetCrosshairMode() == slicer.vtkMRMLCrosshairNode.ShowBasic
    assert _layers().GetForegroundVolumeID() is not None
    manager.standin_sizes[slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView] = (250, 500)
    panel.ui.closeResultButton.click()
    Wait().some(0.05)
    assert crosshair.GetCrosshairMode() == slicer.vtkMRMLCrosshairNode.NoCrosshair
    shown_mm = [_slice(view).GetFieldOfView() for view in VIEWS]
    manager.resetSliceViews()
    assert [_slice(view).GetFieldOfView() for view in VIEWS] == shown_mm
    t1gd = slicer.util.getNode("T1 Gd")
    assert [_layers(view).GetBackgroundVolumeID() for view in VIEWS] == [t1gd.GetID()] * 3
    assert [_layers(view).GetForegroundVolumeID() for view in VIEWS] == [None] * 3
    assert manager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView


def test_a_layout_that_a_scene_was_saved_with_is_shown_on_request(standin, predicted):  # noqa: F811
    """In a Slicer that was started anew it has no description yet: Slicer shows another one under its number."""
    panel, manager, shown = predicted(add_head("T1 Gd")), standin.app.layoutManager(), []
    panel.ui.sideBySideButton.click()
    own = manager.layout
    manager.standin_layouts.clear()
    manager.connect("layoutChanged(int)", shown.append)
    panel.ui.sideBySideButton.click()
    manager.disconnect("layoutChanged(int)", shown.append)
    assert shown[-1] == manager.layout == own


def test_leaving_the_quality_strip_leaves_no_outline(standin, predicted):  # noqa: F811
    import slicer

    panel = predicted(add_head("T1 Gd"))
    before = _shown_state()
    for role in ("output.mask", "shown.t1gd", "output.mask", "output.mask"):
        step_buttons(panel)[role].click()
    assert _shown_state() == before
    step_buttons(panel)["output.corrected"].click()
    legends = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
    assert not any(legend.GetVisibility() for legend in legends), "no legend without its map"
    panel.ui.mapVisibleCheckBox.setChecked(False)
    panel.ui.mapVisibleCheckBox.setChecked(True)
    assert sum(legend.GetVisibility() for legend in legends) == 1


def test_result_and_warnings_are_read_without_scrolling(standin, predicted):  # noqa: F811
    """In a window of 1920 x 1200, Slicer leaves the module panel some 800 pixels."""
    import json

    from PySide6 import QtCore, QtWidgets

    panel = predicted(add_head("T1 Gd"))
    parameters = panel.logic.getParameterNode()
    result = json.loads(parameters.result)
    sentence = "This sentence warns of what one must know before the probability is believed, and of what to do. "
    result["warnings"] = [sentence * 2, sentence * 2, sentence]
    parameters.result = json.dumps(result)
    panel.parent.show()
    layout = QtWidgets.QWidget.layout(panel.parent)
    for _pass in range(2):
        panel.parent.resize(430, max(layout.sizeHint().height(), layout.heightForWidth(430)))
        Wait().some(0.05)
    label = panel.ui.warningsLabel
    top = QtWidgets.QWidget.mapTo(label, panel.parent, QtCore.QPoint(0, 0)).y()
    assert top + label.height <= 800
    panel.ui.closeResultButton.click()
    assert panel.ui.t1gdSelector.isVisibleTo(panel.parent), "the next scan can be chosen"


# --- side by side ----------------------------------------------------------------------------------------------
def test_side_by_side_does_not_cut_the_head(standin, predicted):  # noqa: F811
    """A high and narrow view keeps its height in mm when the layout changes, so it must be fitted anew."""
    t1gd = add_head("T1 Gd", "oblique")
    panel = predicted(t1gd)
    manager = standin.app.layoutManager()
    _slice().SetSliceOffset(17.0)
    panel.ui.sideBySideButton.click()
    manager.standin_sizes[manager.layout] = (250, 500)
    panel.ui.fourUpButton.click()
    panel.ui.sideBySideButton.click()
    Wait().until(lambda: _slice().GetDimensions()[:2] == (250, 500), 5)
    Wait().some(0.05)
    width, height = _slice().GetFieldOfView()[:2]
    size = np.array(t1gd.GetImageData().GetDimensions()) * t1gd.GetSpacing()
    assert width >= size[0] - 1.0
    assert height >= size[1] - 1.0
    assert _slice().GetSliceOffset() == pytest.approx(17.0)
    assert '"viewlabel" action="default">T1Gd<' in manager.standin_layouts[manager.layout]


# --- seconds ---------------------------------------------------------------------------------------------------
def test_a_change_of_the_map_draws_once(standin, predicted):  # noqa: F811
    """While volumes and colors are switched no view draws; nodes that do not change say nothing."""
    import slicer
    import vtk

    panel = predicted(add_head("T1 Gd"))
    ui, unpaused, events = panel.ui, [], []

    def heard(caller, event):
        events.append(caller.GetID())
        if not all(view.isRenderPaused() for view in _slice_views(standin)):
            unpaused.append(caller.GetID())

    nodes = [_layers(view) for view in VIEWS] + [smooth_map(panel).GetDisplayNode()]
    tags = [(node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, heard)) for node in nodes]
    try:
        for change in (
            lambda: ui.mapSelector.setCurrentIndex(1),
            lambda: ui.mapSelector.setCurrentIndex(0),
            lambda: setattr(ui.thresholdSlider, "value", 0.6),
            lambda: panel.ui.nextCellButton.click(),
        ):
            events.clear()
            change()
            assert unpaused == []
            assert max([0, *(events.count(node.GetID()) for node in nodes)]) <= 1
    finally:
        for node, tag in tags:
            node.RemoveObserver(tag)
    Wait().some(0.02)
    assert not any(view.isRenderPaused() for view in _slice_views(standin))
    assert slicer.app.layoutManager() is not None
