"""The survival curve of a time head: a tree of logistic splits rooted at the limit of the OS classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from PCNSLSurvivalLib.core.errors import ModelFolderError
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.time_head import TimeHead
from PCNSLSurvivalLib.training.network_outputs import CasePredictions
from PCNSLSurvivalLib.training.outcome_loss import ClassLoss, TimeLoss
from PCNSLSurvivalLib.training.settings import TrainingSettings

CPU = torch.device("cpu")
HEAD = TimeHead()
OUTPUTS = st.lists(st.floats(-20, 20), min_size=4, max_size=4)


def logistic(x):
    return 1 / (1 + np.exp(-x))


@given(outputs=OUTPUTS)
def test_the_curve_falls_from_one_and_is_the_class_probability_at_one_year(outputs):
    root, *further = outputs
    curve = HEAD.predicted(root, further)
    assert curve.days == (0.0, 183.0, 365.0, 730.0, 1095.0)
    assert curve.survival_probability[0] == 1.0
    assert (np.diff(curve.survival_probability) <= 1e-12).all()
    assert curve.survival_probability[2] == pytest.approx(logistic(root), abs=1e-12)


def test_the_splits_are_hazards_after_one_year_and_hazards_in_reversed_time_before_it():
    before, root, second, third = 0.4, -0.3, 1.1, -0.7
    s6, s12, s24, s36 = HEAD.survival(root, [before, second, third])
    assert 1 - s6 == pytest.approx((1 - s12) * logistic(-before))
    assert s24 == pytest.approx(s12 * logistic(second))
    assert s36 == pytest.approx(s24 * logistic(third))


def test_a_root_at_the_first_limit_is_the_usual_chain_of_hazards():
    z = np.array([0.2, -1.0, 0.6])
    head = TimeHead(limits_days=(365.0, 730.0, 1095.0))
    np.testing.assert_allclose(head.survival(z[0], z[1:]), np.cumprod(logistic(z)))


def loss_of(outputs, *patients, head=HEAD):
    names = [str(number) for number in range(len(patients))]
    loss = TimeLoss(head, dict(zip(names, patients, strict=True)), CPU)
    return loss.losses(torch.tensor([outputs] * len(names), dtype=torch.float64), names).numpy()


def test_the_loss_is_the_likelihood_of_the_follow_up():
    outputs = [0.3, 0.1, 0.5, -0.4, 0.8]  # two class logits, then the splits at 183, 730 and 1095 days
    s6, s12, s24, s36 = HEAD.survival(-0.2, outputs[2:])
    expected = {
        (100.0, True): 1 - s6,
        (183.0, True): 1 - s6,
        (365.0, True): s6 - s12,
        (366.0, True): s12 - s24,
        (1000.0, True): s24 - s36,
        (5000.0, True): s36,
        (0.0, False): 1.0,
        (365.0, False): s12,
        (730.0, False): s24,
        (2000.0, False): s36,
        # Censored half-way through an interval, within which deaths are spread evenly.
        (274.0, False): (s6 + s12) / 2,
        (547.5, False): (s12 + s24) / 2,
    }
    np.testing.assert_allclose(loss_of(outputs, *expected), -np.log(list(expected.values())), rtol=1e-9)


@given(outputs=OUTPUTS, days=st.floats(0, 2000), died=st.booleans())
def test_no_follow_up_and_no_output_make_the_loss_other_than_a_number(outputs, days, died):
    logits = torch.tensor([[0.0, *outputs]], dtype=torch.float32, requires_grad=True)
    loss = TimeLoss(HEAD, {"P": (days, died)}, CPU).losses(logits, ["P"]).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_patients_whose_class_is_known_teach_the_root_what_they_teach_a_class_head():
    """The class is one factor of the likelihood: the gradient at the root is that of the cross-entropy."""
    followed = {"short": (200.0, True), "long": (800.0, True), "alive": (1200.0, False)}
    classes = {"short": 0, "long": 1, "alive": 1}
    outputs = torch.randn((3, 5), generator=torch.Generator().manual_seed(1), requires_grad=True)
    by_class = ClassLoss(classes, list(classes), TrainingSettings(), {}, CPU).losses(outputs[:, :2], list(classes))
    by_time = TimeLoss(HEAD, followed, CPU).losses(outputs, list(followed))
    (expected,) = torch.autograd.grad(by_class.sum(), outputs)
    (found,) = torch.autograd.grad(by_time.sum(), outputs)
    torch.testing.assert_close(found[:, :2], expected[:, :2])
    assert (found[:, 2:] != 0).any()


def test_a_patient_censored_early_still_teaches():
    logits = torch.zeros((1, 5), requires_grad=True)
    TimeLoss(HEAD, {"P": (300.0, False)}, CPU).losses(logits, ["P"]).sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, 1] < 0, "follow-up without death must raise the log-odds of a year's survival"


def test_the_validation_loss_is_the_mean_over_the_cases():
    survival = {"a": (100.0, True), "b": (600.0, False)}
    outputs = np.random.default_rng(2).standard_normal((2, 5))
    loss = TimeLoss(HEAD, survival, CPU)
    predicted = CasePredictions(("a", "b"), outputs, np.zeros((2, 1), np.float32))
    each = loss.losses(torch.tensor(outputs), ["a", "b"])
    assert loss.validation_loss(predicted) == pytest.approx(float(each.mean()))


@pytest.mark.parametrize(
    "stored",
    [
        None,
        {},
        {"limits_days": [365.0, 730.0]},
        {"limits_days": [365.0], "class_days": 365.0},
        {"limits_days": [730.0, 365.0], "class_days": 365.0},
        {"limits_days": [0.0, 365.0], "class_days": 365.0},
        {"limits_days": [183.0, 730.0], "class_days": 365.0},
        {"limits_days": [365.0, float("nan")], "class_days": 365.0},
        {"limits_days": ["365", 730.0], "class_days": 365.0},
        {"limits_days": list(map(float, range(365, 390))), "class_days": 365.0},
        {"limits_days": [365.0, 730.0], "class_days": 365.0, "more": 1},
    ],
)
def test_intervals_that_cannot_be_used_are_refused(stored):
    with pytest.raises(ModelFolderError) as error:
        TimeHead.from_json(stored)
    assert error.value.message is not None
    assert error.value.message.code == "model.time_head"


def test_an_architecture_with_a_time_head_is_stored_and_read_and_one_without_says_nothing_of_it():
    with_head = ResNetArchitecture(depth=10, time_head=HEAD)
    assert ResNetArchitecture.from_json(with_head.to_json()) == with_head
    assert with_head.tensor_shapes()["fc.weight"] == (5, 512)
    plain = ResNetArchitecture(depth=10)
    assert "time_head" not in plain.to_json()
    assert ResNetArchitecture.from_json(plain.to_json()) == plain
    settings = TrainingSettings(architecture=with_head)
    assert TrainingSettings.from_json(settings.to_json()) == settings
