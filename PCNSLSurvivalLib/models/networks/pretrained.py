"""Initial weights from another training, with an exact account of the transferred tensors.

Loading with ``strict=False`` can load nothing and say nothing. Here weights are accepted only if every tensor of the
backbone is there with its shape and nothing is left over; only the head may be new.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.models.model_folder import read_model_folder
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import HEAD_TENSORS
from PCNSLSurvivalLib.models.networks.known_weights import (
    BRAINIAC_PREFIX,
    DEEPBET,
    KnownWeights,
    recognized,
    what_they_fit,
)
from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet, tensors_of
from PCNSLSurvivalLib.models.networks.weights_file import Tensors
from PCNSLSurvivalLib.preprocessing.brain_extractors.deepbet import Deepbet
from PCNSLSurvivalLib.preprocessing.steps.torchscript_weights import read_torchscript_weights


@dataclass(frozen=True, kw_only=True)
class TransferReport:
    """The transferred tensors."""

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    """Of the network, without a counterpart in the file."""
    mismatched: tuple[str, ...]
    """In both, with another shape."""
    unexpected: tuple[str, ...]
    """In the file, without a place in the network."""
    ignored: tuple[str, ...]
    """Known not to belong to a backbone: MedicalNet's segmentation head, BrainIAC's projection, and counters."""

    @property
    def is_exact_backbone(self) -> bool:
        """Whether nothing but the head is missing, and nothing is left over."""
        return set(self.missing) <= set(HEAD_TENSORS) and not self.mismatched and not self.unexpected

    @property
    def table(self) -> str:
        """One line a kind, for a terminal or a log."""
        rows = (
            ("loaded", self.loaded),
            ("missing", self.missing),
            ("mismatched", self.mismatched),
            ("unexpected", self.unexpected),
            ("ignored", self.ignored),
        )
        return "\n".join(f"{kind:10} {len(names):4}  {_some(names)}".rstrip() for kind, names in rows)


def load_initial_weights(
    source: Path | str, architecture: ResNetArchitecture, *, keep_head: bool = False, seed: int = 0
) -> tuple[Tensors, TransferReport]:
    """Load initial weights for a training.

    Args:
        source: A file of MedicalNet or BrainIAC, another checkpoint in torch's format, a model folder of ours, or
            "deepbet" for the encoder of the installed brain extractor.
        architecture: The network to be trained. Its channels may be more than the source's single one: the first
            convolution is then repeated over them and divided by their number, so that equal channels give the
            answer of one.
        keep_head: Take the head over too, where the source has one.
        seed: Of the fresh head.

    Returns:
        ``float32`` arrays by MONAI's names, and the account of where they came from.

    Raises:
        ModelFolderError: The source cannot be read, or is not exactly this backbone; the text holds the account.
    """
    found, beside = _backbone(_source_tensors(source))
    wanted = architecture.tensor_shapes()
    ignored = (*beside, *(name for name in found if _is_beside(name)))
    given = {name: array for name, array in found.items() if name not in ignored}
    if not keep_head:
        given = {name: array for name, array in given.items() if name not in HEAD_TENSORS}
        ignored += tuple(name for name in HEAD_TENSORS if name in found)
    first = given.get("conv1.weight")
    if first is not None and first.ndim == 5 and first.shape[1] == 1 < architecture.channels:
        repeated = np.repeat(first, architecture.channels, axis=1)
        given["conv1.weight"] = repeated / np.float32(architecture.channels)
    report = TransferReport(
        loaded=tuple(n for n in wanted if n in given and given[n].shape == wanted[n]),
        missing=tuple(n for n in wanted if n not in given),
        mismatched=tuple(n for n in wanted if n in given and given[n].shape != wanted[n]),
        unexpected=tuple(n for n in given if n not in wanted),
        ignored=ignored,
    )
    if not report.is_exact_backbone:
        advice = what_they_fit(_shapes(given), architecture.channels)
        raise ModelFolderError(
            Message("weights.no_backbone", network=architecture.name, advice=advice, table=report.table)
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = tensors_of(build_resnet(architecture))
    return {name: given.get(name, fresh[name]) for name in wanted}, report


def known_weights(source: Path | str) -> KnownWeights | None:
    """Whose weights they are, as far as their format shows it.

    Raises:
        ModelFolderError: The source cannot be read.
    """
    if source == "deepbet":
        return DEEPBET
    tensors = _source_tensors(source)
    prefixed = any(name.startswith(BRAINIAC_PREFIX) for name in tensors)
    backbone = {name: array for name, array in _backbone(tensors)[0].items() if not _is_beside(name)}
    return recognized(_shapes(backbone), prefixed=prefixed)


def _backbone(tensors: Tensors) -> tuple[Tensors, tuple[str, ...]]:
    """The tensors by MONAI's names, and the names of what lies beside the backbone in a file of BrainIAC."""
    inside = {name: array for name, array in tensors.items() if name.startswith(BRAINIAC_PREFIX)}
    if not inside:
        return tensors, ()
    stripped = {name.removeprefix(BRAINIAC_PREFIX): array for name, array in inside.items()}
    return stripped, tuple(name for name in tensors if name not in inside)


def _is_beside(name: str) -> bool:
    """MedicalNet's segmentation head and counters are no part of a backbone."""
    return name.startswith("conv_seg") or name.endswith("num_batches_tracked")


def _shapes(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in tensors.items()}


def _source_tensors(source: Path | str) -> Tensors:
    if source == "deepbet":
        return _deepbet_encoder()
    path = Path(source)
    if path.is_dir():
        return dict(read_model_folder(path).load_members()[0])
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as problem:
        raise ModelFolderError(Message("weights.unreadable")) from problem
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(t, torch.Tensor) for t in content.values()):
        raise ModelFolderError(Message("weights.no_table"))
    return {str(name).removeprefix("module."): _array(tensor) for name, tensor in content.items()}


def _deepbet_encoder() -> Tensors:
    Deepbet().check()
    tensors = {}
    for name, array in read_torchscript_weights(Deepbet().outliner).items():
        head, _, rest = name.partition(".")
        if name == "init.0.weight":
            tensors["conv1.weight"] = array
        elif head.startswith("down") and head[4:].isdigit():
            tensors[f"layer{int(head[4:]) + 1}.{_deepbet_block(rest)}"] = array
    return tensors


def _deepbet_block(rest: str) -> str:
    """'block2.double_conv.3.weight' is the second convolution of the second block."""
    block, _, inside = rest.partition(".")
    number = int(block.removeprefix("block")) - 1
    names = {"double_conv.0.": "conv1.", "double_conv.3.": "conv2.", "downsample.0.": "downsample.0."}
    for theirs, ours in names.items():
        if inside.startswith(theirs):
            return f"{number}.{ours}{inside.removeprefix(theirs)}"
    return f"{number}.{inside}"


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return tensor.detach().cpu().float().numpy()


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
