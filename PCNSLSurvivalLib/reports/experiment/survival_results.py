"""Survival of the groups that each arm predicts, as the tables and the Kaplan-Meier figure show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS
from PCNSLSurvivalLib.evaluation.comparison import holm
from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate, out_of_fold_concordance
from PCNSLSurvivalLib.evaluation.out_of_fold_survival import out_of_fold_survival
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, pooled
from PCNSLSurvivalLib.evaluation.survival import FEWEST_IN_GROUP, LogRankTest, log_rank_test
from PCNSLSurvivalLib.reports.experiment.facts import SurvivalOutcome


@dataclass(frozen=True, kw_only=True)
class ArmSurvival:
    """Survival of all patients of whom an arm says something, censored ones too; (N,) arrays, one entry per patient."""

    arm: str
    label: str
    os_days: NDArray[np.float64]
    death_observed: NDArray[np.bool_]
    predicted_long: NDArray[np.bool_]
    """Whether the mean probability of a long survival reaches the threshold of the folds: the mean over all models
    that held the patient out. That is one per repetition where the patient is in the folds, as all are with ``outcome:
    time``, and every fold's model for a patient without a class who is in none."""
    c_index: Estimate
    log_rank: LogRankTest
    """Of those predicted to survive long against the others."""
    log_rank_holm_p: float = float("nan")
    """After Holm's correction over all arms."""
    over_time: Mapping[str, Estimate] = field(default_factory=dict)
    """Metrics weighted for censoring, by name (see ``out_of_fold_survival``)."""
    without_follow_up: int = 0
    """Predicted patients whose survival is not known, left out here."""

    @property
    def censored(self) -> int:
        """Patients whose death was not observed."""
        return int((~self.death_observed).sum())

    @property
    def died_sooner(self) -> bool:
        """Whether more of the predicted long survivors died than if both groups survived alike."""
        return min(self.log_rank.patients) > 0 and self.log_rank.observed > self.log_rank.expected

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of the log-rank p must know."""
        found = []
        if self.log_rank.too_small:
            found.append(f"no p value: fewer than {FEWEST_IN_GROUP} in a group")
        if self.died_sooner:
            found.append("predicted long survivors died sooner")
        return tuple(found)


def arms_survival(
    arms: Mapping[str, Sequence[FoldPredictions]],
    outcomes: Mapping[str, SurvivalOutcome],
    labels: Mapping[str, str],
    *,
    resamples: int = 2000,
    class_days: float = ONE_YEAR_DAYS,
) -> tuple[ArmSurvival, ...]:
    """Survival by the predictions of each arm that predicts a patient of known survival."""
    known = [
        arm_survival(arm, folds, outcomes, labels.get(arm, arm), resamples, class_days) for arm, folds in arms.items()
    ]
    found = [one for one in known if one is not None]
    adjusted = holm([one.log_rank.p for one in found])
    return tuple(replace(one, log_rank_holm_p=float(p)) for one, p in zip(found, adjusted, strict=True))


def arm_survival(
    arm: str,
    folds: Sequence[FoldPredictions],
    outcomes: Mapping[str, SurvivalOutcome],
    label: str,
    resamples: int,
    class_days: float = ONE_YEAR_DAYS,
) -> ArmSurvival | None:
    """Survival by one arm's predictions, not yet corrected; None where no predicted patient has a known survival."""
    cases, _, probability = pooled(folds)
    said = dict(zip(cases, probability.tolist(), strict=True))
    of_censored: dict[str, list[float]] = {}
    for one in folds:
        for case, p in zip(one.censored, one.censored_probability, strict=True):
            of_censored.setdefault(case, []).append(float(p))
    said |= {case: float(np.mean(values)) for case, values in of_censored.items()}
    survival = {
        case: (found.os_days, bool(found.death_observed))
        for case in said
        if (found := outcomes.get(case)) is not None and found.os_days is not None and found.death_observed is not None
    }
    if not survival:
        return None
    patients = {case: one.patient_id for case, one in outcomes.items()}
    # A patient lives once: of several exams the first by name counts, which also decides the patient's fold.
    first = {patients[case]: case for case in sorted(survival, reverse=True)}
    counted = sorted(first.values())
    days = np.array([survival[case][0] for case in counted], dtype=np.float64)
    deaths = np.array([survival[case][1] for case in counted])
    predicted_long = np.array([said[case] >= folds[0].threshold for case in counted])
    return ArmSurvival(
        arm=arm,
        label=label,
        os_days=days,
        death_observed=deaths,
        predicted_long=predicted_long,
        c_index=out_of_fold_concordance(folds, survival, patients=patients, resamples=resamples),
        log_rank=log_rank_test(days, deaths, predicted_long),
        over_time=out_of_fold_survival(folds, survival, class_days=class_days, patients=patients, resamples=resamples),
        without_follow_up=len(said) - len(survival),
    )
