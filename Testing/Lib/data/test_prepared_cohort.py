"""A prepared cohort is read back whole, or its damage is named."""

from __future__ import annotations

import json

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


def test_a_cohort_that_was_prepared_before_it_was_known_whether_it_is_virtual_is_read(tmp_path):
    folder = made_cohort(tmp_path / "cohort", patients=2)
    about = json.loads((folder / "cohort.json").read_text(encoding="utf-8"))
    assert "virtual" not in about
    assert not read_prepared_cohort(folder).virtual
    (folder / "cohort.json").write_text(json.dumps(about | {"virtual": True}), encoding="utf-8")
    assert read_prepared_cohort(folder).virtual
