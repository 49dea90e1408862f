"""The map on the slices: its place, its controls, the views, and a scene saved and opened again."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from made_scenes import (
    GEOMETRIES,
    LESION_RAS_MM,
    Wait,
    add_head,
    ijk_to_ras,
    outputs_of,
    rotation,
    shortcuts,
    slice_rgb,
    smooth_map,
    step_buttons,
)


@pytest.fixture
def predicted(opened):
    """Gives a function that shows the result of a head of some geometry."""
    return opened


@pytest.fixture
def predict(quick_panel):
    """Gives a function that predicts a head, from the button to the shown result."""
    from slicer_standin import cli

    for module in ("n4itkbiasfieldcorrection", "swissskullstripper"):
        cli.plans[module] = {"quick": True}

    def run(t1gd):
        quick_panel.ui.t1gdSelector.setCurrentNode(t1gd)
        quick_panel.ui.predictButton.click()
        Wait().until(lambda: quick_panel.logic.run is None)
        assert quick_panel.ui.messageLabel.text == ""
        return quick_panel

    return run


@pytest.mark.parametrize("geometry", list(GEOMETRIES))
def test_the_map_lies_on_the_voxels_of_the_t1gd(predict, geometry):
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import MASK, OVER, UP_TO, mapRole

    t1gd = add_head("T1 Gd", geometry)
    panel = predict(t1gd)
    shown, other = (outputs_of(panel).node(mapRole(explains, cells=False)) for explains in (OVER, UP_TO))
    np.testing.assert_allclose(ijk_to_ras(shown), ijk_to_ras(t1gd), atol=1e-6)
    np.testing.assert_allclose(ijk_to_ras(other), ijk_to_ras(t1gd), atol=1e-6)
    np.testing.assert_allclose(ijk_to_ras(outputs_of(panel).node(MASK)), ijk_to_ras(t1gd), atol=1e-6)
    assert shown.GetImageData().GetDimensions() == t1gd.GetImageData().GetDimensions()
    k, j, i = np.argwhere(slicer.util.arrayFromVolume(shown) > 0.5).mean(axis=0)
    np.testing.assert_allclose((ijk_to_ras(shown) @ (i, j, k, 1.0))[:3], LESION_RAS_MM, atol=1.5)


@pytest.mark.parametrize("geometry", list(GEOMETRIES))
def test_lesion_and_activation_coincide_in_the_pictures(standin, predicted, geometry):
    import slicer

    panel = predicted(add_head("T1 Gd", geometry, lesion=3000.0))
    panel.ui.opacitySlider.value = 1.0
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *LESION_RAS_MM)
    t1gd = panel.ui.t1gdSelector.currentNode()
    for view in ("Red", "Green", "Yellow"):
        colored = slice_rgb(standin, view)
        is_colored = colored.max(axis=-1) - colored.min(axis=-1) > 60
        panel.ui.mapVisibleCheckBox.setChecked(False)
        grey = slice_rgb(standin, view)
        assert (grey.max(axis=-1) == grey.min(axis=-1)).all(), "without the map the slice is grey"
        # The lesion is far brighter than the head, so a high window shows it alone above half of white.
        t1gd.GetDisplayNode().AutoWindowLevelOff()
        t1gd.GetDisplayNode().SetWindowLevelMinMax(1500.0, 2500.0)
        is_bright = slice_rgb(standin, view)[..., 0] > 127
        panel.ui.mapVisibleCheckBox.setChecked(True)
        assert is_bright.sum() > 50
        assert is_colored.sum() > 50
        np.testing.assert_allclose(np.argwhere(is_colored).mean(axis=0), np.argwhere(is_bright).mean(axis=0), atol=2.0)
        overlap = 2 * (is_colored & is_bright).sum() / (is_colored.sum() + is_bright.sum())
        assert overlap > 0.8, view


@pytest.mark.parametrize("kind", ["other class", "cells", "evidence", "evidence cells"])
def test_every_kind_of_map_lies_where_it_belongs_in_the_pictures(standin, predicted, kind):
    """On oblique voxels: what is colored in a view is what the map's own voxels say of the points of that view."""
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import EVIDENCE, EVIDENCE_MAP, OVER, UP_TO, mapRole

    panel = predicted(add_head("T1 Gd", "oblique", lesion=3000.0))
    ui, outputs = panel.ui, outputs_of(panel)
    ui.opacitySlider.value = 1.0
    ui.thresholdSlider.value = 0.5
    role, choice = {
        "other class": (mapRole(UP_TO, cells=False), 1),
        "cells": (mapRole(OVER, cells=True), 0),
        "evidence": (EVIDENCE_MAP, 2),
        "evidence cells": (EVIDENCE, 2),
    }[kind]
    ui.mapSelector.setCurrentIndex(choice)
    ui.smoothSelector.setCurrentIndex(1 if kind.endswith("cells") else 0)
    node = outputs.node(role)
    values = slicer.util.arrayFromVolume(node)
    k, j, i = np.argwhere(values >= 0.99 * values.max()).mean(axis=0)
    center = (ijk_to_ras(node) @ (i, j, k, 1.0))[:3]
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *center)
    for view in ("Red", "Green", "Yellow"):
        rgb = slice_rgb(standin, view)
        is_colored = rgb.max(axis=-1) - rgb.min(axis=-1) > 40
        rows, columns = is_colored.shape
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        to_ras = slicer.util.arrayFromVTKMatrix(
            standin.app.layoutManager().sliceWidget(view).sliceLogic().GetSliceNode().GetXYToRAS()
        )
        points = np.stack([x, y, np.zeros_like(x), np.ones_like(x)], axis=-1) @ to_ras.T
        index = np.rint(points @ np.linalg.inv(ijk_to_ras(node)).T)[..., :3].astype(int)
        within = ((index >= 0) & (index < values.shape[::-1])).all(axis=-1)
        index = np.clip(index, 0, np.array(values.shape[::-1]) - 1)
        expected = within & (np.abs(values[index[..., 2], index[..., 1], index[..., 0]]) > 0.5 * np.abs(values).max())
        assert expected.sum() > 50
        overlap = 2 * (is_colored & expected).sum() / (is_colored.sum() + expected.sum())
        assert overlap > 0.8, (view, overlap)


def test_a_transform_above_the_t1gd_is_respected(predicted):
    import slicer

    t1gd = add_head("T1 Gd")
    above = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(0, 0, 30)
    matrix[:3, 3] = (10.0, -20.0, 5.0)
    above.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    t1gd.SetAndObserveTransformNodeID(above.GetID())
    panel = predicted(t1gd)
    shown = smooth_map(panel)
    assert t1gd.GetTransformNodeID() == above.GetID()
    np.testing.assert_allclose(ijk_to_ras(shown), matrix @ ijk_to_ras(t1gd), atol=1e-5)


def test_a_shearing_transform_is_refused_with_a_sentence(standin, quick_panel):
    import slicer

    t1gd = add_head("T1 Gd")
    above = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[0, 1] = 0.3
    above.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    t1gd.SetAndObserveTransformNodeID(above.GetID())
    quick_panel.ui.t1gdSelector.setCurrentNode(t1gd)
    quick_panel.ui.predictButton.click()
    assert "bends or shears" in quick_panel.ui.messageLabel.text
    assert quick_panel.logic.run is None


def test_controls_change_the_views(standin, predicted):
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import EVIDENCE, OVER, UP_TO, mapRole

    panel = predicted(add_head("T1 Gd"))
    ui, outputs = panel.ui, outputs_of(panel)
    composite = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")
    assert composite.GetForegroundVolumeID() == smooth_map(panel).GetID()
    assert composite.GetForegroundOpacity() == pytest.approx(0.5)
    ui.opacitySlider.value = 0.8
    assert composite.GetForegroundOpacity() == pytest.approx(0.8)
    ui.thresholdSlider.value = 0.6
    assert smooth_map(panel).GetDisplayNode().GetLowerThreshold() == pytest.approx(0.6)
    ui.colorsSelector.setCurrentIndex(1)
    assert smooth_map(panel).GetDisplayNode().GetColorNodeID() == "vtkMRMLColorTableNodeFileViridis.txt"
    ui.smoothSelector.setCurrentIndex(1)
    cells = outputs.node(mapRole(OVER, cells=True))
    assert composite.GetForegroundVolumeID() == cells.GetID()
    assert cells.GetDisplayNode().GetInterpolate() == 0
    ui.mapSelector.setCurrentIndex(ui.mapSelector.findData(UP_TO))
    assert composite.GetForegroundVolumeID() == outputs.node(mapRole(UP_TO, cells=True)).GetID()
    ui.mapSelector.setCurrentIndex(ui.mapSelector.findData("evidence"))
    assert composite.GetForegroundVolumeID() == outputs.node(EVIDENCE).GetID()
    display = outputs.node(EVIDENCE).GetDisplayNode()
    assert display.GetWindowLevelMin() == pytest.approx(-display.GetWindowLevelMax())
    ui.mapVisibleCheckBox.setChecked(False)
    assert composite.GetForegroundVolumeID() is None


def test_the_class_is_switched_without_another_run(standin, predicted):
    """The other class has its own volume, cells, profile, legend and words, all there from the first run."""
    from PCNSLSurvivalUI.scene.output_nodes import OVER, UP_TO, mapRole

    panel = predicted(add_head("T1 Gd"))
    ui, outputs, profile = panel.ui, outputs_of(panel), panel.ui.profilePlot
    assert ui.mapSelector.itemData(ui.mapSelector.currentIndex) == OVER, "the predicted class comes first"
    first_profile, first_words = profile.profile, ui.cautionLabel.text
    ui.nextCellButton.click()
    assert "100\N{NO-BREAK SPACE}% of max" in ui.cellLabel.text, "no number ends a line without its unit"
    ui.mapSelector.setCurrentIndex(ui.mapSelector.findData(UP_TO))
    assert panel.logic.run is None
    assert profile.profile != first_profile
    assert max(profile.profile["value"]) == pytest.approx(1.0)
    assert "OS ≤ 1 year" in ui.cautionLabel.text != first_words
    assert "Hotspots: 1" in ui.cellLabel.text, "the walk starts anew"
    legend = standin.colors.GetColorLegendDisplayNode(outputs.node(mapRole(UP_TO, cells=False)))
    assert legend.GetVisibility()
    assert "OS ≤ 1 year" in legend.GetTitleText()
    assert "Research use only" in legend.GetTitleText()
    ui.mapSelector.setCurrentIndex(ui.mapSelector.findData("evidence"))
    assert min(profile.profile["against"]) < 0 < max(profile.profile["value"])


def test_weak_evidence_can_be_seen_and_looks_weak(standin, predicted):
    """The common scale colors it, this patient's strongest cell sets from where it is shown."""
    import slicer
    from PCNSLSurvivalUI.result.map_display import evidenceCut
    from PCNSLSurvivalUI.scene.output_nodes import EVIDENCE_MAP

    panel = predicted(add_head("T1 Gd"))
    node = outputs_of(panel).node(EVIDENCE_MAP)
    values = slicer.util.arrayFromVolume(node)
    values *= 0.05 / np.abs(values).max()
    slicer.util.arrayFromVolumeModified(node)
    assert evidenceCut(node, 0.5) == pytest.approx(0.1), "half of 0.05, on a scale to 0.25"
    panel.ui.mapSelector.setCurrentIndex(2)
    panel.ui.thresholdSlider.value = 0.5
    colors, alpha = node.GetDisplayNode().GetColorNode(), []
    for share in (0.05, 0.2, 0.9):
        color = [0.0] * 4
        colors.GetColor(round((share + 1) / 2 * 255), color)
        alpha.append(color[3])
    assert alpha[0] == 0 < alpha[1] < alpha[2]


def test_one_legend_at_a_time_and_none_without_the_map(standin, predicted):
    import slicer

    panel = predicted(add_head("T1 Gd"))

    def shown():
        legends = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
        return [legend.GetTitleText() for legend in legends if legend.GetVisibility()]

    assert len(shown()) == 1
    assert "Grad-CAM" in shown()[0]
    panel.ui.mapSelector.setCurrentIndex(2)
    assert len(shown()) == 1
    assert "log-odds" in shown()[0]
    panel.ui.legendCheckBox.setChecked(False)
    assert shown() == ["Research use only"], "no picture of a map without it"
    panel.ui.legendCheckBox.setChecked(True)
    assert "log-odds" in shown()[0]
    panel.ui.mapVisibleCheckBox.setChecked(False)
    assert shown() == []


def test_a_legend_is_set_anew_only_when_the_views_show_another_map(standin, predicted):
    """Seen in Slicer: setting a legend's text takes longer than drawing the slices."""
    import slicer
    import vtk

    panel = predicted(add_head("T1 Gd"))
    legends, told = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode"), []
    tags = [legend.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: told.append(1)) for legend in legends]
    panel.ui.opacitySlider.value = 0.8
    assert told == []
    panel.ui.mapVisibleCheckBox.setChecked(False)
    panel.ui.mapVisibleCheckBox.setChecked(True)
    assert told, "it comes back with the map, which a legend does not notice by itself"
    for legend, tag in zip(legends, tags, strict=True):
        legend.RemoveObserver(tag)


def test_the_first_look_goes_through_the_strongest_cell_and_the_walk_goes_on_from_there(standin, predicted):
    panel = predicted(add_head("T1 Gd"))
    red = standin.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    assert red.GetSliceOffset() == pytest.approx(LESION_RAS_MM[2], abs=18.0), "cells are 36 mm high"
    assert panel.ui.cellLabel.text.startswith("1 of")
    panel.ui.mapSelector.setCurrentIndex(2)
    red.SetSliceOffset(-40.0)
    panel.ui.nextCellButton.click()
    assert panel.ui.cellLabel.text.startswith("1 of")
    assert red.GetSliceOffset() != pytest.approx(-40.0)
    assert panel.ui.profilePlot.current == pytest.approx(red.GetSliceOffset())


def _looked_at(standin):
    """RAS mm of the point that all three slice views show."""
    import slicer

    manager = standin.app.layoutManager()
    nodes = [manager.sliceWidget(name).mrmlSliceNode() for name in ("Red", "Green", "Yellow")]
    normals = np.array([slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())[:3, 2] for node in nodes])
    return np.linalg.solve(normals, [node.GetSliceOffset() for node in nodes])


@pytest.mark.parametrize("geometry", ["axial", "oblique"])
def test_every_hotspot_lies_where_the_map_is_drawn(standin, predicted, geometry):
    """Evidence is drawn inside the brain, its cells reach beyond it: 36 mm and more, all of them with evidence."""
    import slicer
    from PCNSLSurvivalUI.result.map_display import EVIDENCE_KIND, shownNode

    panel = predicted(add_head("T1 Gd", geometry))
    panel.ui.mapSelector.setCurrentIndex(panel.ui.mapSelector.findData(EVIDENCE_KIND))
    drawn = shownNode(outputs_of(panel), EVIDENCE_KIND, False)
    cells = shownNode(outputs_of(panel), EVIDENCE_KIND, True)
    seen, strengths = set(), []
    while panel.ui.nextCellButton.enabled:
        panel.ui.nextCellButton.click()
        ras, place = _looked_at(standin), {}
        for node in (drawn, cells):
            i, j, k = np.rint(np.linalg.inv(ijk_to_ras(node)) @ [*ras, 1.0]).astype(int)[:3]
            place[node] = float(slicer.util.arrayFromVolume(node)[k, j, i])
        assert place[drawn] != 0.0
        number, count, told = re.fullmatch(r"(\d+) of (\d+): (.+)", panel.ui.cellLabel.text).groups()
        assert float(told) == pytest.approx(place[cells], abs=0.0006)
        seen.add(tuple(np.round(ras, 3)))
        strengths.append(abs(place[cells]))
        assert int(number) == len(seen) == len(strengths), "each lies elsewhere"
    assert len(seen) == int(count) >= 12
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[0] == pytest.approx(np.abs(slicer.util.arrayFromVolume(cells)).max())


def test_the_data_probe_reads_the_map_under_the_mouse(standin, predicted):
    """The probe asks the foreground layer for its volume and voxel: the map, by a name that is not cut, and 1."""
    import slicer

    panel = predicted(add_head("T1 Gd", "oblique"))
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *LESION_RAS_MM)
    layer = standin.app.layoutManager().sliceWidget("Red").sliceLogic().GetForegroundLayer()
    node = layer.GetSliceNode()
    to_screen = np.linalg.inv(slicer.util.arrayFromVTKMatrix(node.GetXYToRAS()))
    x, y = (to_screen @ [*LESION_RAS_MM, 1.0])[:2]
    index = [round(i) for i in layer.GetXYToIJKTransform().TransformDoublePoint((x, y, 0.0))]
    volume = layer.GetVolumeNode()
    assert volume.GetName() == "Grad-CAM OS > 1 year"
    assert volume.GetImageData().GetScalarComponentAsDouble(*index, 0) == 1.0
    names = [outputs_of(panel).node(role).GetName() for role in outputs_of(panel).roles() if "mask" not in role]
    assert max(len(name) for name in names if name.startswith(("Grad", "CAM", "Evidence, "))) <= 24


def test_opening_a_section_changes_nothing_in_the_views(standin, predicted):
    """Hidden lines stay hidden, the walk stays at its cell, and a step that is shown large stays."""
    panel = predicted(add_head("T1 Gd"))
    ui = panel.ui
    ui.nextCellButton.click()
    step_buttons(panel)["output.corrected"].click()
    shown = _background()
    for section in (ui.scansSection, ui.resultSection, ui.qualitySection, ui.reportSection, ui.stepsSection):
        section.setChecked(False)
        section.setChecked(True)
    Wait().some(0.1)
    assert ui.cellLabel.text.startswith("1 of")
    assert _background() == shown
    assert step_buttons(panel)["output.corrected"].checked
    for hidden in (ui.saveDicomButton, ui.repairButton, ui.goOnButton, ui.discardButton, ui.exportLabel, ui.scansNote):
        assert not hidden.isVisibleTo(panel.parent)


def _background():
    import slicer

    return slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed").GetBackgroundVolumeID()


def test_shortcuts_work_while_the_panel_is_open(standin, predicted):
    panel = predicted(add_head("T1 Gd"))
    assert set(shortcuts()) == {"Ctrl+Shift+M", "Ctrl+Shift+N", "Ctrl+Shift+B"}
    shortcuts()["Ctrl+Shift+M"].activated.emit()
    assert not panel.ui.mapVisibleCheckBox.checked
    panel.ui.mapSelector.setCurrentIndex(2)
    for keys, place in (("Ctrl+Shift+N", 1), ("Ctrl+Shift+N", 2), ("Ctrl+Shift+B", 1)):
        shortcuts()[keys].activated.emit()
        assert panel.ui.cellLabel.text.startswith(f"{place} of")
    panel.exit()
    assert shortcuts() == {}


def test_the_panel_works_without_views(standin, quick_panel, predicted):
    standin.close_views()
    try:
        panel = predicted(add_head("T1 Gd"))
        panel.ui.fourUpButton.click()
        panel.ui.sideBySideButton.click()
        panel.ui.nextCellButton.click()
        assert "63 %" in panel.ui.headlineLabel.text
    finally:
        standin.open_views()


def test_outputs_that_the_user_deletes_are_missed_by_nobody(standin, predicted, monkeypatch, tmp_path):
    """Whatever output goes, the controls still work, an export says what is missing, the next run brings it back."""
    import slicer
    from PCNSLSurvivalUI.result import report_files
    from slicer_standin.pythonqt import slot_errors

    panel = predicted(add_head("T1 Gd"))
    ui, outputs = panel.ui, outputs_of(panel)
    monkeypatch.setattr(report_files, "askFile", lambda *words: tmp_path / "map.nrrd")
    roles = outputs.roles()
    for role in roles:
        node = outputs.node(role)
        if node is not None:
            slicer.mrmlScene.RemoveNode(node)
        for kind in (0, 1, 2):
            ui.mapSelector.setCurrentIndex(kind)
            ui.smoothSelector.setCurrentIndex(kind % 2)
            ui.opacitySlider.value = 0.3 + 0.1 * kind
            ui.nextCellButton.click()
        for button in list(step_buttons(panel).values()):
            button.click()
            button.click()
    ui.saveMapButton.click()
    Wait().until(lambda: ui.exportLabel.text == "")
    assert "no longer in the scene" in ui.messageLabel.text
    ui.openReportButton.click()
    assert "no report yet" in ui.messageLabel.text
    assert slot_errors == []
    ui.predictButton.click()
    Wait().until(lambda: panel.logic.run is None)
    assert set(outputs.roles()) >= set(roles) - {"output.evidenceColors"}


def test_a_new_choice_of_t1gd_is_told_apart_from_the_result(standin, predicted):
    panel = predicted(add_head("T1 Gd"))
    assert not panel.ui.otherScanLabel.isVisibleTo(panel.parent)
    panel.ui.t1gdSelector.setCurrentNode(add_head("T1 post"))
    assert panel.ui.otherScanLabel.isVisibleTo(panel.parent)


def test_the_report_opens_and_leaves_no_file(standin, predicted, monkeypatch):
    from made_scenes import temporary_files

    panel = predicted(add_head("T1 Gd"))
    opened = []
    monkeypatch.setattr(standin.qt.QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    panel.ui.openReportButton.click()
    assert "<title>report</title>" in Path(opened[0]).read_text(encoding="utf-8")
    panel.cleanup()
    assert temporary_files() == []


def save_scene(standin, tmp_path):
    """Save the scene with its volumes; gives its file."""
    folder = tmp_path / "scene"
    folder.mkdir()
    assert standin.app.applicationLogic().SaveSceneToSlicerDataBundleDirectory(str(folder), None)
    (file,) = folder.glob("*.mrml")
    return file


def open_scene(file):
    """Bring a saved scene into the one that is open."""
    import slicer

    slicer.mrmlScene.SetURL(str(file))
    slicer.mrmlScene.SetRootDirectory(str(file.parent))
    assert slicer.mrmlScene.Import()


def test_a_saved_scene_shows_the_result_again(standin, predicted, tmp_path, monkeypatch):
    import slicer

    panel = predicted(add_head("T1 Gd", "oblique"))
    panel.ui.opacitySlider.value = 0.7
    before = slicer.util.arrayFromVolume(smooth_map(panel)).copy()
    matrix = ijk_to_ras(smooth_map(panel))
    saved = save_scene(standin, tmp_path)
    slicer.mrmlScene.Clear(0)
    assert not panel.ui.resultSection.isVisibleTo(panel.parent)
    for name in ("torch", "monai", "onnxruntime"):  # a machine where these were never installed
        monkeypatch.setitem(sys.modules, name, None)
    open_scene(saved)
    assert "63 %" in panel.ui.headlineLabel.text
    shown = smooth_map(panel)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(shown), before)
    np.testing.assert_allclose(ijk_to_ras(shown), matrix, atol=1e-4)
    composite = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")
    assert composite.GetForegroundVolumeID() == shown.GetID()
    assert composite.GetForegroundOpacity() == pytest.approx(0.7)
    assert "report" in outputs_of(panel).node("output.report").GetText()


def _scrolls_together(standin, panel, beside):
    """Both axial views look at the same slice: at once, when the mouse wheel turns over one, and by our own jumps."""
    from PySide6 import QtCore, QtTest

    overlay = standin.app.layoutManager().sliceWidget("Red").sliceLogic()
    red = overlay.GetSliceNode()
    Wait().until(lambda: beside.GetSliceOffset() == pytest.approx(red.GetSliceOffset()), 5)
    np.testing.assert_allclose(beside.GetFieldOfView(), red.GetFieldOfView())
    overlay.StartSliceOffsetInteraction()
    overlay.SetSliceOffset(23.0)
    overlay.EndSliceOffsetInteraction()
    assert beside.GetSliceOffset() == pytest.approx(23.0)
    red.SetSliceOffset(-16.0)
    QtTest.QTest.keyClick(panel.ui.profilePlot, QtCore.Qt.Key.Key_Up)
    assert (red.GetSliceOffset(), beside.GetSliceOffset()) == pytest.approx((-14.0, -14.0))
    shortcuts()["Ctrl+Shift+N"].activated.emit()  # to the only hotspot once more
    assert red.GetSliceOffset() != pytest.approx(-14.0)
    assert beside.GetSliceOffset() == pytest.approx(red.GetSliceOffset())


def test_side_by_side_shows_t1gd_alone_beside_the_map(standin, predicted):
    """The layout, taken in by Slicer's own layout logic, makes the second axial view that the panel fills."""
    import slicer

    panel = predicted(add_head("T1 Gd"))
    panel.ui.sideBySideButton.click()
    number = standin.app.layoutManager().layout
    description = standin.app.layoutManager().standin_layouts[number]
    layouts = slicer.vtkMRMLLayoutLogic()
    layouts.SetMRMLScene(slicer.mrmlScene)
    layouts.GetLayoutNode().AddLayoutDescription(number, description)
    layouts.GetLayoutNode().SetViewArrangement(number)
    beside = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodePCNSLBeside")
    assert beside.GetOrientation() == "Axial"
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(standin.app.applicationLogic())
    logic.SetMRMLScene(slicer.mrmlScene)
    logic.AddSliceNode("PCNSLBeside")
    try:
        standin.app.layoutManager().sliceWidget("Red").mrmlSliceNode().SetSliceOffset(31.0)
        panel.ui.sideBySideButton.click()
        red, alone = (slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{n}") for n in ("Red", "PCNSLBeside"))
        assert alone.GetBackgroundVolumeID() == panel.ui.t1gdSelector.currentNode().GetID()
        assert alone.GetForegroundVolumeID() is None
        assert red.GetForegroundVolumeID() == smooth_map(panel).GetID()
        assert red.GetLinkedControl() == alone.GetLinkedControl() == 1
        assert red.GetHotLinkedControl() == alone.GetHotLinkedControl() == 1
        panel.ui.opacitySlider.value = 0.9
        assert alone.GetForegroundVolumeID() is None
        assert red.GetForegroundOpacity() == pytest.approx(0.9)
        step_buttons(panel)["output.mask"].click()
        step_buttons(panel)["output.mask"].click()
        assert red.GetForegroundVolumeID() == smooth_map(panel).GetID()
        assert red.GetForegroundOpacity() == pytest.approx(0.9), "T1Gd alone tells the linked views nothing"
        _scrolls_together(standin, panel, beside)
        panel.ui.fourUpButton.click()
        assert standin.app.layoutManager().layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    finally:
        # The layout logic made slice nodes of its own; the next test starts with the stand-in's views alone.
        logic.SetMRMLScene(None)
        layouts.SetMRMLScene(None)
        standin.close_views()
        slicer.mrmlScene.Clear(1)
        standin.colors.AddDefaultColorNodes()  # label maps of later tests need them
        standin.open_views()


def test_the_panel_is_worked_with_the_keyboard_alone(standin, predicted):
    """Tab goes down the panel; keys start a run, choose, walk, jump and show a step, once T1Gd is chosen."""
    from PySide6 import QtCore, QtTest, QtWidgets

    key, press = QtCore.Qt.Key, QtTest.QTest.keyClick
    panel = predicted(add_head("T1 Gd"))
    ui, parent = panel.ui, panel.parent
    parent.show()
    wanted = [ui.predictButton, ui.mapVisibleCheckBox, ui.mapSelector, ui.nextCellButton, panel.ui.profilePlot]
    wanted += [*step_buttons(panel).values(), ui.openReportButton, ui.saveKeyImagesButton]
    met, widget = [], QtWidgets.QWidget.nextInFocusChain(parent)
    while widget is not parent:
        met.append(widget)
        widget = QtWidgets.QWidget.nextInFocusChain(widget)
    places = [met.index(one) for one in wanted]
    assert places == sorted(places), "Tab goes down the panel"
    press(ui.mapSelector, key.Key_Down)
    assert "OS ≤ 1 year" in ui.cautionLabel.text
    press(ui.nextCellButton, key.Key_Space)
    assert ui.cellLabel.text.startswith("1 of")
    red = standin.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    before = red.GetSliceOffset()
    press(panel.ui.profilePlot, key.Key_Up)
    assert red.GetSliceOffset() == pytest.approx(before + 2.0)
    press(step_buttons(panel)["output.mask"], key.Key_Space)
    assert ui.repairButton.isVisibleTo(parent)
    press(ui.mapVisibleCheckBox, key.Key_Space)
    assert not ui.mapVisibleCheckBox.checked
    press(ui.predictButton, key.Key_Space)
    assert panel.logic.run is not None
    press(ui.predictButton, key.Key_Space)
    assert panel.logic.run is None
