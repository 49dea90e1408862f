"""A volume on the voxels of another one, in pieces that never hold up the application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

_SLAB_VOXELS = 1_000_000


def sampled(source: Any, toSource: Any, reference: Any, image: Any, *, nearest: bool = False) -> Iterator[None]:
    """Fill ``image`` with ``source`` on the voxels of ``reference``; 0 outside.

    Args:
        source: vtkImageData.
        toSource: (4, 4) index of ``reference`` to index of ``source``.
        reference: Volume node.
        image: An empty vtkImageData.
        nearest: Keep the voxels of ``source`` as blocks; linear between them otherwise.
    """
    columns, rows, slices = reference.GetImageData().GetDimensions()
    matrix = vtk.vtkMatrixToLinearTransform()
    matrix.SetInput(slicer.util.vtkMatrixFromArray(toSource))
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(source)
    reslice.SetResliceTransform(matrix)
    if nearest:
        reslice.SetInterpolationModeToNearestNeighbor()
    else:
        reslice.SetInterpolationModeToLinear()
    reslice.SetOutputSpacing(1.0, 1.0, 1.0)
    reslice.SetOutputOrigin(0.0, 0.0, 0.0)
    image.SetDimensions(columns, rows, slices)
    image.AllocateScalars(source.GetScalarType(), 1)
    target = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(slices, rows, columns)
    slab = max(1, _SLAB_VOXELS // (rows * columns))
    for first in range(0, slices, slab):
        last = min(first + slab, slices) - 1
        reslice.SetOutputExtent(0, columns - 1, 0, rows - 1, first, last)
        reslice.Update()
        piece = vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars())
        target[first : last + 1] = piece.reshape(last + 1 - first, rows, columns)
        yield
