"""Volume, diameters, side and place against bodies of known size, on straight and oblique grids."""

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid
from PCNSLSurvivalLib.imaging.lesion_measures import axial_diameters, measure_foci, volume_ml


def _turn(axis, degrees):
    turn = sitk.Euler3DTransform()
    turn.SetRotation(*(np.deg2rad(degrees) if n == axis else 0.0 for n in range(3)))
    return turn.GetMatrix()


GRIDS = {
    "1 mm": ((80, 80, 60), (1.0, 1.0, 1.0), tuple(np.eye(3).ravel())),
    "oblique": ((80, 80, 60), (1.0, 1.0, 1.0), _turn(0, 20)),
    "sagittal": ((80, 80, 60), (1.0, 1.0, 1.0), (0, 0, 1, 1, 0, 0, 0, 1, 0)),
    "thin": ((160, 160, 40), (0.5, 0.5, 1.5), tuple(np.eye(3).ravel())),
}


def _grid(name):
    size, spacing, direction = GRIDS[name]
    middle = np.reshape(direction, (3, 3)) @ ((np.asarray(size) - 1) / 2 * np.asarray(spacing))
    return Grid(size, spacing, tuple(float(v) for v in np.array([3.0, -7.0, 11.0]) - middle), direction)


def _body(grid, center, radii):
    k, j, i = np.meshgrid(*[np.arange(n) for n in grid.size[::-1]], indexing="ij")
    points = grid.index_to_lps(np.stack([i, j, k], -1)) - np.asarray(center)
    return image_on_grid((((points / np.asarray(radii)) ** 2).sum(-1) <= 1).astype(np.uint8), grid)


@pytest.mark.parametrize("name", GRIDS)
def test_an_ellipsoid_has_its_volume_center_and_axial_diameters(name):
    grid = _grid(name)
    center, radii = (8.0, -10.0, 13.0), (14.0, 9.0, 7.0)
    body = _body(grid, center, radii)
    brain = _body(grid, (-6.0, -7.0, 11.0), (25.0, 25.0, 25.0))
    (focus,) = measure_foci(body, brain)
    assert volume_ml(body) == pytest.approx(4 / 3 * np.pi * 14 * 9 * 7 / 1000, rel=0.03)
    assert focus.volume_ml == pytest.approx(volume_ml(body))
    assert focus.center_lps_mm == pytest.approx(center, abs=0.3)
    assert focus.diameters.longest_mm == pytest.approx(28.0, abs=1.6)
    assert focus.diameters.perpendicular_mm == pytest.approx(18.0, abs=1.6)
    assert focus.diameters.superior_mm == pytest.approx(13.0, abs=2.0)
    assert focus.side == "left"


def test_foci_are_counted_from_their_least_volume_on_and_sorted():
    grid = _grid("1 mm")
    bodies = [((-15.0, -7.0, 11.0), 5.0), ((15.0, -7.0, 11.0), 8.0), ((3.0, 12.0, 11.0), 2.0)]
    parts = [sitk.GetArrayFromImage(_body(grid, center, (radius,) * 3)) for center, radius in bodies]
    mask = image_on_grid(np.max(parts, axis=0), grid)
    foci = measure_foci(mask, _body(grid, (3.0, -7.0, 11.0), (30.0, 30.0, 28.0)))
    assert [focus.side for focus in foci] == ["left", "right"]
    assert foci[0].volume_ml > foci[1].volume_ml
    assert volume_ml(mask) > foci[0].volume_ml + foci[1].volume_ml


def test_one_voxel_is_no_wider_than_its_interpolation_makes_it():
    mask = np.zeros((5, 5, 5), np.uint8)
    mask[2, 2, 2] = 1
    found = axial_diameters(sitk.GetImageFromArray(mask))
    assert 1.0 <= found.perpendicular_mm <= found.longest_mm < 2.5


def test_an_empty_mask_has_no_focus():
    grid = _grid("1 mm")
    empty = image_on_grid(np.zeros(grid.size[::-1], np.uint8), grid)
    assert measure_foci(empty, _body(grid, (3.0, -7.0, 11.0), (20.0, 20.0, 20.0))) == ()
