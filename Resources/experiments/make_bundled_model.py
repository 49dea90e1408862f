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
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from fresh_patients import Judged, judge, performance, with_second_line

from PCNSLSurvivalLib.cohorts.prepared_cohort import COHORT_FILE, PreparedCohort, read_prepared_cohort
from PCNSLSurvivalLib.core.files import whole_folder
from PCNSLSurvivalLib.evaluation.out_of_fold import out_of_fold_auc
from PCNSLSurvivalLib.evaluation.predictions import by_arm, read_predictions
from PCNSLSurvivalLib.models.model_folder import bundled_model_path, read_model_folder
from PCNSLSurvivalLib.models.write_model_folder import rename_model

PLAN = Path(__file__).with_name("bundled.yaml")
ARM = "t1gd_transfer"
# Kind, patients, seed; training needs brains alone, the fresh patients are whole heads as a scanner gives them. Their
# seed is new: change it whenever its card was seen before the model was final.
COHORTS = {
    "pcnsl": ("pcnsl", 200, 2023, ["--stripped"]),
    "gbm": ("gbm", 240, 2020, ["--stripped"]),
    "fresh": ("pcnsl", 100, 2028, []),
}


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
    prepared = read_prepared_cohort(work / "prepared_fresh")
    rows = list(judge(model, prepared))
    card = with_second_line(model.card.rstrip(), rows) + "\n" + measured(rows, prepared, work)
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


def measured(rows: Sequence[Judged], prepared: PreparedCohort, work: Path) -> str:
    """Additional sections of the card: new patients, the map, all arms, permuted labels, the training time."""
    folders = [work / "experiment" / "jobs" / kind for kind in ("t1gd_pretraining", ARM)]
    jobs = [json.loads(p.read_text(encoding="utf-8")) for folder in folders for p in folder.rglob("job.json")]
    minutes = sum(job.get("seconds_of_this_run", 0.0) for job in jobs) / 60
    devices = sorted({job["device"] for job in jobs if "device" in job})
    patients, without = COHORTS["fresh"][1], len(prepared.exams) - len(rows)
    return f"""
## The ensemble on virtual patients from another seed

{patients} whole heads with the full preprocessing: {patients - len(prepared.exams)} \
rejected by quality checks, {without} censored before one year, {len(rows)} evaluated.

{performance(rows)}

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


if __name__ == "__main__":
    sys.exit(main())
