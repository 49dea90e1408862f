"""The spline that is sampled inside the brain only is ITK's, on oblique, permuted and flipped grids."""

import numpy as np
import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, resample
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.steps.normalization import Normalization
from PCNSLSurvivalLib.preprocessing.steps.resampling import to_isotropic_grid

SIZES = ((20, 24, 9), (30, 7, 22), (5, 18, 18), (24, 24, 24))
THICK = (2, 1, 0, None)
"""The axis of thick slices, as in clinical scans."""

AS_IT_IS = Normalization(0.0, 1.0, (-np.inf, np.inf))


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("number", range(8))
def test_it_is_itks_spline_also_beyond_the_scan(number, moved):
    draw = np.random.default_rng(number)
    turn = sitk.Euler3DTransform()
    turn.SetRotation(*draw.uniform(-0.6, 0.6, 3))
    direction = np.array(turn.GetMatrix()).reshape(3, 3)
    if number >= 4:
        direction = direction[:, [1, 2, 0]] * [1, -1, 1]
    scan = sitk.GetImageFromArray(draw.normal(0, 3, SIZES[number % 4][::-1]).astype(np.float32))
    spacing_mm = draw.uniform(0.5, 2.5, 3)
    if (thick := THICK[number % 4]) is not None:
        spacing_mm[thick] = 5.0
    scan.SetSpacing(spacing_mm.tolist())
    scan.SetDirection(direction.ravel().tolist())
    scan.SetOrigin(draw.uniform(-50, 50, 3).tolist())
    inner = Grid.of(scan).with_spacing((1.0, 1.0, 1.0))
    origin = tuple(inner.index_to_lps(np.array([-3.0, -3.0, -3.0])).tolist())
    grid = Grid(tuple(n + 6 for n in inner.size), inner.spacing_mm, origin, inner.direction_lps)
    pose = None
    if moved:
        pose = sitk.Euler3DTransform()
        pose.SetCenter(grid.center_lps_mm.tolist())
        pose.SetRotation(*draw.uniform(-0.2, 0.2, 3))
        pose.SetTranslation(draw.uniform(-3, 3, 3).tolist())
    everywhere = image_on_grid(np.ones(grid.size[::-1], np.uint8), grid)
    found = sitk.GetArrayFromImage(to_isotropic_grid(scan, AS_IT_IS, grid, everywhere, RECIPE.resampling, pose))
    values = sitk.GetArrayFromImage(scan)
    itk = sitk.GetArrayFromImage(resample(scan, grid, interpolation="bspline", transform=pose))
    np.testing.assert_allclose(found, np.clip(itk, values.min(), values.max()), atol=1e-5)
    assert ((found == 0) == (itk == 0)).all()
