"""Repair a brain mask in Segment Editor or an alignment in Transforms, and bring the repair back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import UnusableScanError
from PCNSLSurvivalLib.core.terms import BESIDE_T1GD, MRSequence
from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, MASK, T1GD, TRANSFORM, SceneOutputs
from PCNSLSurvivalUI.scene.resampling import sampled
from PCNSLSurvivalUI.scene.segmentations import addOutline, fillMask, openEditor
from PCNSLSurvivalUI.scene.volume_files import hiddenCopy, ijkToWorld, newHidden, removeNode

SEGMENTATION, REPAIRED_MASK = "output.repair.mask", "output.repairedMask"
MOVING = "output.repair.moving."
"""With the name of the sequence: the copy that lies under the transform while it is repaired."""
_OUTLINE = (1.0, 0.78, 0.24)
REPAIRED_FOR = "PCNSLSurvival.repairedFor"
"""Of a scan that the user aligned, of its transform, and of a repaired brain mask: ID of the T1Gd."""
_REPAIRED_ROLE = "PCNSLSurvival.repairedRole"


def startMask(outputs: SceneOutputs) -> None:
    """Turn the brain mask into a segmentation, drawn as an outline on T1Gd, and open it in Segment Editor."""
    mask, t1gd = outputs.node(MASK), outputs.node(T1GD)
    # Visible and in its folder before the segments come: a hidden node has no place in the subject hierarchy.
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    outputs.place(SEGMENTATION, segmentation, _("Brain mask (editing)"), t1gd, kept=False)
    addOutline(segmentation, mask, t1gd if t1gd is not None else mask, _("Brain"), _OUTLINE)
    openEditor(segmentation, t1gd)


def finishMask(outputs: SceneOutputs) -> Any:
    """Take the repaired segmentation over as a brain mask on the T1Gd voxel grid.

    Returns:
        The mask, a ``vtkMRMLLabelMapVolumeNode``.

    Raises:
        UnusableScanError: The segmentation is empty.
    """
    segmentation, reference = outputs.node(SEGMENTATION), outputs.node(MASK)
    exported = newHidden("vtkMRMLLabelMapVolumeNode", "repaired")
    if not fillMask(exported, segmentation, reference):
        removeNode(exported)
        raise UnusableScanError(
            _("The repaired brain mask is empty. Segment the brain in Segment Editor, then continue.")
        )
    earlier = outputs.node(REPAIRED_MASK)
    if earlier is not None:
        # Not replaced: a selector whose node is removed chooses another one by itself.
        earlier.SetAndObserveImageData(exported.GetImageData())
        matrix = vtk.vtkMatrix4x4()
        exported.GetIJKToRASMatrix(matrix)
        earlier.SetIJKToRASMatrix(matrix)
        removeNode(exported)
    else:
        outputs.place(REPAIRED_MASK, exported, _("Brain mask, repaired"), outputs.node(T1GD))
    outputs.remove(SEGMENTATION)
    mask, t1gd = outputs.node(REPAIRED_MASK), outputs.node(T1GD)
    mask.SetAttribute(REPAIRED_FOR, None if t1gd is None else t1gd.GetID())
    return mask


def brainMaskFor(outputs: SceneOutputs, chosen: Any, t1gd: Any) -> Any:
    """The brain mask to choose when another T1Gd is chosen: none that was repaired on another head.

    Args:
        outputs: Where a repaired mask is.
        chosen: The brain mask chosen so far; None without one.
        t1gd: The T1Gd chosen now.
    """
    if chosen is not None and not chosen.GetAttribute(REPAIRED_FOR):
        return chosen
    repaired = outputs.node(REPAIRED_MASK)
    return repaired if repaired is not None and repaired.GetAttribute(REPAIRED_FOR) == t1gd.GetID() else None


def startTransform(outputs: SceneOutputs, sequence: MRSequence, moving: Any) -> Any:
    """Lay a copy of a scan under its transform and open the transform in Transforms.

    Args:
        outputs: Where the transform is.
        sequence: Any but T1Gd.
        moving: The scan as acquired; it stays untouched.

    Returns:
        The copy, which follows the transform.

    Raises:
        UnusableScanError: See ``volume_files.hiddenCopy``.
    """
    transform = outputs.node(TRANSFORM + sequence)
    copy = hiddenCopy(moving, sequence.label)
    copy.SetAndObserveTransformNodeID(transform.GetID())
    name = _("{role} under its transform").format(role=sequence.label)
    outputs.place(MOVING + sequence, copy, name, outputs.node(T1GD), kept=False)
    slicer.app.openNodeModule(transform)
    return outputs.node(MOVING + sequence)


def finishTransform(outputs: SceneOutputs, sequence: MRSequence) -> Iterator[None]:
    """Sample the scan anew on the voxels of T1Gd as its transform stands now; a generator for ``InPieces``.

    Raises:
        UnusableScanError: The transform bends the scan, or T1Gd is gone.
    """
    moving, t1gd = outputs.node(MOVING + sequence), outputs.node(T1GD)
    parent = moving.GetParentTransformNode() if moving is not None else None
    if t1gd is None or parent is None or not parent.IsTransformToWorldLinear():
        raise UnusableScanError(
            _("{role} cannot be aligned: T1Gd or the transform is gone, or the transform is not linear.").format(
                role=sequence.label
            )
        )
    own, world = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    moving.GetIJKToRASMatrix(own)
    parent.GetMatrixTransformToWorld(world)
    movingToWorld = slicer.util.arrayFromVTKMatrix(world) @ slicer.util.arrayFromVTKMatrix(own)
    reference = ijkToWorld(t1gd, MRSequence.T1GD.label)
    image = vtk.vtkImageData()
    yield from sampled(moving.GetImageData(), np.linalg.inv(movingToWorld) @ reference, t1gd, image)
    aligned = newHidden("vtkMRMLScalarVolumeNode", "aligned")
    aligned.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(reference))
    aligned.SetAndObserveImageData(image)
    outputs.place(ALIGNED + sequence, aligned, _("{role} aligned with T1Gd").format(role=sequence.label), t1gd)
    for role in (ALIGNED + sequence, TRANSFORM + sequence):
        node = outputs.node(role)
        if node is not None:
            node.SetAttribute(REPAIRED_FOR, t1gd.GetID())
            node.SetAttribute(_REPAIRED_ROLE, role)
    outputs.remove(MOVING + sequence)


def repairedAlignments(outputs: SceneOutputs, t1gd: Any) -> dict[MRSequence, Any]:
    """Scans whose alignment with this T1Gd the user repaired: they need not, and must not, be aligned again.

    They may have been released when another exam was predicted in between.
    """
    nodes = {sequence: _repaired(outputs, ALIGNED + sequence, t1gd) for sequence in BESIDE_T1GD}
    return {sequence: node for sequence, node in nodes.items() if node is not None}


def takeBackRepairs(outputs: SceneOutputs, t1gd: Any) -> None:
    """The result of this T1Gd is there again: alignments that the user repaired for it belong to it again."""
    for sequence in BESIDE_T1GD:
        if outputs.node(ALIGNED + sequence) is None:
            for role in (ALIGNED + sequence, TRANSFORM + sequence):
                node = _repaired(outputs, role, t1gd)
                if node is not None:
                    outputs.takeBack(role, node)


def _repaired(outputs: SceneOutputs, role: str, t1gd: Any) -> Any:
    """What the user repaired for a T1Gd, an output still or released; the latest; None when there is nothing."""
    node = outputs.node(role)
    if node is not None and node.GetAttribute(REPAIRED_FOR) == t1gd.GetID():
        return node
    kind = "vtkMRMLScalarVolumeNode" if role.startswith(ALIGNED) else "vtkMRMLLinearTransformNode"
    found = [
        one
        for one in slicer.util.getNodesByClass(kind)
        if one.GetAttribute(REPAIRED_FOR) == t1gd.GetID() and one.GetAttribute(_REPAIRED_ROLE) == role
    ]
    return found[-1] if found else None
