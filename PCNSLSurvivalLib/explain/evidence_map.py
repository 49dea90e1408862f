"""The signed evidence as a volume for the eye: one unit and one full scale for every patient and every model."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.explain.overlay import map_on_grid
from PCNSLSurvivalLib.imaging.geometry import Grid

FULL_SCALE = 0.25
"""Log-odds per 100 mL that get the full color: a whole brain of 1400 mL in this color would make log-odds of 3.5,
a probability of 0.97. Weak evidence therefore looks weak, in every patient."""


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
