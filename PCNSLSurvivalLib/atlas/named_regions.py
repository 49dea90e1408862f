"""The regions of an atlas in a patient: what is named at a place, and what else lies within the error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.imaging.geometry import FloatArray, Grid

_LEAST_SHARE = 0.03
"""Of the ball around a place; a region with less of it is not named there."""
_MOST_NAMES = 4


@dataclass(frozen=True, kw_only=True)
class PlaceName:
    """What is named at one place of the brain.

    Attributes:
        here: The region at the place; empty where the atlas names none.
        near: Other regions within the error, those with the largest share of it first.
        within_mm: The error.
    """

    here: str
    near: tuple[str, ...]
    within_mm: float

    @property
    def message(self) -> Message:
        """The place in words."""
        if self.here:
            if not self.near:
                return Message("region.here", name=self.here)
            return Message("region.here_or", name=self.here, mm=self.within_mm, others=self.near)
        if self.near:
            return Message("region.near", mm=self.within_mm, others=self.near)
        return Message("region.none", mm=self.within_mm)


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedRegions:
    """Labels of an atlas on voxels of the patient.

    Attributes:
        grid: Where the two arrays lie.
        numbers_kji: ``uint16``, n for ``names[n - 1]``, 0 without a region.
        brain_kji: Not 0 in the patient's brain: nothing is named outside it.
        names: Of the regions, in the words of the atlas.
        within_mm: How far the border of a region may be off, see docs/atlases.md.
    """

    grid: Grid
    numbers_kji: NDArray[np.uint16]
    brain_kji: NDArray[np.generic]
    names: tuple[str, ...]
    within_mm: float

    def at(self, point_lps_mm: FloatArray) -> PlaceName | None:
        """What is named at a place.

        Args:
            point_lps_mm: (3,) LPS mm of the patient.

        Returns:
            None outside the brain.
        """
        index = self.grid.lps_to_index(np.asarray(point_lps_mm, dtype=float))
        voxel = np.rint(index).astype(int)
        if (voxel < 0).any() or (voxel >= self.grid.size).any() or not self.brain_kji[tuple(voxel[::-1])]:
            return None
        reach = np.ceil(self.within_mm / np.asarray(self.grid.spacing_mm)).astype(int)
        low, high = np.maximum(voxel - reach, 0), np.minimum(voxel + reach + 1, self.grid.size)
        part = tuple(slice(int(a), int(b)) for a, b in zip(low[::-1], high[::-1], strict=True))
        offsets = np.ogrid[part]
        far2 = sum(
            ((offset - at) * mm) ** 2
            for offset, at, mm in zip(offsets, index[::-1], self.grid.spacing_mm[::-1], strict=True)
        )
        counts = np.bincount(self.numbers_kji[part][far2 <= self.within_mm**2], minlength=len(self.names) + 1)
        here = int(self.numbers_kji[tuple(voxel[::-1])])
        least = _LEAST_SHARE * counts.sum()
        counts[[0, here]] = 0
        near = [int(number) for number in np.argsort(-counts, kind="stable")[:_MOST_NAMES] if counts[number] > least]
        return PlaceName(
            here=self.names[here - 1] if here else "",
            near=tuple(self.names[number - 1] for number in near),
            within_mm=self.within_mm,
        )
