"""Voxel grids in the patient: the only place that converts between LPS and RAS.

SimpleITK and DICOM give positions in LPS (left, posterior, superior); NIfTI, MONAI and Slicer in RAS. Both
are millimeters in the scanner's frame of the patient.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

Interpolation = Literal["nearest", "linear", "bspline"]

_INTERPOLATORS = {
    "nearest": sitk.sitkNearestNeighbor,
    "linear": sitk.sitkLinear,
    "bspline": sitk.sitkBSpline3,
}

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Box:
    """A block of voxels of a volume.

    Attributes:
        first: Its first voxel along i, j, k.
        size: Number of voxels along i, j, k.
    """

    first: tuple[int, int, int]
    size: tuple[int, int, int]

    def of(self, image: sitk.Image) -> sitk.Image:
        """The block cut out of a volume; every voxel keeps its place in the patient."""
        return sitk.RegionOfInterest(image, self.size, self.first)

    def array_of(self, image: sitk.Image) -> NDArray[Any]:
        """(k, j, i) view of the block; it lives as long as ``image``."""
        k, j, i = (slice(first, first + n) for first, n in zip(self.first[::-1], self.size[::-1], strict=True))
        return np.asarray(sitk.GetArrayViewFromImage(image)[k, j, i])


@dataclass(frozen=True)
class Grid:
    """A regular voxel grid in the patient.

    Attributes:
        size: Number of voxels along the indices i, j, k.
        spacing_mm: Distance between voxel centers along i, j, k.
        origin_lps_mm: Center of voxel (0, 0, 0) in LPS.
        direction_lps: 3 x 3 row-major matrix; its columns are the unit vectors of i, j, k in LPS.
    """

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_lps_mm: tuple[float, float, float]
    direction_lps: tuple[float, ...]

    @classmethod
    def of(cls, image: sitk.Image) -> Grid:
        """The grid of a 3-D image."""
        return cls(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())

    @classmethod
    def axis_aligned(
        cls, *, center_lps_mm: FloatArray, size: tuple[int, int, int], spacing_mm: tuple[float, float, float]
    ) -> Grid:
        """A grid along the patient's axes, indices running to left, posterior and superior.

        Args:
            center_lps_mm: (3,) middle of the grid's voxel centers.
            size: Voxels along i, j, k.
            spacing_mm: Voxel edges in mm.
        """
        half = (np.asarray(size) - 1) * np.asarray(spacing_mm) / 2
        origin = np.asarray(center_lps_mm, dtype=float) - half
        return cls(size, spacing_mm, (origin[0], origin[1], origin[2]), tuple(np.eye(3).ravel()))

    @property
    def affine_lps(self) -> FloatArray:
        """(4, 4) matrix from voxel index (i, j, k, 1) to LPS mm."""
        affine = np.eye(4)
        affine[:3, :3] = np.reshape(self.direction_lps, (3, 3)) * np.asarray(self.spacing_mm)
        affine[:3, 3] = self.origin_lps_mm
        return affine

    @property
    def affine_ras(self) -> FloatArray:
        """(4, 4) matrix from voxel index (i, j, k, 1) to RAS mm, as NIfTI, MONAI and Slicer write it."""
        return _LPS_TO_RAS @ self.affine_lps

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel in mL."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    @property
    def extent_mm(self) -> tuple[float, float, float]:
        """Edges of the field of view along i, j, k in mm, half a voxel beyond the outermost centers."""
        i, j, k = (n * s for n, s in zip(self.size, self.spacing_mm, strict=True))
        return (i, j, k)

    @property
    def center_lps_mm(self) -> FloatArray:
        """(3,) middle of the grid in LPS mm."""
        return self.index_to_lps((np.asarray(self.size) - 1) / 2)

    def index_to_lps(self, index_ijk: FloatArray) -> FloatArray:
        """(..., 3) continuous voxel indices to (..., 3) LPS mm."""
        return np.asarray(index_ijk, dtype=float) @ self.affine_lps[:3, :3].T + self.affine_lps[:3, 3]

    def lps_to_index(self, point_lps_mm: FloatArray) -> FloatArray:
        """(..., 3) LPS mm to (..., 3) continuous voxel indices."""
        offset = np.asarray(point_lps_mm, dtype=float) - self.affine_lps[:3, 3]
        return offset @ np.linalg.inv(self.affine_lps[:3, :3]).T

    def matches(self, other: Grid, *, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids place every voxel on the same spot, to ``tolerance_mm``."""
        if self.size != other.size:
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.size])).reshape(3, -1).T
        gap = np.abs(self.index_to_lps(corners) - other.index_to_lps(corners))
        return bool(gap.max() <= tolerance_mm)

    def with_spacing(self, spacing_mm: tuple[float, float, float]) -> Grid:
        """The same block of the patient along the same axes, in voxels of another size.

        The outer faces of the first voxels stay in place; the last voxels may reach up to one voxel further.
        """
        old, new = np.asarray(self.spacing_mm), np.asarray(spacing_mm)
        size = np.maximum(np.ceil(np.asarray(self.extent_mm) / new - 1e-6), 1).astype(int)
        origin = self.index_to_lps(-0.5 + 0.5 * new / old)
        i, j, k = (int(n) for n in size)
        return Grid((i, j, k), spacing_mm, (origin[0], origin[1], origin[2]), self.direction_lps)

    def part(self, box: Box) -> Grid:
        """The grid of a block of its voxels."""
        origin = self.index_to_lps(np.array(box.first, float))
        return replace(self, size=box.size, origin_lps_mm=(origin[0], origin[1], origin[2]))


def lps_to_ras(points_lps_mm: FloatArray) -> FloatArray:
    """(..., 3) points or vectors from LPS to RAS; the same call brings them back."""
    return np.asarray(points_lps_mm, dtype=float) * (-1.0, -1.0, 1.0)


def place_in_words(axis: int, ras_mm: float, digits: int = 0) -> str:
    """A place along one axis of the patient as a reading station prints it: "L 18", never "R -18".

    Args:
        axis: 0 right, 1 anterior, 2 superior.
        ras_mm: The coordinate in RAS mm.
        digits: After the point.
    """
    rounded = round(ras_mm, digits)
    return f"{('RL', 'AP', 'SI')[axis][rounded < 0]} {abs(rounded):.{digits}f}"


def affine_to_lps(affine_ras: FloatArray) -> FloatArray:
    """(4, 4) from voxel index to RAS mm, as Slicer and NIfTI have it, to one that leads to LPS mm."""
    lps: FloatArray = _LPS_TO_RAS @ affine_ras
    return lps


def canonical(image: sitk.Image) -> sitk.Image:
    """Reorder and flip voxel axes so that i, j, k run most nearly to left, posterior, superior.

    No value is interpolated: every voxel keeps its place in the patient. Flipped, permuted and left-handed
    copies of one scan become the same array, so that all later steps give the same numbers for them. A volume in
    this order is returned itself: of a fine scan a copy has hundreds of megabytes.
    """
    return _oriented(image, "LPS")


def in_voxel_order_of(image: sitk.Image, grid: Grid) -> sitk.Image:
    """Undo ``canonical``: reorder and flip voxel axes as ``grid`` has them, without interpolation.

    Args:
        image: The canonical form of a volume on ``grid``.
        grid: The grid before ``canonical``.
    """
    return _oriented(image, sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(grid.direction_lps))


def _oriented(image: sitk.Image, orientation: str) -> sitk.Image:
    if sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(image.GetDirection()) == orientation:
        return image
    return sitk.DICOMOrient(image, orientation)


def copied(image: sitk.Image) -> sitk.Image:
    """The volume with voxels of its own, for another thread: ITK's filters change the volumes they read from."""
    return image_on_grid(sitk.GetArrayViewFromImage(image), Grid.of(image))


def as_float32(image: sitk.Image) -> sitk.Image:
    """The volume with ``float32`` voxels; one that has them already is returned itself, as by ``canonical``."""
    return image if image.GetPixelID() == sitk.sitkFloat32 else sitk.Cast(image, sitk.sitkFloat32)


def box_around(mask: sitk.Image, margin_voxels: int | NDArray[np.integer] = 0) -> Box | None:
    """The smallest box along the voxel axes that holds a mask, with a margin as far as the volume goes.

    Args:
        mask: 3-D volume, not 0 inside.
        margin_voxels: Kept on every side; one number, or one for each of i, j, k.

    Returns:
        The box; None for an empty mask.
    """
    inside = sitk.GetArrayViewFromImage(mask) > 0
    ends = (
        [np.flatnonzero(inside.any(axis=others))[[0, -1]] for others in ((0, 1), (0, 2), (1, 2))]
        if inside.any()
        else []
    )
    if not ends:
        return None
    low = np.maximum([first for first, _last in ends] - np.asarray(margin_voxels), 0)
    high = np.minimum([last for _first, last in ends] + np.asarray(margin_voxels), np.array(mask.GetSize()) - 1)
    i, j, k = (int(n) for n in low)
    count_i, count_j, count_k = (int(n) for n in high - low + 1)
    return Box((i, j, k), (count_i, count_j, count_k))


def padded_to(image: sitk.Image, grid: Grid) -> sitk.Image:
    """A block of a grid's voxels as a volume on the whole of it, 0 elsewhere."""
    first = np.round(grid.lps_to_index(np.array(image.GetOrigin()))).astype(int)
    beyond = np.array(grid.size) - image.GetSize() - first
    whole = sitk.ConstantPad(image, first.tolist(), beyond.tolist(), 0.0)
    whole.SetOrigin(grid.origin_lps_mm)
    return whole


def image_on_grid(array_kji: NDArray[np.generic], grid: Grid) -> sitk.Image:
    """An image from an array in SimpleITK's axis order (k, j, i) and the grid it lies on."""
    image = sitk.GetImageFromArray(array_kji)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_lps_mm)
    image.SetDirection(grid.direction_lps)
    return image


def resample(
    image: sitk.Image,
    grid: Grid,
    *,
    interpolation: Interpolation = "linear",
    transform: sitk.Transform | None = None,
    outside: float = 0.0,
) -> sitk.Image:
    """Sample an image at the voxel centers of another grid.

    Args:
        image: 3-D volume; its pixel type is kept.
        grid: Where to sample.
        interpolation: "nearest" for masks; "linear" or cubic "bspline" for intensities.
        transform: Takes LPS points of ``grid`` to LPS points of ``image`` (ITK's convention); identity if
            left out.
        outside: Value where ``grid`` reaches beyond ``image``.

    Returns:
        Volume on ``grid`` with the pixel type of ``image``.
    """
    return sitk.Resample(
        image,
        grid.size,
        transform if transform is not None else sitk.Transform(3, sitk.sitkIdentity),
        _INTERPOLATORS[interpolation],
        grid.origin_lps_mm,
        grid.spacing_mm,
        grid.direction_lps,
        outside,
        image.GetPixelID(),
    )
