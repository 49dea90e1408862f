"""Where images know the outcome, networks beat the clinic and transfer beats scratch; where not, the clinic beats them.

The best possible AUC of these cohorts is known. Images: 1 with a lesion that shines in those who died within the year,
one half without. Clinic: of its variables only age knows anything; above 60 years are 14 of 20 short survivors and none
of the others, so that the best AUC of the flags is 0.5 + 0.7 / 2 = 0.85.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from made_cohorts import made_cohort

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.evaluation.comparison import TTest, compare
from PCNSLSurvivalLib.evaluation.out_of_fold import Estimate, out_of_fold_auc
from PCNSLSurvivalLib.evaluation.predictions import by_arm, read_predictions
from PCNSLSurvivalLib.experiment.jobs.outcomes import PREDICTIONS
from PCNSLSurvivalLib.experiment.plan import read_plan
from PCNSLSurvivalLib.experiment.run import Experiment, run_jobs

BEST_BY_CLINIC = 0.85
PLAN = """
virtual_patients: true
sequences: [t1gd]
initializations: [scratch, transfer]
baselines: [svm_clinical]
splits: 4
repeats: 1
model_arm: null
network: {depth: 10, widen_factor: 0.125}
network_grid: {size: [32, 32, 32], spacing_mm: [1.5, 1.5, 1.5]}
training: {epochs: EPOCHS, patience: 30, warmup_epochs: 2, batch_size: 8}
pretraining: {epochs: 40, patience: 40, warmup_epochs: 2, batch_size: 8, learning_rate: 3e-3}
finetuning: {epochs: EPOCHS, patience: 30, warmup_epochs: 2, batch_size: 8}
"""


def judged(root: Path, *, signal: float, epochs: int) -> tuple[dict[str, Estimate], TTest]:
    """Out-of-fold AUC of every arm, and the corrected test of transfer against scratch."""
    made_cohort(root / "ours", patients=32, seed=5, signal=signal, sequences=(MRSequence.T1GD,))
    made_cohort(root / "second", patients=48, seed=6, signal=signal, sequences=(MRSequence.T1GD,), prefix="B")
    (root / "plan.yaml").write_text(PLAN.replace("EPOCHS", str(epochs)), encoding="utf-8")
    ours, second = (read_prepared_cohort(root / name) for name in ("ours", "second"))
    experiment = Experiment(plan=read_plan(root / "plan.yaml"), cohort=ours, second=second, out=root / "out")
    summary = run_jobs(experiment, device="cpu")
    summary.raise_if_failed()
    folders = [job.folder(experiment.out) for job in summary.job_table.folds]
    arms = by_arm(one for folder in folders for one in read_predictions(folder / PREDICTIONS))
    found = {arm: out_of_fold_auc(folds) for arm, folds in arms.items()}
    print(found)
    return found, compare(arms["t1gd_transfer"], arms["t1gd_scratch"], "auc").corrected


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [8, 30])
def test_images_that_know_the_outcome_beat_the_clinic_and_transfer_needs_less_training(tmp_path, epochs):
    """Eight epochs are enough for transfer and not for a network from scratch; thirty are enough for both."""
    found, _ = judged(tmp_path, signal=2.0, epochs=epochs)
    transfer, scratch, clinic = (found[arm] for arm in ("t1gd_transfer", "t1gd_scratch", "svm_clinical"))
    assert clinic.low < BEST_BY_CLINIC < transfer.low
    assert transfer.value > clinic.value
    if epochs == 8:
        assert transfer.value > scratch.value + 0.1
    else:
        assert scratch.value > max(BEST_BY_CLINIC, clinic.value)


@pytest.mark.slow
def test_images_that_know_nothing_find_nothing_and_the_clinic_beats_them(tmp_path):
    found, transfer_against_scratch = judged(tmp_path, signal=0.0, epochs=8)
    assert transfer_against_scratch.p > 0.05
    for arm in ("t1gd_transfer", "t1gd_scratch"):
        assert found[arm].low <= 0.5 <= found[arm].high
        assert found[arm].value < found["svm_clinical"].value
    assert found["svm_clinical"].value > 0.7
