"""From the folder that the prediction left to nodes in the scene, piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalUI.map_navigation import axialProfile
from PCNSLSurvivalUI.scene_bridge import newHidden, readVolume, removeNode
from PCNSLSurvivalUI.scene_outputs import CELLS, EVIDENCE, MAP, MASK, REPORT, SceneOutputs

INPUT = "output.input"


def importResult(folder: Path, outputs: SceneOutputs, t1gd: Any, parameters: Any) -> Iterator[None]:
    """Bring a result into the scene; a generator for ``InPieces``.

    Nothing shows before everything is read; if it is stopped before, the scene is as it was.

    Args:
        folder: What the command line wrote, with the worker's ``scene`` folder.
        outputs: Where the nodes go.
        t1gd: The T1Gd of this run; None when it is gone.
        parameters: The panel's choices; gets the result.
    """
    result = json.loads((folder / "prediction.json").read_text(encoding="utf-8"))
    scene = folder / "scene"
    made: dict[str, Any] = {}
    try:
        volumes = {MAP: "activation_map", CELLS: "activation_cells", EVIDENCE: "evidence_cells"}
        if parameters.keepIntermediate:
            volumes[INPUT] = "t1gd_preprocessed"
        for role, name in volumes.items():
            node = made[role] = newHidden("vtkMRMLScalarVolumeNode", name)
            node.CreateDefaultDisplayNodes()
            # Before the image arrives: window and level are not worth a histogram of the whole volume.
            node.GetDisplayNode().AutoWindowLevelOff()
            node.GetDisplayNode().SetWindowLevelMinMax(0.0, 1.0)
            yield from readVolume(scene, name, node)
        if INPUT in made:
            made[INPUT].GetDisplayNode().SetWindowLevelMinMax(-3.0, 5.0)
        mask = made[MASK] = newHidden("vtkMRMLLabelMapVolumeNode", "brain_mask")
        yield from readVolume(scene, "brain_mask", mask)
        _toShareOfMaximum(made[CELLS], result)
        stored = np.load(scene / "activation_map.npy", mmap_mode="r")
        affine = np.array(json.loads((scene / "activation_map.json").read_text(encoding="utf-8"))["affine_ras"])
        for result["profile"] in axialProfile(stored, affine):
            yield
        report = made[REPORT] = newHidden("vtkMRMLTextNode", "report")
        report.SetText((folder / "report.html").read_text(encoding="utf-8"))
        yield
        names = {
            MAP: _("Activation map, smooth"),
            CELLS: _("Activation map, cells"),
            EVIDENCE: _("Evidence, cells"),
            MASK: _("Brain mask"),
            REPORT: _("Report (HTML)"),
            INPUT: _("T1Gd as the network reads it"),
        }
        outputs.remove(INPUT)
        for role, node in list(made.items()):
            outputs.place(role, node, names[role], t1gd)
            del made[role]
            yield
        parameters.result = json.dumps(_forTheScene(result))
    finally:
        for node in made.values():
            removeNode(node)


def _toShareOfMaximum(cells: Any, result: dict[str, Any]) -> None:
    """The cells come in logits; the map beside them, and the legend, in shares of the largest cell."""
    scale = float(result.get("activation_map", {}).get("scale") or 0.0)
    if scale > 0:
        array = slicer.util.arrayFromVolume(cells)
        array /= np.float32(scale)
        slicer.util.arrayFromVolumeModified(cells)


def _forTheScene(result: dict[str, Any]) -> dict[str, Any]:
    """What the panel shows again when a saved scene is opened; the recipe's figures stand in the report."""
    kept = dict(result)
    preprocessing = dict(kept.get("preprocessing", {}))
    preprocessing.pop("recipe", None)
    kept["preprocessing"] = preprocessing
    return kept
