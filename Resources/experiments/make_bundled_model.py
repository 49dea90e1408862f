"""Make the model that ships with this software: virtual patients, training, judgement on fresh ones, model card.

Usage: ``make bundled-model``, or ``python Resources/experiments/make_bundled_model.py [--work DIR] [--jobs N]``. Every
step is one of this software's own commands and goes on where it was stopped. What the card says is measured here, and
printed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from PCNSLSurvivalLib.cohorts.prepared_cohort import COHORT_FILE, PreparedCohort, read_prepared_cohort
from PCNSLSurvivalLib.core.files import whole_folder
from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.evaluation.classification import classification_metrics
from PCNSLSurvivalLib.evaluation.intervals import auc_interval
from PCNSLSurvivalLib.evaluation.out_of_fold import out_of_fold_auc
from PCNSLSurvivalLib.evaluation.predictions import by_arm, read_predictions
from PCNSLSurvivalLib.explain.checks.lesion import check_lesion
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.models.model_folder import ModelFolder, bundled_model_path, read_model_folder
from PCNSLSurvivalLib.models.write_model_folder import rename_model

PLAN = Path(__file__).with_name("bundled.yaml")
ARM = "t1gd_transfer"
# Kind, patients, seed; training needs brains alone, the fresh patients are whole heads as a scanner gives them. The
# demonstration patient is one of these (phantoms/demonstration.py).
COHORTS = {
    "pcnsl": ("pcnsl", 200, 2023, ["--stripped"]),
    "gbm": ("gbm", 240, 2020, ["--stripped"]),
    "fresh": ("pcnsl", 100, 2024, []),
}


@dataclass(frozen=True)
class Judged:
    """One fresh patient: what came true, what the model said, and where its map is strongest."""

    over_one_year: bool
    probability: float
    right: bool
    points_at_lesion: bool


def main() -> int:
    """Make the bundled model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/bundled_model"), help="folder of the cohorts, kept")
    parser.add_argument("--jobs", type=int, default=2, help="patients made and prepared at the same time")
    parser.add_argument("--out", type=Path, default=bundled_model_path(), help="model folder to make")
    args = parser.parse_args()
    work: Path = args.work
    for name, (kind, patients, seed, options) in COHORTS.items():
        whole = ["--layout", "table", "--sequences", "t1gd", "--jobs", str(args.jobs), *options]
        command("phantom", "--kind", kind, "--patients", patients, "--seed", seed, "--out", work / name, *whole)
        masks = ["--use-brain-masks"] if "--stripped" in options else []
        prepare = ("preprocess", work / name / "patients.csv", *masks, "--jobs", args.jobs)
        command(*prepare, "--out", work / f"prepared_{name}", may_stop_some=True)
    cohort, second = work / "prepared_pcnsl", work / "prepared_gbm"
    command("experiment", PLAN, "--cohort", cohort, "--pretrain-cohort", second, "--out", work / "experiment")
    permuted = permuted_cohort(cohort, work / "prepared_permuted")
    pretrained = next((work / "experiment" / "jobs" / "t1gd_pretraining").iterdir())
    command("experiment", PLAN, "--cohort", permuted, "--init-weights", pretrained, "--out", work / "permuted")
    model = read_model_folder(work / "experiment" / "model")
    card = model.card.rstrip() + "\n" + measured(model, work)
    with whole_folder(args.out, overwrite=True) as staging:
        shutil.copytree(model.path, staging, dirs_exist_ok=True)
        rename_model(staging, args.out.name, card=card)
    print(card)
    return 0


def command(*arguments: object, may_stop_some: bool = False) -> None:
    """Run one command of this software; it says itself what is wrong."""
    done = subprocess.run([sys.executable, "-m", "PCNSLSurvivalLib.cli", *map(str, arguments)], check=False)
    if done.returncode and not may_stop_some:
        raise SystemExit(done.returncode)


def permuted_cohort(cohort: Path, out: Path) -> Path:
    """The cohort with permuted outcomes, which nothing can predict."""
    about = json.loads((cohort / COHORT_FILE).read_text(encoding="utf-8"))
    outcomes = [(case["os_days"], case["death_observed"]) for case in about["cases"]]
    for case, giver in zip(about["cases"], np.random.default_rng(1).permutation(len(outcomes)), strict=True):
        case["os_days"], case["death_observed"] = outcomes[giver]
    if not out.is_dir():
        shutil.copytree(cohort, out, copy_function=os.link)
        (out / COHORT_FILE).unlink()
    (out / COHORT_FILE).write_text(json.dumps(about), encoding="utf-8")
    return out


def judge(model: ModelFolder, prepared: PreparedCohort) -> Iterator[Judged]:
    """What the ensemble says of each fresh patient whose outcome is known."""
    network = SurvivalNetwork(model, "cpu")
    grid = model.recipe.network_grid
    for patient in prepared.exams:
        os_class, lesion = patient.os_class(), patient.lesion_on(grid)
        if os_class is None:
            continue
        case = patient.network_input(model.sequences, grid)
        result = network.predict(case)
        pointing = check_lesion(result.raw_map, lesion, case[0] != 0, stride=result.stride_voxels)
        yield Judged(
            over_one_year=os_class is OSClass.OVER_ONE_YEAR,
            probability=result.probability_over_one_year,
            right=result.os_class is os_class,
            points_at_lesion=bool(pointing.numbers.get("hit")),
        )


def measured(model: ModelFolder, work: Path) -> str:
    """Additional sections of the card: all arms, permuted labels, new patients, the map, the training time."""
    prepared = read_prepared_cohort(work / "prepared_fresh")
    fresh = list(judge(model, prepared))
    truth, probability = [one.over_one_year for one in fresh], [one.probability for one in fresh]
    found = classification_metrics(truth, probability)
    low, high = auc_interval(truth, probability)
    right = [one for one in fresh if one.right]
    folders = [work / "experiment" / "jobs" / kind for kind in ("t1gd_pretraining", ARM)]
    jobs = [json.loads(p.read_text(encoding="utf-8")) for folder in folders for p in folder.rglob("job.json")]
    minutes = sum(job.get("seconds_of_this_run", 0.0) for job in jobs) / 60
    devices = sorted({job["device"] for job in jobs if "device" in job})
    patients, without = COHORTS["fresh"][1], len(prepared.exams) - len(fresh)
    return f"""
## The ensemble on virtual patients from another seed

{patients} whole heads with the full preprocessing: {patients - len(prepared.exams)} \
rejected by quality checks, {without} censored before one year, {len(fresh)} evaluated.

| | |
|---|---|
| AUC | {found["auc"]:.2f} ({low:.2f} to {high:.2f}) |
| Accuracy | {found["accuracy"]:.2f} |
| Brier score | {found["brier"]:.2f} |
| Calibration slope, intercept | {found["calibration_slope"]:.2f}, {found["calibration_intercept"]:.2f} |
| Pointing game (strongest map cell in the lesion dilated by the cell size), correct predictions \
| {share(right)} |
| the same, OS up to one year; over one year | {share([one for one in right if not one.over_one_year])}; \
{share([one for one in right if one.over_one_year])} |

## Comparison of arms, and negative control

Out-of-fold AUC of every arm, with observed outcomes and with permuted outcomes (negative control).

| | observed outcomes | permuted outcomes |
|---|---|---|
{every_arm(work)}

Training the model took {minutes:.0f} minutes on {os.cpu_count()} cores ({platform.machine()}, {", ".join(devices)}), \
without generating and preprocessing the scans. Made by `make bundled-model`.
"""


def every_arm(work: Path) -> str:
    """One row per arm of the experiment: its out-of-fold AUC with observed and with permuted outcomes."""
    observed, permuted = (
        by_arm(read_predictions(work / name / "results" / "predictions.csv")) for name in ("experiment", "permuted")
    )
    estimates = ((arm, out_of_fold_auc(observed[arm]), out_of_fold_auc(permuted[arm])) for arm in observed)
    return "\n".join(
        f"| {arm} | {found.value:.2f} ({found.low:.2f} to {found.high:.2f}) "
        f"| {chance.value:.2f} ({chance.low:.2f} to {chance.high:.2f}) |"
        for arm, found, chance in estimates
    )


def share(judged: list[Judged]) -> str:
    """How many of them have a map that points at the lesion: "91 % of 32"."""
    return f"{100 * np.mean([one.points_at_lesion for one in judged]):.0f} % of {len(judged)}" if judged else "none"


if __name__ == "__main__":
    sys.exit(main())
