"""Every number that decides a training, as one value that can be printed, compared and stored with its result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.terms import ONE_YEAR_DAYS
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.designs import DEFAULT_DEPTH, MAP_BLOCK, Part
from PCNSLSurvivalLib.models.networks.time_head import TimeHead
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.data.augmentation import AugmentationSettings

_LESION_HEAD_REVISION = 2
"""Of the fit of a head from lesion masks; to be raised when the same settings give another head."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Every hyperparameter of a training; the defaults are meant for some dozens of patients."""

    architecture: ResNetArchitecture = field(
        default_factory=lambda: ResNetArchitecture(depth=DEFAULT_DEPTH, widen_factor=0.5)
    )
    """The network; its ``channels`` follow from the sequences."""
    grid: NetworkGridStep | None = None
    """The block the network sees; that of the cohort's recipe if None."""
    epochs: int = 80
    """Passes over the patients at most."""
    patience: int = 25
    """Epochs without a lower validation loss after which training ends."""
    batch_size: int = 8
    """Over all processes together; a pass is cut into equal batches of at most so many, none of them of one; of an odd
    number of patients in pairs, one batch has three."""
    learning_rate: float = 1e-3
    """Of AdamW at its highest, for the head and for a network trained from scratch."""
    backbone_factor: float = 0.1
    """Learning rate multiplier of the backbone in fine-tuning."""
    warmup_epochs: int = 5
    """Passes over which the learning rate rises in a line; then it falls as ``schedule`` says."""
    schedule: Literal["cosine", "step"] = "cosine"
    """"cosine" falls to 1 % at the last pass; "step" to a tenth every 30 passes, as the paper's."""
    weight_decay: float = 0.01
    """Of AdamW, on weights of convolutions and head; biases and normalization are left alone."""
    frozen: tuple[Part, ...] = ()
    """Frozen parts of the backbone."""
    batch_norm: Literal["update", "frozen"] = "update"
    """Whether batch normalization uses batch statistics, or keeps the statistics of the initial weights."""
    class_weights: bool = False
    """Weigh the loss by the inverse of the class's frequency."""
    censoring_weights: bool = False
    """Weigh patients in the loss so that they stand for those censored before the threshold, who have no class (see
    ``training.censoring``)."""
    label_smoothing: float = 0.0
    """Share of a label given to both classes."""
    weight_averaging: float = 0.0
    """Share of itself that a running mean of the weights keeps at each step, such as 0.8; the mean is then what is
    judged and kept. 0 for none. See docs/decisions/weight-averaging.md."""
    lesion_task: float = 0.0
    """Weight of the auxiliary lesion task in the loss: location and amount per map cell (``training.lesions.task``)."""
    lesion_head: bool = False
    """Refit the head on the trained backbone, on location and volume of the lesion alone (see
    ``training.lesions.head``)."""
    validation_share: float = 0.2
    """Share of the fold's training patients on whom the epoch is chosen."""
    threshold_days: float = ONE_YEAR_DAYS
    """OS longer than this is the positive class."""
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    precision: Literal["auto", "float32"] = "auto"
    """"auto": bf16 where a CUDA device has it."""
    seed: int = 12

    def __post_init__(self) -> None:
        whole = (self.epochs, self.patience, self.batch_size)
        rates = (self.learning_rate, self.backbone_factor)
        shares = (self.weight_decay, self.label_smoothing)
        if min(whole) < 1 or self.warmup_epochs < 0 or self.batch_size < 2:
            raise _wrong(Message("settings_need.counts"))
        if not all(math.isfinite(v) and v > 0 for v in rates) or not all(0 <= v < 1 for v in shares):
            raise _wrong(Message("settings_need.rates"))
        if not (math.isfinite(self.lesion_task) and self.lesion_task >= 0):
            raise _wrong(Message("settings_need.lesion_task"))
        if not 0 <= self.weight_averaging < 1 or (self.weight_averaging and self.uses_lesions):
            raise _wrong(Message("settings_need.weight_averaging"))
        if not 0 < self.validation_share <= 0.5 or not self.threshold_days > 0:
            raise _wrong(Message("settings_need.validation_share"))
        one_cell = self.grid is not None and max(self.architecture.cells(MAP_BLOCK, self.grid.size)) < 2
        if self.architecture.norm == "instance" and one_cell:
            raise _wrong(Message("settings_need.larger_block"))
        if (head := self.architecture.time_head) is not None:
            if self.class_weights or self.censoring_weights or self.label_smoothing or self.lesion_head:
                raise _wrong(Message("settings_need.time_alone"))
            if head.class_days != self.threshold_days:
                raise _wrong(Message("settings_need.class_limit"))
        if not set(self.frozen) <= set(get_args(Part)):
            raise _wrong(Message("settings_need.frozen", known=get_args(Part)))

    @property
    def revisions(self) -> dict[str, Any]:
        """What a job's identity says beside version and settings, where the same settings gave other numbers before."""
        return {"revisions": {"lesion_head": _LESION_HEAD_REVISION}} if self.lesion_head else {}

    @property
    def uses_lesions(self) -> bool:
        """Whether every patient needs a lesion mask."""
        return self.lesion_task > 0 or self.lesion_head

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, every default written out."""
        stored = asdict(self)
        stored["architecture"] = self.architecture.to_json()
        stored["frozen"] = list(self.frozen)
        stored["grid"] = None if self.grid is None else {k: list(v) for k, v in asdict(self.grid).items()}
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> TrainingSettings:
        """Settings from JSON or YAML values; what is left out keeps its default.

        Raises:
            TrainingError: An entry is unknown or has a value that cannot be used.
        """
        if not isinstance(stored, Mapping):
            raise _wrong(Message("settings_need.table"))
        values = dict(stored)
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise TrainingError(Message("settings.unknown", name=unknown[0], known=tuple(sorted(known))))
        try:
            if isinstance(values.get("architecture"), Mapping):
                arguments = {"depth": DEFAULT_DEPTH, **values["architecture"]}
                if arguments.get("time_head") is not None:
                    arguments["time_head"] = TimeHead.from_json(arguments["time_head"])
                values["architecture"] = ResNetArchitecture(**arguments)
            if isinstance(values.get("augmentation"), Mapping):
                values["augmentation"] = AugmentationSettings(**values["augmentation"])
            if isinstance(values.get("grid"), Mapping):
                values["grid"] = NetworkGridStep(**{k: tuple(v) for k, v in values["grid"].items()})
            if "frozen" in values:
                values["frozen"] = tuple(values["frozen"])
            return cls(**values)
        except TypeError as problem:
            raise _wrong(Message("settings_need.known_types", reason=str(problem))) from problem


def _wrong(wanted: Message) -> TrainingError:
    return TrainingError(Message("settings.unusable", wanted=wanted))
