"""Survival and calibration statistics of one made data set, beside what lifelines 0.30 and statsmodels 0.15 give.

The reference numbers come from ``KaplanMeierFitter`` (with its exponential Greenwood limits), ``logrank_test``,
``concordance_index``, ``Logit`` and ``GLM`` with an offset, on the very arrays below. Neither package is needed here.
"""

from __future__ import annotations

import numpy as np
import pytest

from PCNSLSurvivalLib.evaluation.classification import classification_metrics
from PCNSLSurvivalLib.evaluation.survival import concordant_pairs, kaplan_meier, log_rank_test


def _numbers(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=float)


DAYS = _numbers(
    """
    60 210 90 390 510 930 990 1500 1200 210 300 960 90 120 270 990 1500 300 660 510 1500 360 690 450 120 270 960
    630 270 840 810 690 810 450 540 780 720 930 480 420 540 210 240 120 30 1500 1140 630 120 840 300 570 150 60
    240 1500 30 390 780 660
    """
)
DIED = _numbers(
    """
    1 1 1 1 1 1 0 1 1 0 1 0 1 1 1 1 0 0 0 1 1 1 1 0 0 1 1 1 1 1 1 1 0 1 1 1 1 1 1 0 1 0 1 1 1 1 1 0 1 1 0 1 0 0 1
    0 1 1 1 1
    """
)
GROUP = _numbers(
    """
    0 0 0 0 1 0 1 1 0 1 0 0 0 0 0 1 1 1 0 1 1 0 0 1 0 0 1 0 0 0 1 0 0 0 0 1 0 1 0 0 1 0 0 0 0 1 1 0 1 1 0 1 0 0 0
    0 0 0 1 1
    """
)
RISK = _numbers(
    """
    -0.4 -2.1 1.8 0.5 -1.4 -0.4 -0.5 -3.1 -1.3 -1.1 -0.7 -1.7 -0.7 -1.4 0.9 -2.3 0.4 -0.1 -0.6 -0.3 -0.9 0.1 -1.4
    -0.6 0.2 -1.2 -1.8 0.9 1.6 -0.1 -2.0 0.6 0.8 -1.1 -2.0 0.4 -1.5 -1.7 -1.3 -1.1 -1.7 1.0 -0.2 0.7 -0.7 -0.8
    -0.9 -1.6 -0.8 0.1 0.9 -1.1 1.4 1.1 -1.5 -2.0 1.8 -1.2 -1.3 0.1
    """
)
PROBABILITY = _numbers(
    """
    0.515 0.687 0.316 0.332 0.897 0.365 0.434 0.725 0.241 0.549 0.602 0.339 0.191 0.672 0.785 0.551 0.648 0.923
    0.218 0.302 0.689 0.384 0.689 0.393 0.266 0.251 0.337 0.699 0.222 0.469 0.68 0.45 0.659 0.117 0.618 0.26 0.537
    0.413 0.431 0.76 0.284 0.525 0.815 0.137 0.645 0.702 0.818 0.395 0.906 0.934 0.627 0.524 0.366 0.869 0.217
    0.621 0.305 0.555 0.694 0.478
    """
)
OS_CLASS = _numbers(
    """
    0 0 1 1 1 1 1 0 0 1 0 0 0 0 1 0 1 1 0 1 0 0 0 0 0 0 0 1 0 1 0 1 1 0 0 0 0 0 1 1 0 0 0 0 1 0 1 1 1 1 1 1 0 1 0
    0 0 1 1 0
    """
)


@pytest.mark.parametrize(
    ("day", "survival", "low", "high"),
    [
        (90, 0.9160714285714286, 0.8100097414809179, 0.9641875556388597),
        (365, 0.7175814425148943, 0.5801705037194012, 0.8168527261061317),
        (730, 0.4260004783163262, 0.28756612259497805, 0.5575265515366845),
    ],
)
def test_kaplan_meier_and_its_limits(day, survival, low, high):
    curve = kaplan_meier(DAYS, DIED)
    at = np.searchsorted(curve.days, day, side="right") - 1
    assert (curve.survival[at], curve.low[at], curve.high[at]) == pytest.approx((survival, low, high), abs=1e-6)
    assert curve.median_days() == 660.0


def test_log_rank_test():
    """By permutation here, by the chi-squared distribution there, which is an approximation for 60 patients."""
    assert log_rank_test(DAYS, DIED, GROUP).p == pytest.approx(0.01291, abs=0.006)


def test_c_index():
    concordant, comparable = concordant_pairs(DAYS, DIED, RISK)
    assert concordant / comparable == pytest.approx(0.5990639625585024, abs=1e-6)


def test_calibration_slope_and_intercept():
    found = classification_metrics(OS_CLASS, PROBABILITY)
    assert found["calibration_slope"] == pytest.approx(0.9374965553494022, abs=1e-6)
    assert found["calibration_intercept"] == pytest.approx(-0.4162762305434751, abs=1e-6)
