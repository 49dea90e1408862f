"""What decided a training stands in the methods paragraph."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from PCNSLSurvivalLib.reports.experiment.methods.training import other_training_in_words, training_in_words
from PCNSLSurvivalLib.training.data.augmentation import NO_AUGMENTATION, AugmentationSettings
from PCNSLSurvivalLib.training.settings import TrainingSettings

# Given once for all networks and told elsewhere, or no part of the training's design.
ELSEWHERE = {"architecture", "grid", "seed", "threshold_days", "precision", "backbone_factor"}
CHANGED = {
    "epochs": (7, "at most 7 epochs"),
    "patience": (3, "a patience of 3 epochs"),
    "batch_size": (2, "a batch size of 2"),
    "learning_rate": (0.02, "a learning rate of 0.02"),
    "warmup_epochs": (1, "1 warm-up epoch"),
    "schedule": ("step", "a learning rate divided by 10 every 30 epochs"),
    "weight_decay": (0.5, "a weight decay of 0.5"),
    "frozen": (("conv1", "layer1"), "conv1 and layer1 kept the initial weights (frozen layers)."),
    "batch_norm": ("frozen", "Batch normalization kept the statistics of the initial weights."),
    "class_weights": (True, "The loss was class-weighted by inverse frequency."),
    "censoring_weights": (
        True,
        "The loss was weighted by the inverse probability of not being censored before the class "
        "was known (Kaplan-Meier estimate of each fold's training patients).",
    ),
    "label_smoothing": (0.1, "Label smoothing was 0.1."),
    "weight_averaging": (0.9, "Weights were averaged exponentially (decay 0.9 per step)."),
    "lesion_task": (
        1.0,
        "An auxiliary task predicted lesion location and volume; its loss was added with a weight of 1, also to the "
        "validation loss.",
    ),
    "lesion_head": (True, "The head was then refitted on lesion location and volume alone."),
    "validation_share": (0.25, "a validation split of at least 25 % of the training patients"),
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
    assert "deformed" not in told
    told = training_in_words(USUAL)
    assert "and 50 % were elastically deformed (standard deviation 2.5 mm, control points 48 mm apart)." in told
    for part in (
        "With a probability of 0.9, they were rotated",
        "Of these, 30 % were cropped to 85 to 100 % of the block's edge",
        "With a probability of 0.5, scans were flipped",
        "multiplied by 0.9 to 1.1",
    ):
        assert part in told


def test_every_augmentation_setting_changes_what_is_told():
    told = training_in_words(USUAL)
    for field in fields(AugmentationSettings):
        before = getattr(USUAL.augmentation, field.name)
        after = "monai" if field.name == "transforms" else before * 0.5
        other = replace(USUAL.augmentation, **{field.name: after})
        assert training_in_words(replace(USUAL, augmentation=other)) != told, field.name


def test_the_loss_is_named():
    assert "cross-entropy of the two OS classes" in training_in_words(USUAL)
