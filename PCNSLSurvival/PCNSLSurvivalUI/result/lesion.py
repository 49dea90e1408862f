"""The tumor outline in the scene: a proposal as a segmentation, taken over by a person, and what is measured on it."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalUI.scene.output_nodes import PROPOSAL, SceneOutputs
from PCNSLSurvivalUI.scene.segmentations import addOutline, contentOf

_AS_PROPOSED = "PCNSLSurvival.asProposed"
"""Attribute of a proposal: its content as it came, so that what a person changed since is noticed."""
_COLOR = (0.25, 0.85, 0.95)


def placeProposal(outputs: SceneOutputs, mask: Any, t1gd: Any) -> None:
    """Put a proposed outline into the scene, in place of an earlier proposal; nothing if no tumor was found.

    Args:
        outputs: Where it goes.
        mask: Label map on the voxels of T1Gd.
        t1gd: The T1Gd it belongs to; None when that is gone.
    """
    if not slicer.util.arrayFromVolume(mask).any():
        return
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    outputs.place(PROPOSAL, segmentation, _("Tumor outline (proposal)"), t1gd)
    addOutline(segmentation, mask, t1gd if t1gd is not None else mask, _("Tumor (proposal)"), _COLOR)
    segmentation.SetAttribute(_AS_PROPOSED, contentOf(segmentation))


def editedProposal(outputs: SceneOutputs) -> Any:
    """The proposal if a person changed it since it came, in whatever module; otherwise None."""
    proposal = outputs.node(PROPOSAL)
    if proposal is None or proposal.GetAttribute(_AS_PROPOSED) in (None, contentOf(proposal)):
        return None
    return proposal


def replaceProposal(outputs: SceneOutputs, parameters: Any) -> None:
    """A new result comes: its earlier proposal goes, unless a person worked on it meanwhile or chose it.

    Args:
        outputs: Where the proposal is.
        parameters: The panel's choices.
    """
    proposal = outputs.node(PROPOSAL)
    isChosen = proposal is not None and proposal in (parameters.lesion, parameters.earlierLesion)
    if isChosen or editedProposal(outputs) is not None:
        takeOver(outputs)
    outputs.remove(PROPOSAL)


def showProposal(outputs: SceneOutputs) -> None:
    """Show the proposed outline again, where there is one."""
    if outputs.node(PROPOSAL) is not None:
        outputs.node(PROPOSAL).SetDisplayVisibility(True)


def takeOver(outputs: SceneOutputs) -> Any:
    """A person has looked at the proposal and uses it: it is an outline like any other, and no run replaces it."""
    segmentation = outputs.release(PROPOSAL)
    segmentation.SetName(_("Tumor outline"))
    segmentation.RemoveAttribute(_AS_PROPOSED)
    for number in range(segmentation.GetSegmentation().GetNumberOfSegments()):
        segmentation.GetSegmentation().GetNthSegment(number).SetName(_("Tumor"))
    return segmentation


def toEdit(outputs: SceneOutputs, chosen: Any, t1gd: Any) -> Any:
    """A segmentation to draw on: the chosen one, the proposal, a label map turned into one, or a new one."""
    if chosen is not None and chosen is outputs.node(PROPOSAL):
        return takeOver(outputs)
    if chosen is not None and chosen.IsA("vtkMRMLSegmentationNode"):
        return chosen
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", _("Tumor outline"))
    addOutline(segmentation, chosen, t1gd, _("Tumor"), _COLOR)
    return segmentation


def fociOf(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The foci of the outline that a result used, the largest first."""
    return (result.get("lesion") or {}).get("foci", [])


def measuresInWords(result: dict[str, Any], linkColor: str) -> str:
    """Volume, evidence and foci of the outline that a result used, as rich text; a click on a focus leads to it.

    Args:
        result: The stored prediction.
        linkColor: Of the links to the foci, "#ffffff".
    """
    measured = result.get("lesion")
    if not measured:
        return ""
    words = (
        _("Proposed outline, not confirmed: {volume:.1f} mL, foci: {n}.")
        if measured["source"] == "proposal"
        else _("Tumor outline: {volume:.1f} mL, foci: {n}.")
    )
    lines = [words.format(volume=measured["volume_ml"], n=len(measured["foci"]))]
    evidence = ((result.get("evidence") or {}).get("regional_attribution") or {}).get("lesion")
    if evidence is not None:
        lines.append(_("Evidence for OS > 1 year inside it, log-odds: {value:+.2f}.").format(value=evidence))
    lines = [line.replace(">", "&gt;") for line in lines]
    sides = {"left": _("left"), "right": _("right"), "midline": _("midline")}
    for number, focus in enumerate(measured["foci"]):
        told = _("{volume:.1f} mL, {long:.0f} × {short:.0f} mm, {side}").format(
            volume=focus["volume_ml"],
            long=focus["diameters"]["longest_mm"],
            short=focus["diameters"]["perpendicular_mm"],
            side=sides.get(focus["side"], ""),
        )
        if "evidence" in focus:  # results written before do not have it
            told = _("{focus}, evidence {value:+.2f}").format(focus=told, value=focus["evidence"])
        lines.append(f'<a href="{number}" style="color: {linkColor}">{told}</a>')
    if sum("evidence" in focus for focus in measured["foci"]) > 1:
        lines.append(_("Foci in one map cell share its evidence by volume."))
    return "<br>".join(lines)
