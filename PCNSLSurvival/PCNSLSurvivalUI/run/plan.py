"""Which steps a run has, in their order, who does them, and how the lines of our process move them."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.messages import step_words
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.run import slicer_modules, step_list
from PCNSLSurvivalUI.run.engines import BUILT_IN, SKIP, SLICER
from PCNSLSurvivalUI.run.process_steps import PROCESS_STEPS
from PCNSLSurvivalUI.run.request import CannotStartError, RunRequest
from PCNSLSurvivalUI.run.step_cache import KeptSteps
from PCNSLSurvivalUI.run.step_list import FIRST, PROCESS, READING, StepList
from PCNSLSurvivalUI.run.tasks import TASKS, ModuleTask
from PCNSLSurvivalUI.run.volumes import RunVolumes


def planModules(
    steps: StepList, request: RunRequest, volumes: RunVolumes, kept: KeptSteps
) -> tuple[list[ModuleTask], list[ModuleTask]]:
    """List the long steps and make the tasks of Slicer's modules.

    Returns:
        Tasks that the prediction waits for, and tasks that come after it.
    """
    before: list[ModuleTask] = []
    after: list[ModuleTask] = []
    for kind in TASKS:
        engine = request.engines[kind.step]
        does = kind.builtIn or kind if engine == BUILT_IN else kind
        for role in kind.rolesIn(request):
            needed, whyNot = request.isNeeded(role), _whyNot(kind, request, role)
            task = does(role, volumes, request, kept, fatal=needed)
            inProcess = _isInProcess(kind, request, role)
            steps.add(task.key, task.label, engine, PROCESS if inProcess else FIRST if needed else READING)
            if whyNot:
                steps.mark(task.key, step_list.SKIPPED, whyNot)
            elif not inProcess:
                (before if needed else after).append(task)
    return before, after


def enginesUsed(request: RunRequest) -> dict[str, dict[str, str]]:
    """Name and version of the Slicer modules that prepare what the model reads, by step."""
    used = [kind for kind, role in _doneBy(SLICER, request) if request.isNeeded(role)]
    return {str(kind.step): slicer_modules.engineOf(kind.module) for kind in used}


def ownSteps(request: RunRequest) -> list[str]:
    """Steps on what the model reads that our software does before the prediction, in a process of its own."""
    own = [kind for kind, role in _doneBy(BUILT_IN, request) if kind.builtIn is not None and request.isNeeded(role)]
    return list(dict.fromkeys(str(kind.step) for kind in own))


def isPreparedWithPrediction(request: RunRequest) -> bool:
    """Whether our process does a long step itself, with the prediction."""
    return any(_isInProcess(kind, request, role) for kind in TASKS for role in kind.rolesIn(request))


def absentModules(request: RunRequest) -> list[str]:
    """Slicer modules that this run needs and that are not installed."""
    needed = dict.fromkeys(kind.module for kind, _role in _doneBy(SLICER, request))
    return [module for module in needed if not slicer_modules.isInstalled(module)]


def checkModules(request: RunRequest) -> None:
    """Refuse a run of which a Slicer module is missing.

    Raises:
        CannotStartError: One is.
    """
    absent = absentModules(request)
    if absent:
        raise CannotStartError(slicer_modules.absentSentence(absent[0]))


def _doneBy(engine: str, request: RunRequest) -> list[tuple[type[ModuleTask], MRSequence]]:
    """The steps that an engine does in a run, each with its scan."""
    chosen = [kind for kind in TASKS if request.engines[kind.step] == engine]
    return [(kind, role) for kind in chosen for role in kind.rolesIn(request) if not kind.whyNot(request, role)]


def _isInProcess(kind: type[ModuleTask], request: RunRequest, role: MRSequence) -> bool:
    return kind.builtIn is None and (kind, role) in _doneBy(BUILT_IN, request)


def _whyNot(kind: type[ModuleTask], request: RunRequest, role: MRSequence) -> str:
    """Why a step is not done on a scan; empty if it is."""
    skips = request.engines[kind.step] == SKIP
    return kind.whyNot(request, role) or (kind.skipped() if skips else "")


def planProcess(steps: StepList, request: RunRequest) -> None:
    """List the steps of our own process, before those that come after it."""
    for step, foreseen in PROCESS_STEPS.items():
        if foreseen.asked is None or foreseen.asked(request):
            steps.add(str(step), shown(step_words(Step(step))), lane=PROCESS)
    steps.sortByLane(first=str(Step.READ))


def showProcessEvent(steps: StepList, event: dict[str, Any]) -> bool:
    """Move a step as a progress line of our process says; whether it was one."""
    if event.get("type") != "step":
        return False
    name, state, sequence, rough = str(event.get("step")), event.get("state"), event.get("sequence"), event.get("rough")
    own = " ".join(part for part in (name, sequence, "rough" if rough else None) if part)
    key = next((k for k in (own, name) if steps.find(k) is not None), None)
    if key is None:
        if state not in ("started", "kept"):
            return False
        key = own
        label = [shown(step_words(Step(name))) if name in list(Step) else name]
        label += [MRSequence(sequence).label] if sequence else []
        steps.addNext(key, ", ".join([*label, _("coarse")] if rough else label))
    step = steps.find(key)
    if state == "started":
        steps.start(key)
    elif state == "running":
        step.fraction = event.get("fraction")
    elif state == "finished":
        steps.finish(key, event.get("seconds"))
    elif state == "kept":
        steps.mark(key, step_list.KEPT, _("cached from the last run"))
    elif state == "skipped" and step.state == step_list.WAITING:
        steps.mark(key, step_list.SKIPPED, shown(event.get("reason")))
    return True
