"""The measurement of names of regions knows an atlas that is right, one that is moved and one that is mirrored."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from made_atlas import voxel_points
from made_heads import brain_shape

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

import measure_atlas
from measure_atlas import check_row, error_rows, failures_of, measured, person_of, placed_in

from PCNSLSurvivalLib.atlas.atlas_folder import Atlas
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, resample

GRID = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(62, 72, 62), spacing_mm=(2.5, 2.5, 2.5))
NAMES = {10: "Left-Thalamus", 49: "Right-Thalamus"} | {
    1001 + n + 1000 * right: f"{'rh' if right else 'lh'}-{n}" for n in range(6) for right in (0, 1)
}


@pytest.fixture(scope="module")
def labels():
    """The made brain: cortex in six pieces on each side, white matter, ventricles, and a thalamus beside each."""
    points = voxel_points(GRID)
    x, y, z = (axis.transpose(2, 1, 0) for axis in np.moveaxis(points, -1, 0))
    right = x < 0
    piece = np.clip(np.floor((y + 80) / 54), 0, 2).astype(int) + 3 * (z > 0)
    found = np.where(brain_shape(points), 1001 + piece + 1000 * right, 0)
    found[brain_shape(points * 1.25)] = 2
    found[brain_shape(points * 1.25) & right] = 41
    found[((np.abs(x) - 8) / 6) ** 2 + (y / 30) ** 2 + ((z - 12) / 10) ** 2 < 1] = 4
    for label, side in ((10, 1), (49, -1)):
        found[((x - side * 18) / 11) ** 2 + (y / 16) ** 2 + ((z + 5) / 11) ** 2 < 1] = label
    return image_on_grid(found.astype(np.int16), GRID)


@pytest.fixture(scope="module")
def atlas(labels):
    """Its own brain as template, and its own regions."""
    person = person_of(labels, 7)
    names = tuple(NAMES[label] for label in sorted(NAMES))
    true = sitk.GetArrayFromImage(person.labels)
    numbers = np.zeros(true.shape, np.uint16)
    for number, label in enumerate(sorted(NAMES), start=1):
        numbers[true == label] = number
    template = resample(sitk.Mask(person.brain.image, person.brain.mask), Grid.of(person.labels))
    return Atlas(
        name="made", template=template, labels=image_on_grid(numbers, Grid.of(person.labels)), names=names, sha256={}
    )


@pytest.fixture(scope="module")
def placed(labels, atlas):
    """Another scan of the same person, with other noise and shading."""
    person = person_of(labels, 1)
    return person, *placed_in(person, atlas, NAMES)


def test_an_atlas_of_the_person_itself_names_the_true_regions(placed):
    _person, case, points = placed
    assert case.refused_by == ""
    assert case.error_mm < 2.5
    assert len(points.cortex) > 2000
    assert (points.distance_mm <= 4).all()
    assert (points.distance_mm == 0).mean() > 0.9
    assert points.other_side.mean() < 0.02
    assert points.first.mean() > 0.9
    assert points.among.mean() > 0.98
    assert (points.named >= 1).all()


@pytest.mark.parametrize(("moved_mm", "shares"), [(5.0, (0.0, 1.0, 1.0)), (7.5, (0.0, 0.0, 1.0))])
def test_an_atlas_that_is_moved_by_a_known_way_is_as_far_off(placed, atlas, moved_mm, shares):
    """Points at the rim of a region are as far off as it was moved; none is farther."""
    person, case, _points = placed
    pose = replace(case.pose, transform=sitk.AffineTransform(3))
    pose.transform.SetTranslation((0.0, 0.0, moved_mm))
    points = measured(person, atlas, NAMES, pose, None)
    assert points.distance_mm.max() == pytest.approx(moved_mm)
    farthest = points.distance_mm > moved_mm - 0.1
    assert farthest.sum() > 20
    assert [(points.distance_mm[farthest] <= mm).mean() for mm in (4, 6, 8)] == list(shares)


def test_a_mirrored_atlas_tells_the_other_side(placed, atlas):
    person, case, _points = placed
    mirrored = sitk.GetArrayFromImage(atlas.labels)[:, :, ::-1]
    wrong = replace(atlas, labels=image_on_grid(mirrored, Grid.of(atlas.labels)))
    pose = replace(case.pose, transform=sitk.AffineTransform(3))
    points = measured(person, wrong, NAMES, pose, None)
    assert points.other_side.mean() > 0.95
    assert np.quantile(points.distance_mm[~points.cortex], 0.1) > 10


def test_a_region_that_the_atlas_does_not_have_in_the_person_is_never_near(placed, atlas):
    person, case, _points = placed
    empty = replace(atlas, labels=atlas.labels * 0)
    points = measured(person, empty, NAMES, case.pose, None)
    assert np.isinf(points.distance_mm).all()


def test_failures_are_what_they_say(placed):
    person, *_ = placed
    whole = np.count_nonzero(sitk.GetArrayViewFromImage(person.brain.mask))
    left = {
        words: np.count_nonzero(sitk.GetArrayViewFromImage(failed.brain.mask)) / whole
        for words, failed in failures_of(person)
    }
    assert len(left) == 10
    assert left["brain mask 4 mm too small"] < left["brain mask 2 mm too small"] < 1 < left["brain mask 3 mm too large"]
    assert left["one side alone"] == pytest.approx(0.5, abs=0.03)
    assert left["upper half alone"] + left["lower half alone"] == pytest.approx(1, abs=0.05)
    assert left["cut off by 30 % at the top"] < left["cut off by 15 % at the top"] < 1


def test_tables_have_what_was_measured(placed, capsys, monkeypatch):
    _person, case, points = placed
    rows = {row[0]: row[1:] for row in error_rows([points, points])}
    assert rows["people"] == ["2", "2"]
    assert rows["… within 4 mm"] == ["100.0%", "100.0%"]
    refused = replace(case, refused_by="Dice", error_mm=9.0)
    row = check_row("both", [case, refused])
    assert row[:2] == ["both", "2"]
    assert row[-3:] == [f"{case.error_mm:.1f} to 9.0", "1", "Dice"]
    monkeypatch.setattr(sys, "argv", ["measure_atlas.py"])
    for variable in measure_atlas.FOLDERS:
        monkeypatch.delenv(variable, raising=False)
    assert measure_atlas.main() == 0
    assert "Skipped: no folder with label maps of people" in capsys.readouterr().out
