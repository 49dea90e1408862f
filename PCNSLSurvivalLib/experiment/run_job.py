"""One unit of an experiment in a process of its own: it never raises, so that no unit stops the others."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.files import tells_full_disk, whole_folder
from PCNSLSurvivalLib.evaluation.baselines.arms import baseline_arm, baseline_table
from PCNSLSurvivalLib.evaluation.baselines.radiomics import RadiomicsStep
from PCNSLSurvivalLib.evaluation.baselines.region import radiomics_region
from PCNSLSurvivalLib.evaluation.baselines.run import run_baseline
from PCNSLSurvivalLib.evaluation.predictions import write_predictions
from PCNSLSurvivalLib.experiment.job_table import PREDICTIONS, RECORD, UnitOutcome, is_finished
from PCNSLSurvivalLib.experiment.jobs import Unit
from PCNSLSurvivalLib.experiment.participants import participants
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.experiment.trained_networks import member_of

_FEATURES = "radiomics"
"""Folder of the radiomics features, which all units share."""


@dataclass(frozen=True, kw_only=True)
class UnitTask:
    """What a process, here or on another computer, needs to know to do one unit."""

    unit: Unit
    plan: ExperimentPlan
    cohort: Path
    second: Path | None
    out: Path
    device: str
    threads: int | None
    """Of the processor; the libraries' own choice if None."""


def do_unit(task: UnitTask) -> UnitOutcome:
    """Do one unit, or find it done. No error leaves this function."""
    begin = time.perf_counter()
    try:
        if is_finished(task.unit, task.out):
            return UnitOutcome(state="finished", found=True)
        _use_threads(task.threads)
        if task.unit.kind == "baseline":
            _baseline(task)
        elif task.unit.kind == "network":
            _network(task)
        else:
            _pretraining(task)
    except Exception as problem:  # whatever a damaged file brings about, the other units go on
        known = isinstance(problem, PCNSLSurvivalError)
        reason = str(problem) if known else f"A fault in this software ({type(problem).__name__}: {problem})."
        return UnitOutcome(
            state="failed",
            reason=reason,
            seconds=time.perf_counter() - begin,
            disk_full=tells_full_disk(problem),
        )
    return UnitOutcome(state="finished", seconds=time.perf_counter() - begin)


def lost_unit(task: UnitTask, reason: str) -> UnitOutcome:
    """The outcome of a unit whose process ended."""
    return UnitOutcome(state="failed", reason=reason)


def _use_threads(threads: int | None) -> None:
    if threads is not None:
        import torch

        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        torch.set_num_threads(threads)


def _baseline(task: UnitTask) -> None:
    unit, plan = task.unit, task.plan
    assert unit.fold is not None
    arm = baseline_arm(unit.arm)
    people = participants(read_prepared_cohort(task.cohort), plan.all_sequences, plan.threshold_days)
    everybody = (*people.labeled, *people.censored)
    step = None
    if arm.sequence is not None:
        step = RadiomicsStep(region=radiomics_region(everybody, plan.radiomics_region))
    table = baseline_table(arm, everybody, cache=task.out / _FEATURES, threshold_days=plan.threshold_days, step=step)
    predictions = run_baseline(arm.name, arm.classifier, table, unit.fold, seed=plan.seed)
    with whole_folder(unit.folder(task.out), overwrite=True) as folder:
        write_predictions([predictions], folder / PREDICTIONS)
        (folder / RECORD).write_text(json.dumps({"arm": unit.arm, "key": unit.key}) + "\n", encoding="utf-8")


def _network(task: UnitTask) -> None:
    # Baselines need neither torch nor MONAI, which take seconds to load.
    from PCNSLSurvivalLib.training.job import run_unit
    from PCNSLSurvivalLib.training.lineage import TrainedOn
    from PCNSLSurvivalLib.training.processes import training_processes

    unit, plan = task.unit, task.plan
    assert unit.fold is not None
    assert unit.sequence is not None
    assert unit.training is not None
    start, trained_on = None, None
    if unit.start is not None:
        folder = unit.start.folder(task.out)
        start = member_of(folder, plan.network)
        trained_on = TrainedOn.of_unit(json.loads((folder / RECORD).read_text(encoding="utf-8")))
    people = participants(read_prepared_cohort(task.cohort), plan.all_sequences, plan.threshold_days)
    with training_processes(task.device) as processes:
        run_unit(
            people.cohort,
            unit.fold,
            arm=unit.arm,
            sequences=(unit.sequence,),
            settings=plan.settings_of(unit.training),
            out=unit.folder(task.out),
            start=start,
            start_trained_on=trained_on,
            processes=processes,
        )


def _pretraining(task: UnitTask) -> None:
    from PCNSLSurvivalLib.experiment.full_cohort import train_on_everybody
    from PCNSLSurvivalLib.training.processes import training_processes

    assert task.second is not None
    assert task.unit.sequence is not None
    with training_processes(task.device) as processes:
        train_on_everybody(
            task.plan,
            read_prepared_cohort(task.second),
            task.unit.sequence,
            training="pretraining",
            arm=task.unit.arm,
            out=task.unit.folder(task.out),
            needs=task.plan.sequences,
            processes=processes,
        )
