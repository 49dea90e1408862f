"""The map itself: which one, how strong, which colors, with a legend that names its unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.class_colors import AGAINST_ON_SCAN, FOR_ON_SCAN
from PCNSLSurvivalLib.core.messages import os_class_words
from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.explain.evidence_map import FULL_SCALE
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.scene.output_nodes import (
    EVIDENCE,
    EVIDENCE_COLORS,
    EVIDENCE_MAP,
    HATCHED,
    OUTPUT_ATTRIBUTE,
    OVER,
    UP_TO,
    SceneOutputs,
    classOf,
    mapRole,
)
from PCNSLSurvivalUI.second_thoughts.answers import isDoubted

EVIDENCE_KIND = "evidence"
KINDS = (OVER, UP_TO, EVIDENCE_KIND)
"""What can be shown: Grad-CAM of one of the two classes, or the signed evidence."""
_CLASSES = {OVER: OSClass.OVER_ONE_YEAR, UP_TO: OSClass.UP_TO_ONE_YEAR}
COLOR_NODES = {
    "Inferno": "vtkMRMLColorTableNodeFileInferno.txt",
    "Viridis": "vtkMRMLColorTableNodeFileViridis.txt",
    "Cividis": "vtkMRMLColorTableNodeFileCividis.txt",
    "Rainbow": "vtkMRMLColorTableNodeRainbow",
    "Grey": "vtkMRMLColorTableNodeGrey",
}
_GRAD_CAM_ROLES = tuple(mapRole(kind, cells=cells) for kind in (OVER, UP_TO) for cells in (False, True))
MAP_ROLES = (*_GRAD_CAM_ROLES, *(HATCHED + role for role in _GRAD_CAM_ROLES), EVIDENCE, EVIDENCE_MAP)
_TABLE_SIZE = 256
_FORM = "PCNSLSurvival.legendForm"


def shownKind(parameters: Any, result: dict[str, Any]) -> str:
    """The kind of map that the user chose; Grad-CAM of the predicted class when nothing was chosen."""
    if parameters.mapKind in KINDS:
        return str(parameters.mapKind)
    return predictedKind(result)


def predictedKind(result: dict[str, Any]) -> str:
    """Grad-CAM of the predicted class."""
    return classOf(str(result.get("class", "")))


def labelOf(explained: str) -> str:
    """``OVER`` or ``UP_TO`` in words."""
    return shown(os_class_words(_CLASSES[explained]))


def shownNode(outputs: SceneOutputs, kind: str, asCells: bool) -> Any:
    """The volume that shows this kind of map; None when the result has none."""
    if kind != EVIDENCE_KIND:
        return outputs.node(mapRole(kind, cells=asCells))
    smooth = None if asCells else outputs.node(EVIDENCE_MAP)
    return outputs.node(EVIDENCE) if smooth is None else smooth


def displayedNode(outputs: SceneOutputs, result: dict[str, Any], parameters: Any) -> Any:
    """The volume that the views show for the stored choices: hatched where the map failed a check."""
    return checkedNode(outputs, result, parameters, shownKind(parameters, result), asCells=parameters.mapAsCells)


def checkedNode(
    outputs: SceneOutputs, result: dict[str, Any], parameters: Any, kind: str, *, asCells: bool = False
) -> Any:
    """The volume of one kind of map; its hatched copy where the map failed a check.

    Args:
        outputs: Where the maps are.
        result: The stored prediction.
        parameters: The panel's choices.
        kind: Which map.
        asCells: On the cells it was computed in.
    """
    node = shownNode(outputs, kind, asCells)
    if kind == EVIDENCE_KIND or not isDoubted(parameters, result, kind):
        return node
    hatched = outputs.node(HATCHED + mapRole(kind, cells=asCells))
    return node if hatched is None else hatched


def prepareDisplay(outputs: SceneOutputs, result: dict[str, Any], parameters: Any) -> None:
    """Give the shown map its colors, window, threshold and legend, as the panel's controls say."""
    node = displayedNode(outputs, result, parameters)
    if node is not None:
        setLook(node, shownKind(parameters, result), outputs, parameters)


def setLook(node: Any, kind: str, outputs: SceneOutputs, parameters: Any) -> None:
    """Give a map its colors, window and threshold, as the panel's controls say.

    Args:
        node: The map.
        kind: Which.
        outputs: Where the colors of the evidence are.
        parameters: The panel's choices.
    """
    display = node.GetDisplayNode()
    wasModifying = display.StartModify()
    try:
        display.AutoWindowLevelOff()
        display.SetInterpolate(0 if parameters.mapAsCells else 1)
        threshold = float(parameters.mapThreshold)
        if kind == EVIDENCE_KIND:
            colors = _evidenceColors(outputs, evidenceCut(node, threshold))
            display.SetAndObserveColorNodeID(colors.GetID())
            display.SetWindowLevelMinMax(-FULL_SCALE, FULL_SCALE)
            display.ApplyThresholdOff()
        else:
            display.SetAndObserveColorNodeID(parameters.mapColors)
            display.SetWindowLevelMinMax(0.0, 1.0)
            # An unexplained voxel is 0 and stays see-through even at the lowest threshold.
            display.SetThreshold(max(threshold, 1e-3), 1e6)
            display.ApplyThresholdOn()
    finally:
        display.EndModify(wasModifying)


def evidenceCut(node: Any, threshold: float) -> float:
    """Share of the full scale below which evidence stays see-through.

    The threshold is a share of this patient's strongest evidence, so that weak evidence can be looked at; its colors
    stay those of the common scale, so that it looks weak.
    """
    strongest = max(abs(end) for end in node.GetImageData().GetScalarRange())
    return max(threshold * min(strongest / FULL_SCALE, 1.0), 1.5 / _TABLE_SIZE)


def _evidenceColors(outputs: SceneOutputs, cut: float) -> Any:
    """Orange against, blue-green for, fainter and darker where weaker; see-through below ``cut``."""
    node = outputs.node(EVIDENCE_COLORS)
    if node is None:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLColorTableNode")
        node.UnRegister(None)
        node.SetTypeToUser()
        node.SetNumberOfColors(_TABLE_SIZE)
        node.SetHideFromEditors(False)  # a hidden color node is not saved with the scene
        node = slicer.mrmlScene.AddNode(node)
        outputs.place(EVIDENCE_COLORS, node, _("Evidence for and against"), None)
    against, favor = np.array(AGAINST_ON_SCAN) / 255, np.array(FOR_ON_SCAN) / 255
    wasModifying = node.StartModify()
    for index, share in enumerate(np.linspace(-1.0, 1.0, _TABLE_SIZE)):
        strength = abs(share) ** 0.6
        red, green, blue = (favor if share > 0 else against) * (0.25 + 0.75 * strength)
        alpha = 0.0 if abs(share) < cut else 0.3 + 0.7 * strength
        node.SetColor(index, f"{share:+.2f}", float(red), float(green), float(blue), alpha)
    node.EndModify(wasModifying)
    return node


def legendTitle(kind: str, *, doubted: bool = False) -> str:
    """What the colors mean, with the unit, and that the picture is for research: it may be copied without the panel.

    Args:
        kind: Which map.
        doubted: It failed a check.
    """
    if kind == EVIDENCE_KIND:
        words = _("Evidence\n(log-odds / 100 mL)\n+ for OS > 1 year")
    else:
        words = _("Grad-CAM\n{name}\n(share of max)").format(name=labelOf(kind))
    return f"{words}\n{_mark(doubted)}"


def _mark(doubted: bool) -> str:
    """What every picture of a map says, also without its legend."""
    told = [_("FAILED A CHECK")] if doubted else []
    return "\n".join([*told, _("Research use only")])


def showLegend(outputs: SceneOutputs, result: dict[str, Any], parameters: Any, *, layersChanged: bool = True) -> None:
    """One legend, that of the shown map; the others are hidden, since a legend outlives its volume's display.

    Args:
        outputs: Where the maps are.
        result: The stored prediction.
        parameters: The panel's choices.
        layersChanged: Whether the views show another volume than before.
    """
    kind = shownKind(parameters, result)
    shown = displayedNode(outputs, result, parameters)
    doubted = kind != EVIDENCE_KIND and isDoubted(parameters, result, kind)
    logic = slicer.modules.colors.logic()
    for role in MAP_ROLES:
        node = outputs.node(role)
        legend = logic.GetColorLegendDisplayNode(node) if node is not None else None
        if node is shown and node is not None:
            whole = bool(parameters.legendVisible)
            title = legendTitle(kind, doubted=doubted) if whole else _mark(doubted)
            changed = layersChanged or kind == EVIDENCE_KIND
            addLegend(node, kind, title, visible=bool(parameters.mapVisible), whole=whole, layersChanged=changed)
        elif legend is not None:
            legend.SetVisibility(False)


def addLegend(
    node: Any, kind: str, title: str, *, visible: bool, whole: bool = True, layersChanged: bool = True
) -> None:
    """Give a map its legend, or the one it has another title.

    Args:
        node: The map.
        kind: Which map.
        title: Above the colors.
        visible: Whether the views show it.
        whole: With its numbers; otherwise only the title in a corner.
        layersChanged: Whether the views show another volume than before; a legend does not notice that by itself.
    """
    logic = slicer.modules.colors.logic()
    legend = logic.GetColorLegendDisplayNode(node)
    if legend is None:
        legend = logic.AddDefaultColorLegendDisplayNode(node)
        _styleText(legend)
    form = f"{kind} {whole}"
    if legend.GetAttribute(_FORM) != form:  # a legend that the user moved stays where it is
        legend.SetAttribute(_FORM, form)
        width = 0.115 if kind == EVIDENCE_KIND else 0.085
        legend.SetNumberOfLabels(5 if whole else 0)
        legend.SetSize(*((width, 0.4) if whole else (0.3, 0.06)))  # Slicer fits the numbers into this width
        legend.SetPosition(0.97, 0.5 if whole else 0.03)
    legend.SetTitleText(title)
    legend.SetLabelFormat("%+.3f" if kind == EVIDENCE_KIND else "%.2f")
    legend.SetVisibility(visible)
    if layersChanged:  # setting its text anew takes longer than drawing the slices
        legend.Modified()


def _styleText(legend: Any) -> None:
    for text in (legend.GetTitleTextProperty(), legend.GetLabelTextProperty()):
        text.SetFontSize(12)
        text.SetShadow(1)
        text.SetBold(0)
        text.SetItalic(0)
        text.SetFontFamilyToArial()


def hideLegends(*, ofExams: bool = False) -> None:
    """Take the legends of our maps out of the views: a legend outlives the display of its volume.

    Args:
        ofExams: Those of two exams side by side; otherwise those of the shown result.
    """
    for legend in slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode"):
        volume = legend.GetDisplayableNode()
        role = volume.GetAttribute(OUTPUT_ATTRIBUTE) if volume is not None else None
        if role and (role not in MAP_ROLES) is ofExams:
            legend.SetVisibility(False)


def regional_attribution(result: dict[str, Any]) -> str:
    """Where the log-odds come from, in one line that adds up."""
    evidence = result.get("evidence")
    if not evidence:
        return ""
    regions = evidence.get("regional_attribution")
    if regions and regions["lesion"] is not None:
        proposed = (result.get("lesion") or {}).get("source") == "proposal"
        return _(
            "Log-odds of OS > 1 year: {total:+.2f}. From the {outline} {lesion:+.2f}, the rest of the brain "
            "{brain:+.2f}, outside the brain {outside:+.2f}, a constant for all patients {constant:+.2f}."
        ).format(
            total=regions["log_odds"],
            outline=_("proposed tumor outline") if proposed else _("tumor outline"),
            lesion=regions["lesion"],
            brain=regions["brain"],
            outside=regions["outside"],
            constant=regions["constant"],
        )
    if regions:
        return _(
            "Log-odds of OS > 1 year: {total:+.2f}. From the brain {brain:+.2f}, outside the brain {outside:+.2f}, "
            "a constant for all patients {constant:+.2f}."
        ).format(
            total=regions["log_odds"],
            brain=regions["brain"],
            outside=regions["outside"],
            constant=regions["constant"],
        )
    return _(
        "Evidence for OS > 1 year {plus:+.2f}, against {minus:+.2f}, a constant for all patients "
        "{constant:+.2f}: together log-odds {total:+.2f}."
    ).format(
        plus=evidence["for"],
        minus=evidence["against"],
        constant=evidence["constant"],
        total=result["log_odds"],
    )


def caution(result: dict[str, Any], kind: str, *, checked: bool) -> str:
    """What the displayed map does and does not show, and that it was not checked, in the words of the report.

    Args:
        result: The stored prediction.
        kind: Which map.
        checked: Whether the outcome of its checks stands beside it.
    """
    edge = max(result.get("activation_map", {}).get("cell_size_mm") or [0.0])
    if kind == EVIDENCE_KIND:
        return _(
            "The map shows which regions contribute to the prediction, at a native resolution of {edge:.0f} mm. It is "
            "not a tumor segmentation and does not imply causation."
        ).format(edge=edge)
    if _mapOf(result, kind).get("empty"):
        return _("The map for class {name} is empty: no region contributes to it.").format(name=labelOf(kind))
    words = _(
        "The map shows which regions support class {name}, at a native resolution of {edge:.0f} mm and on the scale of "
        "its class. It is not a tumor segmentation and does not imply causation."
    ).format(name=labelOf(kind), edge=edge)
    if checked:
        return words
    unchecked = _("This map was not checked. “Check this map” tests whether it depends on the network and on the scan.")
    return f"{words} {unchecked}"


def _mapOf(result: dict[str, Any], kind: str) -> dict[str, Any]:
    """What a result says of the Grad-CAM of one class."""
    maps = (result.get("activation_map") or {}, result.get("activation_map_other_class") or {})
    return next((entry for entry in maps if classOf(str(entry.get("explains"))) == kind), {})
