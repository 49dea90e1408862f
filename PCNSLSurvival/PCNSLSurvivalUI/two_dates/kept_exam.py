"""The earlier exam with its maps, kept while the later one is predicted; and the later one moved over it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import slicer

from PCNSLSurvivalUI.scene.output_nodes import MASK, SceneOutputs
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld, newHidden
from PCNSLSurvivalUI.second_thoughts.answers import markOf

EARLIER = "earlier."
"""Goes on with what is kept: the kind of map, or ``MASK``; no output of a run, which the next run would replace."""
EARLIER_T1GD = "shown.earlier"
"""The T1Gd that the kept maps belong to; an input, never removed by us."""
_MODEL, _RESULT, _DOUBTED = "PCNSLSurvival.model", "PCNSLSurvival.result", "PCNSLSurvival.doubted"
LATER, LATER_MAP = "output.followUp.t1gd", "output.followUp.map"
"""The later T1Gd and its map at the place of the earlier head."""


def keepExam(
    outputs: SceneOutputs, t1gd: Any, maps: Mapping[str, Any], result: dict[str, Any], doubted: Collection[str]
) -> None:
    """Keep the maps and the brain mask of a result beside its T1Gd; what was kept before goes.

    Args:
        outputs: Where the result is.
        t1gd: The T1Gd of the result.
        maps: The maps to keep by their kind, as the views show them.
        result: The stored prediction that they are of.
        doubted: Kinds of the maps that failed a check.
    """
    for role in outputs.roles(EARLIER):
        outputs.remove(role)
    for kind, node in {**maps, MASK: outputs.node(MASK)}.items():
        if node is not None:
            copy = _copyOf(node, np.eye(4))
            _showLike(copy, node)
            copy.SetAttribute(_MODEL, str(result["model"].get("checksum_sha256")))
            copy.SetAttribute(_RESULT, _shortMarkOf(result))
            _setDoubted(copy, kind in doubted)
            outputs.place(EARLIER + kind, copy, f"{t1gd.GetName()}: {node.GetName()}", t1gd)
    outputs.refer(EARLIER_T1GD, t1gd)


def keptOf(outputs: SceneOutputs, t1gd: Any, kind: str) -> Any:
    """What is kept of an exam: its map of a kind, or its ``MASK``; None where its result was not kept."""
    return outputs.node(EARLIER + kind) if t1gd is not None and outputs.node(EARLIER_T1GD) is t1gd else None


def followChecks(
    outputs: SceneOutputs, maps: Mapping[str, Any], result: dict[str, Any], doubted: Collection[str]
) -> None:
    """A map may be checked after it was kept: its copy is marked and hatched as the map itself is.

    Args:
        outputs: Where the copies are.
        maps: The maps of the shown result by their kind, as the views show them.
        result: The shown result; copies of another one stay as they are.
        doubted: Kinds of the maps that failed a check.
    """
    for kind, node in maps.items():
        copy = outputs.node(EARLIER + kind)
        if node is None or copy is None or copy.GetAttribute(_RESULT) != _shortMarkOf(result):
            continue
        _setDoubted(copy, kind in doubted)
        # A hatched map has the voxels of the plain one; one of an older scene may lie on others.
        voxels = node.GetImageData()
        if copy.GetImageData() is not voxels and copy.GetImageData().GetDimensions() == voxels.GetDimensions():
            copy.SetAndObserveImageData(voxels)


def isKeptDoubted(node: Any) -> bool:
    """Whether a kept map failed a check."""
    return node is not None and node.GetAttribute(_DOUBTED) == "yes"


def _setDoubted(copy: Any, doubted: bool) -> None:
    words = "yes" if doubted else "no"
    if copy.GetAttribute(_DOUBTED) != words:
        copy.SetAttribute(_DOUBTED, words)


def _shortMarkOf(result: dict[str, Any]) -> str:
    return hashlib.sha256(markOf(result).encode()).hexdigest()[:16]


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
