"""Model folders and cases small enough for tests, and a network whose gaze is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.models import untrained
from PCNSLSurvivalLib.models.model_folder import ModelFolder, read_model_folder
from PCNSLSurvivalLib.models.networks.architecture import Pooling, ResNetArchitecture
from PCNSLSurvivalLib.models.networks.time_head import TimeHead
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE, NetworkGridStep, ResampleStep

SEQUENCES = (MRSequence.T1GD, MRSequence.T1, MRSequence.T2)


def small_recipe(edge: int = 32):
    """The default recipe on 2 mm instead of 1 mm, and on a small network grid of the same 192 mm."""
    return replace(
        RECIPE,
        resampling=ResampleStep(spacing_mm=(2.0, 2.0, 2.0)),
        network_grid=NetworkGridStep(size=(edge,) * 3, spacing_mm=(192.0 / edge,) * 3),
    )


def small_model(
    path: Path,
    *,
    depth: int = 10,
    members: int = 1,
    channels: int = 1,
    stride: int = 1,
    edge: int = 32,
    pooling: Pooling = "mean",
    time_head: TimeHead | None = None,
) -> ModelFolder:
    """An untrained model with a width multiplier of 1/8, its normalization measured on blocks of 32 voxels."""
    architecture = ResNetArchitecture(
        depth=depth,
        channels=channels,
        conv1_stride=stride,
        widen_factor=0.125,
        pooling=pooling,
        time_head=time_head,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(untrained, "untrained_tensors", _tensors)
        untrained.write_untrained_model(
            path, architecture=architecture, sequences=SEQUENCES[:channels], recipe=small_recipe(edge), members=members
        )
    return read_model_folder(path)


_untrained_tensors = untrained.untrained_tensors


@cache
def _tensors(architecture: ResNetArchitecture, *, seed: int) -> Tensors:
    """Made once per process; blocks of users' 64 voxels take eight times as long."""
    return _untrained_tensors(architecture, seed=seed, edge=32)


def random_tensors(architecture: ResNetArchitecture, seed: int = 0) -> Tensors:
    """Tensors of every shape the architecture has, with batch normalization statistics far from 0 and 1."""
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in architecture.tensor_shapes().items():
        if name.endswith("running_var"):
            values = rng.uniform(0.3, 3.0, shape)
        elif len(shape) == 5:
            values = rng.standard_normal(shape) * np.sqrt(1 / np.prod(shape[1:]))
        elif name == "fc.weight":
            values = rng.standard_normal(shape) * 0.3 + 0.2  # both classes find something to light up
        elif name.endswith(("bias", "mean")):
            values = rng.standard_normal(shape) * 0.3
        else:
            values = rng.uniform(0.3, 0.9, shape)  # residual sums stay of order one
        tensors[name] = values.astype(np.float32)
    return tensors


def bright_spot_tensors(architecture: ResNetArchitecture) -> Tensors:
    """A network that answers with the brightness of its input: each block hands channel 0 on, and nothing else."""
    tensors = {}
    for name, shape in architecture.tensor_shapes().items():
        values = np.zeros(shape, dtype=np.float32)
        if name.endswith(("running_var", "bn1.weight", "bn2.weight", "bn3.weight", "downsample.1.weight")):
            values[:] = 1.0
        elif name == "conv1.weight" or (name.endswith("downsample.0.weight")):
            middle = shape[2] // 2
            values[0, 0, middle, middle, middle] = 1.0
        elif name == "fc.weight":
            values[1, 0] = 1.0
        tensors[name] = values
    return tensors
