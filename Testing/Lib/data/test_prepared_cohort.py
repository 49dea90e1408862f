"""A prepared cohort is read back whole, or its damage is named."""

from __future__ import annotations

import pytest
from made_cohorts import made_cohort

from PCNSLSurvivalLib.data.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.errors import CohortError
from PCNSLSurvivalLib.terms import Sequence


def test_a_volume_that_was_cut_short_is_not_read_as_dark_voxels(tmp_path):
    cohort = read_prepared_cohort(made_cohort(tmp_path / "cohort", patients=2))
    patient = cohort.patients[1]
    scan = patient.folder / "t1gd_preprocessed.nii.gz"
    scan.write_bytes(scan.read_bytes()[: scan.stat().st_size // 2])
    with pytest.raises(CohortError, match="Case P001 of the prepared cohort: t1gd"):
        patient.scan(Sequence.T1GD)
    scan.unlink()
    with pytest.raises(CohortError, match="Case P001"):
        patient.scan(Sequence.T1GD)
