"""A temperature fitted on outcomes undoes over- and underconfidence of known size."""

import numpy as np
import pytest

from PCNSLSurvivalLib.evaluation.classification import classification_metrics
from PCNSLSurvivalLib.models.calibration import HIGHEST, fit_temperature
from PCNSLSurvivalLib.models.ensemble_calibration import calibrate_ensemble


@pytest.mark.parametrize("overconfidence", [0.5, 1.0, 3.0])
def test_known_overconfidence_is_found(overconfidence):
    rng = np.random.default_rng(7)
    true_log_odds = rng.normal(0.0, 1.5, 40_000)
    outcomes = rng.random(40_000) < 1 / (1 + np.exp(-true_log_odds))
    fitted = fit_temperature(overconfidence * true_log_odds, outcomes)
    assert fitted.temperature == pytest.approx(overconfidence, rel=0.05)
    assert fitted.loss_after <= fitted.loss_before


def test_log_odds_without_skill_are_cooled_to_the_limit_and_separable_ones_stay_finite():
    rng = np.random.default_rng(8)
    outcomes = rng.random(5000) < 0.5
    assert fit_temperature(rng.normal(0, 3, 5000), outcomes).temperature > 0.5 * HIGHEST
    assert np.isfinite(fit_temperature(np.where(outcomes, 1.0, -1.0), outcomes).temperature)


def test_too_little_to_fit_on_is_refused():
    with pytest.raises(ValueError, match="both outcomes"):
        fit_temperature([1.0, 2.0], [True, True])
    with pytest.raises(ValueError, match="one outcome"):
        fit_temperature([1.0, 2.0], [True])


@pytest.mark.parametrize(("repeats", "noise"), [(1, 1.0), (2, 1.0), (1, 2.0)])
def test_the_mean_of_five_networks_is_calibrated_from_networks_that_never_saw_the_patient(repeats, noise):
    rng = np.random.default_rng(9)

    def patients(number, networks):
        true_log_odds = rng.normal(0.0, 1.0, number)
        died_late = rng.random(number) < 1 / (1 + np.exp(-true_log_odds))
        return 2 * true_log_odds[:, None] + rng.normal(0.0, 2 * noise, (number, networks)), died_late

    (held_out, outcomes), (unlabeled, _) = patients(4000, repeats), patients(400, 5 * repeats)
    found = calibrate_ensemble(held_out, outcomes, unlabeled=unlabeled)
    assert found.between == pytest.approx(4 * noise**2, rel=0.1)
    fresh, truth = patients(20_000, 5)
    slopes = [
        float(classification_metrics(truth, 1 / (1 + np.exp(-fresh.mean(axis=1) / t)))["calibration_slope"])
        for t in (found.held_out.temperature, found.temperature_of(5))
    ]
    assert slopes[1] == pytest.approx(1.0, abs=0.1)
    assert slopes[0] > 1.15  # too close to 0.5: single networks need more cooling than their mean


def test_without_a_second_unseen_network_the_temperature_is_not_corrected():
    rng = np.random.default_rng(10)
    found = calibrate_ensemble(rng.normal(size=(50, 1)), rng.random(50) < 0.5)
    assert found.between is None
    assert found.temperature_of(5) == found.temperature_of(1) == found.held_out.temperature
