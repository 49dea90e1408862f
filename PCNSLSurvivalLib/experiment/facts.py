"""What the report's methods paragraph and checklists can know of an experiment, in sentences."""

from __future__ import annotations

from importlib.metadata import version as installed_version

import PCNSLSurvivalLib
from PCNSLSurvivalLib.experiment.grid import Grid
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.preprocessing.recipe import Recipe
from PCNSLSurvivalLib.reports.experiment_facts import ExperimentFacts
from PCNSLSurvivalLib.training.settings import TrainingSettings

_PACKAGES = ("torch", "monai", "scikit-learn", "numpy", "SimpleITK", "numpyradiomics")


def experiment_facts(plan: ExperimentPlan, grid: Grid, recipe: Recipe) -> ExperimentFacts:
    """The facts of one experiment.

    Args:
        plan: What was run.
        grid: Who took part.
        recipe: How the scans were prepared.
    """
    return ExperimentFacts(
        cohort=plan.cohort,
        virtual=plan.virtual_patients,
        threshold_days=plan.threshold_days,
        excluded=grid.patients.left_out,
        seed=plan.seed,
        sequences=tuple(sequence.label for sequence in plan.all_sequences),
        preparation=_preparation(plan, recipe),
        network=_network(plan) if plan.sequences else "",
        training=_training(plan.settings_of("training")) if plan.sequences else "",
        pretraining=_pretraining(plan, grid),
        software={"pcnsl-survival": PCNSLSurvivalLib.__version__}
        | {name: installed_version(name) for name in _PACKAGES},
        command=f"pcnsl-survival experiment experiment.yaml --cohort COHORT{_second(grid)} --out DIR",
    )


def _second(grid: Grid) -> str:
    if grid.starts:
        return " --start START"
    return " --brats SECOND" if grid.second is not None else ""


def _preparation(plan: ExperimentPlan, recipe: Recipe) -> tuple[str, ...]:
    low, high = recipe.normalization.clip
    edge = recipe.resampling.spacing_mm[0]
    block = plan.network_grid
    return (
        f"The brain was outlined on T1Gd ({recipe.brain_extraction.method}) where the scans were not stripped already.",
        "The bias field was removed with N4, and the other sequences were brought rigidly onto T1Gd by mutual "
        "information.",
        f"Intensities were centered on the median of the brain, divided by its robust standard deviation "
        f"({recipe.normalization.scale}), and clipped to {low:g} and {high:g}.",
        f"Scans were resampled to {edge:g} mm ({recipe.resampling.interpolation}).",
        f"The networks saw a block of {' x '.join(str(n) for n in block.size)} voxels of "
        f"{' x '.join(f'{mm:g}' for mm in block.spacing_mm)} mm around the brain.",
    )


def _network(plan: ExperimentPlan) -> str:
    network = plan.network
    return (
        f"Each network was a 3D {network.name} of {network.widen_factor:g} of the usual width on one sequence; its "
        f"first convolution had a stride of {network.conv1_stride}."
    )


def _training(settings: TrainingSettings) -> str:
    return (
        f"It was trained with AdamW (learning rate {settings.learning_rate:g}, weight decay {settings.weight_decay:g}, "
        f"batches of {settings.batch_size}) for at most {settings.epochs} epochs with a warm-up of "
        f"{settings.warmup_epochs} and a cosine schedule; the epoch with the lowest loss on an inner split of "
        f"{settings.inner_share:.0%} of the training patients was kept, and training ended after {settings.patience} "
        "epochs without a lower one. Training scans were moved, scaled, bent, cropped and mirrored at random."
        + _lesions(settings)
    )


def _lesions(settings: TrainingSettings) -> str:
    task = " Telling where lesion lies, and how much, was a second task." if settings.lesion_task else ""
    head = " Its head was made of the place and amount of lesion alone." if settings.lesion_head else ""
    return task + head


def _pretraining(plan: ExperimentPlan, grid: Grid) -> str:
    if not grid.pretraining:
        return ""
    after = plan.settings_of("finetuning")
    files = [start for start in dict.fromkeys(grid.starts.values()) if start.sequence is None]
    counts = {len(start.patients) for start in grid.starts.values() if start.sequence is not None}
    epochs = ""
    if grid.second is not None:
        counts.add(len(grid.second.labeled))
        epochs = f" (at most {plan.settings_of('pretraining').epochs} epochs)"
    before = [f"{start.in_words} with a new head" for start in files]
    if counts:
        many = " to ".join(str(count) for count in sorted({min(counts), max(counts)}))
        before.append(
            f"a network trained for the same OS classes on {many} examinations of a second cohort{epochs}, none of "
            "whose patients is in the first"
        )
    return (
        f"Transfer arms started from {', or from '.join(before)}; fine-tuning took at most {after.epochs} epochs with "
        f"a learning rate of {after.learning_rate:g} for the head and {after.backbone_factor:g} of it for the backbone."
        + _lesions(after)
    )
