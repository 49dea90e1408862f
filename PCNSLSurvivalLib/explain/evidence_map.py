"""The signed evidence as a volume for the eye: one unit and one full scale for every patient and every model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.explain.overlay import map_on_grid
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, resample

FULL_SCALE = 0.25
"""Log-odds per 100 mL that get the full color: a whole brain of 1400 mL in this color would make log-odds of 3.5,
a probability of 0.97. Weak evidence therefore looks weak, in every patient."""


def evidence_in_brain(cells: sitk.Image, brain_mask: sitk.Image) -> sitk.Image:
    """The density of stored evidence on the voxels of the brain mask: what ``evidence_on_grid`` makes of its cells.

    Args:
        cells: ``evidence_cells.nii.gz``, log-odds per cell.
        brain_mask: Of the same result, on the voxels of T1Gd.

    Returns:
        ``float32`` volume on the grid of the mask: log-odds of OS over one year per 100 mL, 0 outside the brain and
        outside the network's input (to half a voxel of it). Beyond the outermost cell centers their values hold.
    """
    density = sitk.Cast(cells, sitk.sitkFloat32) * (100.0 / Grid.of(cells).voxel_volume_ml)
    drawn = resample(sitk.ZeroFluxNeumannPad(density, [1] * 3, [1] * 3), Grid.of(brain_mask))
    # The network's input begins at the center of its first cell and ends a cell beyond the center of the last one.
    grid = Grid.of(cells)
    i, j, k = grid.index_to_lps(np.full(3, 0.5))
    ones = image_on_grid(np.ones(grid.size[::-1], np.uint8), replace(grid, origin_lps_mm=(i, j, k)))
    seen = resample(ones, Grid.of(brain_mask), interpolation="nearest")
    return sitk.Mask(drawn, sitk.And(seen, sitk.Cast(brain_mask > 0, sitk.sitkUInt8)))


def evidence_on_grid(
    evidence: NDArray[np.floating],
    network_grid: Grid,
    reference: Grid,
    mask: sitk.Image | None = None,
    *,
    stride_voxels: int,
) -> sitk.Image:
    """Bring the evidence to the patient's own grid, as a density that does not depend on the size of the cells.

    Args:
        evidence: (i, j, k) contributions of the cells, in log-odds.
        network_grid: Grid of the network's input.
        reference: Grid to fill.
        mask: ``uint8`` on ``reference``; the density is 0 where it is 0.
        stride_voxels: Voxels between neighboring cells.

    Returns:
        ``float32`` volume on ``reference``: log-odds of OS over one year per 100 mL, positive for and negative
        against it.
    """
    cell_ml = stride_voxels**3 * network_grid.voxel_volume_ml
    density = np.asarray(evidence, dtype=np.float32) * np.float32(100.0 / cell_ml)
    return map_on_grid(density, network_grid, reference, mask, stride_voxels=stride_voxels)
