"""The folder that a prediction leaves behind: result file, volumes, report."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.core.storage.installed_files import sha256_of
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY
from PCNSLSurvivalLib.explain.overlay import cell_grid
from PCNSLSurvivalLib.imaging.fingerprint import plane_checksums, voxel_sha256
from PCNSLSurvivalLib.imaging.geometry import Grid, copied, image_on_grid, in_voxel_order_of
from PCNSLSurvivalLib.imaging.io import read_scan, write_volume
from PCNSLSurvivalLib.imaging.lesion_measures import measure_foci, volume_ml
from PCNSLSurvivalLib.inference.network import FloatMap
from PCNSLSurvivalLib.inference.predict import CaseResult
from PCNSLSurvivalLib.inference.segment import focus_json
from PCNSLSurvivalLib.results.lesion_proposal import MASK, write_measures
from PCNSLSurvivalLib.results.map_note import EVIDENCE_NOTE, map_note
from PCNSLSurvivalLib.results.old_results import SCHEMA_VERSION

PREDICTION = "prediction.json"
REPORT = "report.html"
BRAIN_MASK = "brain_mask.nii.gz"
ACTIVATION_MAP = "activation_map.nii.gz"
ACTIVATION_CELLS = "activation_cells.nii.gz"
"""The raw map, in logits, on the cells it was computed in."""
OTHER_MAP = "activation_map_other_class.nii.gz"
OTHER_CELLS = "activation_cells_other_class.nii.gz"
"""The same two for the class that ``activation_map`` does not explain."""
EVIDENCE_CELLS = "evidence_cells.nii.gz"
"""Signed share of every cell in the log-odds of OS > 1 year."""

CasePage = Callable[[CaseResult, Mapping[str, str]], str]
"""The report of one case as HTML. Handed in, since reports stand above results."""

_PACKAGES = ("numpy", "SimpleITK", "scipy", "torch", "onnxruntime")


def write_case_folder(result: CaseResult, folder: Path, *, page: CasePage, intermediate: bool = False) -> None:
    """Write all files of one prediction into a folder (a staging folder, see ``core.storage.files``).

    Args:
        result: What was predicted.
        folder: An existing, empty folder.
        page: Writes the report from the result and the versions of this software and its packages.
        intermediate: Write the scans without bias field as well, in the voxel order they came in.
    """
    # The page is drawn while the volumes are compressed.
    with ThreadPoolExecutor(1) as beside:
        written = beside.submit(_write_volumes, result, folder, intermediate=intermediate)
        (folder / REPORT).write_text(page(result, software_versions()), encoding="utf-8")
        written.result()
    # After the page: both at the same time would need the most memory of all.
    write_volume(result.map_of_other_class, folder / OTHER_MAP, note=_map_notes(result)[1])
    files = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    text = json.dumps(prediction_json(result, files), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / PREDICTION).write_text(text + "\n", encoding="utf-8")


def _write_volumes(result: CaseResult, folder: Path, *, intermediate: bool) -> None:
    """Write all volumes of one prediction but the map of the other class.

    The page is drawn meanwhile: what it reads too is copied.
    """
    write_volume(copied(result.brain_mask), folder / BRAIN_MASK)
    shown, other = _map_notes(result)
    write_volume(result.activation_map, folder / ACTIVATION_MAP, note=shown)
    if result.proposal is not None:
        write_volume(in_voxel_order_of(copied(result.proposal.mask), Grid.of(result.brain_mask)), folder / MASK)
        write_measures(result.proposal.to_json(), folder)
    network = result.network
    _write_cells(network.other_map, network.stride_voxels, result, folder / OTHER_CELLS, other)
    _write_cells(network.raw_map, network.stride_voxels, result, folder / ACTIVATION_CELLS, shown)
    _write_cells(network.evidence, network.evidence_stride_voxels, result, folder / EVIDENCE_CELLS, EVIDENCE_NOTE)
    for sequence, image in result.prepared.preprocessed.items():
        write_volume(image, folder / f"{sequence.value}_preprocessed.nii.gz")
    if intermediate:
        for sequence, corrected in result.prepared.corrected.items():
            # A scan that came without bias field is the very T1Gd that the page draws.
            image = copied(corrected) if corrected is result.prepared.native[sequence] else corrected
            own = in_voxel_order_of(image, result.inputs[sequence].grid)
            write_volume(own, folder / f"{sequence.value}_corrected.nii")


def _map_notes(result: CaseResult) -> tuple[str, str]:
    """What the headers of the map and of that of the other class say; only the first one is checked."""
    network = result.network
    checks = None if result.checks is None else result.checks.to_json()
    return map_note(network.target, checks, network.method), map_note(network.other_target, None, network.method)


def _write_cells(cells_ijk: FloatMap, stride_voxels: int, result: CaseResult, path: Path, note: str) -> None:
    size = (cells_ijk.shape[0], cells_ijk.shape[1], cells_ijk.shape[2])
    grid = cell_grid(size, result.prepared.network_grid, stride_voxels=stride_voxels)
    write_volume(image_on_grid(np.ascontiguousarray(cells_ijk.transpose(2, 1, 0)), grid), path, note=note)


def prediction_json(result: CaseResult, files: dict[str, str]) -> dict[str, Any]:
    """``prediction.json`` as documented in docs/result-folder.md.

    Args:
        result: What was predicted.
        files: SHA-256 of the files beside it.

    Returns:
        Plain JSON values; no names, and no paths outside the folder.
    """
    network = result.network.to_json()
    grad_cam = network["grad_cam"]
    return {
        "schema": "pcnsl-survival/prediction",
        "schema_version": SCHEMA_VERSION,
        "research_use_only": RESEARCH_USE_ONLY,
        "probability_over_one_year": network["probability_over_one_year"],
        "class": network["class"],
        "decision_threshold": network["decision_threshold"],
        "log_odds": network["log_odds"],
        "member_probabilities": network["member_probabilities"],
        "probability_spread": network["probability_spread"],
        **({"survival_curve": network["survival_curve"]} if "survival_curve" in network else {}),
        "warnings": [message.to_json() for message in result.warnings],
        "model": result.model.to_json(),
        "activation_map": {
            "file": ACTIVATION_MAP,
            "note": _map_notes(result)[0],
            "explains": grad_cam["target"],
            "method": grad_cam["method"],
            "block": grad_cam["block"],
            "cells": grad_cam["cells"],
            "cell_size_mm": list(result.cell_size_mm),
            "scale": grad_cam["scale"],
            "unit": "value times scale is the raw map, in logits",
            "empty": grad_cam["empty"],
        },
        "activation_map_other_class": {
            "file": OTHER_MAP,
            "note": _map_notes(result)[1],
            "explains": result.network.other_target.key,
            "scale": float(result.network.other_map.max()),
            "empty": not result.network.other_map.any(),
        },
        "evidence": {**network["evidence"], "regional_attribution": result.attribution.to_json()},
        "lesion": _lesion_json(result),
        "familiarity": network["familiarity"],
        "clinical": None
        if result.clinical is None
        else result.clinical.to_json(result.network.os_class, prognostic_meaning=not result.model.demonstration),
        "explanation_checks": None if result.checks is None else result.checks.to_json(),
        "without_lesion": None if result.without_lesion is None else result.without_lesion.to_json(),
        "robustness": None if result.robustness is None else result.robustness.to_json(),
        "preprocessing": {
            "recipe": result.prepared.recipe.to_json(),
            "recipe_sha256": result.prepared.recipe.sha256,
            "brain_volume_ml": round(result.brain_volume_ml, 1),
            "brain_mask_given": result.options.brain_mask is not None,
            "already_stripped": result.options.already_stripped,
            "already_corrected": result.options.already_corrected,
            "already_registered": result.options.already_registered,
            "engines": {
                step.value: None if engine is None else engine.to_json() for step, engine in result.engines.items()
            },
            "quality_overridden": result.options.override_quality,
            "findings": [finding.to_json() for finding in result.prepared.findings],
        },
        "options": result.options.record(),
        "inputs": {sequence.value: _input_json(result, sequence) for sequence in result.inputs},
        "files_sha256": files,
        "runtime": network["runtime"],
        "test_time_augmentation": network["test_time_augmentation"],
        "device": network["device"],
        "precision": network["precision"],
        "seconds": dict(result.seconds),
        "software": software_versions(),
    }


def _lesion_json(result: CaseResult) -> dict[str, Any] | None:
    """What is measured on the lesion mask that the attribution used."""
    if result.lesion is None:
        return None
    foci = measure_foci(result.lesion, result.prepared.brain_mask)
    return {
        "source": "proposal" if result.lesion_is_proposed else "given",
        "volume_ml": round(volume_ml(result.lesion), 3),
        "foci": [
            {**focus_json(focus), "evidence": evidence}
            for focus, evidence in zip(foci, result.attribution.foci, strict=True)
        ],
    }


def software_versions() -> dict[str, str]:
    """Versions of this software and of what it computes with, as far as it is installed."""
    packages = {}
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):  # one of the two runtimes may be absent
            packages[name] = metadata.version(name)
    return {"pcnsl-survival": version.__version__, "python": platform.python_version(), **packages}


def _input_json(result: CaseResult, sequence: Any) -> dict[str, Any]:
    given = result.inputs[sequence]
    loaded = {} if result.before is None else result.before.loaded
    voxels = read_scan(loaded[sequence], sequence).image if sequence in loaded else result.prepared.native[sequence]
    return {
        "format": given.source_format,
        "size": list(given.grid.size),
        "spacing_mm": [round(mm, 4) for mm in given.grid.spacing_mm],
        "voxels_sha256": voxel_sha256(voxels),
        "plane_checksums": plane_checksums(voxels),
    }
