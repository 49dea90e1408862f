"""The baselines find a signal that is there, none that is not, and fit nothing outside the training cases."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from refusals import refused
from scipy import stats

from PCNSLSurvivalLib.cohorts.case import ClinicalVariables
from PCNSLSurvivalLib.cohorts.splits import Fold, repeated_stratified_folds
from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.evaluation.baselines import classifiers
from PCNSLSurvivalLib.evaluation.baselines.calibrated_svm import LEAST_SLOPE, fit_sigmoid
from PCNSLSurvivalLib.evaluation.baselines.classifiers import fit_classifier
from PCNSLSurvivalLib.evaluation.baselines.clinical import IELSG_VARIABLES, ielsg_score, ielsg_variables
from PCNSLSurvivalLib.evaluation.baselines.run import run_baseline
from PCNSLSurvivalLib.evaluation.baselines.table import BaselineTable
from PCNSLSurvivalLib.evaluation.out_of_fold import out_of_fold_auc, out_of_fold_metrics

KINDS = ("svm", "logistic")
COLUMNS = (1, 5, 60)
SEEDS = 20


def table(columns=5, *, seed=0, signal=0.0, n=56, unknown=0.1, censored=2):
    random = np.random.default_rng(seed)
    names = tuple(f"case{number:02}" for number in range(n + censored))
    os_class = random.permutation(np.arange(n) % 2)
    values = random.normal(size=(n + censored, columns))
    values[:n, 0] += signal * os_class
    values[random.uniform(size=values.shape) < unknown] = np.nan
    return BaselineTable(
        cases=names,
        os_class=dict(zip(names, os_class.tolist(), strict=False)),
        columns=tuple(f"variable {number}" for number in range(columns)),
        values=values,
    )


def folds(of, *, repeats=1, seed=0):
    names = tuple(of.os_class)
    return repeated_stratified_folds(names, names, [of.os_class[n] for n in names], repeats=repeats, seed=seed)


def run(of, kind="svm", **options):
    return [run_baseline("arm", kind, of, fold) for fold in folds(of, **options)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_that_is_there_is_found_with_unknown_values_and_censored_cases(kind):
    predictions = run(table(signal=2.5), kind)
    result = out_of_fold_metrics(predictions, resamples=200)
    assert result["auc"].low > 0.6
    assert 0.3 < result["calibration_slope"].value < 3
    assert all(one.censored == ("case56", "case57") for one in predictions)


@pytest.mark.parametrize(("kind", "columns"), [("logistic", 1), ("svm", 5), ("svm", 60)])
def test_labels_without_meaning_give_an_auc_interval_that_contains_one_half(kind, columns):
    result = out_of_fold_auc(run(table(columns, seed=columns), kind), resamples=200)
    assert result.low <= 0.5 <= result.high


@pytest.mark.slow
@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("kind", KINDS)
def test_labels_without_meaning_are_found_in_20_seeds_no_more_often_than_chance_allows(kind, columns):
    """Some 95 % intervals miss one half by chance; without a leak, 5 % of runs exceed one of the limits at most."""
    found = [
        out_of_fold_auc(run(table(columns, seed=seed), kind, repeats=2, seed=seed), resamples=500)
        for seed in range(SEEDS)
    ]
    missed = sum(not auc.low <= 0.5 <= auc.high for auc in found)
    above = stats.ttest_1samp([auc.value for auc in found], 0.5, alternative="greater").pvalue
    print(f"{kind}, {columns} columns: one half outside {missed} of {SEEDS} intervals, p of more {above:.3f}")
    level = 0.05 / (2 * len(KINDS) * len(COLUMNS))
    assert missed <= stats.binom.isf(level, SEEDS, 0.05)
    assert above > level


@pytest.mark.parametrize("kind", KINDS)
def test_defect_21_nothing_of_a_held_out_case_reaches_imputation_scaling_selection_tuning_or_calibration(kind):
    of = table(30, signal=1.0)
    fold = folds(of)[0]
    kept = fold.test[0]
    values = of.values.copy()
    others = [of.cases.index(case) for case in (*fold.test[1:], *of.without_class())]
    values[others] = np.random.default_rng(9).normal(1e3, 1e6, (len(others), 30))
    spoiled = BaselineTable(
        cases=of.cases,
        os_class={case: (1 - c if case in fold.test[1:] else c) for case, c in of.os_class.items()},
        columns=of.columns,
        values=values,
    )
    first, second = (run_baseline("arm", kind, one, fold) for one in (of, spoiled))
    assert first.probability[fold.test.index(kept)] == second.probability[fold.test.index(kept)]


def test_a_classifier_without_a_model_of_its_own_is_not_fitted_as_another_one():
    with pytest.raises(KeyError, match="cox"):
        fit_classifier("cox", np.random.default_rng(0).normal(size=(20, 5)), np.arange(20) % 2, seed=0)


@pytest.mark.parametrize("seed", range(4))
def test_probabilities_of_the_machine_keep_the_order_of_its_decisions_however_weak_the_signal(seed):
    """Noise in few cases: in each of these seeds the decisions of the inner folds run against the classes."""
    random = np.random.default_rng(seed)
    os_class = random.permutation(np.arange(20) % 2)
    fitted = fit_classifier("svm", random.normal(size=(20, 5)), os_class, seed=seed)
    patients = random.normal(size=(50, 5))
    decisions, probability = fitted.svm.decision_function(patients), fitted.predict_proba(patients)
    assert (np.argsort(decisions) == np.argsort(probability[:, 1])).all()
    assert list(fitted.classes_) == [0, 1]
    assert probability.sum(axis=1) == pytest.approx(1.0)
    assert (pickle.loads(pickle.dumps(fitted)).predict_proba(patients) == probability).all()


def test_a_sigmoid_that_is_right_is_found_and_one_that_would_turn_over_says_the_share_of_the_class():
    decisions = np.random.default_rng(1).normal(0, 0.2, 4000)
    os_class = (np.random.default_rng(2).uniform(size=4000) < 1 / (1 + np.exp(-(8 * decisions - 1)))).astype(int)
    found = fit_sigmoid(decisions, os_class)
    assert (found.slope / found.spread, found.intercept) == pytest.approx((8, -1), rel=0.1)
    turned = fit_sigmoid(-decisions, os_class)
    assert turned.slope == LEAST_SLOPE
    assert turned.probability(decisions) == pytest.approx(os_class.mean(), abs=0.01)


def test_defect_9_the_five_ielsg_variables_stand_once_each_and_performance_status_is_one_of_them():
    assert len(set(IELSG_VARIABLES)) == 5
    healthy = dict(age_years=50, ecog=1, ldh_elevated=False, csf_protein_elevated=False, deep_lesion=False)
    worse = dict(age_years=61, ecog=2, ldh_elevated=True, csf_protein_elevated=True, deep_lesion=True)
    patients = [ClinicalVariables(**healthy), *(ClinicalVariables(**{**healthy, name: worse[name]}) for name in worse)]
    assert ielsg_variables(patients).tolist() == [[0] * 5, *np.eye(5).tolist()]
    assert ielsg_score(patients)[:, 0].tolist() == [0, 1, 1, 1, 1, 1]


def test_limits_of_the_score_are_above_60_years_and_above_ecog_1():
    patients = [ClinicalVariables(age_years=60, ecog=1), ClinicalVariables(age_years=60.5, ecog=2)]
    assert ielsg_variables(patients)[:, :2].tolist() == [[0, 0], [1, 1]]


def test_what_the_clinic_does_not_know_stays_unknown_and_a_recorded_score_is_taken():
    patients = [ClinicalVariables(age_years=70), ClinicalVariables(ielsg_score=4)]
    assert np.isnan(ielsg_variables(patients)[0, 1:]).all()
    assert np.isnan(ielsg_score(patients)[0, 0])
    assert ielsg_score(patients)[1, 0] == 4


def test_defect_17_a_held_out_fold_with_one_class_is_predicted():
    of = table(signal=2.0)
    test = tuple(case for case, os_class in of.os_class.items() if os_class == 1)[:6]
    one_class = Fold(0, 0, train=tuple(case for case in of.os_class if case not in test), test=test)
    assert run_baseline("arm", "svm", of, one_class).probability.shape == (6,)


def test_a_training_fold_with_one_class_is_told_in_a_sentence():
    of = table()
    train = tuple(case for case, os_class in of.os_class.items() if os_class == 1)
    test = tuple(case for case in of.os_class if case not in train)
    with refused(EvaluationError, "baseline.few_training_cases", arm="arm", repeat=1, fold=1):
        run_baseline("arm", "svm", of, Fold(0, 0, train=train, test=test))


def test_a_variable_that_nobody_knows_is_told_by_name():
    with refused(EvaluationError, "baseline.unknown_column", column="ECOG > 1"):
        BaselineTable(cases=("a",), os_class={"a": 1}, columns=("ECOG > 1",), values=np.array([[np.nan]]))


def test_a_case_of_a_fold_that_the_table_lacks_is_told():
    of = table()
    with refused(EvaluationError, "baseline.case_not_in_table", case="unknown"):
        run_baseline("arm", "svm", of, Fold(0, 0, train=tuple(of.os_class), test=("unknown",)))


def test_the_same_fold_and_seed_give_the_same_probabilities():
    of = table(60)
    first, second = (run_baseline("arm", "svm", of, folds(of)[1]) for _ in range(2))
    assert (first.probability == second.probability).all()


def test_exams_of_one_patient_stay_on_one_side_of_the_inner_folds():
    patients = np.array([f"p{n // 2}" for n in range(24)])
    os_class = np.array([n // 2 % 2 for n in range(24)])
    for fit, judge in classifiers.inner_folds(patients, os_class, seed=1):
        assert not set(patients[fit]) & set(patients[judge])
        assert sorted((*fit, *judge)) == list(range(24))
        assert set(os_class[judge]) == {0, 1}
