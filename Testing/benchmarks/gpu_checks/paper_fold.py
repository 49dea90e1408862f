"""One fold of the paper's ResNet-50 through the library's own training: speed, use of the GPU, cost of a grid."""

from __future__ import annotations

import math
import shutil
import statistics
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import torch

from gpu_checks.section import Bench, Section
from gpu_checks.settings import fold_of, paper_plan, paper_settings, processes_on, with_single_transforms
from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.training.epochs import Epoch
from PCNSLSurvivalLib.training.job import NetworkJob, run_job
from PCNSLSurvivalLib.training.settings import TrainingSettings

PATIENTS, PRETRAINING_PATIENTS = 100, 236
"""Of the extrapolation: a cohort with a class, and the glioma patients of BraTS 2020 whose survival is known."""
_EPOCHS = 6


class EnoughError(Exception):
    """The time for this training is over."""


def run(bench: Bench, section: Section) -> None:
    """The paper's augmentation by MONAI's transforms, then the same ranges in one interpolation."""
    paper = paper_settings(small=bench.small)
    kinds = {"paper": paper, "paper, one interpolation": with_single_transforms(paper)}
    for number, (name, settings) in enumerate(kinds.items()):
        _fold(bench, section, name, settings, seconds=section.left / (len(kinds) - number) - 1)


def _fold(bench: Bench, section: Section, name: str, settings: TrainingSettings, *, seconds: float) -> None:
    cohort = read_prepared_cohort(bench.patients)
    fold = fold_of(cohort)
    job = NetworkJob(
        arm="t1gd_scratch",
        fold=fold,
        sequences=(MRSequence.T1GD,),
        settings=replace(settings, epochs=2 if bench.small else _EPOCHS),
    )
    begin, epochs, ends = time.monotonic(), [], []

    def heard(epoch: Epoch) -> None:
        epochs.append(epoch)
        ends.append(time.monotonic())
        if time.monotonic() - begin > seconds:
            raise EnoughError

    if bench.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    finished = None
    with GPUUse(bench.work / "gpu_use.txt") as use:
        try:
            finished = run_job(cohort, job, bench.work / name, processes=processes_on(bench.device), on_epoch=heard)
        except EnoughError:
            section.note(f"{name}, stopped after epochs", len(epochs))
    if finished is not None:
        wrong = sum(not math.isfinite(value) for value in finished.log_odds)
        section.check(f"{name}, predictions that are no number", wrong, 0)
        facts = finished.facts
        section.note(
            f"{name}, patients",
            {
                "train": len(facts["train_cases"]),
                "validation": len(facts["validation_cases"]),
                "held out": len(fold.test),
            },
        )
    section.note(f"{name}, training loss", [epoch.train_loss for epoch in epochs])
    warm = epochs[1:]
    section.note(f"{name}, samples per second, by epoch", [epoch.samples_per_second for epoch in epochs])
    section.note(f"{name}, seconds of the first epoch", epochs[0].seconds)
    section.note(f"{name}, use of the GPU in percent", use.percent(ends[0], ends[-1]))
    if bench.device == "cuda":
        section.note(f"{name}, peak GiB", torch.cuda.max_memory_allocated() / 2**30)
    if not warm:
        section.note(f"{name}, extrapolated", "not possible: the time sufficed for one epoch")
        return
    rate = statistics.median(epoch.samples_per_second for epoch in warm)
    beside = statistics.median(
        end - start - epoch.seconds for start, end, epoch in zip(ends, ends[1:], warm, strict=False)
    )
    section.note(f"{name}, samples per second", rate)
    section.note(f"{name}, seconds per epoch beside the training pass", beside)
    validated = settings.validation_share * len(fold.train)
    section.note(f"{name}, extrapolated", _extrapolated(settings, rate, beside / validated))


def _extrapolated(settings: TrainingSettings, rate: float, beside: float) -> dict[str, float | str]:
    """Hours of a fold and of the grid, if every training runs all its epochs."""
    plan = paper_plan()

    def hours(patients: float) -> float:
        fitted, validated = (1 - settings.validation_share) * patients, settings.validation_share * patients
        return settings.epochs * (fitted / rate + validated * beside) / 3600

    fold = hours(PATIENTS * (1 - 1 / plan.splits))
    folds = len(plan.networks) * plan.splits * plan.repeats
    grid = folds * fold + len(plan.sequences) * hours(PRETRAINING_PATIENTS)
    return {
        "is": "an extrapolation from seconds per sample; all epochs, no early stopping",
        "patients": PATIENTS,
        "epochs": settings.epochs,
        "hours per fold": fold,
        "folds": folds,
        "hours of the grid": grid,
    }


class GPUUse:
    """What ``nvidia-smi`` says of the GPU, five times a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> GPUUse:
        self._begin = time.monotonic()
        if shutil.which("nvidia-smi"):
            words = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200"]
            with self._path.open("wb") as stream:
                self._process = subprocess.Popen(words, stdout=stream, stderr=subprocess.DEVNULL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end = time.monotonic()
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def percent(self, start: float, end: float) -> dict[str, float] | str:
        """Mean and median between two moments; the samples are taken to lie evenly."""
        if self._process is None:
            return "not measured: there is no nvidia-smi"
        values = [float(word) for word in self._path.read_text().split() if word.isdigit()]
        length = self._end - self._begin
        first, last = (int(len(values) * (moment - self._begin) / length) for moment in (start, end))
        chosen = values[first:last]
        if not chosen:
            return "not measured: too short"
        return {"mean": statistics.mean(chosen), "median": statistics.median(chosen), "samples": len(chosen)}
