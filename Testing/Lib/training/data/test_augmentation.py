"""What the augmentation does to a head, measured in degrees and millimeters, is what its settings say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings, sample_transform
from PCNSLSurvivalLib.training.data.transforms import augment

GRID = NetworkGridStep(size=(48, 40, 36), spacing_mm=(1.5, 2.0, 2.5))
STILL = {"rotation_deg": 0.0, "scale": 0.0, "translation_mm": 0.0, "gain": 0.0}
NEVER = {"crop_probability": 0.0, "elastic_probability": 0.0, "flip_probability": 0.0}


def sampling_points(**settings: float) -> np.ndarray:
    """(draws, points, 3) where 200 samples are read, in mm from the block's center; the first is left alone."""
    still = AugmentationSettings(**{**STILL, **NEVER, "probability": 1.0})
    moving = AugmentationSettings(**{**STILL, **NEVER, "probability": 1.0, **settings})
    drawn = [sample_transform(moving if n else still, GRID, 1, np.random.default_rng(n)) for n in range(200)]
    return np.stack([transform.sampling_points_mm.reshape(-1, 3) for transform in drawn])


def test_rotations_about_each_axis_fill_their_range():
    still, *moved = sampling_points(rotation_deg=12.0)
    matrices = [np.linalg.lstsq(still, points, rcond=None)[0].T for points in moved]
    degrees = Rotation.from_matrix(np.stack(matrices)).as_euler("xyz", degrees=True)
    assert np.abs(degrees).max() <= 12.0 + 1e-6
    assert (np.abs(degrees).max(axis=0) > 11.0).all()
    assert np.abs(degrees).mean(axis=0) == pytest.approx([6.0] * 3, abs=0.8)  # evenly drawn


def test_shifts_along_each_axis_fill_their_range():
    still, *moved = sampling_points(translation_mm=6.0)
    shifts = np.stack([(points - still).mean(axis=0) for points in moved])
    assert np.abs(shifts).max() <= 6.0
    assert (np.abs(shifts).max(axis=0) > 5.5).all()


def test_elastic_displacements_have_their_spread_everywhere():
    still, *moved = sampling_points(elastic_mm=2.5, elastic_probability=1.0)
    spread = np.std([points - still for points in moved], axis=0)
    assert spread.mean() == pytest.approx(2.5, rel=0.05)
    assert spread.max() < 3.5


def test_a_spot_of_the_head_goes_where_rotation_size_and_shift_take_it():
    settings = AugmentationSettings(**{**NEVER, "gain": 0.0, "probability": 1.0})
    axes = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(GRID.size, GRID.spacing_mm, strict=True)]
    place = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    spot = np.array([10.0, -12.0, 8.0])
    for seed in range(5):
        still, moved = (
            sample_transform(one, GRID, 1, np.random.default_rng(seed)).sampling_points_mm.reshape(-1, 3)
            for one in (AugmentationSettings(**{**STILL, **NEVER, "probability": 1.0}), settings)
        )
        affine = np.linalg.lstsq(np.c_[still, np.ones(len(still))], moved, rcond=None)[0]
        expected = np.linalg.solve(affine[:3].T, spot - affine[3])
        scan = np.exp(-((place - spot) ** 2).sum(axis=-1) / (2 * 4.0**2)).astype(np.float32)
        batch = torch.from_numpy(scan)[None, None].clone()
        augment(batch, GRID, settings, [np.random.default_rng(seed)])
        weight = batch[0, 0].numpy()
        found = (place * weight[..., None]).sum(axis=(0, 1, 2)) / weight.sum()
        assert found == pytest.approx(expected, abs=0.3)
        assert np.linalg.norm(found - spot) > 1.0
