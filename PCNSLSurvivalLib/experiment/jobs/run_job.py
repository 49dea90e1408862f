"""One job of an experiment in a separate process; it never raises, so no job stops the others."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.storage.files import tells_full_disk, whole_folder
from PCNSLSurvivalLib.evaluation.baselines.arms import baseline_arm, baseline_table
from PCNSLSurvivalLib.evaluation.baselines.fusion import CLINIC_ALONE, with_network
from PCNSLSurvivalLib.evaluation.baselines.radiomics import RadiomicsStep
from PCNSLSurvivalLib.evaluation.baselines.region import radiomics_region
from PCNSLSurvivalLib.evaluation.baselines.run import run_baseline
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, write_predictions
from PCNSLSurvivalLib.experiment.jobs.fusion import network_log_odds
from PCNSLSurvivalLib.experiment.jobs.job import Job
from PCNSLSurvivalLib.experiment.jobs.outcomes import PREDICTIONS, JobOutcome, is_finished
from PCNSLSurvivalLib.experiment.model.trained_networks import member_of
from PCNSLSurvivalLib.experiment.participants import participants
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.training.job_record import has_record, read_record, write_record

_FEATURES = "radiomics"
"""Folder of the radiomics features, which all jobs share."""


@dataclass(frozen=True, kw_only=True)
class JobTask:
    """What a process, here or on another computer, needs to know to do one job."""

    job: Job
    plan: ExperimentPlan
    cohort: Path
    second: Path | None
    out: Path
    device: str
    threads: int | None
    """Of the processor; the libraries' own choice if None."""


def do_job(task: JobTask) -> JobOutcome:
    """Run one job unless it is finished. No exception leaves this function."""
    begin = time.perf_counter()
    try:
        if is_finished(task.job, task.out):
            return JobOutcome(state="finished", cached=True)
        _remove_damaged(task.job.folder(task.out))
        _use_threads(task.threads)
        if task.job.kind == "baseline":
            _baseline(task)
        elif task.job.kind == "network":
            _network(task)
        elif task.job.kind == "fusion":
            _fusion(task)
        else:
            _pretraining(task)
    except Exception as problem:  # whatever a damaged file brings about, the other jobs go on
        known = isinstance(problem, PCNSLSurvivalError)
        reason = str(problem) if known else f"Internal error ({type(problem).__name__}: {problem}). Please report it."
        return JobOutcome(
            state="failed",
            reason=reason,
            seconds=time.perf_counter() - begin,
            disk_full=tells_full_disk(problem),
        )
    return JobOutcome(state="finished", seconds=time.perf_counter() - begin)


def lost_job(task: JobTask, reason: str) -> JobOutcome:
    """The outcome of a job whose process ended."""
    return JobOutcome(state="failed", reason=reason)


def _remove_damaged(folder: Path) -> None:
    """Remove the folder of a finished job in which a file was damaged since, as by a power cut: it is done again."""
    if has_record(folder):
        shutil.rmtree(folder)


def _use_threads(threads: int | None) -> None:
    if threads is not None:
        import torch

        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        torch.set_num_threads(threads)


def _baseline(task: JobTask) -> None:
    job, plan = task.job, task.plan
    assert job.fold is not None
    arm = baseline_arm(job.arm)
    people = participants(read_prepared_cohort(task.cohort), plan.all_sequences, plan.threshold_days)
    patients = (*people.labeled, *people.censored)
    step = None
    if arm.sequence is not None:
        step = RadiomicsStep(region=radiomics_region(patients, plan.radiomics_region))
    table = baseline_table(arm, patients, cache=task.out / _FEATURES, threshold_days=plan.threshold_days, step=step)
    predictions = run_baseline(
        arm.name,
        arm.classifier,
        table,
        job.fold,
        seed=plan.seed,
        days=plan.intervals_days,
        class_days=plan.threshold_days,
    )
    _write(task, predictions)


def _fusion(task: JobTask) -> None:
    job, plan = task.job, task.plan
    assert job.fold is not None
    people = participants(read_prepared_cohort(task.cohort), plan.all_sequences, plan.threshold_days)
    clinic = baseline_table(
        baseline_arm(CLINIC_ALONE),
        (*people.labeled, *people.censored),
        cache=task.out / _FEATURES,
        threshold_days=plan.threshold_days,
    )
    table = with_network(clinic, network_log_odds(job, task.out))
    _write(task, run_baseline(job.arm, "logistic", table, job.fold, seed=plan.seed))


def _write(task: JobTask, predictions: FoldPredictions) -> None:
    with whole_folder(task.job.folder(task.out), overwrite=True) as folder:
        write_predictions([predictions], folder / PREDICTIONS)
        write_record(folder, {"arm": task.job.arm, "key": task.job.key})


def _network(task: JobTask) -> None:
    # Baselines need neither torch nor MONAI, which take seconds to load.
    from PCNSLSurvivalLib.training.job import FROM_SCRATCH, NetworkJob, StartingPoint, run_job
    from PCNSLSurvivalLib.training.lineage import TrainedOn
    from PCNSLSurvivalLib.training.processes import training_processes

    job, plan = task.job, task.plan
    assert job.fold is not None
    assert job.sequence is not None
    assert job.training is not None
    start = FROM_SCRATCH
    if job.pretraining is not None:
        folder = job.pretraining.folder(task.out)
        trained_on = TrainedOn.of_job(read_record(folder))
        start = StartingPoint(weights=member_of(folder, plan.architecture), trained_on=trained_on)
    people = participants(read_prepared_cohort(task.cohort), plan.all_sequences, plan.threshold_days)
    with training_processes(task.device) as processes:
        network = NetworkJob(
            arm=job.arm, fold=job.fold, sequences=(job.sequence,), settings=plan.settings_of(job.training)
        )
        run_job(people.cohort, network, job.folder(task.out), start=start, processes=processes)


def _pretraining(task: JobTask) -> None:
    from PCNSLSurvivalLib.experiment.full_cohort import FullCohortJob, train_on_full_cohort
    from PCNSLSurvivalLib.training.processes import training_processes

    assert task.second is not None
    assert task.job.sequence is not None
    with training_processes(task.device) as processes:
        train_on_full_cohort(
            task.plan,
            read_prepared_cohort(task.second),
            FullCohortJob(
                sequence=task.job.sequence, training="pretraining", arm=task.job.arm, needs=task.plan.sequences
            ),
            out=task.job.folder(task.out),
            processes=processes,
        )
