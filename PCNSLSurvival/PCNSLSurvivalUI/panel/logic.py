"""What the panel can do, without any widget: guess, predict, cancel, bring results into the scene."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.clinical.findings import ClinicalFindings
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.imaging.sequences.choice import Choice, Series, choose_series
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalUI.choices.brain_masks import whyNotFor
from PCNSLSurvivalUI.choices.dicom_tags import areOfTwoPatients, seriesHeader
from PCNSLSurvivalUI.choices.parameters import (
    VOLUMES,
    PanelParameters,
    chosenEngines,
    chosenOptions,
    chosenVolumes,
    isComplete,
)
from PCNSLSurvivalUI.choices.volume_roles import doubt_about
from PCNSLSurvivalUI.install import extensions, packages
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.result.lesion import editedProposal, takeOver
from PCNSLSurvivalUI.result.repair import (
    isRepair,
    placeAligned,
    repairedAlignments,
    repairsOfUnknownScans,
    takeBackRepairs,
    whyNotMeanwhile,
)
from PCNSLSurvivalUI.result.result_import import importResult
from PCNSLSurvivalUI.run import slicer_modules
from PCNSLSurvivalUI.run.engines import BUILT_IN
from PCNSLSurvivalUI.run.plan import absentModules
from PCNSLSurvivalUI.run.prediction_run import PredictionRun
from PCNSLSurvivalUI.run.request import CannotStartError, RunListener, RunRequest
from PCNSLSurvivalUI.run.step_cache import KeptSteps
from PCNSLSurvivalUI.run.step_verdicts import judgeSteps
from PCNSLSurvivalUI.scene.kept_views import drawnOnce
from PCNSLSurvivalUI.scene.output_nodes import OUTPUT_ATTRIBUTE, PROPOSAL, T1GD, SceneOutputs, storedResult
from PCNSLSurvivalUI.scene.volume_files import removeInPieces
from PCNSLSurvivalUI.sections.clinical_section import checkedFindings
from PCNSLSurvivalUI.two_dates.kept_exam import LATER, LATER_MAP


class PanelLogic:
    """One panel's work; at most one run at a time."""

    def __init__(self) -> None:
        self.kept = KeptSteps()
        self.run: PredictionRun | None = None
        self.importing = False
        """Whether a result is just coming into the scene: not the moment to show it."""
        self._seen = set[tuple[str, str]]()
        """Volumes that were looked at for the empty roles."""

    def guess(self, parameters: PanelParameters) -> dict[MRSequence, Choice]:
        """Choose a volume for every sequence that a name or a DICOM header tells of.

        Args:
            parameters: The panel's choices.

        Returns:
            What was found, by sequence.
        """
        nodes = _loadedVolumes()
        self._seen |= {_identity(node) for node in nodes}
        found = choose_series(_seriesOf(nodes))
        for sequence, choice in found.items():
            setattr(parameters, VOLUMES[sequence], nodes[choice.place])
        return found

    def fillIn(self, parameters: PanelParameters) -> None:
        """Volumes have arrived: let them fill the roles that are empty.

        A role that has a volume is left alone, and so is one that the user emptied: only volumes that were not there
        at the last call, or have another name since, are looked at.
        """
        taken = {node.GetID() for node in chosenVolumes(parameters).values()}
        nodes = [node for node in _loadedVolumes() if _identity(node) not in self._seen and node.GetID() not in taken]
        self._seen |= {_identity(node) for node in nodes}
        for sequence, choice in choose_series(_seriesOf(nodes)).items():
            if getattr(parameters, VOLUMES[sequence]) is None:
                setattr(parameters, VOLUMES[sequence], nodes[choice.place])

    def chooseAlone(self, parameters: PanelParameters, t1gd: Any) -> None:
        """Choose the T1Gd of another exam: no volume of the exam before stays chosen, or is filled in again.

        Args:
            parameters: The panel's choices.
            t1gd: The T1Gd of the exam.
        """
        for name in (*VOLUMES.values(), "brainMask", "lesion"):
            setattr(parameters, name, None)
        if areOfTwoPatients(parameters.earlierVolume, t1gd):
            parameters.earlierVolume = parameters.earlierLesion = None
        parameters.t1gdVolume = t1gd
        self.leaveAsItIs()

    def leaveAsItIs(self) -> None:
        """The choice among the volumes that are loaded now was made before: a saved scene was opened."""
        self._seen = {_identity(node) for node in _loadedVolumes()}

    def forgetVolumes(self) -> None:
        """The scene goes: the next one is looked at afresh."""
        self._seen = set()

    def doubts(self, parameters: PanelParameters | None) -> str:
        """What there is to say of the chosen volumes: a choice among several, a name that tells of another sequence.

        Without a T1Gd, what to do next.
        """
        if parameters is None:
            return ""
        chosen = chosenVolumes(parameters)
        if MRSequence.T1GD not in chosen:
            return (
                _("Choose the post-contrast T1 scan as T1Gd.")
                if _loadedVolumes()
                else _(
                    "Load the patient's scans, or the demonstration patient: PCNSLDemonstrationPatient in Sample Data."
                )
            )
        sentences = [doubt_about(role, node.GetName(), seriesHeader(node)) for role, node in chosen.items()]
        nodes = _loadedVolumes()
        series = _seriesOf(nodes)
        for sequence, choice in choose_series(series).items():
            if choice.others and chosen.get(sequence) is nodes[choice.place]:
                sentences.append(shown(choice.message(series)))
        if len({node.GetID() for node in chosen.values()}) < len(chosen):
            sentences.append(_("One volume is selected for two sequences. Choose another volume for one of them."))
        for role in repairsOfUnknownScans(SceneOutputs(parameters.parameterNode), chosen):
            words = _(
                "{role} was aligned by hand in this scene, which was saved with an earlier version of this module and "
                "does not say with which T1Gd. The prediction does not use that alignment: check {role} afterwards, "
                "and repair it where needed."
            )
            sentences.append(words.format(role=role.label))
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
            resultShown: Called when the prediction is in the scene; a generator that shows it part by part. The
                alignment of other scans may still be under way.
            ended: Called once: with None after success, otherwise with the sentence for the user.

        Raises:
            PCNSLSurvivalError: What was chosen cannot be run.
        """
        if self.run is not None:
            return
        if not isComplete(parameters):
            raise CannotStartError(_("Choose a T1Gd that holds an image, then predict."))
        if model is None:
            raise CannotStartError(_("No model is installed. Add a model folder under Model, then predict."))
        packages.ensureInstalled(packages.requirements(parameters.device))
        volumes = chosenVolumes(parameters)
        outputs = SceneOutputs(parameters.parameterNode)
        refusal = _whyNot(outputs, volumes, parameters.brainMask)
        if refusal:
            raise CannotStartError(refusal)
        findings = checkedFindings(volumes[MRSequence.T1GD])
        edited = editedProposal(outputs)
        if edited is not None and parameters.lesion is None and outputs.node(T1GD) is volumes[MRSequence.T1GD]:
            # Corrected in Slicer's own Segment Editor, without our button: it is what this run reads.
            parameters.lesion = edited
        if edited is not None or (parameters.lesion is not None and parameters.lesion is outputs.node(PROPOSAL)):
            takeOver(outputs)
        t1gdID = volumes[MRSequence.T1GD].GetID()

        def resultReady(folder: Path) -> Iterator[None]:
            earlier = yield from self.bringIn(folder, t1gdID, parameters)
            run.hasResult = True
            yield from drawnOnce(arrive(earlier))

        def arrive(earlier: list[Any]) -> Iterator[None]:
            judgeSteps(run.steps, storedResult(parameters.result) or {})
            yield from removeInPieces(earlier)
            yield
            yield from resultShown()

        def aligned(role: MRSequence, volume: Any, transform: Any) -> None:
            t1gd = slicer.mrmlScene.GetNodeByID(t1gdID)
            placeAligned(outputs, role, (volume, transform), volumes[role], t1gd)

        def runEnded(sentence: str | None) -> None:
            if self.run is run:
                self.run = None
                ended(sentence)

        request = self._request(parameters, model, volumes, outputs, findings)
        self._doWithoutExtension(request, parameters)
        listener = RunListener(changed=changed, resultReady=resultReady, aligned=aligned, ended=runEnded)
        run = PredictionRun(request, self.kept, listener)
        self.run = run
        try:
            run.start()
        except Exception:
            self.run = None
            raise

    def _request(
        self,
        parameters: PanelParameters,
        model: ModelFolder,
        volumes: dict[MRSequence, Any],
        outputs: SceneOutputs,
        findings: ClinicalFindings | None,
    ) -> RunRequest:
        """The panel's choices as one run."""
        return RunRequest(
            volumes=volumes,
            model=model,
            brainMask=parameters.brainMask,
            engines=chosenEngines(parameters),
            options=chosenOptions(parameters),
            lesion=parameters.lesion,
            clinical=None if findings is None else findings.to_json(),
            aligned=repairedAlignments(outputs, volumes),
        )

    def bringIn(self, folder: Path, t1gdID: str, parameters: PanelParameters) -> Generator[None, None, list[Any]]:
        """Bring a result folder into the scene; a generator for ``InPieces``.

        Args:
            folder: What the worker wrote.
            t1gdID: The volume that the result belongs to; it may be gone meanwhile.
            parameters: The panel's choices; gets the result.

        Returns:
            Nodes of the result before, which the caller removes.
        """
        t1gd, outputs = slicer.mrmlScene.GetNodeByID(t1gdID), SceneOutputs(parameters.parameterNode)
        self.importing = True
        try:
            earlier = yield from importResult(folder, outputs, t1gd, parameters)
            if t1gd is not None:
                takeBackRepairs(outputs, t1gd, chosenVolumes(parameters))
            earlier += [node for node in map(outputs.letGo, (LATER, LATER_MAP)) if node is not None]
            parameters.parameterNode.SetNodeReferenceID(T1GD, t1gdID if t1gd is not None else None)
        finally:
            self.importing = False
        return earlier

    def _doWithoutExtension(self, request: RunRequest, parameters: PanelParameters) -> None:
        """SwissSkullStripper is not installed: install it, or take the built-in brain extraction."""
        if slicer_modules.SWISS not in absentModules(request):
            return
        answer = extensions.ask()
        if answer == "built-in":
            request.engines[Step.BRAIN_EXTRACTION] = parameters.brainEngine = BUILT_IN
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
        and not isRepair(node)
    ]


def _seriesOf(nodes: list[Any]) -> list[Series]:
    return [Series(name=node.GetName(), header=seriesHeader(node), slice_mm=max(node.GetSpacing())) for node in nodes]


def _identity(node: Any) -> tuple[str, str]:
    """A volume under its present name: a file's name may come a moment after the volume."""
    return node.GetID(), node.GetName()


def _whyNot(outputs: SceneOutputs, volumes: dict[MRSequence, Any], mask: Any) -> str:
    """Why a run cannot start with these volumes and this brain mask, if any; empty when it can."""
    if len({node.GetID() for node in volumes.values()}) < len(volumes):
        return _("One volume is selected for two sequences. Choose another one, then predict.")
    refusal = whyNotMeanwhile(outputs)
    return refusal if refusal or mask is None else whyNotFor(outputs, mask, volumes[MRSequence.T1GD])
