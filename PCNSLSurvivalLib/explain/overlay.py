"""A map of network cells on a patient's grid, each cell where the network really looked.

A convolution of odd kernel, stride s and padding (kernel - 1) / 2 computes its cell n around voxel s * n of its
input. Every convolution and pooling layer of these ResNets is of that kind, so cell n of a block is centered on
voxel stride * n of the network grid: the first cell on the first voxel, the last one well before the far face.
Stretching the map over the whole grid, as overlays usually do, would move it by up to half a cell.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import GridMismatchError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Box, Grid, Interpolation, box_around, image_on_grid, padded_to, resample


def cell_grid(cells: tuple[int, int, int], network_grid: Grid, *, stride_voxels: int | None = None) -> Grid:
    """The grid whose voxels are the cells of a block.

    Args:
        cells: Cells along i, j, k.
        network_grid: Grid of the network's input.
        stride_voxels: Distance between cells in voxels of ``network_grid``; if left out, the smallest power of
            two that gives this number of cells.

    Returns:
        A grid along the axes of ``network_grid``; its first voxel center is that of ``network_grid``.

    Raises:
        ValueError: The number of cells does not belong to ``network_grid``.
    """
    stride = stride_voxels if stride_voxels is not None else _stride(cells, network_grid.size)
    if cells != tuple(-(-n // stride) for n in network_grid.size):
        raise ValueError(f"{cells} cells do not cover {network_grid.size} voxels at a stride of {stride}")
    i, j, k = (stride * mm for mm in network_grid.spacing_mm)
    return Grid(cells, (i, j, k), network_grid.origin_lps_mm, network_grid.direction_lps)


def map_on_grid(
    raw_map_ijk: NDArray[np.floating],
    network_grid: Grid,
    reference: Grid,
    mask: sitk.Image | None = None,
    interpolation: Interpolation = "linear",
    *,
    stride_voxels: int | None = None,
) -> sitk.Image:
    """Bring a map of cells to the patient's own grid, in one interpolation.

    Args:
        raw_map_ijk: (i, j, k) values of the cells.
        network_grid: Grid of the network's input.
        reference: Grid to fill, such as the native T1Gd grid.
        mask: ``uint8`` on ``reference``; the map is 0 where it is 0.
        interpolation: "linear", or "nearest" to show the cells as cells.
        stride_voxels: See ``cell_grid``.

    Returns:
        ``float32`` volume on ``reference`` in the units of the map; 0 outside ``network_grid``, which the
        network did not see. Beyond the outermost cell centers the outermost cells' values hold.

    Raises:
        GridMismatchError: ``mask`` is not on ``reference``.
        ValueError: The number of cells does not belong to ``network_grid``.
    """
    if mask is not None and not Grid.of(mask).matches(reference):
        raise GridMismatchError(Message("grid.brain_mask_on_map"))
    shape = raw_map_ijk.shape
    cells = cell_grid((shape[0], shape[1], shape[2]), network_grid, stride_voxels=stride_voxels)
    padded = np.pad(np.asarray(raw_map_ijk, dtype=np.float32), 1, mode="edge")
    origin = cells.index_to_lps(np.full(3, -1.0))
    padded_grid = Grid(
        (shape[0] + 2, shape[1] + 2, shape[2] + 2),
        cells.spacing_mm,
        (origin[0], origin[1], origin[2]),
        cells.direction_lps,
    )
    image = image_on_grid(np.ascontiguousarray(padded.transpose(2, 1, 0)), padded_grid)
    seen = image_on_grid(np.ones(network_grid.size[::-1], dtype=np.uint8), network_grid)
    # Only around the brain: all else of the volume is 0.
    box = Box((0, 0, 0), reference.size) if mask is None else box_around(mask) or Box((0, 0, 0), (1, 1, 1))
    part = reference.part(box)
    shown = resample(seen, part, interpolation="nearest")
    if mask is not None:
        shown = sitk.And(shown, sitk.Cast(box.of(mask) > 0, sitk.sitkUInt8))
    return padded_to(sitk.Mask(resample(image, part, interpolation=interpolation), shown), reference)


def _stride(cells: tuple[int, int, int], size: tuple[int, int, int]) -> int:
    for exponent in range(9):
        if cells == tuple(-(-n // 2**exponent) for n in size):
            return int(2**exponent)
    raise ValueError(f"{cells} cells do not cover {size} voxels at any stride of these networks")
