"""A map comes back to the patient exactly where the network looked."""

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from made_grids import rotation_matrix
from made_models import bright_spot_tensors

from PCNSLSurvivalLib.core.errors import GridMismatchError
from PCNSLSurvivalLib.explain.evidence_map import evidence_in_brain, evidence_on_grid
from PCNSLSurvivalLib.explain.grad_cam import pooled_linear_map
from PCNSLSurvivalLib.explain.overlay import cell_grid, map_on_grid
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, resample
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.folded_resnet import FoldedResNet

NETWORK_GRID = Grid.axis_aligned(
    center_lps_mm=np.array([3.0, -12.0, 20.0]), size=(128, 128, 128), spacing_mm=(1.5, 1.5, 1.5)
)


def oblique_thick_slices() -> Grid:
    """1.8 mm pixels on 6 mm slices, tilted by 25 degrees, covering the network grid's middle."""
    direction = rotation_matrix((1.0, 0.4, 0.2), 25.0)
    size, spacing = (128, 128, 40), (1.8, 1.8, 6.0)
    half = direction @ ((np.asarray(size) - 1) * spacing / 2)
    return Grid(size, spacing, tuple(NETWORK_GRID.center_lps_mm - half), tuple(direction.ravel()))


def center_of_mass_lps_mm(image: sitk.Image) -> np.ndarray:
    weights = sitk.GetArrayFromImage(image).transpose(2, 1, 0).astype(float)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in weights.shape], indexing="ij"), axis=-1)
    center = (index * weights[..., None]).reshape(-1, 3).sum(axis=0) / weights.sum()
    return Grid.of(image).index_to_lps(center)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("corner", [(-1, -1, -1), (1, 1, 1), (1, -1, 1), (-1, 1, -1)])
def test_a_network_looking_at_one_corner_lights_that_corner_of_the_oblique_scan(corner, stride):
    """The spot lies 45 mm off center along every axis; the answer may be off by no more than half a cell."""
    truth_lps_mm = NETWORK_GRID.center_lps_mm + np.asarray(corner) * 45.0
    native = oblique_thick_slices()
    index = np.stack(np.meshgrid(*[np.arange(n) for n in native.size], indexing="ij"), axis=-1)
    distance = np.linalg.norm(native.index_to_lps(index) - truth_lps_mm, axis=-1)
    scan = image_on_grid(
        np.exp(-(distance**2) / (2 * (15.0 * stride) ** 2)).transpose(2, 1, 0).astype(np.float32), native
    )
    case = sitk.GetArrayFromImage(resample(scan, NETWORK_GRID)).transpose(2, 1, 0)

    architecture = ResNetArchitecture(depth=10, conv1_stride=stride, widen_factor=0.125)
    tensors = bright_spot_tensors(architecture)
    network = FoldedResNet(architecture, tensors)
    with torch.no_grad():
        features = network.up_to("layer4", torch.from_numpy(np.ascontiguousarray(case))[None, None])
    raw_map = pooled_linear_map(features[0].numpy(), tensors["fc.weight"], 1)
    on_scan = map_on_grid(raw_map, NETWORK_GRID, native, None, "linear")

    assert Grid.of(on_scan).matches(native)
    half_cell_mm = architecture.cell_stride("layer4") * 1.5 / 2
    off_mm = np.abs(center_of_mass_lps_mm(on_scan) - truth_lps_mm)
    assert off_mm.max() < half_cell_mm
    # Stretching the map over the whole grid, as overlays usually do, would be off by (stride - 1) / 2 voxels.
    if stride == 1:  # at stride 2 the few cells cut the wide spot's flank off
        assert off_mm.max() < 0.35 * half_cell_mm


def test_first_cell_lies_on_the_first_voxel_and_cells_are_a_stride_apart():
    grid = cell_grid((8, 8, 8), NETWORK_GRID)
    assert grid.origin_lps_mm == NETWORK_GRID.origin_lps_mm
    assert grid.spacing_mm == (24.0, 24.0, 24.0)
    assert (
        cell_grid(
            (7, 7, 7), Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(100,) * 3, spacing_mm=(1.0,) * 3)
        ).spacing_mm[0]
        == 16
    )
    with pytest.raises(ValueError, match="do not cover"):
        cell_grid((7, 8, 8), NETWORK_GRID)


def test_single_cell_is_drawn_around_its_voxel_and_nowhere_else():
    raw_map = np.zeros((8, 8, 8), dtype=np.float32)
    raw_map[5, 2, 6] = 1.0
    cells = sitk.GetArrayFromImage(map_on_grid(raw_map, NETWORK_GRID, NETWORK_GRID, None, "nearest")).transpose(2, 1, 0)
    lit = np.argwhere(cells > 0)
    assert np.abs(lit - (80, 32, 96)).max() <= 8
    assert len(lit) in range(15**3, 17**3 + 1)
    smooth = sitk.GetArrayFromImage(map_on_grid(raw_map, NETWORK_GRID, NETWORK_GRID)).transpose(2, 1, 0)
    assert np.unravel_index(smooth.argmax(), smooth.shape) == (80, 32, 96)
    assert smooth.max() == pytest.approx(1.0)
    assert smooth[88, 32, 96] == pytest.approx(0.5)


def test_a_constant_map_fills_the_network_grid_to_its_faces_and_nothing_beyond():
    wide = Grid.axis_aligned(center_lps_mm=NETWORK_GRID.center_lps_mm, size=(50, 50, 50), spacing_mm=(6.0,) * 3)
    drawn = sitk.GetArrayFromImage(map_on_grid(np.ones((8, 8, 8), np.float32), NETWORK_GRID, wide)).transpose(2, 1, 0)
    index = np.stack(np.meshgrid(*[np.arange(50)] * 3, indexing="ij"), axis=-1)
    inside = (np.abs(wide.index_to_lps(index) - NETWORK_GRID.center_lps_mm) < 96.0).all(axis=-1)
    np.testing.assert_array_equal(drawn, inside.astype(np.float32))


def test_map_is_zero_outside_the_brain_and_a_mask_of_another_grid_is_refused():
    mask = image_on_grid(np.zeros((128, 128, 128), np.uint8), NETWORK_GRID)
    mask[60:70, 60:70, 60:70] = 1
    drawn = map_on_grid(np.ones((8, 8, 8), np.float32), NETWORK_GRID, NETWORK_GRID, mask)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(drawn), sitk.GetArrayFromImage(mask))
    with pytest.raises(GridMismatchError):
        map_on_grid(np.ones((8, 8, 8), np.float32), NETWORK_GRID, oblique_thick_slices(), mask)


def test_within_the_brain_the_map_is_the_one_of_the_whole_volume():
    """It is computed around the brain alone."""
    native = oblique_thick_slices()
    raw_map = np.random.default_rng(1).random((8, 8, 8), np.float32)
    mask_kji = np.zeros(native.size[::-1], np.uint8)
    mask_kji[9:31, 20:110, 33:] = 1
    drawn = map_on_grid(raw_map, NETWORK_GRID, native, image_on_grid(mask_kji, native))
    assert Grid.of(drawn).matches(native)
    whole_kji = sitk.GetArrayFromImage(map_on_grid(raw_map, NETWORK_GRID, native))
    np.testing.assert_allclose(sitk.GetArrayFromImage(drawn), whole_kji * mask_kji, atol=1e-6)
    empty = map_on_grid(raw_map, NETWORK_GRID, native, image_on_grid(0 * mask_kji, native))
    assert not sitk.GetArrayViewFromImage(empty).any()


@pytest.mark.parametrize("stride", [16, 32])
def test_evidence_density_holds_the_log_odds_whatever_the_cell_size(stride):
    """An even log-odds of 2.0 over the 7.08 L of the network grid is 0.0283 per 100 mL, in cells of either size."""
    cells = 128 // stride
    density = evidence_on_grid(
        np.full((cells,) * 3, 2.0 / cells**3), NETWORK_GRID, oblique_thick_slices(), stride_voxels=stride
    )
    inside = sitk.GetArrayFromImage(density) > 0
    np.testing.assert_allclose(sitk.GetArrayFromImage(density)[inside], 2.0 / 70.78, rtol=1e-3)


@pytest.mark.parametrize("reference", [oblique_thick_slices(), NETWORK_GRID])
def test_stored_evidence_is_drawn_as_the_report_draws_it(reference):
    evidence = np.random.default_rng(7).normal(size=(8, 8, 8)).astype(np.float32)
    mask = image_on_grid(np.ones(reference.size[::-1], np.uint8), reference)
    mask[: reference.size[0] // 3, :, :] = 0
    stored = image_on_grid(np.ascontiguousarray(evidence.transpose(2, 1, 0)), cell_grid((8, 8, 8), NETWORK_GRID))
    expected = evidence_on_grid(evidence, NETWORK_GRID, reference, mask, stride_voxels=16)
    drawn, told = (sitk.GetArrayFromImage(one) for one in (evidence_in_brain(stored, mask), expected))
    both = (drawn != 0) & (told != 0)
    np.testing.assert_allclose(drawn[both], told[both], atol=1e-4)
    # They differ in half a voxel of 1.5 mm at the faces of the network's input.
    assert np.count_nonzero((drawn != 0) != (told != 0)) < 0.03 * np.count_nonzero(both)
