"""N4ITK, BRAINSFit and SwissSkullStripper as engines of our steps: parameters, a running step, its end.

One table maps our step to the parameters of a CLI module by their XML names; Slicer drops unknown names without
a word, so the tests compare every name used here with the modules' own lists.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.preprocessing.recipe import BiasFieldStep
from PCNSLSurvivalUI.event_loop import soon

N4, BRAINSFIT, SWISS = "N4ITKBiasFieldCorrection", "BRAINSFit", "SwissSkullStripper"
"""As Slicer lists them; in lower case, the attributes of ``slicer.modules``."""
_THICK_SLICE_MM = 3.0


_versions: dict[str, str] = {}
"""What the modules that ran in this session say of themselves."""


def engineOf(module: str) -> dict[str, str]:
    """Name and version of a CLI module that has run, for the result."""
    version = _versions.get(module) or _("unknown version")
    return {"name": module, "version": f"{version} (Slicer {slicer.app.applicationVersion})"}


def isInstalled(module: str) -> bool:
    """Whether the application has this CLI module."""
    return hasattr(slicer.modules, module.lower())


def biasFieldParameters(
    samples: slicer.vtkMRMLScalarVolumeNode,
    corrected: slicer.vtkMRMLScalarVolumeNode,
    field: slicer.vtkMRMLScalarVolumeNode,
    figures: BiasFieldStep,
    mask: slicer.vtkMRMLLabelMapVolumeNode | None = None,
) -> dict[str, Any]:
    """N4ITKBiasFieldCorrection with the recipe's figures, on samples that are thinned already.

    The field is fitted inside ``mask`` where one is given, otherwise in the whole head.
    """
    inside = {} if mask is None else {"maskImageName": mask}
    return {
        **inside,
        "inputImageName": samples,
        "outputImageName": corrected,
        "outputBiasFieldName": field,
        "shrinkFactor": 1,
        "numberOfIterations": ",".join(str(n) for n in figures.iterations),
        "convergenceThreshold": float(figures.convergence_threshold),
        "initialMeshResolution": ",".join(str(points - 3) for points in figures.control_points),  # cubic pieces
        "nHistogramBins": int(figures.histogram_bins),
    }


def registrationParameters(
    fixed: slicer.vtkMRMLScalarVolumeNode,
    moving: slicer.vtkMRMLScalarVolumeNode,
    aligned: slicer.vtkMRMLScalarVolumeNode,
    transform: slicer.vtkMRMLLinearTransformNode,
) -> dict[str, Any]:
    """BRAINSFit, rigid, mutual information; started from the centers of mass, so that poses may differ.

    The module samples voxels of the fixed scan. Thick slices hold few, of which a larger share is sampled.
    """
    thick = max(fixed.GetSpacing()) >= _THICK_SLICE_MM
    return {
        "fixedVolume": fixed,
        "movingVolume": moving,
        "outputVolume": aligned,
        "linearTransform": transform,
        "useRigid": True,
        "initializeTransformMode": "useMomentsAlign",
        "samplingPercentage": 0.1 if thick else 0.02,
        "interpolationMode": "Linear",
        "outputVolumePixelType": "float",
    }


def brainParameters(
    volume: slicer.vtkMRMLScalarVolumeNode,
    stripped: slicer.vtkMRMLScalarVolumeNode,
    mask: slicer.vtkMRMLLabelMapVolumeNode,
) -> dict[str, Any]:
    """SwissSkullStripper with the atlas it brings along."""
    return {"patientVolume": volume, "patientOutputVolume": stripped, "patientMaskLabel": mask}


class CLIStep:
    """One running CLI module, from start to a single call of ``ended``."""

    def __init__(self, module: str, parameters: dict[str, Any], ended: Callable[[bool], None]) -> None:
        """Start.

        Args:
            module: As Slicer lists it.
            parameters: By XML name; nodes among them must stay until ``isOver``.
            ended: Called with whether the module succeeded; not called after ``cancel``.
        """
        self.module = module
        self._ended = ended
        self._cancelled = False
        self._told = False
        self._whenOver: Callable[[], None] | None = None
        self._left = _inverseTransform(parameters) if module == BRAINSFIT else None
        self.nodeIDs = {value.GetID() for value in parameters.values() if hasattr(value, "GetID")}
        self._node = slicer.cli.run(getattr(slicer.modules, module.lower()), None, parameters, update_display=False)
        _unfinished.add(self)
        self._node.SetHideFromEditors(True)
        self._tag = self._node.AddObserver(self._node.StatusModifiedEvent, self._onStatus)
        if not self._node.IsBusy():  # refused at once; that change came before our observer
            self._onStatus()

    @property
    def isOver(self) -> bool:
        """Whether the module is certainly done with its nodes."""
        return self._node is None

    def cancel(self, whenOver: Callable[[], None] | None = None) -> None:
        """Stop the module; ``whenOver`` is called once its nodes may be removed."""
        self._cancelled = True
        if whenOver is not None:
            self._whenOver = whenOver
        if self._node is None:
            self._tellOver()
            return
        self._node.Cancel()
        if not self._node.IsBusy():
            self._finish()

    def _onStatus(self, caller: object = None, event: object = None) -> None:
        if self._node is None or self._node.IsBusy() or self._told:
            return
        self._told = True
        # Not from inside the node's own notification: the node is removed here.
        soon(self._finish)

    def _finish(self) -> None:
        node, self._node = self._node, None
        if node is None:
            return
        _unfinished.discard(self)
        node.RemoveObserver(self._tag)
        _versions[self.module] = node.GetModuleVersion()
        good = bool(node.GetStatus() & node.Completed) and not node.GetStatus() & node.ErrorsMask
        if node.GetScene() is not None:
            node.GetScene().RemoveNode(node)
        try:
            if self._cancelled:
                self._tellOver()
            else:
                self._ended(good)
        finally:
            if self._left is not None:
                with contextlib.suppress(OSError):  # never made, or a virus scanner still holds it
                    self._left.unlink()

    def _tellOver(self) -> None:
        whenOver, self._whenOver = self._whenOver, None
        if whenOver is not None:
            whenOver()


def _inverseTransform(parameters: dict[str, Any]) -> Path:
    """What BRAINSFit writes beside its transform: Slicer neither reads nor deletes it.

    All Slicer windows of a user may share the folder. The file is named after process and node, its digits as letters.
    """
    name = f"{os.getpid()}_{parameters['linearTransform'].GetID()}".translate(str.maketrans("0123456789", "ABCDEFGHIJ"))
    return Path(slicer.app.temporaryPath, f"{name}_Inverse.h5")


_unfinished: set[CLIStep] = set()
"""Keeps cancelled steps until their module is over. The run has let go of them, and an observer of a node that only the
scene holds does not count as a reference: Python would empty the step, and its nodes would stay in the scene."""


def failureSentence(module: str, volume: str) -> str:
    """Message and next action after a CLI module failed."""
    return _(
        "{module} did not finish on {volume}. Look at {volume} in the slice views; then choose another engine for "
        "this step under Advanced, and predict again. The application log holds the module's output."
    ).format(module=module, volume=volume)


def absentSentence(module: str) -> str:
    """Message and next action if a CLI module is not installed."""
    if module == SWISS:
        return _(
            "SwissSkullStripper is not installed. Install the extension SwissSkullStripper in the Extensions "
            "Manager and restart Slicer, or choose 'Built in' for the brain extraction under Advanced."
        )
    return _("The module {module} is not available. Choose another engine for this step under Advanced.").format(
        module=module
    )


def isEmptyMask(mask: slicer.vtkMRMLLabelMapVolumeNode) -> bool:
    """Whether a mask node holds no brain at all."""
    return mask.GetImageData() is None or not np.any(slicer.util.arrayFromVolume(mask))
