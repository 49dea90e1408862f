"""One scale for every brain: the values of its bulk decide it, not the brightest vessel."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.steps.normalization import find_normalization


def brain_of(values: np.ndarray) -> tuple[sitk.Image, sitk.Image]:
    mask = np.zeros(values.shape, np.uint8)
    mask[2:-2, 2:-2, 2:-2] = 1
    return sitk.GetImageFromArray(values.astype(np.float32)), sitk.GetImageFromArray(mask)


def normalized(values: np.ndarray) -> np.ndarray:
    found = find_normalization(*brain_of(values), RECIPE.normalization, sequence=MRSequence.T1GD)
    return found.of(values.astype(np.float32))


def test_defect_19_one_bright_vessel_does_not_set_the_scale():
    values = np.random.default_rng(4).normal(300, 40, (24, 24, 24))
    plain = normalized(values)
    values[10:12, 10, 4:20] = 20000.0
    shining = normalized(values)
    elsewhere = values < 20000.0
    assert shining[elsewhere] == pytest.approx(plain[elsewhere], abs=0.02)
    assert shining[~elsewhere] == pytest.approx(RECIPE.normalization.clip[1])
    inside = plain[2:-2, 2:-2, 2:-2]
    assert np.median(inside) == pytest.approx(0, abs=1e-5)
    assert inside.std() == pytest.approx(1, rel=0.03)


def test_a_brain_without_contrast_is_refused():
    with pytest.raises(PreparationError) as refused:
        find_normalization(*brain_of(np.full((12, 12, 12), 7.0)), RECIPE.normalization, sequence=MRSequence.T1)
    assert refused.value.message == Message("preparation.no_contrast_in_brain", sequence=MRSequence.T1)
