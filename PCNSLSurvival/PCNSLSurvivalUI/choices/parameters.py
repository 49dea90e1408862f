"""What the user chose, kept in the scene: scans, model, engines, options, and the last result."""

from dataclasses import dataclass
from typing import Annotated, Any

from slicer import vtkMRMLDisplayableNode, vtkMRMLLabelMapVolumeNode, vtkMRMLScalarVolumeNode
from slicer.parameterNodeWrapper import Choice, Default, WithinRange, parameterNodeWrapper

from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.inference.case_options import CaseOptions
from PCNSLSurvivalUI.run.engines import BUILT_IN, SKIP, SLICER


@dataclass(frozen=True)
class EngineChoice:
    """The choice of who does a step; its selector is named after it, ``biasEngineSelector``."""

    name: str
    engines: list[str]


ENGINE_CHOICES = {
    Step.BIAS_FIELD: EngineChoice("biasEngine", [SLICER, BUILT_IN, SKIP]),
    Step.BRAIN_EXTRACTION: EngineChoice("brainEngine", [SLICER, BUILT_IN, SKIP]),
    Step.REGISTRATION: EngineChoice("registrationEngine", [SLICER, BUILT_IN, SKIP]),
}
"""Of each step of ``run/tasks.py``."""
VOLUMES = {sequence: f"{sequence}Volume" for sequence in MRSequence}
"""Name of the choice of each sequence's volume."""
DEVICES = ["auto", "cpu", "cuda", "mps"]


class _Scans:
    """The volume of each sequence: ``t1gdVolume``, ``t1Volume`` and so on, as saved scenes name them."""

    __annotations__ = dict.fromkeys(VOLUMES.values(), vtkMRMLScalarVolumeNode)


@parameterNodeWrapper
class PanelParameters(_Scans):
    """The panel's choices; a widget bound by Slicer itself names its choice as ``SlicerParameterName``."""

    brainMask: vtkMRMLLabelMapVolumeNode
    lesion: vtkMRMLDisplayableNode
    """Tumor outline of the next run: a segmentation, or a label map on the voxels of T1Gd."""
    proposeLesion: bool = False
    earlierVolume: vtkMRMLScalarVolumeNode
    """T1Gd of an earlier date, to compare the chosen one with."""
    earlierLesion: vtkMRMLDisplayableNode
    """Its tumor outline."""
    followUp: str = ""
    """The last comparison as JSON, with a mark of the outlines that it used."""
    modelFolder: str = ""
    biasEngine: Annotated[str, Choice(ENGINE_CHOICES[Step.BIAS_FIELD].engines), Default(SLICER)]
    registrationEngine: Annotated[str, Choice(ENGINE_CHOICES[Step.REGISTRATION].engines), Default(SLICER)]
    brainEngine: Annotated[str, Choice(ENGINE_CHOICES[Step.BRAIN_EXTRACTION].engines), Default(SLICER)]
    enginesChosen: bool = False
    """Whether the engines are those of this scene, and not the first ones of a new scene."""
    device: Annotated[str, Choice(DEVICES), Default("auto")]
    keepIntermediate: bool = False
    overrideQuality: bool = False
    mapOpacity: Annotated[float, WithinRange(0.0, 1.0), Default(0.5)]
    mapThreshold: Annotated[float, WithinRange(0.0, 1.0), Default(0.3)]
    mapVisible: bool = True
    legendVisible: bool = True
    mapAsCells: bool = False
    mapKind: str = ""
    """Which map is shown: of one class, or the evidence; empty for the predicted class."""
    mapColors: str = "vtkMRMLColorTableNodeFileInferno.txt"
    secondThoughts: str = ""
    """Answers to second thoughts as JSON, with a mark of the result that they are of."""
    readFirst: bool = False
    """Hide a result until the reader has given an estimate."""
    revealed: str = ""
    """Mark of the result that the reader has seen."""
    result: str = ""
    """The last prediction as JSON, so that a saved scene shows it again without any computation."""


_OLD_ENGINES = {"Slicer module": SLICER, "Built in": BUILT_IN, "Skip: done already": SKIP, "None (already done)": SKIP}
"""How scenes saved before keep the engines."""
_wrappers: list[PanelParameters] = []
"""The wrapper in use. Another one around the same node would hear of a change one change late."""


def parametersOf(node: Any) -> PanelParameters:
    """The choices stored in a parameter node; always the same object for the same node.

    An older scene may have brought the node: it kept the engines by the words that were shown.
    """
    for choice in ENGINE_CHOICES.values():
        engine = _OLD_ENGINES.get(node.GetParameter(choice.name))
        if engine is not None:
            node.SetParameter(choice.name, engine)
    if not _wrappers or _wrappers[0].parameterNode is not node:
        _wrappers[:] = [PanelParameters(node)]
    return _wrappers[0]


def forgetParameters() -> None:
    """The scene was closed, or another one opened: its parameter node is reset behind the wrapper's back."""
    _wrappers.clear()


def chosenVolumes(parameters: PanelParameters) -> dict[MRSequence, Any]:
    """The volumes by role; roles without one are left out."""
    chosen = {role: getattr(parameters, name) for role, name in VOLUMES.items()}
    return {role: node for role, node in chosen.items() if node is not None}


def chosenEngines(parameters: PanelParameters) -> dict[Step, str]:
    """Who does each step that has engines."""
    return {step: getattr(parameters, choice.name) for step, choice in ENGINE_CHOICES.items()}


def chosenOptions(parameters: PanelParameters) -> CaseOptions:
    """The options of the prediction that have a control in the panel."""
    return CaseOptions(
        device=parameters.device,
        override_quality=parameters.overrideQuality,
        segment=parameters.proposeLesion and parameters.lesion is None,
    )


def isComplete(parameters: PanelParameters | None) -> bool:
    """Whether a prediction can be started: a T1Gd with an image is chosen."""
    node = parameters.t1gdVolume if parameters is not None else None
    return node is not None and node.GetImageData() is not None
