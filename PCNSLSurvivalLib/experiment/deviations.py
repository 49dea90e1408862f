"""How an experiment differs from that of She et al. 2023, in sentences for a methods section."""

from __future__ import annotations

from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.reports.sentences import counted, listed, times
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings
from PCNSLSurvivalLib.training.settings import TrainingSettings

_PAPER = "She et al. (doi:10.1007/s11548-023-02886-2)"
_DEPTH, _SPLITS, _REPEATS = 50, 5, 2
_SEQUENCES = ("T1", "T2", "T1Gd")
_AUGMENTATION = AugmentationSettings(
    transforms="monai",
    probability=1.0,
    rotation_deg=15.0,
    scale=0.15,
    translation_mm=0.5,
    crop_probability=1.0,
    crop_share=0.75,
    elastic_probability=0.25,
    elastic_mm=0.5,
    elastic_spacing_mm=10.4,
    flip_probability=0.0,
    gain=0.0,
)
"""The nearest that these settings come to the augmentation of the code; that of paper.yaml."""


def deviations_in_words(plan: ExperimentPlan) -> str:
    """The differences from the paper and its published code, by what was run; empty without networks.

    What the code leaves open is said as well, since it had to be chosen here. Its defects that are not repeated are in
    docs/decisions/defects.md.

    Args:
        plan: What was run.

    References:
        She et al., IJCARS 18(10), 2023, and its code: SheZiyu/PCNSL at 2e8802e.
    """
    if not plan.sequences:
        return ""
    trained = plan.settings_of("training" if "scratch" in plan.initializations else "finetuning")
    told = [
        *_task(plan),
        "Preparation: all patients have one block in millimeters, with intensities centered on the median of the "
        "brain. The code stretches every brain to 128 x 128 x 128 voxels and scales it from minimum to maximum.",
        *_network(plan.network),
        *_training(trained),
        "Choice of the epoch: by the loss on a validation split of the training patients. The code chooses it by the "
        "held-out fold that it reports.",
        _augmentation(trained.augmentation),
        *_transfer(plan),
        *_clinical(plan),
        *_radiomics(plan),
        "Censoring: patients censored before the threshold have no class. The code does not know censoring.",
    ]
    return f"Differences from {_PAPER} and their published code. {' '.join(told)}"


def _task(plan: ExperimentPlan) -> list[str]:
    found = []
    if plan.threshold_days != ONE_YEAR_DAYS:
        found.append(f"Outcome: OS of more than {plan.threshold_days:g} days instead of one year.")
    if plan.outcome == "time":
        found.append("Outcome: the networks learned survival over time, not only the two classes.")
    labels = tuple(one.label for one in plan.sequences)
    if set(labels) != set(_SEQUENCES):
        found.append(f"Sequences: networks on {listed(list(labels))} instead of {listed(list(_SEQUENCES))}.")
    if plan.split_by != "random":
        found.append(f"Folds: by {plan.split_by} instead of at random.")
    elif (plan.splits, plan.repeats) != (_SPLITS, _REPEATS):
        own, paper = (f"{splits}-fold" for splits in (plan.splits, _SPLITS))
        found.append(f"Folds: {own} cross-validation, {times(plan.repeats)}, instead of {paper}, {times(_REPEATS)}.")
    return found


def _network(network: ResNetArchitecture) -> list[str]:
    told = []
    if (network.depth, network.widen_factor) != (_DEPTH, 1.0):
        width = "" if network.widen_factor == 1 else f" with a width multiplier of {network.widen_factor:g}"
        told.append(f"Network: a 3D {network.name}{width} instead of a ResNet-{_DEPTH}.")
    usual = ResNetArchitecture(depth=network.depth)
    other = [
        words
        for name, words in (
            ("pooling", "pooling over the brain instead of over the whole block"),
            ("norm", "instance normalization instead of batch normalization"),
            ("max_pool", "no max-pooling after the first convolution"),
            ("shortcut", "shortcuts padded with zeros instead of projected"),
        )
        if getattr(network, name) != getattr(usual, name)
    ]
    if other:
        told.append(f"Layers: {listed(other)}.")
    told.append(
        f"First convolution: a stride of {network.conv1_stride}. That of the paper is not known, since MONAI changed "
        "its default."
    )
    return told


def _training(settings: TrainingSettings) -> list[str]:
    """Adam with a learning rate of 0.001, divided by 10 every 30 epochs, is AdamW without weight decay."""
    other = []
    if settings.weight_decay:
        other.append(f"AdamW with a weight decay of {settings.weight_decay:g} instead of Adam without")
    if settings.schedule != "step" or settings.warmup_epochs:
        steps = "division of the learning rate by 10 every 30 epochs"
        schedule = "a cosine schedule" if settings.schedule == "cosine" else steps
        warm_up = f" after {counted(settings.warmup_epochs, 'warm-up epoch')}" if settings.warmup_epochs else ""
        other.append(f"{schedule}{warm_up} instead of {steps if settings.schedule == 'cosine' else 'from the start'}")
    for value, paper, words in (
        (settings.learning_rate, 1e-3, "a learning rate of {:g}"),
        (settings.batch_size, 8, "a batch size of {:g}"),
    ):
        if value != paper:
            other.append(f"{words.format(value)} instead of {paper:g}")
    if settings.epochs != 250:
        other.append(f"at most {counted(settings.epochs, 'epoch')} instead of 250")
    if settings.patience != 50:
        other.append(f"a patience of {counted(settings.patience, 'epoch')} instead of 50")
    if settings.class_weights or settings.censoring_weights or settings.label_smoothing or settings.lesion_task:
        other.append("a loss other than the plain cross-entropy")
    if settings.lesion_head:
        other.append("a head refitted from lesion masks")
    if settings.weight_averaging:
        other.append("averaged weights")
    return [f"Training: {'; '.join(other)}."] if other else []


def _augmentation(one: AugmentationSettings) -> str:
    if one == _AUGMENTATION:
        here = "every sample is rotated, resized and cropped, alike along all axes."
    elif not (one.probability or one.flip_probability or one.gain):
        here = "none."
    elif one.transforms == "single":
        here = "other ranges, in one interpolation instead of MONAI's transforms one after another."
    else:
        here = "other ranges."
    return (
        f"Augmentation: {here} The code deforms a quarter of the samples elastically. It rotates a quarter by up to "
        "45° about one axis and 5° about the others. It resizes these by up to 15 %, each axis by itself. It crops "
        "every sample to 96 to 128 voxels along each axis. It rotates half of the samples by up to 15° about one axis."
    )


def _transfer(plan: ExperimentPlan) -> list[str]:
    if "transfer" not in plan.initializations:
        return []
    return ["Fine-tuning: the code has none, so layers and learning rates were chosen here."]


def _clinical(plan: ExperimentPlan) -> list[str]:
    clinical = [arm for arm in plan.baseline_arms if arm.sequence is None]
    if not clinical:
        return []
    on = ["the five IELSG variables, each once"] if not all(arm.score_only for arm in clinical) else []
    on += ["the IELSG score alone"] if any(arm.score_only for arm in clinical) else []
    told = [
        f"Clinical baseline: {', or '.join(on)}, imputed and standardized. The code has CSF protein twice, performance "
        "status only within the IELSG score, and neither imputation nor scaling."
    ]
    if any(arm.classifier != "cox" for arm in clinical):
        told.append("C was chosen in inner folds; in the code it is 10.")
    if any(arm.classifier == "cox" for arm in clinical):
        told.append("The code has no Cox regression.")
    return told


def _radiomics(plan: ExperimentPlan) -> list[str]:
    if not plan.needs_radiomics:
        return []
    return ["Radiomics: features and their selection were chosen here, since the code has none."]
