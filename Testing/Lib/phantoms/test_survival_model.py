"""What survival depends on is stated; these tests draw patients and hold them against the statement."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from PCNSLSurvivalLib.phantoms.clinical import ClinicalData
from PCNSLSurvivalLib.phantoms.cohort import CohortPatient, CohortPlan, draw_cohort, draw_patient
from PCNSLSurvivalLib.phantoms.cohort_files import over_one_year
from PCNSLSurvivalLib.phantoms.disease.diseases import Kind
from PCNSLSurvivalLib.phantoms.survival_model import SHARE_OVER_ONE_YEAR, expected_auc, survival_model


def auc(label: np.ndarray, score: np.ndarray) -> float:
    """Share of (positive, negative) pairs in the right order; ties count half. The definition, pair by pair."""
    gaps = score[label][:, None] - score[~label][None, :]
    return float((gaps > 0).mean() + 0.5 * (gaps == 0).mean())


@cache
def four_hundred(kind: Kind) -> list[CohortPatient]:
    return draw_cohort(CohortPlan(patients=400, seed=101, kind=kind))


@pytest.fixture(scope="module")
def many() -> list[CohortPatient]:
    return draw_cohort(CohortPlan(patients=1200, seed=5))


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("oracle_auc", [0.5, 0.7, 0.85, 0.95])
def test_drawn_patients_reach_the_stated_auc_and_no_more(kind, oracle_auc):
    model = survival_model(kind, oracle_auc)
    outcomes = [model.draw_outcome(one.seed, one.features, one.clinical) for one in four_hundred(kind)]
    plan = CohortPlan(patients=400, seed=101, kind=kind, oracle_auc=oracle_auc)
    assert [draw_patient(plan, number).outcome for number in (1, 2, 3)] == outcomes[:3]
    label = np.array([outcome.true_os_days > 365 for outcome in outcomes])
    risk = np.array([outcome.risk for outcome in outcomes])
    # Standard error of an AUC of 400 patients is below 0.03.
    assert auc(label, -risk) == pytest.approx(oracle_auc, abs=0.08)
    assert model.oracle_auc == pytest.approx(oracle_auc, abs=1e-6)
    assert label.mean() == pytest.approx(SHARE_OVER_ONE_YEAR[kind], abs=0.075)


def test_probabilities_are_calibrated(many):
    stated = np.array([member.outcome.probability_over_one_year for member in many])
    label = np.array([member.outcome.true_os_days > 365 for member in many])
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        chosen = (stated >= low) & (stated < high)
        assert label[chosen].mean() == pytest.approx(stated[chosen].mean(), abs=0.06)


def test_expected_auc_equals_the_pairwise_definition():
    random = np.random.default_rng(3)
    probability, ranking = random.uniform(size=60), np.round(random.normal(size=60), 1)
    pairs = probability[:, None] * (1 - probability[None, :])
    ahead = (ranking[:, None] > ranking[None, :]) + 0.5 * (ranking[:, None] == ranking[None, :])
    assert expected_auc(probability, ranking) == pytest.approx((pairs * ahead).sum() / pairs.sum(), rel=1e-9)


def test_the_scan_alone_reaches_less_than_everything_but_most_of_it():
    model = survival_model(Kind.PCNSL, 0.85)
    assert 0.79 < model.oracle_image_auc < 0.85


def test_the_volume_alone_leaves_something_for_a_reader_of_the_scan(many):
    model = survival_model(Kind.PCNSL, 0.85)
    assert 0.65 < model.oracle_volume_auc < model.oracle_image_auc - 0.1
    probability = np.array([member.outcome.probability_over_one_year for member in many])
    volume = np.array([member.features.volume_ml for member in many])
    assert expected_auc(probability, -volume) == pytest.approx(model.oracle_volume_auc, abs=0.03)


def test_no_other_auc_can_be_asked_for():
    with pytest.raises(ValueError, match=r"0\.5 and 0\.97"):
        survival_model(Kind.PCNSL, 0.99)


def test_short_survivors_have_blurred_boundaries(many):
    short, long = (
        np.median([m.features.boundary_mm for m in many if (m.outcome.true_os_days > 365) == over])
        for over in (False, True)
    )
    assert short > 1.3 * long


def test_fifty_six_patients_have_the_papers_balance_within_chance():
    counts = [
        sum(over_one_year(m) is True for m in draw_cohort(CohortPlan(patients=56, seed=seed))) for seed in range(12)
    ]
    # 30 of 56 expected, binomial standard deviation 3.7; the mean of 12 cohorts within three standard errors
    # and the few who are censored before a year.
    assert np.mean(counts) == pytest.approx(30 - 0.8, abs=3.2)


def test_a_patient_censored_within_the_year_has_no_class(many):
    early = [m for m in many if not m.outcome.death_observed and m.outcome.os_days <= 365]
    assert early
    assert all(over_one_year(member) is None for member in early)
    assert all(m.outcome.os_days <= m.outcome.true_os_days for m in many)


def test_a_larger_cohort_begins_with_the_smaller_one():
    small, large = (CohortPlan(patients=n, seed=9) for n in (3, 50))
    assert draw_cohort(small) == draw_cohort(large)[:3]
    assert draw_patient(small, 2) != draw_patient(CohortPlan(patients=3, seed=10), 2)


@pytest.mark.parametrize(
    ("age", "ecog", "ldh", "csf", "deep", "score"),
    [(61, 2, True, True, True, 5), (60, 1, False, False, False, 0), (70, 0, False, True, True, 3)],
)
def test_ielsg_score_is_the_sum_of_its_five_flags(age, ecog, ldh, csf, deep, score):
    clinical = ClinicalData(
        age_years=age, sex="female", ecog=ecog, ldh_elevated=ldh, csf_protein_elevated=csf, deep_structures=deep
    )
    assert clinical.ielsg_score == score


def test_ielsg_score_is_unknown_without_lumbar_puncture():
    clinical = ClinicalData(
        age_years=70, sex="male", ecog=3, ldh_elevated=True, csf_protein_elevated=None, deep_structures=True
    )
    assert clinical.ielsg_score is None
