"""Small axial pictures of volumes, all of one place in the patient, with the outline of the brain where wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
import qt
import slicer
import vtk
from numpy.typing import NDArray
from slicer.i18n import tr as _
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from PCNSLSurvivalUI.scene.volume_files import ijkToWorld

_OUTLINE = (255, 200, 60)
_MARGIN_MM = 12.0
_SAMPLED = 4  # every fourth voxel along each axis is enough for a box and a quantile


class Place:
    """An axial square around the brain, the same for every picture of a patient.

    Args:
        mask: The brain mask.
    """

    def __init__(self, mask: Any) -> None:
        values = slicer.util.arrayFromVolume(mask)[::_SAMPLED, ::_SAMPLED, ::_SAMPLED]
        affine = ijkToWorld(mask, _("The brain mask"))
        index = np.argwhere(values > 0)[:, ::-1] * _SAMPLED
        ras = index @ affine[:3, :3].T + affine[:3, 3] if len(index) else np.zeros((1, 3))
        self.center_ras_mm = (ras.min(axis=0) + ras.max(axis=0)) / 2
        self.edge_mm = float((ras.max(axis=0) - ras.min(axis=0))[:2].max()) + 2 * _MARGIN_MM


def axialValues(node: Any, place: Place, pixels: int) -> NDArray[np.float64]:
    """The volume in an axial square, nearest voxels, as a radiologist sees it: right of the patient on the left.

    Args:
        node: A volume; oblique grids and transforms above it are respected.
        place: Where.
        pixels: Edge of the square.

    Returns:
        (pixels, pixels) values; NaN where the volume does not reach.
    """
    half = place.edge_mm / 2
    steps = np.linspace(half, -half, pixels)
    r, a = np.meshgrid(place.center_ras_mm[0] + steps, place.center_ras_mm[1] + steps)
    points = np.stack([r, a, np.full_like(r, place.center_ras_mm[2]), np.ones_like(r)], axis=-1)
    index = np.rint(points @ np.linalg.inv(ijkToWorld(node, node.GetName())).T)[..., :3].astype(int)
    array = slicer.util.arrayFromVolume(node)
    inside = ((index >= 0) & (index < array.shape[::-1])).all(axis=-1)
    i, j, k = np.where(inside[..., None], index, 0).transpose(2, 0, 1)
    return np.where(inside, array[k, j, i].astype(float), np.nan)


def picture(values: NDArray[np.float64], brain: NDArray[np.bool_], *, outlined: bool) -> Any:
    """A QPixmap in gray, windowed to the brain, with its outline where wanted.

    Args:
        values: From ``axialValues``.
        brain: Where the brain is in the same square.
        outlined: Whether to draw the rim of ``brain``.
    """
    shown = values[brain & np.isfinite(values)]
    low, high = np.percentile(shown, (1.0, 99.5)) if shown.size else (0.0, 1.0)
    low -= 0.25 * (high - low)
    gray = np.nan_to_num(np.clip((values - low) / max(high - low, 1e-6), 0.0, 1.0))
    rgb = np.repeat(np.rint(255 * gray).astype(np.uint8)[..., None], 3, axis=-1)
    if outlined:
        inner = brain.copy()
        for axis in (0, 1):
            for shift in (1, -1):
                inner &= np.roll(brain, shift, axis=axis)
        rgb[brain & ~inner] = _OUTLINE
    pixmap = qt.QPixmap()
    pixmap.loadFromData(_png(rgb))
    return pixmap


def _png(rgb: NDArray[np.uint8]) -> bytes:
    image = vtk.vtkImageData()
    image.SetDimensions(rgb.shape[1], rgb.shape[0], 1)
    flipped = np.ascontiguousarray(rgb[::-1]).reshape(-1, 3)  # VTK counts rows from below
    image.GetPointData().SetScalars(numpy_to_vtk(flipped, deep=True))
    writer = vtk.vtkPNGWriter()
    writer.WriteToMemoryOn()
    writer.SetInputData(image)
    writer.Write()
    return vtk_to_numpy(writer.GetResult()).tobytes()


def shading(raw: Any, corrected: Any, mask: Any) -> float | None:
    """How much brighter the brightest part of the brain was than the darkest because of the bias field.

    Args:
        raw: T1Gd as acquired.
        corrected: The same voxels without bias field.
        mask: Brain mask on the same voxels.

    Returns:
        Ratio of the 95th to the 5th percentile of the field in the brain, less 1; None when the grids differ.
    """
    arrays = [slicer.util.arrayFromVolume(node) for node in (raw, corrected, mask)]
    if len({array.shape for array in arrays}) > 1:
        return None
    before, after, brain = (array[::_SAMPLED, ::_SAMPLED, ::_SAMPLED].astype(float) for array in arrays)
    inside = (brain > 0) & (after > 0) & (before > 0)
    if not inside.any():
        return None
    low, high = np.percentile(before[inside] / after[inside], (5.0, 95.0))
    return float(high / low - 1.0)
