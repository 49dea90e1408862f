"""What a transfer starts from: a network that ``pcnsl-survival pretrain`` trained, or weights made elsewhere."""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from PCNSLSurvivalLib.cohorts.prepared_cohort import COHORT_FILE, PreparedCohort
from PCNSLSurvivalLib.cohorts.shared_patients import refuse_shared_patients
from PCNSLSurvivalLib.core.errors import ExperimentError
from PCNSLSurvivalLib.core.installed_files import sha256_of
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.experiment.job_table import RECORD
from PCNSLSurvivalLib.experiment.plan import ExperimentPlan
from PCNSLSurvivalLib.experiment.trained_networks import MEMBER, member_of
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.weights_file import Tensors, write_weights
from PCNSLSurvivalLib.preprocessing.recipe import NetworkGridStep
from PCNSLSurvivalLib.training.lineage import TrainedOn

UNKNOWN = "weights made elsewhere, of patients that are not known here"


@dataclass(frozen=True, kw_only=True)
class Start(ABC):
    """Weights that were trained before.

    Attributes:
        path: Where they are.
        weights_sha256: Of their file: names the start wherever something depends on it.
        sequence: What their network looks at; None if it serves any sequence.
        trained_on: Everybody they were trained on, themselves and in every start before them.
    """

    path: Path
    weights_sha256: str
    sequence: MRSequence | None = None
    trained_on: TrainedOn

    @property
    @abstractmethod
    def in_words(self) -> str:
        """What it is, for a model card."""

    @abstractmethod
    def refuse_unfit(self, plan: ExperimentPlan, cohort: PreparedCohort) -> None:
        """Refuse a start that the networks of a plan cannot take, or that saw a patient of the cohort.

        Raises:
            CohortError: A patient is on both sides.
            ExperimentError, ModelFolderError: Network, block, OS classes or preparation of the scans differ.
        """

    @abstractmethod
    def tensors(self, plan: ExperimentPlan) -> Tensors:
        """Every tensor of the plan's network, head included."""

    @abstractmethod
    def copy_to(self, folder: Path, plan: ExperimentPlan) -> None:
        """Leave in ``folder`` what a pre-training of the experiment would leave for others to start from."""


@dataclass(frozen=True, kw_only=True)
class PretrainedStart(Start):
    """A finished training on everybody of a cohort, as ``pretrain`` left it.

    Attributes:
        before: On whom what it started from was trained; nobody, for one from scratch.
        architecture: The network.
        grid: The block it saw.
        recipe_sha256: How its scans were prepared.
        threshold_days: Limit of the OS classes it was trained for.
    """

    before: TrainedOn
    architecture: ResNetArchitecture
    grid: NetworkGridStep
    recipe_sha256: str
    threshold_days: float

    @property
    def in_words(self) -> str:
        """For a model card."""
        patients, before = self.trained_on.patients, self.before
        own = f"a network trained on {len(patients) - len(before.patients)} other examinations"
        earlier = [f"weights of {len(before.patients)} more"] if before.patients else []
        earlier += [UNKNOWN] if before.unknown else []
        return f"{own}, which had started from {' and '.join(earlier)}" if earlier else own

    def refuse_unfit(self, plan: ExperimentPlan, cohort: PreparedCohort) -> None:
        """See ``Start.refuse_unfit``."""
        if self.architecture != plan.network or self.grid != plan.network_grid:
            raise ExperimentError(
                "The start was trained with another network or another block than the plan asks for. Give both "
                "commands the same experiment file, or copy 'network' and 'network_grid' from the start's unit.json."
            )
        if self.threshold_days != plan.threshold_days:
            raise ExperimentError(
                f"The start was trained for OS over {self.threshold_days:g} days, the plan asks for "
                f"{plan.threshold_days:g}. Give both commands the same 'threshold_days'."
            )
        if self.recipe_sha256 != cohort.recipe.sha256:
            raise ExperimentError(
                "The scans of the start were prepared by another recipe than those of the cohort. Prepare both cohorts "
                "with the same version of this software, and pre-train again."
            )
        refuse_shared_patients(cohort, self.trained_on.patients)

    def tensors(self, plan: ExperimentPlan) -> Tensors:
        """The weights with their head: it was trained for the same OS classes."""
        return member_of(self.path, self.architecture)

    def copy_to(self, folder: Path, plan: ExperimentPlan) -> None:
        """See ``Start.copy_to``."""
        shutil.copytree(self.path, folder, dirs_exist_ok=True)


@dataclass(frozen=True, kw_only=True)
class WeightsFileStart(Start):
    """A file of weights made elsewhere, such as MedicalNet's, for the backbones of all sequences; the head is new.

    On whom it was trained is not written in such a file, so that no patient in common can be found.
    """

    @property
    def in_words(self) -> str:
        """For a model card."""
        return f"{UNKNOWN} (SHA-256 {self.weights_sha256[:12]}…)"

    def refuse_unfit(self, plan: ExperimentPlan, cohort: PreparedCohort) -> None:
        """See ``Start.refuse_unfit``."""
        self.tensors(plan)

    def tensors(self, plan: ExperimentPlan) -> Tensors:
        """The weights, with a head drawn from the plan's seed."""
        from PCNSLSurvivalLib.models.networks.pretrained import load_transfer_start

        return load_transfer_start(self.path, plan.network, seed=plan.seed)[0]

    def copy_to(self, folder: Path, plan: ExperimentPlan) -> None:
        """See ``Start.copy_to``."""
        write_weights(self.tensors(plan), folder / MEMBER)
        record = {"weights_file_sha256": self.weights_sha256, "seed_of_head": plan.seed}
        (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def read_start(path: Path) -> Start:
    """Read what ``pcnsl-survival pretrain`` left in a folder, or take a file of weights.

    Raises:
        ExperimentError: There is nothing, or the folder is no such training.
        TrainingError: It is damaged.
    """
    from PCNSLSurvivalLib.training.job import is_training, read_unit

    path = path.absolute()
    if not path.exists():
        raise ExperimentError(
            "The start is not there. Give the folder that pretrain wrote, or a file of weights such as MedicalNet's."
        )
    if path.is_file():
        return WeightsFileStart(path=path, weights_sha256=sha256_of(path), trained_on=TrainedOn(unknown=True))
    if not is_training(path):
        what = "a prepared cohort" if (path / COHORT_FILE).is_file() else "no training of this software"
        raise ExperimentError(
            f"The start is {what}. Give the folder that 'pcnsl-survival pretrain' wrote (it holds unit.json), or a "
            "file of weights."
        )
    unit = read_unit(path)
    facts = unit.facts
    if facts["fold"]["test"] or "patients" not in facts or len(facts["sequences"]) != 1:
        raise ExperimentError(
            "The start was not trained by 'pcnsl-survival pretrain': it held patients back, or does not say on whom it "
            "was trained. Give the folder that pretrain wrote."
        )
    return PretrainedStart(
        path=path,
        sequence=MRSequence(facts["sequences"][0]),
        architecture=unit.architecture,
        grid=NetworkGridStep(**{entry: tuple(values) for entry, values in facts["settings"]["grid"].items()}),
        recipe_sha256=facts["recipe_sha256"],
        threshold_days=float(facts["settings"]["threshold_days"]),
        weights_sha256=sha256_of(path / MEMBER),
        trained_on=TrainedOn.of_unit(facts),
        before=TrainedOn.of_start_of(facts),
    )
