"""MONAI's transforms move a head as far as the single transform does: both are asked where each voxel came from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from refusals import refused
from scipy.spatial.transform import Rotation

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings
from PCNSLSurvivalLib.training.data.transforms import augment

GRID = NetworkGridStep(size=(28, 24, 26), spacing_mm=(4.0, 4.0, 4.0))
NOTHING = {
    "probability": 1.0, "rotation_deg": 0.0, "scale": 0.0, "translation_mm": 0.0, "gain": 0.0,
    "crop_probability": 0.0, "elastic_probability": 0.0, "flip_probability": 0.0,
}  # fmt: skip
MIDDLE = (slice(None), slice(10, 18), slice(8, 16), slice(9, 17))
PLACES = np.stack(
    np.meshgrid(*((np.arange(n) - (n - 1) / 2) * 4.0 for n in GRID.size), indexing="ij"), dtype=np.float32
)


def read_from(transforms: str, draws: int, **settings: float) -> np.ndarray:
    """(draws, points, 3) mm from the block's center at which the middle of each sample was read."""
    chosen = AugmentationSettings(**{**NOTHING, **settings}, transforms=transforms)
    batch = torch.from_numpy(PLACES)[None].repeat(draws, 1, 1, 1, 1)
    moved = augment(batch, GRID, chosen, [np.random.default_rng([7, n]) for n in range(draws)])
    return moved.numpy()[:, *MIDDLE].reshape(draws, 3, -1).transpose(0, 2, 1)


AT_REST = PLACES[MIDDLE].reshape(3, -1).T


def linear_parts(read: np.ndarray) -> np.ndarray:
    """(draws, 3, 3) matrices of the transforms."""
    return np.stack([np.linalg.lstsq(np.c_[AT_REST, np.ones(len(AT_REST))], one, rcond=None)[0][:3].T for one in read])


@pytest.mark.parametrize("transforms", ["single", "monai"])
def test_rotations_fill_their_range(transforms):
    turned = linear_parts(read_from(transforms, 30, rotation_deg=12.0))
    degrees = np.abs(Rotation.from_matrix(turned).as_euler("xyz", degrees=True))
    assert degrees.max() < 12.5 + 2.5  # one order of the three turns read as another
    assert (degrees.max(axis=0) > 9.0).all()
    assert degrees.mean(axis=0) == pytest.approx([6.0] * 3, abs=1.6)


@pytest.mark.parametrize("transforms", ["single", "monai"])
def test_shifts_fill_their_range(transforms):
    shifts = (read_from(transforms, 30, translation_mm=6.0) - AT_REST).mean(axis=1)
    assert np.abs(shifts).max() <= 6.01
    assert (np.abs(shifts).max(axis=0) > 5.0).all()


@pytest.mark.parametrize("transforms", ["single", "monai"])
def test_size_changes_alike_along_all_axes(transforms):
    scales = np.linalg.svd(linear_parts(read_from(transforms, 30, scale=0.1)), compute_uv=False)
    assert np.ptp(scales, axis=1).max() < 0.06
    assert scales.min() > 0.87
    assert scales.max() < 1.15
    assert np.ptp(scales) > 0.15


@pytest.mark.parametrize("transforms", ["single", "monai"])
def test_crops_are_resized_to_the_block(transforms):
    scales = np.linalg.svd(
        linear_parts(read_from(transforms, 30, crop_probability=1.0, crop_share=0.7)), compute_uv=False
    )
    assert scales.min() > 0.66
    assert scales.max() < 1.05
    assert scales.mean() == pytest.approx(0.85, abs=0.04)


def test_elastic_displacements_have_one_spread_and_smoothness():
    spread, smooth = {}, {}
    for transforms in ("single", "monai"):
        away = read_from(transforms, 20, elastic_probability=1.0, elastic_mm=2.5, elastic_spacing_mm=36.0) - AT_REST
        field = away.reshape(20, 8, 8, 8, 3)
        spread[transforms] = field.std()
        smooth[transforms] = np.mean(field[:, :-4] * field[:, 4:]) / field.var()
    assert spread["monai"] == pytest.approx(spread["single"], rel=0.25)
    assert smooth["monai"] == pytest.approx(smooth["single"], abs=0.15)


def test_the_same_random_numbers_give_the_same_sample_and_masks_keep_their_brightness():
    settings = AugmentationSettings(probability=1.0, elastic_probability=1.0, transforms="monai")
    sample = torch.rand(1, 2, *GRID.size)
    sample[:, 1] = 1.0
    once, again, other = (
        augment(sample.clone(), GRID, settings, [np.random.default_rng(seed)], masks=1) for seed in (1, 1, 2)
    )
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
    assert once[0, 1, 12:16, 10:14, 11:15].numpy() == pytest.approx(1.0, abs=1e-4)


def test_voxels_must_be_cubes():
    flat = NetworkGridStep(size=(8, 8, 8), spacing_mm=(1.0, 1.0, 2.0))
    always = AugmentationSettings(probability=1.0, transforms="monai")
    with refused(TrainingError, "augmentation.monai_needs_cubes"):
        augment(torch.zeros(1, 1, 8, 8, 8), flat, always, [np.random.default_rng(0)])


def test_other_transforms_are_refused():
    with refused(TrainingError, "augmentation.transforms"):
        AugmentationSettings(transforms="albumentations")
