"""The jobs of an experiment: one job per fold and arm, and one pre-training per sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PCNSLSurvivalLib.cohorts.prepared_case_hash import identity_of
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, PreparedExam
from PCNSLSurvivalLib.cohorts.shared_patients import refuse_shared_patients
from PCNSLSurvivalLib.cohorts.splits import (
    Fold,
    add_censored,
    first_year_of_patients,
    group_folds,
    group_of_patients,
    repeated_stratified_folds,
    temporal_fold,
)
from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.core.errors import ExperimentError, FoldError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.evaluation.baselines.radiomics import Region
from PCNSLSurvivalLib.evaluation.baselines.region import radiomics_region
from PCNSLSurvivalLib.evaluation.baselines.run import FEWEST_OF_A_CLASS
from PCNSLSurvivalLib.experiment.initial_weights import CheckpointFile, InitialWeights
from PCNSLSurvivalLib.experiment.jobs.fusion import fusion_jobs, pair_folds
from PCNSLSurvivalLib.experiment.jobs.job import Job
from PCNSLSurvivalLib.experiment.participants import Participants, participants
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan


@dataclass(frozen=True, kw_only=True)
class JobTable:
    """Everything an experiment does.

    Attributes:
        pretraining: Jobs that others wait for.
        pairs: Networks that leave two folds out, one per two folds of each fusion.
        folds: One job per fold and arm, arm by arm.
        patients: Of the cohort that is cross-validated.
        second: Of the cohort of the pre-training; None without one.
        initial_weights: By sequence, in place of a pre-training.
        radiomics_region: What radiomics looks at in every patient; None without radiomics.
    """

    pretraining: tuple[Job, ...]
    pairs: tuple[Job, ...]
    folds: tuple[Job, ...]
    patients: Participants
    second: Participants | None
    initial_weights: dict[MRSequence, InitialWeights]
    radiomics_region: Region | None

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs; those that others wait for come first."""
        return (*self.pretraining, *self.pairs, *self.folds)


def build_job_table(
    plan: ExperimentPlan,
    cohort: PreparedCohort,
    second: PreparedCohort | None,
    initial_weights: Sequence[InitialWeights] = (),
) -> JobTable:
    """Lay out the jobs of a plan on its cohorts.

    Args:
        plan: The experiment.
        cohort: Is cross-validated.
        second: Of the pre-training; needed by transfer arms without initial weights.
        initial_weights: In place of a pre-training; weights for sequences outside the plan are ignored.

    Raises:
        CohortError: The cohorts share a patient.
        EvaluationError: Some patients have a lesion for radiomics, and others none.
        ExperimentError: A cohort is missing or has no patient for this plan.
        FoldError: The cohort cannot be split.
    """
    patients = participants(cohort, plan.all_sequences, plan.threshold_days)
    labeled = patients.labeled
    folds = _folds(plan, patients)
    given = weights_by_sequence(plan, initial_weights)
    for weights in dict.fromkeys(given.values()):
        weights.refuse_unfit(plan, cohort)
    before = None
    if plan.needs_pretraining and set(given) != set(plan.sequences):
        if second is None:
            raise ExperimentError(Message("experiment.no_pretraining_cohort"))
        refuse_shared_patients(cohort, second.exams)
        before = participants(second, plan.sequences, plan.threshold_days)
    pretraining = _pretraining_jobs(plan, given, before)
    everyone = (*labeled, *patients.censored)
    region = radiomics_region(everyone, plan.radiomics_region) if plan.needs_radiomics else None
    networks = tuple(_network_jobs(plan, cohort, patients, folds, pretraining))
    pairs: tuple[Job, ...] = ()
    if plan.fusions:
        pairs = tuple(_network_jobs(plan, cohort, patients, pair_folds(folds), pretraining, pairs=True))
    by_clinic = _identities(everyone, plan, clinical=True, by_time=False) if plan.fusions else {}
    return JobTable(
        pretraining=tuple(pretraining.values()),
        pairs=pairs,
        folds=(
            *networks,
            *_baseline_jobs(plan, patients, folds, region),
            *fusion_jobs(plan, networks, pairs, by_clinic),
        ),
        patients=patients,
        second=before,
        initial_weights=given,
        radiomics_region=region,
    )


def refuse_too_few(plan: ExperimentPlan, job_table: JobTable) -> None:
    """Refuse folds in which no classifier of a baseline can be fitted, before hours are spent on all other jobs.

    Raises:
        FoldError: A baseline would have fewer training patients of a class than its classifier needs.
    """
    arms = {arm.name for arm in plan.baseline_arms if arm.classifier != "cox"}
    classes = {exam.name: int(exam.os_class(plan.threshold_days) or 0) for exam in job_table.patients.labeled}
    least = {}
    for job in job_table.folds:
        if job.arm in arms and job.fold is not None:
            of_train = [classes[name] for name in job.fold.train if name in classes]
            least[job.fold.repeat, job.fold.fold] = min(of_train.count(0), of_train.count(1))
    few = sum(count < FEWEST_OF_A_CLASS for count in least.values())
    if few:
        raise FoldError(
            Message(
                "experiment.baselines_few_patients",
                fewest=FEWEST_OF_A_CLASS,
                few=few,
                folds=len(least),
                least=min(least.values()),
            )
        )


def _folds(plan: ExperimentPlan, people: Participants) -> tuple[Fold, ...]:
    """Folds of the patients with a class; where an arm learns from time, those censored early are assigned as well."""
    folds = _labeled_folds(plan, people.labeled)
    if not plan.learns_from_time:
        return folds
    labeled, censored = ({exam.name: exam.patient_id for exam in exams} for exams in (people.labeled, people.censored))
    return add_censored(folds, censored, labeled, seed=plan.seed, held_out_in=_held_out_in(plan, people))


def _held_out_in(plan: ExperimentPlan, people: Participants) -> Callable[[Fold, str], bool] | None:
    """Whether a fold by site or year holds out a patient without a class; None for random folds.

    Raises:
        FoldError: The site or the year of an exam is not known.
    """
    patient_of = {exam.name: exam.patient_id for exam in people.labeled}
    if plan.split_by == "site":
        site = _sites(people.censored) | _sites(people.labeled)
        return lambda fold, person: site[person] == site[patient_of[fold.test[0]]]
    if plan.split_by == "year":
        year = _years(people.censored) | _years(people.labeled)
        return lambda fold, person: year[person] >= min(year[patient_of[name]] for name in fold.test)
    return None


def _sites(exams: Sequence[PreparedExam]) -> dict[str, str]:
    return group_of_patients(*_names_and_patients(exams), [exam.clinical.site for exam in exams])


def _years(exams: Sequence[PreparedExam]) -> dict[str, int]:
    return first_year_of_patients(*_names_and_patients(exams), [exam.clinical.scan_year for exam in exams])


def _names_and_patients(exams: Sequence[PreparedExam]) -> tuple[list[str], list[str]]:
    return [exam.name for exam in exams], [exam.patient_id for exam in exams]


def _labeled_folds(plan: ExperimentPlan, labeled: Sequence[PreparedExam]) -> tuple[Fold, ...]:
    names, patients = _names_and_patients(labeled)
    classes = [int(exam.os_class(plan.threshold_days) or 0) for exam in labeled]
    if plan.split_by == "site":
        return group_folds(names, patients, classes, [exam.clinical.site for exam in labeled])
    if plan.split_by == "year":
        years = [exam.clinical.scan_year for exam in labeled]
        return temporal_fold(names, patients, classes, years, share=1 / plan.splits)
    return repeated_stratified_folds(names, patients, classes, splits=plan.splits, repeats=plan.repeats, seed=plan.seed)


def _pretraining_jobs(
    plan: ExperimentPlan, given: Mapping[MRSequence, InitialWeights], before: Participants | None
) -> dict[MRSequence, Job]:
    """One job per sequence that transfer arms need; weights that were given stand in for a pre-training."""
    jobs = {}
    for sequence in plan.sequences if plan.needs_pretraining else ():
        if sequence in given:
            decided: dict[str, Any] = {"weights_sha256": given[sequence].weights_sha256}
            if isinstance(given[sequence], CheckpointFile):
                decided["seed_of_head"] = plan.seed
        else:
            assert before is not None
            settings = plan.settings_of("pretraining")
            decided = _network(before.cohort, sequence) | {
                "settings": settings.to_json(),
                **settings.revisions,
                "patients": _identities(before.of_networks(plan.outcome), plan, by_time=plan.outcome == "time"),
            }
        jobs[sequence] = Job(
            kind="pretraining", arm=f"{sequence}_pretraining", fold=None, decided_by=decided, sequence=sequence
        )
    return jobs


def _network_jobs(
    plan: ExperimentPlan,
    cohort: PreparedCohort,
    patients: Participants,
    folds: Sequence[Fold],
    pretraining: Mapping[MRSequence, Job],
    *,
    pairs: bool = False,
) -> Iterator[Job]:
    """One job per fold of each network, arm by arm; with ``pairs``, of the networks of each fusion."""
    by_time = plan.outcome == "time"
    identities = _identities((*patients.labeled, *patients.censored), plan, by_time=by_time)
    taught = {exam.name for exam in patients.of_networks(plan.outcome)}  # the folds hold more where only Cox learns
    folds = [fold.only(taught) for fold in folds]
    arms = [(arm.name, arm) for arm in plan.networks]
    if pairs:
        arms = [(arm.pairs_name, arm.network) for arm in plan.fusion_arms]
    for name, network in arms:
        transfer = network.initialization == "transfer"
        settings = plan.settings_of("finetuning" if transfer else "training")
        decided = _network(cohort, network.sequence) | {"settings": settings.to_json(), **settings.revisions}
        for fold in folds:
            yield Job(
                kind="network",
                arm=name,
                fold=fold,
                decided_by=decided | _members(plan, patients, fold, identities),
                sequence=network.sequence,
                pretraining=pretraining[network.sequence] if transfer else None,
            )


def _baseline_jobs(
    plan: ExperimentPlan, patients: Participants, folds: Sequence[Fold], region: Region | None
) -> Iterator[Job]:
    """One job per fold of each baseline, arm by arm: radiomics is decided by scans, the clinic by the tables."""
    everyone = (*patients.labeled, *patients.censored)
    labeled = {exam.name for exam in patients.labeled}
    for arm in plan.baseline_arms:
        by_time = arm.classifier == "cox"
        decided: dict[str, Any] = {"version": version.__version__}
        if arm.sequence is not None:
            decided["region"] = region
        if by_time:
            decided["days"] = list(plan.intervals_days)
        identities = _identities(everyone, plan, clinical=arm.sequence is None, by_time=by_time)
        for fold in folds if by_time else [fold.only(labeled) for fold in folds]:
            members = _members(plan, patients, fold, identities)
            yield Job(kind="baseline", arm=arm.name, fold=fold, decided_by=decided | members)


def _members(
    plan: ExperimentPlan, patients: Participants, fold: Fold, identities: Mapping[str, list[object]]
) -> dict[str, Any]:
    """Who is in a fold, by what of them can change a number."""
    return {
        "train": {name: identities[name] for name in fold.train},
        "test": {name: identities[name] for name in fold.test},
        "censored": {exam.name: identities[exam.name] for exam in patients.censored},
        "place": [fold.repeat, fold.fold, plan.seed],
    }


def weights_by_sequence(
    plan: ExperimentPlan, initial_weights: Sequence[InitialWeights]
) -> dict[MRSequence, InitialWeights]:
    """The start of each sequence: its own, or else the one that serves any."""
    if sum(weights.sequence is None for weights in initial_weights) > 1:
        raise ExperimentError(Message("initial_weights.two_files"))
    given: dict[MRSequence, InitialWeights] = {}
    if plan.needs_pretraining:
        for weights in sorted(initial_weights, key=lambda weights: weights.sequence is not None):
            given |= {s: weights for s in plan.sequences if weights.sequence in (s, None)}
    if initial_weights and not given:
        raise ExperimentError(Message("initial_weights.unused"))
    return given


def _network(cohort: PreparedCohort, sequence: MRSequence) -> dict[str, Any]:
    return {
        "version": version.__version__,
        "sequence": str(sequence),
        "recipe": cohort.recipe.sha256,
    }


def _identities(
    patients: Iterable[PreparedExam], plan: ExperimentPlan, *, clinical: bool = False, by_time: bool
) -> dict[str, list[object]]:
    return {exam.name: identity_of(exam, plan.threshold_days, clinical=clinical, by_time=by_time) for exam in patients}
