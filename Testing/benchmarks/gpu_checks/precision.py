"""One training step in float32 on both devices; then mixed precision against float32, beside another seed.

The loss after some epochs does not tell two devices apart. Adam's first steps follow the sign of a gradient, and
rounding changes some of the signs. On the CPU alone, a millionth of noise in the gradients changed the loss of the
second epoch by 0.0004 to 0.006. The gradients of the first batch do tell. In float32 they differ from float64 by at
most 0.0001 of their length, where TF32 rounds by 0.035 or more (the tiny network on the CPU, three seeds).
"""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from dataclasses import replace

import torch
from torch.nn import functional

from gpu_checks.section import Bench, Section
from gpu_checks.settings import TINY, TINY_GRID, paper_settings, processes_on, training_data, with_single_transforms
from PCNSLSurvivalLib.models.networks.devices import reproducible_float32
from PCNSLSurvivalLib.training.data.batches import training_batches
from PCNSLSurvivalLib.training.epochs import Epoch
from PCNSLSurvivalLib.training.loop import Checkpoint, train
from PCNSLSurvivalLib.training.network import build_network
from PCNSLSurvivalLib.training.settings import TrainingSettings

LOSS_LIMIT, GRADIENT_LIMIT = 2e-5, 1e-3
"""Largest differences of one step in float32 between two devices: of the loss in nats, of the gradients as a share."""


class EnoughError(Exception):
    """The time for this training is over."""


def run(bench: Bench, section: Section) -> None:
    """A tiny network on both devices, then the paper's in both precisions."""
    settings = with_single_transforms(paper_settings(small=bench.small))
    # A tenth of the learning rate: at the paper's, the first epochs differ from seed to seed more than they fall.
    settings = replace(settings, epochs=2 if bench.small else 8, learning_rate=1e-4)
    tiny = replace(settings, architecture=TINY, grid=TINY_GRID, epochs=2, precision="float32", batch_size=4)
    pair = [_losses(bench, tiny, name, device, 12, 30.0) for name, device in (("a", "cpu"), ("b", bench.device))]
    section.note("tiny network, float32 here and on the CPU, loss of two epochs, difference", _gap(*pair))
    (loss, gradients), (loss_here, gradients_here) = (_step(bench, tiny, device) for device in ("cpu", bench.device))
    section.check("tiny network, float32 here and on the CPU, loss of a batch", abs(loss - loss_here), LOSS_LIMIT)
    apart = float((gradients - gradients_here).norm() / gradients.norm())
    section.check("tiny network, float32 here and on the CPU, gradients of a batch", apart, GRADIENT_LIMIT)
    plain = replace(settings, precision="float32")
    curves: dict[str, list[float]] = {}
    runs = {
        "mixed": (settings, 1),
        "float32": (plain, 1),
        "float32 again": (plain, 1),
        "float32, another seed": (plain, 2),
    }
    for number, (name, (chosen, seed)) in enumerate(runs.items()):
        begin = time.monotonic()
        curves[name] = _losses(bench, chosen, name, bench.device, seed, section.left / (len(runs) - number) - 0.5)
        section.note(f"{name}, seconds", time.monotonic() - begin)
        section.note(f"{name}, training loss", curves[name])
    mixed, again, other = (
        _gap(curves["float32"], curves[name]) for name in ("mixed", "float32 again", "float32, another seed")
    )
    section.note("mean difference to float32", {"mixed": mixed, "float32 again": again, "another seed": other})
    section.check("mixed precision differs from float32, mean of the training losses", mixed, max(other, 1e-6))


def _losses(bench: Bench, settings: TrainingSettings, name: str, device: str, seed: int, seconds: float) -> list[float]:
    """Training loss of each epoch, until the time is over."""
    begin, losses = time.monotonic(), []

    def heard(epoch: Epoch) -> None:
        losses.append(epoch.train_loss)
        if time.monotonic() - begin > seconds:
            raise EnoughError

    path = bench.work / f"precision {name} {settings.architecture.name}.pt"
    with suppress(EnoughError):
        train(
            training_data(bench, settings, processes_on(device).device),
            settings,
            initial_weights=None,
            seed=(seed,),
            processes=processes_on(device),
            checkpoint=Checkpoint(path=path, identity=name, seconds=600.0),
            on_epoch=heard,
        )
    path.unlink(missing_ok=True)
    return losses


def _step(bench: Bench, settings: TrainingSettings, device: str) -> tuple[float, torch.Tensor]:
    """Loss of the first augmented batch, and all its gradients in one row, in float64 on the CPU."""
    processes = processes_on(device)
    data = training_data(bench, settings, processes.device)
    network = build_network(settings, 1, None, seed=12).to(processes.device).train()
    _, names, tensors = next(training_batches(data.train_cases, data.inputs, settings, processes, seed=(12,), epoch=0))
    target = torch.tensor([data.classes[name] for name in names], device=processes.device)
    with reproducible_float32():
        loss = functional.cross_entropy(network(tensors), target)
        loss.backward()
    return loss.item(), torch.cat([p.grad.double().cpu().flatten() for p in network.parameters() if p.grad is not None])


def _gap(one: list[float], other: list[float]) -> float:
    """Mean difference of the epochs that both have."""
    return statistics.mean(abs(a - b) for a, b in zip(one, other, strict=False))
