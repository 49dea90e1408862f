"""Cox regression against lifelines; and it learns from the training side alone, censored patients included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from refusals import refused

from PCNSLSurvivalLib.cohorts.splits import Fold
from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.evaluation.baselines.cox import RidgeCox, fit_cox
from PCNSLSurvivalLib.evaluation.baselines.run import run_baseline
from PCNSLSurvivalLib.evaluation.baselines.table import BaselineTable

# Forty made patients with tied days, and what lifelines 0.30.3 gives for them: CoxPHFitter without penalty.
VALUES = np.array(
    [
        [2.041, -2.556],
        [0.418, -0.568],
        [-0.453, -0.216],
        [-2.02, -0.232],
        [-0.865, 3.323],
        [0.226, -0.353],
        [-0.281, -0.668],
        [-1.055, -0.391],
        [0.482, -0.239],
        [0.958, -0.2],
        [0.024, 1.546],
        [0.545, -0.505],
        [-0.183, 0.541],
        [1.935, -0.27],
        [-0.244, 1.002],
        [-0.886, -0.292],
        [0.883, 0.58],
        [0.092, 0.67],
        [-2.828, 1.021],
        [-0.96, -1.669],
        [0.276, 0.701],
        [-0.445, -1.076],
        [0.026, -0.053],
        [1.406, 0.747],
        [0.194, 1.112],
        [-0.206, -0.926],
        [0.584, 0.583],
        [-0.215, -0.783],
        [0.229, -2.494],
        [0.69, 0.491],
        [-1.639, 0.061],
        [-0.964, 0.757],
        [-2.034, -0.914],
        [0.71, 1.156],
        [-2.158, -0.498],
        [0.328, -0.609],
        [1.591, -1.191],
        [0.355, -1.048],
        [1.406, -0.022],
        [-0.372, -1.718],
    ]
)
DAYS = np.array(
    [
        40.0,
        420.0,
        460.0,
        140.0,
        580.0,
        300.0,
        20.0,
        560.0,
        40.0,
        180.0,
        260.0,
        100.0,
        320.0,
        160.0,
        140.0,
        340.0,
        160.0,
        680.0,
        1040.0,
        340.0,
        380.0,
        40.0,
        460.0,
        140.0,
        500.0,
        380.0,
        420.0,
        860.0,
        160.0,
        140.0,
        540.0,
        600.0,
        180.0,
        820.0,
        320.0,
        40.0,
        380.0,
        180.0,
        140.0,
        360.0,
    ]
)
DIED = np.array(list("1101011011011110100101010100111111011010")) == "1"
COEFFICIENTS = [0.4548390086991043, -0.4218230284719784]
SURVIVAL = [
    [0.6213734042692155, 0.525465364428522, 0.23079051065004294],
    [0.8422924722222228, 0.7928683578896084, 0.5892703745571153],
]  # at days 180, 340 and 680, where follow-up ends: lifelines interpolates between
FOLLOW_UP = np.column_stack([DAYS, DIED])


def test_coefficients_and_curves_are_those_of_lifelines():
    model = RidgeCox(penalty=0.0).fit(VALUES, FOLLOW_UP)
    np.testing.assert_allclose(model.coefficients_, COEFFICIENTS, atol=1e-6)
    found = model.survival(np.array([[0.5, 0.2], [-1.0, 1.0]]), [180, 340, 680])
    np.testing.assert_allclose(found, SURVIVAL, atol=1e-6)


def test_a_penalty_shrinks_and_the_penalized_likelihood_is_stationary():
    free, held = (RidgeCox(penalty=penalty).fit(VALUES, FOLLOW_UP) for penalty in (0.0, 0.3))
    assert np.linalg.norm(held.coefficients_) < np.linalg.norm(free.coefficients_)
    order = np.argsort(-DAYS, kind="stable")
    arguments = VALUES[order], DAYS[order], DIED[order]
    _, slope, curvature = held._loss(held.coefficients_, *arguments)
    np.testing.assert_allclose(slope, 0, atol=1e-7)
    step = 1e-5 * np.eye(2)
    ends = [[held._loss(held.coefficients_ + sign * one, *arguments)[1] for one in step] for sign in (1, -1)]
    np.testing.assert_allclose(curvature, (np.array(ends[0]) - np.array(ends[1])) / 2e-5, rtol=1e-5)


def test_a_variable_that_orders_all_patients_leaves_finite_numbers():
    values = np.column_stack([-DAYS / 100, np.ones(len(DAYS))])
    curves = RidgeCox(penalty=0.01).fit(values, FOLLOW_UP).survival(values, [365])
    assert np.isfinite(curves).all()


def table(**changed) -> BaselineTable:
    names = tuple(f"P{n:02}" for n in range(len(DAYS)))
    made = BaselineTable(
        cases=names,
        os_class={n: int(day > 365) for n, day, died in zip(names, DAYS, DIED, strict=True) if died or day > 365},
        survival={n: (float(day), bool(died)) for n, day, died in zip(names, DAYS, DIED, strict=True)},
        columns=("a", "b"),
        values=VALUES,
    )
    return replace(made, **changed)


FOLD = Fold(0, 0, train=tuple(f"P{n:02}" for n in range(28)), test=tuple(f"P{n:02}" for n in range(28, 40)))


def test_held_out_follow_up_changes_nothing_and_that_of_censored_training_patients_does():
    def said(made: BaselineTable) -> np.ndarray:
        return run_baseline("cox", "cox", made, FOLD, days=(183.0, 365.0)).survival

    first = said(table())
    held_out = table().survival | {name: (5.0, True) for name in FOLD.test}
    np.testing.assert_array_equal(said(table(survival=held_out)), first)
    early = [name for name in FOLD.train if name not in table().os_class]
    assert early
    changed = table().survival | {name: (1400.0, False) for name in early}
    assert np.abs(said(table(survival=changed)) - first).max() > 1e-6


def test_probability_of_the_class_is_survival_at_its_limit():
    found = run_baseline("cox", "cox", table(), FOLD, days=(183.0, 365.0))
    np.testing.assert_array_equal(found.probability, found.survival[:, 1])
    assert sorted((*found.cases, *found.censored)) == list(FOLD.test)


def test_a_cohort_without_censored_patients_can_be_fitted_and_one_with_few_deaths_is_refused():
    every_case = np.ones(len(DAYS), dtype=bool)
    assert fit_cox(VALUES, DAYS, every_case, seed=1)
    with refused(EvaluationError, "baseline.few_deaths", fewest=6):
        fit_cox(VALUES, DAYS, ~every_case, seed=1)


def test_the_informative_columns_of_a_wide_table_are_kept():
    rng = np.random.default_rng(1)
    wide = np.column_stack([rng.standard_normal((len(DAYS), 40)), VALUES])
    model = fit_cox(wide, DAYS, DIED, seed=1)
    assert model.named_steps["select"].get_support()[40]
