import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from made_grids import grids, linear_ramp

from PCNSLSurvivalLib.imaging.geometry import (
    Grid,
    box_around,
    canonical,
    copied,
    image_on_grid,
    in_voxel_order_of,
    lps_to_ras,
    padded_to,
    place_in_words,
    resample,
)


@given(grids())
def test_index_and_patient_position_are_inverse_and_agree_with_itk(grid):
    image = image_on_grid(np.zeros(grid.size[::-1], np.float32), grid)
    assert Grid.of(image).matches(grid)
    index = (1.5, 0.25, 2.0)
    point = grid.index_to_lps(np.array(index))
    assert point == pytest.approx(image.TransformContinuousIndexToPhysicalPoint(index), abs=1e-6)
    assert grid.lps_to_index(point) == pytest.approx(index, abs=1e-6)


@given(grid=grids())
def test_the_ras_affine_is_what_nifti_writes(grid, tmp_path_factory):
    import nibabel

    path = tmp_path_factory.getbasetemp() / "ramp.nii.gz"
    sitk.WriteImage(linear_ramp(grid), str(path))
    assert nibabel.load(path).affine == pytest.approx(grid.affine_ras, abs=2e-3)
    assert lps_to_ras(lps_to_ras(np.array([1.0, 2.0, 3.0]))) == pytest.approx([1.0, 2.0, 3.0])


@given(grids())
def test_canonical_moves_no_voxel_in_the_patient(grid):
    ramp = linear_ramp(grid)
    turned = canonical(ramp)
    there = Grid.of(turned)
    # Indices run most nearly to left, posterior, superior, each to its own axis.
    direction = np.reshape(there.direction_lps, (3, 3))
    assert (np.argmax(np.abs(direction), axis=0) == (0, 1, 2)).all()
    assert (np.diag(direction) > 0).all()
    # Every value still stands where the linear function of position says.
    assert sitk.GetArrayFromImage(turned) == pytest.approx(sitk.GetArrayFromImage(linear_ramp(there)), abs=1e-3)
    back = in_voxel_order_of(turned, grid)
    assert Grid.of(back).matches(grid)
    assert (sitk.GetArrayViewFromImage(back) == sitk.GetArrayViewFromImage(ramp)).all()


@given(grids())
def test_a_copy_has_voxels_of_its_own(grid):
    ramp = linear_ramp(grid)
    before = sitk.GetArrayFromImage(ramp)
    other = copied(ramp)
    other += 1.0
    other[0, 0, 0] = -1e6
    np.testing.assert_array_equal(sitk.GetArrayFromImage(ramp), before)


@given(grid=grids(), data=st.data())
def test_a_box_holds_the_whole_mask_and_leaves_every_voxel_in_its_place(grid, data):
    ramp = linear_ramp(grid)
    ends = [sorted(data.draw(st.tuples(*[st.integers(0, n - 1)] * 2))) for n in grid.size]
    mask_kji = np.zeros(grid.size[::-1], np.uint8)
    mask_kji[tuple(slice(first, last + 1) for first, last in reversed(ends))] = 1
    margin = data.draw(st.integers(0, 3))
    box = box_around(image_on_grid(mask_kji, grid), margin)
    for first, size, whole, (low, high) in zip(box.first, box.size, grid.size, ends, strict=True):
        assert (first, first + size - 1) == (max(low - margin, 0), min(high + margin, whole - 1))
    part = box.of(ramp)
    assert Grid.of(part).matches(grid.part(box))
    np.testing.assert_array_equal(box.array_of(ramp), sitk.GetArrayFromImage(part))
    whole = padded_to(in_voxel_order_of(canonical(part), grid), grid)
    assert Grid.of(whole) == grid
    inside_kji = np.zeros(grid.size[::-1], bool)
    inside_kji[tuple(slice(low, low + n) for low, n in zip(box.first[::-1], box.size[::-1], strict=True))] = True
    np.testing.assert_array_equal(sitk.GetArrayFromImage(whole), np.where(inside_kji, sitk.GetArrayFromImage(ramp), 0))
    assert sitk.GetArrayFromImage(part) == pytest.approx(sitk.GetArrayFromImage(linear_ramp(Grid.of(part))), abs=1e-3)


def test_an_empty_mask_has_no_box():
    assert box_around(sitk.Image(3, 4, 5, sitk.sitkUInt8)) is None


@given(grids())
def test_with_spacing_keeps_the_first_face_and_covers_the_block(grid):
    fine = grid.with_spacing((1.0, 1.5, 2.0))
    corner = np.array([-0.5, -0.5, -0.5])
    assert fine.index_to_lps(corner) == pytest.approx(grid.index_to_lps(corner), abs=1e-6)
    assert all(new >= old - 1e-4 for new, old in zip(fine.extent_mm, grid.extent_mm, strict=True))


@pytest.mark.parametrize("interpolation", ["linear", "bspline"])
def test_resampling_follows_the_patient_not_the_array(interpolation):
    grid = Grid((30, 28, 20), (1.0, 1.2, 3.0), (-20.0, 10.0, 5.0), tuple(np.eye(3).ravel()))
    target = Grid((8, 8, 8), (2.0, 2.0, 2.0), (-12.0, 18.0, 20.0), (0, -1.0, 0, 1.0, 0, 0, 0, 0, 1.0))
    sampled = resample(linear_ramp(grid), target, interpolation=interpolation)
    inside = np.array([2, 2, 2])
    index = tuple(int(n) for n in inside)
    expected = target.index_to_lps(inside.astype(float)) @ np.array([0.3, -0.2, 0.5])
    assert sampled[index] == pytest.approx(expected, abs=1e-3)


def test_a_transform_takes_points_of_the_target_to_points_of_the_image():
    grid = Grid((40, 40, 40), (1.0, 1.0, 1.0), (-20.0, -20.0, -20.0), tuple(np.eye(3).ravel()))
    shift = sitk.TranslationTransform(3, (5.0, 0.0, 0.0))
    sampled = resample(linear_ramp(grid), grid, transform=shift)
    assert sampled[20, 20, 20] == pytest.approx(0.3 * 5.0, abs=1e-4)


def test_grids_that_differ_by_a_shift_do_not_match():
    grid = Grid((4, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    shifted = Grid((4, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.1), tuple(np.eye(3).ravel()))
    assert grid.matches(grid)
    assert not grid.matches(shifted)
    assert grid.matches(shifted, tolerance_mm=0.2)


@pytest.mark.parametrize(
    ("axis", "ras_mm", "digits", "words"),
    [(0, 18.2, 0, "R 18"), (0, -18.2, 0, "L 18"), (1, -24.06, 1, "P 24.1"), (2, -0.2, 0, "S 0"), (2, -71.0, 0, "I 71")],
)
def test_a_place_is_named_by_the_side_it_lies_on(axis, ras_mm, digits, words):
    assert place_in_words(axis, ras_mm, digits) == words
