"""A field known at samples: exact for one cubic piece, and N4 on samples finds what the recipe's own step finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE, factors_for
from PCNSLSurvivalLib.preprocessing.steps.bias_field import correct_bias_field
from PCNSLSurvivalLib.preprocessing.steps.field_samples import SampledField, sample_affine, sampled_part

SIZES = [((64, 50, 47), (4, 4, 4)), ((256, 250, 24), (8, 8, 1)), ((16, 16, 1), (2, 1, 1)), ((9, 8, 8), (1, 1, 1))]


@pytest.mark.parametrize(("size", "factors"), SIZES)
def test_a_cubic_field_comes_back_exactly_on_every_voxel_the_edges_included(size, factors):
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in size[::-1]), indexing="ij")
    field = 1 + 0.2 * i**3 - 0.3 * j**2 * i + (0.1 * k * j**3 if size[2] > 1 else 0)
    taken = field[sampled_part(size, factors)]
    assert taken.shape == tuple(n // f for n, f in zip(size, factors, strict=True))[::-1]
    sampled = SampledField(taken, size, factors)
    np.testing.assert_allclose(np.stack([sampled.plane(k) for k in range(size[2])]), field, atol=1e-9)


@pytest.mark.parametrize(("size", "factors"), SIZES)
def test_a_sample_lies_where_its_voxel_lies_and_the_samples_lie_in_the_middle(size, factors):
    affine = np.array([[0, -0.5, 0, 7.0], [0.7, 0, 0.1, -3], [0.1, 0, 5.0, 40], [0, 0, 0, 1.0]])
    moved = sample_affine(affine, size, factors)
    part = sampled_part(size, factors)
    for sample in (np.zeros(3), np.array([n // f - 1 for n, f in zip(size, factors, strict=True)])):
        voxel = np.array([axis.start + n * axis.step for axis, n in zip(part[::-1], sample, strict=True)])
        np.testing.assert_allclose(moved @ [*sample, 1], affine @ [*voxel, 1])
    for axis, count in zip(part[::-1], size, strict=True):
        left, right = axis.start, count - 1 - np.arange(count)[axis][-1]
        assert 0 <= right - left <= 1


@pytest.mark.parametrize("spacing_mm", [(2.0, 2.0, 2.0), (1.0, 1.0, 6.0)], ids=["isotropic", "thick slices"])
def test_n4_on_the_samples_finds_what_the_recipes_own_step_finds(spacing_mm):
    step = replace(RECIPE.bias_field, iterations=(20, 20, 20))
    size = tuple(round(150 / mm) for mm in spacing_mm)
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in size[::-1]), indexing="ij")
    inside = (i**2 + j**2 + k**2) < 0.8
    shading = np.exp(0.25 * i + 0.2 * j * k - 0.2 * k**2)
    tissue = 300.0 + 120.0 * (np.sin(7 * i) * np.sin(6 * j) > 0) + np.random.default_rng(5).normal(0, 5, i.shape)
    image = sitk.GetImageFromArray(np.where(inside, tissue * shading, 0).astype(np.float32) + 40)
    image.SetSpacing(spacing_mm)
    mask = sitk.GetImageFromArray(inside.astype(np.uint8))
    mask.CopyInformation(image)
    corrected = correct_bias_field(image, step, sequence=MRSequence.T1GD, mask=mask)

    factors = factors_for(spacing_mm, size, step.working_spacing_mm)
    part = sampled_part(size, factors)
    samples = sitk.GetImageFromArray(np.maximum(sitk.GetArrayFromImage(image)[part] - 40, 0))
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(step.iterations)
    n4.SetConvergenceThreshold(step.convergence_threshold)
    n4.SetNumberOfControlPoints(step.control_points)
    n4.SetNumberOfHistogramBins(step.histogram_bins)
    n4.Execute(samples, sitk.GetImageFromArray(inside[part].astype(np.uint8)))
    log_field = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(samples)).astype(float)
    sampled = SampledField(log_field, size, factors)
    brought = np.exp(np.stack([sampled.plane(k) for k in range(size[2])]))[inside]
    own = (sitk.GetArrayFromImage(image)[inside] - 40) / (sitk.GetArrayFromImage(corrected)[inside] - 40)
    ratio = brought / brought.mean() / own
    assert np.corrcoef(np.log(own), np.log(shading[inside]))[0, 1] > 0.98, "the recipe finds the field"
    assert np.abs(np.log(ratio)).mean() < 0.01, "and so does N4 on the samples"
