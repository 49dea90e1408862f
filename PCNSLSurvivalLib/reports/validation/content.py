"""What the report of a validation shows, computed once: performance, comparisons, subgroups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from PCNSLSurvivalLib.evaluation.auc_test import AUCTest, paired_auc_test
from PCNSLSurvivalLib.evaluation.out_of_fold import (
    Estimate,
    out_of_fold_auc,
    out_of_fold_concordance,
    out_of_fold_differences,
)
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.reports.experiment.facts import SurvivalOutcome
from PCNSLSurvivalLib.reports.experiment.survival_results import ArmSurvival, arms_survival
from PCNSLSurvivalLib.reports.experiment.tables import ArmResult, arm_results
from PCNSLSurvivalLib.reports.validation.subgroups import Subgroup, SubgroupResult, subgroup_result

FEWEST_OF_A_CLASS = 2
"""Patients of each class that a simple score needs to be shown beside a model."""


@dataclass(frozen=True, kw_only=True)
class ModelTested:
    """A model of a validation."""

    arm: str
    """Its name in files and tables."""
    version: str
    checksum: str
    training_cohort: str
    demonstration: bool
    knows_training_patients: bool
    """Whether its folder tells who trained it, so that shared patients were looked for."""
    unknown_initial_weights: bool


@dataclass(frozen=True, kw_only=True)
class SimpleScore:
    """A known predictor beside a model: it orders patients and gives no probability."""

    label: str
    patients: int
    over: int
    """Of them, with an OS over the limit."""
    auc: Estimate
    c_index: Estimate


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One arm minus another, on the patients that both judge."""

    arm: str
    against: str
    patients: int
    values: Mapping[str, Estimate]
    """By metric: "auc", "c_index" and, of two models, "brier"."""
    auc_test: AUCTest


@dataclass(frozen=True, kw_only=True, eq=False)
class CohortTested:
    """The patients of a validation."""

    name: str
    """As the text names the cohort."""
    left_out: Mapping[str, str]
    """Why an exam was excluded, by its name."""
    virtual: bool
    """Whether they are phantoms."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ValidationContent:
    """The results of a validation.

    Attributes:
        cohort: As the text names it.
        models: The models tested; the first is compared with everything else.
        arms: Predictions of each, by its name, as one fold.
        results: Metrics of each, with intervals.
        survival: Survival of the groups that each predicts.
        scores: Clinical score and lesion volume, where enough patients have them.
        differences: The first model minus the second and minus the scores.
        subgroups: Performance in groups of patients, of each model.
        left_out: Why an exam was excluded, by its name.
        outcomes: Survival by name of case.
        virtual: Whether the patients are phantoms.
    """

    cohort: str
    models: Sequence[ModelTested]
    arms: Mapping[str, Sequence[FoldPredictions]]
    results: Sequence[ArmResult]
    survival: Sequence[ArmSurvival]
    scores: Sequence[SimpleScore]
    differences: Sequence[Difference]
    subgroups: Sequence[SubgroupResult]
    left_out: Mapping[str, str]
    outcomes: Mapping[str, SurvivalOutcome]
    virtual: bool

    @property
    def counts(self) -> dict[str, int]:
        """Exams and patients: with a class, of either class, censored, left out."""
        first = next(iter(self.arms.values()))[0]
        return {
            "cases": len(first.cases),
            "patients": len({self.outcomes[case].patient_id for case in first.cases}),
            "over": int(first.os_class.sum()),
            "up_to": int((first.os_class == 0).sum()),
            "censored": len(first.censored),
            "excluded": len(self.left_out),
            "repeats": 1,
            "folds": 1,
        }


def validation_content(
    predictions: Mapping[str, FoldPredictions],
    models: Sequence[ModelTested],
    outcomes: Mapping[str, SurvivalOutcome],
    *,
    cohort: CohortTested,
    scores: Mapping[str, Mapping[str, float]],
    subgroups: Sequence[Subgroup],
    resamples: int,
) -> ValidationContent:
    """Everything that a validation's report says.

    Args:
        predictions: Of each model, by its name: all test patients as one fold.
        models: The models, in the same order.
        outcomes: Survival by name of case, censored ones too.
        cohort: What the text says of the patients.
        scores: Of each simple score by its label: its value by case, higher is worse; cases without are absent.
        subgroups: Groups of cases.
        resamples: Bootstrap samples of every interval.
    """
    arms = {name: (one,) for name, one in predictions.items()}
    patients = {case: one.patient_id for case, one in outcomes.items()}
    survival = {
        case: (one.os_days, bool(one.death_observed))
        for case, one in outcomes.items()
        if one.os_days is not None and one.death_observed is not None
    }
    names = list(predictions)
    first = predictions[names[0]]
    differences = [
        _difference(first, predictions[other], survival, patients, resamples, brier=True) for other in names[1:]
    ]
    shown = []
    for label, values in scores.items():
        part = _only(first, values)
        if part is None:
            continue
        score = _as_risk(part, label, values)
        shown.append(
            SimpleScore(
                label=label,
                patients=len(part.cases),
                over=int(part.os_class.sum()),
                auc=out_of_fold_auc([score], patients=patients, resamples=resamples),
                c_index=out_of_fold_concordance([score], survival, patients=patients, resamples=resamples),
            )
        )
        differences.append(_difference(part, score, survival, patients, resamples, brier=False))
    return ValidationContent(
        cohort=cohort.name,
        models=models,
        arms=arms,
        results=arm_results(arms, {}, patients=patients, resamples=resamples),
        survival=arms_survival(arms, outcomes, {}, resamples=resamples),
        scores=shown,
        differences=differences,
        subgroups=[
            subgroup_result(one, group, patients=patients, resamples=resamples)
            for group in subgroups
            for one in predictions.values()
        ],
        left_out=cohort.left_out,
        outcomes=outcomes,
        virtual=cohort.virtual,
    )


def _difference(
    arm: FoldPredictions,
    against: FoldPredictions,
    survival: Mapping[str, tuple[float, bool]],
    patients: Mapping[str, str],
    resamples: int,
    *,
    brier: bool,
) -> Difference:
    values = out_of_fold_differences([arm], [against], survival, patients=patients, resamples=resamples)
    return Difference(
        arm=arm.arm,
        against=against.arm,
        patients=len(arm.cases),
        values={metric: one for metric, one in values.items() if brier or metric != "brier"},
        auc_test=paired_auc_test([arm], [against], patients=patients),
    )


def _only(one: FoldPredictions, known: Mapping[str, float]) -> FoldPredictions | None:
    """The predictions of the cases that have a score; None where too few of a class have one."""
    held = np.array([case in known for case in one.cases], dtype=bool)
    censored = np.array([case in known for case in one.censored], dtype=bool)
    of_classes = np.bincount(one.os_class[held], minlength=2)
    if of_classes.min() < FEWEST_OF_A_CLASS:
        return None
    return replace(
        one,
        cases=tuple(case for case in one.cases if case in known),
        os_class=one.os_class[held],
        probability=one.probability[held],
        censored=tuple(case for case in one.censored if case in known),
        censored_probability=one.censored_probability[censored],
        survival=None if one.survival is None else one.survival[held],
        censored_survival=None if one.censored_survival is None else one.censored_survival[censored],
    )


def _as_risk(one: FoldPredictions, label: str, values: Mapping[str, float]) -> FoldPredictions:
    """A score as predictions of the same order: only AUC and C-index mean anything."""
    everyone = np.array([values[case] for case in (*one.cases, *one.censored)])
    levels, place = np.unique(-everyone, return_inverse=True)
    p = place / max(len(levels) - 1, 1)
    return replace(one, arm=label, probability=p[: len(one.cases)], censored_probability=p[len(one.cases) :])
