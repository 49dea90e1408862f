"""The volumes of one run: hidden copies of the scans, what the steps make of them, and their removal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import slicer

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalUI.run.request import RunRequest
from PCNSLSurvivalUI.scene.segmentations import tumorOn
from PCNSLSurvivalUI.scene.volume_files import hiddenCopy, newHidden, removeInPieces, removeNode
from PCNSLSurvivalUI.scene.voxel_order import inOrderOf, voxelOrder


class RunVolumes:
    """Everything a run puts into the scene before its result; ``remove`` takes it away again."""

    def __init__(self, request: RunRequest) -> None:
        self.raw: dict[MRSequence, slicer.vtkMRMLScalarVolumeNode] = {}
        """The scans as they came, at their place in the patient."""
        self.current: dict[MRSequence, slicer.vtkMRMLScalarVolumeNode] = {}
        """What the network is to read: corrected and aligned as far as the run has come."""
        self.mask: slicer.vtkMRMLLabelMapVolumeNode | None = request.brainMask
        self.lesion: Any = None
        """The tumor on the voxels of T1Gd; None without an outline."""
        self.aligned: dict[MRSequence, tuple[Any, Any]] = {}
        """Volume on the grid of T1Gd and transform, waiting to be handed over."""
        self._nodes: list[slicer.vtkMRMLNode] = []

    def copyScans(self, request: RunRequest) -> None:
        """Put hidden copies of the chosen scans into the scene; no voxel is copied.

        A scan whose alignment the user repaired is taken as it lies on T1Gd, so that every later step sees it there.

        Raises:
            UnusableScanError: A scan holds no image, or lies under a transform that bends it; or the tumor outline
                is empty.
        """
        for role, node in request.volumes.items():
            self.raw[role] = self.own(hiddenCopy(request.aligned.get(role, node), role.label))
        self.current = dict(self.raw)
        if self.mask is not None:
            self.mask = self._inOrderOfT1Gd(self.mask)
        if request.lesion is not None:
            self.lesion = self.own(tumorOn(self.raw[MRSequence.T1GD], request.lesion))

    def _inOrderOfT1Gd(self, mask: Any) -> Any:
        """A brain mask whose axes run as those of T1Gd: the bias field is fitted in its voxels one by one."""
        t1gd = self.raw[MRSequence.T1GD]
        order = voxelOrder(mask, t1gd)
        if order is None or np.array_equal(order, np.eye(4)):
            return mask
        turned = self.new("vtkMRMLLabelMapVolumeNode", "brain mask")
        slicer.util.updateVolumeFromArray(turned, np.ascontiguousarray(inOrderOf(mask, order)))
        turned.CopyOrientation(t1gd)
        return turned

    def new(self, className: str, name: str) -> Any:
        """A hidden node for a step to fill."""
        return self.own(newHidden(className, name))

    def own(self, node: Any) -> Any:
        """Remove this node with the others."""
        self._nodes.append(node)
        return node

    def handOver(self, node: Any) -> None:
        """Leave this node to someone else."""
        self._nodes.remove(node)

    def holds(self, node: Any) -> bool:
        """Whether a node belongs to this run."""
        return node.GetID() in {ours.GetID() for ours in self._nodes}

    def remove(self, keep: frozenset[str] = frozenset()) -> None:
        """Take the run's nodes out of the scene.

        Args:
            keep: IDs of nodes that a module still works with: Slicer crashes when those go.
        """
        for node in list(self._nodes):
            if node.GetID() not in keep:
                self._nodes.remove(node)
                removeNode(node)

    def removeInPieces(self) -> Iterator[None]:
        """The same as ``remove``, a node at a time."""
        return removeInPieces(self._nodes)
