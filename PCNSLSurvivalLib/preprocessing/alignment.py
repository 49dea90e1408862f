"""Registration of one scan to T1Gd alone: for reading the two side by side, without a prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.storage.strict_json import read_own_json
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid, as_float32, canonical, in_voxel_order_of, lps_to_ras, resample
from PCNSLSurvivalLib.imaging.quality import check_scan
from PCNSLSurvivalLib.imaging.same_scan import judge_same_scan
from PCNSLSurvivalLib.preprocessing.case_steps import CaseSteps
from PCNSLSurvivalLib.preprocessing.pipeline import is_stripped, judge_pose, stop_unless_usable
from PCNSLSurvivalLib.preprocessing.qc.weighting import judge_weightings
from PCNSLSurvivalLib.preprocessing.recipe import Recipe
from PCNSLSurvivalLib.preprocessing.scan_state import UNTOUCHED, ScanState
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """The registration of another scan to T1Gd."""

    transform: sitk.Transform
    """LPS points of T1Gd to LPS points of the scan; rigid."""
    aligned: sitk.Image
    """The scan as acquired, ``float32``, linear on the voxels of T1Gd; 0 where it shows nothing."""
    findings: tuple[Finding, ...]


def align_scan(
    scans: Mapping[MRSequence, sitk.Image],
    sequence: MRSequence,
    *,
    recipe: Recipe,
    clock: StepClock,
    known: ScanState = UNTOUCHED,
    brain_mask: sitk.Image | None = None,
    override_quality: bool = False,
    store: StepStore | None = None,
) -> Alignment:
    """Find the rigid movement of the head between T1Gd and another scan, as ``prepare_case`` does.

    Args:
        scans: T1Gd and the scan to register: 3-D volumes of one head, arbitrary units, LPS.
        sequence: The scan to register.
        recipe: All parameters.
        clock: Announces and times the steps.
        known: What was done to the scans; those that are registered already are only judged.
        brain_mask: A mask on the voxels of T1Gd to use instead of brain extraction.
        override_quality: Go on after a finding that makes the alignment unusable.
        store: Keeps finished steps on disk, and gives them back to the next run over the same content.

    Returns:
        The pose, the scan on the voxels of T1Gd in its voxel order, and what there is to say of them.

    Raises:
        PreparationError: No pose was found, or it is judged unusable.
        UnusableScanError: A scan holds no usable image.
        GridMismatchError: ``brain_mask`` is not on the voxels of T1Gd.
        MissingFilesError: The brain extractor is needed and not installed.
    """
    native = {name: canonical(as_float32(scans[name])) for name in (MRSequence.T1GD, sequence)}
    findings = [finding for name, image in native.items() for finding in check_scan(image, name)]
    findings += judge_same_scan(native)
    stop_unless_usable(findings, override_quality)
    fixed = native[MRSequence.T1GD]
    stripped, about_skull = is_stripped(fixed, said=known.already_stripped)
    findings += about_skull
    known = replace(known, already_stripped=stripped)
    steps = CaseSteps(recipe=recipe, clock=clock, store=store, known=known)
    mask = steps.brain_mask(fixed, None if brain_mask is None else canonical(brain_mask))
    corrected = steps.correct(fixed, mask, MRSequence.T1GD)
    transform, moving_corrected = steps.register_to_t1gd(sequence, native, corrected, mask)
    both = {MRSequence.T1GD: corrected, sequence: moving_corrected}
    findings += judge_pose(sequence, both, transform, mask)
    findings += judge_weightings(
        both, {MRSequence.T1GD: sitk.Transform(3, sitk.sitkIdentity), sequence: transform}, mask
    )
    stop_unless_usable(findings, override_quality)
    aligned = resample(native[sequence], Grid.of(fixed), transform=transform)
    return Alignment(
        transform=transform,
        aligned=in_voxel_order_of(aligned, Grid.of(scans[MRSequence.T1GD])),
        findings=tuple(findings),
    )


def read_movements(path: Path) -> dict[MRSequence, sitk.Transform]:
    """The movements that laid scans over T1Gd, from the ``alignment.json`` of ``pcnsl-survival register``.

    Args:
        path: JSON with ``scan_to_t1gd_ras`` by sequence: (4, 4), RAS mm as acquired to RAS mm of T1Gd.

    Returns:
        For each scan LPS points of T1Gd to LPS points as acquired.

    Raises:
        PreparationError: The file holds no such movements.
    """
    try:
        stored = read_own_json(path)
        moved = {name: _movement(stored[name]["scan_to_t1gd_ras"]) for name in MRSequence if name in stored}
        if not moved:
            raise ValueError("no scan was moved")
    except (OSError, ValueError, TypeError, KeyError, np.linalg.LinAlgError) as problem:
        raise PreparationError(Message("alignment.unreadable")) from problem
    return moved


def _movement(scan_to_t1gd_ras: object) -> sitk.Transform:
    stated = np.array(scan_to_t1gd_ras, dtype=float).reshape(4, 4)
    if not np.isfinite(stated).all():
        raise ValueError("no number")
    to_scan_ras = np.linalg.inv(stated)
    # Columns: where the origin and the tips of the three LPS axes go.
    tips_ras = lps_to_ras(np.vstack([np.zeros(3), np.eye(3)]))
    points_lps = lps_to_ras(tips_ras @ to_scan_ras[:3, :3].T + to_scan_ras[:3, 3])
    movement = sitk.AffineTransform(3)
    movement.SetMatrix((points_lps[1:] - points_lps[0]).T.ravel().tolist())
    movement.SetTranslation(points_lps[0].tolist())
    return movement
