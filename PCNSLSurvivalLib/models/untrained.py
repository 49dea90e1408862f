"""An untrained model folder: it lets every step of this software run before a trained model exists.

Its weights are MONAI's random start from a fixed seed. Its batch normalization statistics are measured on
smoothed random noise, without which the activations of an untrained network grow from block to block and
every case would get the same answer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from PCNSLSurvivalLib.core.storage.files import whole_folder
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence
from PCNSLSurvivalLib.models.model_license import APACHE
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet, tensors_of
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.models.write_model_folder import ModelDescription, write_model_folder
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE, Recipe

SEED = 20230  # an arbitrary fixed number

_MEANINGLESS = "UNTRAINED: random weights, no prognostic meaning."


def write_untrained_model(
    out: Path,
    *,
    architecture: ResNetArchitecture,
    sequences: tuple[MRSequence, ...] = (MRSequence.T1GD,),
    recipe: Recipe = RECIPE,
    members: int = 1,
    seed: int = SEED,
    overwrite: bool = False,
) -> None:
    """Write a model folder with random weights, named "untrained" wherever it shows.

    Args:
        out: Folder to make; its name becomes the model's name.
        architecture: Which ResNet.
        sequences: Input channels in order, as many as the architecture has.
        recipe: How scans are to be prepared.
        members: Number of networks, each from its own seed.
        seed: Seed of the first member.
        overwrite: Replace a folder that holds files.

    Raises:
        OutputFolderError: ``out`` cannot be written.
    """
    tensors = [untrained_tensors(architecture, seed=seed + number) for number in range(members)]
    names = ", ".join(sequence.label for sequence in sequences)
    description = ModelDescription(
        name=Path(out).name,
        version="0.1.0",
        kind="untrained",
        description=f"{_MEANINGLESS} {architecture.name} for {names}, seed {seed}.",
        intended_use=f"Trying the software from scan to report. {RESEARCH_USE_ONLY}",
        data_source="No scan of any patient was used.",
        training_cohort="None: the weights are random and were never trained.",
        training_patients=0,
        card=_card(architecture, names, recipe, seed, members),
        license=APACHE,
    )
    with whole_folder(out, overwrite=overwrite) as folder:
        write_model_folder(
            folder,
            architecture=architecture,
            members=tensors,
            sequences=sequences,
            recipe=recipe,
            description=description,
        )


def untrained_tensors(architecture: ResNetArchitecture, *, seed: int, edge: int = 64) -> Tensors:
    """Random weights with measured batch normalization statistics.

    Args:
        architecture: Which ResNet.
        seed: Decides weights and noise.
        edge: Edge in voxels of the noise volumes.

    Returns:
        ``float32`` arrays by MONAI's names.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_resnet(architecture)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.momentum = None  # the plain mean over all volumes
    volumes = np.stack([_noise_head(architecture.channels, edge, seed + number) for number in range(8)])
    network.train()
    with torch.no_grad():
        for pair in range(0, len(volumes), 2):
            network(torch.from_numpy(volumes[pair : pair + 2]))
    return {
        # Four digits: the last bits of the measured statistics depend on the processor.
        name: _rounded(array) if "running" in name else array
        for name, array in tensors_of(network).items()
    }


def _noise_head(channels: int, edge: int, seed: int) -> np.ndarray:
    """(C, I, J, K) smoothed noise of unit spread inside an ellipsoid, 0 around it, like a normalized brain."""
    noise = np.random.default_rng(seed).standard_normal((channels, edge, edge, edge))
    smooth = np.stack([gaussian_filter(channel, sigma=edge / 48) for channel in noise])
    smooth /= smooth.std()
    axis = np.linspace(-1, 1, edge)
    i, j, k = np.meshgrid(axis, axis, axis, indexing="ij")
    inside = (i / 0.73) ** 2 + (j / 0.9) ** 2 + (k / 0.7) ** 2 <= 1
    return (smooth * inside).astype(np.float32)


def _rounded(array: np.ndarray) -> np.ndarray:
    return np.array([float(f"{value:.4g}") for value in array], dtype=np.float32)


def _card(architecture: ResNetArchitecture, names: str, recipe: Recipe, seed: int, members: int) -> str:
    grid = recipe.network_grid
    return f"""# UNTRAINED model: its probabilities and maps have no prognostic meaning

The weights are random numbers. This folder exists so that every step from scan to report can be run,
timed and tested before a trained model is there.

| | |
|---|---|
| Network | 3D {architecture.name}, width multiplier {architecture.widen_factor:g}, {members} member(s) |
| Input | {names}; {" x ".join(str(n) for n in grid.size)} voxels of {grid.spacing_mm[0]:g} mm |
| Weights | random start of MONAI, seed {seed}, never trained |
| Normalization statistics | measured on smoothed random noise inside an ellipsoid |
| Training patients | 0 |
| Performance | not measured: there is nothing to measure |
| Calibration | none |
| License | Apache-2.0 |

{RESEARCH_USE_ONLY}

Made by `pcnsl-survival model untrained`.
"""
