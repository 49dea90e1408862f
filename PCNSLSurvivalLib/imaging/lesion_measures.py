"""What a radiologist measures on a lesion mask: volume, foci, two perpendicular diameters, place."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from PCNSLSurvivalLib.imaging.geometry import Grid, resample

LEAST_FOCUS_ML = 0.1
"""Smaller specks count in the volume, and are no focus."""
_MIDLINE_MM = 10.0

Side = Literal["left", "right", "midline"]


@dataclass(frozen=True, kw_only=True)
class Diameters:
    """The two perpendicular diameters of RANO on one axial plane.

    Attributes:
        longest_mm: Largest diameter on any axial plane.
        perpendicular_mm: Largest width across it, on the same plane.
        superior_mm: Height of the plane, mm superior (LPS and RAS agree).
    """

    longest_mm: float
    perpendicular_mm: float
    superior_mm: float


@dataclass(frozen=True, kw_only=True)
class Focus:
    """One connected part of a lesion mask.

    Attributes:
        volume_ml: Its volume.
        center_lps_mm: Its center of volume.
        diameters: On the axial plane where it is longest.
        side: Patient's side of its center; "midline" within 10 mm of the middle of the brain. The head's turn is not
            known, so this is the side of the scan's axes.
    """

    volume_ml: float
    center_lps_mm: tuple[float, float, float]
    diameters: Diameters
    side: Side


def volume_ml(mask: sitk.Image) -> float:
    """Volume of the voxels that are not 0."""
    return float(np.count_nonzero(sitk.GetArrayViewFromImage(mask))) * Grid.of(mask).voxel_volume_ml


def measure_foci(mask: sitk.Image, brain_mask: sitk.Image, *, least_ml: float = LEAST_FOCUS_ML) -> tuple[Focus, ...]:
    """Measure every connected part of a mask, the largest first; voxels that touch at a corner belong together.

    Args:
        mask: ``uint8`` on any grid, oblique or not.
        brain_mask: On the same grid; its center of volume tells left from right.
        least_ml: Volume from which a part counts as a focus.

    References:
        Wen et al., Updated Response Assessment Criteria for High-Grade Gliomas, J Clin Oncol 28(11), 2010.
        doi:10.1200/JCO.2009.26.3541
    """
    labels, grid = focus_numbers(mask, least_ml=least_ml), Grid.of(mask)
    middle = grid.index_to_lps(np.argwhere(sitk.GetArrayViewFromImage(brain_mask) != 0).mean(axis=0)[::-1])
    foci = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        part = labels[box] == number
        volume = float(np.count_nonzero(part)) * grid.voxel_volume_ml
        first = np.array([s.start for s in box])
        center = grid.index_to_lps((np.argwhere(part).mean(axis=0) + first)[::-1])
        x, y, z = (float(v) for v in center)
        off = x - float(middle[0])
        foci.append(
            Focus(
                volume_ml=volume,
                center_lps_mm=(x, y, z),
                diameters=axial_diameters(_part_image(part, first, grid)),
                side="midline" if abs(off) < _MIDLINE_MM else "left" if off > 0 else "right",
            )
        )
    return tuple(foci)


def focus_numbers(mask: sitk.Image, *, least_ml: float = LEAST_FOCUS_ML) -> NDArray[np.int32]:
    """The focus that each voxel belongs to.

    Args:
        mask: On any grid; inside where it is not 0.
        least_ml: Volume from which a part counts as a focus.

    Returns:
        (K, J, I) numbers in the order of ``measure_foci``, 1 for the largest; 0 outside and in smaller specks.
    """
    labels, _count = ndimage.label(sitk.GetArrayViewFromImage(mask) != 0, structure=np.ones((3, 3, 3)))
    parts = [(box, labels[box] == number) for number, box in enumerate(ndimage.find_objects(labels), start=1)]
    voxels = [np.count_nonzero(part) for _box, part in parts]
    least = least_ml / Grid.of(mask).voxel_volume_ml
    numbers = np.zeros(labels.shape, np.int32)
    for number, place in enumerate(
        sorted(np.flatnonzero(np.array(voxels) >= least), key=lambda n: -voxels[n]), start=1
    ):
        box, part = parts[place]
        numbers[box][part] = number
    return numbers


def axial_diameters(mask: sitk.Image, *, plane_mm: float = 1.0) -> Diameters:
    """The longest diameter on any axial plane of the patient, and the width across it.

    The mask is sampled on planes along the patient's axes, so that a sagittal or oblique scan gives the same figures.

    Args:
        mask: ``uint8``, one lesion, not empty.
        plane_mm: Distance of the planes, and pixel edge on them.
    """
    source = Grid.of(mask)
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in source.size])).reshape(3, -1).T
    points = source.index_to_lps(corners)
    low, high = points.min(axis=0), points.max(axis=0)
    i, j, k = (int(n) for n in np.ceil((high - low) / plane_mm) + 1)
    grid = Grid.axis_aligned(center_lps_mm=(low + high) / 2, size=(i, j, k), spacing_mm=(plane_mm,) * 3)
    share = sitk.GetArrayFromImage(resample(sitk.Cast(mask != 0, sitk.sitkFloat32), grid))
    inside = share >= 0.5 if (share >= 0.5).any() else share >= 0.5 * share.max()
    best = Diameters(longest_mm=0.0, perpendicular_mm=0.0, superior_mm=0.0)
    for plane in np.flatnonzero(inside.any(axis=(1, 2))):
        longest, across = _diameters_of(np.argwhere(inside[plane])[:, ::-1].astype(np.float64) * plane_mm, plane_mm)
        if longest > best.longest_mm:
            height = float(grid.origin_lps_mm[2] + plane * plane_mm)
            best = Diameters(longest_mm=longest, perpendicular_mm=across, superior_mm=height)
    return best


def _diameters_of(centers_mm: NDArray[np.float64], pixel_mm: float) -> tuple[float, float]:
    """Longest distance between pixels of a plane, and largest width across it; edges of the pixels count."""
    hull = centers_mm
    if len(centers_mm) > 3:
        with suppress(QhullError):  # all on one line
            hull = centers_mm[ConvexHull(centers_mm).vertices]
    gaps = hull[:, None] - hull[None]
    lengths = np.linalg.norm(gaps, axis=-1)
    longest = float(lengths.max())
    if longest == 0:
        return pixel_mm, pixel_mm
    along = gaps[np.unravel_index(int(lengths.argmax()), lengths.shape)] / longest
    position = np.rint(centers_mm @ along / pixel_mm).astype(int)
    sideways = centers_mm @ np.array([-along[1], along[0]])
    order = position - position.min()
    high, low = np.full(order.max() + 1, -np.inf), np.full(order.max() + 1, np.inf)
    np.maximum.at(high, order, sideways)
    np.minimum.at(low, order, sideways)
    return longest + pixel_mm, float(np.max(high - low)) + pixel_mm


def _part_image(part: NDArray[np.bool_], first_kji: NDArray[np.int_], grid: Grid) -> sitk.Image:
    """A part of a mask with a margin of one voxel, in its place."""
    image = sitk.GetImageFromArray(np.pad(part, 1).astype(np.uint8))
    image.SetSpacing(grid.spacing_mm)
    image.SetDirection(grid.direction_lps)
    image.SetOrigin([float(v) for v in grid.index_to_lps((first_kji.astype(np.float64) - 1.0)[::-1])])
    return image
