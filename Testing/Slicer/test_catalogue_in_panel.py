"""The catalogue through the panel: volumes of the scene, files that Slicer loads, and model folders.

Slicer, not this software, reads a file into the scene, with ITK as SimpleITK does here. What counts is what the panel
does then: a volume that is none is refused by a sentence when 'Predict' is pressed, and of every other one each voxel
reaches the prediction at its place.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from made_scenes import add_head, ijk_to_ras, scene_state

sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parents[1] / "Lib"))
from catalogue import model_folders, scan_files

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical
from PCNSLSurvivalLib.imaging.io import read_scan

NAN, INF = float("nan"), float("inf")


def _sheared(share: float) -> np.ndarray:
    matrix = np.diag([2.0, 2.0, 2.0, 1.0])
    matrix[0, 1] = 2.0 * share
    return matrix


VOLUMES = [
    ("values that are no numbers", lambda v: np.where(v > 300, NAN, v), None, "holds values that are not numbers"),
    ("an infinite value", lambda v: np.where(v == v.max(), INF, v), None, "holds values that are not numbers"),
    ("a label map", lambda v: (v > 100) * 2 + (v > 900), None, "looks like a mask or a map of labels"),
    ("a brain mask", lambda v: v > 100, None, "looks like a mask or a map of labels"),
    ("a CT", lambda v: np.where(v > 100, v / 8.0, -1000.0), None, "looks like a CT"),
    ("one slice", lambda v: v[30:31], None, "too few slices (1)"),
    ("three slices", lambda v: v[30:33], None, "too few slices (3)"),
    ("one value", lambda v: np.full_like(v, 7.0), None, "same value in all voxels"),
    ("voxels of a kilometer", None, np.diag([1e6, 1e6, 1e6, 1.0]), "which no scanner produces"),
    ("voxels of a nanometer", None, np.diag([1e-6, 1e-6, 1e-6, 1.0]), "which no scanner produces"),
    ("voxels of no size", None, np.diag([0.0, 2.0, 2.0, 1.0]), "which no scanner produces"),
    ("a head of 9 m", None, np.diag([2.0, 2.0, 49.0, 1.0]), "which no scanner produces"),
    ("a place beyond the city", None, np.diag([2.0, 2.0, 2.0, 1.0]) + 1e6 * np.eye(4, k=3), "impossible position"),
    ("sheared axes", None, _sheared(0.5), "sheared"),
]


@pytest.mark.parametrize(("name", "change", "affine", "says"), VOLUMES, ids=[row[0] for row in VOLUMES])
def test_a_volume_that_is_no_scan_is_refused_before_any_step(standin, quick_panel, name, change, affine, says):
    import slicer

    node = add_head("T1 Gd")
    if change is not None:
        changed = change(slicer.util.arrayFromVolume(node).astype(np.float32)).astype(np.float32)
        node = slicer.util.addVolumeFromArray(np.ascontiguousarray(changed), name="T1 Gd")
    if affine is not None:
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(affine))
    quick_panel.ui.t1gdSelector.setCurrentNode(node)
    before = list(scene_state())
    quick_panel.ui.predictButton.click()
    assert quick_panel.logic.run is None
    assert says in quick_panel.ui.messageLabel.text
    assert list(scene_state()) == before


@pytest.mark.parametrize("flipped", [False, True], ids=["as loaded", "in another voxel order"])
@pytest.mark.parametrize(("first", "second"), [("t1gd", "t1"), ("t1gd", "flair"), ("t1", "t2")])
def test_one_scan_chosen_for_two_sequences_is_refused_before_any_step(standin, quick_panel, first, second, flipped):
    import slicer

    chosen = {name: add_head(name, lesion=lesion) for name, lesion in (("t1gd", 900.0), ("t1", 300.0))}
    original = chosen.get(first)
    voxels, affine = slicer.util.arrayFromVolume(original), ijk_to_ras(original)
    if flipped:
        voxels = voxels[:, :, ::-1]
        affine = affine @ np.array([[-1, 0, 0, voxels.shape[2] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    chosen[second] = slicer.util.addVolumeFromArray(np.ascontiguousarray(voxels), name=second)
    chosen[second].SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(affine))
    for name, node in chosen.items():
        getattr(quick_panel.ui, f"{name}Selector").setCurrentNode(node)
    before = list(scene_state())
    quick_panel.ui.predictButton.click()
    assert quick_panel.logic.run is None
    assert "are the same scan" in quick_panel.ui.messageLabel.text
    assert "override the quality stop" in quick_panel.ui.messageLabel.text
    assert list(scene_state()) == before


@pytest.mark.parametrize("row", scan_files.READ, ids=str)
def test_every_voxel_of_a_file_that_slicer_loads_reaches_the_prediction(standin, row, tmp_path):
    """A file that ITK cannot load, or places otherwise than its header says, never reaches the panel as such."""
    import slicer
    from PCNSLSurvivalUI.scene.volume_files import writeNrrd

    path = row.build(tmp_path)
    if not os.fsencode(path.name).isascii():
        pytest.skip("ITK ends the process over a name that is not UTF-8")
    try:
        loaded = sitk.ReadImage(str(path), sitk.sitkFloat32)
    except RuntimeError:
        pytest.skip("ITK loads no such file")
    if max(loaded.GetSpacing()) < 0.02:
        pytest.skip("ITK takes meters for millimeters; the panel refuses such voxels, see above")
    if loaded.GetDimension() != 3:
        pytest.skip("Slicer loads a sequence of volumes")
    node = slicer.util.addVolumeFromArray(sitk.GetArrayFromImage(loaded), name="T1 Gd")
    affine = Grid.of(loaded).affine_ras
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(affine))
    for _ in writeNrrd(node, tmp_path / "handed_over.nrrd", "T1Gd"):
        pass
    handed_over = canonical(read_scan(tmp_path / "handed_over.nrrd", MRSequence.T1GD).image)
    scene = canonical(loaded)
    assert Grid.of(handed_over).matches(Grid.of(scene), tolerance_mm=0.01)
    assert (sitk.GetArrayFromImage(handed_over) == sitk.GetArrayFromImage(scene)).all()


@pytest.mark.parametrize("row", model_folders.REFUSED, ids=str)
def test_a_model_folder_that_is_none_is_refused_and_not_offered(standin, quick_panel, row, tmp_path):
    offered = quick_panel.ui.modelSelector.count
    quick_panel.view.models.addFolder(row.build(tmp_path))
    said = quick_panel.ui.messageLabel.text
    assert row.says in said
    assert said.endswith(".")
    assert str(tmp_path) not in said
    assert quick_panel.ui.modelSelector.count == offered
