"""The plan of an experiment, as one value: arms, folds, networks and every training setting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedCohort
from PCNSLSurvivalLib.core.errors import ExperimentError, ModelFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS, MRSequence
from PCNSLSurvivalLib.evaluation.baselines.arms import BASELINE_ARMS, BaselineArm, baseline_arm
from PCNSLSurvivalLib.evaluation.baselines.fusion import CLINIC_ALONE
from PCNSLSurvivalLib.evaluation.baselines.region import RegionChoice
from PCNSLSurvivalLib.experiment.arms import FusionArm, Initialization, NetworkArm
from PCNSLSurvivalLib.experiment.plan_file import Entry, fill, read_entries
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.time_head import MOST_LIMITS, TimeHead
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.settings import TrainingSettings

SplitBy = Literal["random", "site", "year"]

Outcome = Literal["class", "time"]

Training = Literal["training", "pretraining", "finetuning"]

_TRAININGS: tuple[Training, ...] = get_args(Training)
_GIVEN_ONCE = {
    "architecture": "architecture",
    "grid": "network_grid",
    "seed": "seed",
    "threshold_days": "threshold_days",
}
"""Settings of a training that are the same in all of them, and their place in the plan."""


@dataclass(frozen=True, kw_only=True)
class ExperimentPlan:
    """The arms of the paper by default: {T1, T2, T1Gd} x {scratch, transfer}, and SVMs on clinic and radiomics.

    Attributes:
        cohort: The cohort as the methods paragraph names it.
        virtual_patients: Whether the patients are phantoms: said on the report, and the model is a demonstration.
        sequences: Each is an arm of its own, in each initialization.
        initializations: "scratch" starts from random weights; "transfer" from a pre-training on the second cohort.
        baselines: Methods without a network; see ``evaluation.baselines.arms``.
        fusions: Networks whose log-odds are combined with the clinical variables, each in a further arm such as
            ``t1gd_transfer_clinical``. Each needs one more network for every two folds.
        radiomics_region: Region for radiomics, the same in all patients; "auto" is the lesion if all have a mask.
        split_by: "random" folds, stratified by class; "site" holds out one site at a time; "year" holds out the latest
            years once, about one of ``splits`` patients. The latter two test how a method does elsewhere or later: they
            run once and make no model.
        splits: Folds of one cross-validation.
        repeats: Cross-validations, each shuffled anew.
        seed: Of folds, initial weights, order and augmentation.
        threshold_days: OS longer than this is the positive class; censored before it, a patient has no class.
        outcome: What the networks learn: "class" is OS over the threshold, from the patients whose class is known;
            "time" is the whole survival curve, from all patients. Its value at the threshold is the probability of the
            class.
        intervals_days: Limits of the intervals of the survival curve, fixed before training; ``threshold_days`` is one.
        model_arm: The arm whose networks become the model folder; None for none. With another threshold than a year,
            there is none either: the arm is then the reference of the report, and its maps are shown.
        network: The 3D ResNet of every arm.
        network_grid: The block of the prepared scans that the networks see.
        training: From scratch.
        pretraining: On the second cohort.
        finetuning: From the pre-trained weights.

    Network, grid, seed and threshold are the same in all three kinds of training, so that they are given once, here;
    ``settings_of`` puts them together.

    References:
        She et al., IJCARS 18(10), 2023. doi:10.1007/s11548-023-02886-2
    """

    cohort: str = "a single cohort"
    virtual_patients: bool = False
    sequences: tuple[MRSequence, ...] = (MRSequence.T1, MRSequence.T2, MRSequence.T1GD)
    initializations: tuple[Initialization, ...] = ("scratch", "transfer")
    baselines: tuple[str, ...] = ("svm_clinical", "svm_t1_radiomics", "svm_t2_radiomics", "svm_t1gd_radiomics")
    fusions: tuple[str, ...] = ()
    radiomics_region: RegionChoice = "auto"
    split_by: SplitBy = "random"
    splits: int = 5
    repeats: int = 2
    seed: int = 12
    threshold_days: float = float(ONE_YEAR_DAYS)
    outcome: Outcome = "class"
    intervals_days: tuple[float, ...] = TimeHead().limits_days
    model_arm: str | None = "t1gd_transfer"
    network: ResNetArchitecture = field(default_factory=lambda: TrainingSettings().architecture)
    network_grid: NetworkGridStep = field(default_factory=NetworkGridStep)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    pretraining: TrainingSettings = field(default_factory=TrainingSettings)
    finetuning: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        if self.splits < 2 or self.repeats < 1:
            raise ExperimentError(Message("plan.splits"))
        if self.split_by != "random" and self.repeats != 1:
            raise ExperimentError(Message("plan.repeats", split_by=self.split_by))
        if self.threshold_days <= 0:
            raise ExperimentError(Message("plan.threshold_days"))
        if not 0 <= self.seed < 2**32:
            raise ExperimentError(Message("plan.seed"))
        edges, voxels = self.network_grid.size, self.network_grid.spacing_mm
        if min(edges) < 1 or not all(math.isfinite(mm) and mm > 0 for mm in voxels):
            raise ExperimentError(Message("plan.network_grid"))
        for name in ("training", "pretraining"):
            settings = getattr(self, name)
            if settings.frozen or settings.batch_norm == "frozen":
                raise ExperimentError(Message("plan.frozen_from_scratch", training=name))
        if self.network.channels != 1:
            raise ExperimentError(Message("plan.one_channel"))
        if self.network.time_head is not None:
            raise ExperimentError(Message("plan.time_head"))
        if self.learns_from_time:
            self._check_intervals()
        names = self.arm_names
        if not names or len(set(names)) != len(names):
            raise ExperimentError(Message("plan.arms"))
        for name in _TRAININGS:
            self.settings_of(name)
        self._check_fusions()
        networks = [arm.name for arm in self.networks]
        if self.model_arm is not None and self.model_arm not in networks:
            raise ExperimentError(Message("plan.model_arm", known=tuple(networks) or Message("plan.no_networks")))

    def _check_fusions(self) -> None:
        known = [arm.name for arm in self.networks]
        if unknown := [name for name in self.fusions if name not in known]:
            raise ExperimentError(
                Message("plan.fusion_unknown", name=unknown[0], known=tuple(known) or Message("plan.no_networks"))
            )
        if self.fusions and CLINIC_ALONE not in self.baselines:
            raise ExperimentError(Message("plan.fusion_needs_clinic", baseline=CLINIC_ALONE))
        if self.fusions and (self.split_by == "year" or (self.split_by == "random" and self.splits < 3)):
            raise ExperimentError(Message("plan.fusion_few_folds"))

    def _check_intervals(self) -> None:
        if self.threshold_days not in self.intervals_days:
            raise ExperimentError(Message("plan.intervals_without_threshold", days=self.threshold_days))
        try:
            _ = self.time_head
        except ModelFolderError as problem:
            raise ExperimentError(Message("plan.intervals", most=MOST_LIMITS)) from problem

    @property
    def time_head(self) -> TimeHead:
        """The intervals of every survival curve."""
        return TimeHead(limits_days=self.intervals_days, class_days=self.threshold_days)

    @property
    def architecture(self) -> ResNetArchitecture:
        """The network of every arm with the head of the plan's outcome."""
        return self.network if self.outcome == "class" else replace(self.network, time_head=self.time_head)

    @property
    def learns_from_time(self) -> bool:
        """Whether an arm learns from patients who were censored before the threshold: they are then in the folds."""
        return self.outcome == "time" or any(arm.classifier == "cox" for arm in self.baseline_arms)

    @property
    def networks(self) -> tuple[NetworkArm, ...]:
        """Every network that is compared."""
        return tuple(
            NetworkArm(sequence=sequence, initialization=start)
            for sequence in self.sequences
            for start in self.initializations
        )

    @property
    def baseline_arms(self) -> tuple[BaselineArm, ...]:
        """Every baseline that is compared.

        Raises:
            EvaluationError: A baseline is not known.
        """
        return tuple(baseline_arm(name) for name in self.baselines)

    @property
    def fusion_arms(self) -> tuple[FusionArm, ...]:
        """Every network that is combined with the clinical variables."""
        networks = {arm.name: arm for arm in self.networks}
        return tuple(FusionArm(network=networks[name]) for name in self.fusions)

    @property
    def arm_names(self) -> tuple[str, ...]:
        """Every method, networks first, in the order of the plan."""
        by_name = (*(arm.name for arm in self.networks), *(arm.name for arm in self.baseline_arms))
        return (*by_name, *(f"{name}_clinical" for name in self.fusions))

    @property
    def all_sequences(self) -> tuple[MRSequence, ...]:
        """The scans that every patient must have, so that all arms see the same patients."""
        looked_at = [*self.sequences, *(arm.sequence for arm in self.baseline_arms)]
        return tuple(sequence for sequence in MRSequence if sequence in looked_at)

    @property
    def makes_model(self) -> bool:
        """Whether a model folder comes out: of random folds, and for OS over one year alone."""
        return self.model_arm is not None and self.threshold_days == ONE_YEAR_DAYS and self.split_by == "random"

    @property
    def needs_radiomics(self) -> bool:
        """Whether a baseline looks at radiomics."""
        return any(arm.sequence is not None for arm in self.baseline_arms)

    @property
    def needs_pretraining(self) -> bool:
        """Whether a second cohort is needed."""
        return "transfer" in self.initializations and bool(self.sequences)

    def on(self, cohort: PreparedCohort) -> ExperimentPlan:
        """This plan for a cohort: its patients are virtual if the plan or the cohort says so."""
        return replace(self, virtual_patients=True) if cohort.virtual else self

    def of_arm(self, name: str) -> ExperimentPlan:
        """This plan with one arm alone.

        Raises:
            ExperimentError: No arm has this name.
        """
        networks = {
            arm.name: arm
            for arm in (NetworkArm(sequence=s, initialization=i) for s in MRSequence for i in get_args(Initialization))
        }
        if name in networks:
            arm = networks[name]
            return replace(
                self,
                sequences=(arm.sequence,),
                initializations=(arm.initialization,),
                baselines=(),
                fusions=(),
                model_arm=name,
            )
        if name not in {arm.name for arm in BASELINE_ARMS}:
            known = (*networks, *(arm.name for arm in BASELINE_ARMS))
            raise ExperimentError(Message("plan.no_such_arm", name=name, known=tuple(known)))
        return replace(self, sequences=(), baselines=(name,), fusions=(), model_arm=None)

    def settings_of(self, name: Training) -> TrainingSettings:
        """Settings of one kind of training, with what the plan gives once for all.

        Raises:
            ExperimentError: They contradict what the plan gives once.
        """
        settings: TrainingSettings = getattr(self, name)
        usual = TrainingSettings()
        shared = {entry: getattr(self, place) for entry, place in _GIVEN_ONCE.items()}
        for entry, value in shared.items():
            if getattr(settings, entry) not in (getattr(usual, entry), value):
                place = "network" if entry == "architecture" else _GIVEN_ONCE[entry]
                raise ExperimentError(Message("plan.given_once", training=name, entry=entry, place=place))
        return replace(settings, **shared)

    def to_json(self) -> dict[str, Any]:
        """Every entry, defaults included, as plain values; what is given once for all networks stands once."""
        plain: dict[str, Any] = _plain(asdict(self))
        for name in _TRAININGS:
            plain[name] = {entry: value for entry, value in plain[name].items() if entry not in _GIVEN_ONCE}
        plain["network"].pop("time_head")
        return plain

    def to_yaml(self) -> str:
        """An experiment file with every default written out; reading it gives this plan again."""
        return yaml.safe_dump(self.to_json(), sort_keys=False, allow_unicode=True)


def read_plan(path: Path) -> ExperimentPlan:
    """Read an experiment file.

    Raises:
        ExperimentError: An entry is unknown, of the wrong kind or does not fit; its line is named.
    """
    return fill(ExperimentPlan(), _training_said_once(read_entries(path)))


def _training_said_once(entries: Entry) -> Entry:
    """The entries with those of ``training`` in place of the word: ``pretraining: training``."""
    if not isinstance(entries.value, dict):
        return entries
    given = dict(entries.value)
    for name in _TRAININGS[1:]:
        if name in given and given[name].value == "training":
            given[name] = replace(given[name], value=given["training"].value if "training" in given else {})
    return replace(entries, value=given)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, str) else value
