"""Volume node to file and back, geometry intact, in pieces that never hold up the application."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from slicer.i18n import tr as _
from vtk.util.numpy_support import get_vtk_array_type, vtk_to_numpy

from PCNSLSurvivalLib.core.errors import UnusableScanError

_PIECE_BYTES = 4 * 2**20
_NRRD_TYPES = {"i1": "int8", "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32"}
_NRRD_TYPES |= {"f4": "float", "f8": "double"}


def ijkToWorld(node: slicer.vtkMRMLScalarVolumeNode, name: str) -> NDArray[np.float64]:
    """Where the voxels of a volume lie in the patient as the views show it, parent transforms included.

    Args:
        node: A scalar volume.
        name: How messages call it, "T1Gd".

    Returns:
        (4, 4) matrix from voxel index (i, j, k, 1) to RAS mm.

    Raises:
        UnusableScanError: A transform above the volume bends or shears it, so that no voxel grid can follow.
    """
    own = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(own)
    matrix = slicer.util.arrayFromVTKMatrix(own)
    parent = node.GetParentTransformNode()
    if parent is None:
        return matrix
    toWorld = vtk.vtkMatrix4x4()
    if not parent.IsTransformToWorldLinear():
        raise UnusableScanError(_bent(name))
    parent.GetMatrixTransformToWorld(toWorld)
    matrix = slicer.util.arrayFromVTKMatrix(toWorld) @ matrix
    axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3):
        raise UnusableScanError(_bent(name))
    return matrix


def _bent(name: str) -> str:
    return _(
        "{name} lies under a transform that bends or shears it. In the Transforms module, harden the transform on "
        "{name} or take {name} out of it, then predict again."
    ).format(name=name)


def hiddenCopy(node: slicer.vtkMRMLScalarVolumeNode, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    """A hidden, unsaved volume at the same place in the patient that shares the voxels of ``node``.

    CLI modules ignore parent transforms and move registered volumes under new ones; with a copy the user's own
    volume is out of their reach, and deleting it during a run does no harm. No voxel is copied.

    Raises:
        UnusableScanError: See ``ijkToWorld``; or the volume holds no image.
    """
    if node.GetImageData() is None:
        raise UnusableScanError(_("{name} holds no image. Load it again.").format(name=name))
    matrix = ijkToWorld(node, name)
    copy = newHidden("vtkMRMLScalarVolumeNode", name)
    copy.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    copy.SetAndObserveImageData(node.GetImageData())
    return copy


def newHidden(className: str, name: str) -> slicer.vtkMRMLNode:
    """A node that selectors do not list and that is not saved with the scene."""
    node = slicer.mrmlScene.CreateNodeByClass(className)
    node.UnRegister(None)
    node.SetName(slicer.mrmlScene.GenerateUniqueName(name))
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    node.SetAttribute("PCNSLSurvival.temporary", "1")
    return slicer.mrmlScene.AddNode(node)


def removeNode(node: slicer.vtkMRMLNode) -> None:
    """Remove a node with the display and storage nodes that would otherwise stay in the scene unused.

    A volume lets go of its image as well: while Python still refers to the node, it would go on observing the voxels,
    and a hidden copy shares those of the patient's scan.
    """
    scene = node.GetScene()
    if scene is None:
        return
    companions = []
    if node.IsA("vtkMRMLDisplayableNode"):
        companions = [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        companions += [node.GetNthStorageNode(n) for n in range(node.GetNumberOfStorageNodes())]
    scene.RemoveNode(node)
    for companion in companions:
        if companion is not None and companion.GetScene() is not None:
            scene.RemoveNode(companion)
    if node.IsA("vtkMRMLVolumeNode"):
        node.SetAndObserveImageData(None)


def removeInPieces(nodes: list[Any]) -> Iterator[None]:
    """Remove nodes one by one: all at once they would hold the application up. Also if it is stopped, all are gone."""
    try:
        while nodes:
            removeNode(nodes.pop())
            yield
    finally:
        for node in nodes:
            removeNode(node)


def writeNrrd(node: slicer.vtkMRMLScalarVolumeNode, path: Path, name: str, *, note: str = "") -> Iterator[None]:
    """Write a volume as NRRD at its place in the patient; a generator for ``InPieces``.

    Args:
        node: The volume.
        path: File to make.
        name: How messages call it.
        note: What its header says of it, as the key ``note``; ASCII.

    Raises:
        UnusableScanError: See ``ijkToWorld``.
    """
    matrix = ijkToWorld(node, name)
    array = slicer.util.arrayFromVolume(node)  # a view, (k, j, i)
    kind = _NRRD_TYPES.get(array.dtype.str[1:])
    if kind is None or array.ndim != 3:
        raise UnusableScanError(_("{name} is not a single 3-D scalar volume.").format(name=name))
    vectors = " ".join("({})".format(",".join(repr(float(v)) for v in matrix[:3, axis])) for axis in range(3))
    origin = "({})".format(",".join(repr(float(v)) for v in matrix[:3, 3]))
    header = (
        f"NRRD0004\ntype: {kind}\ndimension: 3\nspace: right-anterior-superior\n"
        f"sizes: {array.shape[2]} {array.shape[1]} {array.shape[0]}\nspace directions: {vectors}\n"
        f"kinds: domain domain domain\nendian: {sys.byteorder}\nencoding: raw\nspace origin: {origin}\n"
    )
    header += f"note:={note}\n\n" if note else "\n"
    slab = max(1, _PIECE_BYTES // max(array[0].nbytes, 1))
    with path.open("wb") as stream:
        stream.write(header.encode("ascii"))
        for first in range(0, len(array), slab):
            stream.write(np.ascontiguousarray(array[first : first + slab]).tobytes())
            yield


def readVolume(folder: Path, name: str, node: slicer.vtkMRMLScalarVolumeNode) -> Iterator[None]:
    """Fill a node from ``NAME.npy`` (k, j, i) and the ``affine_ras`` in ``NAME.json``; a generator for ``InPieces``.

    The node gets its image in one assignment at the end, so it never shows half of it.
    """
    stored = np.load(folder / f"{name}.npy", mmap_mode="r")
    affine = np.array(json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["affine_ras"])
    image = vtk.vtkImageData()
    image.SetDimensions(*stored.shape[::-1])
    image.AllocateScalars(get_vtk_array_type(stored.dtype), 1)
    target = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(stored.shape)
    slab = max(1, _PIECE_BYTES // max(stored[0].nbytes, 1))
    yield
    for first in range(0, len(stored), slab):
        target[first : first + slab] = stored[first : first + slab]
        yield
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(affine))
    node.SetAndObserveImageData(image)
    yield
