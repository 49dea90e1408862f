"""Augmented samples per second that reach the GPU: our data path beside MONAI's CacheDataset with ThreadDataLoader."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable

import torch
from monai.data import CacheDataset, ThreadDataLoader
from monai.transforms import Compose

from gpu_checks.section import Bench, Section
from gpu_checks.settings import TINY_GRID, processes_on
from gpu_checks.stock_augmentation import stock_transforms
from gpu_checks.timing import rates
from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings
from PCNSLSurvivalLib.training.data.batches import training_batches
from PCNSLSurvivalLib.training.data.dataset import NetworkInputs
from PCNSLSurvivalLib.training.settings import TrainingSettings

_REPEATS = 3


def run(bench: Bench, section: Section) -> None:
    """Each path in turn, several times; the first round loads kernels and is left out."""
    cohort = read_prepared_cohort(bench.patients)
    names = [exam.name for exam in cohort.exams][: 8 if bench.small else 16]
    inputs = NetworkInputs(cohort, (MRSequence.T1GD,), TINY_GRID if bench.small else None, names=names)
    settings = TrainingSettings(batch_size=8)
    processes = processes_on(bench.device)
    device = processes.device

    def ours() -> Iterable[torch.Tensor]:
        for _, _, tensors in training_batches(names, inputs, settings, processes, seed=(1,), epoch=0):
            yield tensors

    def stock(*, on_device: bool, elastic: bool) -> Callable[[], Iterable[torch.Tensor]]:
        def load(name: str) -> torch.Tensor:
            tensor = torch.from_numpy(inputs.case(name))
            return tensor.to(device) if on_device else tensor

        where = device if on_device else None
        random = stock_transforms(AugmentationSettings(), inputs.grid, elastic=elastic, device=where)
        data = CacheDataset(names, Compose([load, *random]), progress=False, num_workers=4)

        def batches() -> Iterable[torch.Tensor]:
            for batch in ThreadDataLoader(data, batch_size=8, shuffle=True, num_workers=0, buffer_size=1):
                yield batch.to(device, non_blocking=True)

        return batches

    paths = {
        "ours": ours,
        "MONAI, cached and augmented on the device": stock(on_device=True, elastic=True),
        "the same without elastic deformation": stock(on_device=True, elastic=False),
        "MONAI, augmented on the CPU, without elastic deformation": stock(on_device=False, elastic=False),
    }
    took: dict[str, list[float]] = {name: [] for name in paths}
    for number in range(1 + (2 if bench.small else _REPEATS)):
        for name, path in paths.items():
            seconds = _seconds(path(), bench.device, len(names))
            if number:
                took[name].append(seconds)
                section.figures[name] = rates(took[name], len(names))
    for name, seconds in took.items():
        times = statistics.median(b / a for a, b in zip(took["ours"], seconds, strict=True))
        section.note(name, rates(seconds, len(names)) | {"ours is faster by": times})


def _seconds(batches: Iterable[torch.Tensor], device: str, samples: int) -> float:
    begin, drawn = time.perf_counter(), 0
    for batch in batches:
        drawn += len(batch)
    if device == "cuda":
        torch.cuda.synchronize()
    assert drawn == samples, drawn
    return time.perf_counter() - begin
