"""Skull and scalp decide whether a scan shows a brain alone: not its volume, not its units, not what was cleared."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from real_heads import SHARED_PATIENT, shared_scan

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, image_on_grid
from PCNSLSurvivalLib.imaging.io import read_mask, read_scan
from PCNSLSurvivalLib.imaging.quality import looks_stripped
from PCNSLSurvivalLib.imaging.stripped import shows
from PCNSLSurvivalLib.preprocessing.pipeline import is_stripped

TUMOURS = SHARED_PATIENT.parent / "real-tumours"
_RADII = np.array([64.0, 80.0, 62.0])


def _head(size: float = 1.0) -> tuple[np.ndarray, np.ndarray, Grid]:
    """(k, j, i) signal that a test may change, the true brain, and the grid."""
    values, brain, grid = _made_head(size)
    return values.copy(), brain, grid


@cache
def _made_head(size: float, skull_mm: float = 6.0, scalp_mm: float = 6.0) -> tuple[np.ndarray, np.ndarray, Grid]:
    """(k, j, i) signal of nested ellipsoids with folds in the brain, the true brain, and the grid of 3 mm."""
    grid = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(66, 76, 66), spacing_mm=(3.0, 3.0, 3.0))
    points = grid.index_to_lps(np.stack(np.meshgrid(*map(np.arange, grid.size), indexing="ij"), -1))
    points = points.transpose(2, 1, 0, 3)

    def inside(more_mm: float) -> np.ndarray:
        return ((points / (_RADII * size + more_mm)) ** 2).sum(-1) < 1

    draw = np.random.default_rng(3)
    folds = np.where(
        np.sin(points[..., 0] / 4) * np.sin(points[..., 1] / 5) * np.sin(points[..., 2] / 4) > 0.5, 150, 300
    )
    values = np.where(inside(0), np.where(inside(-12), 300, folds), 0.0)
    values = np.where(~inside(0) & inside(skull_mm), 40.0, values)
    values = np.where(~inside(skull_mm) & inside(skull_mm + scalp_mm), 450.0, values)
    return values + (values > 0) * draw.normal(scale=8, size=values.shape), inside(0), grid


def _image(values: np.ndarray, grid: Grid) -> sitk.Image:
    return image_on_grid(np.ascontiguousarray(values.astype(np.float32)), grid)


@pytest.mark.parametrize("size", [0.8, 1.1], ids=["small person", "large person"])
@pytest.mark.parametrize("cleared", ["air", "air and skull", "face", "neck", "block of noise"])
def test_a_whole_head_is_one_whatever_was_cleared_and_however_small_the_person(size, cleared):
    values, brain, grid = _head(size)
    if cleared == "air and skull":
        values[(values < 100) & ~brain] = 0.0
    if cleared == "face":
        values[:30, :26] = 0.0
    if cleared == "neck":
        values[:22] = 0.0
    if cleared == "block of noise":  # a head turned into another frame: nothing beyond its block, noise within
        noise = np.zeros_like(values)
        noise[2:-2, 2:-2, 2:-2] = np.random.default_rng(1).uniform(1, 9, noise[2:-2, 2:-2, 2:-2].shape)
        values = np.where(values > 0, values, noise)
    assert shows(_image(values, grid)) == "head"


@pytest.mark.parametrize("size", [0.8, 1.1])
@pytest.mark.parametrize(
    "scaled",
    [
        lambda v, b: v * b,
        lambda v, b: (v * b - 60) / 90,
        lambda v, b: np.where(b, v / 300, -10.0),
        lambda v, b: v * b + 7,
        lambda v, b: np.where(b, (v - v[b > 0].mean()) / v[b > 0].std(), 0.0),
    ],
    ids=["plain", "z-scored with its outside", "outside at -10", "outside at 7", "z-scored, outside at 0"],
)
def test_a_brain_alone_is_one_in_any_units(size, scaled):
    values, brain, grid = _head(size)
    assert shows(_image(scaled(values, brain), grid)) == "brain"


def test_other_axes_and_spacings_change_nothing():
    values, brain, grid = _head()
    for image, is_brain in ((_image(values, grid), False), (_image(values * brain, grid), True)):
        turned = sitk.DICOMOrient(image, "RPI")
        thick = sitk.Shrink(image, [1, 1, 2])
        assert looks_stripped(turned) is is_brain
        assert looks_stripped(thick) is is_brain


def test_in_doubt_the_brain_is_extracted_and_this_is_said():
    values, brain, grid = _head()
    there, left = values * brain, _image(values, grid)
    upper = np.arange(values.shape[0])[:, None, None] > values.shape[0] // 2
    right = np.arange(values.shape[2])[None, None, :] < values.shape[2] * 0.31
    half = _image(np.where(upper & right, values, there), grid)  # a fifth of the skull was left on
    assert shows(half) == "unclear"
    stripped, findings = is_stripped(half, said=False)
    assert (stripped, [finding.measure for finding in findings]) == (False, ["skull_unclear"])
    assert is_stripped(half, said=True) == (True, ())
    assert [finding.measure for finding in is_stripped(left, said=True)[1]] == ["skull_found"]


@pytest.mark.real
def test_real_brains_without_skull_are_recognized():
    scans = sorted(TUMOURS.glob("*/t1*.nii.gz"))
    if not scans:
        pytest.skip("the real tumors do not lie beside this checkout (../shared/real-tumours)")
    for path in scans[::4]:
        image = canonical(read_scan(path, MRSequence.T1GD).image)
        assert shows(image) == "brain", path.parent.name
        values = sitk.GetArrayFromImage(image)
        scored = sitk.GetImageFromArray((values - values.mean()) / values.std())
        scored.CopyInformation(image)
        assert shows(scored) == "brain", path.parent.name


@pytest.mark.real
def test_the_real_head_is_one_with_air_and_face_cleared(real_patient: dict[str, Path]):
    image = canonical(read_scan(shared_scan(MRSequence.T1GD), MRSequence.T1GD).image)
    values = sitk.GetArrayFromImage(image)
    cleared = np.where(sitk.GetArrayFromImage(sitk.OtsuMultipleThresholds(image, 2)) > 0, values, 0)
    no_face = cleared.copy()
    no_face[: values.shape[0] // 2, : values.shape[1] // 3] = 0
    for one in (cleared, no_face):
        made = sitk.GetImageFromArray(one)
        made.CopyInformation(image)
        assert shows(made) == "head"
    mask = canonical(read_mask(real_patient["mask"], "brain mask"))
    mask.CopyInformation(image)
    assert shows(sitk.Mask(image, mask)) == "brain"
