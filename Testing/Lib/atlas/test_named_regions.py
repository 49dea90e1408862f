"""The name at a place of the patient, and what else lies within the error of it."""

from __future__ import annotations

import numpy as np
import pytest

from PCNSLSurvivalLib.atlas.named_regions import NamedRegions
from PCNSLSurvivalLib.imaging.geometry import Grid


def _regions(**change):
    """Left half (x > 0) region 1, right half region 2, nothing named below z = -20; a brain of 40 mm radius."""
    grid = Grid.axis_aligned(center_lps_mm=np.array([0.0, 5.0, -3.0]), size=(101, 91, 111), spacing_mm=(1.0, 1.0, 1.0))
    i, j, k = np.meshgrid(*map(np.arange, grid.size), indexing="ij")
    points = grid.index_to_lps(np.stack([i, j, k], -1))
    numbers = np.where(points[..., 0] > 0, 1, 2) * (points[..., 2] > -20)
    brain = np.linalg.norm(points, axis=-1) < 40
    given = {"names": ("Left <i>half</i>", "Right half"), "within_mm": 5.0} | change
    return NamedRegions(
        grid=grid, numbers_kji=numbers.transpose(2, 1, 0).astype(np.uint16), brain_kji=brain.transpose(2, 1, 0), **given
    )


@pytest.mark.parametrize(
    ("x", "here", "near"),
    [
        (20.0, "Left <i>half</i>", ()),
        (6.0, "Left <i>half</i>", ()),
        (3.0, "Left <i>half</i>", ("Right half",)),
        (-3.0, "Right half", ("Left <i>half</i>",)),
        (-20.0, "Right half", ()),
    ],
)
def test_a_neighbor_is_named_where_the_border_may_be_off(x, here, near):
    found = _regions().at(np.array([x, 1.0, 2.0]))
    assert (found.here, found.near) == (here, near)


def test_nothing_is_named_outside_the_brain():
    regions = _regions()
    assert regions.at(np.array([45.0, 0.0, 0.0])) is None
    assert regions.at(np.array([500.0, 0.0, 0.0])) is None
    assert regions.at(np.array([0.0, 0.0, -39.0])).message.code == "region.none"
    assert regions.at(np.array([15.0, 0.0, -22.0])).message.code == "region.near"


def test_the_words_are_those_of_the_atlas():
    assert str(_regions().at(np.array([20.0, 0.0, 0.0])).message) == "Left <i>half</i>"
    words = str(_regions().at(np.array([2.0, 0.0, 0.0])).message)
    assert words == "Left <i>half</i>; within 5 mm also Right half"


def test_millimeters_count_and_not_voxels():
    """On thick voxels the ball reaches over few of them."""
    grid = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(41, 41, 21), spacing_mm=(1.0, 1.0, 5.0))
    numbers = np.ones(grid.size[::-1], np.uint16)
    numbers[11:] = 2
    regions = NamedRegions(
        grid=grid, numbers_kji=numbers, brain_kji=np.ones(numbers.shape, bool), names=("A", "B"), within_mm=6.0
    )
    assert regions.at(np.array([0.0, 0.0, 0.0])).near == ("B",)
    assert regions.at(np.array([0.0, 0.0, -5.0])).near == ()
