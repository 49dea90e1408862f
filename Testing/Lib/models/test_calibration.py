"""A temperature fitted on outcomes undoes over- and underconfidence of known size."""

import numpy as np
import pytest

from PCNSLSurvivalLib.models.calibration import HIGHEST, fit_temperature


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
