"""Which steps a run has, in their order, and how the lines of our process move them."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.messages import step_words
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.run import step_list
from PCNSLSurvivalUI.run.engines import BUILT_IN, SKIP, SLICER
from PCNSLSurvivalUI.run.process_steps import PROCESS_STEPS
from PCNSLSurvivalUI.run.request import RunRequest
from PCNSLSurvivalUI.run.step_cache import KeptSteps
from PCNSLSurvivalUI.run.step_list import FIRST, PROCESS, READING, StepList
from PCNSLSurvivalUI.run.tasks import (
    BiasFieldTask,
    BrainTask,
    BuiltInRegistrationTask,
    ModuleTask,
    RegistrationTask,
)
from PCNSLSurvivalUI.run.volumes import RunVolumes


def planModules(
    steps: StepList, request: RunRequest, volumes: RunVolumes, kept: KeptSteps
) -> tuple[list[ModuleTask], list[ModuleTask]]:
    """List the long steps and make the tasks of Slicer's modules.

    The brain comes first, as in the recipe, so that the bias field can be fitted inside it.

    Returns:
        Tasks that the prediction waits for, and tasks that may go on beside it.
    """
    before: list[ModuleTask] = []
    beside: list[ModuleTask] = []
    brain = BrainTask(MRSequence.T1GD, volumes, request, kept)
    lane = PROCESS if request.brainEngine == BUILT_IN and volumes.mask is None else FIRST
    steps.add(brain.key, shown(step_words(Step.BRAIN_EXTRACTION)), request.brainEngine, lane)
    if volumes.mask is not None:
        steps.mark(brain.key, step_list.SKIPPED, _("your brain mask is used"))
    elif request.brainEngine == SLICER:
        before.append(brain)
    elif request.brainEngine == SKIP:
        steps.mark(brain.key, step_list.SKIPPED, _("marked as already skull-stripped"))
    for role in request.forNetwork:
        task = BiasFieldTask(role, volumes, request, kept)
        lane = PROCESS if request.biasEngine == BUILT_IN else FIRST
        steps.add(task.key, f"{shown(step_words(Step.BIAS_FIELD))}, {role.label}", request.biasEngine, lane)
        if request.biasEngine == SLICER:
            before.append(task)
        elif request.biasEngine == SKIP:
            steps.mark(task.key, step_list.SKIPPED, _("marked as already bias-corrected"))
    for role in [role for role in (*request.forNetwork, *request.forReading) if role is not MRSequence.T1GD]:
        needed = role in request.forNetwork
        kind = BuiltInRegistrationTask if request.registrationEngine == BUILT_IN else RegistrationTask
        align = kind(role, volumes, request, kept, fatal=needed)
        label = _("{role} to T1Gd") if needed else _("{role} to T1Gd (for reading)")
        steps.add(align.key, label.format(role=role.label), request.registrationEngine, FIRST if needed else READING)
        if role in request.aligned:
            steps.mark(align.key, step_list.SKIPPED, _("your registration is used"))
        elif request.registrationEngine == SKIP:
            steps.mark(align.key, step_list.SKIPPED, _("marked as already registered"))
        else:
            (before if needed else beside).append(align)
    return before, beside


def planProcess(steps: StepList, request: RunRequest) -> None:
    """List the steps of our own process, before those that go on beside it."""
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
        steps.addNext(key, ", ".join([*label, _("rough")] if rough else label))
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
