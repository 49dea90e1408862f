"""``outcome: time`` from the experiment file to a model folder whose curve predict reads."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from made_cohorts import made_cohort

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.errors import ExperimentError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan, read_plan
from PCNSLSurvivalLib.experiment.results import write_results
from PCNSLSurvivalLib.experiment.run import Experiment, run_jobs
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.models.model_folder import read_model_folder
from PCNSLSurvivalLib.models.networks.time_head import TimeHead

PLAN = """
outcome: time
virtual_patients: true
sequences: [t1gd]
initializations: [scratch]
baselines: [svm_clinical]
model_arm: t1gd_scratch
splits: 2
repeats: 1
network: {depth: 10, widen_factor: 0.125}
network_grid: {size: [32, 32, 32], spacing_mm: [1.5, 1.5, 1.5]}
training: {epochs: 1, batch_size: 8}
"""


def plan_of(path, text):
    path.write_text(text, encoding="utf-8")
    return read_plan(path)


def test_an_experiment_on_time_ends_in_a_model_with_a_survival_curve(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    cohort = read_prepared_cohort(
        made_cohort(tmp_path / "cohort", patients=12, censored=4, sequences=(MRSequence.T1GD,))
    )
    plan = plan_of(tmp_path / "plan.yaml", PLAN)
    experiment = Experiment(plan=plan, cohort=cohort, second=None, out=tmp_path / "out")
    summary = run_jobs(experiment, device="cpu")
    summary.raise_if_failed()
    write_results(experiment, summary)
    model = read_model_folder(tmp_path / "out" / "model")
    assert model.architecture.time_head == TimeHead()
    exam = cohort.exams[0]
    result = SurvivalNetwork(model, "cpu").predict(exam.network_input(model.sequences, model.recipe.network_grid))
    assert result.survival is not None
    assert result.survival.survival_probability[2] == pytest.approx(result.probability_over_one_year)
    methods = (tmp_path / "out" / "results" / "methods.txt").read_text(encoding="utf-8")
    assert "negative log-likelihood of survival in intervals ending at days 183, 365, 730 and 1095" in methods
    assert "methods that learn from time trained on them" in methods
    with (tmp_path / "out" / "results" / "survival_over_time.csv").open(encoding="utf-8", newline="") as file:
        metrics = {(row["arm"], row["metric"]) for row in csv.DictReader(file)}
    assert {("t1gd_scratch", "brier_integrated"), ("t1gd_scratch", "calibration_730")} < metrics
    assert ("svm_clinical", "brier_365") in metrics
    assert ("svm_clinical", "brier_730") not in metrics
    with (tmp_path / "out" / "folds.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert [row["os_class"] for row in rows].count("") == 4
    with (tmp_path / "out" / "left_out.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == []


def test_the_folds_of_patients_with_a_class_are_those_of_a_class_experiment(tmp_path):
    cohort = read_prepared_cohort(
        made_cohort(tmp_path / "cohort", patients=12, censored=4, sequences=(MRSequence.T1GD,))
    )
    tables = {}
    for outcome in ("class", "time"):
        plan = plan_of(tmp_path / "plan.yaml", PLAN.replace("outcome: time", f"outcome: {outcome}"))
        tables[outcome] = Experiment(plan=plan, cohort=cohort, second=None, out=tmp_path / "out").job_table
    labeled = {exam.name for exam in tables["class"].patients.labeled}
    pairs = list(zip(tables["class"].folds, tables["time"].folds, strict=True))
    assert [by_class.fold for by_class, _ in pairs] == [by_time.fold.only(labeled) for _, by_time in pairs]
    assert not {job.key for job in tables["class"].folds} & {job.key for job in tables["time"].folds}


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ("outcome: time\nintervals_days: [183, 730]", "must hold 'threshold_days'"),
        ("outcome: time\nintervals_days: [365, 183]", "survival curve"),
        ("outcome: days", "must be one of class, time"),
        ("network: {depth: 10, time_head: {limits_days: [365, 730]}}", "follows from 'outcome'"),
        ("outcome: time\ntraining: {class_weights: true}", "outcome: time"),
    ],
)
def test_intervals_and_settings_that_do_not_fit_are_refused(tmp_path, entries, reason):
    with pytest.raises(ExperimentError, match=reason):
        plan_of(tmp_path / "plan.yaml", entries)


def test_a_plan_on_time_is_written_and_read_again(tmp_path):
    plan = ExperimentPlan(outcome="time", intervals_days=(90.0, 365.0, 1000.0))
    assert plan_of(tmp_path / "plan.yaml", plan.to_yaml()) == plan
    assert np.isclose(plan.architecture.time_head.class_days, 365)
