"""Two T1Gd exams of one patient: registered, their enhancing lesions measured, and the change in the terms of the IPCG.

The change is measured on outlines. It is no assessment of response: that also takes steroid dose, eyes and CSF, and is
the reader's (Abrey et al. 2005).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import GridMismatchError, PreparationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import Listener, StepClock, silent
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence, Step, Verdict
from PCNSLSurvivalLib.imaging.fingerprint import voxel_sha256
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, in_voxel_order_of, resample
from PCNSLSurvivalLib.imaging.io import Scan, read_mask_file, read_scan
from PCNSLSurvivalLib.imaging.lesion_measures import Focus, focus_numbers, measure_foci, volume_ml
from PCNSLSurvivalLib.inference.runtimes.names import Device
from PCNSLSurvivalLib.inference.segment import focus_json, load_reader, propose
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case
from PCNSLSurvivalLib.preprocessing.qc.registration_check import judge_registration
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState
from PCNSLSurvivalLib.preprocessing.steps.registration import find_pose, refine_pose

SOURCES = (
    "Abrey et al., J Clin Oncol 23(22), 2005. doi:10.1200/JCO.2005.13.524",
    "Barajas et al., Neuro Oncol 23(7), 2021. doi:10.1093/neuonc/noab020",
)
SAME_SITE_MM = 5.0
"""A focus this close to an earlier one is at the same site: registration and outline are no sharper."""
LEAST_OVERLAP = 0.95
"""Dice of the two brains below which it is doubted that they are one person's; docs/follow-up.md has the numbers."""
DECREASE, INCREASE = -0.5, 0.25
"""Limits of the change of enhancement in the IPCG's table (Abrey et al. 2005)."""


class Change(StrEnum):
    """Change of the outlined enhancement against the limits of the IPCG."""

    NONE_LEFT = "none_left"
    HALVED = "decrease_at_least_50_percent"
    INCREASED = "increase_at_least_25_percent"
    BETWEEN = "between_the_limits"


def change_of(earlier: float, later: float) -> Change | None:
    """Where a change lies; None where there was nothing before.

    Args:
        earlier: Sum of the products of the diameters.
        later: The same of the later exam.
    """
    if earlier <= 0:
        return None
    if later <= 0:
        return Change.NONE_LEFT
    relative = later / earlier - 1
    if relative <= DECREASE:
        return Change.HALVED
    return Change.INCREASED if relative >= INCREASE else Change.BETWEEN


@dataclass(frozen=True, kw_only=True)
class ExamFiles:
    """The files of one exam, and what is known about them."""

    t1gd: Path
    lesion_mask: Path | None = None
    """On the voxels of T1Gd; proposed by the lesion reader if left out."""
    brain_mask: Path | None = None
    known: ScanState = field(default_factory=ScanState)


@dataclass(frozen=True, kw_only=True)
class Exam:
    """One exam, measured."""

    scan: Scan
    prepared: PreparedCase
    lesion: sitk.Image
    """``uint8`` on the voxels of the prepared T1Gd."""
    foci: tuple[Focus, ...]
    """The largest first."""
    elsewhere: tuple[bool, ...]
    """For each focus, whether the other exam has no outline within ``SAME_SITE_MM`` of it."""
    proposed: bool

    @property
    def volume_ml(self) -> float:
        """Of the outline."""
        return volume_ml(self.lesion)

    @property
    def products_mm2(self) -> float:
        """Sum over the foci of the products of their two perpendicular diameters."""
        return sum(focus.diameters.longest_mm * focus.diameters.perpendicular_mm for focus in self.foci)

    def to_json(self, name: str) -> dict[str, Any]:
        """Plain JSON; ``name`` says what ``elsewhere`` means: "new" or "gone"."""
        return {
            "outline": "proposal" if self.proposed else "given",
            "volume_ml": round(self.volume_ml, 3),
            "sum_of_products_mm2": round(self.products_mm2, 1),
            "foci": [{**focus_json(one), name: apart} for one, apart in zip(self.foci, self.elsewhere, strict=True)],
            "voxels_sha256": voxel_sha256(sitk.Image(self.scan.image)),
        }


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """What changed between two exams."""

    earlier: Exam
    later: Exam
    transform: sitk.Transform
    """LPS points of the earlier exam to LPS points of the later one; rigid."""
    overlap: float
    """Of the two brains after the registration; see ``brain_overlap``."""
    reader_response: str | None
    """One of ``READER_RESPONSES``, as a reader entered it; never computed."""
    warnings: tuple[Message, ...]
    seconds: Mapping[str, float]

    @property
    def by_diameters(self) -> Change | None:
        """Change of the sum of the products of the diameters."""
        return change_of(self.earlier.products_mm2, self.later.products_mm2)

    @property
    def messages(self) -> tuple[Message, ...]:
        """What changed, in sentences, and what that does not say."""
        one, two = self.earlier, self.later
        told: list[Message] = []
        if one.volume_ml > 0:
            change = two.volume_ml / one.volume_ml - 1
            told.append(Message("followup.volume", earlier=one.volume_ml, later=two.volume_ml, change=change))
        else:
            told.append(Message("followup.none_before", later=two.volume_ml))
        if one.products_mm2 > 0 and two.products_mm2 > 0:
            change = two.products_mm2 / one.products_mm2 - 1
            told.append(Message("followup.diameters", earlier=one.products_mm2, later=two.products_mm2, change=change))
        if self.by_diameters is not None:
            told.append(_in_words(self.by_diameters))
        if any(two.elsewhere):
            told.append(Message("followup.new_sites", count=sum(two.elsewhere), mm=SAME_SITE_MM))
        told.append(Message("followup.identity"))
        told.append(Message("followup.no_response"))
        if self.reader_response is not None:
            told.append(Message("followup.reader", response=self.reader_response))
        if one.proposed or two.proposed:
            told.append(Message("followup.proposed"))
        return tuple(told)

    def to_json(self) -> dict[str, Any]:
        """``follow_up.json``."""
        return {
            "schema": "pcnsl-survival/follow-up",
            "schema_version": "1.0",
            "research_use_only": RESEARCH_USE_ONLY,
            "sentences": [message.to_json() for message in self.messages],
            "warnings": [message.to_json() for message in self.warnings],
            "earlier": self.earlier.to_json("gone"),
            "later": self.later.to_json("new"),
            "change": {
                "sum_of_products": self.by_diameters,
                "new_sites": sum(self.later.elsewhere),
                "limits": {"decrease": DECREASE, "increase": INCREASE},
                "sources": list(SOURCES),
            },
            "brain_overlap": {"dice": round(self.overlap, 3), "least_without_warning": LEAST_OVERLAP},
            "reader_response": self.reader_response,
            "seconds": dict(self.seconds),
        }

    def later_on_earlier(self) -> sitk.Image:
        """The later scan as acquired, ``float32``, on the voxels of the earlier one, in its file's voxel order."""
        moved = resample(self.later.prepared.native[MRSequence.T1GD], self._grid(), transform=self.transform)
        return in_voxel_order_of(moved, Grid.of(self.earlier.scan.image))

    def lesions_on_earlier(self) -> tuple[sitk.Image, sitk.Image]:
        """Both outlines, ``uint8``, on the voxels of the earlier scan, in its file's voxel order."""
        own = Grid.of(self.earlier.scan.image)
        moved = resample(self.later.lesion, self._grid(), interpolation="nearest", transform=self.transform)
        return in_voxel_order_of(self.earlier.lesion, own), in_voxel_order_of(moved, own)

    def _grid(self) -> Grid:
        return Grid.of(self.earlier.prepared.native[MRSequence.T1GD])


def compare_exams(
    earlier: ExamFiles,
    later: ExamFiles,
    *,
    device: Device = "auto",
    override_quality: bool = False,
    reader_response: str | None = None,
    listener: Listener = silent,
) -> FollowUp:
    """Register two T1Gd exams of one patient, and measure what changed.

    Args:
        earlier: The first exam.
        later: The second one.
        device: For the lesion reader, where an outline is proposed.
        override_quality: Go on after a failed quality check.
        reader_response: What a reader entered, one of ``READER_RESPONSES``.
        listener: Hears of every step.

    Raises:
        PreparationError: The exams are one scan, or do not show the same head.
        PCNSLSurvivalError: A scan or a mask cannot be used; its text says why.

    References:
        Abrey et al., J Clin Oncol 23(22), 2005. doi:10.1200/JCO.2005.13.524
        Barajas et al., Neuro Oncol 23(7), 2021. doi:10.1093/neuonc/noab020
    """
    clock = StepClock(listener)
    with clock.step(Step.READ):
        scans = [read_scan(files.t1gd, MRSequence.T1GD) for files in (earlier, later)]
    if voxel_sha256(sitk.Image(scans[0].image)) == voxel_sha256(sitk.Image(scans[1].image)):
        raise PreparationError(Message("followup.same_scan"))
    cases = [
        _prepared(scan, files, clock, override_quality) for scan, files in zip(scans, (earlier, later), strict=True)
    ]
    with clock.step(Step.LATER_EXAM):
        transform, doubt = _registered(cases[0], cases[1], override_quality)
    overlap = brain_overlap(cases[0].brain_mask, cases[1].brain_mask, transform)
    if overlap < LEAST_OVERLAP:
        doubt = (Message("followup.other_brain", overlap=overlap, least=LEAST_OVERLAP), *doubt)
    lesions = [_outlined(case, files, device, clock) for case, files in zip(cases, (earlier, later), strict=True)]
    measured = []
    for number, (scan, case, lesion) in enumerate(zip(scans, cases, lesions, strict=True)):
        to_other = transform.GetInverse() if number else transform
        foci = _foci_apart(lesion, case.brain_mask, lesions[1 - number], to_other)
        measured.append(
            Exam(
                scan=scan,
                prepared=case,
                lesion=lesion,
                foci=tuple(focus for focus, _ in foci),
                elsewhere=tuple(apart for _, apart in foci),
                proposed=(earlier, later)[number].lesion_mask is None,
            )
        )
    judged = [one.message for case in cases for one in case.findings if one.verdict is not Verdict.GOOD]
    remarks = [remark for scan in scans for remark in scan.remarks]
    return FollowUp(
        earlier=measured[0],
        later=measured[1],
        transform=transform,
        reader_response=reader_response,
        overlap=overlap,
        warnings=tuple(dict.fromkeys((*doubt, *judged, *remarks))),
        seconds=clock.seconds,
    )


def brain_overlap(earlier: sitk.Image, later: sitk.Image, transform: sitk.Transform) -> float:
    """Dice coefficient of two brain masks after the registration, where the later scan covers the earlier head.

    Args:
        earlier: Brain mask of the earlier exam.
        later: That of the later one.
        transform: LPS points of the earlier exam to LPS points of the later one.
    """
    covered = sitk.Image(later.GetSize(), sitk.sitkUInt8) + 1
    covered.CopyInformation(later)
    grid = Grid.of(earlier)
    moved, seen = (resample(image, grid, interpolation="nearest", transform=transform) for image in (later, covered))
    inside = sitk.GetArrayViewFromImage(seen) > 0
    one, two = (sitk.GetArrayViewFromImage(image)[inside] > 0 for image in (earlier, moved))
    both = int(np.count_nonzero(one & two))
    return 2 * both / max(int(np.count_nonzero(one)) + int(np.count_nonzero(two)), 1)


def _prepared(scan: Scan, files: ExamFiles, clock: StepClock, override: bool) -> PreparedCase:
    mask = None if files.brain_mask is None else read_mask_file(files.brain_mask, Message("word.brain_mask"))
    return prepare_case(
        {MRSequence.T1GD: canonical(scan.image)},
        recipe=RECIPE,
        clock=clock,
        known=files.known,
        brain_mask=None if mask is None else canonical(mask.image),
        override_quality=override,
        agent=scan.agent,
    )


def _registered(
    earlier: PreparedCase, later: PreparedCase, override: bool
) -> tuple[sitk.Transform, tuple[Message, ...]]:
    """The pose of the later head over the earlier one, and what there is to doubt of it."""
    t1gd, step = MRSequence.T1GD, RECIPE.registration
    rough = find_pose(earlier.native[t1gd], later.native[t1gd], step, sequence=t1gd)
    fixed, moving = earlier.corrected[t1gd], later.corrected[t1gd]
    pose = refine_pose(fixed, moving, rough, step, brain_mask=earlier.brain_mask)
    verdicts = {one.verdict for one in judge_registration(fixed, moving, pose, earlier.brain_mask, sequence=t1gd)}
    if Verdict.UNUSABLE in verdicts and not override:
        raise PreparationError(Message("followup.not_one_head"))
    return pose, () if verdicts == {Verdict.GOOD} else (Message("followup.check_alignment"),)


def _outlined(case: PreparedCase, files: ExamFiles, device: Device, clock: StepClock) -> sitk.Image:
    if files.lesion_mask is None:
        with clock.step(Step.LESION_OUTLINE):
            return propose(case, load_reader(device)).mask
    mask = canonical(read_mask_file(files.lesion_mask, Message("word.lesion_mask"), may_be_empty=True).image)
    if not Grid.of(mask).matches(Grid.of(case.brain_mask), tolerance_mm=0.01):
        raise GridMismatchError(Message("grid.lesion_mask_on_t1gd"))
    return resample(sitk.Cast(mask != 0, sitk.sitkUInt8), Grid.of(case.brain_mask), interpolation="nearest")


def _foci_apart(
    lesion: sitk.Image, brain: sitk.Image, other: sitk.Image, to_other: sitk.Transform
) -> list[tuple[Focus, bool]]:
    """Every focus with whether the other exam has no outline near it, the largest first."""
    grid, there = Grid.of(lesion), Grid.of(other)
    distance = None
    if sitk.GetArrayViewFromImage(other).any():
        distance = sitk.SignedMaurerDistanceMap(other != 0, squaredDistance=False, useImageSpacing=True)
    numbers = focus_numbers(lesion)
    return [
        (focus, distance is None or _is_apart(np.argwhere(numbers == number), grid, to_other, distance, there))
        for number, focus in enumerate(measure_foci(lesion, brain), start=1)
    ]


def _is_apart(voxels_kji: np.ndarray, grid: Grid, to_other: sitk.Transform, distance: sitk.Image, there: Grid) -> bool:
    """Whether all voxels of a part lie farther than ``SAME_SITE_MM`` from the outline of the other exam."""
    points = grid.index_to_lps(voxels_kji[:, ::-1].astype(np.float64))
    moved = np.array([to_other.TransformPoint(point) for point in points.tolist()])
    places = np.rint(there.lps_to_index(moved)).astype(int)[:, ::-1]
    values = sitk.GetArrayViewFromImage(distance)
    # Beyond the rim of the other scan, the nearest place on it stands for a point.
    places = np.clip(places, 0, np.array(values.shape) - 1)
    return bool(values[tuple(places.T)].min() > SAME_SITE_MM)


def _in_words(change: Change) -> Message:
    if change is Change.NONE_LEFT:
        return Message("followup.none_left")
    if change is Change.HALVED:
        return Message("followup.halved")
    return Message("followup.increased" if change is Change.INCREASED else "followup.between")
