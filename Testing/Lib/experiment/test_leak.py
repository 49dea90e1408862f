"""The leak test (negative control): no arm of the experiment may predict permuted outcomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_cohorts import made_cohort, permute_outcomes
from scipy import stats

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.evaluation.baselines.arms import BASELINE_ARMS
from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate, out_of_fold_auc
from PCNSLSurvivalLib.evaluation.predictions import by_arm, read_predictions
from PCNSLSurvivalLib.experiment.jobs.outcomes import PREDICTIONS
from PCNSLSurvivalLib.experiment.plan import read_plan
from PCNSLSurvivalLib.experiment.run import Experiment, run_jobs

PLAN = f"""
virtual_patients: true
initializations: [scratch, transfer]
baselines: [{", ".join(arm.name for arm in BASELINE_ARMS)}]
fusions: [t1gd_scratch]
model_arm: null
network: {{depth: 10, widen_factor: 0.125}}
network_grid: {{size: [32, 32, 32], spacing_mm: [1.5, 1.5, 1.5]}}
"""

SEEDS = 20


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


def aucs(
    root: Path,
    *,
    seed: int,
    permuted: bool,
    splits: int,
    repeats: int,
    patients: int,
    only: str | None = None,
    sequences: str = "t1gd",
    outcome: str = "class",
    censored: int = 0,
    epochs: int = 8,
) -> dict[str, Estimate]:
    """Out-of-fold AUC of every arm, or of one, with its interval, on cohorts whose images know the outcome."""
    cohorts = [
        made_cohort(
            root / name,
            patients=n,
            censored=censored,
            seed=100 * seed + number,
            prefix=name,
            sequences=tuple(MRSequence),
        )
        for number, (name, n) in enumerate((("ours", patients), ("second", 12)))
    ]
    if permuted:
        permute_outcomes(cohorts[0], seed)
    path = root / "plan.yaml"
    training = f"{{epochs: {epochs}, patience: 4, warmup_epochs: 1, batch_size: 8}}"
    trainings = "".join(f"{stage}: {training}\n" for stage in ("training", "pretraining", "finetuning"))
    path.write_text(
        f"{PLAN}{trainings}sequences: [{sequences}]\nsplits: {splits}\nrepeats: {repeats}\n"
        f"seed: {seed}\noutcome: {outcome}\n",
        encoding="utf-8",
    )
    ours, second = map(read_prepared_cohort, cohorts)
    plan = read_plan(path) if only is None else read_plan(path).of_arm(only)
    experiment = Experiment(plan=plan, cohort=ours, second=second, out=root / "out")
    summary = run_jobs(experiment, device="cpu")
    summary.raise_if_failed()
    arms = by_arm(
        one for job in summary.job_table.folds for one in read_predictions(job.folder(experiment.out) / PREDICTIONS)
    )
    assert set(arms) == set(plan.arm_names)
    return {arm: out_of_fold_auc(folds, resamples=500, seed=seed) for arm, folds in arms.items()}


@pytest.mark.parametrize("arm", ["svm_t1gd_radiomics", pytest.param(None, marks=pytest.mark.slow)])
def test_permuted_outcomes_are_found_by_no_arm(arm, tmp_path):
    """Quick for an arm whose positive control, below, passes at this size.

    The interval of a network trained for 4 epochs on 12 patients holds one half with true outcomes too. So networks
    are judged by the slow test of 20 seeds.
    """
    found = aucs(tmp_path, seed=4, permuted=True, only=arm, splits=3, repeats=1, patients=18, epochs=4)
    assert {arm for arm, auc in found.items() if not auc.low <= 0.5 <= auc.high} == set()


def test_permuted_survival_is_found_by_no_network_that_learns_from_time(tmp_path):
    size = {"splits": 3, "repeats": 1, "patients": 18, "censored": 6, "epochs": 4}
    found = aucs(tmp_path, seed=4, permuted=True, only="t1gd_scratch", outcome="time", **size)
    assert {arm for arm, auc in found.items() if not auc.low <= 0.5 <= auc.high} == set()


@pytest.mark.slow
@pytest.mark.parametrize(("outcome", "censored"), [("class", 0), ("time", 8)])
def test_permuted_outcomes_are_found_by_no_arm_in_20_seeds(tmp_path, capsys, outcome, censored):
    """Some 95 % intervals miss one half by chance; without a leak, 5 % of runs exceed one of the limits at most."""
    found: dict[str, list[Estimate]] = {}
    for seed in range(SEEDS):
        size = {"splits": 5, "repeats": 2, "patients": 24, "outcome": outcome, "censored": censored}
        aucs_of_seed = aucs(tmp_path / str(seed), seed=seed, permuted=True, sequences="t1, t2, t1gd", **size)
        for arm, auc in aucs_of_seed.items():
            found.setdefault(arm, []).append(auc)
    level = 0.05 / (2 * len(found))
    missed = {arm: sum(not auc.low <= 0.5 <= auc.high for auc in each) for arm, each in found.items()}
    above = {
        arm: stats.ttest_1samp([auc.value for auc in each], 0.5, alternative="greater") for arm, each in found.items()
    }
    with capsys.disabled():
        print(f"\narm                        intervals with one half of {SEEDS}   mean AUC   p of more than one half")
        for arm, each in found.items():
            mean = sum(auc.value for auc in each) / SEEDS
            print(f"{arm:26} {SEEDS - missed[arm]:2}   {mean:.3f}   {above[arm].pvalue:.3f}")
    assert max(missed.values()) <= stats.binom.isf(level, SEEDS, 0.05), missed
    assert min(test.pvalue for test in above.values()) > level, above


def test_outcomes_that_the_images_know_are_found_in_the_same_way(tmp_path):
    """Were the test above blind, it would pass as well."""
    arm = "svm_t1gd_radiomics"
    assert aucs(tmp_path, seed=4, permuted=False, splits=3, repeats=1, patients=18, only=arm)[arm].low > 0.5
