"""Where the evidence lies: how much of the log-odds is constant, in the lesion, in the brain, and outside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import Grid, image_on_grid, resample
from PCNSLSurvivalLib.imaging.lesion_measures import focus_numbers
from PCNSLSurvivalLib.models.networks.architecture import Pooling

LARGE_OUTSIDE_SHARE = 0.5
"""From this share of the absolute evidence outside the brain on, the result carries a warning."""


@dataclass(frozen=True, kw_only=True)
class RegionalAttribution:
    """The log-odds of OS over one year, split by region; the four parts add up to ``log_odds``.

    A cell belongs to a region with the share of its block of voxels that lies there; where the network counts cells by
    their share of brain, with the share of its brain that lies there, and nothing is outside. A contribution is not a
    location: the network looks far around each cell.
    """

    log_odds: float
    constant: float
    lesion: float | None
    """Inside the lesion mask; None if none was given, and then part of ``brain``."""
    foci: tuple[float, ...]
    """The part of ``lesion`` in each focus, in the order of ``measure_foci``; smaller specks belong to none. Foci in
    one cell share its evidence by volume: the network does not tell them apart."""
    brain: float
    """In the (rest of the) brain."""
    outside: float
    """Outside the brain mask, where the prepared scan is 0."""
    outside_share: float
    """Absolute evidence outside the brain over the absolute evidence of all cells, 0 to 1."""
    cell_size_mm: tuple[float, float, float]

    @property
    def warning(self) -> Message | None:
        """What to tell when the network reads mostly what is not the patient's brain; otherwise None."""
        if self.outside_share < LARGE_OUTSIDE_SHARE:
            return None
        return Message("prediction.evidence_outside", share=self.outside_share)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, without the foci: each stands with its focus."""
        stored = asdict(self)
        del stored["foci"]
        return {
            **stored,
            "cell_size_mm": list(self.cell_size_mm),
            "warning": None if self.warning is None else self.warning.to_json(),
        }


def attribute_by_region(
    evidence: NDArray[np.floating],
    constant: float,
    *,
    network_grid: Grid,
    stride_voxels: int,
    brain_mask: sitk.Image,
    lesion_mask: sitk.Image | None = None,
    pooling: Pooling = "mean",
) -> RegionalAttribution:
    """Split the log-odds by region.

    Args:
        evidence: (i, j, k) signed contributions of the cells, as ``NetworkResult.evidence``.
        constant: ``NetworkResult.evidence_constant``.
        network_grid: Grid of the network's input.
        stride_voxels: Voxels between neighboring cells.
        brain_mask: Any grid; inside where it is not 0.
        lesion_mask: Any grid; inside where it is not 0.
        pooling: How the network counts cells (see ``ResNetArchitecture``).

    Returns:
        The attribution; its parts add up to the log-odds.
    """
    cells = np.asarray(evidence, dtype=float)
    brain = mask_on_network_grid(brain_mask, network_grid)
    lesion = np.zeros_like(brain) if lesion_mask is None else mask_on_network_grid(lesion_mask, network_grid)
    in_lesion = cell_shares(lesion, cells.shape, stride_voxels)
    in_both = cell_shares(brain | lesion, cells.shape, stride_voxels)
    booked = cells
    if pooling == "brain":
        in_lesion = np.divide(in_lesion, in_both, out=np.zeros_like(in_lesion), where=in_both > 0)
        booked = np.divide(cells, in_both, out=np.zeros_like(cells), where=in_both > 0)
        in_both = np.ones_like(in_both)
    in_brain = in_both - in_lesion
    outside = 1.0 - in_both
    absolute = float(np.abs(cells).sum())
    i, j, k = (stride_voxels * mm for mm in network_grid.spacing_mm)
    return RegionalAttribution(
        log_odds=float(cells.sum()) + constant,
        constant=constant,
        lesion=None if lesion_mask is None else float((cells * in_lesion).sum()),
        foci=() if lesion_mask is None else _of_foci(booked, lesion_mask, network_grid, stride_voxels),
        brain=float((cells * in_brain).sum()),
        outside=float((cells * outside).sum()),
        outside_share=float((np.abs(cells) * outside).sum() / absolute) if absolute > 0 else 0.0,
        cell_size_mm=(i, j, k),
    )


def cell_shares(inside: NDArray[np.bool_], cells: tuple[int, ...], stride: int) -> NDArray[np.float64]:
    """Share of each cell's block that is inside.

    Args:
        inside: (I, J, K) on the network grid.
        cells: Cells along i, j, k.
        stride: Voxels between cells; the block of cell n reaches half a stride to either side of voxel
            ``stride * n`` and ends at the faces of the grid.

    Returns:
        (i, j, k) values from 0 to 1.
    """
    shares = inside.astype(float)
    for axis, count in enumerate(cells):
        nearest = _cell_of_voxels(inside.shape[axis], count, stride)
        member = (nearest[None] == np.arange(count)[:, None]).astype(float)
        member /= member.sum(axis=1, keepdims=True)
        shares = np.moveaxis(np.tensordot(member, shares, axes=(1, axis)), 0, axis)
    return shares


def _cell_of_voxels(length: int, count: int, stride: int) -> NDArray[np.int_]:
    """The cell along one axis that each voxel belongs to."""
    return np.minimum((np.arange(length) + stride // 2) // stride, count - 1)


def _of_foci(
    booked: NDArray[np.floating], lesion_mask: sitk.Image, network_grid: Grid, stride: int
) -> tuple[float, ...]:
    """What is booked on each focus of a lesion mask: of every cell, by the share of its block that lies in the focus.

    Args:
        booked: (i, j, k) evidence of the cells, for a whole block inside.
        lesion_mask: Any grid; inside where it is not 0.
        network_grid: Grid of the network's input.
        stride: Voxels between cells.
    """
    numbers = focus_numbers(lesion_mask)
    there = resample(image_on_grid(numbers, Grid.of(lesion_mask)), network_grid, interpolation="nearest")
    on_grid = sitk.GetArrayFromImage(there).transpose(2, 1, 0)
    places = np.nonzero(on_grid)
    index, share = [], np.ones(len(places[0]))
    for length, count, place in zip(on_grid.shape, booked.shape, places, strict=True):
        nearest = _cell_of_voxels(length, count, stride)
        index.append(nearest[place])
        share /= np.bincount(nearest)[index[-1]]
    sums = np.bincount(on_grid[places], weights=booked[tuple(index)] * share, minlength=int(numbers.max()) + 1)
    return tuple(float(value) for value in sums[1:])


def mask_on_network_grid(mask: sitk.Image, grid: Grid) -> NDArray[np.bool_]:
    """(I, J, K) True where a mask on any grid is not 0 at the voxel centers of ``grid``."""
    there = resample(sitk.Cast(mask != 0, sitk.sitkUInt8), grid, interpolation="nearest")
    inside: NDArray[np.bool_] = sitk.GetArrayFromImage(there).transpose(2, 1, 0) > 0
    return inside
