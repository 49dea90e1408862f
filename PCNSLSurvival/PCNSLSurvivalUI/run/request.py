"""What to predict from what, who hears of it, and whether it can be started at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError, UnusableScanError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.options import words_of
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.imaging.first_look import check_is_mr_volume
from PCNSLSurvivalLib.imaging.geometry import affine_to_lps
from PCNSLSurvivalLib.imaging.headers.grids import rigid_grid
from PCNSLSurvivalLib.imaging.same_scan import same_picture
from PCNSLSurvivalLib.inference.case_options import CaseOptions
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import is_brain_extractor_installed
from PCNSLSurvivalUI.run.engines import BUILT_IN, SKIP, SLICER
from PCNSLSurvivalUI.scene.volume_files import ijkToWorld
from PCNSLSurvivalUI.scene.voxel_order import inOrderOf, voxelOrder


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

    def added(self, options: CaseOptions) -> CaseOptions:
        """The options, with these files."""
        return replace(
            options,
            brain_mask=self.brainMask,
            alignment=self.alignment,
            prepared=self.prepared,
            compare_t1=self.compared,
            clinical=self.clinical,
            lesion_mask=self.lesion,
        )


@dataclass(kw_only=True)
class RunRequest:
    """What to predict from what, and how."""

    volumes: dict[MRSequence, slicer.vtkMRMLScalarVolumeNode]
    model: ModelFolder
    brainMask: slicer.vtkMRMLLabelMapVolumeNode | None = None
    engines: dict[Step, str]
    """Who does each of the steps of ``tasks.TASKS``."""
    options: CaseOptions = field(default_factory=CaseOptions)
    """What the prediction is asked; the files of the run are added to it."""
    lesion: slicer.vtkMRMLDisplayableNode | None = None
    """Tumor outline: a segmentation, or a label map on the voxels of T1Gd."""
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

    def isNeeded(self, role: MRSequence) -> bool:
        """Whether the prediction waits for a scan."""
        return role is MRSequence.T1GD or role in self.forNetwork

    def check(self) -> None:
        """Refuse what cannot run, before any step of it is done.

        Raises:
            CannotStartError: A scan that the model reads or the brain extractor is missing.
            UnusableScanError: A chosen scan is no MR volume or chosen twice, or a transform above it bends it.
            UnreadableScanError: Its voxels are sheared, or of a size or at a place that no scanner gives.
        """
        for role, node in self.volumes.items():
            if node.GetImageData() is not None:
                check_is_mr_volume(slicer.util.arrayFromVolume(node), role)
                place = affine_to_lps(ijkToWorld(node, role.label))
                rigid_grid(place, node.GetImageData().GetDimensions(), role)
        if not self.options.override_quality:
            self._refuseOneScanTwice()
        missing = [role.label for role in self.forNetwork if role not in self.volumes]
        if missing:
            raise CannotStartError(
                _("This model also needs {missing}. Choose {missing} under Patient scans, or another model.").format(
                    missing=_(" and ").join(missing)
                )
            )
        if (
            self.engines[Step.BRAIN_EXTRACTION] == BUILT_IN
            and self.brainMask is None
            and not is_brain_extractor_installed(self.model.recipe.brain_extraction.method)
        ):
            raise CannotStartError(
                _(
                    "The networks of the built-in brain extraction are not on this computer yet. Press 'Download "
                    "brain extraction model' under Advanced, or choose a brain mask there."
                )
            )

    def _refuseOneScanTwice(self) -> None:
        """Here already: moved onto T1Gd by one of Slicer's modules, a scan is no longer the same to the voxel.

        Raises:
            UnusableScanError: Two of the chosen volumes hold the same scan.
        """
        for (other, first), (role, second) in combinations(self.volumes.items(), 2):
            if first.GetImageData() is None or second.GetImageData() is None:
                continue
            order = voxelOrder(second, first)
            voxels = slicer.util.arrayFromVolume(second) if order is None else inOrderOf(second, order)
            if same_picture(slicer.util.arrayFromVolume(first), voxels):
                same = Message("scan.same_scan", sequence=role, other=other)
                raise UnusableScanError(Message("quality.stop", findings=(same,)))

    def commandLine(self, files: RunFiles, out: Path, kept: Path | None) -> list[str]:
        """Words of the command line that predicts from prepared files.

        Args:
            files: The prepared files.
            out: Result folder to make.
            kept: Folder of finished steps.
        """
        options = replace(
            files.added(self.options),
            cache_dir=kept,
            already_corrected=self.engines[Step.BIAS_FIELD] in (SLICER, SKIP),
            already_registered=len(files.scans) > 1,
            already_stripped=self.engines[Step.BRAIN_EXTRACTION] == SKIP and files.brainMask is None,
        )
        words = ["predict", "--out", str(out), "--model", str(self.model.path), "--progress", "json"]
        words += ["--keep-intermediate", *words_of(options)]
        return words + [word for role, path in files.scans.items() for word in (f"--{role}", str(path))]


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
