"""The panel with the real command line: the demonstration patient from one click to result, map and report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_scenes import Wait, child_processes, outputs_of, scene_state, shown_steps, temporary_files

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_demonstration_patient_in_one_click(standin):
    import SimpleITK as sitk
    import slicer
    import vtk
    from PCNSLSurvivalUI.result.map_display import classOf
    from PCNSLSurvivalUI.scene.output_nodes import EVIDENCE, EVIDENCE_MAP, mapRole
    from slicer_standin import cli
    from slicer_standin.pythonqt import slot_errors

    from PCNSLSurvivalLib.core.terms import MRSequence
    from PCNSLSurvivalLib.imaging.geometry import Grid
    from PCNSLSurvivalLib.phantoms import demonstration_patient

    patient = demonstration_patient(sequences=(MRSequence.T1GD,))
    image = patient.scans[MRSequence.T1GD]
    node = slicer.util.addVolumeFromArray(sitk.GetArrayFromImage(image), name="Demonstration T1Gd")
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(Grid.of(image).affine_ras))
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "true mask")
    slicer.util.updateVolumeFromArray(mask, sitk.GetArrayFromImage(patient.brain_masks[MRSequence.T1GD]))
    mask.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(Grid.of(image).affine_ras))
    before = scene_state()

    panel = standin.open_module(ROOT / "PCNSLSurvival" / "PCNSLSurvival.py")
    ui, wait = panel.ui, Wait()
    ui.guessButton.click()
    # The stand-in's skull stripper is a stage prop; the true mask takes its place.
    ui.brainMaskSelector.setCurrentNode(mask)
    ui.predictButton.click()
    wait.until(lambda: panel.logic.run is None, 400)
    wait.some(0.3)
    assert ui.messageLabel.text == ""
    assert "DEMONSTRATION" in ui.demonstrationBanner.text
    assert ui.demonstrationBanner.text not in ui.warningsLabel.text, "it is said once"
    assert not slot_errors
    assert not cli.faults
    assert wait.is_calm(), f"silent for {wait.longest_gap_ms:.0f} ms, by the clock {wait.longest_silence_ms:.0f} ms"
    after = scene_state()
    assert all(after[node_id] == kept for node_id, kept in before.items() if "Slice" not in kept[0])
    result = json.loads(panel.logic.getParameterNode().result)
    assert 0.0 < result["probability_over_one_year"] < 1.0
    assert f"{100 * result['probability_over_one_year']:.0f} %" in ui.headlineLabel.text

    outputs = outputs_of(panel)
    explained = classOf(result["activation_map"]["explains"])
    shown = outputs.node(mapRole(explained, cells=False))
    matrix = vtk.vtkMatrix4x4()
    shown.GetIJKToRASMatrix(matrix)
    np.testing.assert_allclose(slicer.util.arrayFromVTKMatrix(matrix), Grid.of(image).affine_ras, atol=1e-3)
    smooth = slicer.util.arrayFromVolume(shown)
    assert smooth.shape == sitk.GetArrayViewFromImage(image).shape
    assert 0.0 < smooth.max() <= 1.0
    assert (smooth[slicer.util.arrayFromVolume(mask) == 0] == 0).all(), "nothing outside the brain"
    cells = slicer.util.arrayFromVolume(outputs.node(mapRole(explained, cells=True)))
    assert cells.max() == pytest.approx(1.0)
    evidence = slicer.util.arrayFromVolume(outputs.node(EVIDENCE))
    cell_ml = float(np.prod(outputs.node(EVIDENCE).GetSpacing())) / 1000  # shown in log-odds per 100 mL
    total = float(evidence.sum()) * cell_ml / 100 + result["evidence"]["constant"]
    assert total == pytest.approx(result["log_odds"], abs=1e-3)
    drawn = slicer.util.arrayFromVolume(outputs.node(EVIDENCE_MAP))
    assert (drawn[slicer.util.arrayFromVolume(mask) == 0] == 0).all(), "no evidence outside the brain"
    assert 0 < np.abs(drawn).max() <= np.abs(evidence).max() * (1 + 1e-5)
    assert "<html" in slicer.util.getNode("Report (HTML)").GetText()
    assert len(slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")) == 1
    assert ui.resultSection.isVisibleTo(panel.parent)
    assert temporary_files() == []
    assert child_processes() == []
    standin.close_module(panel)


@pytest.mark.slow
def test_a_small_model_and_the_built_in_alignment_in_one_click(standin, tmp_path):
    """Through the real command line: the prediction of T1Gd, then T1, 6 mm off to the left, registered to it."""
    import SimpleITK as sitk
    import slicer
    from made_heads import made_head
    from made_models import small_model
    from slicer_standin.pythonqt import slot_errors

    from PCNSLSurvivalLib.core.terms import MRSequence
    from PCNSLSurvivalLib.imaging.geometry import Grid

    scans, brain, _lesion = made_head(1, shift_mm=6.0)
    nodes = {}
    for name, image in (("T1Gd", scans[MRSequence.T1GD]), ("T1", scans[MRSequence.T1]), ("mask", brain)):
        kind = "vtkMRMLLabelMapVolumeNode" if name == "mask" else "vtkMRMLScalarVolumeNode"
        nodes[name] = slicer.mrmlScene.AddNewNodeByClass(kind, name)
        slicer.util.updateVolumeFromArray(nodes[name], sitk.GetArrayFromImage(image))
        nodes[name].SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(Grid.of(image).affine_ras))
    panel = standin.open_module(ROOT / "PCNSLSurvival" / "PCNSLSurvival.py")
    ui, wait = panel.ui, Wait()
    panel.view.models.addFolder(small_model(tmp_path / "small").path)
    ui.guessButton.click()
    ui.brainMaskSelector.setCurrentNode(nodes["mask"])
    ui.biasEngineSelector.setCurrentText("Built in")
    ui.registrationEngineSelector.setCurrentText("Built in")
    ui.overrideQualityCheckBox.setChecked(True)  # no check knows a head of a few thousand voxels
    ui.predictButton.click()
    wait.until(lambda: panel.logic.run is None, 400)
    assert ui.messageLabel.text == ""
    assert "Probability of OS" in ui.headlineLabel.text
    matrix = slicer.util.arrayFromTransformMatrix(slicer.util.getNode("T1 to T1Gd"))
    np.testing.assert_allclose(matrix[:3, 3], (6.0, 0.0, 0.0), atol=1.5)
    fixed, aligned = (slicer.util.arrayFromVolume(n) for n in (nodes["T1Gd"], slicer.util.getNode("T1 aligned*")))
    inside = slicer.util.arrayFromVolume(nodes["mask"]) > 0
    before = np.corrcoef(fixed[inside], slicer.util.arrayFromVolume(nodes["T1"])[inside])[0, 1]
    assert np.corrcoef(fixed[inside], aligned[inside])[0, 1] > before + 0.1
    assert shown_steps(panel)["T1 to T1Gd (for reading)"].words in ("good", "check", "unusable, overridden")
    assert slot_errors == []
    assert temporary_files() != []  # the steps kept for the next run
    standin.close_module(panel)
    assert temporary_files() == []


@pytest.mark.parametrize(
    ("size", "spacing_mm", "said"),
    [
        pytest.param((96, 96, 9), (2.0, 2.0, 18.0), "18", id="slices too far apart"),
        pytest.param((96, 96, 20), (2.0, 2.0, 2.5), "50", id="too small a block", marks=pytest.mark.slow),
    ],
)
def test_a_quality_stop_is_told_with_the_way_around_it(standin, size, spacing_mm, said):
    import slicer

    panel = standin.open_module(ROOT / "PCNSLSurvival" / "PCNSLSurvival.py")
    values = np.random.default_rng(1).normal(300, 20, size[::-1]).astype(np.float32)
    node = slicer.util.addVolumeFromArray(values, name="T1Gd")
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "mask")
    slicer.util.updateVolumeFromArray(mask, np.ones(size[::-1], np.uint8))
    for volume in (node, mask):
        volume.SetSpacing(*spacing_mm)
    before = scene_state()
    ui, wait = panel.ui, Wait()
    ui.guessButton.click()
    ui.brainMaskSelector.setCurrentNode(mask)
    ui.biasEngineSelector.setCurrentText("None (already done)")
    ui.predictButton.click()
    wait.until(lambda: panel.logic.run is None, 120)
    assert said in ui.messageLabel.text
    assert "override the quality stop (in Slicer under Advanced" in ui.messageLabel.text
    assert shown_steps(panel)["Read and check"].words == "failed"
    assert ui.predictButton.enabled
    assert scene_state() == before
    assert temporary_files() == []
    standin.close_module(panel)
