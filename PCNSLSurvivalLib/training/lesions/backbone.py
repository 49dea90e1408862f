"""Pre-training of the backbone on virtual heads of random appearance, by their lesion masks alone.

A network that has learned on scans of one simulated scanner reads real scans badly. Here every head has its own
contrast, resolution and artifacts (``phantoms.randomized``), and no outcome takes part: auxiliary heads on layer2 and
layer3 predict the share of lesion in each fine cell, and linear readings of layer4 predict what survival may depend
on, each located in the lesion (``READINGS``). A head for the classes is then a mixture of these readings
(``training.lesions.mixture``).

References:
    Billot et al., SynthSeg, Med Image Anal 86, 2023. doi:10.1016/j.media.2023.102789
    Lee et al., Deeply-supervised nets, AISTATS 2015. arXiv:1409.5185
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

from PCNSLSurvivalLib.core.storage.files import whole_file
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import HEAD, LESION_BLOCKS, MAP_BLOCK, part_of
from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet
from PCNSLSurvivalLib.phantoms.random_fields import stream
from PCNSLSurvivalLib.phantoms.randomized import Anatomies, draw_head
from PCNSLSurvivalLib.phantoms.randomized.anatomies import kept_anatomy, person_seed
from PCNSLSurvivalLib.training.lesions.task import fraction_in_cells, share_in_cells, signed_root

SIZE: tuple[int, int, int] = (80, 96, 80)
SPACING_MM = (2.0, 2.0, 2.0)
READINGS = ("place", "amount", "log volume", "depth", "foci")
"""What layer4 is read for: the fraction of the whole lesion in a cell, its share of lesion, the fraction times the
standardized logarithm of the volume, the fraction times the standardized depth below the surface of the brain, and the
number of foci, each counted where it lies. Each is 0 in cells without lesion."""
_VOXEL_ML = float(np.prod(SPACING_MM)) / 1000.0
_LEAST_FOCUS_ML = 0.1
_LOG_VOLUME = (float(np.log(6.0)), 1.5)
"""Center and scale of the logarithm of the volume in mL."""
_DEPTH_MM = (20.0, 15.0)
"""Center and scale of the depth of the lesion."""
_CLIP = 10.0
EVERY = 200
"""Steps from one checkpoint to the next."""


@dataclass(frozen=True, kw_only=True)
class BackbonePlan:
    """Everything that decides the weights of a backbone, on one kind of machine.

    Attributes:
        seed: Of weights, batches and augmentation.
        heads_seed: Of people and heads, the same for all members of an ensemble.
        people: How many virtual people the heads are made of.
        heads: How many heads.
        steps: Optimizer steps.
        batch: Heads per step.
        learning_rate: Of AdamW, at its highest; it falls along a cosine.
        warming: Steps over which it rises.
    """

    seed: int
    heads_seed: int = 20261128
    people: int = 24
    heads: int = 2400
    steps: int = 2800
    batch: int = 16
    learning_rate: float = 2e-3
    warming: int = 100


@dataclass(frozen=True)
class Heads:
    """All heads on one device, packed.

    Attributes:
        image: (N, I, J, K) ``float16``, prepared.
        focus: (N, I, J, K) ``uint8``, number of the focus of enhancing tumor, 0 elsewhere.
        depth: (N, I, J, K) ``uint8``, mm below the surface of the brain mask.
    """

    image: Tensor
    focus: Tensor
    depth: Tensor


def make_heads(plan: BackbonePlan, people: Path, folder: Path, *, jobs: int) -> None:
    """Draw the heads of the plan into a folder, 2.5 MB each; those that are there stay."""
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        list(pool.map(partial(_make_person, plan, people), range(plan.people)))
        missing = [number for number in range(plan.heads) if not _path(folder, plan, number).is_file()]
        list(pool.map(partial(_make_head, plan, people, folder), missing, chunksize=4))


def read_heads(plan: BackbonePlan, folder: Path, device: torch.device) -> Heads:
    """Read the heads of the plan; they take 2.5 MB each of the device's memory."""
    shape = (plan.heads, *SIZE)
    heads = Heads(
        torch.empty(shape, dtype=torch.float16, device=device),
        torch.empty(shape, dtype=torch.uint8, device=device),
        torch.empty(shape, dtype=torch.uint8, device=device),
    )
    for number in range(plan.heads):
        with np.load(_path(folder, plan, number), allow_pickle=False) as stored:
            for name in ("image", "focus", "depth"):
                getattr(heads, name)[number] = torch.from_numpy(stored[name])
    return heads


def packed_head(seed: int, anatomies: Anatomies) -> dict[str, Any]:
    """One head as ``Heads`` keeps it."""
    head = draw_head(seed, anatomies, size=SIZE, spacing_mm=SPACING_MM)
    focus, _ = ndimage.label(head.enhancing, np.ones((3, 3, 3)))
    sizes = np.bincount(focus.ravel()) * _VOXEL_ML
    large = [n for n in np.argsort(-sizes) if n and sizes[n] >= _LEAST_FOCUS_ML]
    # Specks count with the largest focus: they are parts of a ragged rim far more often than tumors of their own.
    renumber = np.full(len(sizes), 1, np.uint8)
    renumber[0] = 0
    renumber[large] = np.arange(1, len(large) + 1)
    depth = ndimage.distance_transform_edt(np.pad(head.image != 0, 1), sampling=SPACING_MM)[1:-1, 1:-1, 1:-1]
    return {
        "image": head.image.astype(np.float16),
        "focus": renumber[focus],
        "depth": np.minimum(depth, 255).astype(np.uint8),
    }


@dataclass(frozen=True)
class Backbone:
    """A trained backbone.

    Attributes:
        network: On the CPU, in evaluation mode; its head is untrained.
        readings: (R, F) weights of ``READINGS``; summed over the cells of layer4 they give the value.
    """

    network: nn.Module
    readings: Tensor


def train_backbone(
    plan: BackbonePlan,
    architecture: ResNetArchitecture,
    heads: Heads,
    folder: Path,
    *,
    report: Callable[[int, dict[str, float]], None] | None = None,
) -> Backbone:
    """Train a backbone, or go on from the checkpoint in ``folder``.

    Args:
        plan: Everything that decides the weights.
        architecture: Of the network.
        heads: Of the plan; the training runs on their device, on CUDA with bfloat16 activations.
        folder: Keeps the checkpoint.
        report: Called every ``EVERY`` steps with step, losses, and the seconds per step since the call before.
    """
    device = heads.image.device
    torch.manual_seed(plan.seed)
    network = build_resnet(architecture).to(device)
    # Channels last, as convolutions are fastest.
    for parameter in network.parameters():
        if parameter.ndim == 5:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last_3d)
    task = _Task(network, architecture).to(device)
    decayed = [p for n, p in network.named_parameters() if p.ndim > 1 and part_of(n) != HEAD]
    plain = [p for n, p in network.named_parameters() if p.ndim < 2 and part_of(n) != HEAD]
    optimizer = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": 0.01},
            {"params": plain, "weight_decay": 0.0},
            {"params": list(task.parameters()), "weight_decay": 0.0},
        ],
        lr=plan.learning_rate,
    )
    start = _resume(folder / "checkpoint.pt", plan, network, task, optimizer)
    network.train()
    told, began = start, time.monotonic()
    for step in range(start, plan.steps):
        rise, fall = min(1.0, (step + 1) / plan.warming), 0.01 + 0.99 * (1 + math.cos(math.pi * step / plan.steps)) / 2
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * rise * fall
        x, focus, depth = _batch(heads, plan, stream(plan.seed, "batch", str(step)))
        # On the CPU, bfloat16 takes two thirds of the time, but oneDNN's gradient of layer4's weights is at times NaN.
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
            network(x.contiguous(memory_format=torch.channels_last_3d))
        parts = task.losses(focus, depth)
        loss = torch.stack(list(parts.values())).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([*decayed, *plain], _CLIP)
        optimizer.step()
        if (step + 1) % EVERY == 0 or step + 1 == plan.steps:
            _keep(folder / "checkpoint.pt", step + 1, plan, network, task, optimizer)
            if report:
                seconds = (time.monotonic() - began) / (step + 1 - told)
                losses = {name: float(value.detach()) for name, value in parts.items()}
                report(step + 1, losses | {"seconds per step": round(seconds, 2)})
                told, began = step + 1, time.monotonic()
    return Backbone(network.cpu().eval(), task.readings.weight.detach().cpu()[:, :, 0, 0, 0])


def read_backbone(folder: Path, plan: BackbonePlan, architecture: ResNetArchitecture) -> Backbone:
    """The finished backbone whose training left its checkpoint in ``folder``.

    Raises:
        ValueError: Another plan was trained there, or the training has not finished.
    """
    network = build_resnet(architecture)
    task = _Task(network, architecture)
    if _resume(folder / "checkpoint.pt", plan, network, task, None) != plan.steps:
        raise ValueError(f"The training in {folder.name} has not finished. Run it again to go on.")
    return Backbone(network.eval(), task.readings.weight.detach()[:, :, 0, 0, 0])


class _Task(nn.Module):
    """Reads the blocks of a network in training, and measures what their cells know of the lesion."""

    def __init__(self, network: nn.Module, architecture: ResNetArchitecture) -> None:
        super().__init__()
        self.readings = nn.Conv3d(architecture.features, len(READINGS), 1, bias=False)
        nn.init.zeros_(self.readings.weight)
        self.fine = nn.ModuleDict({name: nn.Conv3d(architecture.block_channels(name), 1, 1) for name in LESION_BLOCKS})
        for convolution in self.fine.values():
            assert isinstance(convolution, nn.Conv3d)
            assert convolution.bias is not None
            nn.init.constant_(convolution.bias, -3.0)
        self._cells: dict[str, Tensor] = {}
        for name in (*LESION_BLOCKS, MAP_BLOCK):
            network.get_submodule(name).register_forward_hook(partial(self._see, name))

    def _see(self, name: str, module: nn.Module, given: object, cells: Tensor) -> None:
        self._cells[name] = cells

    def losses(self, focus: Tensor, depth: Tensor) -> dict[str, Tensor]:
        """Mean losses of the last forward pass, by what they are about.

        Args:
            focus: (N, 1, I, J, K) number of the focus.
            depth: (N, 1, I, J, K) mm below the surface of the brain.
        """
        said = self.readings(self._cells[MAP_BLOCK].float())
        wanted, share, there = reading_targets(focus, depth, (said.shape[2], said.shape[3], said.shape[4]))
        amount = share.sum((1, 2, 3))
        placed = ((said[:, 0] - wanted[:, 0]) ** 2).sum((1, 2, 3)) + (said[:, 0].sum((1, 2, 3)) - there) ** 2
        by_cell = ((signed_root(said[:, 1]) - signed_root(share)) ** 2).mean((1, 2, 3))
        in_all = (signed_root(said[:, 1].sum((1, 2, 3))) - signed_root(amount)) ** 2
        other = ((said[:, 2:] - wanted[:, 2:]) ** 2).sum((2, 3, 4)).sum(1)
        sums = ((said[:, 2:].sum((2, 3, 4)) - wanted[:, 2:].sum((2, 3, 4))) ** 2).sum(1)
        fine = []
        for name, convolution in self.fine.items():
            logit = convolution(self._cells[name].float())[:, 0]
            target = share_in_cells((focus > 0).float(), (logit.shape[1], logit.shape[2], logit.shape[3]))
            weight = torch.tensor(3.0, device=logit.device)
            fine.append(functional.binary_cross_entropy_with_logits(logit, target, pos_weight=weight))
        return {
            "place": 3 * placed.mean(),
            "amount": (60 * by_cell + 20 * in_all).mean(),
            "other": (other + 0.5 * sums).mean(),
            "fine": 10 * torch.stack(fine).sum(),
        }


def reading_targets(focus: Tensor, depth: Tensor, cells: tuple[int, int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """What the readings should be.

    Args:
        focus: (N, 1, I, J, K) number of the focus of enhancing tumor, 0 elsewhere.
        depth: (N, 1, I, J, K) mm below the surface of the brain.
        cells: Cells of layer4.

    Returns:
        (N, R, i, j, k) targets, (N, i, j, k) share of lesion, and (N,) 1.0 where there is a lesion.
    """
    lesion = (focus > 0).float()
    share = share_in_cells(lesion, cells)
    fraction = fraction_in_cells(share)
    there = (share.sum((1, 2, 3)) > 0).float()
    volume_ml = lesion.sum((1, 2, 3, 4)) * _VOXEL_ML
    size = (volume_ml.clamp_min(0.1).log() - _LOG_VOLUME[0]) / _LOG_VOLUME[1]
    deep = share_in_cells(lesion * (depth.float() - _DEPTH_MM[0]) / _DEPTH_MM[1], cells)
    deep = deep / share.sum((1, 2, 3), keepdim=True).clamp_min(1e-12)
    foci = torch.zeros_like(fraction)
    for number in range(1, int(focus.max()) + 1):
        foci += fraction_in_cells(share_in_cells((focus == number).float(), cells))
    targets = [fraction, share, fraction * size[:, None, None, None], deep, foci]
    return torch.stack(targets, dim=1), share, there


def _batch(heads: Heads, plan: BackbonePlan, draw: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """(N, 1, I, J, K) each: values, focus and depth of a few heads, mirrored, moved, and with another window."""
    images, focuses, depths = [], [], []
    for number in draw.integers(plan.heads, size=plan.batch):
        parts = [heads.image[int(number)].float(), heads.focus[int(number)], heads.depth[int(number)]]
        if draw.uniform() < 0.5:
            parts = [part.flip(0) for part in parts]
        shift = tuple(int(n) for n in draw.integers(-8, 9, 3))
        image, focus, depth = (_shifted(part, shift) for part in parts)
        inside = image != 0
        image = image * float(np.exp(draw.normal(0, 0.12))) + float(draw.normal(0, 0.12))
        if draw.uniform() < 0.25:
            source = torch.Generator(image.device).manual_seed(int(draw.integers(2**62)))
            noise = torch.randn(image.shape, generator=source, device=image.device)
            image = image + float(draw.uniform(0.05, 0.3)) * noise
        images.append(image * inside)
        focuses.append(focus)
        depths.append(depth)
    return torch.stack(images)[:, None], torch.stack(focuses)[:, None], torch.stack(depths)[:, None]


def _shifted(values: Tensor, shift: tuple[int, ...]) -> Tensor:
    """Move by whole voxels; what leaves the block is lost, air comes in."""
    moved = torch.zeros_like(values)
    to = tuple(slice(max(n, 0), size + min(n, 0)) for n, size in zip(shift, values.shape, strict=True))
    of = tuple(slice(max(-n, 0), size + min(-n, 0)) for n, size in zip(shift, values.shape, strict=True))
    moved[to] = values[of]
    return moved


def _path(folder: Path, plan: BackbonePlan, number: int) -> Path:
    return folder / f"head_{plan.heads_seed}_{number}.npz"


_PEOPLE: dict[tuple[int, int], Anatomies] = {}


def _make_person(plan: BackbonePlan, people: Path, number: int) -> None:
    kept_anatomy(person_seed(plan.heads_seed, number), people)


def _make_head(plan: BackbonePlan, people: Path, folder: Path, number: int) -> None:
    key = (plan.heads_seed, plan.people)
    if key not in _PEOPLE:
        _PEOPLE[key] = Anatomies.made(plan.people, seed=plan.heads_seed, cache=people)
    head = packed_head(int(stream(plan.heads_seed, "head", str(number)).integers(2**31)), _PEOPLE[key])
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(_path(folder, plan, number)) as staging, staging.open("wb") as file:
        np.savez(file, image=head["image"], focus=head["focus"], depth=head["depth"])


def _keep(
    path: Path, step: int, plan: BackbonePlan, network: nn.Module, task: _Task, optimizer: torch.optim.Optimizer
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state: dict[str, Any] = {
        "step": step,
        "plan": asdict(plan),
        "network": network.state_dict(),
        "task": task.state_dict(),
        # What a finished training needs no more would only make the file three times as large.
        "optimizer": optimizer.state_dict() if step < plan.steps else None,
    }
    with whole_file(path) as staging:
        torch.save(state, staging)


def _resume(
    path: Path, plan: BackbonePlan, network: nn.Module, task: _Task, optimizer: torch.optim.Optimizer | None
) -> int:
    if not path.is_file():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["plan"] != asdict(plan):
        raise ValueError(
            f"The checkpoint in {path.parent.name} is of another plan. Choose another folder, or delete it."
        )
    network.load_state_dict(state["network"])
    task.load_state_dict(state["task"])
    if optimizer is not None and state["optimizer"] is not None:
        optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
