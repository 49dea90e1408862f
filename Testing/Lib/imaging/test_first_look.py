"""The first check of a scan's voxels takes the most frequent value for background, whatever the corner holds."""

from __future__ import annotations

import numpy as np
import pytest

from PCNSLSurvivalLib.core.errors import UnusableScanError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.first_look import check_is_mr_volume


def test_a_stripped_scan_with_another_value_in_its_corner_is_no_label_map():
    scan = np.zeros((16, 32, 32), np.float32)
    scan[4:12, 8:24, 8:24] = np.random.default_rng(0).normal(500, 50, (8, 16, 16))
    scan[0, 0, 0] = 7
    check_is_mr_volume(scan, MRSequence.T1GD)


def test_a_label_map_is_refused_whatever_its_corner_holds():
    labels = np.zeros((16, 32, 32), np.uint8)
    labels[4:12, 8:24, 8:24] = 2
    labels[0, 0, 0] = 7
    with pytest.raises(UnusableScanError):
        check_is_mr_volume(labels, MRSequence.T1GD)
