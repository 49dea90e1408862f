"""What the panel can do, without any widget: guess, predict, cancel, bring results into the scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalUI.install import extensions, packages
from PCNSLSurvivalUI.panel.dicom_tags import dicomTags
from PCNSLSurvivalUI.panel.parameters import PanelParameters, isComplete
from PCNSLSurvivalUI.panel.volume_roles import Guess, doubt_about, guess_roles
from PCNSLSurvivalUI.result.repair import repairedAlignments
from PCNSLSurvivalUI.result.result_import import importResult
from PCNSLSurvivalUI.run import slicer_modules
from PCNSLSurvivalUI.run.engines import BUILT_IN
from PCNSLSurvivalUI.run.prediction_run import PredictionRun
from PCNSLSurvivalUI.run.request import CannotStartError, RunListener, RunRequest
from PCNSLSurvivalUI.run.step_cache import KeptSteps
from PCNSLSurvivalUI.run.step_verdicts import judgeSteps
from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, OUTPUT_ATTRIBUTE, T1GD, TRANSFORM, SceneOutputs, storedResult

_ATTRIBUTES = {MRSequence.T1GD: "t1gdVolume", MRSequence.T1: "t1Volume", MRSequence.T2: "t2Volume"}


class PanelLogic:
    """One panel's work; at most one run at a time."""

    def __init__(self) -> None:
        self.kept = KeptSteps()
        self.run: PredictionRun | None = None
        self.importing = False
        """Whether a result is just coming into the scene: not the moment to show it."""

    def guess(self, parameters: PanelParameters, *, onlyEmpty: bool = False) -> Guess:
        """Fill the roles that volume names and DICOM tags suggest.

        Args:
            parameters: The panel's choices.
            onlyEmpty: Leave roles alone that have a volume already.

        Returns:
            What was found.
        """
        nodes = _loadedVolumes()
        guessed = guess_roles([(node.GetName(), dicomTags(node)) for node in nodes])
        for role, name in _ATTRIBUTES.items():
            if role in guessed.places and not (onlyEmpty and getattr(parameters, name) is not None):
                setattr(parameters, name, nodes[guessed.places[role]])
        return guessed

    def chosenVolumes(self, parameters: PanelParameters) -> dict[MRSequence, Any]:
        """The volumes by role; roles without one are left out."""
        chosen = {role: getattr(parameters, name) for role, name in _ATTRIBUTES.items()}
        return {role: node for role, node in chosen.items() if node is not None}

    def doubts(self, parameters: PanelParameters | None) -> str:
        """A sentence for every chosen volume whose name suggests another sequence; what to do without a T1Gd."""
        if parameters is None:
            return ""
        chosen = self.chosenVolumes(parameters)
        if MRSequence.T1GD not in chosen:
            return (
                _("Choose the post-contrast T1 scan as T1Gd.")
                if _loadedVolumes()
                else _("Load the patient's scans. To try it without a patient, load PCNSL Survival in Sample Data.")
            )
        sentences = [doubt_about(role, node.GetName(), dicomTags(node)) for role, node in chosen.items()]
        if len({node.GetID() for node in chosen.values()}) < len(chosen):
            sentences.append(_("One volume is selected for two sequences. Choose another volume for one of them."))
        return " ".join(sentence for sentence in sentences if sentence)

    def startPrediction(
        self,
        parameters: PanelParameters,
        model: ModelFolder | None,
        changed: Callable[[], None],
        resultShown: Callable[[], Iterator[None]],
        ended: Callable[[str | None], None],
    ) -> None:
        """Start a run; returns at once.

        Args:
            parameters: The panel's choices.
            model: The chosen model.
            changed: Called whenever a step moves.
            resultShown: Called when the prediction is in the scene; a generator that shows it part by part. T1 and
                T2 may still be under way.
            ended: Told once: None when all went well, otherwise the sentence for the user.

        Raises:
            PCNSLSurvivalError: What was chosen cannot be run.
        """
        if self.run is not None:
            return
        if not isComplete(parameters):
            raise CannotStartError(_("Choose a T1Gd that holds an image, then predict."))
        if model is None:
            raise CannotStartError(_("No model is installed. Add a model folder under Model, then predict."))
        packages.ensureInstalled()
        volumes = self.chosenVolumes(parameters)
        if len({node.GetID() for node in volumes.values()}) < len(volumes):
            raise CannotStartError(_("One volume is selected for two sequences. Choose another one, then predict."))
        outputs = SceneOutputs(parameters.parameterNode)
        t1gdID = volumes[MRSequence.T1GD].GetID()

        def resultReady(folder: Path) -> Iterator[None]:
            t1gd = slicer.mrmlScene.GetNodeByID(t1gdID)
            self.importing = True
            try:
                yield from importResult(folder, outputs, t1gd, parameters)
                parameters.parameterNode.SetNodeReferenceID(T1GD, t1gdID if t1gd is not None else None)
            finally:
                self.importing = False
            run.hasResult = True
            judgeSteps(run.steps, storedResult(parameters.result) or {})
            yield
            yield from resultShown()

        def aligned(role: MRSequence, volume: Any, transform: Any) -> None:
            t1gd = slicer.mrmlScene.GetNodeByID(t1gdID)
            name = _("{role} aligned with T1Gd").format(role=role.label)
            outputs.place(ALIGNED + role, volume, name, t1gd)
            outputs.place(TRANSFORM + role, transform, _("{role} to T1Gd").format(role=role.label), t1gd)

        def runEnded(sentence: str | None) -> None:
            if self.run is run:
                self.run = None
                ended(sentence)

        request = RunRequest(
            volumes=volumes,
            model=model,
            brainMask=parameters.brainMask,
            biasEngine=parameters.biasEngine,
            registrationEngine=parameters.registrationEngine,
            brainEngine=parameters.brainEngine,
            device=parameters.device,
            overrideQuality=parameters.overrideQuality,
            aligned={
                role: node
                for role, node in repairedAlignments(outputs, volumes[MRSequence.T1GD]).items()
                if role in volumes
            },
        )
        self._doWithoutExtension(request, parameters)
        listener = RunListener(changed=changed, resultReady=resultReady, aligned=aligned, ended=runEnded)
        run = PredictionRun(request, self.kept, listener)
        self.run = run
        try:
            run.start()
        except Exception:
            self.run = None
            raise

    def _doWithoutExtension(self, request: RunRequest, parameters: PanelParameters) -> None:
        """SwissSkullStripper is not installed: install it, or take the built-in brain extraction."""
        if slicer_modules.SWISS not in request.absentModules():
            return
        answer = extensions.ask()
        if answer == "built-in":
            request.brainEngine = parameters.brainEngine = BUILT_IN
        elif answer == "install" and extensions.install():
            raise CannotStartError(_("SwissSkullStripper was installed. Restart Slicer, then predict again."))

    def cancel(self) -> None:
        """Stop the run, if there is one; the scene is as before it."""
        run, self.run = self.run, None
        if run is not None:
            run.cancel()


def _loadedVolumes() -> list[Any]:
    """Volumes that may be a patient's scans, in the order of the scene."""
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        if node.GetClassName() == "vtkMRMLScalarVolumeNode"
        and not node.GetHideFromEditors()
        and not node.GetAttribute(OUTPUT_ATTRIBUTE)
    ]
