"""The long steps before our process: what each reads, what it makes, and when it need not run again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.messages import step_words
from PCNSLSurvivalLib.core.options import words_of
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.inference.case_options import CaseOptions
from PCNSLSurvivalUI.messages import shown
from PCNSLSurvivalUI.run import slicer_modules
from PCNSLSurvivalUI.run.bias_field_step import BiasFieldStep
from PCNSLSurvivalUI.run.engines import BUILT_IN, SKIP, SLICER
from PCNSLSurvivalUI.run.registration_process import RegistrationProcess
from PCNSLSurvivalUI.run.request import CannotStartError, RunRequest
from PCNSLSurvivalUI.run.step_cache import KeptSteps, identityOf
from PCNSLSurvivalUI.run.volumes import RunVolumes

RunningStep = slicer_modules.CLIStep | RegistrationProcess | BiasFieldStep


class ModuleTask:
    """One step that waits for its turn; one of Slicer's modules does it.

    A class of its own for each such step, in ``TASKS``, says all that the panel knows of the step. The choice of its
    engine stands in ``choices/parameters.py``, with a selector in the .ui file.

    Args:
        role: The scan it works on.
        volumes: The volumes of the run.
        request: What the user chose.
        kept: Results of earlier runs.
        fatal: Whether the prediction cannot go on without it.
    """

    module: ClassVar[str]
    step: ClassVar[Step]
    makes: ClassVar[tuple[tuple[str, str], ...]]
    """Class and name of the nodes that are worth keeping."""
    seconds: ClassVar[Mapping[str, float]]
    """Of the first run on a computer, by engine: on two idle cores, with the real patient of docs/preparation.md."""
    builtIn: ClassVar[type[ModuleTask] | None] = None
    """What does the step where the built-in engine is chosen; our process, with the prediction, if None."""
    worksOnT1Gd: ClassVar[bool] = True

    def __init__(
        self, role: MRSequence, volumes: RunVolumes, request: RunRequest, kept: KeptSteps, *, fatal: bool = True
    ) -> None:
        self.role, self.fatal = role, fatal
        self._volumes, self._request, self._kept = volumes, request, kept
        self._made: list[Any] = []
        self.findings: list[dict[str, Any]] | None = None
        """What the step says of its own result, as in ``prediction.json``; None when it says nothing."""

    @classmethod
    def rolesIn(cls, request: RunRequest) -> tuple[MRSequence, ...]:
        """The scans of a run that the step works on."""
        return request.forNetwork

    @classmethod
    def whyNot(cls, request: RunRequest, role: MRSequence) -> str:
        """Why the step is not done on a scan, where the user brought its result; empty otherwise."""
        return ""

    @classmethod
    def skipped(cls) -> str:
        """What is said of the step where the user chose to skip it."""
        return _("marked as already done")

    @classmethod
    def keyOf(cls, role: MRSequence) -> str:
        """Name of the step on a scan in the list of steps."""
        return f"{cls.step} {role.value}"

    @property
    def key(self) -> str:
        """Name of the step in the list of steps."""
        return self.keyOf(self.role)

    @property
    def label(self) -> str:
        """The step as the list of steps shows it."""
        return f"{shown(step_words(self.step))}, {self.role.label}"

    def takeKept(self) -> bool:
        """Use what an earlier run made of the same volumes; whether there was something."""
        nodes = self._kept.nodes(self._identity())
        if nodes is None:
            return False
        self._made = [self._volumes.own(node) for node in nodes]
        self.findings = self._kept.findings(self._identity())
        self._handOn()
        return True

    def start(self, ended: Callable[[bool], None]) -> RunningStep:
        """Begin, with new nodes for what it makes.

        Args:
            ended: Called with whether it succeeded.
        """
        self._made = [self._volumes.new(className, name.format(role=self.role.label)) for className, name in self.makes]
        return self._start(ended)

    def _start(self, ended: Callable[[bool], None]) -> RunningStep:
        return slicer_modules.CLIStep(self.module, self._parameters(), ended)

    def problem(self) -> str:
        """The sentence for the user when it did not go well."""
        return slicer_modules.failureSentence(self.module, self.role.label)

    def finish(self) -> None:
        """The module has run: check, remember and use what it made.

        Raises:
            CannotStartError: It made nothing that can be used.
        """
        self._check()
        self._kept.keep(self._identity(), self._made, self.findings)
        self._handOn()

    def _identity(self) -> tuple[Any, ...]:
        """Changes with everything the step reads."""
        raise NotImplementedError

    def _parameters(self) -> dict[str, Any]:
        raise NotImplementedError

    def _handOn(self) -> None:
        raise NotImplementedError

    def _check(self) -> None:
        if self._made[0].GetImageData() is None:
            raise CannotStartError(self.problem())


class BrainTask(ModuleTask):
    """SwissSkullStripper outlines the brain on T1Gd as acquired."""

    module, step = slicer_modules.SWISS, Step.BRAIN_EXTRACTION
    makes = (("vtkMRMLLabelMapVolumeNode", "Brain mask"),)
    seconds: ClassVar = {SLICER: 55.0, BUILT_IN: 5.0}

    @classmethod
    def rolesIn(cls, request: RunRequest) -> tuple[MRSequence, ...]:
        """T1Gd, which shows the brain of every scan."""
        return (MRSequence.T1GD,)

    @classmethod
    def whyNot(cls, request: RunRequest, role: MRSequence) -> str:
        """A brain mask was chosen."""
        return "" if request.brainMask is None else _("your brain mask is used")

    @classmethod
    def skipped(cls) -> str:
        """The scans show the brain alone."""
        return _("marked as already skull-stripped")

    @classmethod
    def keyOf(cls, role: MRSequence) -> str:
        """One step for all scans."""
        return str(cls.step)

    @property
    def label(self) -> str:
        """Of all scans."""
        return shown(step_words(self.step))

    def _identity(self) -> tuple[Any, ...]:
        return ("brain", identityOf(self._volumes.raw[MRSequence.T1GD]))

    def _parameters(self) -> dict[str, Any]:
        stripped = self._volumes.new("vtkMRMLScalarVolumeNode", "T1Gd brain")
        return slicer_modules.brainParameters(self._volumes.raw[MRSequence.T1GD], stripped, self._made[0])

    def _check(self) -> None:
        if slicer_modules.isEmptyMask(self._made[0]):
            raise CannotStartError(
                _(
                    "SwissSkullStripper found no brain in T1Gd. Look at T1Gd in the slice views; if it shows "
                    "a head, choose 'Built in' for the brain extraction under Advanced and predict again."
                )
            )

    def _handOn(self) -> None:
        self._volumes.mask = self._made[0]


class BiasFieldTask(ModuleTask):
    """N4ITK removes the shading of a scan; on T1Gd it looks at the brain alone where the outline is known."""

    module, step = slicer_modules.N4, Step.BIAS_FIELD
    makes = (("vtkMRMLScalarVolumeNode", "{role} corrected"),)
    seconds: ClassVar = {SLICER: 3.0, BUILT_IN: 0.5}  # Slicer's: 1.7 inside the brain, 6 in the whole head

    @classmethod
    def skipped(cls) -> str:
        """The scans have no bias field."""
        return _("marked as already bias-corrected")

    def _mask(self) -> Any:
        return self._volumes.mask if self.role is MRSequence.T1GD else None

    def _identity(self) -> tuple[Any, ...]:
        mask = self._mask()
        return (
            "bias field",
            identityOf(self._volumes.raw[self.role]),
            None if mask is None else identityOf(mask),
            repr(self._request.model.recipe.bias_field),
        )

    def _start(self, ended: Callable[[bool], None]) -> BiasFieldStep:
        figures = self._request.model.recipe.bias_field
        scan = self._volumes.raw[self.role]
        return BiasFieldStep(scan, self._made[0], figures, self._mask(), self._volumes.new, ended)

    def _handOn(self) -> None:
        self._volumes.current[self.role] = self._made[0]


class RegistrationTask(ModuleTask):
    """BRAINSFit lays a scan over T1Gd."""

    module, step = slicer_modules.BRAINSFIT, Step.REGISTRATION
    makes = (
        ("vtkMRMLScalarVolumeNode", "{role} aligned"),
        ("vtkMRMLLinearTransformNode", "{role} to T1Gd"),
    )
    seconds: ClassVar = {SLICER: 20.0, BUILT_IN: 4.0}
    worksOnT1Gd = False

    @classmethod
    def rolesIn(cls, request: RunRequest) -> tuple[MRSequence, ...]:
        """All other scans, those that are only read as well."""
        return tuple(role for role in (*request.forNetwork, *request.forReading) if role is not MRSequence.T1GD)

    @classmethod
    def whyNot(cls, request: RunRequest, role: MRSequence) -> str:
        """The user repaired the alignment of this scan."""
        return _("your registration is used") if role in request.aligned else ""

    @classmethod
    def skipped(cls) -> str:
        """The scans lie over T1Gd."""
        return _("marked as already registered")

    @property
    def label(self) -> str:
        """With what the aligned scan is for."""
        words = _("{role} to T1Gd") if self.fatal else _("{role} to T1Gd (for reading)")
        return words.format(role=self.role.label)

    def _identity(self) -> tuple[Any, ...]:
        fixed, moving = self._volumes.raw[MRSequence.T1GD], self._volumes.current[self.role]
        return ("registration", identityOf(fixed), identityOf(moving))

    def _parameters(self) -> dict[str, Any]:
        # T1Gd as acquired: outside the brain the correction of a masked N4 is only an extrapolation.
        fixed, moving = self._volumes.raw[MRSequence.T1GD], self._volumes.current[self.role]
        return slicer_modules.registrationParameters(fixed, moving, *self._made)

    def _handOn(self) -> None:
        # BRAINSFit's habit: the moving volume lies under the new transform now.
        self._volumes.current[self.role].SetAndObserveTransformNodeID(None)
        if self.fatal:
            self._volumes.current[self.role] = self._made[0]
        self._volumes.aligned[self.role] = (self._made[0], self._made[1])


class BuiltInRegistrationTask(RegistrationTask):
    """Our own process lays a scan over T1Gd."""

    _step: RegistrationProcess | None = None

    def _identity(self) -> tuple[Any, ...]:
        mask = None if self._volumes.mask is None else identityOf(self._volumes.mask)
        raw = identityOf(self._volumes.raw[self.role])
        return ("built-in", raw, mask, tuple(self._options()), *super()._identity())

    def _options(self, cache: Path | None = None) -> list[str]:
        """What the user said of the scans, as options of the command line."""
        engines = self._request.engines
        said = CaseOptions(
            already_corrected=engines[Step.BIAS_FIELD] == SKIP,
            already_stripped=engines[Step.BRAIN_EXTRACTION] == SKIP and self._volumes.mask is None,
            override_quality=self._request.options.override_quality,
            cache_dir=cache,
        )
        return words_of(said)

    def _start(self, ended: Callable[[bool], None]) -> RegistrationProcess:
        scans = {role: self._volumes.raw[role] for role in (MRSequence.T1GD, self.role)}
        self._step = RegistrationProcess(
            self.role,
            scans,
            self._volumes.mask,
            self._volumes.current[self.role],
            self._made,
            self._options(self._kept.folder()),
            ended,
        )
        return self._step

    def problem(self) -> str:
        """The sentence of our process."""
        return self._step.problem if self._step is not None else super().problem()

    def finish(self) -> None:
        """Keep what our process says of the alignment as well."""
        self.findings = self._step.findings if self._step is not None else None
        super().finish()


RegistrationTask.builtIn = BuiltInRegistrationTask

TASKS: tuple[type[ModuleTask], ...] = (BrainTask, BiasFieldTask, RegistrationTask)
"""The steps that have engines, in the order of a run. The brain comes first, as in the recipe, so that the bias field
can be fitted inside it."""
