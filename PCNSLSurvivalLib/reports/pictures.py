"""Slices of a scan with the activation map over them, as a radiologist expects to see them.

Axial and coronal pictures follow the radiological convention: the patient's right is on the left of the picture.
Sagittal pictures show anterior on the left.
"""

from __future__ import annotations

import base64
import struct
import zlib
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.imaging.geometry import Grid, box_around, place_in_words, resample
from PCNSLSurvivalLib.reports.colors import activation_rgb, evidence_rgb

PIXEL_MM = 1.0
"""Edge of a picture's pixel in the patient."""

MARGIN_MM = 12.0
"""How much of the head beyond the brain a picture shows."""

MAX_STRIP_SLICES = 24

FAINTEST = 0.25
"""Share of the strongest activation below which nothing is drawn."""

_OPAQUE = 0.65
# Opacity of the strongest activation: anatomy must stay readable below it.

_TITLES = ("Sagittal", "Coronal", "Axial")
"""By the axis along the normal of a slice."""


@dataclass(frozen=True, kw_only=True)
class View:
    """One slice with its overlay.

    Attributes:
        gray: PNG of the T1Gd slice as a data address.
        overlay: PNG of the colored activation, transparent elsewhere, the same size.
        width, height: Pixels, which are ``PIXEL_MM`` wide.
        edges: Letters at left, right, top, bottom: R, L, A, P, S, I.
        position_mm: Where the slice lies along its normal, in RAS mm.
        crosshair: Column and row of the marked point, or None.
        title: "Axial", "Coronal" or "Sagittal".
    """

    gray: str
    overlay: str
    width: int
    height: int
    edges: tuple[str, str, str, str]
    position_mm: float
    crosshair: tuple[float, float] | None
    title: str

    @property
    def place(self) -> str:
        """Where the slice lies along its normal: "L 18"."""
        return place_in_words(_TITLES.index(self.title), self.position_mm)


@dataclass(frozen=True, kw_only=True)
class Display:
    """A scan, its activation map and brain mask, ready to be cut into pictures.

    Attributes:
        scan, brain_mask: On one grid whose indices run to left, posterior, superior.
        activation: On the same grid, or one along its axes whose voxels are no larger than those of the scan or a
            picture's pixel.
        window: Intensities shown as black and white.
        signed: Whether ``activation`` runs from -1 to 1 and is drawn in two colors, or from 0 to 1 in one scale.
    """

    scan: sitk.Image
    activation: sitk.Image
    brain_mask: sitk.Image
    window: tuple[float, float]
    signed: bool = False


def make_display(scan: sitk.Image, activation: sitk.Image, brain_mask: sitk.Image) -> Display:
    """Fix the gray window from the brain: skull and fat may saturate, brain tissue and enhancement do not."""
    values = sitk.GetArrayViewFromImage(scan)[sitk.GetArrayViewFromImage(brain_mask) > 0]
    low, high = np.percentile(values, (1.0, 99.7)) if values.size else (0.0, 1.0)
    return Display(
        scan=scan,
        activation=activation,
        brain_mask=brain_mask,
        window=(float(low) * 0.5, float(max(high, low + 1e-6))),
    )


def strongest_point_lps_mm(display: Display) -> NDArray[np.float64]:
    """Middle of the strongest activation; the middle of the brain where the map is empty.

    Returns:
        (3,) LPS mm.
    """
    activation = sitk.GetArrayViewFromImage(display.activation)
    strong = 0.98 * max(activation.max(), -activation.min())
    if strong > 0:
        where_kji = np.concatenate([np.argwhere(activation >= strong), np.argwhere(activation <= -strong)])
    else:
        where_kji = np.argwhere(sitk.GetArrayViewFromImage(display.brain_mask) > 0)
    index_kji = where_kji.mean(axis=0)
    return Grid.of(display.activation if strong > 0 else display.brain_mask).index_to_lps(index_kji[::-1])


def orthogonal_views(display: Display, point_lps_mm: NDArray[np.float64]) -> list[View]:
    """Axial, coronal and sagittal slice through a point, cut along the scan's own axes in 1 mm pixels."""
    grid = _around_brain(display.brain_mask).with_spacing((PIXEL_MM, PIXEL_MM, PIXEL_MM))
    index = grid.lps_to_index(point_lps_mm)
    i, j, k = (int(n) for n in np.clip(np.round(index), 0, np.array(grid.size) - 1))
    return [
        _view(display, grid, axis=2, index=k, mark=(i, j)),
        _view(display, grid, axis=1, index=j, mark=(i, k)),
        _view(display, grid, axis=0, index=i, mark=(j, k)),
    ]


def axial_strip(display: Display) -> list[View]:
    """The scan's own axial slices through the brain from below upward, at most ``MAX_STRIP_SLICES`` of them."""
    grid = _own_axial_slices(display)
    brain_mask = resample(display.brain_mask, grid, interpolation="nearest")
    brain_slices = np.flatnonzero((sitk.GetArrayViewFromImage(brain_mask) > 0).any(axis=(1, 2)))
    if not brain_slices.size:
        return []
    count = min(MAX_STRIP_SLICES, brain_slices.size)
    chosen = np.unique(np.round(np.linspace(brain_slices[0], brain_slices[-1], count)).astype(int))
    return [_view(display, grid, axis=2, index=int(k), mark=None) for k in chosen]


def strongest_slices(display: Display, *, count: int, apart_mm: float) -> list[tuple[NDArray[np.uint8], float]]:
    """The scan's own axial slices with the strongest activation, strongest first.

    Args:
        display: What to show.
        count: How many at most; fewer where less is active.
        apart_mm: Least distance between two of them.

    Returns:
        Pairs of a picture (rows, columns, 3) in 1 mm pixels, red, green, blue, and its place in RAS mm.
    """
    grid = _own_axial_slices(display)
    strength = np.abs(sitk.GetArrayFromImage(resample(display.activation, grid))).max(axis=(1, 2))
    chosen: list[int] = []
    for index in np.argsort(-strength, kind="stable"):
        if len(chosen) == count or strength[index] <= 0:
            break
        if all(abs(int(index) - other) * grid.spacing_mm[2] >= apart_mm for other in chosen):
            chosen.append(int(index))
    pictures = []
    for index in chosen:
        gray, overlay = _layers(display, grid, axis=2, index=index)
        opacity = overlay[..., 3:].astype(float) / 255
        blended = gray[..., None] * (1 - opacity) + overlay[..., :3] * opacity
        center = np.array([(grid.size[0] - 1) / 2, (grid.size[1] - 1) / 2, index])
        pictures.append((np.round(blended).astype(np.uint8), float(grid.index_to_lps(center)[2])))
    return pictures


def _own_axial_slices(display: Display) -> Grid:
    """The display's slices around the brain, in 1 mm pixels."""
    grid = _around_brain(display.brain_mask)
    return grid.with_spacing((PIXEL_MM, PIXEL_MM, grid.spacing_mm[2]))


def _around_brain(brain_mask: sitk.Image) -> Grid:
    grid = Grid.of(brain_mask)
    box = box_around(brain_mask, np.ceil(MARGIN_MM / np.array(grid.spacing_mm)).astype(int))
    return grid if box is None else grid.part(box)


def _slice_of(grid: Grid, axis: int, index: int) -> Grid:
    """One slice of a grid, as a grid of one voxel along ``axis``."""
    first = np.zeros(3)
    first[axis] = index
    origin = grid.index_to_lps(first)
    i, j, k = (1 if number == axis else n for number, n in enumerate(grid.size))
    return replace(grid, size=(i, j, k), origin_lps_mm=(origin[0], origin[1], origin[2]))


def _view(display: Display, grid: Grid, *, axis: int, index: int, mark: tuple[int, int] | None) -> View:
    """Cut one slice; ``axis`` is 0 sagittal, 1 coronal, 2 axial; ``mark`` is (column, row) before any flip."""
    gray, overlay = _layers(display, grid, axis=axis, index=index)
    height, width = gray.shape
    crosshair = None
    if mark is not None:
        column, row = mark
        crosshair = (column + 0.5, (height - 1 - row if axis != 2 else row) + 0.5)
    center = np.array(grid.size) / 2.0 - 0.5
    center[axis] = index
    position_ras = grid.index_to_lps(center) * (-1.0, -1.0, 1.0)
    return View(
        gray=png_address(png_bytes(gray)),
        overlay=png_address(png_bytes(overlay)),
        width=width,
        height=height,
        edges=(("A", "P", "S", "I"), ("R", "L", "S", "I"), ("R", "L", "A", "P"))[axis],
        position_mm=float(position_ras[axis]),
        crosshair=crosshair,
        title=_TITLES[axis],
    )


def _layers(display: Display, grid: Grid, *, axis: int, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Gray slice (rows, columns) and its colored overlay (rows, columns, 4); only this slice is sampled."""
    one = _slice_of(grid, axis, index)
    gray, activation = (
        sitk.GetArrayFromImage(resample(volume, one)).squeeze(2 - axis).astype(float)
        for volume in (display.scan, display.activation)
    )
    # Rows run to posterior in axial slices as wanted, but to superior in the other two: those are turned over.
    if axis != 2:
        gray, activation = gray[::-1], activation[::-1]
    low, high = display.window
    shade = np.round(np.clip((gray - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return shade, _signed_rgba(activation) if display.signed else _overlay_rgba(activation)


def _overlay_rgba(activation: NDArray[np.float64]) -> NDArray[np.uint8]:
    opacity = _OPAQUE * np.clip((activation - FAINTEST) / (1.0 - FAINTEST), 0.0, 1.0) ** 0.7
    return np.dstack([activation_rgb(activation), np.round(opacity * 255).astype(np.uint8)])


def _signed_rgba(evidence: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Opacity grows evenly with the evidence, as the color bar does; weak evidence is left weak."""
    opacity = _OPAQUE * np.clip(np.abs(evidence), 0.0, 1.0)
    return np.dstack([evidence_rgb(np.sign(evidence)), np.round(opacity * 255).astype(np.uint8)])


def png_address(png: bytes) -> str:
    """A PNG file as an address that carries it, for a page that needs no other file."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def png_bytes(pixels: NDArray[np.uint8], palette: NDArray[np.uint8] | None = None) -> bytes:
    """Encode a picture as PNG (ISO/IEC 15948), from memory to memory.

    Args:
        pixels: (rows, columns) gray or (rows, columns, 4) red, green, blue, opacity.
        palette: (256, 3) red, green, blue that (rows, columns) pixels point into; gray if left out.
    """
    rows, columns = pixels.shape[:2]
    color_type = 6 if pixels.ndim == 3 else 0 if palette is None else 3
    # Each row starts with its filter type, 0 for none.
    lines = np.hstack([np.zeros((rows, 1), np.uint8), np.ascontiguousarray(pixels).reshape(rows, -1)])
    header = struct.pack(">IIBBBBB", columns, rows, 8, color_type, 0, 0, 0)
    colors = [] if palette is None else [(b"PLTE", palette.tobytes())]
    chunks = [(b"IHDR", header), *colors, (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
