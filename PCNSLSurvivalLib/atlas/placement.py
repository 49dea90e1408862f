"""An atlas placed in a patient: registered, judged, and, where it passed, with its regions on the patient's voxels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.atlas.atlas_folder import Atlas
from PCNSLSurvivalLib.atlas.named_regions import NamedRegions
from PCNSLSurvivalLib.atlas.registration import AtlasPose, Brain, register_to_template
from PCNSLSurvivalLib.core.errors import AtlasError, PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import Step
from PCNSLSurvivalLib.imaging.geometry import Grid, box_around, resample
from PCNSLSurvivalLib.preprocessing.case_steps import CaseSteps
from PCNSLSurvivalLib.preprocessing.pipeline import is_stripped
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore

WITHIN_MM = 6.0
"""How far the border of a region may be off where the checks passed: docs/decisions/atlas.md has the measurement."""
LEAST_OVERLAP = 0.88
MOST_DISAGREEMENT_MM = 5.0
MOST_STRETCH = 1.3
LEAST_SHARPNESS = 0.05
_VOXEL_MM = 1.0


@dataclass(frozen=True, kw_only=True)
class PlacedAtlas:
    """An atlas in a patient.

    Attributes:
        atlas: As it was read.
        pose: Where the patient's brain lies in the template.
        message: Whether the registration passed its checks, and if not, why no names are shown.
        regions: None where it did not pass.
    """

    atlas: Atlas
    pose: AtlasPose
    message: Message
    regions: NamedRegions | None

    def to_json(self) -> dict[str, Any]:
        """Which atlas it was, and how its registration was judged; no path."""
        return {
            "name": self.atlas.name,
            "sha256": self.atlas.sha256,
            "remarks": [remark.to_json() for remark in self.atlas.remarks],
            "passed": self.regions is not None,
            "message": self.message.to_json(),
            "overlap_dice": round(self.pose.overlap, 3),
            "disagreement_mm": round(self.pose.disagreement_mm, 2),
            "stretch": round(self.pose.stretch, 3),
            "sharpness": round(self.pose.sharpness, 3),
            "within_mm": WITHIN_MM,
        }


def place_atlas(
    t1gd: sitk.Image, brain_mask: sitk.Image, atlas: Atlas, *, clock: StepClock, store: StepStore | None = None
) -> PlacedAtlas:
    """Register an atlas to a patient, judge the registration, and name the regions of the patient's brain.

    Args:
        t1gd: Without bias field, 3-D ``float32``, LPS.
        brain_mask: ``uint8`` on its grid.
        atlas: The user's.
        clock: Announces and times the steps.
        store: Keeps the brain of the template on disk for the next patient.

    Raises:
        AtlasError: The template shows no brain.
        MissingFilesError: The template is a whole head, and the brain extractor is not installed.
    """
    template = _brain_of(atlas, clock, store)
    with clock.step(Step.ATLAS):
        pose = register_to_template(Brain(image=t1gd, mask=brain_mask), template)
        message = judge(pose)
        passed = message.code == "atlas.agrees"
        regions = _on_patient(atlas, pose, brain_mask) if passed else None
    return PlacedAtlas(atlas=atlas, pose=pose, message=message, regions=regions)


def judge(pose: AtlasPose) -> Message:
    """Whether names may be shown; the limits lie between registrations that are right and those that failed."""
    if pose.stretch > MOST_STRETCH:
        return Message("atlas.stretched", percent=100 * (pose.stretch - 1), limit=100 * (MOST_STRETCH - 1))
    if pose.overlap < LEAST_OVERLAP:
        return Message("atlas.outlines", dice=pose.overlap, limit=LEAST_OVERLAP)
    if pose.disagreement_mm > MOST_DISAGREEMENT_MM:
        return Message("atlas.apart", mm=pose.disagreement_mm, limit=MOST_DISAGREEMENT_MM)
    if pose.sharpness < LEAST_SHARPNESS:
        return Message("atlas.no_match", sharpness=pose.sharpness, limit=LEAST_SHARPNESS)
    return Message("atlas.agrees")


def _brain_of(atlas: Atlas, clock: StepClock, store: StepStore | None) -> Brain:
    stripped, _about_skull = is_stripped(atlas.template, said=False)
    steps = CaseSteps(recipe=RECIPE, clock=clock, store=store, known=ScanState(already_stripped=stripped))
    try:
        mask = steps.brain_mask(atlas.template, None)
    except PreparationError as problem:
        raise AtlasError(Message("atlas.no_brain")) from problem
    if not sitk.GetArrayViewFromImage(mask).any():
        raise AtlasError(Message("atlas.no_brain"))
    return Brain(image=atlas.template, mask=mask)


def _on_patient(atlas: Atlas, pose: AtlasPose, brain_mask: sitk.Image) -> NamedRegions:
    box = box_around(brain_mask)
    own = Grid.of(brain_mask if box is None else box.of(brain_mask))
    corners = own.index_to_lps(np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in own.size])).reshape(3, -1).T)
    low, high = corners.min(axis=0) - WITHIN_MM, corners.max(axis=0) + WITHIN_MM
    i, j, k = (int(n) for n in np.ceil((high - low) / _VOXEL_MM) + 1)
    grid = Grid.axis_aligned(center_lps_mm=(low + high) / 2, size=(i, j, k), spacing_mm=(_VOXEL_MM,) * 3)
    numbers = resample(atlas.labels, grid, interpolation="nearest", transform=pose.transform)
    share = resample(sitk.Cast(brain_mask, sitk.sitkFloat32), grid)
    return NamedRegions(
        grid=grid,
        numbers_kji=sitk.GetArrayFromImage(numbers),
        brain_kji=sitk.GetArrayFromImage(share) >= 0.5,
        names=atlas.names,
        within_mm=WITHIN_MM,
    )
