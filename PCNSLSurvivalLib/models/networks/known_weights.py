"""Weights that others distribute: how their files are recognized, who was in their training, and their license."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import DEPTHS, DESIGNS, HEAD_TENSORS, Depth

DEEPBET_ARCHITECTURE = ResNetArchitecture(
    depth=18, channels=1, conv1_stride=2, widen_factor=0.25, bias_downsample=False, norm="instance"
)
"""The encoder of deepbet's outlining network, trained on whole-head T1 to outline the brain."""
BRAINIAC_ARCHITECTURE = ResNetArchitecture(depth=50, channels=1, conv1_stride=2)
"""MONAI's ResNet-50 with its defaults, one channel and a first convolution of stride 2."""
BRAINIAC_PREFIX = "backbone."
"""Of the backbone's tensors in a BrainIAC file; what has another name belongs to the projection of SimCLR."""


@dataclass(frozen=True, kw_only=True)
class KnownWeights:
    """One source of weights.

    Attributes:
        name: As the field calls it.
        license: As its authors state it.
        trained_on: Task and training data, as its authors state them; no list of patients is published.
        model_license: Of a model that is trained from them. It is the stricter one if the file may be another.
        verified: Whether the file itself is known by its SHA-256; otherwise its format alone is.
    """

    name: str
    license: str
    trained_on: str
    model_license: str
    verified: bool = False

    @property
    def in_words(self) -> str:
        """For a model card."""
        stated = f"trained on {self.trained_on}; license: {self.license}"
        if self.verified:
            return f"{self.name}, {stated}"
        return f"in the format of {self.name}; if it is the file that its authors distribute: {stated}"


MEDICALNET = KnownWeights(
    name="MedicalNet",
    license="MIT",
    trained_on="segmentation of CT and MR scans of several organs",
    model_license="Apache-2.0, if the initial weights are MedicalNet's (MIT)",
)
"""Chen et al., Med3D, 2019. arXiv:1904.00625"""
BRAINIAC = KnownWeights(
    name="BrainIAC's ResNet-50",
    license="no commercial use (CC BY-NC 4.0, or a later research-only license: read the one that came with the file)",
    trained_on="about 32,000 brain MR scans of public cohorts without labels (SimCLR), possibly with glioma cohorts",
    model_license="non-commercial academic research only: initial weights in the format of BrainIAC's ResNet-50",
)
"""Tak et al., medRxiv 2024. doi:10.1101/2024.12.02.24317992; the ResNet-50 is that of the preprint.

``docs/experiment.md`` tells where its license was read.
"""
DEEPBET = KnownWeights(
    name="the encoder of deepbet",
    license="MIT",
    trained_on="brain extraction of 7837 T1 scans of adults from 191 OpenNeuro data sets",
    model_license="Apache-2.0",
    verified=True,
)
"""Fisch et al., deepbet, 2024. arXiv:2308.07003"""


def medicalnet_architecture(depth: Depth, *, channels: int = 1) -> ResNetArchitecture:
    """The architecture that takes MedicalNet's weights of a depth: its shortcuts, and no bias in them."""
    return ResNetArchitecture(
        depth=depth,
        channels=channels,
        conv1_stride=2,
        shortcut=DESIGNS[depth].medicalnet_shortcut,
        bias_downsample=False,
    )


def recognized(shapes: Mapping[str, tuple[int, ...]], *, prefixed: bool) -> KnownWeights | None:
    """Whose format a checkpoint file has; it does not prove who made the file.

    Args:
        shapes: Of the backbone, by MONAI's names.
        prefixed: Whether the file's names of the backbone begin with ``BRAINIAC_PREFIX``.
    """
    if prefixed:
        return BRAINIAC if _is(shapes, BRAINIAC_ARCHITECTURE) else None
    return MEDICALNET if any(_is(shapes, medicalnet_architecture(depth)) for depth in DEPTHS) else None


def what_they_fit(shapes: Mapping[str, tuple[int, ...]], channels: int) -> Message:
    """The entry of the experiment file that takes a backbone, in a sentence; a general advice if none is known."""
    for depth in DEPTHS:
        fitting = medicalnet_architecture(depth, channels=channels)
        if _is(shapes, fitting):
            entry = f"{{depth: {depth}, widen_factor: 1.0, shortcut: {fitting.shortcut}, bias_downsample: false}}"
            return Message("weights.fit_medicalnet", network=fitting.name, entry=entry)
    for architecture, entry in (
        (BRAINIAC_ARCHITECTURE, "{depth: 50, widen_factor: 1.0}"),
        (DEEPBET_ARCHITECTURE, "{depth: 18, widen_factor: 0.25, bias_downsample: false, norm: instance}"),
    ):
        if _is(shapes, architecture):
            return Message("weights.fit", network=architecture.name, entry=entry)
    return Message("weights.fit_unknown")


def _is(shapes: Mapping[str, tuple[int, ...]], architecture: ResNetArchitecture) -> bool:
    wanted = architecture.tensor_shapes()
    return {n: s for n, s in shapes.items() if n not in HEAD_TENSORS} == {
        n: s for n, s in wanted.items() if n not in HEAD_TENSORS
    }
