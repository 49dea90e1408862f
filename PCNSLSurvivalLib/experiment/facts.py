"""The facts of an experiment for the report's methods paragraph and checklists, in sentences."""

from __future__ import annotations

from importlib.metadata import version as installed_version

from PCNSLSurvivalLib.core import version
from PCNSLSurvivalLib.experiment.deviations import deviations_in_words
from PCNSLSurvivalLib.experiment.initial_weights import PretrainedRun
from PCNSLSurvivalLib.experiment.jobs.table import JobTable
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan, Training
from PCNSLSurvivalLib.preprocessing.recipe import Recipe
from PCNSLSurvivalLib.reports.experiment.facts import ExperimentFacts
from PCNSLSurvivalLib.reports.experiment.methods.baselines import (
    baselines_in_words,
    clinical_predictors,
    fusions_in_words,
    radiomics_in_words,
    selection_in_words,
)
from PCNSLSurvivalLib.reports.experiment.methods.training import other_training_in_words, training_in_words

_PACKAGES = ("torch", "monai", "scikit-learn", "numpy", "SimpleITK", "numpyradiomics")


def experiment_facts(plan: ExperimentPlan, job_table: JobTable, recipe: Recipe) -> ExperimentFacts:
    """The facts of one experiment.

    Args:
        plan: What was run.
        job_table: Who took part.
        recipe: How the scans were prepared.
    """
    region = job_table.radiomics_region or "lesion"
    radiomics = radiomics_in_words(plan.baseline_arms, region)
    return ExperimentFacts(
        cohort=plan.cohort,
        virtual=plan.virtual_patients,
        threshold_days=plan.threshold_days,
        split_by=plan.split_by,
        learns_from_time=plan.learns_from_time,
        learns_classes=(bool(plan.sequences) and plan.outcome == "class")
        or any(arm.classifier != "cox" for arm in plan.baseline_arms),
        excluded=job_table.patients.left_out,
        seed=plan.seed,
        predictors=(*(one.label for one in plan.all_sequences), *clinical_predictors(plan.baseline_arms)),
        preparation=_preparation(plan, recipe),
        network=_network(plan) if plan.sequences else "",
        training=_training(plan),
        pretraining=_pretraining(plan, job_table),
        baselines=f"{baselines_in_words(plan.baseline_arms, region)} {fusions_in_words(len(plan.fusions))}".strip(),
        clinical_baselines=any(arm.sequence is None for arm in plan.baseline_arms),
        radiomics=f"Radiomics{radiomics.removeprefix('radiomics')}." if radiomics else "",
        feature_selection=selection_in_words() if radiomics else "",
        deviations=deviations_in_words(plan),
        model_arm=plan.model_arm if plan.model_arm and plan.makes_model else "",
        software={"pcnsl-survival": version.__version__} | {name: installed_version(name) for name in _PACKAGES},
        command=f"pcnsl-survival experiment experiment.yaml --cohort COHORT{_second(job_table)} --out DIR",
    )


def _second(job_table: JobTable) -> str:
    if job_table.initial_weights:
        return " --init-weights PATH"
    return " --pretrain-cohort SECOND" if job_table.second is not None else ""


def _preparation(plan: ExperimentPlan, recipe: Recipe) -> tuple[str, ...]:
    if not plan.all_sequences:
        return ()
    low, high = recipe.normalization.clip
    edge = recipe.resampling.spacing_mm[0]
    block = plan.network_grid
    of_networks = (
        f"The network input was a block of {' x '.join(str(n) for n in block.size)} voxels of "
        f"{' x '.join(f'{mm:g}' for mm in block.spacing_mm)} mm around the brain.",
    )
    return (
        f"Scans were skull-stripped with a brain mask from T1Gd ({recipe.brain_extraction.method}) and "
        "bias-corrected with N4 unless they already were. Unregistered sequences were registered rigidly to T1Gd by "
        "mutual information.",
        f"Intensities were centered on the median of the brain, divided by its robust standard deviation "
        f"({recipe.normalization.scale}), and clipped to {low:g} and {high:g}.",
        f"Scans were resampled to {edge:g} mm ({recipe.resampling.interpolation}).",
        *(of_networks if plan.sequences else ()),
    )


def _network(plan: ExperimentPlan) -> str:
    network = plan.network
    return (
        f"Each network was a 3D {network.name} with a width multiplier of {network.widen_factor:g} on one "
        f"sequence; its first convolution had a stride of {network.conv1_stride}."
    )


def _training(plan: ExperimentPlan) -> str:
    return training_in_words(plan.settings_of(_described(plan))) if plan.sequences else ""


def _described(plan: ExperimentPlan) -> Training:
    """The training that is described in full; others are described by their differences."""
    return "training" if "scratch" in plan.initializations else "finetuning"


def _pretraining(plan: ExperimentPlan, job_table: JobTable) -> str:
    if not job_table.pretraining:
        return ""
    described, after = plan.settings_of(_described(plan)), plan.settings_of("finetuning")
    files = [weights for weights in dict.fromkeys(job_table.initial_weights.values()) if weights.sequence is None]
    trained = [
        weights for weights in dict.fromkeys(job_table.initial_weights.values()) if isinstance(weights, PretrainedRun)
    ]
    counts = {len(weights.trained_on.patients) for weights in trained}
    before = [f"{weights.in_words} with a new head" for weights in files]
    if job_table.second is not None:
        counts.add(len(job_table.second.of_networks(plan.outcome)))
    if counts:
        many = " to ".join(str(count) for count in sorted({min(counts), max(counts)}))
        virtual = " of virtual patients" if job_table.second is not None and job_table.second.cohort.virtual else ""
        cohorts = (
            "other cohorts" if any(weights.before.patients for weights in trained) else f"a second cohort{virtual}"
        )
        learned = "OS classes" if plan.outcome == "class" else "intervals of survival"
        before.append(
            f"a network trained for the same {learned} on {many} exams of {cohorts}, none of whose patients is "
            "in the first"
        )
        origins = dict.fromkeys(origin.in_words for weights in trained for origin in weights.before.origins)
        if origins:
            before[-1] += f" (itself initialized from {' and '.join(origins)})"
    told = [f"Transfer arms were initialized from {', or from '.join(before)}."]
    if job_table.second is not None:
        told.append(f"Pre-training was done {other_training_in_words(plan.settings_of('pretraining'), described)}")
    if after != described:
        told.append(f"Fine-tuning was done {other_training_in_words(after, described)}")
    told.append(f"In fine-tuning, the learning rate of the backbone was multiplied by {after.backbone_factor:g}.")
    return " ".join(told)
