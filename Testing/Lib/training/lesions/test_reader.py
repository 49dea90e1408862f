"""The lesion reader learns, goes on where it stopped, and sees every voxel of a brain once or more."""

import numpy as np
import pytest
import torch

from PCNSLSurvivalLib.inference.lesion_reader import probability_of
from PCNSLSurvivalLib.inference.runtimes.lesion_blocks import in_torch
from PCNSLSurvivalLib.models.networks.lesion_unet import LesionUNet, depth_to_space, space_to_depth
from PCNSLSurvivalLib.training.lesions import reader
from PCNSLSurvivalLib.training.lesions.reader import Example, ReaderPlan, TrainingHeads, train_reader


@pytest.fixture(autouse=True)
def balls(monkeypatch):
    """Heads that need no anatomy: a ball of a brain with a bright ball of a tumor; and small blocks."""
    monkeypatch.setattr(reader, "EDGE", 32)
    monkeypatch.setattr(reader, "EVERY", 20)

    def numbered(self, number):
        draw = np.random.default_rng(number)
        points = np.stack(np.meshgrid(*[np.arange(34)] * 3, indexing="ij"), -1) - 17.0
        brain = np.linalg.norm(points, axis=-1) < 15
        tumor = np.linalg.norm(points - draw.uniform(-5, 5, 3), axis=-1) < 5
        image = (draw.normal(0, 0.5, brain.shape) + 4 * tumor) * brain
        return Example(
            image=image.astype(np.float16), brain=(255 * brain).astype(np.uint8), label=tumor.astype(np.uint8)
        )

    monkeypatch.setattr(TrainingHeads, "numbered", numbered)


def _plan(steps):
    return ReaderPlan(seed=1, steps=steps, people=1, reuse=2, warming=5, cooling=10)


def test_it_learns_a_bright_ball(tmp_path):
    dices = []
    train_reader(_plan(40), None, tmp_path, report=lambda step, loss, dice: dices.append(dice))
    assert dices[-1] > 0.6
    assert dices[-1] > dices[0]


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path):
    def stop(step, loss, dice):
        raise KeyboardInterrupt

    whole = train_reader(_plan(24), None, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train_reader(_plan(24), None, tmp_path / "again", report=stop)
    assert torch.load(tmp_path / "again" / "checkpoint.pt", weights_only=True)["step"] == 20
    again = train_reader(_plan(24), None, tmp_path / "again")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    with pytest.raises(ValueError, match="another plan"):
        train_reader(ReaderPlan(seed=2, steps=24), None, tmp_path / "again")


def test_space_to_depth_is_undone():
    x = torch.arange(2 * 3 * 4 * 4 * 4.0).reshape(2, 3, 4, 4, 4)
    assert torch.equal(depth_to_space(space_to_depth(x)), x)


def test_overlapping_blocks_cover_the_brain_and_nothing_else():
    class Everywhere(LesionUNet):
        def forward(self, volume):
            logits = torch.zeros(volume.shape[0], 4, *volume.shape[2:])
            logits[:, 1] = 50.0
            return logits

    brain = np.zeros((128, 128, 128), np.float32)
    brain[20:110, 5:128, 30:100] = 1.0
    found = probability_of(in_torch(Everywhere()), np.zeros_like(brain), brain)
    assert found[brain > 0].min() > 0.99
    assert not found[brain == 0].any()
    assert not probability_of(in_torch(Everywhere()), np.zeros_like(brain), np.zeros_like(brain)).any()


def test_a_mirrored_head_gets_the_mirrored_probability():
    torch.manual_seed(3)
    network = LesionUNet((4, 8), 8).eval()
    draw = np.random.default_rng(3)
    image = draw.normal(size=(96, 96, 96)).astype(np.float32)
    brain = np.zeros_like(image)
    brain[8:88, 10:90, 20:80] = 1.0
    image *= brain
    found = probability_of(in_torch(network), image, brain)
    mirrored = probability_of(in_torch(network), np.ascontiguousarray(image[::-1]), np.ascontiguousarray(brain[::-1]))
    np.testing.assert_allclose(mirrored[::-1], found, atol=1e-5)
    assert found[brain > 0].std() > 1e-3
