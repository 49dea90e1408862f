"""A training killed and started again ends where one that ran through ends.

Max-pooling adds its gradients in no fixed order on CUDA, so that two trainings of one seed differ in the last digits,
and more with every step. What a kill changes is therefore held against what two undisturbed trainings differ in.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from gpu_checks.section import Bench, Section
from gpu_checks.settings import paper_settings, processes_on, training_data, with_single_transforms
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.checkpoints import read_checkpoint
from PCNSLSurvivalLib.training.epochs import Epoch
from PCNSLSurvivalLib.training.loop import Checkpoint, train
from PCNSLSurvivalLib.training.settings import TrainingSettings

_EPOCHS, _KILLED_AFTER = 5, 2
LEAST_LIMIT, TIMES_THE_NOISE = 1e-6, 3.0


def run(bench: Bench, section: Section) -> None:
    """Two trainings run through, a third is killed; it is started again and compared."""
    files = {name: bench.work / f"{name}.pt" for name in ("through", "through again", "killed")}
    running = {name: _start(bench, path) for name, path in files.items()}
    try:
        for number, _ in enumerate(_epochs(running["killed"])):
            if number + 1 == _KILLED_AFTER:
                running["killed"].send_signal(signal.SIGKILL)
                break
        section.check("ended otherwise than by the kill", int(running["killed"].wait() != -signal.SIGKILL), 0)
        state = read_checkpoint(files["killed"])
        kept = 0 if state is None else len(state["history"])
        section.check("epochs in the checkpoint less than those finished", _KILLED_AFTER - 1 - kept, 0)
        section.note("killed after epochs", kept)
        running["killed"] = _start(bench, files["killed"])
        losses = {name: [row["train_loss"] for row in _epochs(process)] for name, process in running.items()}
        for name, process in running.items():
            if process.wait():
                raise RuntimeError(f"The training '{name}' failed; the reason stands above.")
    finally:
        for process in running.values():
            process.kill()
    section.note("training losses", losses)
    weights = {name: _weights(path) for name, path in files.items()}
    noise = _apart(weights["through"], weights["through again"])
    resumed = _apart(weights["through"], weights["killed"])
    section.note("relative distance of the weights", {"two undisturbed": noise, "killed and undisturbed": resumed})
    limit = max(LEAST_LIMIT, TIMES_THE_NOISE * noise)
    section.check("final weights of the killed training, relative distance", resumed, limit)


def train_here(patients: Path, checkpoint: Path, *, small: bool) -> None:
    """The training of one process; prints each epoch as JSON."""
    bench = Bench(work=patients.parent, small=small)
    if small:
        torch.set_num_threads(1)
    settings = _settings(small=small)

    def heard(epoch: Epoch) -> None:
        print(json.dumps(asdict(epoch)), flush=True)
        if not small:
            time.sleep(0.1)  # so that the kill meets a training that still runs

    train(
        training_data(bench, settings, processes_on(bench.device).device),
        settings,
        initial_weights=None,
        seed=(7,),
        processes=processes_on(bench.device),
        checkpoint=Checkpoint(path=checkpoint, identity="resume", seconds=0.0),
        on_epoch=heard,
    )


def _settings(*, small: bool) -> TrainingSettings:
    settings = replace(with_single_transforms(paper_settings(small=small)), epochs=_EPOCHS)
    if small:
        return settings
    grid = NetworkGridStep(size=(64, 64, 64), spacing_mm=(3.0, 3.0, 3.0))
    return replace(settings, architecture=ResNetArchitecture(depth=10, widen_factor=0.25), grid=grid)


def _start(bench: Bench, checkpoint: Path) -> subprocess.Popen[str]:
    script = Path(__file__).resolve().parents[1] / "check_gpu.py"
    words = [sys.executable, str(script), "--train", str(bench.patients), str(checkpoint)]
    return subprocess.Popen([*words, "--small"] if bench.small else words, stdout=subprocess.PIPE, text=True)


def _epochs(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            yield json.loads(line)


def _weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    """The network at the end of a training."""
    state = read_checkpoint(checkpoint)
    if state is None or len(state["history"]) != _EPOCHS:
        raise RuntimeError("A training of the comparison did not end.")
    return {name: tensor.double() for name, tensor in state["network"].items() if tensor.is_floating_point()}


def _apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """Distance of two networks over the length of the first."""
    square = sum(float((one[name] - other[name]).square().sum()) for name in one)
    return float((square / sum(float(tensor.square().sum()) for tensor in one.values())) ** 0.5)
