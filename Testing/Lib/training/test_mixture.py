"""The head is the mixture of its readings: same log-odds, evidence where the readings lie, and an honest constant."""

import numpy as np
import pytest
import torch
from refusals import refused
from scipy.optimize import OptimizeResult
from scipy.special import expit, logit

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet, load_tensors, tensors_of
from PCNSLSurvivalLib.training.lesions.mixture import fit_mixture, with_head


def _patients(count=4000):
    draw = np.random.default_rng(1)
    values = np.stack([np.ones(count), draw.normal(2, 1.5, count), draw.normal(0, 0.2, count)], axis=1)
    risk = 0.3 + 1.0 * values[:, 0] - 0.5 * values[:, 1]
    return values, draw.uniform(size=count) < expit(risk)


def test_it_finds_what_decides_and_leaves_the_rest():
    values, over = _patients()
    found = fit_mixture(values, over)
    assert found.constant == pytest.approx(logit(over.mean()))
    # The constant and the fraction of the lesion, which is one in every patient, add up to the intercept.
    assert found.constant + found.coefficients[0] == pytest.approx(1.3, abs=0.35)
    assert found.coefficients[1] == pytest.approx(-0.5, abs=0.15)
    assert abs(found.coefficients[2]) * 0.2 < 0.05  # per standard deviation


@pytest.mark.parametrize("spread", [0.03, 1e-4, 1e-5, 1e-7, 0.0])
def test_a_reading_that_is_nearly_one_in_every_patient_is_fitted_like_one_that_is(spread):
    """Its scale says nothing: the log-odds are those of a reading that is exactly one."""
    draw = np.random.default_rng(6)
    amount = draw.uniform(0.0, 0.6, 60)
    over = draw.uniform(size=60) < expit(2 - 8 * amount)
    nearly = np.stack([1 + spread * draw.normal(size=60), amount], axis=1)
    exact = np.stack([np.ones(60), amount], axis=1)
    found = fit_mixture(nearly, over)
    np.testing.assert_allclose(found.log_odds(nearly), fit_mixture(exact, over).log_odds(exact), atol=0.02 + 8 * spread)
    # No other coefficient of the reading would be better; it is not penalized.
    assert nearly[:, 0] @ (expit(found.log_odds(nearly)) - over) / 60 == pytest.approx(0, abs=0.002)


def test_a_fit_that_stops_early_is_refused(monkeypatch):
    monkeypatch.setattr(
        "PCNSLSurvivalLib.training.lesions.mixture.minimize",
        lambda loss, start, **options: OptimizeResult(x=start, success=True),
    )
    with refused(TrainingError, "training.mixture_not_fitted"):
        fit_mixture(*_patients(100))


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="Both OS classes"):
        fit_mixture(np.ones((8, 3)), np.ones(8, bool))


def test_the_network_says_what_the_mixture_says():
    architecture = ResNetArchitecture(depth=10, widen_factor=0.125, max_pool=False, pooling="brain")
    torch.manual_seed(0)
    network = build_resnet(architecture).eval()
    cells = []
    network.get_submodule("layer4").register_forward_hook(lambda module, given, out: cells.append(out))
    x = torch.rand(2, 1, 32, 48, 32)
    x[:, :, :8] = 0
    readings = np.random.default_rng(2).normal(size=(3, 64))
    with torch.no_grad():
        network(x)
        values = np.einsum("rf,nfijk->nr", readings, cells[0].numpy().astype(float))
        mixture = fit_mixture(np.random.default_rng(3).normal(size=(20, 3)), np.arange(20) < 11)
        load_tensors(network, with_head(tensors_of(network), readings, mixture, cells=cells[0][0, 0].numel()))
        logits = network(x).numpy()
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], mixture.log_odds(values), rtol=1e-4, atol=1e-5)
