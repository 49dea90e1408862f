"""Repair a brain mask in Segment Editor or an alignment in Transforms, and bring the repair back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import UnusableScanError
from PCNSLSurvivalLib.core.terms import BESIDE_T1GD, MRSequence
from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, MASK, OUTPUT_ATTRIBUTE, T1GD, TRANSFORM, SceneOutputs
from PCNSLSurvivalUI.scene.resampling import sampled
from PCNSLSurvivalUI.scene.segmentations import addOutline, fillMask, openEditor
from PCNSLSurvivalUI.scene.volume_files import hiddenCopy, ijkToWorld, newHidden, removeNode

SEGMENTATION, REPAIRED_MASK = "output.repair.mask", "output.repairedMask"
MOVING = "output.repair.moving."
"""With the name of the sequence: the copy that lies under the transform while it is repaired."""
_OUTLINE = (1.0, 0.78, 0.24)
_REPAIRED_FOR, _MOVED = "PCNSLSurvival.repairedFor", "PCNSLSurvival.moved"
"""References to the T1Gd that a repair belongs to, and to the scan that was moved onto T1Gd.

References, not IDs in attributes: Slicer renames IDs when it adds a saved scene to the open one.
"""
_VOXELS = "PCNSLSurvival.repairedForVoxels"
"""Attribute of a repaired mask: what its T1Gd is known by when it is loaded once more."""
_HASHED_VOXELS = 2_000_000
_BEFORE = "PCNSLSurvival.before"
"""Attribute of the copy under a transform: the transform's matrix before the repair, row by row."""
_REPAIRED_ROLE = "PCNSLSurvival.repairedRole"
"""Attribute of what the user repaired: the output that it stands for, also when its T1Gd is gone."""


def startMask(outputs: SceneOutputs) -> None:
    """Turn the brain mask into a segmentation, drawn as an outline on T1Gd, and open it in Segment Editor."""
    mask, t1gd = outputs.node(MASK), outputs.node(T1GD)
    # Visible and in its folder before the segments come: a hidden node has no place in the subject hierarchy.
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    outputs.place(SEGMENTATION, segmentation, _("Brain mask (editing)"), t1gd, kept=False)
    addOutline(segmentation, mask, t1gd, _("Brain"), _OUTLINE)
    openEditor(segmentation, t1gd)


def finishMask(outputs: SceneOutputs) -> Any:
    """Take the repaired segmentation over as a brain mask on the T1Gd voxel grid.

    It takes the place of an earlier one for the same T1Gd; one for another T1Gd stays in the scene.

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
    t1gd = outputs.node(T1GD)
    earlier = repairedFor(outputs, REPAIRED_MASK, t1gd)
    _takeBack(outputs, REPAIRED_MASK, earlier)
    if earlier is not None:
        # Not replaced: a selector whose node is removed chooses another one by itself.
        earlier.SetAndObserveImageData(exported.GetImageData())
        matrix = vtk.vtkMatrix4x4()
        exported.GetIJKToRASMatrix(matrix)
        earlier.SetIJKToRASMatrix(matrix)
        removeNode(exported)
    else:
        outputs.place(REPAIRED_MASK, exported, _("Brain mask of {name}, repaired").format(name=t1gd.GetName()), t1gd)
    outputs.remove(SEGMENTATION)
    mask = outputs.node(REPAIRED_MASK)
    markRepaired(mask, REPAIRED_MASK, t1gd)
    place = _sizeAndPlace(t1gd)
    mask.SetAttribute(_VOXELS, f"{place} {_hashOfVoxels(t1gd)}" if place else None)
    return mask


def isRepairedFor(node: Any, t1gd: Any) -> bool:
    """Whether the user repaired a node for this T1Gd, or for the same scan that was loaded once more since."""
    if not isRepair(node):
        return False
    if node.GetNodeReference(_REPAIRED_FOR) is t1gd:
        return True
    known = (node.GetAttribute(_VOXELS) or "").rpartition(" ")
    return bool(known[0]) and known[0] == _sizeAndPlace(t1gd) and known[2] == _hashOfVoxels(t1gd)


def _sizeAndPlace(volume: Any) -> str:
    """Type of voxels, size and place of a volume; empty without an image, or where a transform bends it."""
    if volume is None or volume.GetImageData() is None or volume.GetImageData().GetPointData().GetScalars() is None:
        return ""
    try:
        place = np.round(ijkToWorld(volume, MRSequence.T1GD.label), 3).tolist()
    except UnusableScanError:
        return ""
    image = volume.GetImageData()
    return f"{image.GetScalarType()} {image.GetDimensions()} {place}"


def _hashOfVoxels(volume: Any) -> str:
    """SHA-256 over evenly spaced slices of a volume, which are a few million voxels at most."""
    voxels = slicer.util.arrayFromVolume(volume)
    told = hashlib.sha256()
    for plane in voxels[:: -(-voxels.size // _HASHED_VOXELS)]:
        told.update(np.ascontiguousarray(plane))  # no copy: it is contiguous
    return told.hexdigest()


def placeAligned(outputs: SceneOutputs, sequence: MRSequence, nodes: tuple[Any, Any], scan: Any, t1gd: Any) -> None:
    """Take over what a run aligned; a repair of the user stays in the scene, one under way ends.

    Args:
        outputs: Where the nodes go.
        sequence: Any but T1Gd.
        nodes: The scan on the voxels of T1Gd, and its transform.
        scan: The scan as acquired; None when it is gone.
        t1gd: The T1Gd; None when it is gone.
    """
    outputs.remove(MOVING + sequence)
    names = (_("{role} aligned with T1Gd"), _("{role} to T1Gd"))
    for role, node, name in zip((ALIGNED + sequence, TRANSFORM + sequence), nodes, names, strict=True):
        _makeRoom(outputs, role)
        outputs.place(role, node, name.format(role=sequence.label), t1gd)
        _refer(outputs.node(role), _MOVED, scan)


def movedScan(outputs: SceneOutputs, role: str) -> Any:
    """The scan as acquired that an aligned scan, or the copy under a transform, was made from; None when it is gone.

    Args:
        outputs: Where that output is.
        role: ``ALIGNED`` or ``MOVING`` with the name of the sequence.
    """
    node = outputs.node(role)
    return None if node is None else node.GetNodeReference(_MOVED)


def startTransform(outputs: SceneOutputs, sequence: MRSequence, moving: Any) -> Any:
    """Lay a copy of a scan under its transform and open the transform in Transforms.

    Args:
        outputs: Where the transform is.
        sequence: Any but T1Gd.
        moving: The scan as acquired; it stays untouched.

    Returns:
        The copy, which follows the transform.

    Raises:
        UnusableScanError: The transform is gone; or see ``volume_files.hiddenCopy``.
    """
    transform = outputs.node(TRANSFORM + sequence)
    if transform is None:
        raise _notAlignable(sequence)
    copy = hiddenCopy(moving, sequence.label)
    _refer(copy, _MOVED, moving)
    copy.SetAttribute(_BEFORE, " ".join(map(repr, slicer.util.arrayFromTransformMatrix(transform).ravel().tolist())))
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
        raise _notAlignable(sequence)
    scan = movedScan(outputs, MOVING + sequence)
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
    outputs.place(ALIGNED + sequence, aligned, "", t1gd)
    # With both names: a scene may hold the repairs of several exams.
    words = {ALIGNED: _("{scan} aligned with {t1gd}, repaired"), TRANSFORM: _("{scan} to {t1gd}, repaired")}
    scanName = sequence.label if scan is None else scan.GetName()
    for start, name in words.items():
        node = outputs.node(start + sequence)
        if node is not None:
            node.SetName(name.format(scan=scanName, t1gd=t1gd.GetName()))
            markRepaired(node, start + sequence, t1gd, scan)
    outputs.remove(MOVING + sequence)


def underRepair(outputs: SceneOutputs) -> list[MRSequence | None]:
    """What is being repaired: sequences whose alignment is, and None for the brain mask."""
    drawn: list[MRSequence | None] = [None] if outputs.node(SEGMENTATION) is not None else []
    return drawn + [sequence for sequence in BESIDE_T1GD if outputs.node(MOVING + sequence) is not None]


def whyNotMeanwhile(outputs: SceneOutputs) -> str:
    """Why no other result may come now: it would take away what is being repaired; empty when nothing is."""
    for sequence in underRepair(outputs):
        if sequence is None:
            return _("The brain outline is being repaired. Use or discard the repair under Quality first.")
        words = _("The alignment of {role} is being repaired. Use or discard the repair under Quality first.")
        return words.format(role=sequence.label)
    return ""


def discard(outputs: SceneOutputs, sequence: MRSequence | None) -> None:
    """Drop the repair under way: outline or alignment are as before it.

    Args:
        outputs: Where the repair is.
        sequence: Whose alignment is repaired; None for the brain mask.
    """
    if sequence is None:
        outputs.remove(SEGMENTATION)
        return
    moving, transform = outputs.node(MOVING + sequence), outputs.node(TRANSFORM + sequence)
    before = moving.GetAttribute(_BEFORE)  # scenes saved before have none
    if before and transform is not None:
        matrix = np.array(before.split(), dtype=float).reshape(4, 4)
        transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    outputs.remove(MOVING + sequence)


def giveUp(outputs: SceneOutputs) -> str:
    """Repairs under way cannot go on: alignments are as before them; an outline that was drawn stays in the scene.

    Args:
        outputs: Where the repairs are.

    Returns:
        What has become of them, for the user; empty when nothing was under repair.
    """
    sentences = []
    for sequence in underRepair(outputs):
        if sequence is not None:
            discard(outputs, sequence)
            words = _("The unfinished repair of the alignment of {role} was discarded.")
            sentences.append(words.format(role=sequence.label))
            continue
        drawn = outputs.release(SEGMENTATION)
        drawn.SetSaveWithScene(True)
        drawn.SetDisplayVisibility(False)
        words = _('The brain outline that was being repaired stays in the scene as "{name}".')
        sentences.append(words.format(name=drawn.GetName()))
    return " ".join(sentences)


def repairedAlignments(outputs: SceneOutputs, scans: Mapping[MRSequence, Any]) -> dict[MRSequence, Any]:
    """Scans whose alignment with T1Gd the user repaired: they need not, and must not, be aligned again.

    They may have been released when another exam was predicted in between.

    Args:
        outputs: Where the outputs are.
        scans: The chosen scans as acquired, T1Gd among them.
    """
    t1gd = scans[MRSequence.T1GD]
    beside = {sequence: scan for sequence, scan in scans.items() if sequence in BESIDE_T1GD}
    nodes = {sequence: repairedFor(outputs, ALIGNED + sequence, t1gd, scan) for sequence, scan in beside.items()}
    return {sequence: node for sequence, node in nodes.items() if node is not None}


def repairsOfUnknownScans(outputs: SceneOutputs, scans: Mapping[MRSequence, Any]) -> list[MRSequence]:
    """Sequences whose alignment was repaired in an older scene, which does not say with which T1Gd.

    The next run aligns them anew.

    Args:
        outputs: Where the outputs are.
        scans: The chosen scans as acquired.
    """
    aligned = {sequence: outputs.node(ALIGNED + sequence) for sequence in BESIDE_T1GD if sequence in scans}
    return [one for one, node in aligned.items() if node is not None and node.GetAttribute(_REPAIRED_FOR)]


def takeBackRepairs(outputs: SceneOutputs, t1gd: Any, scans: Mapping[MRSequence, Any]) -> None:
    """The result of this T1Gd is there again: alignments that the user repaired for it belong to it again.

    Args:
        outputs: Where the outputs are.
        t1gd: The T1Gd of the result.
        scans: The chosen scans by sequence; for one that is not chosen, the latest repair comes back.
    """
    for sequence in BESIDE_T1GD:
        scan = scans.get(sequence)
        if scan is not None or outputs.node(ALIGNED + sequence) is None:
            for role in (ALIGNED + sequence, TRANSFORM + sequence):
                node = repairedFor(outputs, role, t1gd, scan)
                if node is not None:
                    _takeBack(outputs, role, node)


def repairedFor(outputs: SceneOutputs, role: str, t1gd: Any, scan: Any = None) -> Any:
    """What the user repaired for a T1Gd, an output still or released; the latest; None when there is nothing.

    Args:
        outputs: Where the outputs are.
        role: The output that it stands for.
        t1gd: The T1Gd; None matches nothing.
        scan: The scan that was moved; None for any.
    """
    found = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLTransformableNode")
        if node.GetAttribute(_REPAIRED_ROLE) == role
        and t1gd is not None
        and node.GetNodeReference(_REPAIRED_FOR) is t1gd
        and (scan is None or node.GetNodeReference(_MOVED) is scan)
    ]
    current = outputs.node(role)
    return current if current in found else found[-1] if found else None


def isRepair(node: Any) -> bool:
    """Whether the user repaired this node, for whichever T1Gd.

    Scenes saved before hold the T1Gd as an ID in an attribute, which may name another volume by now: such a repair
    belongs to no T1Gd.
    """
    marked = node.GetAttribute(_REPAIRED_ROLE) or node.GetAttribute(_REPAIRED_FOR)
    return bool(marked) or node.GetAttribute(OUTPUT_ATTRIBUTE) == REPAIRED_MASK


def markRepaired(node: Any, role: str, t1gd: Any, scan: Any = None) -> None:
    """Mark a node as repaired by the user.

    Args:
        node: A brain mask, an aligned scan or its transform.
        role: The output that it stands for.
        t1gd: The T1Gd that it belongs to.
        scan: The scan that was moved onto T1Gd; None for a brain mask.
    """
    node.SetAttribute(_REPAIRED_ROLE, role)
    _refer(node, _REPAIRED_FOR, t1gd)
    _refer(node, _MOVED, scan)


def _takeBack(outputs: SceneOutputs, role: str, node: Any) -> None:
    """Let a repair, or nothing, be the output of its role."""
    if outputs.node(role) is not node:
        _makeRoom(outputs, role)
        if node is not None:
            outputs.takeBack(role, node)


def _makeRoom(outputs: SceneOutputs, role: str) -> None:
    """Another node comes: what the user repaired stays in the scene, what a run made goes."""
    node = outputs.node(role)
    if node is not None and isRepair(node):
        outputs.release(role)
    else:
        outputs.remove(role)


def _refer(node: Any, role: str, to: Any) -> None:
    isThere = to is not None and to.GetScene() is not None
    node.SetNodeReferenceID(role, to.GetID() if isThere else None)


def _notAlignable(sequence: MRSequence) -> UnusableScanError:
    return UnusableScanError(
        _("{role} cannot be aligned: T1Gd or the transform is gone, or the transform is not linear.").format(
            role=sequence.label
        )
    )
