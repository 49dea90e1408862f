"""The head is found whatever is brightest in it."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.preprocessing.steps.brain_mask import depth_in_head
from PCNSLSurvivalLib.preprocessing.steps.sampling import head_mask

BRAIN_MM, SKULL_MM, SKIN_MM = 70.0, 76.0, 84.0


def made_scan(*, fat: float, neck_share: float) -> tuple[sitk.Image, np.ndarray]:
    """A ball of brain (60) in dark bone (10) under fat, on a neck of fat; noise in the air. Voxels of 3 mm."""
    rng = np.random.default_rng(3)
    k, j, i = np.mgrid[-40:40, -32:32, -32:32] * 3.0
    radius = np.sqrt(i**2 + j**2 + k**2)
    values = np.abs(rng.normal(0, 3, radius.shape))
    values[radius < SKIN_MM] = fat
    values[(k < -60) & (np.hypot(i, j) < 90 * neck_share)] = fat
    values[radius < SKULL_MM] = 10
    values[radius < BRAIN_MM] = 60 + rng.normal(0, 5, int((radius < BRAIN_MM).sum()))
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.SetSpacing((3.0, 3.0, 3.0))
    return image, radius < BRAIN_MM


@pytest.mark.parametrize("fat", [70.0, 150.0, 200.0, 400.0])
@pytest.mark.parametrize("neck_share", [0.4, 1.0])
def test_fat_brighter_than_the_brain_does_not_leave_it_with_the_air(fat, neck_share):
    """A single threshold falls between brain and fat from about three times the brain's brightness on."""
    scan, brain = made_scan(fat=fat, neck_share=neck_share)
    mask = sitk.GetArrayFromImage(head_mask(scan))
    assert mask[brain].mean() > 0.99
    assert mask[:8, :8, :8].mean() < 0.01
    depth = depth_in_head(scan)
    middle = depth.TransformPhysicalPointToIndex(scan.TransformIndexToPhysicalPoint((32, 32, 40)))
    assert depth[middle] == pytest.approx(SKIN_MM, abs=6.0)


@pytest.mark.parametrize("value", [0.0, 5.0, -5.0])
def test_a_scan_of_one_value_has_no_head(value):
    flat = sitk.GetImageFromArray(np.full((8, 8, 8), value, dtype=np.float32))
    assert not sitk.GetArrayFromImage(head_mask(flat)).any()
