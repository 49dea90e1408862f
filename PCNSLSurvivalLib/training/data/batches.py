"""The order of the patients in each pass, and their tensors on the device in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from PCNSLSurvivalLib.training.data.dataset import NetworkInputs
from PCNSLSurvivalLib.training.data.transforms import augment
from PCNSLSurvivalLib.training.processes import Processes
from PCNSLSurvivalLib.training.settings import TrainingSettings


def batches_of(names: Sequence[str], batch_size: int, rng: np.random.Generator) -> list[list[str]]:
    """Shuffle the names and cut them into equal batches: of several names none is alone, where normalization breaks.

    Args:
        names: All names of a pass, in an order of their own.
        batch_size: Most names in a batch, at least 2; of an odd number cut into pairs, one batch has three.
        rng: Random numbers of this pass.
    """
    order = rng.permutation(len(names))
    parts = np.array_split(order, batch_count(len(names), batch_size))
    return [[names[n] for n in part] for part in parts]


def batch_count(names: int, batch_size: int) -> int:
    """Into how many batches a pass is cut; the smallest holds ``names // batch_count`` names."""
    return max(1, min(-(-names // batch_size), names // 2))


def in_order(names: Sequence[str], batch_size: int) -> list[Sequence[str]]:
    """Cut names into batches as they stand, for asking a network: the last one may be small."""
    return [names[n : n + batch_size] for n in range(0, len(names), batch_size)]


def sample_generators(names: Sequence[str], numbers: dict[str, int], seed: Sequence[int], epoch: int) -> list:
    """One generator of random numbers for each sample, from the training, the pass and the patient's number alone."""
    return [np.random.default_rng([*seed, epoch, numbers[name] + 1]) for name in names]


def read_ahead(
    batches: Sequence[Sequence[str]], inputs: NetworkInputs, device: torch.device
) -> Iterator[tuple[Sequence[str], torch.Tensor]]:
    """The tensors of each batch on the device; on a GPU the next batch is read while one is computed."""
    if device.type != "cuda":
        for names in batches:
            yield names, torch.from_numpy(inputs.batch(names)).to(device)
        return

    def pinned(names: Sequence[str]) -> torch.Tensor:
        return torch.from_numpy(inputs.batch(names)).pin_memory()

    with ThreadPoolExecutor(max_workers=1) as reader:
        ahead = [reader.submit(pinned, names) for names in batches[:1]]
        for number, names in enumerate(batches):
            if number + 1 < len(batches):
                ahead.append(reader.submit(pinned, batches[number + 1]))
            yield names, ahead.pop(0).result().to(device, non_blocking=True)


def training_batches(
    train_cases: Sequence[str],
    inputs: NetworkInputs,
    settings: TrainingSettings,
    processes: Processes,
    *,
    seed: Sequence[int],
    epoch: int,
) -> Iterator[tuple[list[str], Sequence[str], torch.Tensor]]:
    """One pass: for each batch all its names, those of this process, and their augmented tensors on the device.

    Where the inputs have lesion masks, these are the last channel, moved with the scans.
    """
    numbers = {name: number for number, name in enumerate(sorted(train_cases))}
    whole = batches_of(sorted(train_cases), settings.batch_size, np.random.default_rng([*seed, epoch, 0]))
    mine = [names[processes.rank :: processes.count] for names in whole]
    for names, (own, tensors) in zip(whole, read_ahead(mine, inputs, processes.device), strict=True):
        generators = sample_generators(own, numbers, seed, epoch)
        moved = augment(tensors, inputs.grid, settings.augmentation, generators, masks=int(inputs.lesions))
        yield names, own, moved
