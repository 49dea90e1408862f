"""What the report's methods paragraph and checklists can know of an experiment, in sentences."""

from __future__ import annotations

from importlib.metadata import version as installed_version

import PCNSLSurvivalLib
from PCNSLSurvivalLib.evaluation.baselines.classifiers import COSTS, INNER_FOLDS, KEPT_FEATURES
from PCNSLSurvivalLib.evaluation.baselines.radiomics import FAMILIES, RadiomicsStep
from PCNSLSurvivalLib.experiment.grid import Grid
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan, Training
from PCNSLSurvivalLib.experiment.training_in_words import listed, other_training_in_words, training_in_words
from PCNSLSurvivalLib.preprocessing.recipe import Recipe
from PCNSLSurvivalLib.reports.experiment_facts import ExperimentFacts

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
        training=_training(plan),
        pretraining=_pretraining(plan, grid),
        baselines=_baselines(plan),
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


def _training(plan: ExperimentPlan) -> str:
    return training_in_words(plan.settings_of(_described(plan))) if plan.sequences else ""


def _described(plan: ExperimentPlan) -> Training:
    """The training that is told in full; others are told by what differs."""
    return "training" if "scratch" in plan.initializations else "finetuning"


def _pretraining(plan: ExperimentPlan, grid: Grid) -> str:
    if not grid.pretraining:
        return ""
    described, after = plan.settings_of(_described(plan)), plan.settings_of("finetuning")
    files = [start for start in dict.fromkeys(grid.starts.values()) if start.sequence is None]
    counts = {len(start.patients) for start in grid.starts.values() if start.sequence is not None}
    before = [f"{start.in_words} with a new head" for start in files]
    if grid.second is not None:
        counts.add(len(grid.second.labeled))
    if counts:
        many = " to ".join(str(count) for count in sorted({min(counts), max(counts)}))
        before.append(
            f"a network trained for the same OS classes on {many} examinations of a second cohort, none of whose "
            "patients is in the first"
        )
    told = [f"Transfer arms started from {', or from '.join(before)}."]
    if grid.second is not None:
        told.append(f"Pre-training was done {other_training_in_words(plan.settings_of('pretraining'), described)}")
    if after != described:
        told.append(f"Fine-tuning was done {other_training_in_words(after, described)}")
    told.append(f"In fine-tuning, the backbone had {after.backbone_factor:g} of the learning rate.")
    return " ".join(told)


def _baselines(plan: ExperimentPlan) -> str:
    arms = plan.baseline_arms
    if not arms:
        return ""
    kinds = {"svm": "linear support vector machines", "logistic": "logistic regression"}
    used = [said for kind, said in kinds.items() if any(arm.classifier == kind for arm in arms)]
    radiomics = [arm.sequence.label for arm in arms if arm.sequence is not None]
    on = []
    if any(arm.sequence is None and not arm.score_only for arm in arms):
        on.append("the five IELSG variables (age, performance status, LDH, CSF protein, deep structures)")
    if any(arm.score_only for arm in arms):
        on.append("the IELSG score")
    if radiomics:
        on.append(
            f"radiomics of {listed(radiomics)} ({', '.join(FAMILIES)}; {RadiomicsStep().bins} gray levels) in the "
            "lesion mask, or in the whole brain without one"
        )
    costs = listed([f"{cost:g}" for cost in COSTS])
    told = [
        f"Baselines were {listed(used)} on {listed(on)}. Unknown values became the median of the training patients "
        "with a column that says so, and variables were standardized."
    ]
    if radiomics:
        kept = " or ".join(str(number) for number in KEPT_FEATURES)
        told.append(f"Of radiomics, the {kept} with the highest F statistic were kept.")
    told.append(f"C was chosen among {costs} by AUC in {INNER_FOLDS} inner folds.")
    if any(arm.classifier == "svm" for arm in arms):
        told.append("Platt's sigmoid made probabilities of the machines' decisions.")
    return " ".join(told)
