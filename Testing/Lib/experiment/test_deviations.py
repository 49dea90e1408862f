"""The methods section names what differs from the paper, by what was run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.deviations import deviations_in_words
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan, read_plan
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.training.data.augmentation import NO_AUGMENTATION, AugmentationSettings

EXAMPLES = Path(__file__).resolve().parents[3] / "Resources" / "experiments"


@pytest.fixture(scope="module")
def paper() -> ExperimentPlan:
    return read_plan(EXAMPLES / "paper.yaml")


def test_the_paper_s_file_differs_only_in_what_its_head_names(paper):
    said = deviations_in_words(paper)
    assert re.findall(r"([A-Z][^.:]*):", said.partition("code. ")[2]) == [
        "Preparation",
        "First convolution",
        "Choice of the epoch",
        "Augmentation",
        "Fine-tuning",
        "Clinical baseline",
        "Radiomics",
        "Censoring",
    ]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"threshold_days": 730.0}, "Outcome: OS of more than 730 days instead of one year."),
        ({"outcome": "time"}, "Outcome: the networks learned survival over time, not only the two classes."),
        ({"sequences": (MRSequence.FLAIR,), "model_arm": None}, "networks on FLAIR instead of T1, T2 and T1Gd."),
        ({"split_by": "site", "repeats": 1}, "Folds: by site instead of at random."),
        ({"repeats": 1}, "Folds: 5-fold cross-validation, once, instead of 5-fold, twice."),
        ({"network": ResNetArchitecture(depth=50, pooling="brain")}, "Layers: pooling over the brain instead of"),
        ({"baselines": ("svm_clinical", "cox_clinical")}, "The code has no Cox regression."),
        ({"baselines": ("logistic_ielsg",)}, "Clinical baseline: the IELSG score alone, imputed"),
        ({"network": ResNetArchitecture(depth=10, widen_factor=0.5)}, "a 3D ResNet-10 with a width multiplier of 0.5"),
        ({"network": ResNetArchitecture(depth=18)}, "Network: a 3D ResNet-18 instead of a ResNet-50."),
    ],
)
def test_another_plan_is_told_from_the_paper_s(paper, other, said):
    assert said not in deviations_in_words(paper)
    assert said in deviations_in_words(replace(paper, **other))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"weight_decay": 0.01}, "AdamW with a weight decay of 0.01 instead of Adam without"),
        ({"schedule": "cosine"}, "a cosine schedule instead of division of the learning rate by 10 every 30 epochs"),
        ({"warmup_epochs": 5}, "every 30 epochs after 5 warm-up epochs instead of from the start"),
        ({"learning_rate": 1e-4}, "a learning rate of 0.0001 instead of 0.001"),
        ({"epochs": 80}, "at most 80 epochs instead of 250"),
        ({"epochs": 1}, "at most 1 epoch instead of 250"),
        ({"label_smoothing": 0.1}, "a loss other than the plain cross-entropy"),
        ({"weight_averaging": 0.8}, "averaged weights"),
        ({"augmentation": NO_AUGMENTATION}, "Augmentation: none."),
        ({"augmentation": AugmentationSettings()}, "other ranges, in one interpolation"),
    ],
)
def test_another_training_is_told_from_the_paper_s(paper, other, said):
    assert said not in deviations_in_words(paper)
    assert said in deviations_in_words(replace(paper, training=replace(paper.training, **other)))


@pytest.mark.parametrize(
    ("other", "not_said"),
    [
        ({"initializations": ("scratch",), "model_arm": None}, "Fine-tuning"),
        ({"baselines": ()}, "baseline"),
        ({"baselines": ("svm_clinical",)}, "Radiomics"),
        ({"baselines": ("cox_clinical",)}, "C was chosen"),
        ({"baselines": ("logistic_ielsg",)}, "each once"),
    ],
)
def test_nothing_is_said_of_what_was_not_run(paper, other, not_said):
    assert not_said in deviations_in_words(paper)
    assert not_said not in deviations_in_words(replace(paper, **other))


def test_the_code_augments_a_quarter(paper):
    """RandAffine and Rand3DElastic of the code have a probability of 0.25."""
    assert "It rotates a quarter by up to 45°" in deviations_in_words(paper)


@pytest.mark.parametrize("name", ["paper", "light", "reduced", "ucsf-pcnsl"])
def test_sentences_are_short(name):
    parts = re.split(r"(?<=[.;]) ", deviations_in_words(read_plan(EXAMPLES / f"{name}.yaml")))
    longest = max(parts, key=lambda part: len(part.split()))
    assert len(longest.split()) <= 25, longest


def test_baselines_alone_differ_in_no_network():
    assert deviations_in_words(replace(ExperimentPlan(), sequences=(), model_arm=None)) == ""
