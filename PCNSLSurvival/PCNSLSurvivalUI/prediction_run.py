"""One prediction from chosen volumes to results: Slicer's modules one after another, then our process.

The network needs its own sequences only. Where that is T1Gd alone, the prediction starts as soon as T1Gd is
ready, and T1 and T2 are aligned for reading while it runs.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from PCNSLSurvivalLib.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.preprocessing.brain_extractor_files import is_brain_extractor_installed
from PCNSLSurvivalLib.terms import Sequence, Step
from PCNSLSurvivalUI import job, run_steps, slicer_steps
from PCNSLSurvivalUI.kept_steps import KeptSteps, identityOf
from PCNSLSurvivalUI.parameters import BUILT_IN, SKIP, SLICER
from PCNSLSurvivalUI.pieces import InPieces
from PCNSLSurvivalUI.scene_bridge import hiddenCopy, newHidden, removeNode, writeNrrd
from PCNSLSurvivalUI.slicer_steps import BRAINSFIT, N4, SWISS, CLIStep

_OUR_STEPS = (
    Step.READ, Step.NORMALIZATION, Step.RESAMPLING, Step.NETWORK_GRID,
    Step.PREDICTION, Step.MAP_TO_PATIENT, Step.REPORT,
)  # fmt: skip
"""Steps of our own process that every run goes through."""


class CannotStartError(PCNSLSurvivalError):
    """What the user chose cannot be run."""


@dataclass(kw_only=True)
class RunRequest:
    """What to predict from what, and how."""

    volumes: dict[Sequence, slicer.vtkMRMLScalarVolumeNode]
    model: ModelFolder
    brainMask: slicer.vtkMRMLLabelMapVolumeNode | None = None
    biasEngine: str = SLICER
    registrationEngine: str = SLICER
    brainEngine: str = SLICER
    device: str = "auto"
    target: str = "predicted"
    """Class that Grad-CAM explains: "predicted", "over" or "up-to" one year."""
    overrideQuality: bool = False


@dataclass(kw_only=True)
class RunListener:
    """Whom a run tells what; every call comes on the main thread."""

    changed: Callable[[], None]
    resultReady: Callable[[Path], Iterator[None]]
    """Gets the result folder; a generator that brings it into the scene piece by piece."""
    aligned: Callable[[Sequence, Any, Any], None]
    """Gets a sequence, its volume on the grid of T1Gd, and its transform; takes them over."""
    ended: Callable[[str | None], None]
    """Told once: None when all went well, otherwise the sentence for the user."""


@dataclass
class _Task:
    """One CLI module that waits for its turn."""

    key: str
    module: str
    volume: str
    parameters: Callable[[], dict[str, Any]]
    done: Callable[[], None]
    fatal: bool = True
    nodes: list[Any] = field(default_factory=list)


class PredictionRun:
    """A run under way; ``cancel`` leaves the scene as it was before."""

    def __init__(self, request: RunRequest, kept: KeptSteps, listener: RunListener, worker: Path = job.WORKER) -> None:
        self._request, self._kept, self._listener, self._worker = request, kept, listener, worker
        self.steps = run_steps.StepList()
        self._nodes: list[slicer.vtkMRMLNode] = []
        self._tasks: list[_Task] = []
        self._cli: CLIStep | None = None
        self._pieces: InPieces | None = None
        self._job: job.Job | None = None
        self._jobOver = False
        self._over = False
        self._aligned: list[tuple[Sequence, Any, Any]] = []
        self._alignmentProblem: str | None = None
        self._folder: Path | None = None
        self._observers: list[int] = []
        self._current: dict[Sequence, slicer.vtkMRMLScalarVolumeNode] = {}
        self._mask: slicer.vtkMRMLLabelMapVolumeNode | None = request.brainMask
        self._inputIDs = {node.GetID(): role.label for role, node in request.volumes.items()}
        self._check()

    # --- before the start ------------------------------------------------------------------------------
    def _check(self) -> None:
        request = self._request
        missing = [role.label for role in request.model.sequences if role not in request.volumes]
        if missing:
            raise CannotStartError(
                _("This model reads {missing} as well. Choose {missing} under Patient scans, or another model.").format(
                    missing=_(" and ").join(missing)
                )
            )
        wanted = {
            N4: request.biasEngine == SLICER,
            SWISS: request.brainEngine == SLICER and request.brainMask is None,
            BRAINSFIT: request.registrationEngine == SLICER and len(request.volumes) > 1,
        }
        builtIn = request.brainEngine == BUILT_IN and request.brainMask is None
        if builtIn and not is_brain_extractor_installed():
            raise CannotStartError(
                _(
                    "The networks of the built-in brain extraction are not on this computer yet. Press 'Get the "
                    "built-in brain extraction' under Advanced, or choose a brain mask there."
                )
            )
        for module, needed in wanted.items():
            if needed and not slicer_steps.isInstalled(module):
                raise CannotStartError(slicer_steps.absentSentence(module))

    # --- start -----------------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin; returns at once.

        Raises:
            PCNSLSurvivalError: A volume cannot be used; the scene is as before.
        """
        try:
            for role, node in self._request.volumes.items():
                self._current[role] = hiddenCopy(node, role.label)
                self._nodes.append(self._current[role])
            self._folder = Path(slicer.util.tempDirectory())
        except Exception:
            self._cleanUp()
            raise
        scene = slicer.mrmlScene
        self._observers.append(scene.AddObserver(scene.NodeAboutToBeRemovedEvent, self._onNodeGoes))
        self._plan()
        self._next()

    def _plan(self) -> None:
        request, forNetwork = self._request, self._request.model.sequences
        for role in forNetwork:
            key = f"{Step.BIAS_FIELD} {role.label}"
            self.steps.add(key, f"{Step.BIAS_FIELD.label}, {role.label}", request.biasEngine)
            if request.biasEngine == SLICER:
                self._tasks.append(self._biasFieldTask(key, role))
            elif request.biasEngine == SKIP:
                self.steps.mark(key, run_steps.SKIPPED, _("you said it is corrected already"))
        if BUILT_IN in (request.biasEngine, request.brainEngine):
            self.steps.add(str(Step.READ), Step.READ.label)
        key = str(Step.BRAIN_EXTRACTION)
        self.steps.add(key, Step.BRAIN_EXTRACTION.label, request.brainEngine)
        if self._mask is not None:
            self.steps.mark(key, run_steps.SKIPPED, _("your own mask is used"))
        elif request.brainEngine == SLICER:
            self._tasks.append(self._brainTask(key))
        elif request.brainEngine == SKIP:
            self.steps.mark(key, run_steps.SKIPPED, _("you said the skull is removed already"))
        needed = [role for role in forNetwork if role is not Sequence.T1GD]
        others = [role for role in request.volumes if role is not Sequence.T1GD and role not in forNetwork]
        start = _Task("", "", "", dict, self._export)
        order = [*needed, None, *others]
        for role in order:
            if role is None:
                self._tasks.append(start)
                for step in _OUR_STEPS:
                    if self.steps.find(str(step)) is None:
                        self.steps.add(str(step), step.label)
                continue
            key = f"{Step.REGISTRATION} {role.label}"
            self.steps.add(key, f"{role.label} to T1Gd", request.registrationEngine)
            if request.registrationEngine == SKIP:
                self.steps.mark(key, run_steps.SKIPPED, _("you said it lies over T1Gd already"))
            else:
                self._tasks.append(self._registrationTask(key, role, fatal=role in forNetwork))

    # --- Slicer's modules, one after another ---------------------------------------------------------------
    def _next(self) -> None:
        self._listener.changed()
        if self._over:
            return
        if not self._tasks:
            self._endIfAllDone()
            return
        task = self._tasks.pop(0)
        if not task.module:
            task.done()
            return
        parameters = task.parameters()
        if not parameters:  # kept from an earlier run
            task.done()
            return
        self.steps.start(task.key)
        self._cli = CLIStep(task.module, parameters, lambda good: self._onModuleEnded(task, good))
        self._listener.changed()

    def _onModuleEnded(self, task: _Task, good: bool) -> None:
        self._cli = None
        if self._over:
            return
        if good:
            try:
                task.done()
            except PCNSLSurvivalError as problem:
                self._fail(task.key, str(problem))
        elif task.fatal:
            self._fail(task.key, slicer_steps.failureSentence(task.module, task.volume))
        else:
            sentence = slicer_steps.failureSentence(task.module, task.volume)
            self.steps.mark(task.key, run_steps.FAILED, sentence)
            self._alignmentProblem = sentence
            self._next()

    def _temporary(self, className: str, name: str) -> Any:
        node = newHidden(className, name)
        self._nodes.append(node)
        return node

    def _biasFieldTask(self, key: str, role: Sequence) -> _Task:
        cacheKey = ("bias", identityOf(self._current[role]), self._request.model.recipe.sha256)
        made: list[Any] = []

        def parameters() -> dict[str, Any]:
            keptNode = self._kept.node(cacheKey, "vtkMRMLScalarVolumeNode", f"{role.label} corrected")
            if keptNode is not None:
                self._nodes.append(keptNode)
                made.append(keptNode)
                self.steps.mark(key, run_steps.KEPT, _("kept from the last run"))
                return {}
            made.append(self._temporary("vtkMRMLScalarVolumeNode", f"{role.label} corrected"))
            return slicer_steps.biasFieldParameters(self._current[role], made[0], self._request.model.recipe)

        def done() -> None:
            if self.steps.find(key).state == run_steps.RUNNING:
                if made[0].GetImageData() is None:
                    raise CannotStartError(slicer_steps.failureSentence(N4, role.label))
                self.steps.finish(key)
                self._kept.keep(cacheKey, made[0])
            self._current[role] = made[0]
            self._next()

        return _Task(key, N4, role.label, parameters, done)

    def _brainTask(self, key: str) -> _Task:
        t1gd = self._current[Sequence.T1GD]
        cacheKey = ("brain", identityOf(t1gd), self._request.biasEngine, self._request.model.recipe.sha256)
        made: list[Any] = []

        def parameters() -> dict[str, Any]:
            keptNode = self._kept.node(cacheKey, "vtkMRMLLabelMapVolumeNode", "Brain mask")
            if keptNode is not None:
                self._nodes.append(keptNode)
                made.append(keptNode)
                self.steps.mark(key, run_steps.KEPT, _("kept from the last run"))
                return {}
            made.append(self._temporary("vtkMRMLLabelMapVolumeNode", "Brain mask"))
            stripped = self._temporary("vtkMRMLScalarVolumeNode", "T1Gd brain")
            return slicer_steps.brainParameters(self._current[Sequence.T1GD], stripped, made[0])

        def done() -> None:
            if self.steps.find(key).state == run_steps.RUNNING:
                if slicer_steps.isEmptyMask(made[0]):
                    raise CannotStartError(
                        _(
                            "SwissSkullStripper found no brain in T1Gd. Look at T1Gd in the slice views; if it shows "
                            "a head, choose 'Built in' for the brain extraction under Advanced and predict again."
                        )
                    )
                self.steps.finish(key)
                self._kept.keep(cacheKey, made[0])
            self._mask = made[0]
            self._next()

        return _Task(key, SWISS, "T1Gd", parameters, done)

    def _registrationTask(self, key: str, role: Sequence, *, fatal: bool) -> _Task:
        made: list[Any] = []

        def parameters() -> dict[str, Any]:
            made.append(self._temporary("vtkMRMLScalarVolumeNode", f"{role.label} aligned"))
            made.append(self._temporary("vtkMRMLLinearTransformNode", f"{role.label} to T1Gd"))
            return slicer_steps.registrationParameters(
                self._current[Sequence.T1GD], self._current[role], made[0], made[1]
            )

        def done() -> None:
            self.steps.finish(key)
            self.steps.find(key).verdict = _("look")
            self.steps.find(key).note = _("Look at {role} over T1Gd: a registration can go wrong in silence.").format(
                role=role.label
            )
            # BRAINSFit's habit: the moving volume lies under the new transform now.
            self._current[role].SetAndObserveTransformNodeID(None)
            if fatal:
                self._current[role] = made[0]
            self._aligned.append((role, made[0], made[1]))
            if self._jobOver:
                self._handOverAligned()
            self._next()

        return _Task(key, BRAINSFIT, role.label, parameters, done, fatal=fatal)

    # --- our process ---------------------------------------------------------------------------------------
    def _export(self) -> None:
        roles = self._request.model.sequences
        files = {role: self._folder / f"{role}.nrrd" for role in roles}

        def write() -> Iterator[None]:
            for role, path in files.items():
                yield from writeNrrd(self._current[role], path, role.label)
            if self._mask is not None:
                yield from writeNrrd(self._mask, self._folder / "mask.nrrd", _("The brain mask"))

        self._pieces = InPieces(write(), lambda: self._startJob(files), lambda e: self._fail(str(Step.READ), _words(e)))
        self._next()

    def _startJob(self, files: dict[Sequence, Path]) -> None:
        request, self._pieces = self._request, None
        arguments = [
            "explain",
            "--target",
            request.target,
            "--out",
            str(self._folder / "result"),
            "--model",
            str(request.model.path),
        ]
        arguments += ["--device", request.device, "--progress", "json"]
        for role, path in files.items():
            arguments += [f"--{role}", str(path)]
        if self._mask is not None:
            arguments += ["--brain-mask", str(self._folder / "mask.nrrd")]
        if request.biasEngine in (SLICER, SKIP):
            arguments.append("--already-corrected")
        if len(files) > 1:
            arguments.append("--already-registered")
        if request.brainEngine == SKIP and self._mask is None:
            arguments.append("--already-stripped")
        if request.overrideQuality:
            arguments.append("--override-quality")
        try:
            self._job = job.Job(arguments, self._onJobEvent, self._onJobEnded, self._worker)
        except PCNSLSurvivalError as problem:
            self._fail(str(Step.READ), str(problem))
        self._listener.changed()

    def _onJobEvent(self, event: dict[str, Any]) -> None:
        if event.get("type") != "step":
            return
        detail = event.get("detail", "")
        name = str(event.get("step"))
        key = next((k for k in (f"{name} {detail}".strip(), name) if self.steps.find(k) is not None), None)
        if key is None:
            key = f"{name} {detail}".strip()
            if event.get("state") == "skipped":
                return
            label = Step(name).label if name in list(Step) else name
            self.steps.addNext(key, f"{label}, {detail}" if detail else label)
        step = self.steps.find(key)
        state = event.get("state")
        if state == "started":
            self.steps.start(key)
        elif state == "running":
            step.fraction = event.get("fraction")
        elif state == "finished":
            self.steps.finish(key, event.get("seconds"))
        elif state == "skipped" and step.state == run_steps.WAITING:
            self.steps.mark(key, run_steps.SKIPPED, detail)
        self._listener.changed()

    def _onJobEnded(self, sentence: str | None) -> None:
        self._job = None
        if self._over:
            return
        if sentence is not None:
            running = next((s.key for s in self.steps.steps if s.state == run_steps.RUNNING and not self._isCLI(s)), "")
            self._fail(running or str(Step.READ), sentence)
            return
        self._pieces = InPieces(
            self._listener.resultReady(self._folder / "result"),
            self._onImported,
            lambda error: self._fail(str(Step.REPORT), _words(error)),
        )

    def _isCLI(self, step: run_steps.RunStep) -> bool:
        return step.engine == SLICER

    def _onImported(self) -> None:
        self._pieces, self._jobOver = None, True
        self._handOverAligned()
        self._endIfAllDone()

    def _handOverAligned(self) -> None:
        """Aligned volumes join the scene after the prediction: a cancelled run leaves none behind."""
        for role, volume, transform in self._aligned:
            for node in (volume, transform):
                self._nodes.remove(node)
            self._listener.aligned(role, volume, transform)
        self._aligned.clear()

    # --- ends ------------------------------------------------------------------------------------------------
    def _endIfAllDone(self) -> None:
        if self._jobOver and not self._tasks and self._cli is None and not self._over:
            self._over = True
            self._cleanUp()
            self._listener.changed()
            self._listener.ended(self._alignmentProblem)

    def _fail(self, key: str, sentence: str) -> None:
        if self._over:
            return
        self.steps.mark(key, run_steps.FAILED, sentence)
        self._stop()
        self.steps.markRunning(run_steps.CANCELLED)
        self._listener.changed()
        self._listener.ended(sentence)

    @property
    def hasResult(self) -> bool:
        """Whether the prediction is in the scene already, and only T1 or T2 are still being aligned."""
        return self._jobOver

    def cancel(self) -> None:
        """Stop whatever runs, children included; ``ended`` is not called."""
        if not self._over:
            self._stop()
            self.steps.markRunning(run_steps.CANCELLED)
            self._listener.changed()

    def _stop(self) -> None:
        self._over = True
        self._tasks.clear()
        if self._pieces is not None:
            self._pieces.cancel()
        if self._job is not None:
            self._job.cancel()
        self._job = self._pieces = None
        if self._cli is not None:
            # Nodes of a module that still runs must stay until it is over, or Slicer crashes.
            self._cli.cancel(self._removeNodes)
            busy = self._cli.nodeIDs if not self._cli.isOver else set()
            self._cleanUp(keep=busy)
        else:
            self._cleanUp()

    def _cleanUp(self, keep: set[str] | frozenset[str] = frozenset()) -> None:
        for tag in self._observers:
            slicer.mrmlScene.RemoveObserver(tag)
        self._observers.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        self._removeNodes(keep)

    def _removeNodes(self, keep: set[str] | frozenset[str] = frozenset()) -> None:
        for node in list(self._nodes):
            if node.GetID() in keep:
                continue
            self._nodes.remove(node)
            removeNode(node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeGoes(self, caller: Any, event: str, node: Any) -> None:
        """A node leaves the scene while we work with it: stop before Slicer loads results into nothing."""
        if self._over:
            return
        if node.GetID() in {ours.GetID() for ours in self._nodes}:
            self._endEarly(_("A volume of the running prediction was removed from the scene. Predict again."))
        elif node.GetID() in self._inputIDs:
            label = self._inputIDs[node.GetID()]
            if label == Sequence.T1GD.label:
                self._endEarly(_("T1Gd was removed from the scene. Choose a T1Gd, then predict again."))

    def _endEarly(self, sentence: str) -> None:
        # The node is still on its way out: stop the module now, tidy the scene afterwards.
        self._over = True
        if self._cli is not None:
            self._cli.cancel()

        def tidy() -> None:
            self._stop()
            self.steps.markRunning(run_steps.CANCELLED)
            self._listener.changed()
            self._listener.ended(sentence)

        qt.QTimer.singleShot(0, tidy)


def _words(error: Exception) -> str:
    if isinstance(error, PCNSLSurvivalError):
        return str(error)
    if isinstance(error, OSError):
        return _(
            "The temporary folder cannot be written ({reason}). Free some space on the disk, then predict again."
        ).format(reason=error.strerror or type(error).__name__)
    return _("The result could not be brought into the scene ({kind}). Predict again, or report it.").format(
        kind=type(error).__name__
    )


__all__ = ["BUILT_IN", "CannotStartError", "PredictionRun", "RunListener", "RunRequest"]
