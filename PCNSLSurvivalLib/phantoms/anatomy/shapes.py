"""Smooth shapes and the painter that fills a head with them, front to back."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.phantoms.anatomy.tissues import Tissue

Volume = NDArray[np.float32]
Point = tuple[float, float, float]
Box = tuple[slice, slice, slice]
WHOLE: Box = (slice(None), slice(None), slice(None))


class HeadSpace:
    """LPS coordinates of every voxel of an axis-aligned 1 mm grid, as arrays that broadcast in (k, j, i)."""

    def __init__(self, grid: Grid, *, scale: float = 1.0) -> None:
        """Shapes are drawn for a head of average size; ``scale`` makes all of them larger or smaller."""
        self.grid = grid
        self.scale = scale
        axes = [
            (o + s * np.arange(n, dtype=np.float32)) / scale
            for o, s, n in zip(grid.origin_lps_mm, grid.spacing_mm, grid.size, strict=True)
        ]
        self.x = axes[0][None, None, :].astype(np.float32)
        self.y = axes[1][None, :, None].astype(np.float32)
        self.z = axes[2][:, None, None].astype(np.float32)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Array shape in (k, j, i)."""
        i, j, k = self.grid.size
        return (k, j, i)

    def box(self, low: Point, high: Point) -> Box:
        """The voxels between two corners given in LPS mm of the average head."""
        slices = []
        for axis, (a, b) in zip((self.x, self.y, self.z), zip(low, high, strict=True), strict=True):
            first, last = np.searchsorted(axis.ravel(), (a, b))
            slices.append(slice(int(first), int(last)))
        return (slices[2], slices[1], slices[0])

    def ellipsoid(self, center: Point, radii: Point, box: Box = WHOLE) -> Volume:
        """Signed distance in mm to an ellipsoid, negative inside; exact on the surface and near it."""
        px = (self.x[:, :, box[2]] - center[0]) / np.float32(radii[0])
        py = (self.y[:, box[1]] - center[1]) / np.float32(radii[1])
        pz = (self.z[box[0]] - center[2]) / np.float32(radii[2])
        q = np.sqrt(px * px + py * py + pz * pz)
        slope = np.sqrt((px / radii[0]) ** 2 + (py / radii[1]) ** 2 + (pz / radii[2]) ** 2)
        return cast(Volume, q * (q - 1.0) / np.maximum(slope, np.float32(1e-6)) * np.float32(self.scale))

    def capsule(self, a: Point, b: Point, radius: float, box: Box = WHOLE) -> Volume:
        """Signed distance in mm to a round rod from ``a`` to ``b``, negative inside."""
        start, along = np.asarray(a, np.float32), np.asarray(b, np.float32) - np.asarray(a, np.float32)
        px = self.x[:, :, box[2]] - start[0]
        py = self.y[:, box[1]] - start[1]
        pz = self.z[box[0]] - start[2]
        t = np.clip((px * along[0] + py * along[1] + pz * along[2]) / np.float32(along @ along), 0, 1)
        gap = np.sqrt((px - t * along[0]) ** 2 + (py - t * along[1]) ** 2 + (pz - t * along[2]) ** 2)
        return cast(Volume, (gap - np.float32(radius)) * np.float32(self.scale))


def coverage(distance_mm: Volume, *, edge_mm: float = 1.0) -> Volume:
    """Share of a voxel inside a surface, from the signed distance of its center (negative inside)."""
    return cast(Volume, np.clip(0.5 - distance_mm / np.float32(edge_mm), 0.0, 1.0))


def smooth_union(a: Volume, b: Volume, *, blend_mm: float) -> Volume:
    """Signed distance to two shapes melted into one over ``blend_mm``."""
    h = np.clip(0.5 + 0.5 * (b - a) / np.float32(blend_mm), 0.0, 1.0)
    return cast(Volume, b + (a - b) * h - np.float32(blend_mm) * h * (1.0 - h))


class Painter:
    """Fills voxels with tissue, front to back: what is painted first stays.

    Fractions are kept in 255ths, and what is added to a tissue is taken from the empty rest, so that the
    fractions of a voxel and its rest always add up to exactly 255.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.fractions: dict[Tissue, NDArray[np.uint8]] = {}
        self.rest: NDArray[np.uint8] = np.full(shape, 255, np.uint8)

    def paint(self, tissue: Tissue, share: Volume, box: Box = WHOLE) -> None:
        """Give ``share`` (0 to 1) of what is still empty in each voxel of ``box`` to a tissue."""
        rest = self.rest[box]
        added = np.rint(rest * share).astype(np.uint8)
        rest -= added
        self.fractions.setdefault(tissue, np.zeros(self.rest.shape, np.uint8))[box] += added

    def fill(self, tissue: Tissue, amount: Volume, box: Box = WHOLE) -> None:
        """Give ``amount`` of the whole voxel (0 to 1) to a tissue, as far as the voxel has room."""
        rest = self.rest[box]
        added = np.minimum(rest, np.rint(np.float32(255) * amount).astype(np.uint8))
        rest -= added
        self.fractions.setdefault(tissue, np.zeros(self.rest.shape, np.uint8))[box] += added
