"""One case of a cohort: prepared into its own folder, whole or not at all, or found finished."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import SimpleITK as sitk

from PCNSLSurvivalLib.errors import PCNSLSurvivalError, UnreadableScanError
from PCNSLSurvivalLib.imaging.io import read_scan, write_volume
from PCNSLSurvivalLib.imaging.output_folder import whole_folder
from PCNSLSurvivalLib.installed_files import sha256_of
from PCNSLSurvivalLib.preprocessing.cohort_layout import CohortCase
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case
from PCNSLSurvivalLib.preprocessing.recipe import Recipe
from PCNSLSurvivalLib.preprocessing.step_store import StepStore
from PCNSLSurvivalLib.progress import StepClock
from PCNSLSurvivalLib.terms import Sequence

STEPS_FOLDER = ".steps"

Finish = Callable[[PreparedCase, Path], None]


@dataclass(frozen=True, kw_only=True)
class CaseTask:
    """What a process, here or on another computer, needs to know to prepare one case."""

    case: CohortCase
    out: Path
    recipe: Recipe
    threads: int
    override_quality: bool
    finish: Finish
    """Adds pictures for the contact sheet to the case's folder."""
    parent: int | None = None
    """Process that waits for the result on this computer; when it is gone, so are we."""


@dataclass(frozen=True, kw_only=True)
class CaseOutcome:
    """What became of one case."""

    name: str
    state: Literal["prepared", "found", "failed"]
    reason: str = ""
    seconds: float = 0.0


def prepare_one(task: CaseTask) -> CaseOutcome:
    """Prepare one case, or find it prepared from the same scans by the same recipe.

    No error leaves this function: a case that fails must not stop the others.
    """
    _leave_with(task.parent)
    begin = time.perf_counter()
    name, target = task.case.name, task.out / task.case.name
    try:
        if Sequence.T1GD not in task.case.scans:
            raise UnreadableScanError("No T1Gd was found for this case. Check the file names or the table.")
        inputs = {sequence.value: content_of_scan(path) for sequence, path in sorted(task.case.scans.items())}
        signature = _signature(inputs, task)
        if is_prepared(target, signature):
            return CaseOutcome(name=name, state="found")
        _use_threads(task.threads)
        scans = {sequence: read_scan(path, sequence).image for sequence, path in task.case.scans.items()}
        clock = StepClock()
        prepared = prepare_case(
            scans,
            recipe=task.recipe,
            clock=clock,
            override_quality=task.override_quality,
            already_registered=task.case.stripped,
            store=StepStore(task.out / STEPS_FOLDER / name),
        )
        write_prepared(prepared, target, signature=signature, inputs=inputs, seconds=clock.seconds, finish=task.finish)
        return CaseOutcome(name=name, state="prepared", seconds=time.perf_counter() - begin)
    except PCNSLSurvivalError as problem:
        return CaseOutcome(name=name, state="failed", reason=str(problem), seconds=time.perf_counter() - begin)
    except Exception as problem:  # whatever a damaged file brings about, the other cases go on
        reason = f"A fault in this software ({type(problem).__name__}) stopped this case."
        return CaseOutcome(name=name, state="failed", reason=reason, seconds=time.perf_counter() - begin)


def write_prepared(
    prepared: PreparedCase,
    target: Path,
    *,
    signature: str,
    inputs: dict[str, str],
    seconds: dict[str, float],
    finish: Finish,
) -> None:
    """Write a prepared case: volumes, masks, poses, ``case.json``, and the wall times apart.

    Everything but ``seconds.json`` is the same, byte for byte, however often and wherever it is made.
    """
    with whole_folder(target, overwrite=True) as folder:
        for sequence, image in prepared.preprocessed.items():
            write_volume(image, folder / f"{sequence.value}_preprocessed.nii.gz")
            if sequence is not Sequence.T1GD:
                sitk.WriteTransform(prepared.transforms[sequence], str(folder / f"t1gd_to_{sequence.value}.tfm"))
        write_volume(prepared.brain_mask, folder / "brain_mask.nii.gz")
        write_volume(prepared.brain_mask_1mm, folder / "brain_mask_preprocessed.nii.gz")
        grid = prepared.network_grid
        record = {
            "version": 1,
            "signature": signature,
            "inputs_sha256": inputs,
            "recipe": prepared.recipe.to_json(),
            "recipe_sha256": prepared.recipe.sha256,
            "network_grid": {
                "size": list(grid.size),
                "spacing_mm": list(grid.spacing_mm),
                "origin_lps_mm": [float(v) for v in grid.origin_lps_mm],
                "direction_lps": [float(v) for v in grid.direction_lps],
            },
            "findings": [finding.to_json() for finding in prepared.findings],
        }
        (folder / "case.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        (folder / "seconds.json").write_text(json.dumps(seconds, indent=2) + "\n", encoding="utf-8")
        finish(prepared, folder)


def is_prepared(target: Path, signature: str) -> bool:
    """Whether a folder holds the case, made from the same content by the same recipe."""
    record = read_record(target)
    return record is not None and record.get("signature") == signature


def read_record(target: Path) -> dict[str, Any] | None:
    """``case.json`` of a prepared case; None where there is none."""
    try:
        record: dict[str, Any] = json.loads((target / "case.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record


def content_of_scan(path: Path) -> str:
    """SHA-256 of a scan file, or of all files of a DICOM folder in the order of their names.

    Raises:
        UnreadableScanError: The file is not there.
    """
    if not path.exists():
        raise UnreadableScanError("A scan of this case was not found. Check the table or the folder.")
    if path.is_file():
        return sha256_of(path)
    digests = [f"{file.name} {sha256_of(file)}" for file in sorted(path.iterdir()) if file.is_file()]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _signature(inputs: dict[str, str], task: CaseTask) -> str:
    text = json.dumps([inputs, task.recipe.sha256, task.case.stripped, task.override_quality], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _use_threads(threads: int) -> None:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
    import torch

    torch.set_num_threads(threads)


def _leave_with(parent: int | None) -> None:
    """End this process when the one that waits for it was killed, so that nobody computes for no one."""
    if parent is None or os.getpid() == parent:
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
