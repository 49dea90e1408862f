"""Prepared cohorts small enough for tests: brains of a few milliliters, with a lesion that knows the outcome."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk

from PCNSLSurvivalLib.cohorts.prepared_cohort import CASES_FOLDER, COHORT_FILE, COHORT_VERSION
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.io import write_volume
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE

EDGE = 40
SEQUENCES = (MRSequence.T1GD, MRSequence.T1, MRSequence.T2)


def made_cohort(
    folder: Path,
    *,
    patients: int = 12,
    censored: int = 0,
    seed: int = 0,
    signal: float = 3.0,
    sequences: tuple[MRSequence, ...] = SEQUENCES,
    prefix: str = "P",
) -> Path:
    """Write a prepared cohort as ``pcnsl-survival preprocess`` leaves it, half of each OS class.

    Args:
        folder: To write; made here.
        patients: With an OS class.
        censored: More patients, censored within the year.
        seed: Of everything drawn.
        signal: Brightness of the lesion of those who died within the year, in standard deviations of the brain.
        sequences: Scans of every patient.
        prefix: Of the names.
    """
    for name, content in _files(patients, censored, seed, signal, sequences, prefix).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@cache
def _files(
    patients: int, censored: int, seed: int, signal: float, sequences: tuple[MRSequence, ...], prefix: str
) -> dict[str, bytes]:
    """Every file of a cohort by its place: many tests ask for the same one, and compressing its scans is slow."""
    with TemporaryDirectory() as made:
        _write_cohort(Path(made), patients, censored, seed, signal, sequences, prefix)
        return {str(path.relative_to(made)): path.read_bytes() for path in Path(made).rglob("*") if path.is_file()}


def _write_cohort(
    folder: Path,
    patients: int,
    censored: int,
    seed: int,
    signal: float,
    sequences: tuple[MRSequence, ...],
    prefix: str,
) -> None:
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(patients + censored):
        short = number % 2 == 0
        name = f"{prefix}{number:03d}"
        _write_case(folder / CASES_FOLDER / name, rng, signal if short else 0.0, sequences)
        days = float(rng.integers(30, 360) if short or number >= patients else rng.integers(400, 2000))
        cases.append(
            {
                "name": name,
                "patient": name,
                "state": "prepared",
                "reason": "",
                "verdict": "good",
                "sequences": [str(s) for s in sequences],
                "has_lesion_mask": True,
                "os_days": days,
                "death_observed": number < patients and (short or bool(rng.integers(2))),
                "clinical": _clinical(rng, short),
                "aliases": [],
                "remarks": [],
                "t1gd_voxels_sha256": name,
            }
        )
    about = {
        "made_by": "pcnsl-survival preprocess",
        "version": COHORT_VERSION,
        "layout": "table",
        "recipe": RECIPE.to_json(),
        "recipe_sha256": RECIPE.sha256,
        "remarks": [],
        "cases": cases,
    }
    (folder / COHORT_FILE).write_text(json.dumps(about), encoding="utf-8")


def permute_outcomes(cohort: Path, seed: int) -> None:
    """Hand every patient the outcome of another, so that nothing can tell it."""
    path = cohort / COHORT_FILE
    about = json.loads(path.read_text(encoding="utf-8"))
    outcomes = [(case["os_days"], case["death_observed"]) for case in about["cases"]]
    for case, giver in zip(about["cases"], np.random.default_rng(seed).permutation(len(outcomes)), strict=True):
        case["os_days"], case["death_observed"] = outcomes[giver]
    path.write_text(json.dumps(about), encoding="utf-8")


def _write_case(folder: Path, rng: np.random.Generator, signal: float, sequences: tuple[MRSequence, ...]) -> None:
    folder.mkdir(parents=True)
    axis = np.arange(EDGE) - EDGE / 2
    k, j, i = np.meshgrid(axis, axis, axis, indexing="ij")
    half = np.array([14, 17, 13]) * rng.uniform(0.9, 1.1, 3)
    brain = (i / half[0]) ** 2 + (j / half[1]) ** 2 + (k / half[2]) ** 2 <= 1
    place, radius = rng.uniform(-5, 5, 3), rng.uniform(4, 6.5, 3)
    lesion = sum(((axis - c) / r) ** 2 for axis, c, r in zip((i, j, k), place, radius, strict=True)) <= 1
    lesion &= brain
    further = rng.spawn(1)[0]  # a further sequence changes nothing else of the patient
    for sequence in sequences:
        noise = rng if sequence in SEQUENCES else further
        values = noise.normal(0, 1, brain.shape) + lesion * signal
        write_volume(_image((values * brain).astype(np.float32)), folder / f"{sequence}_preprocessed.nii.gz")
    for name, mask in (("brain_mask", brain), ("brain_mask_preprocessed", brain), ("lesion_mask_preprocessed", lesion)):
        write_volume(_image(mask.astype(np.uint8)), folder / f"{name}.nii.gz")
    record = {"version": 1, "recipe_sha256": RECIPE.sha256, "t1gd_voxels_sha256": str(rng.integers(2**62))}
    (folder / "case.json").write_text(json.dumps(record), encoding="utf-8")


def _image(values: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetOrigin((-EDGE / 2,) * 3)
    return image


def _clinical(rng: np.random.Generator, short: bool) -> dict[str, object]:
    return {
        "age_years": float(rng.integers(40, 60) + (15 if short else 0)),
        "ecog": int(rng.integers(0, 3)),
        "ldh_elevated": bool(rng.integers(2)),
        "csf_protein_elevated": bool(rng.integers(2)),
        "deep_lesion": bool(rng.integers(2)),
        "ielsg_score": None,
    }
