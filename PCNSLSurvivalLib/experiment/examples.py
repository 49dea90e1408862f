"""Held-out patients for the figure of activation maps, each with the network of its held-out fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, PreparedExam
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, MRSequence
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions
from PCNSLSurvivalLib.experiment.jobs.job import Job
from PCNSLSurvivalLib.experiment.model.trained_networks import member_of
from PCNSLSurvivalLib.explain.overlay import map_on_grid
from PCNSLSurvivalLib.imaging.geometry import resample
from PCNSLSurvivalLib.inference.network import SurvivalNetwork
from PCNSLSurvivalLib.models.model_folder import ModelFolder
from PCNSLSurvivalLib.preprocessing.recipe import refuse_other_preparation
from PCNSLSurvivalLib.preprocessing.steps.resampling import to_network
from PCNSLSurvivalLib.reports.experiment.facts import ActivationExample, ExampleChoice, choose_examples

_PICTURE_MM = 1.0


def activation_examples(
    model: ModelFolder,
    cohort: PreparedCohort,
    jobs: Sequence[Job],
    folds: Sequence[FoldPredictions],
    out: Path,
    *,
    threshold_days: float = ONE_YEAR_DAYS,
) -> tuple[ActivationExample, ...]:
    """For each kind of right and wrong prediction of one network arm, a patient and the map of the predicted class.

    Args:
        model: Made of the arm; architecture and recipe are taken from it, its weights are not.
        cohort: The patients.
        jobs: The arm's jobs, all finished.
        folds: Its held-out predictions.
        out: Folder of the experiment.
        threshold_days: Limit of the OS classes.

    Raises:
        CohortError, ExperimentError, ModelFolderError: A scan or a network is gone or damaged.
    """
    place = {(job.fold.repeat, job.fold.fold): job for job in jobs if job.fold is not None}
    # The statistics belong to the whole ensemble, not to one of its networks.
    alone = replace(model, familiarity=None)
    examples = []
    for choice in choose_examples(folds):
        member = member_of(place[choice.repeat, choice.fold].folder(out), model.architecture)
        network = SurvivalNetwork(alone, members=[member])
        examples.append(_example(choice, cohort.exam(choice.case), model, network, threshold_days))
    return tuple(examples)


def _example(
    choice: ExampleChoice,
    exam: PreparedExam,
    model: ModelFolder,
    network: SurvivalNetwork,
    threshold_days: float,
) -> ActivationExample:
    refuse_other_preparation(exam.recipe, model.recipe, case=exam.name)
    step = model.recipe.network_grid
    result = network.predict(exam.network_input(model.sequences, step))
    block = exam.network_block(step)
    picture = block.with_spacing((_PICTURE_MM,) * 3)
    activation = map_on_grid(
        result.raw_map / (result.map_scale if not result.map_is_empty else 1.0),
        block,
        picture,
        resample(exam.brain_mask(), picture, interpolation="nearest"),
        stride_voxels=result.stride_voxels,
    )
    lesion = exam.lesion_mask()
    return ActivationExample(
        number=exam.name,
        outcome=choice.outcome,
        probability=choice.probability,
        t1gd=to_network(exam.scan(MRSequence.T1GD), picture),
        activation=_ijk(activation),
        lesion=None if lesion is None else _ijk(resample(lesion, picture, interpolation="nearest")) > 0,
        voxel_mm=_PICTURE_MM,
        activation_of=result.target.label_at(threshold_days),
        map_is_empty=result.map_is_empty,
    )


def _ijk(image: sitk.Image) -> NDArray[np.float32]:
    return np.ascontiguousarray(sitk.GetArrayViewFromImage(image).transpose(2, 1, 0))
