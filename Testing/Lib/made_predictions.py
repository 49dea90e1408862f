"""Held-out predictions of made-up arms, repetitions and folds, with survival that fits the classes."""

from __future__ import annotations

import numpy as np

from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.reports.experiment.facts import SurvivalOutcome

CENSORED = ("c01", "c02")
"""Last seen alive before one year."""


def made_folds(
    arm: str, *, skill: float = 0.0, patients: int = 22, splits: int = 2, repeats: int = 2, seed: int = 0
) -> list[FoldPredictions]:
    """All folds of one arm, each with a scale of its own; the folds are the same for every arm.

    Args:
        arm: Its name, from which its predictions are drawn too.
        skill: By how much the log-odds of long survivors are higher.
        patients: The first three of five live long.
        splits: Folds of a repetition.
        repeats: Repetitions.
        seed: Of the folds.
    """
    shuffled = np.random.default_rng(seed)
    said = np.random.default_rng([seed, *arm.encode()])
    folds = []
    for repeat in range(repeats):
        order = shuffled.permutation(patients)
        for fold in range(splits):
            held_out = order[fold::splits]
            os_class = (held_out % 5 < 3).astype(int)
            log_odds = said.normal(skill * os_class + said.normal(), 1.0)
            folds.append(
                FoldPredictions(
                    arm=arm,
                    repeat=repeat,
                    fold=fold,
                    cases=tuple(f"p{number:02}" for number in held_out),
                    os_class=os_class,
                    probability=1 / (1 + np.exp(-log_odds)),
                    censored=CENSORED,
                    censored_probability=said.uniform(size=len(CENSORED)),
                )
            )
    return folds


def made_outcomes(patients: int = 22) -> dict[str, SurvivalOutcome]:
    """Survival of the patients of ``made_folds``; every seventh long survivor is alive."""
    outcomes = {}
    for number in range(patients):
        days = 400.0 + 60 * number if number % 5 < 3 else 30.0 + 14 * number
        outcomes[f"p{number:02}"] = SurvivalOutcome(
            patient_id=f"p{number:02}", os_days=days, death_observed=number % 7 != 0 or days < 365
        )
    return outcomes | {case: SurvivalOutcome(patient_id=case, os_days=200.0, death_observed=False) for case in CENSORED}
