"""A prepared cohort is read back whole, or its damage is named."""

from __future__ import annotations

import json

import pytest
from made_cohorts import made_cohort

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.errors import CohortError
from PCNSLSurvivalLib.core.terms import MRSequence


def test_a_volume_that_was_cut_short_is_not_read_as_dark_voxels(tmp_path):
    cohort = read_prepared_cohort(made_cohort(tmp_path / "cohort", patients=2))
    exam = cohort.exams[1]
    scan = exam.folder / "t1gd_preprocessed.nii.gz"
    scan.write_bytes(scan.read_bytes()[: scan.stat().st_size // 2])
    with pytest.raises(CohortError, match="Case P001 of the prepared cohort: t1gd"):
        exam.scan(MRSequence.T1GD)
    scan.unlink()
    with pytest.raises(CohortError, match="Case P001"):
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
    ("content", "sentence"),
    [
        ("name,reason\np001,Moved.\n", r"Line 2 of excluded.csv names p001, .*: is P001 meant\? Write the name"),
        ("name,reason\nP000,\nsomebody,\n", r"Line 3 of excluded.csv names somebody, .* cohort\. Write the name"),
        ("name,reason\n,Moved.\n", r"Line 2 of excluded.csv names no case"),
        ("case,reason\nP001,Moved.\n", r"needs a column 'name'"),
        ("name,reason\nP001,Müller\n".encode("latin-1"), r"excluded.csv cannot be read .*UTF-8"),
    ],
)
def test_excluded_csv_that_would_leave_nobody_out_is_refused(tmp_path, content, sentence):
    folder = made_cohort(tmp_path / "cohort", patients=3)
    (folder / "excluded.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CohortError, match=sentence):
        read_prepared_cohort(folder)
