"""Cleaning of a brain outline."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.preprocessing.steps.brain_mask import closed


@pytest.mark.parametrize("radius", [(3, 3, 3), (1, 1, 1), (4, 2, 1)])
@pytest.mark.parametrize("share", [0.002, 0.02, 0.3])
def test_a_mask_is_closed_as_itk_does_it_at_the_border_too(radius, share):
    inside = np.random.default_rng(3).random((19, 24, 30)) < share
    image = sitk.GetImageFromArray(inside.astype(np.uint8))
    itk = sitk.GetArrayFromImage(sitk.BinaryMorphologicalClosing(image, radius, sitk.sitkBall, 1.0, True)) > 0
    assert itk.sum() > inside.sum() or share < 0.01
    np.testing.assert_array_equal(closed(inside, radius), itk)
