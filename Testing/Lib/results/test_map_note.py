"""The header of a map file tells class, outcome of the checks and intended use, in what a NIfTI header holds."""

from __future__ import annotations

import gzip
import threading

import pytest
import SimpleITK as sitk

from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.results.map_note import LONGEST, map_note

FAILED = {"verdict": "check", "checks": [{"verdict": v} for v in ("good", "check", "check", "not made")]}
PASSED = {"verdict": "good", "checks": [{"verdict": v} for v in ("good", "good", "not made")]}


@pytest.mark.parametrize(
    ("checks", "told"),
    [(FAILED, "FAILED 2 of 3 checks."), (PASSED, "Passed 2 of 2 checks."), (None, "Not checked.")],
    ids=["failed", "passed", "not checked"],
)
def test_a_map_file_opened_alone_tells_the_outcome_of_its_checks(tmp_path, checks, told):
    note = map_note(OSClass.UP_TO_ONE_YEAR, checks, "layer_cam")
    assert note == f"LayerCAM OS <= 1 year. {told} Research use only."
    assert len(note) <= LONGEST
    write_volume(sitk.Image(4, 5, 6, sitk.sitkFloat32), tmp_path / "map.nii.gz", note=note)
    header = gzip.decompress((tmp_path / "map.nii.gz").read_bytes())
    assert header[148:228].rstrip(b"\0").decode("ascii") == note


def test_a_map_is_written_while_the_report_is_drawn_from_it(tmp_path):
    """SimpleITK refuses to copy an image that another thread turns at that moment."""
    image, over = sitk.Image(40, 50, 60, sitk.sitkFloat32), threading.Event()

    def turn():
        while not over.is_set():
            sitk.DICOMOrient(image, "RAS")

    report = threading.Thread(target=turn)
    report.start()
    try:
        for _time in range(10):
            write_volume(image, tmp_path / "map.nii.gz", note="Grad-CAM")
    finally:
        over.set()
        report.join()
