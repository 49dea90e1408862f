"""One drawn patient for all tests of the phantoms."""

from __future__ import annotations

import pytest

from PCNSLSurvivalLib.phantoms.cohort import CohortPatient, CohortPlan, draw_patient


@pytest.fixture(scope="session")
def registered_member() -> CohortPatient:
    return draw_patient(CohortPlan(patients=3, seed=11, grid="registered"), 2)
