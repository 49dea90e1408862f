"""Metrics weighted for censoring against scikit-survival's numbers, and out of fold against the same by hand."""

from __future__ import annotations

import numpy as np
import pytest

from PCNSLSurvivalLib.evaluation.censoring import auc_at, brier_at, integrated_brier, uno_concordance
from PCNSLSurvivalLib.evaluation.out_of_fold_survival import out_of_fold_survival
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

# Forty made patients, and what scikit-survival 0.28.0 gives for them: brier_score, integrated_brier_score,
# cumulative_dynamic_auc of 1 - S, and concordance_index_ipcw of 1 - S(365 days), each with the same patients as
# training and test set.
DAYS = np.array(
    [
        631.78,
        526.53,
        229.3,
        109.72,
        426.54,
        612.96,
        9.65,
        530.78,
        25.67,
        168.76,
        407.39,
        524.66,
        645.11,
        196.9,
        137.91,
        278.03,
        637.39,
        156.54,
        1095.31,
        93.38,
        252.69,
        124.98,
        63.14,
        763.07,
        775.13,
        204.08,
        1303.34,
        73.73,
        698.33,
        133.02,
        53.98,
        332.98,
        320.1,
        544.44,
        1340.11,
        746.73,
        709.4,
        178.12,
        691.95,
        539.08,
    ]
)
DIED = np.array(list("0111111111101110001101101001000011000110")) == "1"
TIMES = (183.0, 365.0, 730.0)
SURVIVAL = np.array(
    [
        [0.7975, 0.6369, 0.4056],
        [0.8476, 0.7191, 0.5171],
        [0.7295, 0.5332, 0.2843],
        [0.6244, 0.3908, 0.1528],
        [0.485, 0.2362, 0.0558],
        [0.6764, 0.4586, 0.2103],
        [0.769, 0.5922, 0.3507],
        [0.7957, 0.6339, 0.4018],
        [0.5635, 0.3185, 0.1015],
        [0.3768, 0.1427, 0.0204],
        [0.6498, 0.4232, 0.1791],
        [0.8398, 0.7059, 0.4983],
        [0.8139, 0.6631, 0.4397],
        [0.3845, 0.1486, 0.0221],
        [0.6614, 0.4385, 0.1922],
        [0.8786, 0.7724, 0.5967],
        [0.706, 0.4995, 0.2495],
        [0.8335, 0.6954, 0.4836],
        [0.7781, 0.6063, 0.3676],
        [0.761, 0.58, 0.3364],
        [0.7878, 0.6214, 0.3861],
        [0.6004, 0.3615, 0.1307],
        [0.703, 0.4952, 0.2452],
        [0.7734, 0.599, 0.3588],
        [0.6263, 0.3932, 0.1546],
        [0.5476, 0.3009, 0.0905],
        [0.8723, 0.7616, 0.58],
        [0.7307, 0.5348, 0.2861],
        [0.8161, 0.6668, 0.4446],
        [0.719, 0.5179, 0.2682],
        [0.8446, 0.7141, 0.5099],
        [0.6903, 0.4775, 0.228],
        [0.6992, 0.4899, 0.24],
        [0.7372, 0.5444, 0.2963],
        [0.8227, 0.6775, 0.4591],
        [0.7493, 0.5624, 0.3163],
        [0.8268, 0.6844, 0.4684],
        [0.8502, 0.7234, 0.5234],
        [0.6578, 0.4337, 0.1881],
        [0.8285, 0.6872, 0.4722],
    ]
)
BRIER = [0.1810285676158269, 0.20368691421600627, 0.20054732394548713]
INTEGRATED = 0.1988699402397977
AUC = [0.6797350945111102, 0.7523100677637795, 0.7371089712229453]
KAPLAN_MEIER_365 = 0.6532427786265385
UNO_UNTIL_730, UNO = 0.6742367350623392, 0.7018776930193265


def test_brier_scores_are_those_of_scikit_survival():
    found = [float(brier_at(DAYS, DIED, SURVIVAL[:, n], time)) for n, time in enumerate(TIMES)]
    np.testing.assert_allclose(found, BRIER, atol=1e-9)
    assert integrated_brier(found, TIMES) == pytest.approx(INTEGRATED, abs=1e-9)


def test_auc_at_a_time_is_that_of_scikit_survival():
    found = [float(auc_at(DAYS, DIED, SURVIVAL[:, n], time)) for n, time in enumerate(TIMES)]
    np.testing.assert_allclose(found, AUC, atol=1e-9)


def test_uno_s_c_index_is_that_of_scikit_survival():
    risk = 1 - SURVIVAL[:, 1]
    assert uno_concordance(DAYS, DIED, risk, until_days=730.0) == pytest.approx(UNO_UNTIL_730, abs=1e-9)
    assert uno_concordance(DAYS, DIED, risk) == pytest.approx(UNO, abs=1e-9)


def test_without_censoring_they_are_the_plain_metrics():
    every_case = np.ones(len(DAYS), dtype=bool)
    alive = DAYS > 365
    plain = np.mean((alive - SURVIVAL[:, 1]) ** 2)
    assert brier_at(DAYS, every_case, SURVIVAL[:, 1], 365) == pytest.approx(plain)


def arm(*, curves: bool, folds: int = 1, hold_censored: bool = True) -> list[FoldPredictions]:
    """The patients as held-out predictions; those censored within the year have no class."""
    names = [f"P{n:02}" for n in range(len(DAYS))]
    known = [n for n in range(len(DAYS)) if DIED[n] or DAYS[n] > 365]
    early = [n for n in range(len(DAYS)) if n not in known]
    found = []
    for fold in range(folds):
        mine = known[fold::folds]
        other = early[fold::folds] if hold_censored else early
        found.append(
            FoldPredictions(
                arm="made",
                repeat=0,
                fold=fold,
                cases=tuple(names[n] for n in mine),
                os_class=(DAYS[mine] > 365).astype(np.int64),
                probability=SURVIVAL[mine, 1],
                censored=tuple(names[n] for n in other),
                censored_probability=SURVIVAL[other, 1],
                days=TIMES if curves else (),
                survival=SURVIVAL[mine] if curves else None,
                censored_survival=SURVIVAL[other] if curves else None,
            )
        )
    return found


FOLLOW_UP = {f"P{n:02}": (float(DAYS[n]), bool(DIED[n])) for n in range(len(DAYS))}


def test_one_fold_that_holds_all_patients_back_gives_the_same_numbers():
    found = out_of_fold_survival(arm(curves=True), FOLLOW_UP, until_days=730.0, resamples=50)
    for n, time in enumerate(TIMES):
        assert found[f"brier_{time:g}"].value == pytest.approx(BRIER[n])
        assert found[f"auc_{time:g}"].value == pytest.approx(AUC[n])
        assert found[f"brier_{time:g}"].low < BRIER[n] < found[f"brier_{time:g}"].high
    assert found["brier_integrated"].value == pytest.approx(INTEGRATED)
    assert found["uno_c"].value == pytest.approx(UNO_UNTIL_730)


def test_calibration_is_mean_predicted_minus_observed_survival():
    found = out_of_fold_survival(arm(curves=True), FOLLOW_UP, resamples=50)
    # Observed survival by Kaplan and Meier: lifelines 0.30.3, KaplanMeierFitter, at 365 days.
    assert found["calibration_365"].value == pytest.approx(SURVIVAL[:, 1].mean() - KAPLAN_MEIER_365, abs=1e-6)


@pytest.mark.parametrize("hold_censored", [True, False], ids=["in a fold", "judged by every fold"])
def test_an_arm_of_classes_is_judged_at_their_limit_like_a_curve(hold_censored):
    by_class = out_of_fold_survival(arm(curves=False, folds=4, hold_censored=hold_censored), FOLLOW_UP, resamples=50)
    by_time = out_of_fold_survival(arm(curves=True, folds=4), FOLLOW_UP, resamples=50)
    assert set(by_class) == {"brier_365", "auc_365", "calibration_365", "uno_c"}
    assert by_class["brier_365"].value == pytest.approx(by_time["brier_365"].value)
    assert by_class["auc_365"].value == pytest.approx(by_time["auc_365"].value)


def test_a_case_without_known_follow_up_is_left_out():
    some = dict(list(FOLLOW_UP.items())[:30])
    assert out_of_fold_survival(arm(curves=True, folds=2), some, resamples=20)["brier_365"].value > 0
    assert out_of_fold_survival(arm(curves=True), {}) == {}
