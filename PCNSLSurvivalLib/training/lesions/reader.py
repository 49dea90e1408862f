"""Training of the lesion reader on random virtual heads: no file of a patient; one core is enough."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from PCNSLSurvivalLib.core.storage.files import whole_file
from PCNSLSurvivalLib.models.networks.lesion_unet import CLASSES, LesionUNet
from PCNSLSurvivalLib.phantoms.random_fields import stream
from PCNSLSurvivalLib.phantoms.randomized import Anatomies, RandomHead, draw_head

EDGE = 64
"""Voxels along each edge of the blocks the network learns from."""
EVERY = 100
"""Steps from one checkpoint to the next."""
Bools = NDArray[np.bool_]
Arrays = tuple[NDArray[np.float32], NDArray[np.int64], Bools]
_CLASS_WEIGHTS = (1.0, 2.0, 1.0, 1.0)
_AVERAGED = 0.995


@dataclass(frozen=True, kw_only=True)
class ReaderPlan:
    """Everything that decides the weights of a lesion reader.

    Attributes:
        seed: Of people, heads, weights and augmentation.
        start: Where the first weights come from.
        people: How many virtual people the heads are made of.
        steps: Optimizer steps.
        heads_per_step: Heads in each step, two blocks of each.
        reuse: Steps per generated head; between new heads, earlier ones return, augmented.
        kept: How many earlier heads can return.
        learning_rate: Of Adam; it falls to zero over the last ``cooling`` steps.
        warming: Steps over which it rises.
        cooling: Steps over which it falls.
    """

    seed: int = 20261130
    start: str = "random weights"
    people: int = 16
    steps: int = 20_000
    heads_per_step: int = 1
    reuse: int = 8
    kept: int = 120
    learning_rate: float = 3e-3
    warming: int = 50
    cooling: int = 1000


@dataclass(frozen=True, eq=False)
class Example:
    """One head cut to its brain: (I, J, K) values, brain share in 255ths, and number of the class."""

    image: NDArray[np.float16]
    brain: NDArray[np.uint8]
    label: NDArray[np.uint8]

    @classmethod
    def of(cls, head: RandomHead) -> Example:
        """Pack a random head."""
        label = np.zeros(head.image.shape, np.uint8)
        label[head.structures] = 3
        label[head.core] = 2
        label[head.enhancing] = 1
        box = brain_box(head.brain > 0)
        brain = np.rint(255 * head.brain[box]).astype(np.uint8)
        return cls(head.image[box].astype(np.float16), brain, label[box])


def brain_box(brain: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    """The smallest block that holds the brain."""
    where = np.argwhere(brain)
    if not len(where):
        return (slice(0, 1), slice(0, 1), slice(0, 1))
    i, j, k = (slice(int(a), int(b) + 1) for a, b in zip(where.min(axis=0), where.max(axis=0), strict=True))
    return i, j, k


def train_reader(
    plan: ReaderPlan,
    people: Path,
    folder: Path,
    *,
    initial: Mapping[str, Tensor] | None = None,
    device: torch.device | None = None,
    workers: int = 0,
    report: Callable[[int, float, float], None] | None = None,
) -> LesionUNet:
    """Train, or go on from the checkpoint in ``folder``.

    Only ``steps`` may change between two runs of one folder, as long as the last ``cooling`` steps lie ahead: the
    weights are then those of a run with the later number from the start.

    Args:
        plan: Everything that decides the weights, on one kind of machine.
        people: Folder of the virtual people, made if they are not there.
        folder: Keeps the checkpoint and the heads.
        initial: Weights to start from, as ``plan.start`` names them; random ones if left out.
        device: Where to train; the CPU if left out.
        workers: Processes that make heads and blocks ahead; none if 0.
        report: Called every ``EVERY`` steps with step, loss and Dice of enhancing tumor, means over five of them.

    Returns:
        The network with averaged weights, on the CPU, ready to predict.
    """
    device = device or torch.device("cpu")
    torch.manual_seed(plan.seed)
    network = LesionUNet()
    if initial is not None:
        network.load_state_dict(dict(initial))
    averaged = LesionUNet()
    averaged.load_state_dict(network.state_dict())
    network, averaged = network.to(device), averaged.to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=1e-4)
    start = _resume(folder / "checkpoint.pt", plan, network, averaged, optimizer)
    losses: list[float] = []
    dices: list[float] = []
    batches = _batches(plan, people, folder / "heads", range(start, plan.steps), workers)
    for step, arrays in zip(range(start, plan.steps), batches, strict=True):
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * min((step + 1) / plan.warming, 1.0, (plan.steps - step) / plan.cooling)
        volume, label, brain = (torch.from_numpy(part).to(device) for part in arrays)
        loss, dice = _loss(network(volume), label, brain)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        _average(averaged, network, min(_AVERAGED, (1 + step) / (10 + step)))
        last = step + 1 == plan.steps
        if (step + 1) % (EVERY // 5) == 0 or last:
            losses.append(float(loss.detach()))
            if dice is not None:
                dices.append(dice)
        if (step + 1) % EVERY == 0 or last:
            _keep(folder / "checkpoint.pt", step + 1, plan, network, averaged, optimizer)
            if report:
                report(step + 1, float(np.mean(losses)), float(np.mean(dices)) if dices else float("nan"))
            losses, dices = [], []
    return averaged.cpu().eval()


class TrainingHeads:
    """The heads of each step, kept on disk, so that another process may make them ahead.

    Args:
        plan: Decides every head.
        people: Folder of the virtual people.
        folder: Keeps finished heads; 5 MB each.
    """

    def __init__(self, plan: ReaderPlan, people: Path, folder: Path) -> None:
        self.plan, self.people, self.folder = plan, people, folder

    @cached_property
    def anatomies(self) -> Anatomies:
        """The people; a process that finds all its heads on disk never needs them."""
        return Anatomies.made(self.plan.people, seed=self.plan.seed, cache=self.people)

    def for_step(self, step: int) -> list[Example]:
        """The newest head first at every ``reuse``-th step; otherwise some of the last ``kept``."""
        newest = step // self.plan.reuse
        draw = stream(self.plan.seed, "choice", str(step))
        numbers = draw.integers(max(0, newest - self.plan.kept + 1), newest + 1, size=self.plan.heads_per_step)
        if step % self.plan.reuse == 0:
            numbers[0] = newest
        return [self.numbered(int(number)) for number in numbers]

    def numbered(self, number: int) -> Example:
        """Head ``number`` of the plan, made if it is not there yet."""
        path = self.folder / f"head_{number}.npz"
        if not path.is_file():
            seed = int(stream(self.plan.seed, "head", str(number)).integers(2**31))
            made = Example.of(draw_head(seed, self.anatomies))
            self.folder.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as partial, partial.open("wb") as file:
                np.savez(file, image=made.image, brain=made.brain, label=made.label)
        with np.load(path, allow_pickle=False) as stored:
            return Example(image=stored["image"], brain=stored["brain"], label=stored["label"])


def _batches(plan: ReaderPlan, people: Path, folder: Path, steps: range, workers: int) -> Iterator[Arrays]:
    """The batch of each step in order, made ahead by other processes if there are any."""
    if not workers:
        heads = TrainingHeads(plan, people, folder)
        yield from (_batch(heads, step) for step in steps)
        return
    waiting: deque[Future[Arrays]] = deque()
    # Started afresh: a process that is forked off after CUDA has been used cannot go on.
    with ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (plan, people, folder)) as pool:
        for step in steps:
            waiting.append(pool.submit(_batch_of_worker, step))
            if len(waiting) >= 8 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_HEADS_OF_WORKER: list[TrainingHeads] = []


def _start_worker(plan: ReaderPlan, people: Path, folder: Path) -> None:
    _HEADS_OF_WORKER[:] = [TrainingHeads(plan, people, folder)]


def _batch_of_worker(step: int) -> Arrays:
    return _batch(_HEADS_OF_WORKER[0], step)


def _batch(heads: TrainingHeads, step: int) -> Arrays:
    """Two blocks of each head, one at a tumor and one anywhere: values and brain share, classes, brain."""
    draw = stream(heads.plan.seed, "augmentation", str(step))
    blocks = [
        _augmented(_block(example, draw, at_tumor=at_tumor), draw)
        for example in heads.for_step(step)
        for at_tumor in (True, False)
    ]
    volume, label, inside = (np.stack(parts) for parts in zip(*blocks, strict=True))
    return volume, label, inside


def _block(example: Example, draw: np.random.Generator, *, at_tumor: bool) -> Example:
    """A cube of ``EDGE`` voxels, filled up with air where the brain ends."""
    shape = np.asarray(example.label.shape)
    places = np.argwhere((example.label == 1) | (example.label == 2)) if at_tumor else np.empty((0, 3))
    if not len(places):
        places = np.argwhere(example.brain[::4, ::4, ::4] > 127) * 4
    middle = places[int(draw.integers(len(places)))]
    first = np.clip(middle - (EDGE * draw.uniform(0.2, 0.8, 3)).astype(int), 0, np.maximum(shape - EDGE, 0))
    i, j, k = (slice(int(a), int(a) + EDGE) for a in first)
    fill = [(0, EDGE - n) for n in example.label[i, j, k].shape]
    return Example(
        image=np.pad(example.image[i, j, k], fill),
        brain=np.pad(example.brain[i, j, k], fill),
        label=np.pad(example.label[i, j, k], fill),
    )


def _augmented(block: Example, draw: np.random.Generator) -> Arrays:
    """Mirrored or not, with another window and more noise."""
    brain, inside = block.brain.astype(np.float32) / 255, block.brain > 0
    image = block.image * np.float32(np.exp(draw.normal(0, 0.12))) + np.float32(draw.normal(0, 0.12)) * brain
    if draw.uniform() < 0.25:
        image += np.float32(draw.uniform(0.05, 0.4)) * draw.standard_normal(image.shape, dtype=np.float32) * inside
    volume, label = np.stack([image.astype(np.float32), brain]), block.label.astype(np.int64)
    if draw.uniform() < 0.5:
        volume, label, inside = volume[:, ::-1], label[::-1], inside[::-1]
    return np.ascontiguousarray(volume), np.ascontiguousarray(label), np.ascontiguousarray(inside)


def _loss(logits: Tensor, label: Tensor, inside: Tensor) -> tuple[Tensor, float | None]:
    """Cross-entropy inside the brain and soft Dice of enhancing tumor and whole tumor; and the hard Dice."""
    logs = logits.log_softmax(dim=1)
    weight = torch.tensor(_CLASS_WEIGHTS, device=label.device)[label] * inside
    entropy = -(logs.gather(1, label[:, None])[:, 0] * weight).sum() / weight.sum().clamp(min=1.0)
    enhancing = logs[:, 1].exp() * inside
    whole = enhancing + logs[:, 2].exp() * inside
    truth = label == 1
    loss = entropy + _soft_dice(enhancing, truth) + 0.5 * _soft_dice(whole, truth | (label == 2))
    with torch.no_grad():
        found = enhancing > 0.5
        both = float((found & truth).sum())
        dice = 2 * both / float(found.sum() + truth.sum()) if bool(truth.any()) else None
    return loss, dice


def _soft_dice(share: Tensor, truth: Tensor) -> Tensor:
    """One minus the soft Dice of the two blocks of a head, averaged over heads.

    100 voxels of grace keep tiny and absent tumors from ruling the gradient.
    """
    share, truth = share.reshape(-1, 2, *share.shape[1:]), truth.reshape(-1, 2, *truth.shape[1:])
    both, of_share, of_truth = (one.sum((1, 2, 3, 4)) for one in (share * truth, share, truth))
    return (1.0 - (2.0 * both + 100.0) / (of_share + of_truth + 100.0)).mean()


def _average(averaged: LesionUNet, network: LesionUNet, keep: float) -> None:
    with torch.no_grad():
        for mean, now in zip(averaged.parameters(), network.parameters(), strict=True):
            mean.lerp_(now, 1.0 - keep)


def _keep(
    path: Path,
    step: int,
    plan: ReaderPlan,
    network: LesionUNet,
    averaged: LesionUNet,
    optimizer: torch.optim.Optimizer,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state: dict[str, Any] = {
        "step": step,
        "plan": asdict(plan),
        "classes": list(CLASSES),
        "network": network.state_dict(),
        "averaged": averaged.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    with whole_file(path) as staging:
        torch.save(state, staging)


def _resume(
    path: Path, plan: ReaderPlan, network: LesionUNet, averaged: LesionUNet, optimizer: torch.optim.Optimizer
) -> int:
    if not path.is_file():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    if {**state["plan"], "steps": plan.steps} != asdict(plan):
        raise ValueError(
            f"The checkpoint in {path.parent.name} is of another plan. Choose another folder, or delete it."
        )
    network.load_state_dict(state["network"])
    averaged.load_state_dict(state["averaged"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
