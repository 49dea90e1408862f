"""Which 3D ResNets a model folder may ask for: an allow-list with named arguments, and what follows from them.

Everything here is arithmetic on the architecture, without torch: the name and shape of every tensor (so that
a weights file is checked before it is read) and the place of every feature cell in the network's input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.models.networks.designs import (
    BLOCKS,
    DEPTHS,
    DESIGNS,
    HEAD_TENSORS,
    MAP_BLOCK,
    Block,
    Depth,
    NetworkDesign,
    Shortcut,
)
from PCNSLSurvivalLib.models.networks.time_head import TimeHead

Pooling = Literal["mean", "brain"]
_PLANES = (64, 128, 256, 512)
CLASSES = 2
NORM_EPSILON = 1e-5


@dataclass(frozen=True, kw_only=True)
class ResNetArchitecture:
    """One of MONAI's 3D ResNets with a global average pool and a linear head of two classes.

    Attributes:
        depth: Which row of ``designs.DESIGNS``; 10, 18 and 34 are built of basic blocks, 50 of bottlenecks.
        channels: Input channels, one an MR sequence.
        conv1_stride: Stride of the first convolution on every axis; MONAI's default is 1, MedicalNet's 2.
        widen_factor: Multiplies the 64, 128, 256 and 512 planes of the four blocks.
        shortcut: "B" projects with a 1 x 1 x 1 convolution; "A" pads with zeros (MedicalNet's 18 and 34).
        bias_downsample: Whether the projecting convolution of shortcut "B" has a bias.
        max_pool: Whether a max-pooling by 2 follows the first convolution, as usual; without it the cells of the
            map are half as large.
        norm: "batch", or "instance" without parameters (the brain-extraction encoder of deepbet).
        pooling: "mean" counts every cell of layer4 alike, as MONAI does; "brain" counts each by the share of its block
            that shows brain (any channel not 0), so that cells without brain add nothing. Cells of layer4 are counted
            so wherever they are read: by the head, in maps, and in training.
        time_head: Intervals of a survival curve beside the two classes; None for a class head.

    References:
        He et al., Deep residual learning for image recognition, CVPR 2016. arXiv:1512.03385
        Chen et al., Med3D: transfer learning for 3D medical image analysis, 2019. arXiv:1904.00625
    """

    depth: Depth
    channels: int = 1
    conv1_stride: Literal[1, 2] = 2
    widen_factor: float = 1.0
    shortcut: Shortcut = "B"
    bias_downsample: bool = True
    max_pool: bool = True
    norm: Literal["batch", "instance"] = "batch"
    pooling: Pooling = "mean"
    time_head: TimeHead | None = None

    def __post_init__(self) -> None:
        allowed = {
            "depth": DEPTHS,
            "channels": (1, 2, 3, 4),
            "conv1_stride": (1, 2),
            "widen_factor": (0.125, 0.25, 0.5, 1.0),
            "shortcut": get_args(Shortcut),
            "bias_downsample": (True, False),
            "max_pool": (True, False),
            "norm": ("batch", "instance"),
            "pooling": get_args(Pooling),
        }
        for name, choices in allowed.items():
            value = getattr(self, name)
            if not any(value == choice and type(value) is type(choice) for choice in choices):
                raise ModelFolderError(
                    Message("model.network_argument", name=name, value=str(value)[:40], choices=choices)
                )

    @property
    def design(self) -> NetworkDesign:
        """Its row of the table."""
        return DESIGNS[self.depth]

    @property
    def name(self) -> str:
        """The network as the field calls it: 'ResNet-18'."""
        return self.design.name

    @property
    def expansion(self) -> int:
        """Output channels of a block over its planes."""
        return self.design.block.expansion

    @property
    def layers(self) -> tuple[int, int, int, int]:
        """Number of residual blocks in layer1 to layer4."""
        return self.design.layers

    @property
    def planes(self) -> tuple[int, ...]:
        """Planes of layer1 to layer4."""
        return tuple(int(n * self.widen_factor) for n in _PLANES)

    @property
    def features(self) -> int:
        """Channels of layer4, the input of the linear head."""
        return self.block_channels(MAP_BLOCK)

    def block_channels(self, block: Block) -> int:
        """Channels of the cells of a block."""
        return self.planes[BLOCKS.index(block)] * self.expansion

    @property
    def outputs(self) -> int:
        """Outputs of the linear head: the two class logits, then those of the time head."""
        return CLASSES if self.time_head is None else CLASSES + self.time_head.further

    def to_json(self) -> dict[str, Any]:
        """Named arguments, as a model folder stores them; without a time head, nothing is said of one."""
        arguments = asdict(self)
        arguments.pop("time_head")
        return arguments if self.time_head is None else {**arguments, "time_head": self.time_head.to_json()}

    @classmethod
    def from_json(cls, arguments: Mapping[str, Any]) -> ResNetArchitecture:
        """Read named arguments; every one must be there and none may be unknown.

        ``pooling`` may be absent: models of earlier versions count every cell alike. So may ``time_head``.

        Raises:
            ModelFolderError: An argument is missing, unknown, or not on the allow-list.
        """
        wanted = set(cls.__dataclass_fields__)
        if not isinstance(arguments, Mapping) or {*arguments, "pooling", "time_head"} != wanted:
            raise ModelFolderError(Message("model.network_arguments", names=tuple(sorted(wanted))))
        if (time_head := arguments.get("time_head")) is None:
            return cls(**arguments)
        return cls(**{**arguments, "time_head": TimeHead.from_json(time_head)})

    def tensor_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every floating-point tensor of the network, in MONAI's names.

        ``num_batches_tracked`` counters are not among them: prediction does not need them.
        """
        shapes: dict[str, tuple[int, ...]] = {}

        def norm(name: str, channels: int) -> None:
            if self.norm == "batch":
                for part in ("weight", "bias", "running_mean", "running_var"):
                    shapes[f"{name}.{part}"] = (channels,)

        shapes["conv1.weight"] = (self.planes[0], self.channels, 7, 7, 7)
        norm("bn1", self.planes[0])
        inside = self.planes[0]
        for number, (count, planes) in enumerate(zip(self.layers, self.planes, strict=True), start=1):
            outside = planes * self.expansion
            for block in range(count):
                at = f"layer{number}.{block}"
                for conv, (n_out, n_in, kernel) in enumerate(self._convolutions(inside, planes), start=1):
                    shapes[f"{at}.conv{conv}.weight"] = (n_out, n_in, kernel, kernel, kernel)
                    norm(f"{at}.bn{conv}", n_out)
                if self.projects(number, block):
                    shapes[f"{at}.downsample.0.weight"] = (outside, inside, 1, 1, 1)
                    if self.bias_downsample:
                        shapes[f"{at}.downsample.0.bias"] = (outside,)
                    norm(f"{at}.downsample.1", outside)
                inside = outside
        weight, bias = HEAD_TENSORS
        shapes[weight], shapes[bias] = (self.outputs, self.features), (self.outputs,)
        return shapes

    def changes_shape(self, layer: int, block: int) -> bool:
        """Whether the shortcut of residual block ``block`` (from 0) of layer ``layer`` (from 1) is not the identity."""
        return block == 0 and (layer > 1 or self.expansion > 1)

    def projects(self, layer: int, block: int) -> bool:
        """Whether that shortcut is a convolution."""
        return self.changes_shape(layer, block) and self.shortcut == "B"

    def cell_stride(self, block: Block) -> int:
        """Distance between neighboring feature cells of a block, in voxels of the network's input."""
        return self.conv1_stride * 2 ** (int(self.max_pool) + BLOCKS.index(block))

    def share_window(self, block: Block) -> tuple[int, int, int]:
        """Kernel, stride and padding of the average that gives each cell of a block its share of a mask.

        The window of cell n reaches half a stride to either side of voxel ``stride * n``; what it reaches beyond the
        input counts as outside the mask.
        """
        stride = self.cell_stride(block)
        half = stride // 2
        return 2 * half + 1, stride, half

    def cells(self, block: Block, size: tuple[int, int, int]) -> tuple[int, int, int]:
        """Number of feature cells of a block along i, j, k for an input of ``size`` voxels."""
        stride = self.cell_stride(block)
        i, j, k = (-(-n // stride) for n in size)
        return (i, j, k)

    def _convolutions(self, inside: int, planes: int) -> tuple[tuple[int, int, int], ...]:
        """Channels out, channels in and kernel of the convolutions of one block."""
        kernels = self.design.block.kernels
        channels = (inside, *(planes,) * (len(kernels) - 1), planes * self.expansion)
        return tuple(zip(channels[1:], channels, kernels, strict=False))
