"""The grid of an experiment: every fold of every arm, and one pre-training a sequence, as units of work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PCNSLSurvivalLib.cohorts.prepared_case_hash import identity_of
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, PreparedPatient
from PCNSLSurvivalLib.cohorts.shared_patients import refuse_shared_patients
from PCNSLSurvivalLib.cohorts.splits import Fold, repeated_stratified_folds
from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.core.errors import ExperimentError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.evaluation.baselines.radiomics import Region
from PCNSLSurvivalLib.evaluation.baselines.region import radiomics_region
from PCNSLSurvivalLib.experiment.initial_weights import Start, WeightsFileStart
from PCNSLSurvivalLib.experiment.jobs import Unit
from PCNSLSurvivalLib.experiment.participants import Participants, participants
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Everything an experiment does.

    Attributes:
        pretraining: Units that others wait for.
        folds: One unit a fold and arm, arm by arm.
        patients: Of the cohort that is cross-validated.
        second: Of the cohort of the pre-training; None without one.
        starts: Trained beforehand, by sequence, in place of a pre-training.
        radiomics_region: What radiomics looks at in every patient; None without radiomics.
    """

    pretraining: tuple[Unit, ...]
    folds: tuple[Unit, ...]
    patients: Participants
    second: Participants | None
    starts: dict[MRSequence, Start]
    radiomics_region: Region | None

    @property
    def units(self) -> tuple[Unit, ...]:
        """All units; those that others wait for come first."""
        return (*self.pretraining, *self.folds)


def experiment_grid(
    plan: ExperimentPlan, cohort: PreparedCohort, second: PreparedCohort | None, starts: Sequence[Start] = ()
) -> Grid:
    """Lay out the units of a plan on its cohorts.

    Args:
        plan: The experiment.
        cohort: Is cross-validated.
        second: Of the pre-training; needed by transfer arms without a start.
        starts: Trained beforehand; those of sequences that the plan does not have are not used.

    Raises:
        CohortError: The cohorts share a patient.
        EvaluationError: Some patients have a lesion for radiomics, and others none.
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
    given = given_starts(plan, starts)
    for start in dict.fromkeys(given.values()):
        start.refuse_unfit(plan, cohort)
    before = None
    pretraining: dict[MRSequence, Unit] = {}
    if plan.needs_pretraining and set(given) != set(plan.sequences):
        if second is None:
            raise ExperimentError(
                "The transfer arms need a second cohort to pre-train on. Give it with --brats, give a start for each "
                "of their sequences with --start, or take 'transfer' out of 'initializations' in the experiment file."
            )
        refuse_shared_patients(cohort, second.patients)
        before = participants(second, plan.sequences, plan.threshold_days)
    if plan.needs_pretraining:
        for sequence in plan.sequences:
            if sequence in given:
                decided: dict[str, Any] = {"weights_sha256": given[sequence].weights_sha256}
                if isinstance(given[sequence], WeightsFileStart):
                    decided["seed_of_head"] = plan.seed
            else:
                assert second is not None
                assert before is not None
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
    region = radiomics_region((*labeled, *patients.censored), plan.radiomics_region) if plan.needs_radiomics else None
    by_scans, by_clinic = (_identities((*labeled, *patients.censored), plan, clinical=c) for c in (False, True))

    def who(fold: Fold, everyone: dict[str, list[object]] = by_scans) -> dict[str, Any]:
        return {
            "train": {name: everyone[name] for name in fold.train},
            "test": {name: everyone[name] for name in fold.test},
            "censored": {patient.name: everyone[patient.name] for patient in patients.censored},
            "place": [fold.repeat, fold.fold, plan.seed],
        }

    units = []
    for network in plan.networks:
        settings = plan.settings_of("finetuning" if network.initialization == "transfer" else "training")
        decided = _network(cohort, network.sequence) | {"settings": settings.to_json()}
        before_it = pretraining[network.sequence] if network.initialization == "transfer" else None
        units += [
            Unit(
                kind="network",
                arm=network.name,
                fold=fold,
                decided_by=decided | who(fold),
                sequence=network.sequence,
                start=before_it,
            )
            for fold in folds
        ]
    for arm in plan.baseline_arms:
        decided = {"version": version.__version__}
        if arm.sequence is not None:
            decided["region"] = region
        everyone = by_clinic if arm.sequence is None else by_scans
        units += [
            Unit(kind="baseline", arm=arm.name, fold=fold, decided_by=decided | who(fold, everyone)) for fold in folds
        ]
    return Grid(
        pretraining=tuple(pretraining.values()),
        folds=tuple(units),
        patients=patients,
        second=before,
        starts=given,
        radiomics_region=region,
    )


def given_starts(plan: ExperimentPlan, starts: Sequence[Start]) -> dict[MRSequence, Start]:
    """The start of each sequence: its own, or else the one that serves any."""
    if sum(start.sequence is None for start in starts) > 1:
        raise ExperimentError("--start gives two files of weights, and each serves every sequence. Give one of them.")
    given: dict[MRSequence, Start] = {}
    if plan.needs_pretraining:
        for start in sorted(starts, key=lambda start: start.sequence is not None):
            given |= {s: start for s in plan.sequences if start.sequence in (s, None)}
    if starts and not given:
        raise ExperimentError(
            "No arm starts from what --start gives: it needs a transfer arm of the start's sequence. Choose such an "
            "arm, or leave --start out."
        )
    return given


def _network(cohort: PreparedCohort, sequence: MRSequence) -> dict[str, Any]:
    return {
        "version": version.__version__,
        "sequence": str(sequence),
        "recipe": cohort.recipe.sha256,
    }


def _identities(
    patients: Iterable[PreparedPatient], plan: ExperimentPlan, *, clinical: bool = False
) -> dict[str, list[object]]:
    return {patient.name: identity_of(patient, plan.threshold_days, clinical=clinical) for patient in patients}
