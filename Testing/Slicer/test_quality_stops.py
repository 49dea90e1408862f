"""Every stop of the real preparation reaches the panel in its own sentence, and leaves scene and panel as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_heads import made_head
from made_models import small_model
from made_scenes import Wait, rotation, scene_state, shown_steps, temporary_files

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.imaging.geometry import Grid

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Small models by the number of sequences they read: T1Gd, or T1Gd, T1 and T2."""
    folder = tmp_path_factory.mktemp("models")
    return {channels: small_model(folder / str(channels), channels=channels).path for channels in (1, 3)}


def _head():
    """Arrays (k, j, i) of one head, everything over T1Gd: scans by sequence and the brain as ``mask``."""
    import SimpleITK as sitk

    scans, brain, _lesion = made_head(1, shift_mm=0.0)
    t1gd, t1 = (sitk.GetArrayFromImage(scans[name]) for name in (MRSequence.T1GD, MRSequence.T1))
    mask = sitk.GetArrayFromImage(brain)
    return {"t1gd": t1gd, "t1": t1, "t2": t1 + _draw(t1.shape, 5.0), "mask": mask}, Grid.of(brain).affine_ras


def _draw(shape, sigma):
    return np.random.default_rng(3).normal(0.0, sigma, shape).astype(np.float32)


def small_outline(head):
    grown = np.argwhere(head["mask"])
    far = np.linalg.norm((grown - grown.mean(axis=0)) * 6.0, axis=1) > 45.0
    head["mask"][tuple(grown[far].T)] = 0


def whole_head(head):
    head["mask"] = (head["t1gd"] > 30).astype(np.uint8)


def two_pieces(head):
    middle = head["mask"].shape[2] // 2
    head["mask"][:, :, middle - 2 : middle + 2] = 0


def outline_of_the_lower_half(head):
    k = np.argwhere(head["mask"])[:, 0]
    head["mask"][int(np.median(k)) :] = 0


def half_a_scan(head):
    for name, values in head.items():
        head[name] = values[:, :, : values.shape[2] // 2].copy()


def noise(head):
    head["t1gd"] = np.abs(head["t1gd"] + _draw(head["t1gd"].shape, 250.0))


def swapped(head):
    head["t1gd"], head["t1"] = head["t1"], head["t1gd"]


def another_place(head):
    head["t2"] = np.roll(head["t2"], (3, 5), axis=(0, 1))[:, ::-1].copy()


def half_a_t2(head):
    head["t2"] = head["t2"][: head["t2"].shape[0] // 2].copy()


def _slow(*values):
    """One of a kind that another line tests in every run."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("fault", "reads", "said", "step"),
    [
        (small_outline, 1, "too small for an adult brain", "read"),
        _slow(whole_head, 1, "extends into the scalp", "read"),
        _slow(two_pieces, 1, "is fragmented", "read"),
        _slow(outline_of_the_lower_half, 1, "misses", "read"),
        _slow(half_a_scan, 1, "is cut off at the edge of T1Gd", "read"),
        _slow(noise, 1, "T1Gd is very noisy", "read"),
        (swapped, 3, "the two may be swapped", "network_grid"),
        _slow(swapped, 1, "the two may be swapped", "contrast"),
        (another_place, 3, "T2 may not be registered to T1Gd", "read"),
        _slow(half_a_t2, 3, "T2 does not cover", "read"),
    ],
)
def test_a_stop_is_told_in_its_own_sentence(standin, models, fault, reads, said, step):
    arrays, affine = _head()
    fault(arrays)
    beside = ("t1",) if fault is swapped else ()
    panel = _patient_in_panel(standin, arrays, dict.fromkeys(arrays, affine), models[reads], reads, beside)
    panel.ui.registrationEngineSelector.setCurrentText("None (already done)")
    before = scene_state()
    text = _stopped(panel, step)
    assert said in text
    assert "override the quality stop (in Slicer under Advanced" in text
    assert scene_state() == before
    standin.close_module(panel)


def test_an_implausible_turn_of_the_head_is_a_stop_of_its_own(standin, models):
    """The headers of T1 and T2 put the face at the back of the head, and BRAINSFit brings both over T1Gd all the same.

    Everything lies where it should, so that the turn is all there is to say; the user may go on, and the result tells.
    """
    from PCNSLSurvivalUI.scene.output_nodes import storedResult
    from slicer_standin import cli

    arrays, affine = _head()
    turned = np.eye(4)
    turned[:3, :3] = rotation(0, 0, 170)
    cli.plans["brainsfit"] = {"pose": np.linalg.inv(turned).tolist()}
    places = {"t1gd": affine, "mask": affine, "t1": turned @ affine, "t2": turned @ affine}
    panel = _patient_in_panel(standin, arrays, places, models[3], 3)
    before = scene_state()
    text = _stopped(panel, "read")
    turn = "The estimated head rotation between T1Gd and {} (170°) is implausible in a head coil."
    assert turn.format("T1") in text
    assert turn.format("T2") in text
    assert "may not be registered to T1Gd" not in text
    assert "override the quality stop (in Slicer under Advanced" in text
    assert scene_state() == before
    panel.ui.overrideQualityCheckBox.setChecked(True)
    panel.ui.predictButton.click()
    Wait().until(lambda: panel.logic.run is None, 120)
    assert panel.ui.messageLabel.text == ""
    assert shown_steps(panel)["T2 to T1Gd"].words == "unusable, overridden"
    assert turn.format("T2") in panel.ui.warningsLabel.text
    result = storedResult(panel.logic.getParameterNode().result)
    found = result["preprocessing"]["findings"]
    for told in [*result["warnings"], result["familiarity"], *found]:
        assert Message.from_json(told) is not None
    assert [f["value"] for f in found if f["measure"] == "head_turn"] == pytest.approx([170.0, 170.0], abs=0.1)
    standin.close_module(panel)


def _patient_in_panel(standin, arrays, places, model, reads, beside=()):
    """The panel with a patient's scans and brain outline chosen, by name: voxels, and RAS matrix of each.

    ``beside`` are scans that are chosen although the model does not read them.
    """
    import slicer

    nodes = {}
    for name, values in arrays.items():
        kind = "vtkMRMLLabelMapVolumeNode" if name == "mask" else "vtkMRMLScalarVolumeNode"
        nodes[name] = slicer.mrmlScene.AddNewNodeByClass(kind, name)
        slicer.util.updateVolumeFromArray(nodes[name], values)
        nodes[name].SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(places[name]))
        nodes[name].CreateDefaultDisplayNodes()
    panel = standin.open_module(ROOT / "PCNSLSurvival" / "PCNSLSurvival.py")
    ui = panel.ui
    panel.view.models.addFolder(model)
    ui.t1gdSelector.setCurrentNode(nodes["t1gd"])
    for selector, name in ((ui.t1Selector, "t1"), (ui.t2Selector, "t2")):
        selector.setCurrentNode(nodes[name] if reads == 3 or name in beside else None)
    ui.brainMaskSelector.setCurrentNode(nodes["mask"])
    ui.biasEngineSelector.setCurrentText("None (already done)")
    return panel


def _stopped(panel, step):
    """What the panel says when a run was stopped at this step; it can be used again, and no file is left."""
    panel.ui.predictButton.click()
    Wait().until(lambda: panel.logic.run is None, 300)
    assert shown_steps(panel)[Step(step).label].words == "failed"
    assert panel.ui.predictButton.enabled
    panel.logic.kept.forget()  # finished steps are kept for the next run
    assert temporary_files() == []
    return panel.ui.messageLabel.text
