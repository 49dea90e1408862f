"""``pcnsl-survival regions``: the regions of an atlas on the patient's voxels, and nothing where a check failed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk
from made_atlas import label_at, made_atlas, name_of, patient_affine, patient_brain
from made_grids import rotation_matrix

from PCNSLSurvivalLib.atlas.regions_folder import stored_regions
from PCNSLSurvivalLib.cli.__main__ import OUR_ERROR, main
from PCNSLSurvivalLib.imaging.geometry import Grid

MATRIX, SHIFT = patient_affine()


@pytest.fixture
def scan(tmp_path):
    """Words for the scan of a patient and its brain mask, as files; and the LPS points of its brain."""
    direction = rotation_matrix((3, 1, 0), 18)
    size, spacing = (68, 80, 40), (2.5, 2.5, 4.5)
    half = direction @ ((np.array(size) - 1) * spacing / 2)
    grid = Grid(size, spacing, tuple(np.linalg.solve(MATRIX, -SHIFT) - half), tuple(direction.ravel()))
    brain, points = patient_brain(grid, MATRIX, SHIFT)
    sitk.WriteImage(brain.image, str(tmp_path / "t1gd.nii.gz"))
    sitk.WriteImage(brain.mask, str(tmp_path / "mask.nii.gz"))
    words = ["--t1gd", str(tmp_path / "t1gd.nii.gz"), "--brain-mask", str(tmp_path / "mask.nii.gz")]
    inside = points.transpose(2, 1, 0, 3)[sitk.GetArrayViewFromImage(brain.mask) > 0]
    return [*words, "--already-corrected", "--override-quality", "--out", str(tmp_path / "out")], inside


def test_the_files_name_every_place_of_the_brain(scan, tmp_path, capsys):
    words, inside = scan
    atlas = made_atlas(tmp_path / "atlas")
    assert main(["regions", "--atlas", str(atlas), *words, "--progress", "json"]) == 0
    last = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    stored = json.loads((tmp_path / "out" / "regions.json").read_text())
    assert last["regions"] == stored
    assert stored["atlas"]["passed"]
    assert str(tmp_path) not in json.dumps(stored), "no path of the user"
    numbers, brain = (sitk.ReadImage(str(tmp_path / "out" / f"{name}.nii.gz")) for name in ("regions", "regions_brain"))
    regions = stored_regions(stored, sitk.GetArrayFromImage(numbers), sitk.GetArrayFromImage(brain))
    assert Grid.of(numbers).matches(regions.grid)
    truth = [name_of(int(label)) for label in label_at(inside[::499] @ MATRIX.T + SHIFT)]
    found = [regions.at(point) for point in inside[::499]]
    told = [one is not None and name in (one.here, *one.near) for one, name in zip(found, truth, strict=True)]
    assert np.mean(told) > 0.95


def test_no_regions_are_written_where_a_check_failed(scan, tmp_path, capsys):
    words, _inside = scan
    mask = sitk.ReadImage(words[3])
    half = sitk.GetArrayFromImage(mask)
    half[half.shape[0] // 2 :] = 0
    cut = sitk.GetImageFromArray(half)
    cut.CopyInformation(mask)
    sitk.WriteImage(cut, words[3])
    assert main(["regions", "--atlas", str(made_atlas(tmp_path / "atlas")), *words]) == 0
    printed = capsys.readouterr().out
    assert "No region names are shown" in printed
    assert "Regions:" not in printed, "none were written"
    stored = json.loads((tmp_path / "out" / "regions.json").read_text())
    assert "brain.too_small" in [warning["code"] for warning in stored["warnings"]], "why that may be"
    assert all(f"! {warning['sentence']}" in printed for warning in stored["warnings"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["regions.json"]
    assert not stored["atlas"]["passed"]


def test_an_atlas_that_cannot_be_used_leaves_no_folder(scan, tmp_path, capsys):
    words, _inside = scan
    atlas = made_atlas(tmp_path / "atlas", mirrored=True)
    assert main(["regions", "--atlas", str(atlas), *words]) == OUR_ERROR
    assert "mirrored" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
