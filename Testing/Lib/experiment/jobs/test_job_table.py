"""A job's name holds a hash of what decides its numbers: nothing less, or old results would pass for new ones, and
nothing more, or finished work would be done again."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from made_cohorts import made_cohort
from refusals import refused

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.core.errors import EvaluationError, ExperimentError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.facts import experiment_facts
from PCNSLSurvivalLib.experiment.jobs.table import JobTable, build_job_table
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan

PLAN = ExperimentPlan(splits=2, repeats=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("cohorts")
    made_cohort(root / "pcnsl", patients=8, censored=2, seed=1)
    made_cohort(root / "brats", patients=4, seed=2, prefix="B")
    return root


@pytest.fixture
def root(made, tmp_path) -> Path:
    """Cohorts that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "cohorts"))


def job_table(root: Path, plan: ExperimentPlan = PLAN) -> JobTable:
    return build_job_table(plan, read_prepared_cohort(root / "pcnsl"), read_prepared_cohort(root / "brats"))


def arms_done_again(before: JobTable, after: JobTable) -> set[str]:
    known = {job.key for job in before.jobs}
    return {job.arm for job in after.jobs if job.key not in known}


def test_the_paper_s_grid_has_a_job_for_every_fold_of_every_arm_and_one_pretraining_a_sequence(root):
    jobs = job_table(root).jobs
    assert Counter(job.kind for job in jobs) == {"pretraining": 3, "network": 6 * 4, "baseline": 4 * 4}
    assert len({job.key for job in jobs}) == len({job.folder(root) for job in jobs}) == len(jobs)
    assert all((job.pretraining is not None) == job.arm.endswith("transfer") for job in jobs)


def test_every_arm_holds_back_the_same_patients_in_the_same_fold(root):
    held_back = {}
    for job in job_table(root).folds:
        assert held_back.setdefault((job.fold.repeat, job.fold.fold), job.fold.test) == job.fold.test


def test_the_same_plan_and_cohorts_give_the_same_keys(root):
    assert not arms_done_again(job_table(root), job_table(root))


@pytest.mark.parametrize(
    ("plan", "again"),
    [
        (replace(PLAN, cohort="another name", model_arm=None), set()),
        (replace(PLAN, baselines=(*PLAN.baselines, "svm_ielsg")), {"svm_ielsg"}),
        (replace(PLAN, baselines=(*PLAN.baselines, "cox_clinical")), {"cox_clinical"}),
        (replace(PLAN, radiomics_region="lesion"), set()),
        (replace(PLAN, radiomics_region="brain"), {f"svm_{s}_radiomics" for s in ("t1", "t2", "t1gd")}),
        (
            replace(PLAN, finetuning=replace(PLAN.finetuning, learning_rate=1e-4)),
            {"t1_transfer", "t2_transfer", "t1gd_transfer"},
        ),
        (replace(PLAN, training=replace(PLAN.training, epochs=3)), {"t1_scratch", "t2_scratch", "t1gd_scratch"}),
        (
            replace(PLAN, pretraining=replace(PLAN.pretraining, epochs=3)),
            {f"{s}_{what}" for s in ("t1", "t2", "t1gd") for what in ("pretraining", "transfer")},
        ),
    ],
    ids=[
        "name",
        "one more baseline",
        "a baseline that learns from time",
        "the region as it is",
        "another region",
        "fine-tuning",
        "from scratch",
        "pre-training",
    ],
)
def test_a_change_of_the_plan_repeats_what_depends_on_it_and_nothing_else(root, plan, again):
    assert arms_done_again(job_table(root), job_table(root, plan)) == again


def test_another_fit_of_the_lesion_head_repeats_the_networks_that_have_one_and_nothing_else(root, monkeypatch):
    plan = replace(PLAN, training=replace(PLAN.training, lesion_head=True))
    before, without = job_table(root, plan), job_table(root)
    monkeypatch.setattr("PCNSLSurvivalLib.training.settings._LESION_HEAD_REVISION", 3)
    assert arms_done_again(before, job_table(root, plan)) == {"t1_scratch", "t2_scratch", "t1gd_scratch"}
    assert not arms_done_again(without, job_table(root))


def test_a_changed_outcome_or_scan_repeats_the_jobs_of_that_cohort(root):
    before = job_table(root)
    record = root / "brats" / "cases" / "B001" / "case.json"
    record.write_text(record.read_text(encoding="utf-8").replace("}", ', "scan": "another"}'), encoding="utf-8")
    assert arms_done_again(before, job_table(root)) == {
        f"{s}_{what}" for s in ("t1", "t2", "t1gd") for what in ("pretraining", "transfer")
    }
    before = job_table(root)
    path = root / "pcnsl" / "cohort.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["cases"][0]["clinical"]["age_years"] = 81.0
    path.write_text(json.dumps(about), encoding="utf-8")
    assert arms_done_again(before, job_table(root)) == {"svm_clinical"}, "only clinical variables have changed"
    about["cases"][0]["os_days"] = 3000.0
    path.write_text(json.dumps(about), encoding="utf-8")
    assert arms_done_again(before, job_table(root)) == set(PLAN.arm_names)


def test_defect_8_a_cohort_in_another_folder_is_the_same_cohort(root, tmp_path):
    before = job_table(root)
    moved = Path(shutil.move(root, tmp_path / "elsewhere"))
    assert not arms_done_again(before, job_table(moved))
    assert str(tmp_path) not in json.dumps([job.decided_by for job in before.jobs])


def test_who_lacks_a_sequence_or_a_class_is_left_out_with_a_reason(root):
    cohort = read_prepared_cohort(root / "pcnsl")
    first, second, *others = cohort.exams
    without = (replace(first, sequences=(MRSequence.T1GD,)), replace(second, os_days=None, death_observed=None))
    people = build_job_table(
        replace(PLAN, initializations=("scratch",), model_arm=None), replace(cohort, exams=(*without, *others)), None
    ).patients
    assert people.left_out == {"P000": "No T1 and no T2.", "P001": "Survival is unknown."}
    assert [patient.name for patient in people.censored] == ["P008", "P009"]
    assert len(people.labeled) == 6


def test_lesion_masks_that_only_some_have_are_refused_with_names_before_anything_is_trained(root):
    path = root / "pcnsl" / "cohort.json"
    about = json.loads(path.read_text(encoding="utf-8"))
    about["cases"][3]["has_lesion_mask"] = False
    path.write_text(json.dumps(about), encoding="utf-8")
    with refused(EvaluationError, "radiomics.lesion_masks_missing", count=1, patients=10, names="P003"):
        job_table(root)
    assert job_table(root, replace(PLAN, radiomics_region="brain")).radiomics_region == "brain"
    assert job_table(root, replace(PLAN, baselines=("svm_clinical",))).radiomics_region is None


def test_a_pretraining_on_phantoms_is_told(root):
    cohort, second = read_prepared_cohort(root / "pcnsl"), read_prepared_cohort(root / "brats")
    for virtual in (False, True):
        laid_out = build_job_table(PLAN, cohort, replace(second, virtual=virtual))
        told = experiment_facts(PLAN, laid_out, cohort.recipe).pretraining
        assert ("4 exams of a second cohort of virtual patients, none" in told) == virtual


def test_patients_censored_early_count_in_a_pretraining_on_time(root):
    cohort, second = read_prepared_cohort(root / "brats"), read_prepared_cohort(root / "pcnsl")
    for outcome, told in (("class", "OS classes on 8"), ("time", "intervals of survival on 10")):
        plan = replace(PLAN, outcome=outcome)
        facts = experiment_facts(plan, build_job_table(plan, cohort, second), cohort.recipe)
        assert f"a network trained for the same {told} exams" in facts.pretraining


def test_scans_and_the_block_of_networks_are_told_only_where_they_were_used(root):
    cohort = read_prepared_cohort(root / "pcnsl")
    for baselines, scans in ((("svm_clinical",), False), (("svm_t1_radiomics",), True)):
        plan = replace(PLAN, sequences=(), model_arm=None, baselines=baselines)
        told = " ".join(experiment_facts(plan, build_job_table(plan, cohort, None), cohort.recipe).preparation)
        assert ("N4" in told) == scans
        assert "network" not in told
    assert "network" in " ".join(experiment_facts(PLAN, job_table(root), cohort.recipe).preparation)


def test_methods_that_learn_classes_have_no_patient_without_a_class_where_cox_has(root):
    laid_out = job_table(root, replace(PLAN, baselines=("svm_clinical", "cox_clinical")))
    labeled = {exam.name for exam in laid_out.patients.labeled}
    for job in laid_out.folds:
        assert ({*job.fold.train, *job.fold.test} == labeled) == (job.arm != "cox_clinical")


def test_transfer_without_a_second_cohort_is_refused(root):
    with refused(ExperimentError, "experiment.no_pretraining_cohort"):
        build_job_table(PLAN, read_prepared_cohort(root / "pcnsl"), None)
