"""The long steps of one case: announced, timed, and kept on disk where a store is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import GridMismatchError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, copied, resample
from PCNSLSurvivalLib.preprocessing.recipe import Recipe
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore, pose_values
from PCNSLSurvivalLib.preprocessing.steps.bias_field import correct_bias_field
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import extract_brain
from PCNSLSurvivalLib.preprocessing.steps.registration import find_pose, mean_movement_mm, points_in, refine_pose

Scans = Mapping[MRSequence, sitk.Image]
FoundPoses = Mapping[MRSequence, Callable[[], sitk.Euler3DTransform]]

_IDENTITY = sitk.Transform(3, sitk.sitkIdentity)


@dataclass(frozen=True, kw_only=True)
class CaseSteps:
    """How the long steps of one case are run."""

    recipe: Recipe
    clock: StepClock
    store: StepStore | None
    known: ScanState

    @property
    def corrected(self) -> bool:
        """Whether the scans have no bias field left: those without skull lost it before."""
        return self.known.already_corrected or self.known.already_stripped

    def brain_mask(self, t1gd: sitk.Image, given: sitk.Image | None) -> sitk.Image:
        """The brain on T1Gd: given, the whole of a stripped scan, or extracted.

        Raises:
            GridMismatchError: ``given`` is not on the voxels of T1Gd.
        """
        if given is not None:
            self.clock.skip(Step.BRAIN_EXTRACTION, Message("skipped.brain_mask_given"))
            mask = sitk.Cast(canonical(given) != 0, sitk.sitkUInt8)
            if not Grid.of(mask).matches(Grid.of(t1gd), tolerance_mm=0.01):
                raise GridMismatchError(Message("grid.brain_mask_on_t1gd"))
            return resample(mask, Grid.of(t1gd), interpolation="nearest")
        if self.known.already_stripped:
            self.clock.skip(Step.BRAIN_EXTRACTION, Message("skipped.already_stripped"))
            background = float(sitk.GetArrayViewFromImage(t1gd).flat[0])
            return sitk.BinaryFillhole(sitk.Cast(t1gd != background, sitk.sitkUInt8), True)
        step = self.recipe.brain_extraction
        return self._image(Step.BRAIN_EXTRACTION, None, step, (t1gd,), lambda: extract_brain(t1gd, step))

    def correct(self, image: sitk.Image, mask: sitk.Image, sequence: MRSequence) -> sitk.Image:
        """A scan without its bias field, which is fitted inside ``mask``."""
        if self.corrected:
            return image
        step = self.recipe.bias_field
        return self._image(
            Step.BIAS_FIELD,
            sequence,
            step,
            (image, mask),
            lambda: correct_bias_field(image, step, sequence=sequence, mask=mask),
        )

    def search_poses(self, native: Scans, beside: Executor) -> FoundPoses:
        """Search the rough poses of the other scans, which need no brain mask, beside the brain extraction.

        Args:
            native: All scans as acquired.
            beside: Where the searches run.

        Returns:
            For each scan whose pose is not kept on disk a call that waits for it, and raises as ``find_pose``.
        """
        others = [sequence for sequence in native if sequence is not MRSequence.T1GD]
        if self.known.already_registered:
            return {}
        step = self.recipe.registration
        raw = copied(native[MRSequence.T1GD]) if others else None
        return {
            sequence: beside.submit(find_pose, raw, native[sequence], step, sequence=sequence).result
            for sequence in others
            if self.store is None or not self.store.has_pose(Step.REGISTRATION, step, _rough_inputs(native, sequence))
        }

    def register_to_t1gd(
        self,
        sequence: MRSequence,
        native: Scans,
        t1gd: sitk.Image,
        mask: sitk.Image,
        *,
        rough_poses: FoundPoses | None = None,
    ) -> tuple[sitk.Transform, sitk.Image]:
        """The transform from T1Gd to another scan, and that scan without bias field.

        A rough pose carries the brain mask over, so that the field can be fitted inside the brain; with the
        field gone the pose is made exact. A movement too small to matter counts as none, and spares the scan an
        interpolation.

        Args:
            sequence: The scan.
            native: All scans as acquired.
            t1gd: T1Gd without bias field.
            mask: Brain on the grid of T1Gd.
            rough_poses: What ``search_poses`` gave, if it was started.
        """
        image, step = native[sequence], self.recipe.registration
        if self.known.already_registered:
            return _IDENTITY, self.correct(image, mask_on_scan(mask, image, _IDENTITY), sequence)
        raw = native[MRSequence.T1GD]
        found = (rough_poses or {}).get(sequence, lambda: find_pose(raw, image, step, sequence=sequence))
        rough = self._pose(sequence, _rough_inputs(native, sequence), found, rough=True)
        corrected = self.correct(image, mask_on_scan(mask, image, rough), sequence)
        exact = self._pose(
            sequence,
            ("exact", t1gd, corrected, mask, repr(pose_values(rough))),
            lambda: refine_pose(t1gd, corrected, rough, step, brain_mask=mask),
        )
        aligned = mean_movement_mm(exact, points_in(mask)) < step.aligned_below_mm
        return (_IDENTITY if aligned else exact), corrected

    def _image(
        self,
        step: Step,
        sequence: MRSequence | None,
        parameters: object,
        inputs: tuple[sitk.Image, ...],
        make: Callable[[], sitk.Image],
    ) -> sitk.Image:
        def timed() -> sitk.Image:
            with self.clock.step(step, sequence):
                return make()

        if self.store is None:
            return timed()
        made, found = self.store.image(step, sequence.value if sequence else "", parameters, inputs, timed)
        if found:
            self.clock.keep(step, sequence)
        return made

    def _pose(
        self,
        sequence: MRSequence,
        inputs: tuple[sitk.Image | str, ...],
        find: Callable[[], sitk.Euler3DTransform],
        *,
        rough: bool = False,
    ) -> sitk.Euler3DTransform:
        def timed() -> sitk.Euler3DTransform:
            with self.clock.step(Step.REGISTRATION, sequence, rough=rough):
                return find()

        if self.store is None:
            return timed()
        pose, found = self.store.pose(Step.REGISTRATION, sequence.value, self.recipe.registration, inputs, timed)
        if found:
            self.clock.keep(Step.REGISTRATION, sequence, rough=rough)
        return pose


def _rough_inputs(native: Scans, sequence: MRSequence) -> tuple[sitk.Image | str, ...]:
    """What the rough pose of a scan is made from."""
    return "rough", native[MRSequence.T1GD], native[sequence]


def mask_on_scan(mask: sitk.Image, image: sitk.Image, transform: sitk.Transform) -> sitk.Image:
    """The brain of T1Gd on the voxels of another scan.

    Args:
        mask: ``uint8`` on the grid of T1Gd.
        image: The other scan.
        transform: LPS points of T1Gd to LPS points of ``image``.
    """
    return resample(mask, Grid.of(image), interpolation="nearest", transform=transform.GetInverse())
