"""The settings of a training as sentences for a methods section."""

from __future__ import annotations

from PCNSLSurvivalLib.reports.sentences import counted, listed
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings
from PCNSLSurvivalLib.training.settings import TrainingSettings


def training_in_words(settings: TrainingSettings) -> str:
    """Every setting of a training that is not shared by all networks, in sentences."""
    say = _numbers(settings)
    usual = _choices(TrainingSettings())
    chosen = (said for name, said in _choices(settings).items() if name == "augmentation" or said != usual[name])
    return " ".join(
        (
            f"Networks were trained to minimize {_loss(settings)} with AdamW "
            f"({say['learning_rate']}, {say['weight_decay']}, {say['batch_size']}) for {say['epochs']} "
            f"with {say['warmup_epochs']} and {say['schedule']}.",
            f"The epoch with the lowest loss on {say['validation_share']} was kept, with early stopping after "
            f"{say['patience']}.",
            *chosen,
        )
    )


def _loss(settings: TrainingSettings) -> str:
    head = settings.architecture.time_head
    if head is None:
        return "the cross-entropy of the two OS classes"
    limits = listed([f"{days:g}" for days in head.limits_days])
    return (
        f"the negative log-likelihood of survival in intervals ending at days {limits}, which were fixed before "
        "training (one logistic split per limit; deaths taken as spread evenly within an interval; patients censored "
        f"at any time included), where survival at day {head.class_days:g} is the probability of the OS class,"
    )


def other_training_in_words(settings: TrainingSettings, described: TrainingSettings) -> str:
    """How a training differs from another that was described before: "in the same way, but with at most 14 epochs"."""
    before, after = _numbers(described), _numbers(settings)
    other = [said for name, said in after.items() if said != before[name]]
    earlier = _choices(described)
    chosen = "".join(f" {said}" for name, said in _choices(settings).items() if said != earlier[name])
    return f"in the same way{', but with ' if other else ''}{listed(other)}.{chosen}"


def _numbers(settings: TrainingSettings) -> dict[str, str]:
    return {
        "learning_rate": f"a learning rate of {settings.learning_rate:g}",
        "weight_decay": f"a weight decay of {settings.weight_decay:g}",
        "batch_size": f"a batch size of {settings.batch_size}",
        "epochs": f"at most {counted(settings.epochs, 'epoch')}",
        "warmup_epochs": counted(settings.warmup_epochs, "warm-up epoch"),
        "schedule": "a cosine learning rate schedule"
        if settings.schedule == "cosine"
        else "a learning rate divided by 10 every 30 epochs",
        "validation_share": f"a validation split of at least {100 * settings.validation_share:g} % of the training "
        "patients",
        "patience": f"a patience of {counted(settings.patience, 'epoch')}",
    }


def _choices(settings: TrainingSettings) -> dict[str, str]:
    return {
        "augmentation": _augmentation(settings.augmentation),
        "class_weights": "The loss was class-weighted by inverse frequency."
        if settings.class_weights
        else "The loss was not class-weighted.",
        "censoring_weights": "The loss was weighted by the inverse probability of not being censored before the "
        "class was known (Kaplan-Meier estimate of each fold's training patients)."
        if settings.censoring_weights
        else "Patients were not weighted for censoring.",
        "label_smoothing": f"Label smoothing was {settings.label_smoothing:g}."
        if settings.label_smoothing
        else "Labels were not smoothed.",
        "frozen": f"{listed(list(settings.frozen))} kept the initial weights (frozen layers)."
        if settings.frozen
        else "No layers were frozen.",
        "batch_norm": "Batch normalization kept the statistics of the initial weights."
        if settings.batch_norm == "frozen"
        else "Batch normalization used batch statistics.",
        "weight_averaging": f"Weights were averaged exponentially (decay {settings.weight_averaging:g} per step)."
        if settings.weight_averaging
        else "Weights were not averaged.",
        "lesion_task": f"An auxiliary task predicted lesion location and volume; its loss was added with a weight of "
        f"{settings.lesion_task:g}, also to the validation loss."
        if settings.lesion_task
        else "There was no auxiliary task.",
        "lesion_head": "The head was then refitted on lesion location and volume alone."
        if settings.lesion_head
        else "The head was trained with the network.",
    }


def _augmentation(settings: AugmentationSettings) -> str:
    told = []
    if settings.probability:
        moved = [
            f"rotated by up to {settings.rotation_deg:g}°" if settings.rotation_deg else "",
            f"scaled by up to {100 * settings.scale:g} %" if settings.scale else "",
            f"translated by up to {settings.translation_mm:g} mm" if settings.translation_mm else "",
        ]
        always = [kind for kind in moved if kind]
        parts = []
        if settings.crop_probability and settings.crop_share < 1:
            parts.append(
                f"{100 * settings.crop_probability:g} % were cropped to {100 * settings.crop_share:g} to 100 % of the "
                "block's edge and enlarged to the block"
            )
        if settings.elastic_probability and settings.elastic_mm:
            parts.append(
                f"{100 * settings.elastic_probability:g} % were elastically deformed (standard deviation "
                f"{settings.elastic_mm:g} mm, control points {settings.elastic_spacing_mm:g} mm apart)"
            )
        if always or parts:
            changed = listed(always) if always else "chosen for further changes"
            told.append(f"With a probability of {settings.probability:g}, they were {changed}.")
        if parts:
            told.append(f"Of these, {', and '.join(parts)}.")
    if settings.flip_probability:
        told.append(f"With a probability of {settings.flip_probability:g}, scans were flipped left to right.")
    if settings.gain:
        told.append(
            f"The normalized intensities of every scan were multiplied by {1 - settings.gain:g} to "
            f"{1 + settings.gain:g}."
        )
    by = " by the transforms of MONAI" if settings.transforms == "monai" else ""
    if not told:
        return "Training scans were not augmented."
    return f"Training scans were augmented at random{by}. {' '.join(told)}"
