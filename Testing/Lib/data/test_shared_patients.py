"""The same patient in two cohorts is found by an alias or by the voxels, and not by a name that everybody uses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_cohorts import made_cohort

from PCNSLSurvivalLib.data.prepared_cohort import PreparedCohort, read_prepared_cohort
from PCNSLSurvivalLib.data.shared_patients import refuse_shared_patients
from PCNSLSurvivalLib.errors import CohortError


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory) -> tuple[PreparedCohort, PreparedCohort]:
    root = tmp_path_factory.mktemp("cohorts")
    first, second = (made_cohort(root / str(seed), patients=2, seed=seed) for seed in (1, 2))
    return read_prepared_cohort(first), read_prepared_cohort(second)


def with_aliases(cohort: PreparedCohort, *aliases: str) -> PreparedCohort:
    first, *others = cohort.patients
    return replace(cohort, patients=(replace(first, aliases=aliases), *others))


def test_equal_names_alone_are_no_patient_in_common(cohorts):
    assert [p.name for p in cohorts[0].patients] == [p.name for p in cohorts[1].patients]
    refuse_shared_patients(*cohorts)


@pytest.mark.parametrize("sides", [("p001", ""), ("", "P001"), ("TCGA-06-0133", "tcga-06-0133")])
def test_an_alias_counts_on_either_side(cohorts, sides):
    ours, theirs = (with_aliases(c, alias) if alias else c for c, alias in zip(cohorts, sides, strict=True))
    with pytest.raises(CohortError, match="One patient is in both cohorts"):
        refuse_shared_patients(ours, theirs)


def test_the_same_scan_counts_under_any_name(cohorts):
    one = cohorts[0].patients[0]
    theirs = replace(cohorts[1], patients=(replace(one, name="X", patient="X"),))
    with pytest.raises(CohortError, match="as P000 and as X"):
        refuse_shared_patients(cohorts[0], theirs)
