"""The earlier exam with its maps, kept while the later one is predicted; and the later one moved over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import slicer

from PCNSLSurvivalUI.scene.output_nodes import MASK, SceneOutputs
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld, newHidden

EARLIER = "earlier."
"""Goes on with what is kept: the kind of map, or ``MASK``; no output of a run, which the next run would replace."""
EARLIER_T1GD = "shown.earlier"
"""The T1Gd that the kept maps belong to; an input, never removed by us."""
_MODEL = "PCNSLSurvival.model"
LATER, LATER_MAP = "output.followUp.t1gd", "output.followUp.map"
"""The later T1Gd and its map at the place of the earlier head."""


def keepExam(outputs: SceneOutputs, t1gd: Any, maps: Mapping[str, Any], model: str) -> None:
    """Keep the maps and the brain mask of a result beside its T1Gd; what was kept before goes.

    Args:
        outputs: Where the result is.
        t1gd: The T1Gd of the result.
        maps: The maps to keep by their kind, as the views show them.
        model: Checksum of the model that they are of.
    """
    for role in outputs.roles(EARLIER):
        outputs.remove(role)
    for kind, node in {**maps, MASK: outputs.node(MASK)}.items():
        if node is not None:
            copy = _copyOf(node, np.eye(4))
            _showLike(copy, node)
            copy.SetAttribute(_MODEL, model)
            outputs.place(EARLIER + kind, copy, f"{t1gd.GetName()}: {node.GetName()}", t1gd)
    outputs.refer(EARLIER_T1GD, t1gd)


def keptOf(outputs: SceneOutputs, t1gd: Any, kind: str) -> Any:
    """What is kept of an exam: its map of a kind, or its ``MASK``; None where its result was not kept."""
    return outputs.node(EARLIER + kind) if t1gd is not None and outputs.node(EARLIER_T1GD) is t1gd else None


def modelOf(node: Any) -> str:
    """Checksum of the model that a kept map is of."""
    return str(node.GetAttribute(_MODEL) or "")


def placeOverEarlier(outputs: SceneOutputs, later: Any, map_: Any, laterToEarlier: Any, names: tuple[str, str]) -> None:
    """Put copies of the later T1Gd and its map where the earlier head is; no voxel is copied or interpolated.

    Args:
        outputs: Where they go.
        later: The later T1Gd.
        map_: Its map as the views show it; None where there is none.
        laterToEarlier: (4, 4), RAS mm.
        names: What the user reads.
    """
    for role, node, name in ((LATER, later, names[0]), (LATER_MAP, map_, names[1])):
        outputs.remove(role)
        if node is not None:
            copy = _copyOf(node, np.asarray(laterToEarlier))
            _showLike(copy, node)
            outputs.place(role, copy, name, later, kept=False)


def _copyOf(node: Any, move: Any) -> Any:
    copy = newHidden(node.GetClassName(), "exam")
    copy.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(move @ ijkToWorld(node, node.GetName())))
    copy.SetAndObserveImageData(node.GetImageData())
    return copy


def _showLike(copy: Any, node: Any) -> None:
    display = node.GetDisplayNode()
    if display is None or node.IsA("vtkMRMLLabelMapVolumeNode"):
        return
    copy.CreateDefaultDisplayNodes()
    copy.GetDisplayNode().AutoWindowLevelOff()
    copy.GetDisplayNode().SetWindowLevelMinMax(display.GetWindowLevelMin(), display.GetWindowLevelMax())
