"""The network of the lesion reader: a small 3-D U-Net that works at half its input's resolution inside."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

CLASSES = ("other", "enhancing_tumor", "non_enhancing_tumor", "normal_structure")
"""Meaning of the output channels."""
MULTIPLE = 16
"""Edges of the input, in voxels, must be multiples of this."""


class LesionUNet(nn.Module):
    """Reads a prepared T1Gd volume and the share of brain; gives logits of four classes for every voxel.

    Eight neighboring voxels become channels of one (space to depth), so that a whole head fits one pass on a CPU core;
    the last layer gives every voxel its own logits again and sees its own input value, so that thin rims stay thin.

    Args:
        widths: Channels at 2, 4, 8 and 16 times the voxel edge.

    References:
        Ronneberger et al., U-Net: Convolutional Networks for Biomedical Image Segmentation, MICCAI 2015.
        doi:10.1007/978-3-319-24574-4_28
        Shi et al., Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
        Network, CVPR 2016. doi:10.1109/CVPR.2016.207
    """

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96), hidden: int = 48) -> None:
        super().__init__()
        self.widths, self.hidden = widths, hidden
        self.stem = nn.Sequential(_Block(16, widths[0]), _Block(widths[0], widths[0]))
        self.down = nn.ModuleList(nn.Sequential(_Block(a, b, stride=2), _Block(b, b)) for a, b in pairwise(widths))
        self.reduce = nn.ModuleList(nn.Conv3d(b, a, 1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(_Block(a, a) for a in widths[:-1])
        self.mix = nn.Conv3d(widths[0] + 16, hidden, 1)
        self.out = nn.Conv3d(hidden, 8 * len(CLASSES), 1)

    def forward(self, volume: Tensor) -> Tensor:
        """(N, 2, I, J, K) values and brain share to (N, 4, I, J, K) logits; edges are multiples of 16."""
        fine = space_to_depth(volume)
        features = [self.stem(fine)]
        for step in self.down:
            features.append(step(features[-1]))
        x = features.pop()
        for reduce, up in zip(reversed(self.reduce), reversed(self.up), strict=True):
            x = F.interpolate(reduce(x), scale_factor=2.0, mode="nearest")
            x = up(x + features.pop())
        x = F.leaky_relu(self.mix(torch.cat([x, fine], dim=1)), 0.01)
        return depth_to_space(self.out(x))


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm = nn.InstanceNorm3d(outputs, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.conv(x)), 0.01)


def space_to_depth(x: Tensor) -> Tensor:
    """(N, C, I, J, K) to (N, 8 C, I/2, J/2, K/2)."""
    n, c, i, j, k = x.shape
    x = x.reshape(n, c, i // 2, 2, j // 2, 2, k // 2, 2)
    return x.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(n, 8 * c, i // 2, j // 2, k // 2)


def depth_to_space(x: Tensor) -> Tensor:
    """(N, 8 C, I, J, K) to (N, C, 2 I, 2 J, 2 K)."""
    n, c, i, j, k = x.shape
    x = x.reshape(n, c // 8, 2, 2, 2, i, j, k)
    return x.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(n, c // 8, 2 * i, 2 * j, 2 * k)
