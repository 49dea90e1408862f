"""Late fusion: what the regression of a fold is fitted on knows neither its own patients nor the held-out ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_cohorts import made_cohort
from refusals import refused

from PCNSLSurvivalLib.cohorts.prepared_cohort import read_prepared_cohort
from PCNSLSurvivalLib.cohorts.splits import repeated_stratified_folds
from PCNSLSurvivalLib.core.errors import EvaluationError, ExperimentError, FoldError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.evaluation.baselines.fusion import with_network
from PCNSLSurvivalLib.evaluation.baselines.run import run_baseline
from PCNSLSurvivalLib.evaluation.baselines.table import BaselineTable
from PCNSLSurvivalLib.evaluation.out_of_fold import out_of_fold_auc
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions, write_predictions
from PCNSLSurvivalLib.experiment.jobs.fusion import network_log_odds, pair_folds
from PCNSLSurvivalLib.experiment.jobs.outcomes import PREDICTIONS
from PCNSLSurvivalLib.experiment.jobs.table import build_job_table
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan

PLAN = ExperimentPlan(
    sequences=(MRSequence.T1GD,),
    initializations=("scratch",),
    baselines=("logistic_clinical",),
    fusions=("t1gd_scratch",),
    model_arm=None,
    splits=4,
    repeats=2,
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohorts") / "cohort"
    return read_prepared_cohort(made_cohort(folder, patients=16, censored=3, sequences=(MRSequence.T1GD,)))


@pytest.mark.parametrize(
    "plan", [PLAN, replace(PLAN, outcome="time"), replace(PLAN, baselines=(*PLAN.baselines, "cox_clinical"))]
)
def test_no_log_odds_of_a_training_patient_comes_from_a_network_that_knew_it_or_a_held_out_one(cohort, plan, tmp_path):
    table = build_job_table(plan, cohort, None)
    assert len(table.pairs) == 2 * 6
    knew = {}
    for number, job in enumerate((*table.pairs, *(job for job in table.folds if job.kind == "network"))):
        knew[number] = set(job.fold.train)
        others = [exam.name for exam in cohort.exams if exam.name not in knew[number]]
        judged = [name for name in others if cohort.exam(name).os_class() is not None]
        censored = [name for name in others if name not in judged]
        # Each network says its own number, so that it can be told whose log-odds a patient has.
        p = 1 / (1 + np.exp(-number / 10))
        one = FoldPredictions(
            arm=job.arm,
            repeat=job.fold.repeat,
            fold=job.fold.fold,
            cases=tuple(judged),
            os_class=np.array([int(cohort.exam(name).os_class()) for name in judged]),
            probability=np.full(len(judged), p),
            censored=tuple(censored),
            censored_probability=np.full(len(censored), p),
        )
        job.folder(tmp_path).mkdir(parents=True)
        write_predictions([one], job.folder(tmp_path) / PREDICTIONS)
    fusions = [job for job in table.folds if job.arm == "t1gd_scratch_clinical"]
    assert len(fusions) == 8
    for job in fusions:
        found = network_log_odds(job, tmp_path)
        assert set(found) == {exam.name for exam in cohort.exams}
        for case, log_odds in found.items():
            trained_on = knew[round(10 * log_odds)]
            assert case not in trained_on
            assert not trained_on & set(job.fold.test)
            assert trained_on < set(job.fold.train) if case in job.fold.train else trained_on == set(job.fold.train)


def test_a_fusion_is_done_again_where_its_networks_or_the_clinic_changed(cohort):
    def keys(plan=PLAN, of=cohort):
        return {job.key for job in build_job_table(plan, of, None).folds if job.kind == "fusion"}

    first = cohort.exams[0]
    older = replace(first, clinical=replace(first.clinical, age_years=99.0))
    assert keys() == keys(replace(PLAN, cohort="another name"))
    assert not keys() & keys(replace(PLAN, training=replace(PLAN.training, epochs=3)))
    assert not keys() & keys(of=replace(cohort, exams=(older, *cohort.exams[1:])))


def test_an_image_that_knows_more_than_the_clinic_adds_to_it_and_a_blind_one_does_not():
    random = np.random.default_rng(4)
    names = tuple(f"p{number:02}" for number in range(60))
    os_class = np.arange(60) % 2
    clinic = BaselineTable(
        cases=names,
        os_class=dict(zip(names, os_class.tolist(), strict=True)),
        columns=("clinic",),
        values=(random.normal(size=60) + 0.5 * os_class)[:, None],
    )
    folds = repeated_stratified_folds(names, names, os_class.tolist(), splits=3, repeats=1, seed=1)

    def auc(table):
        return out_of_fold_auc([run_baseline("arm", "logistic", table, fold) for fold in folds], resamples=50).value

    noise = random.normal(size=60)
    seeing, blind = ({n: float(v) for n, v in zip(names, noise + 2 * s * os_class, strict=True)} for s in (1, 0))
    assert auc(with_network(clinic, seeing)) > auc(clinic) + 0.1
    assert auc(with_network(clinic, blind)) < auc(clinic) + 0.05
    with refused(EvaluationError, "baseline.fusion_without_network", case="p00"):
        with_network(clinic, {name: 0.0 for name in names[1:]})


@pytest.mark.parametrize(
    ("entries", "code", "values"),
    [
        ({"fusions": ("t1_scratch",)}, "fusion_unknown", {"name": "t1_scratch", "known": ("t1gd_scratch",)}),
        ({"baselines": ("svm_clinical",)}, "fusion_needs_clinic", {"baseline": "logistic_clinical"}),
        ({"splits": 2}, "fusion_few_folds", {}),
        ({"split_by": "year", "repeats": 1}, "fusion_few_folds", {}),
    ],
)
def test_a_fusion_that_cannot_be_is_refused(entries, code, values):
    with refused(ExperimentError, f"plan.{code}", **values):
        replace(PLAN, **entries)


def test_two_sites_are_too_few_for_a_fusion():
    names = [f"p{number}" for number in range(8)]
    with refused(FoldError, "experiment.fusion_few_folds"):
        pair_folds(repeated_stratified_folds(names, names, [0, 1] * 4, splits=2, repeats=1, seed=1))
