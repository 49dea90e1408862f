"""What the module's own test checks of the display: it runs in Slicer and, unchanged, in the stand-in.

A small made-up result stands in for a prediction, so that these tests take seconds.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import qt
import slicer
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalUI.panel.panel import sections
from PCNSLSurvivalUI.result import map_display, repair
from PCNSLSurvivalUI.scene.output_nodes import MASK, OVER, UP_TO, SceneOutputs, mapRole
from PCNSLSurvivalUI.scene.segmentations import fillMask

_SIZE = 40
NARROWEST, WIDEST = 400, 500
"""Width in pixels that every section of the panel fits into, and never exceeds."""


def _affine(tilt_deg: float) -> NDArray[np.float64]:
    """(4, 4) voxel index to RAS mm of a left-handed grid of 3 x 3 x 4 mm, tilted about the left-right axis."""
    c, s = np.cos(np.radians(tilt_deg)), np.sin(np.radians(tilt_deg))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[1, 0, 0], [0, c, s], [0, s, -c]]) * (3.0, 3.0, 4.0)
    affine[:3, 3] = affine[:3, :3] @ ([-(_SIZE - 1) / 2] * 3)
    return affine


def _volume(values_kji: NDArray[Any], affine: NDArray[np.float64], name: str, label: bool = False) -> Any:
    kind = "vtkMRMLLabelMapVolumeNode" if label else "vtkMRMLScalarVolumeNode"
    node = slicer.mrmlScene.AddNewNodeByClass(kind, name)
    slicer.util.updateVolumeFromArray(node, values_kji)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(affine))
    node.CreateDefaultDisplayNodes()
    return node


def _ball() -> NDArray[np.bool_]:
    k, j, i = np.indices((_SIZE,) * 3) - (_SIZE - 1) / 2
    return k**2 + j**2 + i**2 < (_SIZE / 3) ** 2


def _writeResult(folder: Path, affine: NDArray[np.float64], ball: NDArray[np.bool_]) -> None:
    """A result folder as the process for the panel leaves it: the map fills the ball, one half of it is against."""
    share = (ball * 1.0).astype(np.float32)
    volumes = {f"activation_{what}{ending}": share for what in ("map", "cells") for ending in ("", "_other_class")}
    volumes |= {"evidence_map": share - 0.5, "evidence_cells": share - 0.5, "brain_mask": ball.astype(np.uint8)}
    (folder / "scene").mkdir()
    for name, values in volumes.items():
        np.save(folder / "scene" / f"{name}.npy", values)
        (folder / "scene" / f"{name}.json").write_text(json.dumps({"affine_ras": affine.tolist()}), encoding="utf-8")
    result = {
        "schema_version": "2.0",
        "probability_over_one_year": 0.6,
        "decision_threshold": 0.5,
        "class": OSClass.OVER_ONE_YEAR.key,
        "member_probabilities": [0.5, 0.7],
        "warnings": [{"code": "made_up", "values": {}, "sentence": "Slices of this made-up scan are thick. " * 6}],
        "activation_map": {"explains": OSClass.OVER_ONE_YEAR.key, "scale": 1.0},
        "activation_map_other_class": {"explains": OSClass.UP_TO_ONE_YEAR.key, "scale": 1.0},
        "model": {"name": "made-up", "version": "1"},
        "software": {"pcnsl-survival": "0"},
    }
    (folder / "prediction.json").write_text(json.dumps(result), encoding="utf-8")
    (folder / "report.html").write_text("<html></html>", encoding="utf-8")


def _wayBack() -> list[Any]:
    """The tool bars that lead back to the panel from another module."""
    bars = slicer.util.findChildren(slicer.util.mainWindow(), "PCNSLSurvivalWayBack")
    return [bar for bar in bars if not bar.isHidden()]


def _showAsLoaded(node: Any) -> None:
    """As Slicer does it after reading a file: the views turn to the planes of the volume."""
    selection = slicer.app.applicationLogic().GetSelectionNode()
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        selection.SetActiveLabelVolumeID(node.GetID())
    else:
        selection.SetActiveVolumeID(node.GetID())
    slicer.app.applicationLogic().PropagateVolumeSelection()


def _slices(view: str = "Red") -> Any:
    return slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{view}")


def _layers(view: str = "Red") -> Any:
    return slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceCompositeNode{view}")


def _plane(view: str = "Red") -> NDArray[np.float64]:
    return np.array(slicer.util.arrayFromVTKMatrix(_slices(view).GetSliceToRAS()))


class DisplayTests:
    """Mixed into the module's test class."""

    def _openPanel(self) -> Any:
        if slicer.util.mainWindow() is None or slicer.app.layoutManager() is None:
            self.skipTest("no main window")
        slicer.util.selectModule("PCNSLSurvival")
        return slicer.util.getModuleWidget("PCNSLSurvival")

    def _showResult(self, panel: Any) -> Any:
        """A result of a made-up T1Gd in the panel and in the views; gives that T1Gd."""
        affine, ball = _affine(20.0), _ball()
        t1gd = _volume(np.where(ball, 300, 10).astype(np.int16), affine, "made T1Gd")
        folder = Path(slicer.util.tempDirectory())
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        _writeResult(folder, affine, ball)
        panel.view.openCase(folder, t1gd)
        self.waitUntil(lambda: panel.ui.resultSection.isVisibleTo(panel.parent), seconds=60)
        return t1gd

    def test_scansThatComeOneAfterAnotherFillTheirRoles(self) -> None:
        """The panel looks after each; a role that the user emptied stays empty."""
        panel = self._openPanel()
        parameters = panel.logic.getParameterNode()
        for name, role in (("T1 post Gd", "t1gdVolume"), ("T1", "t1Volume"), ("T2", "t2Volume")):
            node = _volume(np.ones((_SIZE,) * 3, np.int16), _affine(0.0), name)
            self.waitUntil(lambda role=role, node=node: getattr(parameters, role) is node, seconds=60)
        parameters.t2Volume = None
        flair = _volume(np.ones((_SIZE,) * 3, np.int16), _affine(0.0), "FLAIR")
        self.waitUntil(lambda: parameters.flairVolume is flair, seconds=60)
        self.assertIsNone(parameters.t2Volume)

    def test_viewsShowT1GdsOwnSlices(self) -> None:
        """Whatever was loaded last, the result is on axial slices of T1Gd; the views come back as they were."""
        panel = self._openPanel()
        _showAsLoaded(_volume(np.ones((_SIZE,) * 3, np.int16), _affine(-35.0), "made T2"))
        before = [_plane(view) for view in ("Red", "Green", "Yellow")]
        t1gd = self._showResult(panel)
        axes = _affine(20.0)[:3, :3] / np.linalg.norm(_affine(20.0)[:3, :3], axis=0)
        for view, main in (("Red", 2), ("Green", 1), ("Yellow", 0)):
            normal = _plane(view)[:3, 2]
            self.assertAlmostEqual(float(np.abs(axes.T @ normal).max()), 1.0, places=5)
            self.assertEqual(int(np.argmax(np.abs(normal))), main)
            self.assertEqual(_layers(view).GetBackgroundVolumeID(), t1gd.GetID())
        _slices().SetSliceOffset(12.0)
        plot = panel.ui.profilePlot
        plot.keyPressEvent(qt.QKeyEvent(qt.QEvent.KeyPress, qt.Qt.Key_Up, qt.Qt.NoModifier))
        self.assertAlmostEqual(_slices().GetSliceOffset(), 16.0, places=3)
        panel.ui.closeResultButton.click()
        for view, plane in zip(("Red", "Green", "Yellow"), before, strict=True):
            np.testing.assert_allclose(_plane(view), plane, atol=1e-6)

    def test_sideBySideStaysOnTheSlice(self) -> None:
        """A layout with a view of its own moves the views that are linked to it."""
        panel = self._openPanel()
        self._showResult(panel)
        _slices().SetSliceOffset(20.0)
        plane = _plane()[:3, :3] / np.linalg.norm(_plane()[:3, :3], axis=0)
        for button in (panel.ui.sideBySideButton, panel.ui.fourUpButton):
            button.click()
            end = time.monotonic() + 1.0
            self.waitUntil(lambda end=end: time.monotonic() > end, seconds=60)
            self.assertAlmostEqual(_slices().GetSliceOffset(), 20.0, places=3)
            np.testing.assert_allclose(_plane()[:3, :3] / np.linalg.norm(_plane()[:3, :3], axis=0), plane, atol=1e-6)

    def test_aLabelMapDoesNotHideTheMap(self) -> None:
        """Slicer lays a loaded label map above everything; it comes back when the result is closed."""
        panel = self._openPanel()
        label = _volume(_ball().astype(np.uint8), _affine(0.0), "made tumor", label=True)
        _showAsLoaded(label)
        self.assertEqual(_layers().GetLabelVolumeID(), label.GetID())
        self._showResult(panel)
        outputs = SceneOutputs(panel.logic.getParameterNode().parameterNode)
        self.assertIsNone(_layers().GetLabelVolumeID())
        self.assertEqual(_layers().GetForegroundVolumeID(), outputs.node(mapRole(OVER, cells=False)).GetID())
        panel.ui.closeResultButton.click()
        self.assertEqual(_layers().GetLabelVolumeID(), label.GetID())
        legends = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
        self.assertFalse(any(legend.GetVisibility() for legend in legends))

    def test_theBrainOutlineIsRepairedOnT1Gd(self) -> None:
        """Segment Editor reads T1Gd, not the mask; the way back stands in Slicer's window."""
        panel = self._openPanel()
        t1gd = self._showResult(panel)
        slicer.util.findChild(panel.ui.qualityPlace, MASK).click()
        panel.ui.repairButton.click()
        self.addCleanup(panel.ui.discardButton.click)
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        segmentation = SceneOutputs(panel.logic.getParameterNode().parameterNode).node(repair.SEGMENTATION)
        self.assertEqual(editor.segmentationNode().GetID(), segmentation.GetID())
        self.assertEqual(editor.sourceVolumeNode().GetID(), t1gd.GetID())
        self.assertEqual(_layers().GetBackgroundVolumeID(), t1gd.GetID())
        self.assertIsNone(_layers().GetLabelVolumeID())
        self.assertEqual(segmentation.GetSegmentation().GetNthSegment(0).GetName(), "Brain")
        self.assertEqual(len(_wayBack()), 1)

    def test_theTumorOutlineIsDrawnOnT1Gd(self) -> None:
        """The selector takes the new segmentation; an empty one stops the run before any step."""
        panel = self._openPanel()
        parameters = panel.logic.getParameterNode()
        t1gd = self._showResult(panel)
        panel.ui.editLesionButton.click()
        self.addCleanup(panel.enter)  # the tool bar that leads back goes
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        self.assertEqual(editor.segmentationNode().GetID(), parameters.lesion.GetID())
        self.assertEqual(editor.sourceVolumeNode().GetID(), t1gd.GetID())
        self.assertEqual(panel.ui.lesionSelector.currentNode().GetID(), parameters.lesion.GetID())
        mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "made mask")
        self.assertFalse(fillMask(mask, parameters.lesion, t1gd))
        parameters.lesion.GetSegmentation().RemoveAllSegments()
        drawn = _volume(_ball().astype(np.uint8), _affine(20.0), "made tumor", label=True)
        slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(drawn, parameters.lesion)
        self.assertTrue(fillMask(mask, parameters.lesion, t1gd))
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(mask) > 0, _ball())

    def test_clinicalFindingsAreScoredAtOnce(self) -> None:
        """They belong to the T1Gd that was chosen when they were entered."""
        panel = self._openPanel()
        parameters = panel.logic.getParameterNode()
        parameters.t1gdVolume = _volume(np.ones((_SIZE,) * 3, np.int16), _affine(0.0), "one patient")
        panel.ui.ageEdit.text = "67"
        panel.ui.ecogSelector.setCurrentIndex(3)
        self.assertIn("2 to 5 of 5", panel.ui.clinicalScoresLabel.text)
        parameters.t1gdVolume = _volume(np.ones((_SIZE,) * 3, np.int16), _affine(0.0), "another patient")
        self.assertEqual(panel.ui.ageEdit.text, "")
        self.assertEqual(panel.ui.ecogSelector.currentIndex, 0)

    def test_thePanelIsNarrow(self) -> None:
        """With a result and every section open, it fits 400 pixels and never asks for more than 500."""
        panel = self._openPanel()
        self._showResult(panel)
        for section in sections(panel.ui):
            section.setChecked(True)
        slicer.app.processEvents()
        for section in sections(panel.ui):
            self.assertLessEqual(section.minimumSizeHint.width(), NARROWEST, section.objectName)
        self.assertLessEqual(panel.parent.minimumSizeHint.width(), WIDEST)

    def test_aChangeOfTheMapIsShown(self) -> None:
        """Class, threshold and hotspot work on the shown result without another run."""
        panel = self._openPanel()
        self._showResult(panel)
        outputs = SceneOutputs(panel.logic.getParameterNode().parameterNode)
        panel.ui.mapSelector.setCurrentIndex(panel.ui.mapSelector.findData(UP_TO))
        shown = outputs.node(mapRole(UP_TO, cells=False))
        self.assertEqual(_layers().GetForegroundVolumeID(), shown.GetID())
        panel.ui.thresholdSlider.value = 0.75
        self.assertAlmostEqual(shown.GetDisplayNode().GetLowerThreshold(), 0.75)
        _slices().SetSliceOffset(-50.0)
        panel.ui.nextCellButton.click()
        self.assertGreater(_slices().GetSliceOffset(), -50.0)
        self.assertIn(map_display.labelOf(UP_TO), panel.ui.cautionLabel.text)
