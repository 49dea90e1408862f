"""The table of networks: one row per 3D ResNet, and the names of their parts.

A row says all that differs between two of them; everything else follows: tensor names and shapes, folding, the forward
pass in torch, the ONNX graph, the map, training, MedicalNet's weights, the command line, and the experiment file. To
add a network, add its row and its depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Depth = Literal[10, 18, 34, 50]
Block = Literal["layer1", "layer2", "layer3", "layer4"]
Part = Literal["conv1", "layer1", "layer2", "layer3", "layer4"]
"""What can be frozen in training."""
Shortcut = Literal["A", "B"]


@dataclass(frozen=True, kw_only=True)
class ResidualDesign:
    """The convolutions of one residual block, with batch normalization after each and ReLU between them."""

    kernels: tuple[int, ...]
    """Edges in voxels; every kernel is odd and padded by half of it."""
    strided: int
    """Which convolution, from 0, takes the stride of a layer's first block."""
    expansion: int = 1
    """Output channels of the block over its planes."""


BASIC = ResidualDesign(kernels=(3, 3), strided=0)
BOTTLENECK = ResidualDesign(kernels=(1, 3, 1), strided=1, expansion=4)


@dataclass(frozen=True, kw_only=True)
class NetworkDesign:
    """One network.

    Attributes:
        name: As the field calls it.
        builder: Function of ``monai.networks.nets.resnet``; model folders store this name.
        block: What its layers are built of.
        layers: Number of blocks in layer1 to layer4.
        medicalnet_shortcut: Shortcut of MedicalNet's weights for this network, none of which has a bias.
    """

    name: str
    builder: str
    block: ResidualDesign
    layers: tuple[int, int, int, int]
    medicalnet_shortcut: Shortcut


DESIGNS: dict[Depth, NetworkDesign] = {
    10: NetworkDesign(name="ResNet-10", builder="resnet10", block=BASIC, layers=(1, 1, 1, 1), medicalnet_shortcut="B"),
    18: NetworkDesign(name="ResNet-18", builder="resnet18", block=BASIC, layers=(2, 2, 2, 2), medicalnet_shortcut="A"),
    34: NetworkDesign(name="ResNet-34", builder="resnet34", block=BASIC, layers=(3, 4, 6, 3), medicalnet_shortcut="A"),
    50: NetworkDesign(
        name="ResNet-50", builder="resnet50", block=BOTTLENECK, layers=(3, 4, 6, 3), medicalnet_shortcut="B"
    ),
}
DEPTHS: tuple[Depth, ...] = tuple(DESIGNS)
DEFAULT_DEPTH: Depth = 10

STEM: Part = "conv1"
BLOCKS: tuple[Block, ...] = get_args(Block)
MAP_BLOCK: Block = "layer4"
"""The last block: the head averages its cells, Grad-CAM and evidence are maps of them."""
FINER_BLOCKS: tuple[Block, Block] = ("layer3", "layer2")
"""Earlier blocks that a finer map may be made of."""
LESION_BLOCKS: tuple[Block, Block] = ("layer2", "layer3")
"""Earlier blocks whose cells learn the lesion masks in training."""
HEAD = "fc"
HEAD_TENSORS = (f"{HEAD}.weight", f"{HEAD}.bias")
PARTS_FROM_HEAD = (HEAD, *reversed(BLOCKS), STEM)


def part_of(name: str) -> str:
    """The part that a tensor or module belongs to: the stem, a layer or the head; the stem owns ``bn1``."""
    part = name.split(".")[0]
    return STEM if part == "bn1" else part
