"""A prepared cohort is read back whole, or its damage is named."""

from __future__ import annotations

import json

import pytest
from made_cohorts import made_cohort
from refusals import refused

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.terms import MRSequence


def test_a_volume_that_was_cut_short_is_not_read_as_dark_voxels(tmp_path):
    cohort = read_prepared_cohort(made_cohort(tmp_path / "cohort", patients=2))
    exam = cohort.exams[1]
    scan = exam.folder / "t1gd_preprocessed.nii.gz"
    scan.write_bytes(scan.read_bytes()[: scan.stat().st_size // 2])
    with refused(CohortError, "prepared_cohort.volume_damaged", case="P001", file="t1gd_preprocessed.nii.gz"):
        exam.scan(MRSequence.T1GD)
    scan.unlink()
    with refused(CohortError, "prepared_cohort.volume_damaged", case="P001", file="t1gd_preprocessed.nii.gz"):
        exam.scan(MRSequence.T1GD)


def test_a_cohort_that_was_prepared_before_it_was_known_whether_it_is_virtual_is_read(tmp_path):
    folder = made_cohort(tmp_path / "cohort", patients=2)
    about = json.loads((folder / "cohort.json").read_text(encoding="utf-8"))
    assert "virtual" not in about
    assert not read_prepared_cohort(folder).virtual
    (folder / "cohort.json").write_text(json.dumps(about | {"virtual": True}), encoding="utf-8")
    assert read_prepared_cohort(folder).virtual


@pytest.mark.parametrize(
    "content", ["name,reason\nP001 ,Moved.\n", "name;reason\n P001;Moved.\n", "\ufeffName\nP001\n"]
)
def test_excluded_csv_leaves_a_case_out_however_it_was_typed(tmp_path, content):
    folder = made_cohort(tmp_path / "cohort", patients=3)
    (folder / "excluded.csv").write_text(content, encoding="utf-8")
    cohort = read_prepared_cohort(folder)
    assert [exam.name for exam in cohort.exams] == ["P000", "P002"]
    assert list(cohort.left_out) == ["P001"]


@pytest.mark.parametrize(
    ("content", "code", "values"),
    [
        ("name,reason\np001,Moved.\n", "excluded.misspelled", {"line": 2, "name": "p001", "near": "P001"}),
        ("name,reason\nP000,\nsomebody,\n", "excluded.unknown_name", {"line": 3, "name": "somebody"}),
        ("name,reason\n,Moved.\n", "excluded.no_name", {"line": 2}),
        ("case,reason\nP001,Moved.\n", "excluded.no_name_column", {}),
        ("name,reason\nP001,Müller\n".encode("latin-1"), "table.unreadable", {"table": "excluded.csv"}),
    ],
)
def test_excluded_csv_that_would_leave_nobody_out_is_refused(tmp_path, content, code, values):
    folder = made_cohort(tmp_path / "cohort", patients=3)
    (folder / "excluded.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with refused(CohortError, code, **values):
        read_prepared_cohort(folder)
