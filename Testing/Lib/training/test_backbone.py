"""The backbone learns where a lesion is and how large, and its targets are what they are called."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.training.lesions import backbone
from PCNSLSurvivalLib.training.lesions.backbone import (
    READINGS,
    BackbonePlan,
    Heads,
    packed_head,
    read_backbone,
    reading_targets,
    train_backbone,
)

ARCHITECTURE = ResNetArchitecture(depth=10, widen_factor=0.125, max_pool=False, pooling="brain")


def _heads(count=12, edge=32):
    """Balls of brain with one bright cube of lesion each."""
    draw = np.random.default_rng(0)
    points = np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), -1) - edge / 2
    brain = np.linalg.norm(points, axis=-1) < edge / 2 - 4
    images, focuses = [], []
    for _ in range(count):
        at = draw.integers(8, edge - 16, 3)
        focus = np.zeros(brain.shape, np.uint8)
        focus[tuple(slice(int(n), int(n) + 8) for n in at)] = 1
        images.append((draw.normal(0.5, 0.2, brain.shape) + 3 * focus) * brain)
        focuses.append(focus)
    image, focus = torch.from_numpy(np.stack(images)).half(), torch.from_numpy(np.stack(focuses))
    return Heads(image, focus, torch.full_like(focus, 20))


def test_targets_add_up_to_what_they_are_called():
    focus = torch.zeros((1, 1, 64, 64, 64), dtype=torch.uint8)
    focus[0, 0, 8:16, 8:16, 8:16] = 1
    focus[0, 0, 40:44, 40:44, 40:44] = 2
    depth = torch.zeros_like(focus)
    depth[0, 0, :32] = 35  # one standard unit deeper than the middle
    depth[0, 0, 32:] = 20
    targets, share, there = reading_targets(focus, depth, (4, 4, 4))
    sums = dict(zip(READINGS, targets.sum((2, 3, 4))[0].tolist(), strict=True))
    inside, whole = 8**3, 8**3 + 4**3
    assert there.tolist() == [1.0]
    assert sums["place"] == pytest.approx(1.0)
    assert sums["foci"] == pytest.approx(2.0)
    assert sums["amount"] == pytest.approx(float(share.sum()))
    assert sums["log volume"] == pytest.approx((np.log(whole * 0.008) - np.log(6.0)) / 1.5, rel=1e-4)
    assert sums["depth"] == pytest.approx(inside / whole, rel=0.15)
    assert (targets[0, :, share[0] == 0] == 0).all()


def test_no_lesion_means_nothing_to_read():
    empty = torch.zeros((1, 1, 32, 32, 32), dtype=torch.uint8)
    targets, _, there = reading_targets(empty, empty + 20, (2, 2, 2))
    assert there.tolist() == [0.0]
    assert (targets == 0).all()


def test_the_amount_of_lesion_is_learned_and_a_stopped_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(backbone, "EVERY", 10)
    plan = BackbonePlan(seed=3, heads=12, steps=40, batch=4, warming=5)
    heads, seen = _heads(), {}
    trained = train_backbone(plan, ARCHITECTURE, heads, tmp_path / "whole", report=seen.__setitem__)
    assert seen[40]["amount"] < 0.3 * seen[10]["amount"]

    def stop(step, losses):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_backbone(plan, ARCHITECTURE, heads, tmp_path / "again", report=stop)
    again = train_backbone(plan, ARCHITECTURE, heads, tmp_path / "again")
    assert torch.equal(again.readings, trained.readings)
    stored = read_backbone(tmp_path / "again", plan, ARCHITECTURE)
    assert torch.equal(stored.readings, trained.readings)
    with pytest.raises(ValueError, match="another plan"):
        read_backbone(tmp_path / "again", BackbonePlan(seed=4), ARCHITECTURE)


def test_specks_belong_to_the_largest_focus(monkeypatch):
    enhancing = np.zeros(backbone.SIZE, bool)
    enhancing[20:30, 20:30, 20:30] = True
    enhancing[50:55, 50:55, 50:55] = True
    enhancing[60, 60, 60] = True
    head = SimpleNamespace(image=np.ones(backbone.SIZE, np.float32), enhancing=enhancing)
    monkeypatch.setattr(backbone, "draw_head", lambda *given, **options: head)
    packed = packed_head(1, None)
    assert sorted(np.unique(packed["focus"])) == [0, 1, 2]
    assert packed["focus"][60, 60, 60] == packed["focus"][25, 25, 25] == 1
    assert packed["depth"].max() == 80  # half of the narrowest side, in mm
