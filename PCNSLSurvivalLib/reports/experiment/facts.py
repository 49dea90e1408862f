"""Input of the experiment's report besides the predictions: outcomes, cohort, method, examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.cohorts.case import CohortCase
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedExam
from PCNSLSurvivalLib.core.terms import CLASS_THRESHOLD, ONE_YEAR_DAYS, limit_in_words
from PCNSLSurvivalLib.evaluation.predictions import FoldPredictions

Outcome = Literal["TP", "FP", "TN", "FN"]
OUTCOME_LABELS: dict[Outcome, str] = {
    "TP": "true positive",
    "FP": "false positive",
    "TN": "true negative",
    "FN": "false negative",
}


@dataclass(frozen=True, kw_only=True)
class SurvivalOutcome:
    """Whose exam a case is, and how long the patient lived."""

    patient_id: str
    os_days: float | None
    death_observed: bool | None


def outcomes_of(patients: Iterable[PreparedExam | CohortCase]) -> dict[str, SurvivalOutcome]:
    """The outcome of every case of a cohort, by its name."""
    return {
        one.name: SurvivalOutcome(patient_id=one.patient_id, os_days=one.os_days, death_observed=one.death_observed)
        for one in patients
    }


@dataclass(frozen=True, kw_only=True)
class ExperimentFacts:
    """What the methods paragraph and the checklists say; whatever is left empty stays an open item there."""

    cohort: str = "a single cohort"
    """As the text names it: "a cohort of 56 virtual patients"."""
    virtual: bool = False
    """The patients are phantoms: said at the top of the report."""
    threshold_days: float = ONE_YEAR_DAYS
    split_by: str = "random"
    """How the folds were made: "random", "site" or "year"."""
    learns_from_time: bool = False
    """Whether patients censored before the threshold are in the folds, for methods that learn from time."""
    learns_classes: bool = True
    """Whether methods that learn the classes alone are beside these."""
    excluded: Mapping[str, str] = field(default_factory=dict)
    """Reason of every case that was left out, by its name."""
    seed: int | None = None
    predictors: tuple[str, ...] = ()
    """What the arms look at: ("T1", "T1Gd", "the IELSG variables")."""
    preparation: tuple[str, ...] = ()
    """One sentence a step, in order."""
    network: str = ""
    training: str = ""
    """Optimizer, epochs, early stopping, augmentation, in sentences."""
    pretraining: str = ""
    """On what the transfer arms were trained first."""
    baselines: str = ""
    """On what the baselines were fitted, and how."""
    clinical_baselines: bool = False
    """Whether baselines looked at clinical variables alone."""
    radiomics: str = ""
    """What the radiomics of the baselines were computed from, in a sentence; empty without radiomics."""
    feature_selection: str = ""
    """Which of the radiomics were kept, in a sentence."""
    deviations: str = ""
    """What differs from She et al. 2023, in sentences; empty without networks."""
    model_arm: str = ""
    """The arm whose networks became a model folder."""
    software: Mapping[str, str] = field(default_factory=dict)
    """Version of each package."""
    command: str = ""
    """The command that makes the results again."""
    external_test: bool = False

    @property
    def limit(self) -> str:
        """The limit of the OS classes in words: "1 year"."""
        return limit_in_words(self.threshold_days)

    @property
    def title(self) -> str:
        """Of the report: what is predicted."""
        usual = self.threshold_days == ONE_YEAR_DAYS
        return "One-year overall survival" if usual else f"Overall survival over {self.limit}"


@dataclass(frozen=True, kw_only=True)
class ActivationExample:
    """The post-contrast scan of a held-out patient and where the network that never saw it looked.

    Attributes:
        number: Number or code of the patient as printed beside the picture; no name.
        outcome: What the prediction was: positive is the longer OS.
        probability: Predicted probability of the longer OS.
        t1gd: (I, J, K) intensities; the indices run to left, posterior, superior, as ``network_input`` gives them.
        activation: (I, J, K) map on the same voxels, 0 to 1.
        lesion: (I, J, K) lesion on the same voxels; None where the cohort brought no mask.
        voxel_mm: Edge of a voxel.
        activation_of: What the map explains, such as "OS > 1 year".
        map_is_empty: Whether no region supports that class.
    """

    number: str
    outcome: Outcome
    probability: float
    t1gd: NDArray[np.float32]
    activation: NDArray[np.float32]
    lesion: NDArray[np.bool_] | None = None
    voxel_mm: float = 1.0
    activation_of: str = "the predicted class"
    map_is_empty: bool = False

    def slice_index(self) -> int:
        """The axial slice to show: through most of the lesion, or else through the highest activation."""
        if self.lesion is not None and self.lesion.any():
            return int(self.lesion.sum(axis=(0, 1)).argmax())
        return int(self.activation.max(axis=(0, 1)).argmax())


@dataclass(frozen=True, kw_only=True)
class ExampleChoice:
    """A held-out case to show, and the fold whose network predicted it."""

    outcome: Outcome
    case: str
    repeat: int
    fold: int
    probability: float


def choose_examples(folds: Sequence[FoldPredictions], *, each: int = 1) -> tuple[ExampleChoice, ...]:
    """The most decided held-out predictions of each kind, in the order TP, FP, TN, FN.

    Only the first repetition is looked at, so that every case has one prediction, by one network that never saw it.

    Args:
        folds: Folds of the arm to explain.
        each: Most cases of a kind; fewer where there are fewer.
    """
    first = min(one.repeat for one in folds)
    found: dict[Outcome, list[tuple[float, ExampleChoice]]] = {kind: [] for kind in OUTCOME_LABELS}
    for one in folds:
        if one.repeat != first:
            continue
        for case, os_class, p in zip(one.cases, one.os_class, one.probability, strict=True):
            kind: Outcome = ("TP" if os_class else "FP") if p >= CLASS_THRESHOLD else ("FN" if os_class else "TN")
            choice = ExampleChoice(outcome=kind, case=case, repeat=one.repeat, fold=one.fold, probability=float(p))
            found[kind].append((abs(float(p) - CLASS_THRESHOLD), choice))
    return tuple(
        choice
        for kind in found.values()
        for _, choice in sorted(kind, key=lambda pair: (-pair[0], pair[1].case))[:each]
    )


@dataclass(frozen=True, kw_only=True)
class TrainingHistory:
    """Loss by epoch of one trained network, as ``history.csv`` keeps it."""

    label: str
    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    best_epoch: int
    lesion_task: bool = False
    """Whether the loss holds more than the cross-entropy of the OS classes: that of learning from lesion masks."""
    lesion_head: bool = False
    """Whether the head was refitted from lesion masks after the last epoch."""


def read_history(path: Path, label: str, *, lesion_task: bool = False, lesion_head: bool = False) -> TrainingHistory:
    """Read a ``history.csv`` that training wrote: columns ``train_loss``, ``validation_loss`` and ``best``.

    Args:
        path: The file.
        label: Which training it is.
        lesion_task: Whether that training also learned from lesion masks.
        lesion_head: Whether the head was refitted from lesion masks.

    Raises:
        EvaluationError: The file is missing or damaged.
    """
    import csv

    from PCNSLSurvivalLib.core.errors import EvaluationError
    from PCNSLSurvivalLib.core.messages import Message

    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        inner = tuple(float(row["validation_loss"]) for row in rows)
        return TrainingHistory(
            label=label,
            train_loss=tuple(float(row["train_loss"]) for row in rows),
            validation_loss=inner,
            best_epoch=int(np.argmin(inner)),
            lesion_task=lesion_task,
            lesion_head=lesion_head,
        )
    except (OSError, KeyError, ValueError) as problem:
        raise EvaluationError(Message("experiment_report.history_damaged")) from problem
