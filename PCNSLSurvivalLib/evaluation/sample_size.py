"""What a number of patients can show, before anything is trained: precision of the AUC, and Riley's criteria."""

from __future__ import annotations

import math

from scipy import stats

from PCNSLSurvivalLib.evaluation.auc_test import detectable_difference

SHRINKAGE = 0.9
"""Least expected uniform shrinkage of a regression model: optimism of at most 10 %."""
MARGIN = 0.05
"""Widest margin of the estimated share of long survivors."""
_FROM_CHANCE_TO_PERFECT = 0.5
"""Difference in AUC that no two arms near 0.7 have."""


def auc_standard_error(auc: float, over: int, up_to: int) -> float:
    """The standard error of the AUC of a given model on new patients.

    Args:
        auc: Its true value.
        over: Patients with OS over the limit.
        up_to: Patients with OS up to the limit.

    References:
        Hanley and McNeil, The meaning and use of the area under a ROC curve, Radiology 143, 1982.
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (over - 1) * (q1 - auc**2) + (up_to - 1) * (q2 - auc**2)
    return math.sqrt(variance / (over * up_to))


def cross_validated_error(auc: float, over: int, up_to: int, splits: int) -> float:
    """The same for cross-validated arms: widened for overlapping training sets, as their intervals are."""
    return auc_standard_error(auc, over, up_to) * math.sqrt(1 + splits / (splits - 1))


def riley_patients(predictors: int, share: float, *, nagelkerke: float = 0.15) -> int:
    """Patients that a logistic regression needs: expected shrinkage of 0.9, and a share known to 0.05.

    Args:
        predictors: Its parameters, without the intercept.
        share: Share of the more frequent or the rarer class; both give the same number.
        nagelkerke: Expected Nagelkerke R², 0.15 where nothing is known.

    References:
        Riley et al., Calculating the sample size required for developing a clinical prediction model, BMJ 368, 2020.
        doi:10.1136/bmj.m441
    """
    most = 1 - (share**share * (1 - share) ** (1 - share)) ** 2
    r2 = nagelkerke * most
    for_shrinkage = predictors / ((SHRINKAGE - 1) * math.log(1 - r2 / SHRINKAGE))
    for_share = (float(stats.norm.ppf(0.975)) / MARGIN) ** 2 * share * (1 - share)
    return math.ceil(max(for_shrinkage, for_share))


def plan_in_words(over: int, up_to: int, splits: int, *, clinical_predictors: int = 0) -> str:
    """What the patients of an experiment can show, in sentences for a dry run.

    Args:
        over: Patients with OS over the limit.
        up_to: Patients with OS up to the limit.
        splits: Folds of a cross-validation.
        clinical_predictors: Variables of the clinical baselines; 0 without such.
    """
    if min(over, up_to) < 2:
        return ""
    margins = []
    for auc in (0.6, 0.7, 0.8):
        half = float(stats.norm.ppf(0.975)) * cross_validated_error(auc, over, up_to, splits)
        margins.append(f"{auc:.1f} within {max(auc - half, 0):.2f} to {min(auc + half, 1):.2f}")
    # Two arms whose errors correlate by one half, as those of methods on the same patients often do.
    difference = detectable_difference(cross_validated_error(0.7, over, up_to, splits))
    apart = (
        f"can be told apart (in 4 of 5 such studies) from a true difference of {difference:.2f} on."
        if difference <= _FROM_CHANCE_TO_PERFECT
        else f"cannot be told apart: that would take a true difference of {difference:.2f}."
    )
    told = (
        f"Sample size: {over} with OS over the limit, {up_to} not. Expected 95 % intervals of a cross-validated AUC: "
        f"{', '.join(margins)}. Two arms with an AUC near 0.7 and errors that correlate by 0.5 "
        f"{apart}"
    )
    if clinical_predictors:
        needed = riley_patients(clinical_predictors, over / (over + up_to))
        told += (
            f" A logistic regression of {clinical_predictors} clinical variables needs {needed} patients by Riley et "
            f"al. 2020 (shrinkage {SHRINKAGE:g}, Nagelkerke R² 0.15); there are {over + up_to}."
        )
    return told
