"""One job: one fold of one arm, from prepared scans to held-out predictions, in a folder of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from PCNSLSurvivalLib.cohorts.prepared_case_hash import identity_of
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.cohorts.shared_patients import KnownPatient
from PCNSLSurvivalLib.cohorts.splits import Fold, validation_split
from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.core.errors import OutputFolderError, TrainingError
from PCNSLSurvivalLib.core.files import tells_full_disk, unfinished_folder, whole_folder
from PCNSLSurvivalLib.core.locks import folder_lock
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, read_predictions, write_predictions
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.resnet3d import tensors_of
from PCNSLSurvivalLib.models.networks.weights_file import Tensors, write_weights
from PCNSLSurvivalLib.training.dataset import LabeledCases, NetworkInputs, labeled_cases
from PCNSLSurvivalLib.training.job_record import RECORD, read_record
from PCNSLSurvivalLib.training.lineage import TrainedOn
from PCNSLSurvivalLib.training.logs import TrainingLog
from PCNSLSurvivalLib.training.loop import CHECKPOINT_SECONDS, Checkpoint, Epoch, Trained, TrainingData, train
from PCNSLSurvivalLib.training.network import network_architecture
from PCNSLSurvivalLib.training.network_outputs import CasePredictions, predict_cases
from PCNSLSurvivalLib.training.processes import Processes
from PCNSLSurvivalLib.training.settings import TrainingSettings

PREDICTIONS, MEMBER = "predictions.csv", "member.safetensors"
OUTPUTS, _FORMER_OUTPUTS = "network_outputs.npz", "answers.npz"
CHECKPOINT = "checkpoint.pt"
_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class FinishedJob:
    """A job read back from its folder."""

    folder: Path
    facts: dict[str, Any]
    """What ``job.json`` holds."""
    predictions: FoldPredictions | None
    """Of the held-out cases; None for a job without held-out cases."""
    names: tuple[str, ...]
    """Every case of the inference, including the training cases."""
    held_out: NDArray[np.bool_]
    log_odds: NDArray[np.float64]
    features: NDArray[np.float32]

    @property
    def architecture(self) -> ResNetArchitecture:
        """The network's."""
        return ResNetArchitecture.from_json(self.facts["architecture"])


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
        return TrainedOn(unknown=True) if self.trained_on is None else self.trained_on

    @property
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
    classes = _classes(cases, job.fold)
    inference_cases = (*job.fold.train, *job.fold.test, *cases.without_class)
    identity = _identity(cohort, job, inference_cases, start)
    if processes.share(out.is_dir() and any(out.iterdir())):
        return _found(out, identity)
    unfinished = unfinished_folder(out)
    _make(unfinished, processes)
    alone: AbstractContextManager = folder_lock(out) if processes.first else nullcontext()
    with alone, _told_in_a_sentence():
        begin = time.perf_counter()
        seed = (job.settings.seed, job.fold.repeat, job.fold.fold)
        train_cases, validation_cases = validation_split(
            *cases.of(job.fold.train), share=job.settings.validation_share, seed=_validation_seed(seed)
        )
        inputs = _inputs(cohort, job, inference_cases, processes)
        data = TrainingData(inputs=inputs, classes=classes, train_cases=train_cases, validation_cases=validation_cases)
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
            _write(out, unfinished, facts, trained, predicted, _held_out(job, predicted, classes, cases.without_class))
        processes.wait()
    return _found(out, identity)


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
        "version": _VERSION,
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
    probability = dict(zip(predicted.names, predicted.probability, strict=True))
    return FoldPredictions(
        arm=job.arm,
        repeat=job.fold.repeat,
        fold=job.fold.fold,
        cases=job.fold.test,
        os_class=np.array([classes[name] for name in job.fold.test]),
        probability=np.array([probability[name] for name in job.fold.test]),
        censored=without_class,
        censored_probability=np.array([probability[name] for name in without_class]),
    )


def read_job(folder: Path) -> FinishedJob:
    """Read a finished job.

    Raises:
        TrainingError: The folder is no finished job.
    """
    try:
        facts = read_record(folder)
        if facts["version"] not in (1, _VERSION):
            raise ValueError("version")
        outputs = folder / (OUTPUTS if facts["version"] == _VERSION else _FORMER_OUTPUTS)
        with np.load(outputs, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in ("names", "held_out", "log_odds", "features")}
    except (OSError, ValueError, KeyError) as problem:
        raise TrainingError(
            "The folder of a training is damaged, or of another version of this software. Choose another folder; or "
            "delete it, if it is not needed, and run the same command again."
        ) from problem
    predictions = read_predictions(folder / PREDICTIONS)[0] if (folder / PREDICTIONS).is_file() else None
    names = tuple(str(name) for name in arrays.pop("names"))
    return FinishedJob(folder=folder, facts=facts, predictions=predictions, names=names, **arrays)


def _classes(cases: LabeledCases, fold: Fold) -> dict[str, int]:
    classes = cases.class_of()
    if any(name not in classes for name in (*fold.train, *fold.test)):
        raise TrainingError(
            "The fold names a case without an OS class: its survival is unknown or was censored by the threshold. "
            "Make the folds from the labeled cases of this cohort with the same threshold."
        )
    patient = dict(zip(cases.names, cases.patients, strict=True))
    if {patient[name] for name in fold.train} & {patient[name] for name in fold.test}:
        raise TrainingError("A patient is on both sides of the fold. Make the folds by patient.")
    return {name: classes[name] for name in (*fold.train, *fold.test)}


def _identity(cohort: PreparedCohort, job: NetworkJob, inference_cases: tuple[str, ...], start: StartingPoint) -> str:
    """SHA-256 of all that decides the result, the scans of all patients included."""
    threshold = job.settings.threshold_days
    facts = {
        "version": [_VERSION, version.__version__],
        "recipe": cohort.recipe.sha256,
        "fold": job.fold.to_json(),
        "cases": {name: identity_of(cohort.exam(name), threshold) for name in inference_cases},
        "arm": job.arm,
        "sequences": list(job.sequences),
        "settings": job.settings.to_json(),
        "start": start.sha256,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _validation_seed(seed: tuple[int, ...]) -> int:
    return int(np.random.SeedSequence([*seed, 1]).generate_state(1, np.uint32)[0])


def is_training(folder: Path) -> bool:
    """Whether a folder is one that a training left, and not somebody else's."""
    try:
        return read_record(folder).get("made_by") == "pcnsl-survival"
    except (OSError, ValueError):
        return False


def _found(out: Path, identity: str) -> FinishedJob:
    if not is_training(out):
        raise OutputFolderError(
            "The output folder already holds other files; nothing was changed. Choose an empty folder with --out."
        )
    job = read_job(out)
    if job.facts["identity"] != identity:
        raise TrainingError(
            "The output folder holds a training with other settings, patients or scans, or by another version of this "
            "software; nothing was changed. Choose another output folder."
        )
    shutil.rmtree(unfinished_folder(out), ignore_errors=True)
    return job


@contextmanager
def _told_in_a_sentence() -> Iterator[None]:
    """What the computer runs out of is no fault of this software."""
    try:
        yield
    except torch.OutOfMemoryError as problem:
        raise TrainingError(
            "The memory of the GPU is full. Choose a smaller 'batch_size' or a smaller block ('network_grid') in the "
            "experiment file, or --device cpu, and run the command again."
        ) from problem
    except OSError as problem:
        if not tells_full_disk(problem):
            raise
        raise OutputFolderError(
            "The disk of the output folder is full. Free some space and run the same command again; training resumes "
            "from its last checkpoint."
        ) from problem


def _make(unfinished: Path, processes: Processes) -> None:
    try:
        if processes.first:
            unfinished.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise OutputFolderError(
            f"The output folder cannot be written ({problem.strerror}). Choose another and run the command again."
        ) from problem
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


def _write(
    out: Path,
    unfinished: Path,
    facts: dict[str, Any],
    trained: Trained,
    predicted: CasePredictions,
    predictions: FoldPredictions | None,
) -> None:
    held_out = np.array([name not in set(facts["fold"]["train"]) for name in predicted.names])
    with whole_folder(out) as staging:
        for entry in unfinished.iterdir():
            if not entry.name.lstrip(".").startswith(CHECKPOINT):
                (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, staging / entry.name)
        write_weights(tensors_of(trained.network), staging / MEMBER)
        np.savez(
            staging / OUTPUTS,
            names=np.array(predicted.names),
            held_out=held_out,
            log_odds=predicted.log_odds,
            features=predicted.features,
        )
        if predictions is not None:
            write_predictions([predictions], staging / PREDICTIONS)
        (staging / RECORD).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        for path in staging.rglob("*"):
            if path.is_file():
                with path.open("rb") as stream:
                    os.fsync(stream.fileno())
    shutil.rmtree(unfinished, ignore_errors=True)
