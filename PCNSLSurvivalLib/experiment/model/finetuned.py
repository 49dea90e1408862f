"""The model folder of a network trained on a full cohort; it has no held-out performance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.core.storage.files import whole_folder
from PCNSLSurvivalLib.core.terms import RESEARCH_USE_ONLY, MRSequence
from PCNSLSurvivalLib.experiment.initial_weights import InitialWeights
from PCNSLSurvivalLib.experiment.model.card import outcome_in_words
from PCNSLSurvivalLib.experiment.model.from_experiment import in_words, model_description
from PCNSLSurvivalLib.experiment.model.known_patients import known_patients
from PCNSLSurvivalLib.experiment.model.license import license_of
from PCNSLSurvivalLib.experiment.model.trained_networks import member_of
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.models.model_folder import ModelFolder, read_model_folder
from PCNSLSurvivalLib.models.write_model_folder import refuse_foreign_model, write_model_folder
from PCNSLSurvivalLib.training.finished_job import FinishedJob
from PCNSLSurvivalLib.training.lineage import TrainedOn


def write_finetuned_model(
    plan: ExperimentPlan, cohort: PreparedCohort, job: FinishedJob, weights: InitialWeights | None, out: Path
) -> ModelFolder:
    """Pack one network that was trained on a full cohort.

    Without a held-out set there is no calibration, no spread of the training scans, and no performance to report.

    Args:
        plan: Settings and words.
        cohort: The patients.
        job: The finished training.
        weights: The initial weights; None if it was trained from scratch.
        out: Model folder to write; its name becomes the model's name. An earlier one is replaced, other files are not.

    Raises:
        ExperimentError, ModelFolderError, OutputFolderError: See ``write_model``.
    """
    sequence = MRSequence(job.facts["sequences"][0])
    patients = len({one["patient_id"] for one in job.facts["patients"]})
    model_license = license_of(TrainedOn.of_job(job.facts))
    before = "random weights" if weights is None else weights.in_words
    card = f"""# One-year overall survival of primary CNS lymphoma: {job.facts["arm"]}

| | |
|---|---|
| Network | 3D {plan.network.name}, width multiplier {plan.network.widen_factor:g}; 1 member |
| Training patients | {in_words(plan, patients)} |
| Initial weights | {before} |
| Outcome | {outcome_in_words(plan)} |
| Calibration | none (no held-out set) |
| Performance | not available (no held-out set); use `pcnsl-survival cross-validate` |
| License | {model_license.name} |

{RESEARCH_USE_ONLY}

Made by `pcnsl-survival finetune`.
"""
    refuse_foreign_model(out)
    with whole_folder(out, overwrite=True) as folder:
        write_model_folder(
            folder,
            architecture=plan.architecture,
            members=[member_of(job.folder, plan.architecture)],
            sequences=(sequence,),
            recipe=replace(cohort.recipe, network_grid=plan.network_grid),
            description=model_description(
                plan,
                out.name,
                arm=job.facts["arm"],
                sequence=sequence,
                patients=patients,
                card=card,
                model_license=model_license,
            ),
            known_patients=known_patients([job]),
        )
    return read_model_folder(out)
