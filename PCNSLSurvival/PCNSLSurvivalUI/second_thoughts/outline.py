"""The tumor outline that a question about the shown result is asked with."""

from __future__ import annotations

import hashlib
from typing import Any

import slicer

from PCNSLSurvivalUI.scene.output_nodes import PROPOSAL, T1GD, SceneOutputs
from PCNSLSurvivalUI.scene.segmentations import contentOf, visibleSegments
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld


def outlineOf(parameters: Any) -> Any:
    """The outline of the shown result's own T1Gd; None where there is none.

    The chosen outline belongs to the chosen T1Gd, which may be that of another patient.

    Args:
        parameters: The panel's choices.
    """
    outputs = SceneOutputs(parameters.parameterNode)
    t1gd = outputs.node(T1GD)
    if parameters.lesion is not None and t1gd is not None and parameters.t1gdVolume is t1gd:
        return parameters.lesion
    return outputs.node(PROPOSAL)


def markOfOutline(parameters: Any) -> str:
    """What tells one outline from another after any stroke; empty without an outline or for an empty one.

    Args:
        parameters: The panel's choices.
    """
    return contentMark(outlineOf(parameters))


def stateOf(outline: Any) -> tuple[Any, ...]:
    """Another one whenever voxels, place or visible segments of an outline may have changed; reads no voxel.

    Args:
        outline: A segmentation, a label map, or None.
    """
    if outline is None:
        return ()
    place, parent = [], outline.GetParentTransformNode()
    while parent is not None:  # an older transform may have been put above, or taken away
        place.append((parent.GetID(), parent.GetTransformToWorldMTime()))
        parent = parent.GetParentTransformNode()
    if outline.IsA("vtkMRMLLabelMapVolumeNode"):
        image = outline.GetImageData()
        return outline.GetID(), outline.GetMTime(), None if image is None else image.GetMTime(), tuple(place)
    segmentation = outline.GetSegmentation()
    source, blocks = segmentation.GetSourceRepresentationName(), []
    for number in range(segmentation.GetNumberOfSegments()):
        block = segmentation.GetNthSegment(number).GetRepresentation(source)
        blocks.append((segmentation.GetNthSegmentID(number), None if block is None else block.GetMTime()))
    return outline.GetID(), tuple(visibleSegments(outline)), tuple(blocks), tuple(place)


_MARKS: dict[str, tuple[tuple[Any, ...], str]] = {}
"""State and mark of the outlines that were asked for, by ID of their node; no state comes twice in one session."""


def contentMark(outline: Any) -> str:
    """What tells the content of one outline from that of another; empty for none and for an empty one.

    The voxels are read again only after they may have changed: it is asked for with every move of a slider.

    Args:
        outline: A segmentation, a label map, or None.
    """
    if outline is None:
        return ""
    state = stateOf(outline)
    kept = _MARKS.get(outline.GetID())
    if kept is None or kept[0] != state:
        kept = _MARKS[outline.GetID()] = (state, _readMark(outline))
    return kept[1]


def _readMark(outline: Any) -> str:
    if outline.IsA("vtkMRMLLabelMapVolumeNode"):
        if outline.GetImageData() is None:
            return ""
        values = slicer.util.arrayFromVolume(outline) > 0
        told = values.tobytes() + ijkToWorld(outline, outline.GetName()).round(3).tobytes() if values.any() else b""
    else:
        visible = visibleSegments(outline)
        content = contentOf(outline) if visible else ""
        told = " ".join([*visible, content]).encode() if content else b""
    return hashlib.sha256(told).hexdigest() if told else ""
