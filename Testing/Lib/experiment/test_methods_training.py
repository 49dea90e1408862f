"""What decided a training stands in the methods paragraph."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from PCNSLSurvivalLib.experiment.methods_training import other_training_in_words, training_in_words
from PCNSLSurvivalLib.training.augmentation import NO_AUGMENTATION, AugmentationSettings
from PCNSLSurvivalLib.training.settings import TrainingSettings

# Given once for all networks and told elsewhere, or no part of the training's design.
ELSEWHERE = {"architecture", "grid", "seed", "threshold_days", "precision", "backbone_factor"}
CHANGED = {
    "epochs": (7, "at most 7 epochs"),
    "patience": (3, "a patience of 3"),
    "batch_size": (2, "batches of 2"),
    "learning_rate": (0.02, "a learning rate of 0.02"),
    "warmup_epochs": (1, "a warm-up of 1"),
    "weight_decay": (0.5, "a weight decay of 0.5"),
    "frozen": (("conv1", "layer1"), "conv1 and layer1 kept the weights of the start."),
    "batch_norm": ("frozen", "Batch normalization kept the statistics of the start."),
    "class_weights": (True, "Classes were weighed by the inverse of their frequency."),
    "label_smoothing": (0.1, "Labels were smoothed by 0.1."),
    "weight_averaging": (0.9, "A running mean of the weights (0.9 kept at each step) was used."),
    "lesion_task": (
        1.0,
        "Telling where lesion lies, and how much, was a second task; its loss helped choose the epoch.",
    ),
    "lesion_head": (True, "The head was then made of the place and amount of lesion alone."),
    "validation_share": (0.25, "an inner split of 25 % of the training patients or more"),
    "augmentation": (NO_AUGMENTATION, "Training scans were not augmented."),
}
USUAL = TrainingSettings()


def test_every_setting_is_told_or_known_to_stand_elsewhere():
    assert {field.name for field in fields(TrainingSettings)} == ELSEWHERE | set(CHANGED)


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_setting_is_told_and_nothing_else_is(name):
    value, said = CHANGED[name]
    changed = replace(USUAL, **{name: value})
    assert said in training_in_words(changed)
    assert said not in training_in_words(USUAL)
    other = other_training_in_words(changed, USUAL)
    assert other.removesuffix(".") in (
        f"in the same way, but with {said}",
        f"in the same way. {said}".removesuffix("."),
    )
    assert other_training_in_words(USUAL, changed) not in (other, "in the same way.")


def test_a_movement_that_is_switched_off_is_not_told():
    told = training_in_words(replace(USUAL, augmentation=AugmentationSettings(elastic_probability=0, scale=0.15)))
    assert "scaled by up to 15 %" in told
    assert "bent" not in told
    assert "bent by 2.5 mm" in training_in_words(USUAL)
