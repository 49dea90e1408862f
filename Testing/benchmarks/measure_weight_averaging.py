"""Does a running mean of the weights pay? The same cross-validations with and without it, on cohorts made from seeds.

Usage: ``python Testing/benchmarks/measure_weight_averaging.py [--seeds N] [--epochs N] [--kept SHARE ...]``
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Lib"))
from made_cohorts import made_cohort

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.evaluation.out_of_fold import out_of_fold_metrics
from PCNSLSurvivalLib.evaluation.predictions import by_arm, read_predictions
from PCNSLSurvivalLib.experiment.jobs.outcomes import PREDICTIONS
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.experiment.run import Experiment, run_jobs
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.settings import TrainingSettings

SIGNAL = 0.5
"""Brightness of the lesion of short survivors in standard deviations of the brain: not every patient is told right."""


def main() -> int:
    """Print a line for each cohort and kind of training, and their means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--patients", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--kept", type=float, nargs="+", default=[0.0, 0.8, 0.95], help="0 for none")
    args = parser.parse_args()
    found: dict[float, list[tuple[float, float]]] = {kept: [] for kept in args.kept}
    print(f"{'kept at each step':18} {'seed':>4} {'AUC':>6} {'Brier':>6}")
    with tempfile.TemporaryDirectory() as root:
        for seed in range(args.seeds):
            cohort = made_cohort(
                Path(root) / f"cohort{seed}",
                patients=args.patients,
                seed=seed,
                signal=SIGNAL,
                sequences=(MRSequence.T1GD,),
            )
            for kept in args.kept:
                found[kept].append(judged(cohort, Path(root) / f"{seed}_{kept}", kept, args.epochs, seed))
                auc, brier = found[kept][-1]
                print(f"{kept:<18g} {seed:4} {auc:6.3f} {brier:6.3f}", flush=True)
    print("\nmean and standard error over the cohorts")
    for kept, values in found.items():
        mean, error = np.mean(values, axis=0), np.std(values, axis=0, ddof=1) / np.sqrt(len(values))
        print(f"{kept:<18g} AUC {mean[0]:.3f} ({error[0]:.3f})  Brier {mean[1]:.3f} ({error[1]:.3f})")
    return 0


def judged(cohort: Path, out: Path, kept: float, epochs: int, seed: int) -> tuple[float, float]:
    """Out-of-fold AUC and Brier score of networks from scratch."""
    plan = ExperimentPlan(
        virtual_patients=True,
        sequences=(MRSequence.T1GD,),
        initializations=("scratch",),
        baselines=(),
        splits=4,
        repeats=1,
        seed=seed,
        model_arm=None,
        network=ResNetArchitecture(depth=10, widen_factor=0.125),
        network_grid=NetworkGridStep(size=(32, 32, 32), spacing_mm=(1.5, 1.5, 1.5)),
        training=replace(TrainingSettings(), epochs=epochs, warmup_epochs=2, weight_averaging=kept),
    )
    experiment = Experiment(plan=plan, cohort=read_prepared_cohort(cohort), second=None, out=out)
    summary = run_jobs(experiment, device="cpu")
    summary.raise_if_failed()
    folders = [job.folder(out) for job in summary.job_table.folds]
    (folds,) = by_arm(one for folder in folders for one in read_predictions(folder / PREDICTIONS)).values()
    metrics = out_of_fold_metrics(folds, seed=seed)
    return metrics["auc"].value, metrics["brier"].value


if __name__ == "__main__":
    sys.exit(main())
