"""Preparation of one case into its own folder: complete, or not at all, or already done."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import SimpleITK as sitk

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.cohorts.prepared_case_folder import PreparedFiles, is_prepared, signature_of, write_prepared
from PCNSLSurvivalLib.cohorts.prepared_cohort import CASES_FOLDER, STEPS_FOLDER
from PCNSLSurvivalLib.core.errors import (
    GridMismatchError,
    OutputFolderError,
    PCNSLSurvivalError,
    UnreadableScanError,
    with_causes,
)
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.optional_packages import missing_package
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.storage.files import tells_full_disk
from PCNSLSurvivalLib.core.terms import MRSequence, Step
from PCNSLSurvivalLib.imaging.fetched_files import not_fetched
from PCNSLSurvivalLib.imaging.geometry import Grid, canonical, resample
from PCNSLSurvivalLib.imaging.headers.regular_files import kind_of
from PCNSLSurvivalLib.imaging.io import Mask, content_sha256, read_mask_file, read_scan
from PCNSLSurvivalLib.imaging.quality import remark_findings
from PCNSLSurvivalLib.imaging.sequences.sidecar import sidecar_of
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case
from PCNSLSurvivalLib.preprocessing.recipe import Recipe
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState
from PCNSLSurvivalLib.preprocessing.step_cache import StepStore

_ROOM_BYTES = 200_000_000
"""A case with four scans at 1 mm needs less than this."""

Draw = Callable[[PreparedCase, sitk.Image | None, Path], None]
"""Adds pictures of a prepared case and its lesion mask (on the grid of T1Gd) to a folder."""


@dataclass(frozen=True, kw_only=True)
class CaseTask:
    """What a process, here or on another computer, needs to know to prepare one case."""

    case: CohortCase
    out: Path
    recipe: Recipe
    draw: Draw
    use_brain_mask: bool = False
    override_quality: bool = False
    keep_intermediate: bool = False
    threads: int | None = None
    """Threads of the filters; as many as there are cores if None."""


@dataclass(frozen=True, kw_only=True)
class CaseStatus:
    """The status of one case."""

    name: str
    state: Literal["prepared", "cached", "failed"]
    reason: str = ""
    seconds: float = 0.0
    disk_full: bool = False


def prepare_one(task: CaseTask) -> CaseStatus:
    """Prepare one case, unless it is already prepared from the same files with the same recipe.

    No error leaves this function: a case that fails must not stop the others.
    """
    begin = time.perf_counter()
    try:
        state: Literal["prepared", "cached"] = "prepared" if _prepare(task) else "cached"
    except Exception as problem:  # whatever a damaged file brings about, the other cases go on
        full = _disk_is_full(problem, task.out)
        reason = sentence_of(problem, disk_is_full=full)
        seconds = time.perf_counter() - begin
        return CaseStatus(name=task.case.name, state="failed", reason=reason, seconds=seconds, disk_full=full)
    return CaseStatus(name=task.case.name, state=state, seconds=time.perf_counter() - begin)


def lost_case(task: CaseTask, reason: str) -> CaseStatus:
    """The outcome of a case whose process ended."""
    return CaseStatus(name=task.case.name, state="failed", reason=reason)


def _prepare(task: CaseTask) -> bool:
    """Whether the case was prepared now; False if it was already prepared."""
    case, target = task.case, task.out / CASES_FOLDER / task.case.name
    files = _files(task)
    signature = signature_of(files, case, task.recipe)
    if is_prepared(target, signature, override_quality=task.override_quality):
        return False
    if shutil.disk_usage(task.out).free < _ROOM_BYTES:
        raise OSError(errno.ENOSPC, "")
    _use_threads(task.threads)
    store = StepStore(task.out / STEPS_FOLDER / case.name)
    scans = {sequence: read_scan(path, sequence) for sequence, path in case.scans.items()}
    brain = (
        None
        if not task.use_brain_mask or case.brain_mask is None
        else read_mask_file(case.brain_mask, Message("word.brain_mask"))
    )
    lesion_file = (
        None
        if case.lesion_mask is None
        else read_mask_file(case.lesion_mask, Message("word.lesion_mask"), labels=case.lesion_labels, may_be_empty=True)
    )
    clock = StepClock()
    prepared = prepare_case(
        {sequence: scan.image for sequence, scan in scans.items()},
        recipe=task.recipe,
        clock=clock,
        known=ScanState(already_stripped=case.stripped, already_registered=case.stripped),
        brain_mask=None if brain is None else brain.image,
        override_quality=task.override_quality,
        store=store,
        agent=scans[MRSequence.T1GD].agent,
    )
    lesion = None if lesion_file is None else _on_t1gd(lesion_file, prepared)
    doubts = [finding for sequence, scan in scans.items() for finding in remark_findings(scan.remarks, sequence)]
    for name, mask in (("header", brain), ("lesion_header", lesion_file)):
        doubts += () if mask is None else remark_findings(mask.remarks, None, measure=name)
    prepared = replace(prepared, findings=(*doubts, *prepared.findings))
    write_prepared(
        PreparedFiles(prepared=prepared, lesion=lesion, brain_mask_given=brain is not None),
        target,
        signature=signature,
        inputs_sha256=files,
        seconds=clock.seconds,
        draw=lambda folder: task.draw(prepared, lesion, folder),
    )
    if not task.keep_intermediate:
        # Corrected volumes are most of the bytes; outlines and poses are small, and the slowest to find again.
        store.forget(Step.BIAS_FIELD)
    return True


def _files(task: CaseTask) -> dict[str, str]:
    """SHA-256 of every file the case is made from.

    Raises:
        UnreadableScanError: There is no T1Gd, or a file is not there.
    """
    case = task.case
    paths = {sequence.value: path for sequence, path in sorted(case.scans.items())}
    if task.use_brain_mask and case.brain_mask is not None:
        paths["brain_mask"] = case.brain_mask
    if case.lesion_mask is not None:
        paths["lesion_mask"] = case.lesion_mask
    return contents_of(paths)


def contents_of(paths: Mapping[str, Path]) -> dict[str, str]:
    """SHA-256 by name of the files and DICOM folders of one case, and of the sidecars, which decide on remarks.

    Raises:
        UnreadableScanError: There is no T1Gd, a file is not there, or was never fetched from a data store.
    """
    if MRSequence.T1GD.value not in paths:
        raise UnreadableScanError(Message("case.no_t1gd"))
    for name, path in paths.items():
        if (reason := not_fetched(path)) is not None:
            raise UnreadableScanError(Message("case.file_not_fetched", scan=_spoken(name), reason=reason))
        if kind_of(path) == "absent":
            raise UnreadableScanError(Message("case.file_not_found", scan=_spoken(name)))
    sidecars = {f"{name} sidecar": sidecar_of(path) for name, path in paths.items() if path.is_file()}
    there = {name: path for name, path in sidecars.items() if kind_of(path) == "file"}
    return {name: content_sha256(path) for name, path in (*paths.items(), *there.items())}


def _spoken(name: str) -> MRSequence | Message:
    """A sequence or mask as sentences call it: "T1Gd", "brain mask"."""
    masks = {"brain_mask": Message("word.brain_mask"), "lesion_mask": Message("word.lesion_mask")}
    return masks.get(name) or MRSequence(name)


def _on_t1gd(lesion: Mask, prepared: PreparedCase) -> sitk.Image:
    """The cohort's lesion mask on the grid of T1Gd.

    Raises:
        GridMismatchError: It lies on other voxels.
    """
    mask, grid = canonical(lesion.image), Grid.of(prepared.brain_mask)
    if not Grid.of(mask).matches(grid, tolerance_mm=0.01):
        raise GridMismatchError(Message("grid.lesion_mask_on_t1gd"))
    return resample(mask, grid, interpolation="nearest")


def _use_threads(threads: int | None) -> None:
    if threads is not None:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
        # torch, which only brain extraction loads, reads this when it is loaded.
        os.environ["OMP_NUM_THREADS"] = str(threads)


def _disk_is_full(problem: Exception, out: Path) -> bool:
    if tells_full_disk(problem):
        return True
    # ITK's own error on a full disk does not say so.
    return isinstance(problem, OSError | RuntimeError | OutputFolderError) and (
        shutil.disk_usage(out).free < _ROOM_BYTES // 20
    )


def sentence_of(problem: Exception, *, disk_is_full: bool = False) -> str:
    """What stopped a case, for its row in the table: no path, no name of a patient."""
    if disk_is_full:
        return "The disk of the output folder is full."
    if isinstance(problem, PCNSLSurvivalError):
        return str(problem)
    if any(isinstance(cause, MemoryError) or "bad_alloc" in str(cause) for cause in with_causes(problem)):
        return "The case does not fit into this computer's memory. Run the command again with fewer --jobs."
    if isinstance(problem, OSError):
        return f"A file cannot be read or written ({problem.strerror or type(problem).__name__})."
    if (missing := missing_package(problem, "This case")) is not None:
        return str(missing)
    return f"Internal error ({type(problem).__name__}). Please report it."
