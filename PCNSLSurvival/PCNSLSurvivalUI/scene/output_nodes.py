"""The run's outputs in the scene: one folder beside T1Gd, clear names, replaced by the next run."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.results.old_results import upgraded
from PCNSLSurvivalUI.scene.volume_files import removeNode

MAP, CELLS, EVIDENCE = "output.map.", "output.cells.", "output.evidence"
"""Roles of maps go on with the class they explain, see ``mapRole``. Evidence is that of the cells."""
EVIDENCE_MAP = "output.evidenceMap"
"""The evidence on the voxels of T1Gd, 0 outside the brain; scenes saved before have none."""
EVIDENCE_COLORS, MASK, REPORT = "output.evidenceColors", "output.mask", "output.report"
CORRECTED, INPUT = "output.corrected", "output.input"
"""T1Gd without bias field, and as the network reads it."""
HATCHED = "output.hatched."
"""Goes on with the role of the map that it is a hatched copy of."""
PROPOSAL = "output.lesionProposal"
"""Tumor outline proposed for the T1Gd of the result, until a person takes it over."""
ALIGNED, TRANSFORM = "output.aligned.", "output.transform."
OUTPUT_ATTRIBUTE = "PCNSLSurvival.output"
"""Marks our outputs, so that they are never guessed to be a patient's scan."""
MADE_ON = "PCNSLSurvival.madeOn"
"""Reference of a label map of ours to the T1Gd that it was made on: it outlasts the result."""
T1GD = "shown.t1gd"
"""The T1Gd that the result belongs to; an input, never removed by us."""
_FOLDER = "output.folder"


OVER, UP_TO = "over", "up-to"
"""The two classes, as the command line writes them."""


def classOf(key: str) -> str:
    """``OVER`` or ``UP_TO`` by the class that stands in a result."""
    return OVER if key == OSClass.OVER_ONE_YEAR.key else UP_TO


def mapRole(explains: str, *, cells: bool) -> str:
    """Role of the Grad-CAM of one class, ``OVER`` or ``UP_TO``; smooth, or on the cells it was computed in."""
    return (CELLS if cells else MAP) + explains


class SceneOutputs:
    """Finds, adds and replaces the outputs; they are referenced by the parameter node and so saved with it."""

    def __init__(self, parameterNode: slicer.vtkMRMLScriptedModuleNode) -> None:
        self._parameterNode = parameterNode

    def node(self, role: str) -> Any:
        """The output of that role; None when there is none or the user removed it."""
        return self._parameterNode.GetNodeReference(role)

    def roles(self, start: str = "output.") -> list[str]:
        """Every role that has a node now."""
        names: list[str] = []
        self._parameterNode.GetNodeReferenceRoles(names)
        return sorted(n for n in names if n.startswith(start) and self.node(n) is not None)

    def place(self, role: str, node: Any, name: str, t1gd: Any, *, kept: bool = True) -> None:
        """Take a finished node as the output of a role; an earlier one of that role goes.

        Args:
            role: One of the roles above.
            node: In the scene already, or not yet.
            name: What the user reads.
            t1gd: The T1Gd it belongs to, or None when that is gone.
            kept: Whether a saved scene holds it; otherwise it lasts until the scene closes.
        """
        self.remove(role)
        node.SetName(name)
        node.SetHideFromEditors(False)
        node.SetSaveWithScene(kept)
        node.RemoveAttribute("PCNSLSurvival.temporary")
        if node.GetScene() is None:
            node = slicer.mrmlScene.AddNode(node)
        if node.IsA("vtkMRMLDisplayableNode") and node.IsA("vtkMRMLVolumeNode") and node.GetDisplayNode() is None:
            node.CreateDefaultDisplayNodes()
        self._parameterNode.SetNodeReferenceID(role, node.GetID())
        node.SetAttribute(OUTPUT_ATTRIBUTE, role)
        if node.IsA("vtkMRMLLabelMapVolumeNode"):
            node.SetNodeReferenceID(MADE_ON, None if t1gd is None else t1gd.GetID())
        self._intoFolder(node, t1gd)

    def remove(self, role: str) -> None:
        """Remove the output of a role, if it is there."""
        node = self.node(role)
        if node is not None:
            removeNode(node)
        self._parameterNode.SetNodeReferenceID(role, None)

    def refer(self, role: str, node: Any) -> None:
        """Remember a node of the user under a role; it is never removed by us."""
        self._parameterNode.SetNodeReferenceID(role, None if node is None else node.GetID())

    def letGo(self, role: str) -> Any:
        """Forget the output of a role, for the caller to remove; returns its node, None when there is none."""
        node = self.node(role)
        self._parameterNode.SetNodeReferenceID(role, None)
        return node

    def release(self, role: str) -> Any:
        """Leave the output of a role to the user: no later run removes it."""
        node = self.node(role)
        self._parameterNode.SetNodeReferenceID(role, None)
        node.RemoveAttribute(OUTPUT_ATTRIBUTE)
        return node

    def takeBack(self, role: str, node: Any) -> None:
        """Take a released node as the output of its role again."""
        self._parameterNode.SetNodeReferenceID(role, node.GetID())
        node.SetAttribute(OUTPUT_ATTRIBUTE, role)

    def clear(self) -> None:
        """Remove every output and the folder."""
        for role in self.roles():
            self.remove(role)
        sh = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        folder = self._folder(sh)
        if folder:
            sh.RemoveItem(folder)

    def _folder(self, sh: Any) -> int:
        """Item of our folder; 0 when there is none."""
        items: list[Any] = []
        children = slicer.util.getSubjectHierarchyItemChildren(sh.GetSceneItemID(), recursive=True)
        items += [item for item in children if sh.GetItemAttribute(item, "PCNSLSurvival") == "outputs"]
        return items[0] if items else 0

    def _intoFolder(self, node: Any, t1gd: Any) -> None:
        sh = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        if sh is None:
            return
        folder = self._folder(sh)
        parent = sh.GetSceneItemID()
        if t1gd is not None and sh.GetItemByDataNode(t1gd):
            parent = sh.GetItemParent(sh.GetItemByDataNode(t1gd)) or parent
        if not folder:
            folder = sh.CreateFolderItem(parent, _("PCNSL Survival"))
            sh.SetItemAttribute(folder, "PCNSLSurvival", "outputs")
        elif sh.GetItemParent(folder) != parent:
            sh.SetItemParent(folder, parent)
        item = sh.GetItemByDataNode(node) or sh.CreateItem(folder, node)
        sh.SetItemParent(item, folder)


@lru_cache(maxsize=2)
def storedResult(text: str) -> dict[str, Any] | None:
    """The prediction that the parameter node holds as JSON; None when there is none that can be read.

    Read once for each text, since every move of a slider needs it; callers do not modify the result.
    """
    try:
        result = json.loads(text)
    except ValueError:
        return None
    return upgraded(result) if isinstance(result, dict) and "probability_over_one_year" in result else None
