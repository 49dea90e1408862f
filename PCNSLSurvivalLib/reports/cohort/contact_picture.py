"""One strip per patient for the contact sheet: outlines on T1Gd, then checkerboards of T1Gd and each other scan.

Axial and coronal tiles show the patient's right on the left, sagittal tiles anterior on the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase
from PCNSLSurvivalLib.reports.pictures import png_bytes

CONTACT_PICTURE = "contact.png"
BRAIN_RGB, LESION_RGB = (86, 180, 233), (240, 228, 66)
"""Sky blue and yellow of the color-blind safe set of Okabe and Ito (2008)."""

_PIXEL_MM = 1.25
_EXTENT_MM = (190.0, 230.0, 190.0)
"""What a tile shows along left, posterior and superior."""
_ABOVE_MM = 35.0
_SQUARE_PIXELS = 16
_GRAYS, _BRAIN, _LESION = 250, 254, 255

Plane = Literal["axial", "coronal", "sagittal"]
Picture = Literal["outlines", "checkerboard"]
_AXIS: dict[Plane, int] = {"sagittal": 0, "coronal": 1, "axial": 2}


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One picture of the strip.

    Attributes:
        title: What it shows.
        width, height: Pixels.
    """

    title: str
    width: int
    height: int


def tiles_of(sequences: tuple[MRSequence, ...]) -> tuple[Tile, ...]:
    """The tiles of a strip from left to right, for the scans a case has."""
    others = [sequence for sequence in sequences if sequence is not MRSequence.T1GD]
    shown: list[tuple[str, Plane]] = [("axial", "axial"), ("higher", "axial"), ("coronal", "coronal")]
    shown += [("sagittal", "sagittal")]
    shown += [(f"T1Gd | {s.label}", plane) for s in others for plane in ("axial", "sagittal")]
    return tuple(Tile(title=title, width=_size(plane)[0], height=_size(plane)[1]) for title, plane in shown)


def draw_contact_picture(prepared: PreparedCase, lesion: sitk.Image | None, folder: Path) -> None:
    """Write the strip of one case.

    Args:
        prepared: The case, with its scans still in memory.
        lesion: ``uint8`` lesion mask on the grid of T1Gd.
        folder: Gets ``contact.png``.
    """
    center = _middle(prepared.brain_mask)
    spot = center if lesion is None or not sitk.GetArrayViewFromImage(lesion).any() else _middle(lesion)
    t1gd = _Scan(prepared.corrected[MRSequence.T1GD], sitk.Transform(3, sitk.sitkIdentity), prepared.brain_mask)
    masks = [(prepared.brain_mask, _BRAIN), *([] if lesion is None else [(lesion, _LESION)])]
    higher = center + np.array([0.0, 0.0, _ABOVE_MM])
    cuts: list[tuple[Plane, NDArray[np.float64]]] = [("axial", spot), ("axial", higher), ("coronal", spot)]
    cuts += [("sagittal", spot)]
    tiles = []
    for plane, point in cuts:
        grid = _slice_grid(plane, point, center)
        gray = t1gd.on(grid, plane, picture="outlines")
        tiles.append(_outlined(gray, [(_flat(mask, grid, plane), color) for mask, color in masks]))
    others = [s for s in MRSequence if s in prepared.corrected and s is not MRSequence.T1GD]
    for sequence in others:
        other = _Scan(prepared.corrected[sequence], prepared.transforms[sequence], prepared.brain_mask)
        for plane in ("axial", "sagittal"):
            grid = _slice_grid(plane, spot, center)
            tiles.append(_checkered(*(scan.on(grid, plane, picture="checkerboard") for scan in (t1gd, other))))
    height = max(tile.shape[0] for tile in tiles)
    strip = np.hstack([np.pad(tile, ((0, height - tile.shape[0]), (0, 0))) for tile in tiles])
    (folder / CONTACT_PICTURE).write_bytes(png_bytes(strip, _palette()))


class _Scan:
    """A scan with the gray window of its brain."""

    def __init__(self, image: sitk.Image, transform: sitk.Transform, brain_mask: sitk.Image) -> None:
        self._image, self._transform = image, transform
        inside = resample(brain_mask, Grid.of(image), interpolation="nearest", transform=transform.GetInverse())
        values = sitk.GetArrayViewFromImage(image)[sitk.GetArrayViewFromImage(inside) > 0]
        low, middle, high = np.percentile(values, (1.0, 97.0, 99.7)) if values.size else (0.0, 1.0, 1.0)
        # Below the darkest tissue there is still scalp and skull to be seen.
        self._low = 0.5 * float(low)
        # Whole tumors stay below white in outlines; in checkerboards the tissue of both scans has the same gray.
        self._highest = {"outlines": float(max(high, low + 1e-6)), "checkerboard": float(max(middle, low + 1e-6))}

    def on(self, grid: Grid, plane: Plane, *, picture: Picture) -> NDArray[np.uint8]:
        """Gray levels of one slice, rows from top to bottom."""
        values = _flat(self._image, grid, plane, self._transform)
        share = np.clip((values - self._low) / (self._highest[picture] - self._low), 0.0, 1.0)
        return np.round(share * (_GRAYS - 1)).astype(np.uint8)


def _size(plane: Plane) -> tuple[int, int]:
    across = {"axial": (0, 1), "coronal": (0, 2), "sagittal": (1, 2)}[plane]
    width, height = (round(_EXTENT_MM[axis] / _PIXEL_MM) for axis in across)
    return width, height


def _slice_grid(plane: Plane, point_lps_mm: NDArray[np.float64], center_lps_mm: NDArray[np.float64]) -> Grid:
    """One slice of pixels along the patient's axes through a point, laid around the brain."""
    axis = _AXIS[plane]
    middle = center_lps_mm.copy()
    middle[axis] = point_lps_mm[axis]
    i, j, k = (1 if n == axis else round(mm / _PIXEL_MM) for n, mm in enumerate(_EXTENT_MM))
    return Grid.axis_aligned(center_lps_mm=middle, size=(i, j, k), spacing_mm=(_PIXEL_MM,) * 3)


def _flat(image: sitk.Image, grid: Grid, plane: Plane, transform: sitk.Transform | None = None) -> NDArray[np.float32]:
    values = resample(sitk.Cast(image, sitk.sitkFloat32), grid, transform=transform)
    flat = sitk.GetArrayFromImage(values).squeeze(axis=2 - _AXIS[plane])
    # Rows run to posterior in axial slices as wanted, but to superior in the other two: those are turned over.
    return flat if plane == "axial" else flat[::-1]


def _outlined(gray: NDArray[np.uint8], masks: list[tuple[NDArray[np.float32], int]]) -> NDArray[np.uint8]:
    picture = gray.copy()
    for share, color in masks:
        inside = np.pad(share >= 0.5, 1)
        core = inside[1:-1, 1:-1] & inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
        picture[inside[1:-1, 1:-1] & ~core] = color
    return picture


def _checkered(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = np.indices(first.shape) // _SQUARE_PIXELS
    return np.where((rows + columns) % 2 == 0, first, second)


def _middle(mask: sitk.Image) -> NDArray[np.float64]:
    """Center of volume of a mask in LPS mm."""
    index_kji = np.argwhere(sitk.GetArrayViewFromImage(mask) > 0).mean(axis=0)
    return Grid.of(mask).index_to_lps(index_kji[::-1])


def _palette() -> NDArray[np.uint8]:
    colors = np.repeat(np.round(np.linspace(0, 255, _GRAYS)).astype(np.uint8)[:, None], 3, axis=1)
    return np.vstack([colors, np.zeros((_BRAIN - _GRAYS, 3), np.uint8), np.array([BRAIN_RGB, LESION_RGB], np.uint8)])
