"""The grid of an experiment: every fold of every arm, and one pre-training a sequence, as units of work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import PCNSLSurvivalLib
from PCNSLSurvivalLib.data.folds import Fold, repeated_stratified_folds
from PCNSLSurvivalLib.data.prepared_cohort import PreparedCohort, PreparedPatient
from PCNSLSurvivalLib.data.shared_patients import refuse_shared_patients
from PCNSLSurvivalLib.errors import ExperimentError
from PCNSLSurvivalLib.experiment.participants import Participants, identity_of, participants
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.experiment.units import Unit
from PCNSLSurvivalLib.terms import Sequence


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Everything an experiment does.

    Attributes:
        pretraining: Units that others wait for.
        folds: One unit a fold and arm, arm by arm.
        patients: Of the cohort that is cross-validated.
        second: Of the cohort of the pre-training; None without one.
    """

    pretraining: tuple[Unit, ...]
    folds: tuple[Unit, ...]
    patients: Participants
    second: Participants | None

    @property
    def units(self) -> tuple[Unit, ...]:
        """All units; those that others wait for come first."""
        return (*self.pretraining, *self.folds)


def experiment_grid(plan: ExperimentPlan, cohort: PreparedCohort, second: PreparedCohort | None) -> Grid:
    """Lay out the units of a plan on its cohorts.

    Args:
        plan: The experiment.
        cohort: Is cross-validated.
        second: Of the pre-training; needed by transfer arms.

    Raises:
        CohortError: The cohorts share a patient.
        ExperimentError: A cohort is missing or holds nobody for this plan.
        FoldError: The cohort cannot be split.
    """
    patients = participants(cohort, plan.all_sequences, plan.threshold_days)
    labeled = patients.labeled
    folds = repeated_stratified_folds(
        [patient.name for patient in labeled],
        [patient.patient for patient in labeled],
        [int(patient.os_class(plan.threshold_days) or 0) for patient in labeled],
        splits=plan.splits,
        repeats=plan.repeats,
        seed=plan.seed,
    )
    before = None
    pretraining: dict[Sequence, Unit] = {}
    if plan.needs_pretraining:
        if second is None:
            raise ExperimentError(
                "The transfer arms need a second cohort to pre-train on. Give it with --brats, or take 'transfer' out "
                "of 'initializations' in the experiment file."
            )
        refuse_shared_patients(cohort, second)
        before = participants(second, plan.sequences, plan.threshold_days)
        for sequence in plan.sequences:
            decided = _network(second, sequence) | {
                "settings": plan.settings_of("pretraining").to_json(),
                "patients": _identities(before.labeled, plan),
            }
            pretraining[sequence] = Unit(
                kind="pretraining",
                arm=f"{sequence}_pretraining",
                fold=None,
                decided_by=decided,
                sequence=sequence,
            )
    everyone = _identities((*labeled, *patients.censored), plan)
    censored = {patient.name: everyone[patient.name] for patient in patients.censored}

    def who(fold: Fold) -> dict[str, Any]:
        return {
            "train": {name: everyone[name] for name in fold.train},
            "test": {name: everyone[name] for name in fold.test},
            "censored": censored,
            "place": [fold.repeat, fold.fold, plan.seed],
        }

    units = []
    for arm in plan.networks:
        settings = plan.settings_of("finetuning" if arm.initialization == "transfer" else "training")
        decided = _network(cohort, arm.sequence) | {"settings": settings.to_json()}
        start = pretraining[arm.sequence] if arm.initialization == "transfer" else None
        units += [
            Unit(
                kind="network",
                arm=arm.name,
                fold=fold,
                decided_by=decided | who(fold),
                sequence=arm.sequence,
                start=start,
            )
            for fold in folds
        ]
    for name in plan.baselines:
        decided = {"version": PCNSLSurvivalLib.__version__}
        units += [Unit(kind="baseline", arm=name, fold=fold, decided_by=decided | who(fold)) for fold in folds]
    return Grid(pretraining=tuple(pretraining.values()), folds=tuple(units), patients=patients, second=before)


def _network(cohort: PreparedCohort, sequence: Sequence) -> dict[str, Any]:
    return {
        "version": PCNSLSurvivalLib.__version__,
        "sequence": str(sequence),
        "recipe": cohort.recipe.sha256,
    }


def _identities(patients: Iterable[PreparedPatient], plan: ExperimentPlan) -> dict[str, list[object]]:
    return {patient.name: identity_of(patient, plan.threshold_days) for patient in patients}
