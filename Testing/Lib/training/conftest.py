"""The cohort that the tests of training share."""

from __future__ import annotations

import pytest
from made_trainings import cohort_of_twelve

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort


@pytest.fixture(scope="package")
def cohort(tmp_path_factory) -> PreparedCohort:
    return cohort_of_twelve(tmp_path_factory.mktemp("prepared") / "cohort")
