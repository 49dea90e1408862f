"""One job: one fold of one arm, from prepared scans to held-out predictions, in a folder of its own."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import numpy as np

from PCNSLSurvivalLib.cohorts.prepared_case_hash import identity_of
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.cohorts.shared_patients import KnownPatient
from PCNSLSurvivalLib.cohorts.splits import Fold, validation_split
from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.core.errors import OutputFolderError, TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.files import tells_full_disk, unfinished_folder
from PCNSLSurvivalLib.core.storage.locks import folder_lock
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.models.networks.devices import tells_memory_short
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.training.censoring import censoring_weights_of
from PCNSLSurvivalLib.training.data.dataset import LabeledCases, NetworkInputs, labeled_cases
from PCNSLSurvivalLib.training.epochs import Epoch, Trained, TrainingData
from PCNSLSurvivalLib.training.finished_job import (
    CHECKPOINT,
    JOB_VERSION,
    FinishedJob,
    is_training,
    known_job,
    write_job,
)
from PCNSLSurvivalLib.training.lineage import UNKNOWN, TrainedOn
from PCNSLSurvivalLib.training.logs import TrainingLog
from PCNSLSurvivalLib.training.loop import CHECKPOINT_SECONDS, Checkpoint, train
from PCNSLSurvivalLib.training.network import network_architecture
from PCNSLSurvivalLib.training.network_outputs import CasePredictions, predict_cases
from PCNSLSurvivalLib.training.outcome_loss import ClassLoss, OutcomeLoss, TimeLoss
from PCNSLSurvivalLib.training.processes import Processes
from PCNSLSurvivalLib.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class NetworkJob:
    """What one network is trained on, and how: all that decides its result beside scans and initial weights."""

    arm: str
    """Name of the method, for the table of predictions."""
    fold: Fold
    """Names of cases to train on and to hold back; none may be held back."""
    sequences: tuple[MRSequence, ...]
    """The network's channels."""
    settings: TrainingSettings


@dataclass(frozen=True, kw_only=True)
class StartingPoint:
    """The weights that a training starts from."""

    weights: Tensors | None = None
    """See ``models.networks.pretrained.load_initial_weights``; None trains from scratch."""
    trained_on: TrainedOn | None = None
    """On whom ``weights`` were trained; None where it is not known."""

    @property
    def lineage(self) -> TrainedOn:
        """On whom they were trained, for the record of the job."""
        if self.weights is None:
            return TrainedOn()
        return TrainedOn(origins=(UNKNOWN,)) if self.trained_on is None else self.trained_on

    @cached_property
    def sha256(self) -> str | None:
        """SHA-256 of the weights."""
        if self.weights is None:
            return None
        digest = hashlib.sha256()
        for name in sorted(self.weights):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(self.weights[name], dtype="<f4").tobytes())
        return digest.hexdigest()


FROM_SCRATCH = StartingPoint()


def run_job(
    cohort: PreparedCohort,
    job: NetworkJob,
    out: Path,
    *,
    start: StartingPoint = FROM_SCRATCH,
    processes: Processes | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> FinishedJob:
    """Train on one fold and predict what it held back; a finished job is read, an interrupted one continues.

    The cases of ``fold.test`` are read once, after the training: the epoch is chosen on a validation split of
    ``fold.train``. Nothing is taken from any other job, so that jobs give the same result in any order and number.

    Args:
        cohort: The prepared cohort.
        job: Arm, fold, sequences and settings.
        out: Folder to make. An unfinished job keeps its checkpoint beside it, in a hidden folder.
        start: Initial weights.
        processes: Who trains; this process alone, on the CPU, if left out.
        on_epoch: Called after each pass.
        checkpoint_seconds: Least time between two checkpoints.

    Returns:
        The finished job.

    Raises:
        TrainingError: ``out`` holds another job, or the training cannot be done.
        FoldError: A class has too few patients for a validation split.
        CohortError: A case has no OS class, or lacks a sequence.
    """
    processes = Processes() if processes is None else processes
    cases = labeled_cases(cohort, threshold_days=job.settings.threshold_days)
    classes = _classes(cases, job)
    in_fold = {*job.fold.train, *job.fold.test}
    inference_cases = (*job.fold.train, *job.fold.test, *(name for name in cases.without_class if name not in in_fold))
    weights = _weights(cohort, job, cases.without_class)
    identity = _identity(cohort, job, inference_cases, start, weights)
    if processes.share(out.is_dir() and any(out.iterdir())):
        return known_job(out, identity)
    unfinished = unfinished_folder(out)
    _make(unfinished, processes)
    alone: AbstractContextManager = folder_lock(out) if processes.first else nullcontext()
    with alone, _told_in_a_sentence():
        begin = time.perf_counter()
        seed = (job.settings.seed, job.fold.repeat, job.fold.fold)
        train_cases, validation_cases = _training_sides(cohort, job, cases, seed)
        inputs = _inputs(cohort, job, inference_cases, processes)
        data = TrainingData(
            inputs=inputs,
            classes=classes,
            train_cases=train_cases,
            validation_cases=validation_cases,
            outcome=_outcome(cohort, job, classes, train_cases, weights, processes),
        )
        with _logged(unfinished, on_epoch, processes) as heard:
            trained = train(
                data,
                job.settings,
                initial_weights=start.weights,
                seed=seed,
                processes=processes,
                checkpoint=Checkpoint(path=unfinished / CHECKPOINT, identity=identity, seconds=checkpoint_seconds),
                on_epoch=heard,
            )
        batch_size = job.settings.batch_size
        predicted = predict_cases(trained.network, inference_cases, inputs, processes, batch_size=batch_size)
        # Another computer that knew nothing of this one may have finished it meanwhile.
        if processes.first and not is_training(out):
            facts = _facts(cohort, job, data, start, trained, identity) | {
                "seconds_of_this_run": round(time.perf_counter() - begin, 1),
                "device": processes.device.type,
                "processes": processes.count,
            }
            write_job(
                out, unfinished, facts, trained, predicted, _held_out(job, predicted, classes, cases.without_class)
            )
        processes.wait()
    return known_job(out, identity)


def _weights(cohort: PreparedCohort, job: NetworkJob, without_class: Sequence[str]) -> Mapping[str, float]:
    """Weight of each training case that stands for censored ones as well; none if the settings want none."""
    if not job.settings.censoring_weights:
        return {}
    return censoring_weights_of(cohort, job.fold.train, without_class, job.settings.threshold_days)


@contextmanager
def _logged(
    unfinished: Path, on_epoch: Callable[[Epoch], None], processes: Processes
) -> Iterator[Callable[[Epoch], None]]:
    """Log the epochs and pass them on, in the first process; the others are silent."""
    if not processes.first:
        yield lambda epoch: None
        return
    with TrainingLog(unfinished) as write:

        def heard(epoch: Epoch) -> None:
            write(epoch)
            on_epoch(epoch)

        yield heard


def _facts(
    cohort: PreparedCohort, job: NetworkJob, data: TrainingData, start: StartingPoint, trained: Trained, identity: str
) -> dict[str, Any]:
    """What ``job.json`` keeps of a training: what it was made from, by whom, and how it went."""
    return {
        "made_by": "pcnsl-survival",
        "version": JOB_VERSION,
        "research_use_only": RESEARCH_USE_ONLY,
        "identity": identity,
        "arm": job.arm,
        "fold": job.fold.to_json(),
        "train_cases": list(data.train_cases),
        "validation_cases": list(data.validation_cases),
        "patients": [asdict(KnownPatient.of(cohort.exam(name))) for name in job.fold.train],
        "sequences": [str(sequence) for sequence in job.sequences],
        "settings": replace(job.settings, grid=data.inputs.grid).to_json(),
        "architecture": network_architecture(job.settings, len(job.sequences)).to_json(),
        "recipe_sha256": cohort.recipe.sha256,
        "initial_weights_sha256": start.sha256,
        **start.lineage.to_json(),
        "best_epoch": trained.best_epoch,
        "best_validation_loss": trained.best_loss,
        "epochs": len(trained.history),
        "samples_per_second": round(float(np.median([e.samples_per_second for e in trained.history])), 3),
        "torch": installed_version("torch"),
        "monai": installed_version("monai"),
    }


def _held_out(
    job: NetworkJob, predicted: CasePredictions, classes: Mapping[str, int], without_class: tuple[str, ...]
) -> FoldPredictions | None:
    """The predictions of the held-out cases; None without held-out cases."""
    if not job.fold.test:
        return None
    place = {name: number for number, name in enumerate(predicted.names)}
    judged = tuple(name for name in job.fold.test if name in classes)
    censored = tuple(name for name in without_class if name not in set(job.fold.train))
    rows, censored_rows = ([place[name] for name in names] for names in (judged, censored))
    head = job.settings.architecture.time_head
    survival = None if head is None else head.survival(predicted.log_odds, predicted.logits[:, 2:])
    return FoldPredictions(
        arm=job.arm,
        repeat=job.fold.repeat,
        fold=job.fold.fold,
        cases=judged,
        os_class=np.array([classes[name] for name in judged]),
        probability=predicted.probability[rows],
        censored=censored,
        censored_probability=predicted.probability[censored_rows],
        days=() if head is None else head.limits_days,
        survival=None if survival is None else survival[rows],
        censored_survival=None if survival is None else survival[censored_rows],
    )


def _training_sides(
    cohort: PreparedCohort, job: NetworkJob, cases: LabeledCases, seed: tuple[int, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cases to train on and cases to choose the epoch on; patients without a class are shared out as the others are."""
    share = job.settings.validation_share
    train, validation = validation_split(*cases.of(job.fold.train), share=share, seed=_validation_seed(seed))
    labeled = {*train, *validation}
    censored = {name: cohort.exam(name).patient_id for name in job.fold.train if name not in labeled}
    if not censored:
        return train, validation
    (trains, validates) = ({cohort.exam(name).patient_id for name in names} for names in (train, validation))
    new = sorted(set(censored.values()) - trains - validates)
    order = np.random.default_rng([*seed, 2]).permutation(len(new))
    validates |= {new[place] for place in order[: round(share * len(new))]}
    return (
        (*train, *(name for name, person in censored.items() if person not in validates)),
        (*validation, *(name for name, person in censored.items() if person in validates)),
    )


def _outcome(
    cohort: PreparedCohort,
    job: NetworkJob,
    classes: Mapping[str, int],
    train_cases: tuple[str, ...],
    weights: Mapping[str, float],
    processes: Processes,
) -> OutcomeLoss:
    """What the network is to be right about."""
    head = job.settings.architecture.time_head
    if head is None:
        return ClassLoss(classes, train_cases, job.settings, weights, processes.device)
    exams = [cohort.exam(name) for name in job.fold.train]
    if any(exam.os_days is None for exam in exams):
        raise TrainingError(Message("training.time_needs_follow_up"))
    survival = {exam.name: (float(exam.os_days or 0.0), bool(exam.death_observed)) for exam in exams}
    return TimeLoss(head, survival, processes.device)


def _classes(cases: LabeledCases, job: NetworkJob) -> dict[str, int]:
    """OS class by name of the fold's cases; a time head learns from patients without a class, too."""
    classes, fold, by_time = cases.class_of(), job.fold, job.settings.architecture.time_head is not None
    if not by_time and any(name not in classes for name in (*fold.train, *fold.test)):
        raise TrainingError(Message("training.case_without_class"))
    patient = cases.patient_of()
    if {patient[name] for name in fold.train} & {patient[name] for name in fold.test}:
        raise TrainingError(Message("training.patient_on_both_sides"))
    return {name: classes[name] for name in (*fold.train, *fold.test) if name in classes}


def _identity(
    cohort: PreparedCohort,
    job: NetworkJob,
    inference_cases: tuple[str, ...],
    start: StartingPoint,
    weights: Mapping[str, float],
) -> str:
    """SHA-256 of all that decides the result, the scans of all patients included."""
    threshold, by_time = job.settings.threshold_days, job.settings.architecture.time_head is not None
    facts = {
        "version": [JOB_VERSION, version.__version__],
        "recipe": cohort.recipe.sha256,
        "fold": job.fold.to_json(),
        "cases": {name: identity_of(cohort.exam(name), threshold, by_time=by_time) for name in inference_cases},
        "arm": job.arm,
        "sequences": list(job.sequences),
        "settings": job.settings.to_json(),
        **job.settings.revisions,
        "start": start.sha256,
        "weights": dict(weights),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _validation_seed(seed: tuple[int, ...]) -> int:
    return int(np.random.SeedSequence([*seed, 1]).generate_state(1, np.uint32)[0])


@contextmanager
def _told_in_a_sentence() -> Iterator[None]:
    """What the computer runs out of is no fault of this software."""
    try:
        yield
    except RuntimeError as problem:
        if not tells_memory_short(problem):
            raise
        raise TrainingError(Message("training.gpu_memory_full")) from problem
    except OSError as problem:
        if not tells_full_disk(problem):
            raise
        raise OutputFolderError(Message("files.disk_full")) from problem


def _make(unfinished: Path, processes: Processes) -> None:
    try:
        if processes.first:
            unfinished.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise OutputFolderError(Message("files.output_not_writable", reason=reason)) from problem
    processes.wait()


def _inputs(
    cohort: PreparedCohort, job: NetworkJob, inference_cases: tuple[str, ...], processes: Processes
) -> NetworkInputs:
    """The first process makes the arrays that are not there yet, then all map them."""
    if not processes.first:
        processes.wait()
    settings = job.settings
    inputs = NetworkInputs(cohort, job.sequences, settings.grid, names=inference_cases, lesions=settings.uses_lesions)
    if processes.first:
        processes.wait()
    return inputs
