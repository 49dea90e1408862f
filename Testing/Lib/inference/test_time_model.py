"""A model with a time head predicts, explains and stores a survival curve; both runtimes agree."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import numpy as np
import pytest
from made_models import small_model

from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.models.networks.time_head import TimeHead


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_model(tmp_path_factory.mktemp("model") / "time", members=2, time_head=TimeHead())


@pytest.fixture(scope="module")
def case():
    return np.random.default_rng(1).standard_normal((1, 32, 32, 32)).astype(np.float32)


def test_one_year_survival_is_read_off_the_curve_and_the_evidence_adds_up_to_its_log_odds(model, case):
    result = SurvivalNetwork(model, "cpu", runtime="torch").predict(case)
    curve = result.survival
    assert curve is not None
    at = dict(zip(curve.days, curve.survival_probability, strict=True))
    assert at[365.0] == pytest.approx(result.probability_over_one_year, abs=1e-12)
    assert (np.diff(curve.survival_probability) <= 0).all()
    assert float(result.evidence.sum()) + result.evidence_constant == pytest.approx(result.log_odds, abs=1e-5)
    assert result.logits.shape == (2, 2)


def test_maps_are_those_of_the_logits_whose_difference_is_the_log_odds_of_surviving_a_year(model, case):
    result = SurvivalNetwork(model, "cpu", runtime="torch").predict(case, target=OSClass.OVER_ONE_YEAR)
    earlier = SurvivalNetwork(model, "cpu", runtime="torch").predict(
        case, target=OSClass.OVER_ONE_YEAR, block="layer3", method="hires_cam"
    )
    assert result.raw_map.max() > 0
    assert earlier.raw_map.max() > 0
    assert earlier.probability_over_one_year == pytest.approx(result.probability_over_one_year)


def test_both_runtimes_predict_the_same_curve(model, case):
    by_torch = SurvivalNetwork(model, "cpu", runtime="torch").predict(case, tta=True)
    by_onnx = SurvivalNetwork(model, "cpu", runtime="onnx").predict(case, tta=True)
    assert by_torch.survival is not None
    assert by_onnx.survival is not None
    assert by_onnx.survival.days == by_torch.survival.days
    np.testing.assert_allclose(by_onnx.survival.survival_probability, by_torch.survival.survival_probability, atol=1e-4)
    np.testing.assert_allclose(by_onnx.raw_map, by_torch.raw_map, atol=1e-4 * by_torch.map_scale)


def test_the_curve_is_stored_as_the_schema_says_and_a_class_model_stores_none(model, case, tmp_path):
    file = resources.files("PCNSLSurvivalLib.results").joinpath("prediction.schema.json")
    schema = json.loads(file.read_text(encoding="utf-8"))
    stored = SurvivalNetwork(model, "cpu").predict(case).to_json()
    jsonschema.validate(stored["survival_curve"], schema["properties"]["survival_curve"])
    plain = small_model(tmp_path / "class")
    assert "survival_curve" not in SurvivalNetwork(plain, "cpu").predict(case).to_json()
