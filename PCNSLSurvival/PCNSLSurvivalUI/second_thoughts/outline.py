"""The tumor outline that a question about the shown result is asked with."""

from __future__ import annotations

import hashlib
from typing import Any

import slicer

from PCNSLSurvivalUI.scene.output_nodes import PROPOSAL, T1GD, SceneOutputs
from PCNSLSurvivalUI.scene.segmentations import contentOf
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


def contentMark(outline: Any) -> str:
    """What tells the content of one outline from that of another; empty for none and for an empty one.

    Args:
        outline: A segmentation, a label map, or None.
    """
    if outline is None:
        return ""
    if outline.IsA("vtkMRMLLabelMapVolumeNode"):
        if outline.GetImageData() is None:
            return ""
        values = slicer.util.arrayFromVolume(outline) > 0
        told = values.tobytes() + ijkToWorld(outline, outline.GetName()).round(3).tobytes() if values.any() else b""
    else:
        visible: list[str] = []
        if outline.GetDisplayNode() is not None:
            outline.GetDisplayNode().GetVisibleSegmentIDs(visible)
        told = " ".join([*visible, contentOf(outline)]).encode() if visible and contentOf(outline) else b""
    return hashlib.sha256(told).hexdigest() if told else ""
