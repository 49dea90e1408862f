"""How an experiment differs from that of She et al. 2023, in sentences for a methods section."""

from __future__ import annotations

from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.reports.sentences import counted, listed
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
    """Every known difference from the paper and its published code; empty without networks.

    What the paper and its code leave open is said as well, since it had to be chosen here.

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
        "preparation: one block in millimeters for all patients, intensities centered on the median of the brain; the "
        "code stretches every brain to 128 x 128 x 128 voxels and scales it from minimum to maximum",
        *_network(plan),
        *_optimizer(trained),
        "choice of the epoch: by the loss on a validation split of the training patients; the code chooses it by the "
        "held-out fold that it reports",
        *_augmentation(trained),
        *_transfer(plan),
        *_baselines(plan),
        "censoring: patients censored before the threshold have no class; the code does not know censoring",
    ]
    return f"Differences from {_PAPER} and its published code. {_sentences(told)}"


def _sentences(told: list[str]) -> str:
    return " ".join(f"{one[0].upper()}{one[1:]}." for one in told)


def _task(plan: ExperimentPlan) -> list[str]:
    found = []
    if plan.threshold_days != ONE_YEAR_DAYS:
        found.append(f"outcome: OS of more than {plan.threshold_days:g} days instead of one year")
    if plan.outcome == "time":
        found.append("outcome: the networks learned survival over time, not only the two classes")
    labels = tuple(one.label for one in plan.sequences)
    if set(labels) != set(_SEQUENCES):
        found.append(f"sequences: networks on {listed(list(labels))} instead of {listed(list(_SEQUENCES))}")
    if plan.split_by != "random":
        found.append(f"folds: by {plan.split_by} instead of at random")
    elif (plan.splits, plan.repeats) != (_SPLITS, _REPEATS):
        found.append(
            f"folds: {plan.splits}-fold cross-validation, {counted(plan.repeats, 'time')}, instead of "
            f"{_SPLITS}-fold, {_REPEATS} times"
        )
    return found


def _network(plan: ExperimentPlan) -> list[str]:
    network = plan.network
    stride = f"first convolution: a stride of {network.conv1_stride}; that of the paper is not known"
    if (network.depth, network.widen_factor) == (_DEPTH, 1.0):
        return [stride]
    width = "" if network.widen_factor == 1 else f" with a width multiplier of {network.widen_factor:g}"
    return [f"network: a 3D {network.name}{width} instead of a ResNet-{_DEPTH}", stride]


def _optimizer(settings: TrainingSettings) -> list[str]:
    """Adam with a learning rate of 0.001, divided by 10 every 30 epochs, is AdamW without weight decay."""
    other = []
    if settings.weight_decay:
        other.append(f"AdamW with a weight decay of {settings.weight_decay:g} instead of Adam without")
    if settings.schedule != "step" or settings.warmup_epochs:
        schedule = "a cosine schedule" if settings.schedule == "cosine" else "a tenth every 30 epochs"
        warm_up = f" after {counted(settings.warmup_epochs, 'warm-up epoch')}" if settings.warmup_epochs else ""
        other.append(f"{schedule}{warm_up} instead of a tenth every 30 epochs")
    for value, paper, name in (
        (settings.learning_rate, 1e-3, "a learning rate"),
        (settings.batch_size, 8, "a batch size"),
        (settings.epochs, 250, "a maximum number of epochs"),
        (settings.patience, 50, "a patience in epochs"),
    ):
        if value != paper:
            other.append(f"{name} of {value:g} instead of {paper:g}")
    if settings.class_weights or settings.censoring_weights or settings.label_smoothing or settings.uses_lesions:
        other.append("another loss than the cross-entropy alone")
    if settings.weight_averaging:
        other.append("averaged weights")
    return [f"training: {'; '.join(other)}"] if other else []


def _augmentation(settings: TrainingSettings) -> list[str]:
    code = (
        "the code moves every sample by up to half a voxel, rotates it by up to 45° about one axis and 5° about the "
        "others, then by up to 15° about one in half of the samples, changes size by up to 15 % and crops 96 to 128 "
        "voxels along each axis by itself, and deforms a quarter elastically"
    )
    if settings.augmentation == _AUGMENTATION:
        return [
            "augmentation: rotation drawn once, alike about all axes, and proportions kept by change of size and crop; "
            f"{code}"
        ]
    one = settings.augmentation.transforms == "single"
    once = ", in one interpolation instead of MONAI's transforms one after another" if one else ""
    return [f"augmentation: other ranges{once}; {code}"]


def _transfer(plan: ExperimentPlan) -> list[str]:
    if "transfer" not in plan.initializations:
        return []
    return ["fine-tuning: layers and learning rates were chosen here, since neither paper nor code names them"]


def _baselines(plan: ExperimentPlan) -> list[str]:
    found = []
    if any(arm.sequence is None for arm in plan.baseline_arms):
        found.append(
            "clinical baseline: the five IELSG variables, each once, standardized and imputed, with C chosen in inner "
            "folds; the code has CSF protein twice, no performance status, and a fixed C of 10"
        )
    if any(arm.sequence is not None for arm in plan.baseline_arms):
        found.append("radiomics: features and their selection were chosen here, since none of it is published")
    return found
