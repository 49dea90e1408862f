"""One prediction from chosen volumes to results: the long steps one after another, our process among them.

The network needs its own sequences only. Where that is T1Gd alone, the prediction comes as soon as T1Gd is ready. The
other scans are aligned for reading after it: beside it, both would take longer.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalUI.event_loop import soon
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.process.incremental import InPieces
from PCNSLSurvivalUI.process.job import WaitingWorker
from PCNSLSurvivalUI.run import step_list
from PCNSLSurvivalUI.run.plan import checkModules, planModules, planProcess
from PCNSLSurvivalUI.run.prediction_process import ProcessStage, StageListener
from PCNSLSurvivalUI.run.request import RunListener, RunRequest
from PCNSLSurvivalUI.run.step_cache import KeptSteps
from PCNSLSurvivalUI.run.step_verdicts import judgeStep
from PCNSLSurvivalUI.run.tasks import ModuleTask, RegistrationTask, RunningStep
from PCNSLSurvivalUI.run.volumes import RunVolumes


class PredictionRun:
    """A run under way; ``cancel`` leaves the scene as it was before."""

    def __init__(self, request: RunRequest, kept: KeptSteps, listener: RunListener) -> None:
        request.check()
        checkModules(request)
        self._request, self._kept, self._listener = request, kept, listener
        self.steps = step_list.StepList()
        self._volumes = RunVolumes(request)
        self._tasks: list[ModuleTask | None] = []
        """Steps that wait for their turn; None stands for the start of our process."""
        self._step: RunningStep | None = None
        self._process: ProcessStage | None = None
        self._worker: WaitingWorker | None = None
        """Loads its packages from the click on, while Slicer's modules work or the scans are written."""
        self.hasResult = False
        """Whether the prediction is in the scene already, and only the other scans are still being aligned."""
        self._over = False
        self._tidying: InPieces | None = None
        """Takes the nodes of a finished run away."""
        self._dismissed = False
        """Whether the panel has let go of this run: its widgets may be gone."""
        self._alignmentProblem: str | None = None
        self._folder: Path | None = None
        self._tag = 0
        self._inputs = {node.GetID(): role for role, node in request.volumes.items()}

    def start(self) -> None:
        """Begin; returns at once.

        Raises:
            PCNSLSurvivalError: A volume cannot be used; the scene is as before.
        """
        try:
            self._volumes.copyScans(self._request)
            self._folder = Path(slicer.util.tempDirectory())
        except Exception:
            self._cleanUp()
            raise
        self._tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeAboutToBeRemovedEvent, self._onNodeGoes)
        forNetwork, forReading = planModules(self.steps, self._request, self._volumes, self._kept)
        planProcess(self.steps, self._request)
        self._tasks = [*forNetwork, None, *forReading]
        self._worker = WaitingWorker()
        self._next()

    @property
    def isOver(self) -> bool:
        """Whether all is done or given up, and ``ended`` is called with the next events."""
        return self._over or self._isAllDone()

    def cancel(self) -> None:
        """Stop whatever runs, children included; ``ended`` is not called, and the caller goes on whatever happens."""
        if not self._over:
            try:
                self._stop()
            except Exception:
                logging.exception("The run could not be tidied up.")
            self.steps.markRunning(step_list.CANCELLED)
            self._tell()
        elif self._tidying is not None:
            self._tidying.cancel()
            self._cleanUp()  # it may not have begun
        self._dismissed = True

    def _tell(self) -> None:
        """Let the panel show how far the run is; a fault there must not stop the run."""
        if self._dismissed:
            return
        try:
            self._listener.changed()
        except Exception:
            logging.exception("The panel could not show the run.")

    def _guarded(self, action: Callable[..., None], *arguments: Any) -> None:
        """Slicer prints what a slot raises and goes on: without this an error would leave the run waiting."""
        try:
            action(*arguments)
        except Exception as error:
            logging.exception("Internal error in the run.")
            self._fail(
                next((step.key for step in self.steps.steps if step.state == step_list.RUNNING), str(Step.READ)),
                _("Internal error ({kind}). Please report it.").format(kind=type(error).__name__),
            )

    # --- the long steps, one after another ----------------------------------------------------------------
    def _next(self) -> None:
        if self._over:
            return
        self._tell()
        if self._step is not None or self._process is not None:
            return
        if not self._tasks:
            self._endIfAllDone()
            return
        task = self._tasks.pop(0)
        if task is None:
            self._startProcess()
        else:
            self._guarded(self._begin, task)

    def _begin(self, task: ModuleTask) -> None:
        if task.takeKept():
            self.steps.mark(task.key, step_list.KEPT, _("cached from the last run"))
            self._taskDone(task)
            return
        self.steps.start(task.key)
        self._step = task.start(lambda good: self._guarded(self._onStepEnded, task, good))
        self._tell()

    def _onStepEnded(self, task: ModuleTask, good: bool) -> None:
        self._step = None
        if self._over:
            return
        sentence = task.problem()
        if good:
            try:
                task.finish()
            except PCNSLSurvivalError as problem:
                good, sentence = False, shown(problem)
        if good:
            self.steps.finish(task.key)
            self._taskDone(task)
        elif task.fatal:
            self._fail(task.key, sentence)
        else:
            self.steps.mark(task.key, step_list.FAILED, sentence)
            self._alignmentProblem = sentence
            self._next()

    def _taskDone(self, task: ModuleTask) -> None:
        if isinstance(task, RegistrationTask):
            look = _("Check the {role}-to-T1Gd registration visually; failures are not always detected.")
            look = look.format(role=task.role.label)
            self.steps.judge(task.key, _("inspect"), look)
            if task.findings:
                judgeStep(self.steps, task.key, task.findings)
        # New nodes take their while, and so did what the finished step has made.
        soon(lambda: self._guarded(self._afterTask))

    def _afterTask(self) -> None:
        if self._over:
            return
        if self.hasResult:
            self._handOverAligned()
        soon(lambda: self._guarded(self._next))

    # --- our process ---------------------------------------------------------------------------------------
    def _startProcess(self) -> None:
        self._process = ProcessStage(
            self._request,
            self._volumes,
            self._kept,
            self._folder,
            self.steps,
            StageListener(
                guarded=self._guarded,
                changed=self._tell,
                resultReady=self._listener.resultReady,
                done=self._onImported,
                failed=self._fail,
            ),
            self._worker,
        )
        self._tell()

    def _onImported(self) -> None:
        self._process, self.hasResult = None, True
        self._tell()
        soon(lambda: self._guarded(self._onShown))

    def _onShown(self) -> None:
        if self._over:
            return
        self._handOverAligned()
        self._next()

    def _handOverAligned(self) -> None:
        """Aligned volumes join the scene after the prediction: a cancelled run leaves none behind."""
        for role, (volume, transform) in self._volumes.aligned.items():
            for node in (volume, transform):
                self._volumes.handOver(node)
            self._listener.aligned(role, volume, transform)
        self._volumes.aligned.clear()

    # --- ends ------------------------------------------------------------------------------------------------
    def _isAllDone(self) -> bool:
        return self.hasResult and not self._tasks and self._step is None and self._process is None

    def _endIfAllDone(self) -> None:
        if self._isAllDone():
            # What comes before takes its while; the application goes on in between.
            soon(lambda: self._guarded(self._finish))

    def _finish(self) -> None:
        if self._over:
            return
        self._over = True
        self._tidying = InPieces(self._tidy(), self._onTidied, self._onNotTidied)

    def _tidy(self) -> Iterator[None]:
        self._letGo()
        yield
        yield from self._volumes.removeInPieces()

    def _onNotTidied(self, error: Exception) -> None:
        logging.error("The run could not be tidied up: %s", error)
        self._onTidied()  # whatever happens, the panel must hear of the end, or it waits for ever

    def _onTidied(self) -> None:
        self._tidying = None
        self._tell()
        # The panel has some drawing to do.
        soon(lambda: self._listener.ended(self._alignmentProblem))

    def _fail(self, key: str, sentence: str) -> None:
        if self._over:
            return
        self.steps.mark(key, step_list.FAILED, sentence)
        self._end(sentence)

    def _end(self, sentence: str) -> None:
        try:
            self._stop()
        finally:
            self.steps.markRunning(step_list.CANCELLED)
            self._tell()
            self._listener.ended(sentence)

    def _stop(self) -> None:
        self._over = True
        self._tasks.clear()
        if self._worker is not None:
            self._worker.cancel()
        if self._process is not None:
            self._process.cancel()
            self._process = None
        if self._step is not None:
            # Nodes of a module that still runs must stay until it is over, or Slicer crashes.
            self._step.cancel(self._volumes.remove)
            self._cleanUp(keep=frozenset() if self._step.isOver else frozenset(self._step.nodeIDs))
        else:
            self._cleanUp()

    def _cleanUp(self, keep: frozenset[str] = frozenset()) -> None:
        self._letGo()
        self._volumes.remove(keep)

    def _letGo(self) -> None:
        """Of the scene and of the files, but not of the run's nodes."""
        if self._tag:
            slicer.mrmlScene.RemoveObserver(self._tag)
            self._tag = 0
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeGoes(self, caller: Any, event: str, node: Any) -> None:
        """A node leaves the scene while we work with it: stop before Slicer loads results into nothing."""
        if self._over:
            return
        if self._volumes.holds(node):
            self._endEarly(_("A volume of the running prediction was removed from the scene. Predict again."))
        elif self._inputs.get(node.GetID()) is MRSequence.T1GD:
            self._endEarly(_("T1Gd was removed from the scene. Choose a T1Gd, then predict again."))

    def _endEarly(self, sentence: str) -> None:
        # The node is still on its way out: stop the module now, tidy the scene afterwards.
        self._over = True
        if self._step is not None:
            self._step.cancel()
        soon(lambda: self._end(sentence))
