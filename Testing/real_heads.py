"""The real heads that lie on this computer, as scans: fetched by ``make real-data``, or shared beside the checkout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import SimpleITK as sitk
from real_data import real_data_folder

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.io import read_scan

SHARED_PATIENT = Path(__file__).resolve().parents[2] / "shared" / "real-patient"
PREFIX = "TCGA-FG-6692_"

# Only one T1-weighted scan of these heads exists; where it has no contrast agent it stands in for T1Gd.
_FETCHED = {
    "ROBEX head": "robex_t1.nii.gz",
    "Colin27": "colin27_t1.nii.gz",
    "TCGA-GBM 1": "tcga_gbm_1_t1gd.nrrd",
    "TCGA-GBM 2": "tcga_gbm_2_t1gd.nrrd",
}

WITHOUT_CONTRAST = ("ROBEX head", "Colin27")


def real_heads() -> Iterator[tuple[str, dict[MRSequence, sitk.Image]]]:
    """Name and scans of every real head that is there."""
    if shared_scan(MRSequence.T1GD).is_file():
        yield "TCGA-FG-6692", shared_scans()
    for name, file in _FETCHED.items():
        if (path := real_data_folder() / file).is_file():
            yield name, {MRSequence.T1GD: read_scan(path, MRSequence.T1GD).image}


def shared_scan(sequence: MRSequence) -> Path:
    """File of one scan of the shared patient."""
    return SHARED_PATIENT / f"{PREFIX}{sequence.label}.nii.gz"


def shared_scans() -> dict[MRSequence, sitk.Image]:
    """T1Gd, T1 and T2 of the shared patient."""
    wanted = (MRSequence.T1GD, MRSequence.T1, MRSequence.T2)
    return {sequence: read_scan(shared_scan(sequence), sequence).image for sequence in wanted}
