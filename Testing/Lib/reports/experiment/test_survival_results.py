"""Survival of the predicted groups counts people, not exams."""

from __future__ import annotations

import numpy as np

from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.reports.experiment.facts import SurvivalOutcome
from PCNSLSurvivalLib.reports.experiment.survival_results import arm_survival


def test_a_patient_with_two_exams_lives_once():
    names = [f"p{n}-{exam}" for n in range(12) for exam in ("a", "b")]
    os_class = np.array([n % 2 for n in range(12) for _ in "ab"])
    outcomes = {
        name: SurvivalOutcome(patient_id=name[:-2], os_days=900.0 if alive else 100.0 + number, death_observed=True)
        for number, (name, alive) in enumerate(zip(names, os_class, strict=True))
    }
    fold = FoldPredictions(
        arm="arm", repeat=0, fold=0, cases=tuple(names), os_class=os_class, probability=os_class * 0.8 + 0.1
    )
    found = arm_survival("arm", [fold], outcomes, "Arm", resamples=20)
    assert len(found.os_days) == 12
    assert found.log_rank.patients == (6, 6)
    assert sorted(found.os_days)[:6] == [100.0 + 4 * n for n in range(6)], "the first exam by name counts"
