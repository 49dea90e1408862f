"""N4 as a module of Slicer: it gets samples of the scan, and the scan loses its shading on every voxel."""

from __future__ import annotations

import numpy as np
import pytest
from made_scenes import Wait, add_head


@pytest.fixture
def step(standin, quick_panel):
    """Corrects a scan: the node that was filled, and how it ended."""
    import slicer
    from PCNSLSurvivalUI.run.bias_field_step import BiasFieldStep
    from PCNSLSurvivalUI.run.slicer_modules import CLIStep
    from PCNSLSurvivalUI.scene.volume_files import newHidden

    from PCNSLSurvivalLib.preprocessing.recipe import RECIPE

    def run(scan, mask=None, begun=lambda step: None):
        corrected = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "corrected")
        ends, wait = [], Wait()
        running = BiasFieldStep(scan, corrected, RECIPE.bias_field, mask, newHidden, ends.append)
        begun(running)
        wait.until(lambda: ends)
        assert wait.is_calm()
        assert running.isOver
        assert not isinstance(running, CLIStep)
        return corrected, ends

    return run


def _shade(scan):
    """Multiply a head by a smooth field along all three axes; the (k, j, i) field."""
    import slicer

    values = slicer.util.arrayFromVolume(scan)
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in values.shape), indexing="ij")
    field = np.exp(0.3 * i - 0.2 * j + 0.2 * k)
    values[:] = np.round(values * field)
    slicer.util.arrayFromVolumeModified(scan)
    return field


def test_a_known_shading_is_found_between_thick_slices_and_the_module_sees_few_voxels(step):
    import slicer

    scan = add_head("T1 Gd", "thick slices")
    field = _shade(scan)
    raw = slicer.util.arrayFromVolume(scan).astype(float)
    corrected, ends = step(scan)
    assert ends == [True]
    found = slicer.util.arrayFromVolume(corrected)
    inside = raw > 0.4 * np.median(raw[raw > 100])
    air = np.quantile(raw, 0.001)  # taken off before the field is fitted
    divided = (raw[inside] - air) / (found[inside] - air)
    assert np.corrcoef(np.log(divided), np.log(field[inside]))[0, 1] > 0.85
    seen = slicer.util.getNode("samples")
    assert seen.GetSpacing() == pytest.approx((4.0, 4.0, 6.0), abs=1e-3), "slices stay, the plane is thinned"
    assert np.prod(seen.GetImageData().GetDimensions()) < raw.size / 15


def test_the_corrected_scan_lies_where_the_scan_lies(step):
    import slicer
    import vtk
    from slicer_standin import cli

    cli.plans["n4itkbiasfieldcorrection"] = {"quick": True}
    scan = add_head("T1 Gd", "oblique")
    corrected, ends = step(scan)
    assert ends == [True]
    places = [vtk.vtkMatrix4x4() for _ in range(2)]
    scan.GetIJKToRASMatrix(places[0])
    corrected.GetIJKToRASMatrix(places[1])
    np.testing.assert_allclose(*map(slicer.util.arrayFromVTKMatrix, places))
    # A field of 1 leaves every voxel as it was.
    np.testing.assert_allclose(*(slicer.util.arrayFromVolume(node) for node in (scan, corrected)), atol=1e-3)


def test_our_process_hears_who_prepared_the_scan_and_gets_it_as_it_was_loaded(
    standin, quick_panel, monkeypatch, tmp_path
):
    import json

    import SimpleITK as sitk
    import slicer
    from slicer_standin import cli

    monkeypatch.setenv("FAKE_WORKER", json.dumps({"record": str(tmp_path / "arguments.json")}))
    for module in ("n4itkbiasfieldcorrection", "swissskullstripper"):
        cli.plans[module] = {"quick": True}
    scan = add_head("T1 Gd")
    quick_panel.ui.guessButton.click()
    quick_panel.ui.predictButton.click()
    Wait().until(lambda: quick_panel.logic.run is None)
    told = json.loads((tmp_path / "prepared.json").read_text(encoding="utf-8"))
    names = {step: engine["name"] for step, engine in told["engines"].items()}
    assert names == {"brain_extraction": "SwissSkullStripper", "bias_field": "N4ITKBiasFieldCorrection"}
    assert all("(Slicer 5.8.1" in engine["version"] for engine in told["engines"].values())
    loaded = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / told["loaded"]["t1gd"])))
    np.testing.assert_array_equal(loaded, slicer.util.arrayFromVolume(scan))


def test_a_mask_without_brain_ends_the_step(step):
    import slicer

    scan = add_head("T1 Gd")
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    slicer.util.updateVolumeFromArray(mask, np.zeros(slicer.util.arrayFromVolume(scan).shape, np.uint8))
    _corrected, ends = step(scan, mask)
    assert ends == [False]
