"""From what a header states to a voxel grid: rigid axes, edges and places that a scanner can give."""

from __future__ import annotations

import numpy as np

from PCNSLSurvivalLib.core.errors import UnreadableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import FloatArray, Grid
from PCNSLSurvivalLib.imaging.headers.regular_files import Volume

SMALLEST_EDGE_MM, LARGEST_EDGE_MM = 0.02, 50.0
LARGEST_EXTENT_MM = 2500.0
FARTHEST_MM = 100_000.0
LARGEST_MOVE = 0.25
"""Share of its smallest edge that a voxel may move when rounded axes are taken as the nearest rigid ones."""


class ShearedAxesError(UnreadableScanError):
    """The axes of a volume are not at right angles."""

    def __init__(self, volume: Volume) -> None:
        super().__init__(Message("scan.sheared_axes", volume=volume))


def rigid_grid(affine_lps: FloatArray, size: tuple[int, int, int], volume: Volume) -> Grid:
    """The grid of an affine, whose axes may be rounded but not sheared.

    Axes written with few digits are not quite at right angles. The nearest rigid ones about the middle of the
    volume are taken when no voxel moves by a quarter of its smallest edge.

    Args:
        affine_lps: (4, 4) from voxel index to LPS mm.
        size: Voxels along i, j, k.
        volume: What the volume is, for messages.

    Raises:
        ShearedAxesError: A voxel would move farther.
        UnreadableScanError: Voxel edges, extent or place are not numbers, or none a scanner gives.
    """
    with np.errstate(all="ignore"):
        check_edges(np.linalg.norm(affine_lps[:3, :3], axis=0), size, volume)
    if not (np.isfinite(affine_lps).all() and np.abs(affine_lps[:3, 3]).max() <= FARTHEST_MM):
        raise UnreadableScanError(Message("scan.no_possible_place", volume=volume))
    steps = affine_lps[:3, :3]
    edges = np.linalg.norm(steps, axis=0)
    left, _, right = np.linalg.svd(steps / edges)
    rigid = left @ right
    half = (np.array(size) - 1) / 2
    corners = np.array(np.meshgrid(*[(-n, n) for n in half])).reshape(3, -1)
    if np.linalg.norm((rigid * edges - steps) @ corners, axis=0).max() >= LARGEST_MOVE * edges.min():
        raise ShearedAxesError(volume)
    origin = affine_lps[:3, 3] + (steps - rigid * edges) @ half
    return Grid(
        size,
        (float(edges[0]), float(edges[1]), float(edges[2])),
        (float(origin[0]), float(origin[1]), float(origin[2])),
        tuple(float(value) for value in rigid.ravel()),
    )


def check_edges(edges_mm: FloatArray, size: tuple[int, int, int], volume: Volume) -> None:
    """Refuse voxel edges that no scanner gives.

    Raises:
        UnreadableScanError: An edge is no number, or the voxels or the whole block are too small or too large.
    """
    sound = np.isfinite(edges_mm).all() and edges_mm.min() >= SMALLEST_EDGE_MM and edges_mm.max() <= LARGEST_EDGE_MM
    if not sound or (edges_mm * np.array(size)).max() > LARGEST_EXTENT_MM:
        stated = " x ".join(f"{edge:.3g}" for edge in edges_mm)
        raise UnreadableScanError(Message("scan.impossible_voxel_size", volume=volume, edges=stated))
