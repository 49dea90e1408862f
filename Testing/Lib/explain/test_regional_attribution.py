"""The evidence is split by region without losing any."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PCNSLSurvivalLib.explain.regional_attribution import attribute_by_region, cell_shares
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid

GRID = Grid.axis_aligned(center_lps_mm=np.zeros(3), size=(64, 64, 64), spacing_mm=(3.0, 3.0, 3.0))


def block(first, last):
    """A mask of the network grid that is 1 from voxel ``first`` to ``last`` along every axis."""
    array = np.zeros((64, 64, 64), np.uint8)
    array[first:last, first:last, first:last] = 1
    return image_on_grid(array, GRID)


def attribution(evidence, brain, lesion=None, pooling="mean"):
    return attribute_by_region(
        evidence, 0.25, network_grid=GRID, stride_voxels=16, brain_mask=brain, lesion_mask=lesion, pooling=pooling
    )


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6), first=st.integers(0, 30), last=st.integers(34, 64))
def test_the_parts_add_up_to_the_log_odds(seed, first, last):
    evidence = np.random.default_rng(seed).standard_normal((4, 4, 4))
    parts = attribution(evidence, block(first, last), block(30, 40))
    assert parts.constant + parts.lesion + parts.brain + parts.outside == pytest.approx(parts.log_odds)
    assert parts.log_odds == pytest.approx(evidence.sum() + 0.25)
    assert 0 <= parts.outside_share <= 1


def test_evidence_of_one_cell_is_booked_where_its_block_lies():
    evidence = np.zeros((4, 4, 4))
    evidence[2, 2, 2] = -1.0  # its block reaches from voxel 24 to 39
    parts = attribution(evidence, block(8, 56), block(24, 40))
    assert (parts.lesion, parts.brain, parts.outside) == pytest.approx((-1.0, 0.0, 0.0))
    half = attribution(evidence, block(8, 56), block(32, 56))
    assert half.lesion == pytest.approx(-1 / 8)
    assert half.brain == pytest.approx(-7 / 8)
    assert half.cell_size_mm == (48.0, 48.0, 48.0)


def test_a_cell_counted_by_its_brain_is_booked_there_alone():
    evidence = np.ones((4, 4, 4))
    parts = attribution(evidence, block(8, 34), block(30, 34), pooling="brain")
    assert (parts.outside, parts.outside_share, parts.warning) == (0.0, 0.0, None)
    assert parts.constant + parts.lesion + parts.brain == pytest.approx(parts.log_odds)
    # Cell 2 has brain from voxel 24 to 33, of which the lesion begins at 30.
    assert parts.lesion == pytest.approx((4 / 10) ** 3)


@pytest.mark.parametrize("pooling", ["mean", "brain"])
def test_every_focus_has_its_own_part_of_the_lesion(pooling):
    """The parts of the foci add up to that of the lesion; what no focus is, a speck, is left."""
    evidence = np.random.default_rng(1).standard_normal((4, 4, 4))
    small, large, speck = (12, 15), (26, 37), (45, 46)
    both = block(*small) + block(*large)
    parts = attribution(evidence, block(8, 56), both, pooling)
    alone = [attribution(evidence, block(8, 56), block(*one), pooling) for one in (large, small)]
    assert parts.foci == pytest.approx([one.lesion for one in alone]), "the largest first"
    assert sum(parts.foci) == pytest.approx(parts.lesion)
    with_speck = attribution(evidence, block(8, 56), both + block(*speck), pooling)  # 0.03 mL
    assert with_speck.foci == pytest.approx(parts.foci)
    assert with_speck.lesion != pytest.approx(parts.lesion)
    assert attribution(evidence, block(8, 56)).foci == ()


def test_foci_in_one_cell_share_its_evidence_by_volume():
    evidence = np.zeros((4, 4, 4))
    evidence[2, 2, 2] = -1.0  # its block reaches from voxel 24 to 39
    parts = attribution(evidence, block(8, 56), block(24, 28) + block(31, 39))
    assert parts.foci == pytest.approx((-(8**3) / 16**3, -(4**3) / 16**3))


def test_evidence_outside_the_brain_is_a_warning():
    evidence = np.zeros((4, 4, 4))
    evidence[0, 0, 0], evidence[2, 2, 2] = 1.0, -0.5
    parts = attribution(evidence, block(8, 56))
    assert parts.lesion is None
    assert parts.outside_share == pytest.approx(1 / 1.5)
    assert parts.warning.code == "prediction.evidence_outside"
    assert parts.warning.values["share"] == parts.outside_share
    evidence[0, 0, 0] = 0.1
    assert attribution(evidence, block(8, 56)).warning is None


def test_blocks_are_centered_on_their_cells_and_end_at_the_faces():
    inside = np.zeros((64, 64, 64), dtype=bool)
    inside[:8] = True
    shares = cell_shares(inside, (4, 4, 4), 16)
    np.testing.assert_allclose(shares[0], 1.0)  # the first block has only half its width
    np.testing.assert_array_equal(shares[1:], 0.0)
