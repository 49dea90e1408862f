"""The walk from the published recipe to the clean one reports more than is true until the last defect is repaired."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from walk_defects import draw_cohort, recipes, walk


def test_each_recipe_repairs_one_defect_more_and_only_the_clean_one_reports_what_is_true():
    repairs = [sum(value is True for value in vars(recipe).values()) for recipe in recipes()]
    assert repairs == list(range(7))
    found = np.array([walk(draw_cohort(seed, 0.0), seed, epochs=15) for seed in range(3)]).mean(axis=0)
    reported, true = found.T
    assert np.abs(true - 0.5).max() < 0.06, "nothing can be known"
    assert (reported - true)[:4].min() > 0.2, "best values of earlier folds, and the reported fold chooses"
    assert reported[0] > 0.7
    assert abs(reported[-1] - 0.5) < 0.2
    assert reported[-2] > reported[-1]


def test_a_network_learns_only_with_its_own_optimizer_and_schedule():
    true = dict(
        zip((recipe.name.split(":")[0] for recipe in recipes()), walk(draw_cohort(1, 3.0), 1, epochs=15), strict=True)
    )
    assert true["5"][1] > true["published code"][1] + 0.1
    assert true["4"][1] > 0.8
