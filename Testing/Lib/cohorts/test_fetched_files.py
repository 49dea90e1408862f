"""Images and tables of a data set whose content was never fetched are told as such, and their patients are counted."""

from __future__ import annotations

import pytest
from refusals import refused

from PCNSLSurvivalLib.cohorts.case_preparation import contents_of
from PCNSLSurvivalLib.cohorts.cohort import find_cohort
from PCNSLSurvivalLib.cohorts.data_report import data_report
from PCNSLSurvivalLib.core.errors import CohortError, UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b\nsize 123456\n"
ANNEX = "/annex/objects/MD5E-s123--0123456789abcdef.nii.gz\n"


def _link(path):
    path.symlink_to("../../.git/annex/objects/x/y/MD5E-s1--0.nii.gz")


ABSENT = {
    "DataLad link": (_link, "fetched.git_annex"),
    "unlocked annex pointer": (lambda path: path.write_text(ANNEX), "fetched.git_annex"),
    "Git LFS pointer": (lambda path: path.write_text(LFS), "fetched.git_lfs"),
    "link to nowhere": (lambda path: path.symlink_to("/nowhere/x.nii"), "fetched.broken_link"),
}


@pytest.fixture(params=ABSENT)
def absent(request):
    return ABSENT[request.param]


def _bids(root):
    for name in ("sub-1", "sub-2"):
        (root / name / "anat").mkdir(parents=True)
        (root / name / "anat" / f"{name}_ce-gd_T1w.nii.gz").write_bytes(b"x")
    return root / "sub-2" / "anat" / "sub-2_ce-gd_T1w.nii.gz"


def test_an_image_that_was_not_fetched_is_named_as_such_in_the_report_and_when_read(absent, tmp_path):
    make, reason = absent
    image = _bids(tmp_path)
    image.unlink()
    make(image)
    found = find_cohort(tmp_path)
    assert [case.name for case in found.cases] == ["sub-1", "sub-2"]
    report = data_report(found, threshold_days=365)
    assert list(report.left_out) == ["sub-2"]
    assert report.counts["Found"]["with T1Gd"] == 1
    with refused(UnreadableScanError, "case.file_not_fetched", scan=MRSequence.T1GD, reason=Message(reason)):
        contents_of({"t1gd": image})


def test_a_table_that_was_not_fetched_is_not_taken_for_none(absent, tmp_path):
    make, reason = absent
    _bids(tmp_path)
    make(tmp_path / "participants.tsv")
    with refused(CohortError, "table.not_fetched", table="participants.tsv", reason=Message(reason)):
        find_cohort(tmp_path)


def test_slices_of_a_series_that_were_not_fetched_are_found(tmp_path):
    for number in range(3):
        (tmp_path / f"IM{number}").write_text(LFS if number == 2 else "slice")
    with refused(UnreadableScanError, "case.file_not_fetched", reason=Message("fetched.git_lfs")):
        contents_of({"t1gd": tmp_path})
