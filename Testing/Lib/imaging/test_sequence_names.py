"""A T1 after contrast is never taken for the plain one, nor the plain one for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.sequence_names import masks_in, sequence_of

T1GD = [
    "T1_CE", "T1-CE", "T1_C", "CE_T1", "T1wCE", "T1_contrast", "T1KM", "T1_KM", "post_T1", "T1w_post",
    "T1_postcontrast", "T1_contrast_enhanced", "T1_post_op_gad", "T1_FS_post", "mprage_post", "T1 ax Gadovist",
    "T1+C", "T1c+", "t1gd1", "ax t1 mprage +C", "P001T1CE", "T1_Gd", "T1post", "MR_T1_post_gad", "t1ce", "T13D",
    "BraTS-GLI-00012-000-t1c", "gad", "sub-1_ce-GAD_run-1_T1w",
]  # fmt: skip
T1 = [
    "T1", "T1w", "T1_cor", "T1_coronal", "T1cor", "T1_pre", "T1_pre_contrast", "T1_precontrast", "precontrast_T1",
    "T1_contrast_pre", "T1_noncontrast", "T1_non_contrast", "T1_non_contrast_enhanced", "T1_no_contrast", "T1_pre_gad",
    "T1_without_contrast", "T1 w/o contrast", "T1 ohne KM", "T1_unenhanced", "T1_post_op", "T1_postop", "postop_T1",
    "T1_posterior", "T1_C-Spine", "T1_center", "vincent_T1", "mprage", "t1n",
]  # fmt: skip
OTHERS = {
    "FLAIR_post_gad": MRSequence.FLAIR,
    "T2_tse_gd": MRSequence.T2,
    "t2f": MRSequence.FLAIR,
    "ce": None,
    "post": None,
}


@pytest.mark.parametrize("name", T1GD)
def test_a_t1_after_contrast(name):
    assert sequence_of(name) is MRSequence.T1GD


@pytest.mark.parametrize("name", T1)
def test_a_t1_before_contrast(name):
    assert sequence_of(name) is MRSequence.T1


@pytest.mark.parametrize("name", OTHERS)
def test_another_sequence_or_none(name):
    assert sequence_of(name) is OTHERS[name]


def test_a_mask_on_t1_is_none_on_t1gd():
    paths = [Path(f"{name}.nii.gz") for name in ("T1_lesion", "T1_CE_lesion", "T1_CE_brain_mask", "T2_brain_mask")]
    brain, lesion = masks_in(paths)
    assert (brain.name, lesion.name) == ("T1_CE_brain_mask.nii.gz", "T1_CE_lesion.nii.gz")
