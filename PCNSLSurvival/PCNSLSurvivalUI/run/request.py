"""What to predict from what, who hears of it, and whether it can be started at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.imaging.first_look import check_is_mr_volume
from PCNSLSurvivalLib.imaging.geometry import affine_to_lps
from PCNSLSurvivalLib.imaging.headers.grids import rigid_grid
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import is_brain_extractor_installed
from PCNSLSurvivalUI.run import slicer_modules
from PCNSLSurvivalUI.run.engines import BUILT_IN, SKIP, SLICER
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld


class CannotStartError(PCNSLSurvivalError):
    """What the user chose cannot be run."""


@dataclass(frozen=True, kw_only=True)
class RunFiles:
    """Files in a temporary folder, from which the child process predicts; None for what this run does not have."""

    scans: dict[MRSequence, Path]
    """What the model reads."""
    brainMask: Path | None
    """On the voxels of T1Gd."""
    alignment: Path | None
    """How scans were moved onto T1Gd."""
    prepared: Path
    """Who prepared the scans, and the scans as loaded."""
    compared: Path | None
    """T1 as acquired, for ``RunRequest.forComparison``."""
    clinical: Path | None
    """Clinical findings of the patient."""
    lesion: Path | None
    """Mask of the tumor on the voxels of T1Gd."""

    def options(self) -> list[str]:
        """The options of ``pcnsl-survival predict`` that name these files."""
        named = {
            **{f"--{role}": path for role, path in self.scans.items()},
            "--brain-mask": self.brainMask,
            "--alignment": self.alignment,
            "--prepared": self.prepared,
            "--compare-t1": self.compared,
            "--clinical": self.clinical,
            "--lesion-mask": self.lesion,
        }
        return [word for option, path in named.items() if path is not None for word in (option, str(path))]


@dataclass(kw_only=True)
class RunRequest:
    """What to predict from what, and how."""

    volumes: dict[MRSequence, slicer.vtkMRMLScalarVolumeNode]
    model: ModelFolder
    brainMask: slicer.vtkMRMLLabelMapVolumeNode | None = None
    biasEngine: str = SLICER
    registrationEngine: str = SLICER
    brainEngine: str = SLICER
    device: str = "auto"
    overrideQuality: bool = False
    lesion: slicer.vtkMRMLDisplayableNode | None = None
    """Tumor outline: a segmentation, or a label map on the voxels of T1Gd."""
    proposeLesion: bool = False
    clinical: dict[str, Any] | None = None
    """Clinical findings of the patient as they were given; None without any."""
    aligned: dict[MRSequence, slicer.vtkMRMLScalarVolumeNode] = field(default_factory=dict)
    """Scans on the voxels of T1Gd whose alignment the user repaired: they are not aligned again."""

    @property
    def forNetwork(self) -> tuple[MRSequence, ...]:
        """What the model reads."""
        return self.model.sequences

    @property
    def forReading(self) -> tuple[MRSequence, ...]:
        """Chosen scans that the model does not read: they are aligned with T1Gd for the reader's eyes."""
        return tuple(role for role in self.volumes if role is not MRSequence.T1GD and role not in self.forNetwork)

    @property
    def forComparison(self) -> MRSequence | None:
        """T1 where the model does not read it: T1Gd must be brighter, or the two were swapped."""
        return MRSequence.T1 if MRSequence.T1 in self.forReading else None

    def check(self) -> None:
        """Refuse what cannot run, before any step of it is done.

        Raises:
            CannotStartError: A scan that the model reads, a Slicer module or the brain extractor is missing.
            UnusableScanError: A chosen scan is no MR volume, or a transform above it bends it.
            UnreadableScanError: Its voxels are sheared, or of a size or at a place that no scanner gives.
        """
        for role, node in self.volumes.items():
            if node.GetImageData() is not None:
                check_is_mr_volume(slicer.util.arrayFromVolume(node), role)
                place = affine_to_lps(ijkToWorld(node, role.label))
                rigid_grid(place, node.GetImageData().GetDimensions(), role)
        missing = [role.label for role in self.forNetwork if role not in self.volumes]
        if missing:
            raise CannotStartError(
                _("This model also needs {missing}. Choose {missing} under Patient scans, or another model.").format(
                    missing=_(" and ").join(missing)
                )
            )
        if self.brainEngine == BUILT_IN and self.brainMask is None and not is_brain_extractor_installed():
            raise CannotStartError(
                _(
                    "The networks of the built-in brain extraction are not on this computer yet. Press 'Download "
                    "brain extraction model' under Advanced, or choose a brain mask there."
                )
            )
        absent = self.absentModules()
        if absent:
            raise CannotStartError(slicer_modules.absentSentence(absent[0]))

    def engines(self) -> dict[str, dict[str, str]]:
        """Name and version of the Slicer modules that prepare what the model reads, by step."""
        used = {
            Step.BRAIN_EXTRACTION: (slicer_modules.SWISS, self.brainEngine == SLICER and self.brainMask is None),
            Step.BIAS_FIELD: (slicer_modules.N4, self.biasEngine == SLICER),
            Step.REGISTRATION: (slicer_modules.BRAINSFIT, self.registrationEngine == SLICER and self._registers),
        }
        return {str(step): slicer_modules.engineOf(module) for step, (module, does) in used.items() if does}

    def ownSteps(self) -> list[str]:
        """Steps on what the model reads that our software does before the prediction, in a process of its own."""
        return [str(Step.REGISTRATION)] if self.registrationEngine == BUILT_IN and self._registers else []

    @property
    def _registers(self) -> bool:
        """Whether a scan that the model reads is registered in this run."""
        return bool(set(self.forNetwork) - set(self.aligned) - {MRSequence.T1GD})

    def absentModules(self) -> list[str]:
        """Slicer modules that this run needs and that are not installed."""
        needed = {
            slicer_modules.SWISS: self.brainEngine == SLICER and self.brainMask is None,
            slicer_modules.N4: self.biasEngine == SLICER,
            slicer_modules.BRAINSFIT: self.registrationEngine == SLICER
            and bool(set(self.volumes) - set(self.aligned) - {MRSequence.T1GD}),
        }
        return [module for module, wanted in needed.items() if wanted and not slicer_modules.isInstalled(module)]

    def commandLine(self, files: RunFiles, out: Path, kept: Path | None) -> list[str]:
        """Words of the command line that predicts from prepared files.

        Args:
            files: The prepared files.
            out: Result folder to make.
            kept: Folder of finished steps.
        """
        words = ["predict", "--out", str(out), "--model", str(self.model.path)]
        words += ["--device", self.device, "--progress", "json", "--keep-intermediate"]
        words += files.options()
        if kept is not None:
            words += ["--cache-dir", str(kept)]
        said = {
            "--already-corrected": self.biasEngine in (SLICER, SKIP),
            "--already-registered": len(files.scans) > 1,
            "--already-stripped": self.brainEngine == SKIP and files.brainMask is None,
            "--override-quality": self.overrideQuality,
            "--segment": self.proposeLesion,
        }
        return words + [option for option, holds in said.items() if holds]


@dataclass(kw_only=True)
class RunListener:
    """Callbacks of a run; every call is on the main thread."""

    changed: Callable[[], None]
    resultReady: Callable[[Path], Iterator[None]]
    """Gets the result folder; a generator that brings it into the scene piece by piece."""
    aligned: Callable[[MRSequence, Any, Any], None]
    """Gets a sequence, its volume on the grid of T1Gd, and its transform; takes them over."""
    ended: Callable[[str | None], None]
    """Called once: with None after success, otherwise with the sentence for the user."""
