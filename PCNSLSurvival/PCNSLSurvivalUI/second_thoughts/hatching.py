"""A map that failed a check is hatched in the slice views, so that a picture of it tells so without the panel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

from PCNSLSurvivalUI.scene.output_nodes import HATCHED, SceneOutputs, mapRole
from PCNSLSurvivalUI.scene.resampling import sampled
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld, newHidden, removeNode

_PERIOD_MM, _GAP_MM = 8, 3
"""Measured along x + y + z: on a plane the stripes lie some 6 mm apart."""
_SLAB_VOXELS = 1_000_000


def hatch(outputs: SceneOutputs, explains: str, t1gd: Any) -> Iterator[None]:
    """Put hatched copies of the two maps of a class into the scene; a generator for ``InPieces``.

    Args:
        outputs: Where the maps are.
        explains: The class.
        t1gd: The T1Gd that they belong to; None when it is gone.
    """
    smooth = outputs.node(mapRole(explains, cells=False))
    for cells in (False, True):
        source = outputs.node(mapRole(explains, cells=cells))
        if smooth is None or source is None:
            continue
        copy = newHidden("vtkMRMLScalarVolumeNode", "hatched")
        try:
            matrix, image = ijkToWorld(smooth, ""), vtk.vtkImageData()
            toSource = np.linalg.inv(ijkToWorld(source, "")) @ matrix
            yield from sampled(source.GetImageData(), toSource, smooth, image, nearest=cells)
            yield from _cutStripes(image, matrix)
            copy.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
            copy.SetAndObserveImageData(image)
        except BaseException:
            removeNode(copy)
            raise
        name = _("{map} (!)").format(map=source.GetName())  # the data probe shows 24 letters
        outputs.place(HATCHED + mapRole(explains, cells=cells), copy, name, t1gd)
        yield


def _cutStripes(image: Any, matrix: Any) -> Iterator[None]:
    columns, rows, slices = image.GetDimensions()
    values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(slices, rows, columns)
    i, j, k = (np.arange(n) * matrix[:3, axis].sum() for axis, n in enumerate((columns, rows, slices)))
    inPlane = j[:, None] + i[None]
    slab = max(1, _SLAB_VOXELS // (rows * columns))
    for first in range(0, slices, slab):
        place = np.floor(k[first : first + slab, None, None] + inPlane).astype(np.int32)
        values[first : first + slab][place % _PERIOD_MM < _GAP_MM] = 0
        yield
