"""A model's card tells which of its numbers are of the probabilities that the model gives."""

from __future__ import annotations

import numpy as np
import pytest

from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.experiment.model.card import NOTHING_TOLD, model_card
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.models.calibration import HIGHEST
from PCNSLSurvivalLib.models.ensemble_calibration import EnsembleCalibration, calibrate_ensemble

CASES = tuple(f"case{number:04}" for number in range(400))


def held_out(*, times: float) -> tuple[list[FoldPredictions], EnsembleCalibration]:
    """Predictions in two folds whose log-odds are some times the true ones, and their temperature."""
    random = np.random.default_rng(3)
    true_log_odds = random.normal(0.0, 1.5, len(CASES))
    os_class = (random.uniform(size=len(CASES)) < 1 / (1 + np.exp(-true_log_odds))).astype(np.int64)
    probability = 1 / (1 + np.exp(-times * true_log_odds))
    folds = [
        FoldPredictions(
            arm="t1gd_transfer",
            repeat=0,
            fold=fold,
            cases=CASES[fold::2],
            os_class=os_class[fold::2],
            probability=probability[fold::2],
        )
        for fold in range(2)
    ]
    return folds, calibrate_ensemble(times * true_log_odds[:, None], os_class == 1)


def card_of(folds: list[FoldPredictions], calibration: EnsembleCalibration) -> str:
    patients = dict(zip(CASES, CASES, strict=True))
    return model_card(ExperimentPlan(), "400 patients", calibration, folds, patients, "random weights", "Apache-2.0")


def test_brier_slope_and_intercept_are_given_before_and_after_the_temperature():
    folds, calibration = held_out(times=3.0)
    card = card_of(folds, calibration)
    temperature = calibration.temperature_of(1)
    assert f"| | temperature 1 | temperature {temperature:.2f} |" in card
    assert "## Single networks on held-out patients" in card
    assert "not corrected for the mean of 5" in card
    rows = {cells[1].strip(): cells[2:-1] for line in card.splitlines() if len(cells := line.split("|")) == 5}
    slope, brier = ([float(cell.split()[0]) for cell in rows[name]] for name in ("Calibration slope", "Brier score"))
    assert slope[0] == pytest.approx(1 / 3, rel=0.15)
    assert slope[1] == pytest.approx(1.0, abs=0.02)
    assert slope[0] * temperature == pytest.approx(slope[1], abs=0.02)
    assert brier[1] < brier[0]
    assert card.count("| Calibration slope |") == 1
    assert NOTHING_TOLD not in card


def test_a_temperature_at_its_bound_is_told_on_the_card():
    folds, calibration = held_out(times=-1.0)
    assert calibration.temperature_of(5) == pytest.approx(HIGHEST, rel=1e-3)
    assert NOTHING_TOLD in card_of(folds, calibration)
