"""The settings of a training as sentences for a methods section."""

from __future__ import annotations

from PCNSLSurvivalLib.reports.sentences import listed
from PCNSLSurvivalLib.training.augmentation import AugmentationSettings
from PCNSLSurvivalLib.training.settings import TrainingSettings


def training_in_words(settings: TrainingSettings) -> str:
    """Every setting of a training that is not given once for all networks, in sentences."""
    say = _numbers(settings)
    usual = _choices(TrainingSettings())
    chosen = (said for name, said in _choices(settings).items() if name == "augmentation" or said != usual[name])
    return " ".join(
        (
            f"Networks were trained with AdamW ({say['learning_rate']}, {say['weight_decay']}, {say['batch_size']}) "
            f"for {say['epochs']} with {say['warmup_epochs']} and a cosine schedule.",
            f"The epoch with the lowest loss on {say['validation_share']} was kept, and training ended early with "
            f"{say['patience']}.",
            *chosen,
        )
    )


def other_training_in_words(settings: TrainingSettings, described: TrainingSettings) -> str:
    """How a training differs from one that was described: "in the same way, but with at most 14 epochs"."""
    before, after = _numbers(described), _numbers(settings)
    other = [said for name, said in after.items() if said != before[name]]
    earlier = _choices(described)
    chosen = "".join(f" {said}" for name, said in _choices(settings).items() if said != earlier[name])
    return f"in the same way{', but with ' if other else ''}{listed(other)}.{chosen}"


def _numbers(settings: TrainingSettings) -> dict[str, str]:
    return {
        "learning_rate": f"a learning rate of {settings.learning_rate:g}",
        "weight_decay": f"a weight decay of {settings.weight_decay:g}",
        "batch_size": f"batches of {settings.batch_size}",
        "epochs": f"at most {settings.epochs} epochs",
        "warmup_epochs": f"a warm-up of {settings.warmup_epochs}",
        "validation_share": f"an inner split of {100 * settings.validation_share:g} % of the training patients or more",
        "patience": f"a patience of {settings.patience}",
    }


def _choices(settings: TrainingSettings) -> dict[str, str]:
    return {
        "augmentation": _augmentation(settings.augmentation),
        "class_weights": "Classes were weighed by the inverse of their frequency."
        if settings.class_weights
        else "All patients had the same weight.",
        "label_smoothing": f"Labels were smoothed by {settings.label_smoothing:g}."
        if settings.label_smoothing
        else "Labels were not smoothed.",
        "frozen": f"{listed(list(settings.frozen))} kept the weights of the start."
        if settings.frozen
        else "No weights were kept as they were.",
        "batch_norm": "Batch normalization kept the statistics of the start."
        if settings.batch_norm == "frozen"
        else "Batch normalization measured its batches.",
        "weight_averaging": f"A running mean of the weights ({settings.weight_averaging:g} kept at each step) was used."
        if settings.weight_averaging
        else "Weights were not averaged.",
        "lesion_task": "Telling where lesion lies, and how much, was a second task; its loss helped choose the epoch."
        if settings.lesion_task
        else "There was no second task.",
        "lesion_head": "The head was then made of the place and amount of lesion alone."
        if settings.lesion_head
        else "The head was that of the training.",
    }


def _augmentation(settings: AugmentationSettings) -> str:
    moved = [
        f"turned by up to {settings.rotation_deg:g}°" if settings.rotation_deg else "",
        f"scaled by up to {100 * settings.scale:g} %" if settings.scale else "",
        f"shifted by up to {settings.translation_mm:g} mm" if settings.translation_mm else "",
        "cropped" if settings.crop_probability and settings.crop_share < 1 else "",
        f"bent by {settings.elastic_mm:g} mm (standard deviation)"
        if settings.elastic_probability and settings.elastic_mm
        else "",
    ]
    kinds = [kind for kind in moved if kind and settings.probability]
    kinds += ["mirrored left to right"] if settings.flip_probability else []
    kinds += [f"brightened by up to {100 * settings.gain:g} %"] if settings.gain else []
    return f"Training scans were {listed(kinds)} at random." if kinds else "Training scans were not augmented."
