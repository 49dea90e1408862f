"""``outcome: time`` from the experiment file to a model folder whose curve predict reads."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from made_cohorts import made_cohort
from refusals import refused

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.errors import ExperimentError, FoldError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.jobs.table import build_job_table
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


def test_an_experiment_on_time_ends_in_a_model_with_a_survival_curve(tmp_path, no_figures, monkeypatch):
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
    assert model.training_patients == 16
    assert "| Training patients | 16 virtual patients |" in model.read_card()
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


@pytest.fixture(scope="module")
def sixteen(tmp_path_factory):
    """Twelve patients with a class and four censored, P012 to P015; sites A to C, years from 2010."""
    folder = tmp_path_factory.mktemp("sixteen") / "cohort"
    cohort = read_prepared_cohort(made_cohort(folder, patients=12, censored=4, sequences=(MRSequence.T1GD,)))
    exams = [
        replace(exam, clinical=replace(exam.clinical, site="ABC"[n // 2 % 3], scan_year=2010 + n // 2 % 6))
        for n, exam in enumerate(cohort.exams)
    ]
    return replace(cohort, exams=tuple(exams))


def changed(cohort, name, *, patient=None, **clinical):
    """The cohort with other facts about one exam."""
    return replace(
        cohort,
        exams=tuple(
            replace(exam, patient_id=patient or exam.patient_id, clinical=replace(exam.clinical, **clinical))
            if exam.name == name
            else exam
            for exam in cohort.exams
        ),
    )


def folds_of(cohort, **entries):
    plan = ExperimentPlan(
        sequences=(), model_arm=None, baselines=("cox_clinical",), splits=3, repeats=1, initializations=(), **entries
    )
    return [job.fold for job in build_job_table(plan, cohort, None).folds]


@pytest.mark.parametrize(
    ("split_by", "missing", "code"),
    [("site", "site", "folds.group_unknown"), ("year", "scan_year", "folds.year_unknown")],
)
def test_a_censored_exam_of_unknown_site_or_year_is_refused_as_any_other(sixteen, split_by, missing, code):
    for name in ("P001", "P013"):
        with refused(FoldError, code, count=1, exam=name):
            folds_of(changed(sixteen, name, **{missing: None}), split_by=split_by)


def test_a_censored_patient_is_held_out_with_the_site_or_the_years_of_the_first_exam(sixteen):
    sites = {"P012": "A", "P013": "A", "P014": "B", "P015": "B"}
    by_site = folds_of(sixteen, split_by="site")
    assert [{name for name in fold.test if name in sites} for fold in by_site] == [
        {"P012", "P013"},
        {"P014", "P015"},
        set(),
    ]
    moved = changed(sixteen, "P015", patient="P013")  # another exam of P013, at site B: P013 stays in A
    assert "P015" in folds_of(moved, split_by="site")[0].test
    again = changed(sixteen, "P014", patient="P002")  # of P002, who is of site B and has a class
    assert "P014" in folds_of(changed(again, "P014", site="C"), split_by="site")[1].test
    second = changed(sixteen, "P004", patient="P000")  # a second exam with a class at site C of P000, who is of site A
    held_out = folds_of(changed(changed(second, "P012", site="C"), "P013", site="C"), split_by="site")
    assert {"P000", "P004"} <= set(held_out[0].test)
    assert not {"P012", "P013"} & set(held_out[0].test)
    assert {"P012", "P013"} <= set(held_out[2].test)
    late = changed(changed(sixteen, "P013", scan_year=2015), "P015", scan_year=2015)
    (fold,) = folds_of(late, split_by="year")
    assert {"P013", "P015"} == {name for name in fold.test if name in sites}
    (fold,) = folds_of(changed(late, "P015", patient="P012"), split_by="year")  # P012 was first seen in 2010
    assert {"P013"} == {name for name in fold.test if name in sites}


def test_a_site_whose_patients_were_all_censored_is_trained_on_in_every_fold(sixteen):
    folds = folds_of(changed(changed(sixteen, "P012", site="D"), "P013", site="D"), split_by="site")
    assert len(folds) == 3
    assert all({"P012", "P013"} <= set(fold.train) for fold in folds)


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
    assert {job.key for job in tables["class"].folds} & {job.key for job in tables["time"].folds} == {
        job.key for job in tables["class"].folds if job.arm == "svm_clinical"
    }


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ("outcome: time\nintervals_days: [183, 730]", Message("plan.intervals_without_threshold", days=365)),
        ("outcome: time\nintervals_days: [365, 183]", Message("plan.intervals", most=12)),
        ("outcome: time\nintervals_days: [365]", Message("plan.intervals", most=12)),
        ("baselines: [cox_clinical]\nintervals_days: [365, 183]", Message("plan.intervals", most=12)),
        ("outcome: days", Message("entry.no_choice", known=("class", "time"), found="'days'")),
        ("network: {depth: 10, time_head: {limits_days: [365, 730]}}", Message("plan.time_head")),
        (
            "outcome: time\ntraining: {class_weights: true}",
            Message("settings.unusable", wanted=Message("settings_need.time_alone")),
        ),
    ],
)
def test_intervals_and_settings_that_do_not_fit_are_refused(tmp_path, entries, reason):
    of_one_entry = reason.code.startswith("entry.")
    with refused(ExperimentError, "plan_file.entry" if of_one_entry else "plan_file.unusable", reason=reason):
        plan_of(tmp_path / "plan.yaml", entries)


def test_a_plan_on_time_is_written_and_read_again(tmp_path):
    plan = ExperimentPlan(outcome="time", intervals_days=(90.0, 365.0, 1000.0))
    assert plan_of(tmp_path / "plan.yaml", plan.to_yaml()) == plan
    assert np.isclose(plan.architecture.time_head.class_days, 365)
