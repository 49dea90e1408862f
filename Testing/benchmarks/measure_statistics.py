"""Do intervals cover and tests reject as often as they say? Simulated cohorts of 56 and 150 patients.

Usage: ``make measure-statistics``, or ``python Testing/benchmarks/measure_statistics.py [--cohorts N]``. Two arms of
equal skill are cross-validated on each cohort (five folds, twice), so that the models vary with their training patients
as networks do: ridge regressions, which are stable, and the best of twenty predictors, whose choice is not. A test
should not call the arms different. An interval should hold the mean value over all cohorts (one half for the AUC
without skill), and what the cohort's own models reach on new patients.

Small networks trained on noise by Adam show what the published rule, the epoch with the highest AUC of the reported
fold, makes of no skill, and what the optimism meter says of it (``--cohorts 0`` prints this alone).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from PCNSLSurvivalLib.evaluation.auc_test import p_against_chance, paired_auc_test
from PCNSLSurvivalLib.evaluation.comparison import compare
from PCNSLSurvivalLib.evaluation.optimism import measure_optimism
from PCNSLSurvivalLib.evaluation.out_of_fold import out_of_fold_metrics

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simulated_arms import NEW_PATIENTS, REPEATS, SPLITS, simulated
from simulated_epochs import trained_without_skill

SETTINGS: dict[str, tuple[float, dict[str, bool]]] = {
    "no skill": (0.0, {}),
    "weak skill": (0.6, {}),
    "shared predictor": (0.6, {"shared": True}),
    "weak skill, best of 20 predictors": (0.6, {"selects": True}),
}


def main() -> int:
    """Print coverage and error rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=300, help="per setting")
    parser.add_argument("--resamples", type=int, default=400, help="bootstrap samples of every interval")
    parser.add_argument("--trainings", type=int, default=40, help="cohorts on which networks are trained")
    parser.add_argument("--epochs", type=int, default=250, help="of every network")
    parser.add_argument("--patients", type=int, nargs="+", default=[56, 150])
    args = parser.parse_args()
    print(f"{args.cohorts} cohorts per setting, {SPLITS} folds {REPEATS} times, {args.resamples} bootstrap samples")
    for number in args.patients:
        for name, (skill, kind) in SETTINGS.items() if args.cohorts else ():
            found: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
            rejected: dict[str, list[bool]] = defaultdict(list)
            for seed in range(args.cohorts):
                cohort = simulated(number, seed, skill, new_patients=NEW_PATIENTS, **kind)
                one, other = cohort.arms
                for metric, estimate in out_of_fold_metrics(one, resamples=args.resamples).items():
                    found[metric].append((estimate.value, estimate.low, estimate.high, cohort.on_new_patients[metric]))
                tested = compare(one, other, "auc")
                rejected["paper's t-test"].append(tested.paper.p < 0.05)
                rejected["corrected t-test"].append(tested.corrected.p < 0.05)
                rejected["paired AUC test"].append(paired_auc_test(one, other).p < 0.05)
                if skill == 0:
                    rejected["AUC against chance"].append(p_against_chance(one, permutations=999) < 0.05)
            print(
                f"\n{number} patients, {name}; the 95 % interval covers (mean over cohorts, own models on new patients)"
            )
            for metric, values in found.items():
                value, low, high, new = np.array(values).T
                truth = 0.5 if skill == 0 and metric == "auc" else np.nanmean(value)
                covers = [100 * np.mean((low <= true) & (true <= high)) for true in (truth, new)]
                print(f"  {metric:<24} mean {truth:6.3f}   covers {covers[0]:5.1f} %  {covers[1]:5.1f} %")
            for test, p in rejected.items():
                print(f"  {test:<24} rejects {100 * np.mean(p):5.1f} % at 5 %")
        if args.trainings:
            _print_optimism(number, args.trainings, args.epochs)
    return 0


def _print_optimism(patients: int, cohorts: int, epochs: int) -> None:
    """The published rule and this software's on networks without skill, and the meter beside the former."""
    ours, published, meter, above = [], [], [], []
    for seed in range(cohorts):
        arm = trained_without_skill(patients, seed, splits=SPLITS, repeats=REPEATS, epochs=epochs)
        found = measure_optimism(arm.kept, arm.held_out, permutations=200, seed=seed)
        ours.append(found.held_out.value)
        published.append(found.best_epoch.value)
        meter.append(found.best_epoch.without_skill.value)
        above.append(found.best_epoch.value > found.best_epoch.without_skill.high)
    print(f"\n{patients} patients, networks trained on noise, {cohorts} cohorts, {epochs} epochs: mean AUC over folds")
    for rule, values in (
        ("epoch of the highest AUC of the reported fold", published),
        ("  the same against permuted outcomes (the meter)", meter),
        ("epoch of the lowest validation loss", ours),
    ):
        print(f"  {rule:<48} {np.mean(values):.3f} (standard deviation over cohorts {np.std(values):.3f})")
    print(f"  above the meter's range (2.5 % expected)         {100 * np.mean(above):.1f} %")


if __name__ == "__main__":
    raise SystemExit(main())
