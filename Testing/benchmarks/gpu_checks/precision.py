"""Mixed precision against float32: loss curves of one seed, beside what another seed changes."""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from dataclasses import replace

from gpu_checks.section import Bench, Section
from gpu_checks.settings import TINY, TINY_GRID, paper_settings, processes_on, training_data, with_single_transforms
from PCNSLSurvivalLib.training.epochs import Epoch
from PCNSLSurvivalLib.training.loop import Checkpoint, train
from PCNSLSurvivalLib.training.settings import TrainingSettings

CPU_LIMIT = 1e-3
"""Largest difference of a training loss in float32 between two devices over three epochs, in nats."""


class EnoughError(Exception):
    """The time for this training is over."""


def run(bench: Bench, section: Section) -> None:
    """A tiny network on both devices, then the paper's in both precisions."""
    settings = with_single_transforms(paper_settings(small=bench.small))
    # A tenth of the learning rate: at the paper's, the first epochs differ from seed to seed more than they fall.
    settings = replace(settings, epochs=2 if bench.small else 8, learning_rate=1e-4)
    tiny = replace(settings, architecture=TINY, grid=TINY_GRID, epochs=2, precision="float32", batch_size=4)
    pair = [_losses(bench, tiny, name, device, 12, 30.0) for name, device in (("a", "cpu"), ("b", bench.device))]
    section.check("tiny network, float32 here and on the CPU, training loss", _gap(*pair, largest=True), CPU_LIMIT)
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
            training_data(bench, settings),
            settings,
            initial_weights=None,
            seed=(seed,),
            processes=processes_on(device),
            checkpoint=Checkpoint(path=path, identity=name, seconds=600.0),
            on_epoch=heard,
        )
    path.unlink(missing_ok=True)
    return losses


def _gap(one: list[float], other: list[float], *, largest: bool = False) -> float:
    """Mean or largest difference of the epochs that both have."""
    gaps = [abs(a - b) for a, b in zip(one, other, strict=False)]
    return max(gaps) if largest else statistics.mean(gaps)
