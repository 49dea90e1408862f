"""What an experiment's report is told of its finished jobs."""

from __future__ import annotations

from dataclasses import replace

from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.experiment.jobs.job import Job
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.experiment.results import history_of


def test_the_report_is_told_which_training_also_learned_from_lesion_masks(tmp_path):
    plan = ExperimentPlan()
    plan = replace(plan, finetuning=replace(plan.finetuning, lesion_task=1.0, lesion_head=True))
    start = Job(kind="pretraining", arm="t1gd_pretraining", fold=None, decided_by={})
    found = {}
    for arm, before in (("t1gd_scratch", None), ("t1gd_transfer", start)):
        job = Job(kind="network", arm=arm, fold=Fold(0, 0, (), ()), decided_by={}, pretraining=before)
        job.folder(tmp_path).mkdir(parents=True)
        rows = "epoch,train_loss,validation_loss\n0,2.0,1.9\n1,1.5,1.2\n"
        (job.folder(tmp_path) / "history.csv").write_text(rows, encoding="utf-8")
        history = history_of(job, plan, tmp_path)
        assert (history.validation_loss, history.best_epoch) == ((1.9, 1.2), 1)
        found[arm] = (history.lesion_task, history.lesion_head)
    assert found == {"t1gd_scratch": (False, False), "t1gd_transfer": (True, True)}
