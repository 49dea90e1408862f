"""Trainings small enough for tests: a ResNet-10 of an eighth of its width on blocks of 32³ voxels."""

from __future__ import annotations

from pathlib import Path

from made_cohorts import made_cohort

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, read_prepared_cohort
from PCNSLSurvivalLib.cohorts.splits import Fold, repeated_stratified_folds
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.data.augmentation import NO_AUGMENTATION
from PCNSLSurvivalLib.training.data.dataset import labeled_cases
from PCNSLSurvivalLib.training.finished_job import FinishedJob
from PCNSLSurvivalLib.training.job import NetworkJob, run_job
from PCNSLSurvivalLib.training.settings import TrainingSettings

SETTINGS = TrainingSettings(
    architecture=ResNetArchitecture(depth=10, widen_factor=0.125),
    grid=NetworkGridStep(size=(32, 32, 32), spacing_mm=(1.5, 1.5, 1.5)),
    epochs=3,
    batch_size=4,
    augmentation=NO_AUGMENTATION,
)


def cohort_of_twelve(folder: Path) -> PreparedCohort:
    """Twelve patients whose T1Gd lesion tells the class, and one censored within the year."""
    return read_prepared_cohort(made_cohort(folder, patients=12, censored=1, sequences=(MRSequence.T1GD,)))


def folds_of(cohort: PreparedCohort, *, splits: int = 3, repeats: int = 1) -> tuple[Fold, ...]:
    """Folds of a cohort's labeled cases."""
    cases = labeled_cases(cohort)
    return repeated_stratified_folds(
        cases.names, cases.patients, cases.classes, splits=splits, repeats=repeats, seed=12
    )


def trained(
    cohort: PreparedCohort, fold: Fold, out: Path, settings: TrainingSettings = SETTINGS, **more
) -> FinishedJob:
    """One finished job."""
    job = NetworkJob(arm="made", fold=fold, sequences=(MRSequence.T1GD,), settings=settings)
    return run_job(cohort, job, out, **more)
