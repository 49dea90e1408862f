"""The folder of one prepared case: volumes, masks, poses, and a record of what they were made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.storage.files import whole_folder
from PCNSLSurvivalLib.core.storage.strict_json import read_own_json
from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.imaging.geometry import Grid, resample
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase
from PCNSLSurvivalLib.preprocessing.qc import CHECKS_VERSION
from PCNSLSurvivalLib.preprocessing.recipe import Recipe
from PCNSLSurvivalLib.preprocessing.step_cache import STEPS_VERSION

RECORD = "case.json"
_VERSION = 1
_WORST_LAST = (Verdict.GOOD, Verdict.CHECK, Verdict.UNUSABLE)


@dataclass(frozen=True, kw_only=True)
class PreparedFiles:
    """A prepared case with what the cohort brought beside the scans."""

    prepared: PreparedCase
    lesion: sitk.Image | None
    """``uint8`` on the grid of T1Gd."""
    brain_mask_given: bool


def write_prepared(
    files: PreparedFiles,
    target: Path,
    *,
    signature: str,
    inputs_sha256: Mapping[str, str],
    seconds: Mapping[str, float],
    draw: Callable[[Path], None],
) -> None:
    """Write a prepared case, whole or not at all.

    Everything but ``seconds.json`` is the same, byte for byte, however often it is made on one computer.

    Args:
        files: What to write.
        target: Folder of the case; an earlier one is replaced.
        signature: See ``signature_of``.
        inputs_sha256: Content of every file the case was made from.
        seconds: Wall time of each step.
        draw: Adds pictures to the folder.

    Raises:
        OutputFolderError: The folder cannot be written.
    """
    prepared = files.prepared
    with whole_folder(target, overwrite=True) as folder:
        for sequence, image in prepared.preprocessed.items():
            write_volume(image, folder / f"{sequence.value}_preprocessed.nii.gz")
            if sequence is not MRSequence.T1GD:
                sitk.WriteTransform(prepared.transforms[sequence], str(folder / f"t1gd_to_{sequence.value}.tfm"))
        write_volume(prepared.brain_mask, folder / "brain_mask.nii.gz")
        write_volume(prepared.brain_mask_1mm, folder / "brain_mask_preprocessed.nii.gz")
        if files.lesion is not None:
            share = resample(sitk.Cast(files.lesion, sitk.sitkFloat32), Grid.of(prepared.brain_mask_1mm))
            write_volume(sitk.Cast(share >= 0.5, sitk.sitkUInt8), folder / "lesion_mask_preprocessed.nii.gz")
        record = _record(files) | {"signature": signature, "inputs_sha256": dict(inputs_sha256)}
        (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        (folder / "seconds.json").write_text(json.dumps(dict(seconds), indent=2) + "\n", encoding="utf-8")
        draw(folder)


def signature_of(inputs_sha256: Mapping[str, str], case: CohortCase, recipe: Recipe) -> str:
    """One hash over everything that decides what a prepared case looks like and how it is judged."""
    versions = [_VERSION, STEPS_VERSION, CHECKS_VERSION]
    about = [*versions, dict(inputs_sha256), recipe.sha256, case.stripped, case.lesion_labels]
    text = json.dumps(about, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def is_prepared(target: Path, signature: str, *, override_quality: bool) -> bool:
    """Whether a folder holds the case, made from the same content by the same recipe, and good enough."""
    record = read_record(target)
    if record is None or record.get("signature") != signature:
        return False
    return override_quality or record["verdict"] != Verdict.UNUSABLE


def read_record(target: Path) -> dict[str, Any] | None:
    """``case.json`` of a prepared case; None where there is none."""
    try:
        return read_own_json(target / RECORD)
    except (OSError, ValueError):
        return None


def worst(findings: tuple[Finding, ...]) -> Verdict:
    """The worst verdict of some findings; good where there are none."""
    return max((finding.verdict for finding in findings), key=_WORST_LAST.index, default=Verdict.GOOD)


def _record(files: PreparedFiles) -> dict[str, Any]:
    prepared, grid = files.prepared, files.prepared.network_grid
    brain = sitk.GetArrayViewFromImage(prepared.brain_mask) > 0
    voxel_ml = Grid.of(prepared.brain_mask).voxel_volume_ml
    return {
        "version": _VERSION,
        "recipe": prepared.recipe.to_json(),
        "recipe_sha256": prepared.recipe.sha256,
        "sequences": [sequence.value for sequence in MRSequence if sequence in prepared.preprocessed],
        "t1gd_voxels_sha256": _voxels_sha256(prepared.native[MRSequence.T1GD]),
        "brain_mask": "given" if files.brain_mask_given else "made",
        "brain_ml": round(float(brain.sum()) * voxel_ml, 1),
        "has_lesion_mask": files.lesion is not None,
        **_lesion_numbers(files.lesion, brain, voxel_ml),
        "network_grid": {
            "size": list(grid.size),
            "spacing_mm": list(grid.spacing_mm),
            "origin_lps_mm": [float(v) for v in grid.origin_lps_mm],
            "direction_lps": [float(v) for v in grid.direction_lps],
        },
        "verdict": worst(prepared.findings).value,
        "findings": [finding.to_json() for finding in prepared.findings],
    }


def _lesion_numbers(lesion: sitk.Image | None, brain: np.ndarray, voxel_ml: float) -> dict[str, float | None]:
    if lesion is None:
        return {"lesion_ml": None, "lesion_outside_brain": None}
    inside = sitk.GetArrayViewFromImage(lesion) > 0
    outside = float((inside & ~brain).sum() / max(inside.sum(), 1))
    return {"lesion_ml": round(float(inside.sum()) * voxel_ml, 2), "lesion_outside_brain": round(outside, 4)}


def _voxels_sha256(image: sitk.Image) -> str:
    """The same scan in another file format, or under another name, has the same one."""
    return hashlib.sha256(np.ascontiguousarray(sitk.GetArrayViewFromImage(image), dtype="<f4").tobytes()).hexdigest()
