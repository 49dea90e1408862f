"""Pixels of DICOM slices: what lies outside the scanned region."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from made_dicom import write_classic

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.io import read_scan


@pytest.mark.parametrize(("stated", "limit"), [(65535, None), (65530, 65535), (65535, 65530)])
@pytest.mark.parametrize("inverted", [False, True])
def test_pixels_outside_the_scanned_region_are_dark(stated, limit, inverted, tmp_path):
    """The corners are marked by a value brighter than any tissue, whichever end of the scale is white."""
    tissue = np.random.default_rng(1).integers(100, 900, (6, 16, 16)).astype(np.uint16)
    tissue[0, 8, 8] = 5000

    def mark(data, k):
        pixels = 60000 - tissue[k] if inverted else tissue[k]
        data.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
        data.PixelData = np.where(_corners(), 65535, pixels).astype("<u2").tobytes()
        data.add_new(0x00280120, "US", stated)
        if limit is not None:
            data.add_new(0x00280121, "US", limit)

    write_classic(sitk.GetImageFromArray(tissue), tmp_path, mark)
    read = sitk.GetArrayFromImage(read_scan(tmp_path, MRSequence.T1GD).image)
    shift = 65535 - 60000 if inverted else 0
    assert (read[:, ~_corners()] == tissue[:, ~_corners()].astype(np.float32) + shift).all()
    for one in read:
        assert (one[_corners()] == one[~_corners()].min()).all()


def _corners():
    i = np.arange(16)
    return (i[:, None] - 7.5) ** 2 + (i - 7.5) ** 2 > 64
