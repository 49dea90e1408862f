"""N4 on a regular grid: the field of ITK's own filter, on its samples and on every voxel."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.steps.bias_field import correct_bias_field
from PCNSLSurvivalLib.preprocessing.steps.n4 import fit_log_bias_field

FULL_SIZE = (34, 40, 22)


def _head(size: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in size[::-1]), indexing="ij")
    inside = (i**2 + j**2 + k**2) < 0.8
    tissue = 300.0 + 120.0 * (np.sin(7 * i) * np.sin(6 * j) > 0) + np.random.default_rng(5).normal(0, 5, i.shape)
    return tissue * np.exp(0.25 * i + 0.2 * j * k - 0.2 * k**2), inside


@pytest.mark.parametrize("size", [(17, 20, 22), (28, 25, 9)], ids=["isotropic", "thick slices"])
def test_the_field_is_the_one_that_itks_filter_fits(size):
    values, inside = _head(size)
    step = RECIPE.bias_field
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(step.iterations)
    n4.SetConvergenceThreshold(step.convergence_threshold)
    n4.SetNumberOfControlPoints(step.control_points)
    n4.SetNumberOfHistogramBins(step.histogram_bins)
    n4.Execute(sitk.GetImageFromArray(values.astype(np.float32)), sitk.GetImageFromArray(inside.astype(np.uint8)))
    itk = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(sitk.Image(FULL_SIZE, sitk.sitkFloat32)))
    ours = fit_log_bias_field(values, inside, step).on(FULL_SIZE)
    within = _head(FULL_SIZE)[1]
    assert np.ptp(itk[within]) > 0.3
    np.testing.assert_allclose(ours[within], itk[within], atol=1e-3)
    assert np.abs(ours - itk)[within].mean() < 1e-4


def test_a_scan_of_one_value_has_no_field():
    inside = _head((12, 12, 12))[1]
    field = fit_log_bias_field(np.full(inside.shape, 7.0), inside, RECIPE.bias_field).on((20, 20, 20))
    assert not field.any()


@pytest.mark.parametrize("logarithm", [-1e9, -200.0, -90.0, 90.0, 1e9])
def test_a_field_that_runs_away_outside_the_mask_makes_no_value_that_is_no_number(logarithm, monkeypatch):
    """And no warning of numpy's, which a user would see."""
    values, inside = _head((20, 20, 20))
    values, inside = np.where(inside, values, 0), inside & (np.arange(20)[:, None, None] > 3)

    class _Field:
        def on(self, size):
            field = np.zeros(size[::-1], np.float32)
            field[0] = logarithm
            return field

    monkeypatch.setattr("PCNSLSurvivalLib.preprocessing.steps.bias_field.fit_log_bias_field", lambda *_: _Field())
    image, mask = sitk.GetImageFromArray(values.astype(np.float32)), sitk.GetImageFromArray(inside.astype(np.uint8))
    corrected = sitk.GetArrayFromImage(
        correct_bias_field(image, RECIPE.bias_field, sequence=MRSequence.T1GD, mask=mask)
    )
    assert np.isfinite(corrected).all()
    np.testing.assert_allclose(corrected[inside], values[inside], rtol=1e-5)
