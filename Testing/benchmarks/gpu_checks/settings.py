"""The paper's training, from its experiment file, and the parts that a training is made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from gpu_checks.section import Bench
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort, read_prepared_cohort
from PCNSLSurvivalLib.cohorts.splits import Fold, repeated_stratified_folds
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan, read_plan
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.data.dataset import NetworkInputs, labeled_cases
from PCNSLSurvivalLib.training.epochs import TrainingData
from PCNSLSurvivalLib.training.outcome_loss import ClassLoss
from PCNSLSurvivalLib.training.processes import Processes
from PCNSLSurvivalLib.training.settings import TrainingSettings

TINY = ResNetArchitecture(depth=10, widen_factor=0.125)
TINY_GRID = NetworkGridStep(size=(32, 32, 32), spacing_mm=(1.5, 1.5, 1.5))


def paper_plan() -> ExperimentPlan:
    """The paper's experiment."""
    return read_plan(Path(__file__).resolve().parents[3] / "Resources" / "experiments" / "paper.yaml")


def paper_settings(*, small: bool) -> TrainingSettings:
    """Its training from scratch; of a tiny network on tiny blocks if ``small``."""
    settings = paper_plan().settings_of("training")
    return replace(settings, architecture=TINY, grid=TINY_GRID, batch_size=4) if small else settings


def with_single_transforms(settings: TrainingSettings) -> TrainingSettings:
    """The same training with one interpolation per sample in place of MONAI's transforms."""
    return replace(settings, augmentation=replace(settings.augmentation, transforms="single"))


def fold_of(cohort: PreparedCohort) -> Fold:
    """The first of five folds."""
    cases = labeled_cases(cohort)
    return repeated_stratified_folds(cases.names, cases.patients, cases.classes, splits=5, repeats=1, seed=12)[0]


def training_data(
    bench: Bench, settings: TrainingSettings, device: torch.device, *, most: int | None = None
) -> TrainingData:
    """The patients of ``bench``, every fifth for validation.

    Args:
        bench: Where they are.
        settings: Says which block.
        device: Where the network is.
        most: Patients used; all if left out.
    """
    cohort = read_prepared_cohort(bench.patients)
    classes = labeled_cases(cohort).class_of()
    names = sorted(classes, key=lambda name: name[::-1])[:most]  # both classes among the first
    train_cases = [name for number, name in enumerate(names) if number % 5 < 4]
    return TrainingData(
        inputs=NetworkInputs(cohort, (MRSequence.T1GD,), settings.grid, names=names),
        classes=classes,
        train_cases=train_cases,
        validation_cases=names[4::5],
        outcome=ClassLoss(classes, train_cases, settings, {}, device),
    )


def processes_on(device: str) -> Processes:
    """This process alone."""
    return Processes(device=torch.device("cuda", 0) if device == "cuda" else torch.device(device))
